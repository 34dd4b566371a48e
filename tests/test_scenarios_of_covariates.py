"""The scenario table of a slope, or of a difference between groups: every row is a fit by hand."""

from functools import cache

import numpy as np
import pytest
from test_untold import FRAME, SLOPE, TAU, WIDE, counts, estimates

import bayesmeta as bm
from bayesmeta.results.sections import of_scenarios

LINE = bm.Linear("latitude", intercept=WIDE, slopes=SLOPE)
GROUPS = bm.ByGroup("blind", WIDE)
TWO = FRAME.assign(blind=["no", "yes"] * 6 + ["no"])


@cache
def of_line():
    return bm.scenarios(bm.fit(bm.NormalNormal(mu=LINE, tau=TAU), estimates()))


@cache
def of_counts():
    data = counts(FRAME.head(6))
    model = bm.BinomialNormal(measure="OR", mu=LINE, tau=TAU)
    return bm.scenarios(bm.fit(model, data))


@cache
def of_groups():
    return bm.scenarios(bm.fit(bm.NormalNormal(mu=GROUPS, tau=TAU), estimates(TWO)))


def ends(marginal):
    return (marginal.quantile(0.5), *marginal.interval(0.95))


def row(found, name):
    (one,) = (each for each in found.rows if each.name == name)
    return one


def line(**changed):
    asked = {"intercept": WIDE, "slopes": SLOPE} | changed
    return bm.Linear("latitude", **asked)


BY_HAND = {
    "base case": lambda: (bm.NormalNormal(mu=LINE, tau=TAU), estimates()),
    "tau ~ HalfNormal(0.25)": lambda: (
        bm.NormalNormal(mu=LINE, tau=bm.HalfNormal(0.25)),
        estimates(),
    ),
    "slopes ~ Normal(0.02, 0.05)": lambda: (
        bm.NormalNormal(mu=line(slopes=bm.Normal(0.02, 0.05)), tau=TAU),
        estimates(),
    ),
    "intercept ~ Normal(0, 4)": lambda: (
        bm.NormalNormal(mu=line(intercept=bm.Normal(0, 4)), tau=TAU),
        estimates(),
    ),
    "Student-t effects, df 4": lambda: (bm.NormalNormal(mu=LINE, tau=TAU, df=4), estimates()),
    "common effect": lambda: (bm.CommonEffect(mu=LINE), estimates()),
    "without TPT Madras 1980": lambda: (
        bm.NormalNormal(mu=LINE, tau=TAU).kept(estimates()),  # centred where all studies are
        estimates(FRAME[FRAME["study"] != "TPT Madras 1980"]),
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_every_row_is_the_fit_made_by_hand(name):
    model, data = BY_HAND[name]()
    assert row(of_line(), name).estimate == pytest.approx(ends(bm.fit(model, data)["latitude"]))


def test_a_row_for_each_decision_and_each_trial():
    kinds = [str(one.kind) for one in of_line().rows]
    assert kinds.count("trial left out") == 13
    assert kinds.count("prior of slopes") == kinds.count("prior of the intercept") == 2
    assert kinds.count("prior of tau") >= 2
    assert kinds.count("distribution of the effects") == 2
    found = of_line()
    lowest = min(one.estimate[0] for one in found.rows)
    assert f"per unit of latitude lies between {np.exp(lowest):.3g} and" in found.in_words
    assert "the conclusion (below 0) stands in 23 of 23 scenarios" in found.in_words
    assert "the interval of log OR per unit of latitude excludes 0" in found.rule
    table = found.table()
    assert "new_lower" not in table
    assert "prob_benefit" not in table
    assert table["estimate_natural"].to_numpy() == pytest.approx(np.exp(table["estimate"]))


def test_counts_have_other_likelihoods_and_no_other_measure():
    found, data = of_counts(), counts(FRAME.head(6))
    other = bm.fit(bm.HypergeometricNormal(mu=LINE, tau=TAU), data)
    assert row(found, "hypergeometric, OR").estimate == pytest.approx(ends(other["latitude"]))
    two = bm.fit(bm.NormalNormal(mu=LINE, tau=TAU), estimates(FRAME.head(6)))
    assert row(found, "two stages").estimate == pytest.approx(ends(two["latitude"]))
    (one,) = (each for each in found.not_made if str(each.kind) == "measure")
    assert one.why == "a coefficient of one measure is none of another"


def test_groups_are_told_by_their_difference_or_by_what_is_asked_for():
    found, base = of_groups(), of_groups().base.posterior
    apart = base.contrast({"blind[yes]": 1, "blind[no]": -1})
    assert found.base.estimate == pytest.approx(ends(apart))
    wide = bm.fit(bm.NormalNormal(mu=bm.ByGroup("blind", bm.Normal(0, 4)), tau=TAU), estimates(TWO))
    expected = ends(wide.contrast({"blind[yes]": 1, "blind[no]": -1}))
    assert row(found, "each group ~ Normal(0, 4)").estimate == pytest.approx(expected)
    assert found.called == "ratio of ORs, blind: yes − no"
    own = bm.scenarios(base, of="blind[no]")
    assert own.base.estimate == pytest.approx(ends(base["blind[no]"]))
    assert own.called == "OR, blind[no]"
    assert bm.scenarios(base, of="yes - no").base.estimate == found.base.estimate


def test_a_tau_for_each_group_may_be_one_for_all():
    mu, tau = GROUPS, bm.ByGroup("blind", TAU)
    found = bm.scenarios(bm.fit(bm.NormalNormal(mu=mu, tau=tau), estimates(TWO)))
    assert row(found, "one tau for all groups").estimate == of_groups().base.estimate
    assert [one.why for one in found.not_made] == ["each group has a tau of its own"]


def test_a_group_that_a_row_has_no_more_is_named():
    frame = FRAME.assign(blind=["yes"] + ["no"] * 12)
    found = bm.scenarios(bm.fit(bm.NormalNormal(mu=GROUPS, tau=TAU), estimates(frame)))
    (one,) = (each for each in found.not_made if each.name.startswith("without"))
    assert one.name == "without Aronson 1948"
    assert one.why == "no other study tells of one of the coefficients"


def test_a_row_whose_other_studies_say_nothing_of_the_slope_is_not_made():
    frame = FRAME.assign(latitude=[13.0] + [44.0] * 12)
    found = bm.scenarios(bm.fit(bm.NormalNormal(mu=LINE, tau=TAU), estimates(frame)))
    assert "without Aronson 1948" in {one.name for one in found.not_made}


def test_what_a_row_says_nothing_of_is_noted():
    frame = FRAME.assign(latitude=44.0)
    found = bm.scenarios(bm.fit(bm.NormalNormal(mu=LINE, tau=TAU), estimates(frame)))
    assert "latitude is 44 in all studies: the data say nothing of its slope" in found.base.note
    assert found.base.estimate[0] == pytest.approx(SLOPE.mean, abs=1e-9)
    assert len([one for one in found.rows if one.name.startswith("without")]) == 13


def test_the_section_of_the_report_has_the_coefficient_and_no_new_setting():
    section = of_scenarios(of_line())
    heads = [one.head for one in section.columns]
    assert heads == ["change", "k", "factor on the OR per unit of latitude", "stands"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"of": "longitude"}, "no coefficient or difference 'longitude'; there are 'intercept'"),
        ({"better": "lower"}, "leave better and baseline out"),
        ({"baseline": 0.1}, "leave better and baseline out"),
    ],
)
def test_what_makes_no_sense_of_a_coefficient_is_refused(how, said):
    with pytest.raises(bm.ModelError, match=said):
        bm.scenarios(of_line().base.posterior, **how)


def test_a_coefficient_of_one_overall_effect_is_refused():
    fit = bm.fit(bm.NormalNormal(mu=WIDE, tau=TAU), estimates())
    with pytest.raises(
        bm.ModelError, match="'latitude' names a coefficient or a place; this model has one"
    ):
        bm.scenarios(fit, of="latitude")


def test_a_place_is_asked_for_as_at_takes_it_and_a_difference_with_a_hyphen():
    base = of_line().base.posterior
    found = bm.scenarios(base, of={"latitude": 20})
    assert found.of == "log OR, latitude 20"
    assert found.base.estimate == pytest.approx(ends(base.at(latitude=20)), abs=1e-12)
    one = row(found, "without Aronson 1948")
    assert one.estimate == pytest.approx(ends(one.posterior.at(latitude=20)), abs=1e-12)
    hyphen = bm.scenarios(of_groups().base.posterior, of="yes - no")
    assert hyphen.table().equals(bm.scenarios(of_groups().base.posterior, of="yes − no").table())
    with pytest.raises(bm.ModelError, match=r"longitude"):
        bm.scenarios(base, of={"longitude": 20})


def test_of_what_no_study_tells_no_row_is_said_to_stand():
    model = bm.NormalNormal(mu=bm.Linear("latitude + same", intercept=WIDE, slopes=SLOPE), tau=TAU)
    found = bm.scenarios(bm.fit(model, estimates()), of="same")
    assert found.in_short == ""
    assert found.in_words.endswith(
        "The studies do not tell all of it: what they leave open has its prior."
    )
    assert "stands" not in found.table()
    assert found.base.estimate[0] == pytest.approx(SLOPE.mean, abs=1e-9)
    assert "stands in" in bm.scenarios(found.base.posterior, of="latitude").in_short


def test_many_coefficients_that_take_minutes_are_named():
    mu = bm.Linear("latitude + allocation", intercept=WIDE, slopes=SLOPE)
    found = bm.scenarios(bm.fit(bm.NormalNormal(mu=mu, tau=TAU), estimates()))
    (one,) = found.not_made
    assert (one.name, "take minutes there" in one.why) == ("Student-t effects, df 4", True)


def test_a_place_that_the_studies_do_not_tell_is_not_judged():
    model = bm.NormalNormal(mu=bm.Linear("latitude + same", intercept=WIDE, slopes=SLOPE), tau=TAU)
    data = estimates()
    same = float(data.covariates["same"][0])
    fit = bm.fit(model, data)
    far, here = (bm.scenarios(fit, of={"latitude": 40, "same": same + at}) for at in (20, 0))
    assert far.in_words.endswith("do not tell all of it: what they leave open has its prior.")
    assert not far.judged
    assert "stands in" in here.in_words
