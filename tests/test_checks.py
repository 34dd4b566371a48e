"""Predictive checks, deviance and trust: against definitions, and engine against engine."""

import numpy as np
import pytest
from references import INCIDENCE, MAIN_TRIALS, RATES, SHARES, binary, estimates
from scipy import stats
from scipy.special import expit
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.checks import Deviance, Verdict
from bayesmeta.checks._statistics import quantile_errors, statistics
from bayesmeta.posterior import Check, Diagnostics
from bayesmeta.results.display import simulated
from bayesmeta.simulate import parameters, replicate, risks

MU, TAU, BASELINE = bm.Normal(-0.3, 0.8), bm.HalfNormal(0.5), bm.Normal(-1, 1)
TRIALS = {name: MAIN_TRIALS[name] for name in ("Shu", "Lanzoni", "Monsel", "Rebelatto")}
ESTIMATES = estimates([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4], measure="RR")
EXACT = {
    "normal": (bm.NormalNormal(mu=MU, tau=TAU), ESTIMATES),
    "common": (bm.CommonEffect(mu=MU), ESTIMATES),
    "t": (bm.NormalNormal(mu=MU, tau=TAU, df=4), ESTIMATES),
    "OR": (bm.BinomialNormal(measure="OR", mu=MU, tau=TAU), binary(TRIALS)),
    "RR": (bm.BinomialNormal(measure="RR", mu=MU, tau=TAU), binary(TRIALS)),
    "RD": (bm.BinomialNormal(measure="RD", mu=MU, tau=TAU), binary(TRIALS)),
    "hypergeometric": (bm.HypergeometricNormal(mu=MU, tau=TAU), binary(TRIALS)),
    "Poisson": (bm.PoissonNormal(mu=MU, tau=TAU), RATES),
    "proportion": (bm.ProportionNormal(mu=MU, tau=TAU), SHARES),
    "incidence": (bm.IncidenceNormal(mu=MU, tau=TAU), INCIDENCE),
}


@pytest.mark.deep("Student-t effects and corners: 1 s each", only=["t", "RD"])
@pytest.mark.parametrize("name", EXACT)
def test_every_likelihood_has_its_checks(name):
    model, data = EXACT[name]
    posterior = bm.fit(model, data)
    check = bm.posterior_predictive(posterior, seed=1, draws=500)
    table = check.table()
    assert list(table.columns[:1]) == ["observed"]
    assert ((table["p"] >= 0) & (table["p"] <= 1)).all()
    for arm in check.arms.values():
        assert (arm.lower <= arm.upper).all()
        inside = (arm.observed >= arm.lower) & (arm.observed <= arm.upper)
        assert inside.any()
    found = bm.deviance(posterior, draws=500)
    assert (found.residual > 0).all()
    assert found.dic == pytest.approx(found.total + found.leverage.sum())
    assert 0 < found.p_d < found.points.sum() + 1
    prior = bm.prior_predictive(model, data, seed=1, draws=500)
    assert "overall effect" in prior.table().index
    whole = bm.trust(posterior, prior=prior, predictive=check, deviance=found)
    assert whole.passed


@pytest.mark.deep("both engines on ten trials: 1 s")
def test_draws_of_both_engines_predict_alike():
    model, data = EXACT["OR"]
    exact, drawn = bm.fit(model, data), bm.fit(model, data, bm.NUTS(seed=3))
    first, second = (bm.posterior_predictive(one, seed=5, draws=4000) for one in (exact, drawn))
    ess = min(row["ess_bulk"] for row in drawn.convergence.values())
    for one, other in zip(first.statistics, second.statistics, strict=True):
        for power in (1, 2):
            a, b = (each.replicated - first.statistics[0].observed for each in (one, other))
            a, b = a**power, b**power
            error = np.sqrt(a.var() / a.size + b.var() / min(ess, b.size))
            assert abs(a.mean() - b.mean()) <= STANDARD_ERRORS * error, one.name
    for arm in ("treatment", "control"):
        assert np.abs(first.arms[arm].median - second.arms[arm].median).max() <= 1


def test_a_predictive_p_is_the_share_of_larger_replicates():
    model, data = EXACT["normal"]
    made = {"y": np.tile(data.y, (10, 1))}
    made["y"][:3] += 1  # three tables with a larger pooled effect, seven equal
    made["y"][3] -= 1  # and one smaller
    found = {one.name: one for one in statistics(model, data, made)}
    assert found["pooled log RR"].p == pytest.approx((3 + 0.5 * 6) / 10)
    weight = data.se**-2
    mean = weight @ data.y / weight.sum()
    assert found["pooled log RR"].observed == pytest.approx(mean)
    assert found["Q"].observed == pytest.approx(weight @ (data.y - mean) ** 2)
    residual = np.abs(data.y - mean) / np.sqrt(data.se**2 - 1 / weight.sum())
    assert found["largest standardised residual"].observed == pytest.approx(residual.max())
    assert found["studies significant by themselves"].observed == 1


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_the_pooled_statistic_of_counts_is_mantel_haenszel(measure):
    data = binary({name: MAIN_TRIALS[name] for name in ("Lanzoni", "Monsel", "Bowdish")})
    model = bm.BinomialNormal(measure=measure, mu=MU, tau=TAU)
    made = {"events_treatment": data.events_treatment[None] + 1}
    pooled = statistics(model, data, made)[0]
    if measure == "RD":
        a, n1, c, n0 = data.numbers.values()
        weight = n1 * n0 / (n1 + n0)
        expected = np.arctanh((weight * (a / n1 - c / n0)).sum() / weight.sum())
    else:
        expected = bm.common_effect(data, measure=measure, weights="MH").estimate
    assert pooled.observed == pytest.approx(expected, abs=1e-12)
    assert pooled.replicated[0] > pooled.observed


def test_misfit_is_said_in_words():
    y = np.array([-0.1, 0.0, 0.1, 0.05, 3.0])
    data = estimates(y, np.full(5, 0.1))
    check = bm.posterior_predictive(bm.fit(bm.CommonEffect(mu=MU), data), seed=1, draws=1000)
    assert any("with Q as observed" in one for one in check.cautions)
    whole = bm.trust(bm.fit(bm.CommonEffect(mu=MU), data), predictive=check)
    assert whole.passed  # a caution is no gate
    assert {one.where for one in whole.failures} >= {"Q"}


def test_new_studies_spread_more_than_the_same_ones():
    data = estimates([-1.0, 0.0, 1.0, 2.0], [0.05] * 4)
    posterior = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(2)), data)
    same, new = (
        bm.posterior_predictive(posterior, seed=1, new=value).arms["estimate"]
        for value in (False, True)
    )
    assert ((new.upper - new.lower) > 5 * (same.upper - same.lower)).all()


class TestPrior:
    def test_what_the_priors_imply_is_their_own_law(self):
        model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
        found = bm.prior_predictive(model, ESTIMATES, seed=1, draws=20_000)
        table = found.table()
        law = stats.norm(0, 2)
        assert table.loc["overall effect", "upper"] == pytest.approx(
            np.exp(law.ppf(0.975)), rel=0.1
        )
        extreme = 2 * law.sf(np.log(10))
        error = STANDARD_ERRORS * np.sqrt(extreme / 20_000)
        assert table.loc["overall effect", "extreme"] == pytest.approx(extreme, abs=error)
        assert table.loc["overall effect", "rule"] == "RR beyond 10 or 1/10"
        wide = 1 - stats.halfnorm(0, 0.5).cdf(np.log(10) / 1.96)
        assert table.loc["tau (analysis scale)", "extreme"] == pytest.approx(wide, abs=0.01)

    def test_risks_and_counts_of_a_vague_baseline_are_extreme(self):
        vague = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU)
        mild = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=BASELINE)
        shares = [
            bm.prior_predictive(model, binary(TRIALS), seed=2)
            .table()
            .loc["control risk", "extreme"]
            for model in (vague, mild)
        ]
        limit = np.log(0.001 / 0.999)
        spread = np.sqrt(100 + (0.8**2 + 0.5**2 + 0.3**2) / 4)
        assert shares[0] == pytest.approx(2 * stats.norm.cdf(limit / spread), abs=0.02)
        assert shares[1] < 0.001

    def test_a_conflict_of_prior_and_data_is_said(self):
        sure = bm.NormalNormal(mu=bm.Normal(2, 0.1), tau=bm.HalfNormal(0.05))
        found = bm.prior_predictive(sure, ESTIMATES, seed=1)
        assert any("in conflict" in one for one in found.cautions)
        whole = bm.trust(bm.fit(sure, ESTIMATES), prior=found)
        assert "pooled log RR" in {one.where for one in whole.failures}
        conflicts = [one for one in whole.verdicts if one.check.startswith("prior–data conflict")]
        assert [one.where for one in conflicts] == ["pooled log RR", "Q"]
        mild = bm.NormalNormal(mu=bm.Normal(0, 1), tau=TAU)
        assert not bm.prior_predictive(mild, ESTIMATES, seed=1).cautions

    def test_units_without_a_rule_have_none_until_one_is_given(self):
        data = estimates([3.0, 5.0], [1.0, 2.0], measure="MD")
        model = bm.NormalNormal(mu=bm.Normal(0, 10), tau=bm.HalfNormal(5))
        row = bm.prior_predictive(model, data, seed=1).table().loc["overall effect"]
        assert np.isnan(row["extreme"])
        given = bm.prior_predictive(model, data, seed=1, largest_effect=20)
        share = given.table().loc["overall effect", "extreme"]
        assert share == pytest.approx(2 * stats.norm(0, 10).sf(20), abs=0.02)

    @pytest.mark.parametrize(
        ("setting", "words"),
        [
            ({"largest_effect": 0.5}, "a ratio above 1"),
            ({"control_risks": (0.5, 0.1)}, "two risks in order"),
            ({"prob": 1.5}, "prob"),
        ],
    )
    def test_limits_that_make_no_sense_are_refused(self, setting, words):
        model = bm.BinomialNormal(measure="RR", mu=MU, tau=TAU)
        with pytest.raises((bm.ModelError, bm.DataError), match=words):
            bm.prior_predictive(model, binary(TRIALS), seed=1, **setting)

    def test_improper_priors_predict_nothing(self):
        model = bm.NormalNormal(mu=bm.Flat(), tau=TAU)
        with pytest.raises(bm.ModelError, match="improper"):
            bm.prior_predictive(model, ESTIMATES, seed=1)


def given(posterior, **draws):
    """A sampled posterior with all its draws at one place."""
    from dataclasses import replace

    values = {name: np.asarray(value)[None, None] for name, value in draws.items()}
    stats = {"lp": np.zeros((1, 1))}
    return replace(posterior, sample=lambda n, seed: values, sample_stats=stats)


def test_the_residual_deviance_is_that_of_scipy():
    """At one draw: twice the log likelihood short of that of the observed proportions."""
    model, data = EXACT["RR"]
    theta, beta = np.array([-0.5, 0.1, -0.3, 0.2]), np.array([-1.0, 0.5, -0.4, 0.3])
    found = bm.deviance(given(bm.fit(model, data), theta=theta, baseline=beta))
    expected = np.zeros(4)
    arms = (data.events_treatment, data.n_treatment), (data.events_control, data.n_control)
    for (events, n), p in zip(arms, risks(theta, beta, "RR"), strict=True):
        expected += 2 * (
            stats.binom.logpmf(events, n, events / n) - stats.binom.logpmf(events, n, p)
        )
    np.testing.assert_allclose(found.residual, expected, rtol=1e-10)
    np.testing.assert_allclose(found.leverage, 0, atol=1e-10)
    assert (found.points == 2).all()


def test_deviances_of_rates_estimates_and_fixed_margins_are_those_of_scipy():
    model, data = EXACT["Poisson"]
    theta, beta = np.array([-0.5, 0.1, -0.3]), np.array([-2.0, -1.0, -0.5])
    found = bm.deviance(given(bm.fit(model, data), theta=theta, baseline=beta))
    expected = np.zeros(3)
    for arm, side in (("treatment", 0.5), ("control", -0.5)):
        events, time = (data.numbers[f"{one}_{arm}"] for one in ("events", "time"))
        mean = time * np.exp(beta + side * theta)
        expected += 2 * (stats.poisson.logpmf(events, events) - stats.poisson.logpmf(events, mean))
    np.testing.assert_allclose(found.residual, expected, rtol=1e-10)

    model, data = EXACT["proportion"]
    found = bm.deviance(given(bm.fit(model, data), theta=theta))
    best = stats.binom.logpmf(data.events, data.n, data.events / data.n)
    each = stats.binom.logpmf(data.events, data.n, expit(theta))
    np.testing.assert_allclose(found.residual, 2 * (best - each), rtol=1e-10)

    model, data = EXACT["normal"]
    found = bm.deviance(given(bm.fit(model, data), theta=theta))
    np.testing.assert_allclose(found.residual, ((data.y - theta) / data.se) ** 2)

    model, data = EXACT["hypergeometric"]
    theta = np.array([-0.5, 0.1, -0.3, 0.2])
    found = bm.deviance(given(bm.fit(model, data), theta=theta))
    a, n1, c, n0 = data.numbers.values()
    law = stats.nchypergeom_fisher
    grid = np.exp(np.linspace(-12, 12, 4001))[:, None]
    best = law.logpmf(a, n1 + n0, n1, a + c, grid).max(axis=0)
    each = law.logpmf(a, n1 + n0, n1, a + c, np.exp(theta))
    np.testing.assert_allclose(found.residual, 2 * (best - each), atol=1e-4)


def test_the_leverages_of_a_normal_mean_are_its_hat_values():
    """Common effect with a vague prior: leverage w_i / Σw, so that p_d is 1."""
    data = estimates([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    found = bm.deviance(bm.fit(bm.CommonEffect(mu=bm.Normal(0, 100)), data), draws=40_000, seed=1)
    weight = data.se**-2
    np.testing.assert_allclose(found.leverage, weight / weight.sum(), rtol=0.05)
    assert found.p_d == pytest.approx(1, rel=0.05)


def test_overdispersed_arms_have_no_deviance():
    posterior = given(bm.fit(*EXACT["OR"]), mu=np.array(0.0))
    from dataclasses import replace

    with pytest.raises(bm.ModelError, match="use loo"):
        bm.deviance(replace(posterior, model=bm.BetaBinomial(mu=MU)))


def test_a_study_that_is_fitted_badly_is_named():
    data = estimates([0.0, 0.1, -0.1, 5.0], [0.2, 0.2, 0.2, 0.2])
    found = bm.deviance(bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), data))
    assert "study 4" in found.cautions[0]
    assert list(found.table().columns) == ["points", "residual", "leverage"]


class TestTrust:
    def test_gates_come_first_with_their_limits(self):
        posterior = bm.fit(*EXACT["normal"])
        table = bm.trust(posterior).table()
        assert table["kind"].tolist() == ["gate", "caution"]
        assert table["verdict"].tolist() == ["passed", "caution"]  # three studies

    def test_a_failed_gate_makes_the_answer_doubtful(self):
        from dataclasses import replace

        failed = Diagnostics((Check("R-hat", "mu", 1.2, 1.01, at_most=True),))
        whole = bm.trust(replace(bm.fit(*EXACT["normal"]), diagnostics=failed))
        assert not whole.passed
        assert whole.failures[0].limit == "≤ 1.01"
        assert whole.table()["verdict"].iloc[0] == "FAILED"

    def test_a_study_without_a_prediction_and_weights_in_use_are_listed(self):
        from dataclasses import replace

        posterior = bm.fit(*EXACT["OR"])
        found = bm.loo(posterior)
        elpd = found.elpd.copy()
        elpd[1] = np.nan
        pareto_k = np.array([0.1, np.nan, 0.6, 0.2])
        how = ("weights", "refit failed its gates", "weights", "weights")
        worse = replace(found, elpd=elpd, pit=np.where(np.isnan(elpd), np.nan, found.pit), how=how,
                        pareto_k=pareto_k)  # fmt: skip
        whole = bm.trust(posterior, loo=worse)
        rows = {one.check: one for one in whole.verdicts}
        assert rows["studies without a prediction"].where == "Lanzoni"
        assert not rows["studies without a prediction"].passed
        assert rows["Pareto k in use"].value == 0.6
        assert any("No sound leave-one-out" in one for one in worse.cautions)
        assert set(worse.cautions) <= set(whole.cautions)

    def test_the_study_fitted_worst_is_so_above_its_points_and_is_said(self):
        posterior = bm.fit(*EXACT["normal"])
        found = Deviance(
            study=posterior.data.study,
            residual=np.array([5.5, 4.75, 1.0]),
            leverage=np.zeros(3),
            points=np.array([2.0, 1.0, 1.0]),
        )
        whole = bm.trust(posterior, deviance=found)
        worst = whole.verdicts[-1]
        assert (worst.where, worst.value, worst.passed) == ("study 2", 3.75, False)
        (said,) = found.cautions
        assert "study 1, study 2" in said
        assert said in whole.cautions


def test_predictive_p_values_of_tables_from_the_model_are_not_extreme():
    """Prior predictive p values are uniform over tables made from the priors."""
    model = bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=BASELINE)
    data = binary(TRIALS)
    drawn = parameters(model, data.k, 60, seed=4)
    made = replicate(model, drawn, data, seed=5)
    reference = replicate(model, parameters(model, data.k, 3000, seed=6), data, seed=7)
    p = []
    for i in range(60):
        columns = {name: values[i] for name, values in made.items()}
        one = bm.BinaryStudies(
            study=data.study, n_treatment=data.n_treatment, n_control=data.n_control, **columns
        )
        p.append({s.name: s.p for s in statistics(model, one, reference)}["Q"])
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_overdispersed_arms_are_compared_with_each_other():
    """No study is significant by its log odds ratio; by the treatment arm alone all would be."""
    rows = {
        "A": (3, 40, 6, 42),
        "B": (5, 30, 4, 31),
        "C": (10, 50, 5, 49),
        "D": (4, 60, 9, 58),
        "E": (8, 90, 7, 93),
    }
    data = binary(rows)
    drawn = replicate(
        model := bm.BetaBinomial(mu=MU), parameters(model, 5, 50, seed=1), data, seed=2
    )
    found = {one.name: one.observed for one in statistics(model, data, drawn)}
    assert found["studies significant by themselves"] == 0
    assert found["Q"] < 6


def test_ratios_without_events_on_one_side_keep_their_place():
    model = bm.BinomialNormal(measure="RR", mu=MU, tau=TAU)
    data = binary({"A": (1, 40, 3, 42), "B": (0, 30, 2, 31)})
    made = {"events_treatment": np.array([[0, 0], [1, 0], [9, 9], [0, 0]], dtype=float)}
    pooled = statistics(model, data, made)[0]
    assert pooled.p == pytest.approx((1 + 0.5) / 4)  # two tables without events lie below
    none = binary({"A": (0, 40, 0, 42), "B": (0, 30, 0, 31)})
    made = {"events_treatment": np.array([[0, 0], [1, 0]], dtype=float)}
    assert np.isnan(statistics(model, none, made)[0].p)


def test_what_could_not_be_had_is_not_called_passed():
    data = binary({"A": (0, 40, 0, 42), "B": (0, 30, 0, 31)})
    posterior = bm.fit(bm.BinomialNormal(measure="OR", mu=MU, tau=TAU), data)
    check = bm.posterior_predictive(posterior, seed=1, draws=300)
    table = bm.trust(posterior, predictive=check).table().set_index("where")
    assert table.loc["pooled log OR", "verdict"] == "not available"


def test_the_rule_for_tau_knows_the_tails_of_the_effects():
    shares = {}
    for name, df in (("normal", None), ("t", 1)):
        model = bm.NormalNormal(mu=MU, tau=TAU, df=df)
        table = bm.prior_predictive(model, ESTIMATES, seed=1, draws=20_000).table()
        shares[name] = table.loc["tau (analysis scale)", "extreme"]
    assert shares["normal"] == pytest.approx(
        2 * stats.norm(0, 0.5).sf(np.log(10) / 1.96), abs=0.005
    )
    far = np.log(10) / stats.t(1).ppf(0.975)
    assert shares["t"] == pytest.approx(2 * stats.norm(0, 0.5).sf(far), abs=0.015)


@pytest.mark.parametrize("setting", [{"draws": 0}, {"draws": 2.5}, {"seed": -1}, {"draws": -3}])
def test_numbers_that_nothing_can_be_drawn_with_are_refused(setting):
    posterior = bm.fit(*EXACT["normal"])
    asked = {"seed": 1, **setting}
    for made in (
        lambda: bm.prior_predictive(*EXACT["normal"], **asked),
        lambda: bm.posterior_predictive(posterior, **asked),
        lambda: bm.deviance(posterior, **asked),
    ):
        with pytest.raises(bm.ModelError, match="whole number"):
            made()


def test_a_check_that_cannot_be_made_is_said():
    data = estimates([0.1, 0.4, -0.3], [0.2, 0.3, 0.2])
    posterior = bm.fit(bm.NormalNormal(mu=bm.Flat(), tau=bm.Flat()), data.keep(np.ones(3, bool)))
    found = bm.check(posterior, seed=1)
    if found.loo is None:
        assert any("No study could be predicted" in one for one in found.trust.cautions)
    else:
        pytest.fail("two studies leave no posterior under flat priors of mu and tau")


def test_one_arm_has_no_largest_effect():
    with pytest.raises(bm.ModelError, match="of one arm"):
        bm.prior_predictive(*EXACT["proportion"], seed=1, largest_effect=0.5)


SILENT = {"A": (3, 20, 5, 20), "B": (4, 30, 6, 30), "C": (2, 25, 4, 25), "D": (0, 9, 0, 9)}
FULL_TOO = {**SILENT, "E": (7, 7, 8, 8)}


@pytest.mark.deep("corners on the grid: 1 s each", only=["RD-*", "RR-trials4-*"])
@pytest.mark.parametrize(
    ("measure", "trials", "telling"),
    [
        ("OR", SILENT, 3),
        ("RR", SILENT, 3),
        ("RD", SILENT, 4),
        ("OR", FULL_TOO, 3),
        ("RR", FULL_TOO, 4),
        ("RD", FULL_TOO, 5),
    ],
)
def test_few_studies_are_those_that_say_something_of_the_effect(measure, trials, telling):
    model = bm.BinomialNormal(measure=measure, mu=MU, tau=TAU)
    posterior = bm.fit(model, binary(trials))
    (studies,) = [
        one for one in bm.trust(posterior).verdicts if one.check == "studies that say something"
    ]
    assert (studies.value, studies.passed) == (telling, telling >= 5)
    some = (
        "" if telling == len(trials) else f" that say something about the effect, of {len(trials)},"
    )
    few = f"With {telling} studies{some} tau rests largely on its prior, HalfNormal(0.5)."
    assert (few in posterior.cautions) == (telling < 5)
    two_stage = bm.fit(
        bm.NormalNormal(mu=MU, tau=TAU), bm.effect_sizes(binary(trials), measure=measure)
    )
    few = f"With {telling} studies tau rests largely on its prior, HalfNormal(0.5)."
    assert (few in two_stage.cautions) == (telling < 5)
    (again,) = [
        one for one in bm.trust(two_stage).verdicts if one.check == "studies that say something"
    ]
    assert again.value == telling


def test_one_telling_study_of_several_leaves_tau_to_its_prior():
    trials = {name: SILENT[name] for name in ("A", "D")}
    posterior = bm.fit(bm.BinomialNormal(measure="OR", mu=MU, tau=TAU), binary(trials))
    said = "Of 2 studies only one says anything about the effect: tau rests on its prior"
    assert any(said in one for one in posterior.cautions)


@pytest.mark.parametrize(
    ("value", "limit", "at_most", "shown"),
    [
        (1.0102, 1.01, True, "1.0102"),
        (1.01, 1.01, True, "1.01"),
        (1.0100004, 1.01, True, "1.0100004"),
        (399.96, 400, False, "399.96"),
        (1.00000000000000022, 1, True, "1.0000000000000002"),
        (0.0012345, 0.001, True, "0.001234"),
        (1.7, 1.01, True, "1.7"),
        (np.inf, 1.01, True, "inf"),
    ],
)
def test_a_figure_reads_as_its_gate_judges_it(value, limit, at_most, shown):
    check = Check("R-hat", "mu", value, limit, at_most)
    assert f"R-hat (mu) {shown}, must be" in str(check)
    assert (float(shown) <= limit if at_most else float(shown) >= limit) == check.passed


def test_figures_of_all_checks_read_as_their_verdicts():
    verdicts = [
        Verdict("gate", "R-hat", "mu", 1.0102, "≤ 1.01", passed=False),
        Verdict("caution", "predictive p", "Q", 0.02496, "0.025 to 0.975", passed=False),
        Verdict("caution", "predictive p", "Q", 0.97504, "0.025 to 0.975", passed=False),
        Verdict("caution", "predictive p", "Q", 0.512345, "0.025 to 0.975", passed=True),
        Verdict("gate", "quadrature error", "", 1.0004e-6, "≤ 1e-06", passed=False),
        Verdict("gate", "E-BFMI", "", np.nan, "≥ 0.3", passed=False),
    ]
    shown = [one.figure for one in verdicts]
    assert shown == ["1.0102", "0.02496", "0.97504", "0.512", "1.0004e-06", "–"]
    assert [one.verdict for one in verdicts[2:]] == ["caution", "passed", "FAILED", "FAILED"]


@pytest.mark.parametrize("prob", [0.5, 0.9])
def test_predictive_intervals_of_studies_leave_equal_tails(prob):
    """Under a common effect y_rep is normal: mean of mu, variance of mu plus se²."""
    n = 20_000
    posterior = bm.fit(bm.CommonEffect(mu=MU), ESTIMATES)
    arm = bm.posterior_predictive(posterior, seed=4, draws=n, prob=prob, new=False).arms["estimate"]
    law = stats.norm(posterior["mu"].mean(), np.hypot(posterior["mu"].sd(), ESTIMATES.se))
    for ends, tail in ((arm.lower, (1 - prob) / 2), (arm.median, 0.5), (arm.upper, (1 + prob) / 2)):
        error = np.sqrt(tail * (1 - tail) / n)
        assert (np.abs(law.cdf(ends) - tail) <= STANDARD_ERRORS * error).all()


def test_predicted_counts_leave_at_most_their_tails():
    """A single arm with a known risk: events are binomial, and so are the ends."""
    known = bm.ProportionNormal(mu=bm.Normal(0, 1e-3), tau=bm.Uniform(0, 1e-3))
    data = bm.ProportionStudies(study=["A"], events=[10], n=[20])
    arm = bm.posterior_predictive(bm.fit(known, data), seed=4, draws=20_000, prob=0.9).arms[
        "events"
    ]
    law = stats.binom(20, 0.5)
    assert [arm.lower[0], arm.median[0], arm.upper[0]] == [law.ppf(q) for q in (0.05, 0.5, 0.95)]


def test_five_studies_are_not_few_and_four_are():
    for k, passed in ((4, False), (5, True), (6, True)):
        posterior = bm.fit(
            bm.NormalNormal(mu=MU, tau=TAU), estimates(np.linspace(-0.4, 0.1, k), np.full(k, 0.2))
        )
        (few,) = [
            one for one in bm.trust(posterior).verdicts if one.check == "studies that say something"
        ]
        assert (few.value, few.limit, few.passed) == (k, "≥ 5", passed)
        assert any("rests largely" in one for one in posterior.cautions) != passed


def test_what_priors_imply_in_closed_form_has_no_error_and_the_rest_its_own():
    found = bm.prior_predictive(*EXACT["normal"], seed=1).table()
    tails = [stats.norm(-0.3, 0.8).cdf(-np.log(10)), stats.norm(-0.3, 0.8).sf(np.log(10))]
    assert found.loc["overall effect", "extreme"] == pytest.approx(sum(tails))
    assert found.loc["overall effect", "extreme_mcse"] == 0
    assert found.loc["overall effect", "median"] == pytest.approx(np.exp(-0.3))
    assert found.loc["tau (analysis scale)", "median"] == pytest.approx(0.5 * stats.norm.ppf(0.75))
    new = found.loc["effect in a new study"]
    law = stats.norm(-0.3, np.hypot(0.8, 0.5))  # nearly: the tails are a little heavier
    assert new["lower_mcse"] > 0
    assert new["extreme_mcse"] == pytest.approx(
        np.sqrt(new["extreme"] * (1 - new["extreme"]) / 4000)
    )
    assert abs(new["median"] - np.exp(law.mean())) < STANDARD_ERRORS * new["median_mcse"]


@pytest.mark.parametrize("q", [0.025, 0.5, 0.975])
def test_the_error_of_a_quantile_is_that_of_its_density(q):
    """√(q (1 - q) / n) over the density, for normal draws; within a fifth, by one sample."""
    n = 20_000
    draws = np.random.default_rng(5).normal(3, 2, n)
    expected = np.sqrt(q * (1 - q) / n) / stats.norm(3, 2).pdf(stats.norm(3, 2).ppf(q))
    (found,) = quantile_errors(draws, np.array([q]))
    assert found == pytest.approx(expected, rel=0.2)
    assert quantile_errors(np.array([np.inf, np.inf, 1.0]), np.array([0.9])) == 0


def test_statistics_that_add_a_half_say_so():
    data = binary({name: MAIN_TRIALS[name] for name in ("Lanzoni", "Monsel", "Bowdish")})
    posterior = bm.fit(bm.BinomialNormal(measure="RR", mu=MU, tau=TAU), data)
    check = bm.posterior_predictive(posterior, seed=1, draws=200)
    found = {one.name: one for one in check.statistics}
    a, n1, c, n0 = (
        column + 0.5 * (2 if i % 2 else 1) for i, column in enumerate(data.numbers.values())
    )
    y, weight = np.log(a * n0 / (c * n1)), 1 / (1 / a - 1 / n1 + 1 / c - 1 / n0)
    mean = weight @ y / weight.sum()
    assert found["Q"].observed == pytest.approx(weight @ (y - mean) ** 2)
    assert found["Q"].label == "Q (½ added to every count)"
    assert found["pooled log RR"].label == "pooled log RR (Mantel–Haenszel)"
    assert found["arms without an event"].label == "arms without an event"
    table = check.table()
    assert table.loc["Q", "how"] == "½ added to every count"
    p = table.loc["Q", "p"]
    assert table.loc["Q", "p_mcse"] == pytest.approx(np.sqrt(p * (1 - p) / 200))
    of_estimates = bm.posterior_predictive(bm.fit(*EXACT["normal"]), seed=1, draws=200)
    assert not any(one.how for one in of_estimates.statistics)


def test_the_verdict_on_predictions_says_that_it_is_a_bound():
    posterior = bm.fit(*EXACT["normal"])
    left_out = bm.loo(posterior)
    (verdict,) = [one for one in bm.trust(posterior, loo=left_out).verdicts if "LOO" in one.check]
    assert verdict.check == "LOO-PIT, Bonferroni bound of p"
    nearer = np.minimum(left_out.pit, 1 - left_out.pit).min()
    assert verdict.value == pytest.approx(min(2 * 3 * nearer, 1))
    drawn = Verdict("caution", "predictive p", "Q", 0.4531, "0.025 to 0.975", True, True)
    assert drawn.figure == "0.45"


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (8.1234, 0.12, "8.1"),
        (8.1234, 0.012, "8.12"),
        (8.1234, 0.0012, "8.12"),
        (8.1234, 1.2, "8"),
        (83.4, 12, "80"),
        (-0.31, 0.04, "−0.31"),
        (0.0512, 0.02, "0.05"),
        (0.4567, 0.0, "0.46"),
        (np.nan, 0.1, "–"),
        (0.0, 0.1, "0.00"),
        (123456.0, 900.0, "1.2e+05"),
    ],
)
def test_a_simulated_number_has_the_digits_of_its_error(value, error, shown):
    assert simulated(value, error) == shown


def test_studies_that_merely_agree_are_no_misfit_and_studies_that_differ_are():
    """Q and the largest residual are of scatter: small ones are agreement, large ones misfit."""
    for scale, found in ((1e-3, False), (8.0, True)):
        y = scale * np.array([-0.3, 0.25, -0.2, 0.3, -0.1])
        data = bm.EffectSizes.from_arrays(list("ABCDE"), y, [0.1] * 5, measure="OR")
        model = bm.CommonEffect(mu=bm.Normal(0, 1))
        check = bm.posterior_predictive(bm.fit(model, data), seed=1)
        by_name = {one.name: one for one in check.statistics}
        for name in ("Q", "largest standardised residual"):
            one = by_name[name]
            assert one.of_scatter
            assert one.misfit == found, name
            assert (one.p > 0.975) != found
            assert one.limit == "≥ 0.025"


@pytest.mark.parametrize("scale", ["analysis", "natural"])
def test_a_summary_takes_the_predictive_p_of_mu_and_tau(scale):
    data = bm.EffectSizes.from_arrays(list("ABC"), [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4], measure="RR")
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)
    check = bm.posterior_predictive(fit, seed=1)
    by_name = {one.name: one.p for one in check.statistics}
    assert check.by_parameter == {"mu": by_name["pooled log RR"], "tau": by_name["Q"]}
    table = bm.summary(fit, scale=scale, predictive=check.by_parameter)
    assert table.loc["mu", "predictive_p"] == by_name["pooled log RR"]
    assert table.loc["tau", "predictive_p"] == by_name["Q"]
    assert table["predictive_p"].drop(["mu", "tau"]).isna().all()
    assert "predictive_p" not in bm.summary(fit, scale=scale)
    single = bm.fit(fit.model, data.keep(["A"]))
    assert list(bm.posterior_predictive(single, seed=1).by_parameter) == ["mu"]
