"""Baselines and what follows from them: against quadrature in two dimensions, draws and print."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from references import estimates
from scipy import stats
from scipy.special import expit, logit
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.decision import AbsoluteEffects, Baseline, baseline, number_needed
from bayesmeta.posterior import Check, Diagnostics

REFERENCE = Path(__file__).parent / "reference"
Y, SE = [-0.4, 0.1, -0.5, -0.2], [0.2, 0.3, 0.25, 0.4]
MODEL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
SMALL = bm.NormalNormal(mu=bm.Normal(0, 0.5), tau=bm.HalfNormal(0.05))
FITS = {
    **{name: bm.fit(MODEL, estimates(Y, SE, measure=name)) for name in ("OR", "RR", "HR", "IRR")},
    "RD": bm.fit(SMALL, estimates([-0.02, 0.01, -0.03], [0.02, 0.03, 0.02], measure="RD")),
    "MD": bm.fit(MODEL, estimates(Y, SE, measure="MD")),
    "ROM": bm.fit(MODEL, estimates(Y, SE, measure="ROM")),
    "SMD": bm.fit(MODEL, estimates(Y, SE, measure="SMD")),
}
BETA, LOGIT = stats.beta(20, 80), stats.norm(-1.4, 0.3)
TREATED = {  # from a risk and an effect, in other words than the package's
    "OR": lambda p, theta: (o := p / (1 - p) * np.exp(theta)) / (1 + o),
    "RR": lambda p, theta: np.minimum(p * np.exp(theta), 1.0),
    "HR": lambda p, theta: 1 - (1 - p) ** np.exp(theta),
    "IRR": lambda p, theta: 1 - (1 - p) ** np.exp(theta),
    "RD": lambda p, theta: np.clip(p + theta, 0, 1),
}


def told(measure: str, base: object, **more: object) -> AbsoluteEffects:
    how = {"better": "lower", "time": "a year", "per": 1, **more}
    return bm.absolute_effects(FITS[measure], baseline=base, **how)


# ------------------------------------------------------------------------------ a known baseline


@pytest.mark.parametrize("measure", TREATED)
@pytest.mark.parametrize("risk", [0.02, 0.3, 0.8])
def test_at_a_known_risk_quantiles_and_densities_are_those_of_the_effect_transformed(measure, risk):
    theta = FITS[measure]["mu"]
    row = told(measure, risk).rows[0]
    q = np.array([0.001, 0.025, 0.3, 0.5, 0.9, 0.999])
    risks = TREATED[measure](risk, theta.quantile(q))
    assert_allclose(row.with_treatment.quantile(q), risks, rtol=1e-8, atol=1e-300)
    assert_allclose(row.change.quantile(q), risks - risk, rtol=1e-8, atol=1e-15)
    inside = (risks > 0) & (risks < 1)
    assert_allclose(row.with_treatment.cdf(risks[inside]), q[inside], atol=1e-10)
    at, step = theta.quantile(q[inside]), 1e-6
    slope = (TREATED[measure](risk, at + step) - TREATED[measure](risk, at - step)) / (2 * step)
    assert_allclose(row.change.pdf(risks[inside] - risk), theta.pdf(at) / slope, rtol=1e-6)


@pytest.mark.parametrize("name", ["OR", "RR", "HR", "RD"])
def test_density_at_a_known_risk_has_its_mass_within_its_scale_and_the_rest_at_its_end(name):
    row = told(name, 0.3).rows[-1]
    low, high = row.with_treatment.quantile([1e-9, 1 - 1e-9])
    x = np.linspace(logit(max(low, 1e-12)), logit(min(high, 1 - 1e-12)), 20_001)
    mass = np.trapezoid(row.with_treatment.pdf(expit(x)) * expit(x) * expit(-x), x)
    assert mass + row.prob_capped == pytest.approx(1, abs=1e-5)


def test_counts_of_a_risk_difference_are_told_as_one():
    trials = bm.BinaryStudies.from_frame(
        pd.DataFrame(
            {
                "study": list("ABC"),
                "events_treatment": [3, 5, 2],
                "n_treatment": [40, 60, 30],
                "events_control": [9, 7, 6],
                "n_control": [41, 58, 31],
            }
        )
    )
    model = bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.1))
    fit = bm.fit(model, trials)
    row = bm.absolute_effects(fit, baseline=0.4, better="lower", per=100).rows[0]
    differences = 100 * np.tanh(fit["mu"].quantile([0.5, 0.025, 0.975]))
    assert_allclose(row.difference, differences, rtol=1e-10)
    assert_allclose(row.treatment, 40 + differences, rtol=1e-10)


@pytest.mark.parametrize(
    ("measure", "base", "more", "treated"),
    [
        ("MD", 40.0, {}, lambda theta: 40 + theta),
        ("SMD", 40.0, {"sd": 12.0}, lambda theta: 40 + 12 * theta),
        ("ROM", 40.0, {}, lambda theta: 40 * np.exp(theta)),
    ],
)
def test_means_are_moved_or_multiplied(measure, base, more, treated):
    found = told(measure, base, per=None, unit="mg/L", **more)
    assert (found.per, found.unit) == (1, "mg/L")
    for row, name in zip(found.rows, ("mu", "theta_new"), strict=True):
        means = treated(FITS[measure][name].quantile([0.5, 0.025, 0.975]))
        assert_allclose(row.treatment, means, rtol=1e-10)
        assert_allclose(row.difference, means - base, rtol=1e-10)
        assert row.nnt == ""


def test_rates_are_multiplied_and_told_per_person_time():
    found = told("IRR", baseline(0.02, kind="rate"), per=100)
    ratios = np.exp(FITS["IRR"]["mu"].quantile([0.5, 0.025, 0.975]))
    assert_allclose(found.rows[0].treatment, 2 * ratios, rtol=1e-10)
    assert np.isnan(found.rows[0].with_treatment.mean())  # a ratio's mean need not exist


# -------------------------------------------------------------------- a baseline that is not known


def over(measure: str, name: str, law: object, risks: np.ndarray, d: np.ndarray) -> np.ndarray:
    """P(difference <= d) by a rule of its own: midpoints of the baseline in probability."""
    fit = FITS[measure][name]
    found = []
    for one in d:
        treated = risks + one
        with np.errstate(divide="ignore", invalid="ignore"):
            theta = {
                "OR": lambda t=treated: logit(np.clip(t, 0, 1)) - logit(risks),
                "RR": lambda t=treated: np.log(np.maximum(t, 0) / risks),
                "HR": lambda t=treated: np.log(np.log1p(-np.clip(t, 0, 1)) / np.log1p(-risks)),
            }[measure]()
        below = np.where(np.isneginf(theta), 0.0, 1.0)
        finite = np.isfinite(theta) & (treated < 1)
        below[finite] = fit.cdf(theta[finite])
        found.append(law @ below)
    return np.array(found)


@pytest.mark.parametrize("measure", ["OR", "RR", "HR"])
@pytest.mark.parametrize("name", ["mu", "theta_new"])
@pytest.mark.parametrize("form", ["beta", "logit"])
def test_over_a_baseline_probabilities_and_quantiles_are_those_of_two_dimensions(
    measure, name, form
):
    """By Gauss–Legendre over the risk itself; the package goes over its logit by trapezoids."""
    x, w = np.polynomial.legendre.leggauss(400)
    law = BETA if form == "beta" else LOGIT
    low, high = law.ppf([1e-14, 1 - 1e-14])
    at = 0.5 * (high + low) + 0.5 * (high - low) * x
    weights = w * law.pdf(at)
    risks = at if form == "beta" else expit(at)
    base = (
        baseline("Beta(20, 80)") if form == "beta" else baseline("Normal(-1.4, 0.3)", scale="logit")
    )
    row = told(measure, base).rows[["mu", "theta_new"].index(name)]
    d = row.change.quantile([0.025, 0.2, 0.5, 0.9, 0.975])
    expected = over(measure, name, weights / weights.sum(), risks, d)
    assert_allclose(row.change.cdf(d), expected, atol=1e-6)
    assert_allclose(expected, [0.025, 0.2, 0.5, 0.9, 0.975], atol=1e-6)
    step = 1e-5
    slope = np.diff(over(measure, name, weights / weights.sum(), risks, [d[2] - step, d[2] + step]))
    assert row.change.pdf(d[2]) == pytest.approx(slope[0] / (2 * step), rel=1e-5)


@pytest.mark.parametrize(
    ("measure", "beta", "effect"),
    [
        ("RR", (80, 20), (0.15, 0.2)),  # half of the baselines can be lifted above 1
        ("RD", (2, 18), (-0.05, 0.05)),  # and here below 0
        ("RD", (18, 2), (0.05, 0.05)),
        ("OR", (20, 80), (-0.3, 0.002)),  # far narrower than what lies between 801 nodes
        ("RR", (80, 20), (0.15, 0.002)),
    ],
)
def test_steps_and_narrow_effects_are_integrated_as_well_as_the_rest(measure, beta, effect):
    """By two million midpoints of the baseline in probability, and the effect's normal law."""
    y, se = effect
    data = bm.EffectSizes.from_arrays(["A"], [y], [se], measure=measure)
    fit = bm.fit(bm.CommonEffect(mu=bm.Flat()), data)
    base = baseline(f"Beta({beta[0]}, {beta[1]})")
    row = bm.absolute_effects(fit, baseline=base, better="lower", per=1).rows[0]
    risks = stats.beta(*beta).ppf((np.arange(2_000_000) + 0.5) / 2_000_000)
    d = row.change.quantile([0.025, 0.5, 0.9, 0.975])
    for one, ours in zip(d, row.change.cdf(d), strict=True):
        treated = risks + one
        inside = (treated > 0) & (treated < 1)
        at, risk = treated[inside], risks[inside]
        theta = {
            "OR": lambda at=at, risk=risk: logit(at) - logit(risk),
            "RR": lambda at=at, risk=risk: np.log(at / risk),
            "RD": lambda at=at, risk=risk: at - risk,
        }[measure]()
        below = (treated >= 1).astype(float)
        below[inside] = stats.norm(y, se).cdf(theta)
        assert ours == pytest.approx(below.mean(), abs=1e-6)
    step = 1e-5
    slope = (row.change.cdf(d + step) - row.change.cdf(d - step)) / (2 * step)
    assert_allclose(row.change.pdf(d), slope, rtol=1e-3)


@pytest.mark.parametrize("measure", ["OR", "RR", "HR", "RD"])
def test_draws_of_baseline_and_effect_agree(measure):
    n, rng = 100_000, np.random.default_rng(4)
    risks = BETA.rvs(n, random_state=rng)
    effects = FITS[measure].draws(n, seed=5)["posterior"]
    for row, name in zip(told(measure, "Beta(20, 80)").rows, ("mu", "theta_new"), strict=False):
        treated = TREATED[measure](risks, effects[name].values.ravel())
        for q in (0.025, 0.5, 0.975):
            error = STANDARD_ERRORS * np.sqrt(q * (1 - q) / n)
            assert abs(np.mean(treated <= row.with_treatment.quantile(q)) - q) < error
            assert abs(np.mean(treated - risks <= row.change.quantile(q)) - q) < error
        for marginal, drawn in ((row.with_treatment, treated), (row.change, treated - risks)):
            assert abs(marginal.mean() - drawn.mean()) < STANDARD_ERRORS * drawn.std() / np.sqrt(n)
            assert marginal.sd() == pytest.approx(drawn.std(), rel=0.02)


def test_a_baseline_that_is_hardly_uncertain_is_the_known_one():
    sure = baseline("Normal(-1.4, 1e-5)", scale="logit")
    known, unsure = told("OR", float(expit(-1.4))), told("OR", sure)
    for a, b in zip(known.rows, unsure.rows[:2], strict=True):
        assert_allclose(a.treatment, b.treatment, rtol=1e-4)
        assert_allclose(a.difference, b.difference, rtol=1e-3)


def test_an_uncertain_baseline_is_told_with_its_uncertainty_and_at_its_median():
    found = told("OR", "Beta(20, 80)", per=1000)
    assert [row.quantity for row in found.rows] == [
        "average effect",
        "effect in a new setting",
        "average effect at the median baseline",
        "effect in a new setting at the median baseline",
    ]
    wide, narrow = found.rows[0], found.rows[2]
    assert narrow.control == pytest.approx((1000 * BETA.median(),) * 3)
    assert wide.control == pytest.approx(tuple(1000 * BETA.ppf([0.5, 0.025, 0.975])))
    assert wide.treatment[1] < narrow.treatment[1] < narrow.treatment[2] < wide.treatment[2]


# ------------------------------------------------------------------------------------- thresholds


def test_probability_of_an_important_benefit_lies_on_the_curve():
    found = told("OR", 0.2, per=1000, threshold=20)
    row = found.rows[0]
    drawn = 1000 * (
        TREATED["OR"](0.2, FITS["OR"]["mu"].quantile((np.arange(9999) + 1) / 1e4)) - 0.2
    )
    assert row.prob_important == pytest.approx(np.mean(drawn <= -20), abs=1e-3)
    curve = found.curve([-30, 0, 20])
    assert list(curve.index) == [-30, 0, 20]
    assert curve.loc[20, "average effect"] == row.prob_important
    assert curve.loc[0, "average effect"] == pytest.approx(row.prob_benefit)
    assert row.prob_benefit + row.prob_harm == pytest.approx(1)
    other = bm.absolute_effects(FITS["OR"], baseline=0.2, better="higher", threshold=20).rows[0]
    assert other.prob_important == pytest.approx(np.mean(drawn >= 20), abs=1e-3)


def test_probability_of_an_important_benefit_lies_on_the_curve_of_means():
    """A difference of means is the effect itself, whatever the baseline."""
    found = told("MD", "Normal(40, 5)", per=None, threshold=0.3)
    curve, row = found.curve(), found.rows[0]
    assert curve.loc[0.3, "average effect"] == pytest.approx(row.prob_important, abs=1e-12)
    assert_allclose(
        curve["average effect"], FITS["MD"]["mu"].cdf(-curve.index.to_numpy()), atol=1e-9
    )


def test_thresholds_are_round_and_close_where_an_interval_is_narrow():
    found = told("OR", {"low": 0.01, "high": 0.5}, per=1000, threshold=7.3)
    at = found.curve().index.to_numpy()
    assert {0.0, 7.3} <= set(at)
    round_ones = at[at != 7.3]
    assert_allclose(round_ones, np.round(round_ones, 1), atol=0)
    means = told("MD", 40).curve().index.to_numpy()
    assert_allclose(means, np.round(means, 3), atol=0)


# ------------------------------------------------------------------- the other ratio, side by side


def of_counts(measure: str, *, share: float = 0.1, tau: float = 0.5) -> bm.Posterior:
    """Three trials of 10,000 patients an arm, 20% without the treatment and `share` with it."""
    n = np.full(3, 10_000)
    trials = bm.BinaryStudies(
        study=("A", "B", "C"),
        events_treatment=share * n,
        n_treatment=n,
        events_control=0.2 * n,
        n_control=n,
    )
    model = bm.BinomialNormal(measure=measure, mu=bm.Normal(0, 2), tau=bm.HalfNormal(tau))
    return bm.fit(model, trials)


def test_both_ratios_agree_at_the_risk_of_the_trials_and_part_elsewhere_as_by_hand():
    """RR 0.5 and OR 4/9: at 60% the first leaves 30%, the second 40%; at 5%, 2.5% and 2.29%."""
    found = bm.absolute_effects(
        of_counts("RR", tau=0.001),
        baseline={"own": 0.2, "high": 0.6, "low": 0.05},
        better="lower",
        beside="OR",
    )
    table = found.table().loc[
        [f"average effect, {name} baseline" for name in ("own", "high", "low")]
    ]
    assert_allclose(table["difference"], [-100, -300, -25], atol=0.5)
    assert_allclose(table["beside_difference"], [-100, -200, -27.143], atol=0.5)
    assert set(table["beside_measure"]) == {"OR"}


@pytest.mark.parametrize(("measure", "other"), [("RR", "OR"), ("OR", "RR")])
@pytest.mark.parametrize("base", [0.3, "Beta(20, 80)"])
def test_what_stands_beside_is_the_exact_fit_of_the_other_ratio_with_the_same_priors(
    measure, other, base
):
    how = {"baseline": base, "better": "lower", "threshold": 90}
    found = bm.absolute_effects(of_counts(measure), beside=other, **how)
    own = bm.absolute_effects(of_counts(measure), **how)
    alone = bm.absolute_effects(of_counts(other), **how)
    assert own.beside is None
    assert found.rows == own.rows
    assert found.beside.rows == alone.rows
    assert found.beside.posterior.model == of_counts(other).model
    table, theirs = found.table(), alone.table()
    for name in ("treatment", "difference_lower", "difference_upper", "prob_important", "nnt"):
        assert list(table[f"beside_{name}"]) == list(theirs[name])
    assert list(own.table()) == [name for name in table if not name.startswith("beside_")]


def test_a_ratio_whose_fit_failed_a_gate_is_left_out():
    found = bm.absolute_effects(of_counts("RR"), baseline=0.3, better="lower", beside="OR")
    assert found.sound is found
    fit = found.beside.posterior
    failed = replace(fit, diagnostics=Diagnostics((Check("error", "mu", 1.0, 1e-5, at_most=True),)))
    assert replace(found, beside=replace(found.beside, posterior=failed)).sound.beside is None


# -------------------------------------------------------------------------------- the sources of it


def test_control_arms_are_fitted_as_single_arms():
    arms = {"study": tuple("ABCDEFGH"), "events": [23, 12, 19, 9, 39, 6, 9, 10]}
    studies = bm.ProportionStudies(**arms, n=[107, 44, 51, 39, 139, 20, 78, 35])
    stored = json.loads((REFERENCE / "map.json").read_text())["MAP_AS_HN1"]["MAP_probability"]
    found = baseline(studies)  # mu ~ N(0, 2), tau ~ HN(1), as in the source
    assert_allclose([found.quantile(q) for q in (0.025, 0.5, 0.975)], stored["q"], atol=1e-4)
    values, weights = found.nodes()
    mean = weights @ values
    assert mean == pytest.approx(stored["mean"], abs=1e-4)
    assert np.sqrt(weights @ (values - mean) ** 2) == pytest.approx(stored["sd"], abs=1e-4)
    assert found.said == "a new setting like these of 8 studies"


def blocker() -> bm.BinaryStudies:
    rows = list(csv.DictReader((REFERENCE / "blocker.csv").read_text().splitlines()))
    arms = {name: [r for r in rows if r["trtc"] == name] for name in ("Control", "Beta Blocker")}
    table = {"study": [row["studyn"] for row in arms["Control"]]}
    for ours, theirs in (("treatment", "Beta Blocker"), ("control", "Control")):
        table[f"events_{ours}"] = [int(row["r"]) for row in arms[theirs]]
        table[f"n_{ours}"] = [int(row["n"]) for row in arms[theirs]]
    return bm.BinaryStudies.from_frame(pd.DataFrame(table))


@pytest.mark.parametrize(
    "base",
    [baseline(f"Normal(-2.2, {3.3**-0.5})", scale="logit"), baseline("Beta(4, 32)")],
    ids=["logit", "beta"],
)
def test_blocker_trials_have_the_risks_that_multinma_prints(base):
    """Vignette of multinma: .11 without and .09 with a beta blocker, by both baselines; MC 0.01."""
    model = bm.BinomialNormal(
        measure="OR", mu=bm.Normal(0, 100), tau=bm.HalfNormal(5), baseline=bm.Normal(0, 100)
    )
    fit = bm.fit(model, blocker())
    row = bm.absolute_effects(fit, baseline=base, better="lower", per=1).rows[0]
    values, weights = base.nodes()
    assert weights @ values == pytest.approx(0.11, abs=0.01)
    assert row.with_treatment.mean() == pytest.approx(0.09, abs=0.01)


def three(middle: float, low: float, high: float, places: int = 1) -> str:
    return f"{middle:.{places}f} [{low:.{places}f}, {high:.{places}f}]".replace("-", "−")


def test_the_page_of_conventions_has_our_numbers_and_those_of_plugging_in():
    page = (Path(__file__).parents[1] / "docs" / "differences.md").read_text(encoding="utf-8")
    lines = page[page.index("## Absolute effects") :].splitlines()
    vague = {"mu": bm.Normal(0, 100), "tau": bm.HalfNormal(5), "baseline": bm.Normal(0, 100)}
    fit = bm.fit(bm.BinomialNormal(measure="OR", **vague), blocker())
    base = baseline(f"Normal(-2.2, {3.3**-0.5})", scale="logit")
    rows = bm.absolute_effects(fit, baseline=base, better="lower").rows
    means = [1000 * one for one in (base.mean, rows[0].with_treatment.mean())]
    assert (
        f"| | ours, means | {means[0]:.1f} | {means[1]:.1f} | −{means[0] - means[1]:.1f} |" in lines
    )
    told = " | ".join(
        three(*one) for one in (rows[0].control, rows[0].treatment, rows[0].difference)
    )
    assert f"| | ours, medians | {told} |" in lines
    at = f"{three(*rows[2].treatment)} | {three(*rows[2].difference)} |"
    assert f"| | ours, at the median baseline | {rows[2].control[0]:.1f} | {at}" in lines
    pooled = bm.random_effects(bm.effect_sizes(blocker(), measure="OR"), interval="Wald")
    odds = np.exp(-2.2 + np.array([pooled.estimate, pooled.lower, pooled.upper]))
    treated = 1000 * odds / (1 + odds)
    at = f"{three(*treated)} | {three(*(treated - 1000 * expit(-2.2)))} |"
    assert f"| | plug-in, REML and Wald | {1000 * expit(-2.2):.1f} | {at}" in lines


def test_the_page_of_conventions_has_the_numbers_of_bcg():
    root = Path(__file__).parents[1]
    page = (root / "docs" / "differences.md").read_text(encoding="utf-8")
    trials = bm.BinaryStudies.from_frame(pd.read_csv(root / "examples" / "bcg" / "bcg.csv"))
    priors = {"mu": bm.Normal(0, 2), "tau": bm.HalfNormal(0.5)}
    fit = bm.fit(bm.BinomialNormal(measure="RR", **priors), trials)
    risk = float(trials.events_control.sum() / trials.n_control.sum())
    known = bm.absolute_effects(fit, baseline=risk, better="lower").rows[0]
    at = f"{three(*known.treatment, places=2)} | {three(*known.difference, places=2)} |"
    assert f"| ours, taken as known | {1000 * risk:.2f} | {at}" in page
    pooled = bm.random_effects(bm.effect_sizes(trials, measure="RR"), interval="Wald")
    treated = 1000 * risk * np.exp([pooled.estimate, pooled.lower, pooled.upper])
    at = f"{three(*treated, places=2)} | {three(*(treated - 1000 * risk), places=2)} |"
    assert f"| | plug-in, REML and Wald | {1000 * risk:.2f} | {at}" in page
    over = bm.absolute_effects(fit, baseline=trials, better="lower").rows[0]
    at = " | ".join(three(*one) for one in (over.control, over.treatment, over.difference))
    assert f"| BCG, RR; the control arms' predictive | ours, medians | {at} |" in page


@pytest.mark.parametrize(
    ("given", "more", "kind", "said"),
    [
        (0.12, {}, "risk", "stated, and taken as known"),
        ("0.12", {}, "risk", "stated, and taken as known"),
        ("Beta(20, 80)", {}, "risk", "Beta(20, 80)"),
        (bm.Normal(-2, 0.5), {"scale": "logit"}, "risk", "logit ~ Normal(-2, 0.5)"),
        (bm.Normal(-2, 0.5), {"scale": "log"}, "rate", "log ~ Normal(-2, 0.5)"),
        ("Gamma(20, 100)", {"kind": "rate"}, "rate", "Gamma(20, 100)"),
        ("Normal(40, 5)", {"kind": "mean"}, "mean", "Normal(40, 5)"),
        ("logit Normal(-2, 0.5)", {}, "risk", "logit ~ Normal(-2, 0.5)"),
        ("log Normal(-2, 0.5)", {}, "rate", "log ~ Normal(-2, 0.5)"),
        (0.2, {"said": "Smith 2020"}, "risk", "Smith 2020"),
    ],
)
def test_a_baseline_says_what_it_is(given, more, kind, said):
    found = baseline(given, **more)
    assert (found.kind, found.said) == (kind, said)
    lower, upper = found.interval(0.9)
    assert lower <= found.quantile(0.5) <= upper


@pytest.mark.parametrize(
    ("prior", "more", "law"),
    [
        ("Beta(20, 80)", {}, BETA),
        ("Gamma(20, 100)", {"kind": "rate"}, stats.gamma(20, scale=1 / 100)),
        ("Normal(40, 5)", {"kind": "mean"}, stats.norm(40, 5)),
    ],
)
def test_nodes_draws_and_quantiles_are_of_the_stated_distribution(prior, more, law):
    found = baseline(prior, **more)
    values, weights = found.nodes()
    assert weights @ values == pytest.approx(law.mean(), rel=1e-9)
    assert weights @ (values - law.mean()) ** 2 == pytest.approx(law.var(), rel=1e-8)
    assert_allclose(found.interval(0.9), law.ppf([0.05, 0.95]), rtol=1e-9)
    drawn = found.draws(50_000, np.random.default_rng(1))
    assert stats.kstest(drawn, law.cdf).pvalue > 1e-4


def test_control_arms_of_trials_and_rates_say_so():
    trials = blocker()
    assert baseline(trials).said == "a new setting like the control arms of 22 trials"
    assert baseline(trials, new=False).said == "the mean of the control arms of 22 trials"
    new, mean = baseline(trials).interval(), baseline(trials, new=False).interval()
    assert new[0] < mean[0] < mean[1] < new[1]
    rates = bm.IncidenceStudies(study=["A", "B", "C"], events=[3, 5, 9], time=[100, 90, 210.0])
    found = baseline(rates)
    assert found.kind == "rate"
    assert 0.01 < found.quantile(0.5) < 0.1


def test_a_sampled_fit_of_single_arms_gives_strata_of_its_draws():
    fit = bm.fit(
        bm.ProportionNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(1)),
        bm.ProportionStudies(study=["A", "B", "C"], events=[3, 5, 9], n=[40, 50, 60]),
    )
    found = baseline(fit)
    drawn = Baseline(kind="risk", law=found.law, smooth=False, said="as if drawn")
    a, b = told("OR", found), told("OR", drawn)
    assert_allclose(a.rows[0].treatment, b.rows[0].treatment, rtol=2e-3)


# -------------------------------------------------------------------------------- number needed


@pytest.mark.parametrize(
    ("median", "lower", "upper", "better", "said"),
    [
        (-0.05, -0.08, -0.02, "lower", "NNTB 20, from NNTB 13 to NNTB 50"),
        (0.05, 0.02, 0.08, "lower", "NNTH 20, from NNTH 13 to NNTH 50"),
        (0.05, 0.02, 0.08, "higher", "NNTB 20, from NNTB 13 to NNTB 50"),
        (-0.05, -0.0834, 0.01205, "lower", "NNTB 20, from NNTB 12 through ∞ to NNTH 83"),
        (0.01, -0.0834, 0.01205, "lower", "NNTH 100, from NNTB 12 through ∞ to NNTH 83"),
        (-0.05, -0.1, 0.0, "lower", "NNTB 20, from NNTB 10 to ∞"),
        (0.05, 0.0, 0.1, "lower", "NNTH 20, from NNTH 10 to ∞"),
        (0.0, -0.1, 0.1, "lower", "∞, from NNTB 10 through ∞ to NNTH 10"),
        (-1.0, -1.0, -0.5, "lower", "NNTB 1, from NNTB 1 to NNTB 2"),
    ],
)
def test_number_needed_goes_through_infinity_in_words(median, lower, upper, better, said):
    assert number_needed(median, lower, upper, better=better) == said


# ------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("given", "more", "words"),
    [
        (1.2, {}, "A risk without the treatment must be between 0 and 1, got 1.2"),
        (-1.0, {"kind": "rate"}, "A rate without the treatment must be above 0"),
        (float("inf"), {"kind": "mean"}, "must be finite"),
        (True, {}, "baseline must be one number, got True"),
        ("Gamma(2, 3)", {}, r"Gamma\(2, 3\) is no distribution of a risk; use Beta"),
        ("Normal(0.2, 0.1)", {}, "no distribution of a risk; use Beta.* with scale='logit'"),
        ("Normal(0.2, 0.1)", {"kind": "rate"}, "no distribution of a rate"),
        ("Beta(1, 2)", {"kind": "mean"}, "no distribution of a mean"),
        ("Beta(1, 2)", {"scale": "log", "kind": "risk"}, "natural scale or its logit, not log"),
        ("twenty", {}, "'twenty' is no baseline"),
        (None, {}, "A baseline is a number, a distribution"),
        (0.2, {"kind": "odds"}, "kind is 'risk', 'rate' or 'mean', not 'odds'"),
        (FITS["OR"], {}, "A baseline needs a fit of single arms"),
    ],
)
def test_what_cannot_be_a_baseline_is_refused(given, more, words):
    with pytest.raises(bm.ModelError, match=words):
        baseline(given, **more)


@pytest.mark.parametrize(
    ("measure", "more", "words"),
    [
        ("OR", {}, "need a baseline: baseline= or control_risk="),
        ("OR", {"baseline": 0.2, "control_risk": 0.2}, "one of them"),
        ("HR", {"baseline": 0.2}, "A risk under a HR needs its time horizon"),
        ("OR", {"baseline": baseline(0.2, kind="rate")}, "OR acts on no rate: OR, RR"),
        (
            "SMD",
            {"baseline": 40.0},
            "An SMD is told in a unit by .* there: add sd=12",
        ),
        ("OR", {"baseline": 0.2, "threshold": -3}, "threshold must be a positive number, got -3"),
        ("OR", {"baseline": 0.2, "per": 0}, "per must be a positive number, got 0"),
        (
            "OR",
            {"baseline": 0.2, "beside": "RR"},
            "RR takes a table of counts and a model of the c",
        ),
        (
            "OR",
            {"baseline": 0.2, "beside": "RD"},
            "beside is 'RR' where the fit is of OR, not 'RD'",
        ),
        (
            "RR",
            {"baseline": 0.2, "beside": "RR"},
            "beside is 'OR' where the fit is of RR, not 'RR'",
        ),
        ("RD", {"baseline": 0.2, "beside": "OR"}, "an OR beside an RR, or .* of RD leave it out"),
    ],
)
def test_absolute_effects_that_make_no_sense_are_refused(measure, more, words):
    with pytest.raises(bm.ModelError, match=words):
        bm.absolute_effects(FITS[measure], better="lower", **more)
