"""The scenario table: every row is the fit that a person would make by hand."""

import html
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.posterior import Check, Diagnostics
from bayesmeta.priors import rescaled
from bayesmeta.results.sections import of_scenarios
from bayesmeta.variations import Kind, Scenarios

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
TRIALS = bm.BinaryStudies(
    study=["Ng", "Oka", "Paz", "Qu", "Roy"],
    events_treatment=[4, 11, 6, 0, 19],
    n_treatment=[40, 80, 55, 20, 120],
    events_control=[9, 16, 13, 2, 30],
    n_control=[41, 79, 52, 21, 118],
)
FEWER = np.arange(5) < 3
STAYS = bm.ContinuousStudies(
    study=["A", "B", "C"],
    n_treatment=[20, 34, 15],
    mean_treatment=[8.1, 9.5, 7.2],
    sd_treatment=[3.0, 4.1, 2.2],
    n_control=[21, 33, 16],
    mean_control=[9.9, 10.4, 9.6],
    sd_control=[3.3, 4.4, 2.9],
)


def of_counts(measure: str = "RR", **how: object) -> Scenarios:
    model = bm.BinomialNormal(measure=measure, mu=MU, tau=TAU)
    return bm.scenarios(bm.fit(model, TRIALS), better="lower", baseline=0.2, **how)


def held(row: pd.Series, fit: bm.Posterior, name: str = "") -> None:
    """A row that is told on the scale of its own fit."""
    mu, new = fit.at(), fit.at(new=True)
    ours = row[["estimate", "lower", "upper", "new_lower", "new_upper", "prob_benefit"]]
    theirs = [mu.quantile(0.5), *mu.interval(), *new.interval(), mu.cdf(0.0)]
    np.testing.assert_allclose(ours.astype(float), theirs, rtol=1e-9, atol=1e-9, err_msg=name)
    assert row["k"] == fit.data.k
    assert row["sound"] == fit.diagnostics.passed


def test_every_row_of_counts_is_the_fit_made_by_hand():
    table = of_counts().table()
    made = {
        "base case": {},
        "tau ~ HalfNormal(0.25)": {"tau": bm.HalfNormal(0.25)},
        "tau ~ HalfNormal(1)": {"tau": bm.HalfNormal(1)},
        "mu ~ Normal(0, 1)": {"mu": bm.Normal(0, 1)},
        "mu ~ Normal(0, 4)": {"mu": bm.Normal(0, 4)},
        "tau ~ InverseGamma(1.51, 0.23)": {"tau": bm.InverseGamma(1.51, 0.23)},
        "mu ~ StudentT(3, 0, 0.32)": {"mu": bm.StudentT(3, 0, 0.32)},
        "baselines ~ Normal(0, 2.5)": {"baseline": bm.Normal(0, 2.5)},
        "Student-t effects, df 4": {"df": 4},
    }
    fits = {
        name: bm.fit(bm.BinomialNormal(**{"measure": "RR", "mu": MU, "tau": TAU, **how}), TRIALS)
        for name, how in made.items()
    }
    two = bm.effect_sizes(TRIALS, measure="RR")
    fits["two stages"] = bm.fit(bm.NormalNormal(mu=MU, tau=TAU), two)
    base = fits["base case"].model
    for i, study in enumerate(TRIALS.study):
        fits[f"without {study}"] = bm.fit(base, TRIALS.keep(np.arange(5) != i))
    for name, fit in fits.items():
        held(table.loc[name], fit, name)
    common = bm.fit(bm.CommonEffect(mu=MU), two)
    assert table.loc["common effect, two stages", "estimate"] == common.at().quantile(0.5)
    carried = {
        "hypergeometric, OR": bm.HypergeometricNormal(mu=MU, tau=TAU),
        "OR constant, told as RR": bm.BinomialNormal(measure="OR", mu=MU, tau=TAU),
    }
    for name, model in carried.items():
        ratio = np.exp(bm.fit(model, TRIALS).at().quantile([0.5, 0.025, 0.975]))
        risk = ratio * 0.25 / (1 + ratio * 0.25)
        ours = table.loc[name, ["estimate_natural", "lower_natural", "upper_natural"]].astype(float)
        np.testing.assert_allclose(ours, risk / 0.2, rtol=1e-9)
    assert {*table.index} == {*fits, *carried, "common effect, two stages"}


def test_every_row_of_means_is_the_fit_made_by_hand():
    model = bm.ContinuousNormal(measure="MD", mu=bm.Normal(0, 10), tau=bm.HalfNormal(2))
    table = bm.scenarios(bm.fit(model, STAYS), better="lower").table()
    changed = {
        "base case": {},
        "tau ~ HalfNormal(1)": {"tau": bm.HalfNormal(1)},
        "tau ~ HalfNormal(4)": {"tau": bm.HalfNormal(4)},
        "mu ~ Normal(0, 5)": {"mu": bm.Normal(0, 5)},
        "mu ~ Normal(0, 20)": {"mu": bm.Normal(0, 20)},
        "Student-t effects, df 4": {"df": 4},
    }
    given = {"measure": "MD", "mu": bm.Normal(0, 10), "tau": bm.HalfNormal(2)}
    fits = {
        name: bm.fit(bm.ContinuousNormal(**{**given, **how}), STAYS)
        for name, how in changed.items()
    }
    two = bm.NormalNormal(mu=given["mu"], tau=given["tau"])
    fits["two stages"] = bm.fit(two, bm.effect_sizes(STAYS, measure="MD"))
    for i, study in enumerate(STAYS.study):
        fits[f"without {study}"] = bm.fit(model, STAYS.keep(np.arange(3) != i))
    for name, fit in fits.items():
        held(table.loc[name], fit, name)
    common = bm.fit(bm.ContinuousCommonEffect(measure="MD", mu=given["mu"]), STAYS)
    assert table.loc["common effect", "lower"] == common.at().interval()[0]
    assert {*table.index} == {*fits, "common effect"}
    assert "difference" not in table
    told = bm.scenarios(bm.fit(model, STAYS), better="lower", unit="days", baseline=10.0)
    assert re.search(r"the MD lies between −\S+ and \S+ days", told.in_words)
    assert told.to_dict()["unit"] == "days"
    heads = [column.head for column in of_scenarios(told).columns]
    assert {"estimate (days)", "in a new setting (days)", "difference (days)"} <= set(heads)
    assert "days" in repr(told).splitlines()[1]
    without = bm.scenarios(bm.fit(model, STAYS), better="lower")
    assert "()" not in " ".join(column.head for column in of_scenarios(without).columns)


def test_a_difference_is_that_of_the_absolute_effects_at_the_middle_baseline():
    model = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU)
    fit = bm.fit(model, TRIALS)
    found = bm.scenarios(fit, better="lower", baseline={"low": 0.1, "mid": 0.2, "high": 0.4})
    told = bm.absolute_effects(fit, better="lower", baseline=0.2)
    np.testing.assert_allclose(found.base.difference, told.rows[0].difference, rtol=1e-9)
    assert found.per == 1000


def test_an_odds_ratio_is_told_as_a_risk_ratio_only_at_a_stated_baseline():
    found = bm.scenarios(of_counts().base.posterior, better="lower")
    assert [one.name for one in found.not_made] == [
        "hypergeometric, OR",
        "OR constant, told as RR",
    ]
    assert "none is stated" in found.not_made[0].why


def test_a_risk_that_an_effect_would_lift_above_one_is_told_at_one():
    harm = bm.BinaryStudies(
        study=["A", "B"],
        events_treatment=[30, 28],
        n_treatment=[40, 40],
        events_control=[10, 9],
        n_control=[40, 40],
    )
    fit = bm.fit(bm.BinomialNormal(measure="RR", mu=MU, tau=TAU), harm)
    found = bm.scenarios(fit, baseline=0.5)
    assert found.base.difference == (500, pytest.approx(found.base.difference[1]), 500)
    share = 100 * (1 - fit.at().cdf(np.log(2)))
    assert found.base.note == f"risk held within 0 to 1 in {share:.2g}% of its distribution"
    odds = bm.fit(bm.BinomialNormal(measure="OR", mu=MU, tau=TAU), harm)
    (other,) = (one for one in bm.scenarios(odds, baseline=0.5).not_made)
    assert other.name == "RR constant, told as OR"
    assert "lifts the risk" in other.why


def test_one_fit_is_one_row_whatever_leads_to_it():
    model = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU)
    found = bm.scenarios(
        bm.fit(model, TRIALS), further={"no Ng": TRIALS.keep(np.arange(5) > 0), "again": TRIALS}
    )
    assert found.table().index.is_unique
    rows = {one.name: one for one in found.rows}
    assert "twice as wide" in rows["tau ~ HalfNormal(1)"].note
    assert "rover2021/half-normal-1.0" in rows["tau ~ HalfNormal(1)"].note
    assert rows["no Ng"].note == "also without Ng"
    assert found.base.note == "also again"


def test_nothing_is_held_to_a_base_case_that_failed_its_gate():
    fit = of_counts().base.posterior
    failed = Check("quadrature error", "mu", 1.0, 1e-6, at_most=True)
    unsound = replace(fit, diagnostics=Diagnostics((failed,)))
    found = bm.scenarios(unsound, better="lower")
    assert not found.judged
    assert "failed a numerical gate" in found.in_words
    some = bm.scenarios(fit, further={"odd": replace(unsound, data=fit.data.keep(FEWER))})
    assert "not sound, and not judged: odd" in some.in_words
    assert {one.name for one in some.rows if not one.sound} == {"odd"}


def test_whether_a_conclusion_stands_is_where_its_interval_lies():
    model = bm.BinomialNormal(measure="RR", mu=MU, tau=TAU)
    more = {one: {**TRIALS.numbers}[one] for one in TRIALS.columns()}
    more["events_treatment"] = np.array([4, 11, 6, 0, 22])
    fit = bm.fit(model, bm.BinaryStudies(study=TRIALS.study, **more))
    found = bm.scenarios(fit, better="lower", baseline=0.2)
    for one in found.judged:
        below, above = one.estimate[2] <= 0, one.estimate[1] >= 0
        base_below, base_above = found.base.estimate[2] <= 0, found.base.estimate[1] >= 0
        assert one.stands == ((below, above) == (base_below, base_above))
    assert found.in_short == f"stands in {len(found.judged) - len(found.turned)} of 17"
    assert found.turned
    assert found.base.conclusion == "below no effect"
    assert all(one.name in repr(found) for one in found.turned)


def test_single_arms_conclude_nothing():
    arms = bm.ProportionStudies(study=["A", "B"], events=[3, 5], n=[20, 30])
    found = bm.scenarios(bm.fit(bm.ProportionNormal(mu=MU, tau=TAU), arms))
    assert found.in_short == ""
    assert {"stands", "prob_benefit"}.isdisjoint(found.table())
    assert "conclusion" not in found.in_words


def test_priors_and_data_of_ones_own_are_rows():
    fewer = TRIALS.keep(np.arange(5) < 3)
    fit = bm.fit(of_counts().base.posterior.model, fewer)
    found = of_counts(
        priors={"Turner 2015": bm.LogNormal(-2.0, 0.8)}, further={"old trials": fewer, "same": fit}
    )
    rows = {one.name: one for one in found.rows}
    assert rows["tau ~ LogNormal(-2, 0.8)"].note == "Turner 2015"
    assert rows["old trials"].kind is Kind.ROWS
    assert rows["old trials"].note == "also same"
    assert rows["old trials"].estimate == pytest.approx(
        tuple(fit.at().quantile([0.5, 0.025, 0.975])), rel=1e-12
    )
    assert [one.kind for one in found.rows] == sorted(
        (one.kind for one in found.rows), key=[*Kind].index
    )


def test_what_cannot_be_integrated_is_named_and_sampled_on_request():
    model = bm.BinomialNormal(
        measure="OR",
        mu=MU,
        tau=TAU,
        baseline=bm.Exchangeable(mean=bm.Normal(0, 2), sd=bm.HalfNormal(1)),
    )
    sampled = bm.fit(model, TRIALS, bm.NUTS(seed=1, chains=2, tune=300, draws=300))
    found = bm.scenarios(sampled, better="lower")
    names = {one.name for one in found.rows}
    assert {"two stages", "baselines ~ Normal(0, 2.5)"} <= names
    assert "without Ng" not in names
    why = {one.name: one.why for one in found.not_made}
    assert "sampled=True" in why["without Ng"]


@pytest.mark.parametrize(
    ("prior", "half"),
    [
        (bm.HalfNormal(1), bm.HalfNormal(0.5)),
        (bm.HalfCauchy(1), bm.HalfCauchy(0.5)),
        (bm.HalfT(4, 1), bm.HalfT(4, 0.5)),
        (bm.Exponential(1), bm.Exponential(2)),
        (bm.Gamma(2, 3), bm.Gamma(2, 6)),
        (bm.InverseGamma(2, 1), bm.InverseGamma(2, 0.5)),
        (bm.LogNormal(0.2, 0.7), bm.LogNormal(0.2 - np.log(2), 0.7)),
        (bm.LogStudentT(5, 0.2, 0.7), bm.LogStudentT(5, 0.2 - np.log(2), 0.7)),
        (bm.Uniform(0, 4), bm.Uniform(0, 2)),
        (bm.Uniform(1, 4), bm.Uniform(0.5, 2)),
        (
            bm.Mixture(0.7, bm.HalfNormal(1), bm.Exponential(1)),
            bm.Mixture(0.7, bm.HalfNormal(0.5), bm.Exponential(2)),
        ),
    ],
    ids=lambda one: type(one).__name__,
)
def test_half_as_wide_is_the_prior_of_half_the_parameter(prior, half):
    assert rescaled(prior, 0.5) == half
    at = np.array([0.05, 0.5, 0.9])
    np.testing.assert_allclose(half.quantile(at), np.array(prior.quantile(at)) / 2)


def test_an_effects_prior_keeps_its_place():
    assert rescaled(bm.Normal(0.3, 1), 2) == bm.Normal(0.3, 2)
    assert rescaled(bm.StudentT(3, 0.3, 1), 2) == bm.StudentT(3, 0.3, 2)
    assert rescaled(bm.Uniform(-1, 3), 0.5) == bm.Uniform(0, 2)
    both = bm.Mixture(0.8, bm.Normal(-0.3, 0.2), bm.Normal(0, 2))
    assert rescaled(both, 2) == bm.Mixture(0.8, bm.Normal(-0.3, 0.4), bm.Normal(0, 4))
    assert rescaled(bm.Flat(), 2) is None


def test_people_read_the_numbers_of_a_prior_to_four_digits():
    assert bm.HalfNormal(0.15 * 3).rounded == "HalfNormal(0.45)"
    part = bm.priors.from_library("rover2021/half-normal-0.5")
    mixed = bm.Mixture(2 / 3, part, bm.HalfCauchy(1 / 3))
    assert mixed.rounded == "Mixture(0.6667, HalfNormal(0.5), HalfCauchy(0.3333))"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"priors": {"a": 3}}, "priors has 'a': 3; each is a name and a prior"),
        ({"priors": [bm.HalfNormal(1)]}, "priors is a mapping"),
        ({"further": {"a": bm.effect_sizes(TRIALS, measure="RR")}}, "needs counts"),
        ({"baseline": 2}, "between 0 and 1"),
    ],
    ids=["no prior", "a list", "data of another kind", "no risk"],
)
def test_what_makes_no_sense_is_refused(how, said):
    fit = bm.fit(bm.BinomialNormal(measure="RR", mu=MU, tau=TAU), TRIALS)
    with pytest.raises(bm.BayesmetaError, match=said):
        bm.scenarios(fit, **how)


TABLE = """\
study,variant,events_treatment,n_treatment,events_control,n_control,confidence
Ng,main,4,40,9,41,verified
Ng,late,6,40,10,41,secondary
Oka,main,11,80,16,79,verified
Paz,main,6,55,13,52,secondary
Qu,other,1,20,2,21,verified
"""
SPEC = """\
title = "T"
[[outcome]]
name = "death"
title = "Death"
event = "deaths"
better = "lower"
measure = "RR"
data = "trials.csv"
baseline_risk = { low = 0.1, middle = 0.2, high = 0.4 }
[[outcome.scenario]]
name = "all"
[[outcome.scenario]]
name = "without Paz, by hand"
only = ["Ng", "Oka"]
"""
TWO = bm.BinaryStudies(
    study=["Ng", "Oka"],
    events_treatment=[4, 11],
    n_treatment=[40, 80],
    events_control=[9, 16],
    n_control=[41, 79],
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("what-if")
    (folder / "trials.csv").write_text(TABLE)
    (folder / "spec.toml").write_text(SPEC)
    done = CliRunner(catch_exceptions=False).invoke(
        main, ["run", str(folder / "spec.toml"), "-o", str(folder / "out")]
    )
    assert done.exit_code == 0, done.output
    return done, folder / "out"


def test_a_run_has_every_reading_of_a_row_once_and_what_its_scenarios_say(ran):
    done, out = ran
    table = pd.read_csv(out / "death" / "tables" / "what-if.csv", index_col="scenario")
    rows = table[table["change"] == "rows"]
    assert [*rows.index] == ["without Paz, by hand", "Ng: late"]  # verified rows are those two
    base = bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    late = bm.BinaryStudies(
        study=["Ng", "Oka", "Paz"],
        events_treatment=[6, 11, 6],
        n_treatment=[40, 80, 55],
        events_control=[10, 16, 13],
        n_control=[41, 79, 52],
    )
    held(table.loc["Ng: late"], bm.fit(base, late))
    held(table.loc["without Paz, by hand"], bm.fit(base, TWO))
    assert "Conclusions stand in " in done.output
    said = "Answers of one scenario among several: Death, scenario “all”, the first of 2."
    assert said in done.output
    report = (out / "report.html").read_text(encoding="utf-8")
    assert '<p class="lead">Of scenario “all”, the first of 2: ' in report


def test_the_report_and_its_numbers_say_the_rule_and_where_differences_are_told(ran):
    _, out = ran
    page = (out / "report.html").read_text()
    assert "Rule: a conclusion stands where" in page
    assert "Differences are at a risk of 0.2 without the treatment." in page
    said = json.loads((out / "results.json").read_text())["outcomes"]["death"]["what_if"]
    assert said["judged"] == len(pd.read_csv(out / "death/tables/what-if.csv")) - 1
    assert said["in_words"] in html.unescape(page)
