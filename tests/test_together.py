"""Effect and baseline from one fit of counts: against weighted draws from the priors."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import binary
from scipy import stats
from scipy.special import expit, logit
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.specification import parse_specification
from bayesmeta.wording import baselines_of

TRIALS = {"A": (4, 30, 9, 31), "B": (2, 20, 7, 22), "C": (6, 25, 6, 24), "D": (1, 28, 5, 30)}
PRIORS = {
    "mu": bm.Normal(0, 1),
    "tau": bm.HalfNormal(0.5),
    "baseline": bm.Exchangeable(bm.Normal(-1, 1), bm.HalfNormal(0.5)),
}
LOWER = {"better": "lower"}
CODINGS = {"half": (-0.5, 0.5), "zero_one": (0.0, 1.0)}  # of theta, in control and treatment
ESS = 400  # of the draws, at least: a gate of the fit
CASES = [
    "half",
    pytest.param("zero_one", marks=pytest.mark.deep("8 s: another program is compiled")),
]


@cache
def fit(coding: str = "half") -> bm.Posterior:
    model = bm.BinomialNormal(measure="OR", coding=coding, **PRIORS)
    return bm.fit(model, binary(TRIALS), bm.NUTS(seed=3))


@cache
def weighted(coding: str) -> dict[str, np.ndarray]:
    """Draws from the priors, of a new setting too, weighted by the probability of the counts."""
    n, rng = 1_000_000, np.random.default_rng(8)
    mu, mean = rng.normal(0, 1, n), rng.normal(-1, 1, n)
    tau, sd = abs(rng.normal(0, 0.5, n)), abs(rng.normal(0, 0.5, n))
    control, treatment = CODINGS[coding]
    log = np.zeros(n)
    for r1, n1, r0, n0 in TRIALS.values():
        theta, beta = mu + tau * rng.normal(size=n), mean + sd * rng.normal(size=n)
        log += stats.binom.logpmf(r1, n1, expit(beta + treatment * theta))
        log += stats.binom.logpmf(r0, n0, expit(beta + control * theta))
    new = mu + tau * rng.normal(size=n)
    base = expit(mean + sd * rng.normal(size=n) + control * new)
    weights = np.exp(log - log.max())
    return {"w": weights / weights.sum(), "mu": mu, "new": new, "base": base}


@pytest.mark.parametrize("coding", CASES)
def test_risks_and_differences_have_the_quantiles_of_weighted_draws(coding):
    brute = weighted(coding)
    w, base = brute["w"], brute["base"]
    least = 1 / (w @ w)  # as many draws as the weighted ones are worth
    assert least > 1e4
    rows = bm.absolute_effects(fit(coding), baseline="model", better="lower", per=1).rows[:2]
    for row, effect in zip(rows, (brute["mu"], brute["new"]), strict=True):
        treated = expit(logit(base) + effect)
        told = ((row.control, base), (row.treatment, treated), (row.difference, treated - base))
        for ours, values in told:
            for at, q in zip(ours, (0.5, 0.025, 0.975), strict=True):
                error = STANDARD_ERRORS * np.sqrt(q * (1 - q) * (1 / least + 1 / ESS))
                assert abs(w @ (values <= at) - q) < error
        assert abs(row.with_treatment.mean() - w @ treated) < 0.01


@pytest.mark.parametrize("coding", CASES)
def test_the_sentence_has_both_baselines_and_the_correlation_of_effect_and_baseline(coding):
    brute, found = weighted(coding), bm.absolute_effects(fit(coding), baseline="model", **LOWER)
    chosen = np.random.default_rng(2).choice(brute["w"].size, 50_000, p=brute["w"])
    rank = [
        stats.spearmanr(brute["base"][chosen], brute[name][chosen])[0] for name in ("mu", "new")
    ]
    words = found.together.replace("−", "-")
    average, new = (
        float(words.split(before)[1].split()[0]) for before in ("effect is ", "average and ")
    )
    assert_allclose([average, new], rank, atol=STANDARD_ERRORS / np.sqrt(ESS))
    apart = bm.baseline(fit(coding).data)
    low, high = apart.interval()
    assert f"it would be {apart.mean:.3f} [{low:.3f}, {high:.3f}]" in words
    assert f"mean {bm.baseline(fit(coding)).mean:.3f} [" in words


def test_a_baseline_of_the_mean_is_of_the_average_setting():
    drawn = fit().draws()["posterior"]
    risk = expit(drawn["baseline_mean"].values - drawn["mu"].values / 2)
    found = bm.baseline(fit(), new=False)
    assert found.said == "the mean of the control arms of 4 trials, with the effects"
    assert_allclose(found.interval(), np.quantile(risk, [0.025, 0.975]), rtol=0.01)


def test_with_the_effects_of_another_fit_it_is_independent():
    base = bm.baseline(fit())
    data = bm.effect_sizes(fit().data, measure="OR")
    other = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.5)), data)
    found = bm.absolute_effects(other, baseline=base, **LOWER)
    assert found.together == ""
    assert found.rows[0].control[0] == pytest.approx(1000 * base.quantile(0.5))


@pytest.mark.deep("8 s: another program is compiled, and samples")
def test_the_other_ratio_beside_has_the_baseline_of_its_own_fit():
    base = bm.baseline(fit(), new=False)
    found = bm.absolute_effects(fit(), baseline=base, beside="RR", per=1, **LOWER).beside
    drawn = found.posterior.draws()["posterior"]
    theta, middle = (drawn[name].values.ravel() for name in ("mu", "baseline_mean"))
    risk = control_of_a_ratio(theta, middle)
    row = found.rows[0]
    assert row.baseline.said == base.said
    assert_allclose(row.control, np.quantile(risk, [0.5, 0.025, 0.975]), rtol=0.01)
    change = risk * np.expm1(theta)
    assert_allclose(row.difference, np.quantile(change, [0.5, 0.025, 0.975]), atol=0.005)


def control_of_a_ratio(theta, middle):
    """The control risk at a log RR and half the log odds product, by halving where it lies."""
    low, high = np.zeros_like(theta), np.minimum(1, np.exp(-theta))
    for _ in range(60):
        risk = (low + high) / 2
        above = logit(risk) + logit(risk * np.exp(theta)) > 2 * middle
        low, high = np.where(above, low, risk), np.where(above, risk, high)
    return risk


def test_scenarios_are_told_at_the_median_of_the_baseline_of_the_base_case():
    found = bm.scenarios(fit(), baseline="model", **LOWER)
    risk = bm.baseline(fit()).quantile(0.5)
    ratio = found.rows[0].estimate[0]
    assert found.baseline == f"a risk of {risk:.3g} without the treatment"
    assert found.rows[0].difference[0] == pytest.approx(
        1000 * (expit(logit(risk) + ratio) - risk), rel=1e-6
    )


def test_rows_of_the_draws_hold_baseline_and_effect_of_one_setting():
    one = bm.PsaOutcome(fit(), baseline="model", **LOWER)
    file = bm.psa({"death": one}, draws=40_000, seed=5)
    frame = file.frame
    for end in ("", "_new"):
        odds = [risk / (1 - risk) for risk in (frame[f"death_risk_treatment{end}"], control(frame))]
        assert_allclose(odds[0] / odds[1], frame[f"death_or{end}"], rtol=1e-10)
    told = bm.absolute_effects(fit(), baseline="model", per=1, **LOWER)
    together = [np.log(frame["death_or_new"]), logit(control(frame))]
    pairs = bm.baseline(fit()).arms.pairs()
    expected = np.corrcoef(pairs.new, logit(pairs.risk))[0, 1]
    assert expected < -0.1  # by ±½ coding, half of the effect is in the control arm
    assert np.corrcoef(together)[0, 1] == pytest.approx(expected, abs=0.03)
    for end, row in zip(("", "_new"), told.rows, strict=False):
        drawn = np.quantile(frame[f"death_risk_difference{end}"], [0.5, 0.025, 0.975])
        assert_allclose(drawn, row.difference, atol=0.005)
    assert "Of death baseline and effect are of one fit" in file.dependence["said"]
    assert told.together in file.outcomes["death"]["baseline"]


def control(frame):
    return frame["death_risk_control"]


def test_correlated_outcomes_move_whole_rows_with_their_baselines():
    one = bm.PsaOutcome(fit(), baseline="model", **LOWER)
    other = bm.PsaOutcome(fit(), baseline=0.2, **LOWER)
    frames = [
        bm.psa({"death": one, "stay": other}, draws=4000, seed=5, correlation=r).frame
        for r in (None, 0.7)
    ]
    mu = [np.sort(frame["death_or"]) for frame in frames]
    assert (mu[0] == mu[1]).all()
    base = [np.sort(logit(control(frame))) for frame in frames]
    assert abs(base[0].mean() - base[1].mean()) < 0.1


@pytest.mark.parametrize(
    "text", ["Exchangeable(Normal(-1, 1), HalfNormal(0.5))", repr(PRIORS["baseline"])]
)
def test_exchangeable_baselines_are_read_from_their_own_spelling(text):
    assert baselines_of(text) == PRIORS["baseline"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Exchangeable(Normal(0, 1))", "takes two priors, of the mean and of the SD"),
        ("Exchangeable(Normal(0, 1), sd=HalfNormal(1), mean=Normal(0, 1))", "takes two priors"),
        ("Exchangeable(Normal(0, 1), Normal(0, 1))", "cannot be negative"),
        ("Exchangeable(1, 2)", "'1' is not a prior"),
        ("Exchangeable(", "is not a prior"),
    ],
)
def test_what_spells_no_exchangeable_baselines_is_refused(text, words):
    with pytest.raises(bm.ModelError, match=words):
        baselines_of(text)


def test_a_fit_whose_trials_have_baselines_of_their_own_has_none_to_draw():
    own = bm.BinomialNormal(measure="OR", mu=PRIORS["mu"], tau=PRIORS["tau"])
    with pytest.raises(bm.ModelError, match="each trial has its own, and none is common; fit Bino"):
        bm.absolute_effects(bm.fit(own, binary(TRIALS)), baseline="model", **LOWER)


SPEC = """\
title = "T"
[[outcome]]
name = "death"
title = "Death"
better = "lower"
measure = "OR"
data = "trials.csv"
{keys}
"""


def test_a_specification_asks_for_the_model_where_baselines_are_shared():
    shared = 'baseline = "Exchangeable(Normal(-1, 1), HalfNormal(0.5))"\nbaseline_risk = "model"'
    outcome = parse_specification(SPEC.format(keys=shared)).outcome[0]
    assert outcome.baseline == PRIORS["baseline"]
    assert dict(outcome.baselines) == {"": "model"}
    with pytest.raises(bm.SpecError, match=r'set baseline = "Exchangeable\(.* or baseline_risk'):
        parse_specification(SPEC.format(keys='baseline_risk = "model"'))
