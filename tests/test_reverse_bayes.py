"""Sceptics and advocates: printed numbers, closed forms, and fits that touch no effect."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from references import MAIN_TRIALS, binary, estimates
from scipy import stats

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.effects import MEASURES
from bayesmeta.errors import DataError, ModelError
from bayesmeta.evidence import ReverseBayes
from bayesmeta.ways import COMMAND, speaking

DATA = estimates([-0.9, -0.1, -0.6, -0.4, -1.3], [0.2, 0.3, 0.15, 0.4, 0.35], measure="OR")


def printed(text):
    return bm.reverse_bayes(bm.Published.parse(text))


def alone(lower, upper, measure="RR"):
    """One effect, known with this interval: y ± 1.96 se of its logarithm."""
    low, high = np.log([lower, upper])
    data = estimates(
        [(low + high) / 2], [(high - low) / 2 / stats.norm.ppf(0.975)], measure=measure
    )
    return bm.fit(bm.CommonEffect(mu=bm.Normal(0, 1)), data)


# Matthews (2001, 2018): intervals of which the limits are printed.
SCEPTICS = [
    (0.60, 0.96, "RR 0.76 [0.60, 0.96]", (0.682197, 1.465851)),
    (1.06, 1.55, "OR 1.28 [1.06, 1.55]", (0.797807, 1.253435)),
]


@pytest.mark.parametrize(("lower", "upper", "text", "limits"), SCEPTICS)
def test_the_sceptical_limits_are_those_of_the_closed_form_and_of_refits(
    lower, upper, text, limits
):
    for found in (printed(text), bm.reverse_bayes(alone(lower, upper))):
        assert found.natural(found.sceptic) == pytest.approx(limits, abs=1e-6)
        assert found.advocate is None


def test_the_advocacy_limit_is_that_of_the_closed_form_and_of_refits():
    for found in (printed("HR 0.92 [0.49, 1.72]"), bm.reverse_bayes(alone(0.49, 1.72))):
        assert found.natural(found.advocate) == pytest.approx((0.705734, 1), abs=1e-6)
        assert found.sceptic is None


@pytest.mark.parametrize("prob", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(("y", "se"), [(0.5, 0.1), (-0.5, 0.3), (0.2, 0.4), (-0.1, 0.9)])
def test_closed_form_and_refits_agree_at_any_level_and_on_either_side(y, se, prob):
    half = stats.norm.ppf((1 + prob) / 2) * se
    figure = bm.Published(
        measure="MD", estimate=str(y), lower=str(y - half), upper=str(y + half), prob=prob
    )
    closed = bm.reverse_bayes(figure)
    fit = bm.fit(bm.CommonEffect(mu=bm.Normal(3, 1)), estimates([y], [se], measure="MD"))
    refitted = bm.reverse_bayes(fit, prob=prob)
    for name in ("sceptic", "advocate"):
        one, other = getattr(closed, name), getattr(refitted, name)
        assert (one is None) == (other is None) == ((name == "sceptic") != (abs(y) >= half))
        assert one is None or one == pytest.approx(other, abs=1e-4 * se, rel=2e-4)


def test_under_the_limits_the_interval_touches_no_effect():
    """By formulas of the normal model written here, not by a fit."""
    z = stats.norm.ppf(0.975)
    for y, se, name in ((0.5, 0.2, "sceptic"), (0.2, 0.3, "advocate")):
        data = estimates([y], [se], measure="MD")
        found = bm.reverse_bayes(bm.fit(bm.CommonEffect(mu=bm.Normal(0, 1)), data))
        low, high = getattr(found, name)
        mean, sd = (low + high) / 2, (high - low) / 2 / z
        precision = sd**-2 + se**-2
        assert (mean / sd**2 + y / se**2) / precision == pytest.approx(
            z * precision**-0.5, rel=1e-5
        )


@pytest.mark.parametrize("tau", [bm.HalfNormal(0.5), bm.HalfCauchy(0.3)], ids=repr)
def test_a_fit_with_the_prior_of_the_sceptic_touches_no_effect(tau):
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=tau), DATA)
    found = bm.reverse_bayes(fit)
    sd = found.sceptic[1] / stats.norm.ppf(0.975)
    touching = bm.fit(bm.NormalNormal(mu=bm.Normal(0, sd), tau=tau), DATA)
    assert touching["mu"].interval()[1] == pytest.approx(0, abs=1e-6)
    wider = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 1.2 * sd), tau=tau), DATA)
    assert wider["mu"].interval()[1] < 0


def test_a_fit_of_counts_with_the_prior_of_the_advocate_touches_no_effect():
    trials, tau = binary(MAIN_TRIALS), bm.HalfNormal(0.5)
    asked = {"measure": "RR", "tau": tau}
    fit = bm.fit(bm.BinomialNormal(mu=bm.Normal(0, 2), **asked), trials)
    found = bm.reverse_bayes(fit, prob=0.99)
    low, high = found.advocate
    assert high == 0
    prior = bm.Normal(low / 2, -low / 2 / stats.norm.ppf(0.995))
    touching = bm.fit(bm.BinomialNormal(mu=prior, **asked), trials)
    assert touching["mu"].interval(0.99)[1] == pytest.approx(0, abs=1e-5)


def test_the_answer_does_not_depend_on_the_prior_that_the_fit_had():
    limits = [
        bm.reverse_bayes(bm.fit(bm.CommonEffect(mu=mu), DATA)).sceptic[1]
        for mu in (bm.Flat(), bm.Normal(0, 0.2), bm.StudentT(3, 1, 2))
    ]
    assert limits == pytest.approx([limits[0]] * 3, rel=1e-3)


def test_an_estimate_is_intrinsically_credible_below_the_printed_p():
    """Held (2019): at 5%, where p is below 0.0055746."""
    at = stats.norm.isf(0.0055746 / 2)
    for z, credible in ((at * 1.0001, True), (at * 0.9999, False)):
        half = stats.norm.ppf(0.975)
        figure = bm.Published(
            measure="MD", estimate=str(z), lower=str(z - half), upper=str(z + half)
        )
        found = bm.reverse_bayes(figure)
        assert found.intrinsic is credible
        assert found.p_intrinsic == pytest.approx(0.05, abs=5e-5)


def test_an_interval_that_is_not_about_its_estimate_is_refused():
    with pytest.raises(DataError, match=r"not symmetric about its estimate: 0.9"):
        printed("RR 0.90 [0.60, 0.96]")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "RR 0.76 [0.60, 0.96]",
            "A sceptic who holds 95% of RR between 0.68 and 1.47 would not be convinced.",
        ),
        (
            "MD 1.5 (90% CI -0.5 to 3.5)",
            "An advocate who holds 90% of MD between 0 and 13.71, or nearer to 0, would be "
            "convinced.",
        ),
        (
            "MD 0.02 [0.01, 0.03]",
            "A sceptic who holds 95% of MD between -0.0058 and 0.0058 would not be convinced.",
        ),
        (
            "MD 0.0 [-1.0, 1.0]",
            "Neither a sceptic nor an advocate has a limit: the interval touches no effect, lies "
            "evenly about it, or no such prior turns it.",
        ),
    ],
)
def test_who_is_convinced_is_said_in_a_sentence(text, said):
    found = printed(text)
    assert found.sentence == said
    assert found.table().loc["mu", "says"] == said


def test_a_table_has_both_priors_on_the_scale_that_people_read():
    row = printed("RR 0.76 [0.60, 0.96]").table().loc["mu"]
    assert row["sceptic_lower"] == pytest.approx(0.682197, abs=1e-6)
    assert np.isnan(row["advocate_upper"])


def test_what_compares_nothing_is_sampled_or_no_claim_is_refused():
    shares = bm.ProportionStudies(study=["A", "B"], events=[3, 4], n=[30, 50])
    fit = bm.fit(bm.ProportionNormal(mu=bm.Normal(-2, 2), tau=bm.HalfNormal(1)), shares)
    with pytest.raises(ModelError, match="A proportion compares no arms"):
        bm.reverse_bayes(fit)
    with pytest.raises(ModelError, match=r"takes a fit or a Published figure, not 0.7"):
        bm.reverse_bayes(0.7)
    drawn = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 1)), DATA)
    object.__setattr__(drawn, "sample_stats", {"diverging": np.zeros((1, 1))})
    with speaking(COMMAND), pytest.raises(ModelError, match="leave --nuts out"):
        bm.reverse_bayes(drawn)


def test_explain_and_evidence_say_who_is_convinced(tmp_path):
    table = tmp_path / "trials.csv"
    rows = ["A,12,40,18,40", "B,5,50,9,50", "C,20,80,31,82"]
    head = "study,events_treatment,n_treatment,events_control,n_control"
    table.write_text("\n".join([head, *rows]))
    said = CliRunner().invoke(main, ["explain", str(table), "--published", "RR 0.66 [0.49, 0.89]"])
    assert "A sceptic who holds 95% of RR between 0.73 and 1.36 would not be" in said.output
    asked = ["fit", str(table), "--measure", "RR", "--evidence", "--json"]
    (row,) = json.loads(CliRunner().invoke(main, asked).stdout)["tables"]["reverse-bayes"]
    assert row["says"].startswith(("A sceptic who holds", "An advocate who holds"))


def test_of_a_fit_nothing_is_said_of_intrinsic_credibility():
    found = ReverseBayes(
        measure=MEASURES["RR"], prob=0.95, interval=(0.1, 1.0), sceptic=(-1, 1), advocate=None
    )
    assert not found.intrinsic


@pytest.mark.parametrize("half", [0.1, 0.3, 1.7])
def test_an_interval_evenly_about_no_effect_has_no_advocate_whatever_rounding_leaves(half):
    data = estimates([-half, half], [0.3, 0.3], measure="OR")
    for found in (
        bm.reverse_bayes(bm.fit(normal_model(), data)),
        bm.reverse_bayes(alone(np.exp(-half), np.exp(half))),
        printed(f"MD 0.0 [-{half}, {half}]"),
    ):
        assert found.advocate is None
        assert found.sentence.startswith("Neither a sceptic nor an advocate has a limit")


def test_ends_that_would_print_alike_have_more_digits():
    assert "between 0.99982 and 1.0002 would" in printed("RR 1.0003 [1.0001, 1.0005]").sentence
    said = printed("RR 1.00001 [0.91, 1.0989231]").sentence
    low, high = said.split("between ")[1].split(", or nearer")[0].split(" and ")
    assert float(low) < float(high)


def normal_model():
    return bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
