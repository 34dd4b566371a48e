"""Joint draws for decision models: coherent rows, unchanged margins, stated dependence, files."""

import hashlib
import json
import re
import runpy
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose, assert_array_equal
from references import COUNTS, MAIN_TRIALS, RATES, SHARES, binary, estimates
from scipy import stats
from scipy.special import logit, ndtr
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.decision import Psa
from bayesmeta.decision.draws.dependence import dependence
from bayesmeta.decision.draws.new_settings import new_effect
from bayesmeta.model import NormalSpread, OutlierSpread, StudentTSpread
from bayesmeta.posterior import Draws, Marginal, Marginals
from bayesmeta.results.display import percent

ROOT = Path(__file__).parents[1]
Y, SE = [-0.4, 0.1, -0.5, -0.2], [0.2, 0.3, 0.25, 0.4]
PRIORS = {"mu": bm.Normal(0, 2), "tau": bm.HalfNormal(0.5)}
MODEL = bm.NormalNormal(**PRIORS)
N = 20_000


@cache
def fit(measure: str, df: float | None = None) -> bm.Posterior:
    scale = 0.05 if measure == "RD" else 1.0
    data = estimates(scale * np.array(Y), scale * np.array(SE), measure=measure)
    return bm.fit(bm.NormalNormal(**PRIORS, df=df), data)


@cache
def of_counts(measure: str) -> bm.Posterior:
    return bm.fit(bm.BinomialNormal(measure=measure, **PRIORS), binary(MAIN_TRIALS))


def outcome(measure: str, **more: object) -> bm.PsaOutcome:
    return bm.PsaOutcome(fit(measure), **{"better": "lower", "time": "a year", **more})


def three(**more: object) -> Psa:
    outcomes = {
        "death": outcome("OR", baseline="Beta(20, 80)"),
        "cure": outcome("OR", baseline=0.3, better="higher"),
        "stay": outcome("MD", baseline="Normal(40, 5)", unit="days"),
    }
    return bm.psa(outcomes, **{"draws": N, "seed": 3, **more})


def within(values: np.ndarray, mean: float, sd: float) -> bool:
    """Whether draws have a mean within its Monte Carlo error."""
    return abs(values.mean() - mean) < STANDARD_ERRORS * sd / np.sqrt(values.size)


def follows(values: np.ndarray, law: Marginal) -> bool:
    """Whether as many draws lie below each of some quantiles as should."""
    q = np.array([0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99])
    share = (values[:, None] <= law.quantile(q)).mean(axis=0)
    error = np.sqrt(q * (1 - q) / values.size)
    return bool((np.abs(share - q) < STANDARD_ERRORS * error).all())


# ------------------------------------------------------------------------------ rows that hold


RATIOS = {
    "or": lambda t, c: t / (1 - t) * (1 - c) / c,
    "rr": lambda t, c: t / c,
    "hr": lambda t, c: np.log1p(-t) / np.log1p(-c),
    "irr": lambda t, c: np.log1p(-t) / np.log1p(-c),
}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("name", RATIOS)
def test_in_the_file_risk_ratio_and_difference_of_a_row_belong_together(name, ending, tmp_path):
    one = outcome(name.upper(), baseline="Beta(2, 98)")
    bm.psa({"death": one}, draws=500, seed=2).write(tmp_path / f"psa.{ending}")
    read = pd.read_csv if ending == "csv" else pd.read_parquet
    file = read(tmp_path / f"psa.{ending}")
    control = file["death_risk_control"]
    for end in ("", "_new"):
        treatment = file[f"death_risk_treatment{end}"]
        ratio = RATIOS[name](treatment, control)
        assert_allclose(file[f"death_{name}{end}"], ratio, rtol=1e-12)
        assert_array_equal(file[f"death_risk_difference{end}"], treatment - control)
        assert ((treatment > 0) & (treatment < 1)).all()


@pytest.mark.parametrize(
    ("measure", "base", "more", "treated"),
    [
        ("MD", "Normal(40, 5)", {}, lambda base, effect: base + effect),
        ("SMD", 40.0, {"sd": 12.0}, lambda base, effect: base + 12 * effect),
        ("ROM", 40.0, {}, lambda base, effect: base * effect),
    ],
)
def test_means_of_a_row_belong_together(measure, base, more, treated):
    file = bm.psa({"stay": outcome(measure, baseline=base, **more)}, draws=500).frame
    for end in ("", "_new"):
        effect = file[f"stay_{measure.lower()}{end}"]
        found = file[f"stay_mean_treatment{end}"]
        assert_allclose(found, treated(file["stay_mean_control"], effect), rtol=1e-13)
        assert_array_equal(file[f"stay_mean_difference{end}"], found - file["stay_mean_control"])


def test_rates_are_named_so_and_multiplied():
    one = bm.PsaOutcome(fit("IRR"), better="lower", baseline=bm.baseline(RATES))
    file = bm.psa({"falls": one}, draws=500).frame
    assert_allclose(
        file["falls_rate_treatment"], file["falls_rate_control"] * file["falls_irr"], rtol=1e-14
    )
    assert "falls_risk_control" not in file


def test_columns_are_named_by_outcome_arm_and_quantity_and_a_risk_difference_is_one():
    file = bm.psa({"death": outcome("RD", baseline=0.3)}, draws=100)
    assert list(file.frame) == [
        *("death_risk_control", "death_risk_treatment", "death_risk_difference"),
        *("death_risk_treatment_new", "death_risk_difference_new"),
    ]
    assert list(file.columns_meaning) == list(file.frame)
    assert "0.3" not in file.columns_meaning["death_risk_control"].meaning
    assert file.columns_meaning["death_risk_control"].unit == "probability over a year"
    assert "Psa of death: 100 draws of 5 columns" in repr(file)


def test_without_a_baseline_the_effect_alone_is_drawn():
    one = bm.PsaOutcome(fit("MD"), better="lower", unit="days")
    file = bm.psa({"hospital-stay": one, "r": outcome("RD")}, draws=100)
    assert list(file.frame) == [
        *("hospital_stay_md", "hospital_stay_md_new"),
        *("r_risk_difference", "r_risk_difference_new"),
    ]
    assert file.columns_meaning["hospital_stay_md"].unit == "days"


def test_where_all_settings_have_one_effect_there_are_no_columns_of_a_new_one():
    common = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), estimates(Y, SE, measure="OR"))
    file = bm.psa({"death": bm.PsaOutcome(common, better="lower", baseline=0.2)}, draws=N)
    assert not [name for name in file.frame if name.endswith("_new")]
    assert follows(np.log(file.frame["death_or"].to_numpy()), common["mu"])
    assert "no columns" in file.outcomes["death"]["new_setting"]


# ------------------------------------------------------------------------- margins and dependence


def test_margins_of_the_means_are_the_same_bits_under_any_correlation():
    matrix = [[1, 0.5, -0.3], [0.5, 1, 0.1], [-0.3, 0.1, 1]]
    free = three().frame
    for correlation in (0.0, 0.9, -0.4, matrix):
        bound = three(correlation=correlation).frame
        for name in ("death_or", "cure_or", "stay_md", "death_risk_control"):
            assert_array_equal(np.sort(bound[name]), np.sort(free[name]))
        assert np.array_equal(bound["stay_md"], free["stay_md"]) == (correlation == 0.0)


@pytest.mark.parametrize("correlation", [None, 0.8, -0.4])
@pytest.mark.parametrize("df", [None, 3])
def test_new_effects_keep_their_law_under_any_correlation(df, correlation):
    outcomes = {
        name: bm.PsaOutcome(fit("OR", df), better=better, baseline=0.2)
        for name, better in (("a", "lower"), ("b", "higher"), ("c", "lower"))
    }
    file = bm.psa(outcomes, draws=N, seed=5, correlation=correlation).frame
    for name in outcomes:
        assert follows(np.log(file[f"{name}_or_new"].to_numpy()), fit("OR", df)["theta_new"])
        assert follows(np.log(file[f"{name}_or"].to_numpy()), fit("OR", df)["mu"])


def test_a_row_keeps_its_mean_its_spread_and_its_new_effect():
    """The wider the spread of a row, the farther its new effect from its mean, as in the fit."""
    file, law = three(correlation=0.7).frame, fit("OR")
    mu, new = np.log(file["death_or"]), np.log(file["death_or_new"])
    tau = law.shared_draws(N, seed=1)["tau"]
    assert within((new - mu).to_numpy(), 0.0, np.sqrt((tau**2).mean()))
    assert within(((new - mu) ** 2).to_numpy(), (tau**2).mean(), np.sqrt(3 * (tau**4).mean()))
    near = np.abs(mu - law["mu"].quantile(0.5)) < law["mu"].sd()  # mu lies far where tau is wide
    drawn = law.shared_draws(N, seed=2)
    close = np.abs(drawn["mu"] - law["mu"].quantile(0.5)) < law["mu"].sd()
    for held, theirs in ((near, close), (~near, ~close)):
        wanted, values = drawn["tau"][theirs] ** 2, ((new - mu)[held] ** 2).to_numpy()
        assert within(values, wanted.mean(), 1.2 * np.sqrt(3 * (wanted**2).mean()))


@pytest.mark.parametrize("r", [0.5, -0.4])
def test_the_rank_correlation_that_results_is_that_of_normal_scores_and_is_stated(r):
    file = three(correlation=r)
    wanted = 6 / np.pi * np.arcsin(r / 2)
    said = file.dependence
    off = ~np.eye(3, dtype=bool)
    assert_allclose(np.array(said["spearman_expected"])[off], wanted, rtol=1e-14)
    found = stats.spearmanr(-file.frame["death_or"], file.frame["cure_or"]).statistic
    assert file.rank_correlation.loc["death", "cure"] == pytest.approx(found, abs=1e-12)
    assert_allclose(np.array(said["spearman_of_means"])[off], wanted, atol=4 / np.sqrt(N))
    assert "changed places" in said["said"]


def test_half_as_normal_scores_is_0_483_as_ranks():
    assert dependence(0.5, 2).spearman[0, 1] == pytest.approx(0.4826, abs=5e-5)


def test_what_helps_one_outcome_helps_the_other_where_correlation_is_positive():
    """Deaths are better low and cures better high, so their ratios go against each other."""
    file = three(correlation=0.8).frame
    assert stats.spearmanr(file["death_or"], file["cure_or"]).statistic < -0.7
    assert stats.spearmanr(file["death_or"], file["stay_md"]).statistic > 0.7
    assert stats.spearmanr(file["death_or_new"], file["cure_or_new"]).statistic < -0.6
    assert abs(stats.spearmanr(file["death_risk_control"], file["cure_or"]).statistic) < 0.03


def test_outcomes_are_independent_unless_a_correlation_is_stated():
    file = three()
    off = ~np.eye(3, dtype=bool)
    assert (np.abs(file.rank_correlation.to_numpy()[off]) < 4 / np.sqrt(N)).all()
    assert file.dependence["correlation"] is None
    assert "independent" in file.dependence["said"]


@pytest.mark.parametrize(
    ("m", "r", "least", "end"),
    [(4, -0.5, "-0.5", "-1/3"), (3, -0.6, "-0.2", "-1/2"), (2, 1.0, "0", "-1")],
)
def test_one_value_that_no_outcomes_can_share_is_refused_with_its_smallest_eigenvalue(
    m, r, least, end
):
    said = rf"smallest eigenvalue is {least}; a common value lies above {end} and below 1"
    with pytest.raises(bm.ModelError, match=said):
        dependence(r, m)
    with pytest.raises(bm.ModelError, match="not positive definite"):
        dependence(-0.5, 3)  # singular


def test_matrices_that_are_no_correlations_are_refused():
    for given, said in (
        ([[1, 0.9, 0.9], [0.9, 1, -0.9], [0.9, -0.9, 1]], "smallest eigenvalue is -0.8"),
        ([[1, 0.5], [0.5, 1]], r"3 rows of 3 for 3 outcomes, not of shape \(2, 2\)"),
        ([[1, 0.5, 0], [0.4, 1, 0], [0, 0, 1]], "symmetric"),
        ([[2, 0, 0], [0, 1, 0], [0, 0, 1]], "ones in its diagonal"),
    ):
        with pytest.raises(bm.ModelError, match=said):
            three(correlation=given)


def test_a_new_effect_is_drawn_by_the_law_of_its_model():
    rng = np.random.default_rng(1)
    score = rng.standard_normal(N)
    row = {name: np.full(N, value) for name, value in {"mu": 0.3, "tau": 0.2}.items()}
    wide = row | {"share": np.full(N, 0.3), "spread": np.full(N, 1.5)}
    tau, free = bm.HalfNormal(1), bm.Gamma(2, 0.1)
    laws = {
        NormalSpread(tau): (row, lambda x: ndtr(x / 0.2)),
        StudentTSpread(tau, 4.0): (row, lambda x: stats.t(4).cdf(x / 0.2)),
        StudentTSpread(tau, free): (row | {"df": np.full(N, 2.5)}, stats.t(2.5, scale=0.2).cdf),
        OutlierSpread(tau, bm.Beta(1, 9), tau): (
            wide,
            lambda x: 0.7 * ndtr(x / 0.2) + 0.3 * ndtr(x / np.hypot(0.2, 1.5)),
        ),
    }
    at = np.array([-1.0, -0.3, -0.1, 0.0, 0.2, 0.5])
    for between, (drawn, law) in laws.items():
        new = new_effect(between, drawn, score, rng)
        share = (new[:, None] - 0.3 <= at).mean(axis=0)
        error = np.sqrt(law(at) * (1 - law(at)) / N)
        assert (np.abs(share - law(at)) < STANDARD_ERRORS * error).all(), between
    with pytest.raises(bm.ModelError, match="not known"):
        new_effect(object(), row, score, rng)


# ------------------------------------------------------------------- draws of what studies share


@pytest.mark.parametrize("name", ["closed form", "fixed", "grid", "one of counts"])
def test_draws_of_what_studies_share_are_those_of_the_fit(name):
    small = bm.fit(bm.BinomialNormal(measure="RR", **PRIORS, df=4), COUNTS)
    law = {
        "closed form": fit("OR"),
        "fixed": of_counts("RR"),
        "grid": small,
        "one of counts": bm.fit(bm.BetaBinomial(mu=bm.Normal(0, 2)), COUNTS)
        if name == "one of counts"
        else fit("OR"),
    }[name]
    drawn = law.shared_draws(N, seed=4)
    for one in drawn:
        if one in law.marginals:
            assert follows(drawn[one], law[one])
    assert all(values.shape == (N,) for values in drawn.values())
    if "tau" in drawn and law.nodes is not None:
        nodes = law.nodes()
        mu, tau = nodes.values["mu"], nodes.values["tau"]
        product = nodes.mass @ (mu * tau)
        assert within(drawn["mu"] * drawn["tau"], product, (drawn["mu"] * drawn["tau"]).std())


def test_draws_of_a_sampler_are_taken_whole_and_each_as_often_as_the_others():
    values = np.arange(1000.0).reshape(4, 250)
    chains = {"mu": values, "tau": 2 * values, "theta": np.zeros((4, 250, 3))}
    sampled = replace(fit("OR"), sample=lambda n, seed: chains, sample_shared=None)
    few, many = sampled.shared_draws(300, seed=1), sampled.shared_draws(2500, seed=1)
    assert set(few) == {"mu", "tau"}
    assert len(set(few["mu"])) == 300
    assert set(np.bincount(many["mu"].astype(int))) == {2, 3}
    assert_array_equal(many["tau"], 2 * many["mu"])


def test_draws_of_a_baseline_are_its_quantiles():
    for given in ("Beta(20, 80)", "Beta(0.5, 4)", SHARES):
        base = bm.baseline(given)
        u = np.maximum(np.random.default_rng(7).uniform(size=300), 2.0**-32)
        found = base.draws(300, np.random.default_rng(7))
        assert_allclose(found, [base.quantile(float(one)) for one in u], rtol=1e-8)


def test_risks_are_those_that_absolute_effects_integrate():
    one = bm.PsaOutcome(of_counts("OR"), better="lower", baseline="Beta(20, 80)")
    file = bm.psa({"death": one}, draws=N, seed=8).frame
    told = bm.absolute_effects(of_counts("OR"), baseline="Beta(20, 80)", better="lower", per=1)
    for row, end in zip(told.rows[:2], ("", "_new"), strict=True):
        assert follows(file[f"death_risk_treatment{end}"].to_numpy(), row.with_treatment)
        assert follows(file[f"death_risk_difference{end}"].to_numpy(), row.change)


def test_outcomes_of_one_fit_are_drawn_as_it_has_them():
    """Of a fit by draws: every row of the file is one of its rows, for both outcomes."""
    rng = np.random.default_rng(9)
    mu = rng.multivariate_normal([-0.3, 0.2], [[0.04, 0.03], [0.03, 0.09]], (2, 400))
    chains = {"mu": mu, "tau": np.abs(mu), "theta_new": mu + 0.1, "theta": np.zeros((2, 400, 3, 2))}
    data = bm.MultivariateEffects(
        study=tuple("ABC"),
        outcome=("PD", "AL"),
        y=np.zeros((3, 2)),
        se=np.ones((3, 2)),
        correlation=0.5,
        measure=("OR", "MD"),
    )
    laws = {
        name: Marginals(("PD", "AL"), tuple(Draws(chains[name][..., j]) for j in range(2)))
        for name in ("mu", "tau", "theta_new")
    }
    priors = {"mu": bm.Normal(0, 1), "tau": bm.HalfNormal(1), "rho": bm.Uniform(-1, 1)}
    model = bm.MultivariateNormal(**priors)
    joint = replace(
        fit("OR"),
        model=model,
        data=data,
        marginals=laws,
        sample=lambda n, seed: chains,
        sample_shared=None,
        sample_stats={"depth": np.ones((2, 400))},
    )
    outcomes = {
        "depth": bm.PsaOutcome(joint, better="higher", place="AL"),
        "loss": bm.PsaOutcome(joint, better="lower", place="PD", baseline=0.2),
    }
    file = bm.psa(outcomes, draws=800, seed=1)
    pairs = np.column_stack([np.log(file.frame["loss_or"]), file.frame["depth_md"]])
    whole = mu.reshape(-1, 2)
    assert_allclose(pairs[np.argsort(pairs[:, 0])], whole[np.argsort(whole[:, 0])], rtol=1e-12)
    assert_allclose(file.frame["depth_md_new"], file.frame["depth_md"] + 0.1, rtol=1e-12)
    assert "fitted together" in file.dependence["said"]
    with pytest.raises(bm.ModelError, match="leave correlation out"):
        bm.psa(outcomes, correlation=0.5)


# ----------------------------------------------------------------- ratios that a risk cannot bear


def lifted(**more: object) -> Psa:
    one = bm.PsaOutcome(of_counts("RR"), better="lower", baseline="Beta(8, 4)")
    return bm.psa({"death": one}, draws=5000, seed=6, **more)


def test_where_a_ratio_lifts_a_risk_above_1_an_odds_ratio_of_the_same_counts_takes_its_place():
    file = lifted()
    risk, control = file.frame["death_risk_treatment_new"], file.frame["death_risk_control"]
    assert ((risk > 0) & (risk < 1)).all()
    assert_array_equal(file.frame["death_rr_new"], risk / control)
    assert_allclose(file.frame["death_or_new"], RATIOS["or"](risk, control), rtol=1e-9)
    odds = of_counts("OR")
    assert follows(np.log(file.frame["death_or"].to_numpy()), odds["mu"])
    said = file.outcomes["death"]
    assert said["measure"] == "RR"
    assert "risks follow the odds ratio of the same counts" in said["risks"]
    assert (
        "absolute effects keep the RR, hold such risks within 0 to 1, and so differ"
        in said["risks"]
    )
    assert "measure='OR'" in said["model"]
    told = bm.absolute_effects(of_counts("RR"), baseline="Beta(8, 4)", better="lower")
    for row in told.rows[:2]:
        assert f"{percent(row.prob_capped)} of the draws" in said["risks"]


def test_keeping_the_ratio_refuses_such_draws_with_their_share():
    with pytest.raises(bm.ModelError, match=r"death: the RR lifts .* in \d.*% of the draws"):
        lifted(risk_from="RR")
    low = bm.PsaOutcome(of_counts("RR"), better="lower", baseline=0.05)
    kept = bm.psa({"death": low}, draws=500, risk_from="RR")
    assert "death_or" not in kept.frame
    assert kept.outcomes["death"]["risks"] == ""
    asked = bm.psa({"death": low}, draws=500, risk_from="OR")
    assert "as was asked" in asked.outcomes["death"]["risks"]
    assert "death_or" in asked.frame


def test_where_nearly_all_draws_are_lifted_the_share_is_no_power_of_ten():
    high = bm.fit(bm.CommonEffect(mu=bm.Normal(3, 0.1)), estimates([3.0], [0.1], measure="RR"))
    one = bm.PsaOutcome(high, better="lower", baseline=0.9)
    with pytest.raises(
        bm.ModelError, match=r"out of \(0, 1\) in > 99\.9% of the draws of the mean;"
    ):
        bm.psa({"death": one}, draws=500, risk_from="RR")


def test_a_draw_beyond_1_that_was_not_likely_is_found_all_the_same():
    """Fewer than one of the draws was expected to leave (0, 1), yet with some seeds one does."""
    one = bm.PsaOutcome(of_counts("RR"), better="lower", baseline="Beta(8, 12)")
    told = bm.absolute_effects(of_counts("RR"), baseline="Beta(8, 12)", better="lower")
    n = int(1 / max(row.prob_capped for row in told.rows[:2]))
    found = [bm.psa({"death": one}, draws=n, seed=seed) for seed in range(12)]
    switched = ["death_or" in file.frame for file in found]
    assert any(switched)
    assert not all(switched)
    for file in found:
        risks = file.frame[["death_risk_treatment", "death_risk_treatment_new"]].to_numpy()
        assert ((risks > 0) & (risks < 1)).all()


def test_a_risk_difference_is_lifted_too_and_its_priors_are_of_another_scale():
    model = bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.1))
    one = bm.PsaOutcome(bm.fit(model, COUNTS), better="lower", baseline="Beta(2, 18)")
    file = bm.psa({"death": one}, draws=2000)
    assert "mu=Normal(0, 2), tau=HalfNormal(0.5)" in file.outcomes["death"]["model"]
    assert_allclose(
        file.frame["death_risk_difference"],
        file.frame["death_risk_treatment"] - file.frame["death_risk_control"],
    )
    assert (file.frame["death_risk_treatment"] > 0).all()


def test_a_prior_published_for_the_risk_ratio_is_not_carried_to_odds_but_refused_with_the_way_out():
    tau = bm.priors.from_library("cochrane/all/rr/tau")
    model = bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=tau)
    one = bm.PsaOutcome(bm.fit(model, COUNTS), better="lower", baseline="Beta(8, 4)")
    words = (
        r"death: the RR lifts .*, but from_library\('cochrane/all/rr/tau'\) of tau was published "
        r"for log RR: state a baseline .*override='reason'"
    )
    with pytest.raises(bm.ModelError, match=words):
        bm.psa({"death": one}, draws=2000)
    low = replace(one, baseline=0.01)
    kept = bm.psa({"death": low}, draws=500)
    assert kept.outcomes["death"]["risks"] == ""


def test_estimates_that_lift_a_risk_are_refused_with_the_ways_out():
    one = outcome("RR", baseline="Beta(8, 2)")
    with pytest.raises(bm.ModelError, match="fit the counts, fit odds ratios, or state a baseline"):
        bm.psa({"death": one}, draws=2000)


def test_a_risk_that_rounds_to_1_is_written_as_the_number_next_to_it():
    wide = bm.fit(bm.CommonEffect(mu=bm.Normal(4, 1)), estimates([4.0], [0.5], measure="HR"))
    one = bm.PsaOutcome(wide, better="lower", baseline=0.9, time="a year")
    risk = bm.psa({"death": one}, draws=2000).frame["death_risk_treatment"]
    assert risk.max() == np.nextafter(1, 0)


# -------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"better": "less"}, "death: better is 'lower' or 'higher'"),
        ({"baseline": 1.2}, "death: A risk without the treatment must be between 0 and 1"),
        ({"place": "PD"}, "death: The model has one overall effect"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_the_name_of_its_outcome(change, said):
    with pytest.raises(bm.ModelError, match=said):
        bm.psa({"death": replace(outcome("OR", baseline=0.2), **change)})


def test_other_mistakes_are_refused():
    one = outcome("OR", baseline=0.2)
    arms = bm.fit(bm.ProportionNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(1)), SHARES)
    for call, said in (
        (lambda: bm.psa({}), "psa needs outcomes, e.g."),
        (lambda: bm.psa({"a": outcome("SMD", baseline=9.0, sd=-1)}), "a: sd must be a positive"),
        (lambda: bm.psa({1: one}), "texts with a letter or digit"),
        (lambda: bm.psa({"-?": one}), "texts with a letter or digit"),
        (lambda: bm.psa({"a": replace(one, unit=3)}), "a: unit must be text, got 3"),
        (lambda: bm.psa({"a": one.fit}), "psa needs outcomes, e.g."),
        (lambda: bm.psa({"a": bm.PsaOutcome(2, better="lower")}), "a: This takes a fit"),
        (lambda: bm.psa({"a": one}, draws=1), "draws must be a whole number"),
        (lambda: bm.psa({"a": one}, seed=0.5), "seed must be a whole number"),
        (lambda: bm.psa({"a": one}, correlation="x"), "correlation must be a number"),
        (lambda: bm.psa({"a": one}, risk_from="HR"), "risk_from is 'OR', 'RR' or 'RD'"),
        (lambda: bm.psa({"a b": one, "a-b": one}), "names that differ in letters"),
        (lambda: bm.psa({"a": bm.PsaOutcome(arms, better="lower")}), "give it as baseline"),
        (
            lambda: bm.psa({"a": outcome("HR", baseline=0.2, time="")}),
            "a: A risk under a HR needs its time horizon",
        ),
        (
            lambda: bm.psa({"a": outcome("ROM", baseline="Normal(1, 2)")}),
            "are not positive, on which ROM cannot act",
        ),
    ):
        with pytest.raises(bm.ModelError, match=said):
            call()


# ----------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_same_inputs_give_the_same_bytes_and_the_file_is_the_frame(ending, tmp_path):
    for name in ("one", "two"):
        made = three(draws=300, correlation=0.5)
        assert made.write(tmp_path / f"{name}.{ending}") == tmp_path / f"{name}.json"
    one, two = (tmp_path / f"{name}.{ending}" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    read = pd.read_csv if ending == "csv" else pd.read_parquet
    pd.testing.assert_frame_equal(read(one), made.frame, check_exact=True)
    first, second = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    assert first.pop("file") != second.pop("file")
    assert first == second
    assert first["file_sha256"] == hashlib.sha256(one.read_bytes()).hexdigest()


def test_the_json_beside_says_what_every_column_is_and_where_it_comes_from(tmp_path):
    made = three(draws=300, correlation=0.5)
    said = json.loads(made.write(tmp_path / "psa.csv").read_text())
    assert list(said["columns"]) == list(pd.read_csv(tmp_path / "psa.csv"))
    assert said["columns"]["death_risk_control"] == {
        "meaning": "risk without the treatment: Beta(20, 80)",
        "unit": "probability over a year",
    }
    assert said["columns"]["stay_md_new"]["unit"] == "days"
    assert (said["seed"], said["draws"]) == (3, 300)
    assert {"bayesmeta", "numpy", "scipy", "python"} <= set(said["versions"])
    assert said["outcomes"]["death"]["assumed"] == "the same odds ratio at every risk"
    assert said["sha256"]["data of death"] == said["sha256"]["data of cure"]
    other = bm.psa({"death": outcome("RD")}, draws=2).sources["data of death"]
    assert said["sha256"]["data of death"] != other


def test_means_and_covariances_are_those_of_the_file_on_the_scales_of_the_analysis():
    made = three(correlation=0.5)
    file = made.frame
    logs = pd.DataFrame(
        {
            "logit(death_risk_control)": logit(file["death_risk_control"]),
            "log(death_or)": np.log(file["death_or"]),
            "log(death_or_new)": np.log(file["death_or_new"]),
            "logit(cure_risk_control)": logit(file["cure_risk_control"]),
            "log(cure_or)": np.log(file["cure_or"]),
            "log(cure_or_new)": np.log(file["cure_or_new"]),
            "stay_mean_control": file["stay_mean_control"],
            "stay_md": file["stay_md"],
            "stay_md_new": file["stay_md_new"],
        }
    )
    assert list(made.mean.index) == list(logs)
    assert_allclose(made.mean, logs.mean(), atol=1e-12)
    assert_allclose(made.covariance, logs.cov(), atol=1e-12)
    assert within(logs["log(death_or)"].to_numpy(), fit("OR")["mu"].mean(), fit("OR")["mu"].sd())


def test_moments_that_do_not_exist_are_null(tmp_path):
    one = estimates(Y[:1], SE[:1], measure="MD")
    heavy = bm.fit(replace(MODEL, tau=bm.HalfCauchy(1)), one)
    assert np.isnan(heavy["theta_new"].sd())
    made = bm.psa({"a": bm.PsaOutcome(heavy, better="lower")}, draws=200)
    said = json.loads(made.write(tmp_path / "psa.csv").read_text())["parameters"]
    assert said["names"] == ["a_md", "a_md_new"]
    assert said["covariance"][1] == [None, None]


def test_both_files_are_written_or_none(tmp_path):
    made = three(draws=50)
    (tmp_path / "psa.json").mkdir()
    with pytest.raises(bm.FileError, match=r"psa\.json is a folder"):
        made.write(tmp_path / "psa.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["psa.json"]
    with pytest.raises(bm.FileError, match=r"end the name in \.parquet or \.csv"):
        made.write(tmp_path / "psa.xlsx")


# ------------------------------------------------------------------------------ a specification


SPEC = """
title = "A decision"
question = "Which?"
arms = ["new", "old"]
seed = 5

[[outcome]]
name = "mortality"
title = "Death"
better = "lower"
measure = "OR"
data = "deaths.csv"
mu = "Normal(0, 2)"
tau = "HalfNormal(0.5)"

[[outcome]]
name = "hazard"
title = "Relapse"
better = "lower"
kind = "estimates"
measure = "HR"
data = "hazards.csv"
mu = "Normal(0, 2)"
tau = "HalfNormal(0.5)"

[[outcome]]
name = "crp"
title = "CRP"
better = "lower"
measure = "MD"

[[outcome.published]]
label = "a review"
measure = "MD"
estimate = "-3"
lower = "-5"
upper = "-1"
citation = "x"
"""


@pytest.fixture
def folder(tmp_path):
    frame = pd.DataFrame({"study": COUNTS.study, **COUNTS.numbers})
    frame.to_csv(tmp_path / "deaths.csv", index=False)
    pd.DataFrame({"study": list("ABCD"), "y": Y, "se": SE}).to_csv(
        tmp_path / "hazards.csv", index=False
    )
    (tmp_path / "spec.toml").write_text(SPEC)
    return tmp_path


def call(folder, *words):
    named = ("psa", folder / "spec.toml", *words)
    return CliRunner(catch_exceptions=False).invoke(main, list(map(str, named)))


def test_a_specification_is_drawn_whole_and_what_cannot_be_is_named(folder):
    out = folder / "psa.csv"
    done = call(folder, "-o", out, "--draws", 400, "--correlation", 0.5)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "crp is left out: published figures only" in done.stdout
    file, said = pd.read_csv(out), json.loads((folder / "psa.json").read_text())
    assert {"mortality_risk_control", "mortality_or_new", "hazard_hr"} <= set(file)
    assert len(file) == 400
    assert said["seed"] == 5
    assert said["sha256"]["deaths.csv"] == (
        hashlib.sha256((folder / "deaths.csv").read_bytes()).hexdigest()
    )
    assert said["left_out"] == {"crp": "published figures only, none of which is the answer."}
    one = bm.PsaOutcome(
        bm.fit(bm.BinomialNormal(measure="OR", **PRIORS), COUNTS),
        better="lower",
        baseline=bm.baseline(COUNTS),
    )
    alone = bm.psa({"mortality": one}, draws=400, seed=5).frame
    assert_array_equal(np.sort(alone["mortality_or"]), np.sort(file["mortality_or"]))
    before = out.read_bytes()
    assert call(folder, "-o", out, "--draws", 400, "--correlation", 0.5).exit_code == 0
    assert out.read_bytes() == before
    assert call(folder, "-o", out, "--draws", 400, "--seed", 6, "--quiet").stdout == ""
    assert out.read_bytes() != before


def test_of_several_stated_baselines_the_middle_one_is_drawn_and_said(folder):
    stated = (
        'baseline_risk = { low = 0.02, middle = "Beta(20, 80)", high = 0.4, source = "a file" }'
    )
    stated += '\ntime = "28 days"'
    text = SPEC.replace('measure = "OR"', f'measure = "OR"\n{stated}')
    (folder / "spec.toml").write_text(text)
    assert call(folder, "-o", folder / "psa.csv", "--draws", 4000).exit_code == 0
    drawn = pd.read_csv(folder / "psa.csv")["mortality_risk_control"]
    assert abs(drawn.mean() - 0.2) < STANDARD_ERRORS * 0.04 / np.sqrt(4000)
    said = (folder / "psa.json").read_text()
    assert "middle of low, middle, high: Beta(20, 80), a file" in said
    assert "28 days" in said


def test_the_middle_baseline_is_so_by_its_value_whatever_the_names_and_their_order(folder):
    stated = 'baseline_risk = { ward = 0.7, clinic = "Beta(20, 80)", home = "control arms" }'
    (folder / "spec.toml").write_text(SPEC.replace('measure = "OR"', f'measure = "OR"\n{stated}'))
    assert 0.2 < bm.baseline(COUNTS).quantile(0.5) < 0.7
    assert call(folder, "-o", folder / "psa.csv", "--draws", 400).exit_code == 0
    said = json.loads((folder / "psa.json").read_text())["outcomes"]["mortality"]["baseline"]
    assert said == "home of ward, clinic, home: control arms"
    (folder / "spec.toml").write_text(
        SPEC.replace('measure = "OR"', f'measure = "OR"\n{stated.replace("ward = 0.7,", "")}')
    )
    assert call(folder, "-o", folder / "psa.csv", "--draws", 400).exit_code == 0
    said = json.loads((folder / "psa.json").read_text())["outcomes"]["mortality"]["baseline"]
    assert said == "clinic of clinic, home: Beta(20, 80)"


def test_the_command_refuses_in_its_own_words(folder):
    for words, said in (
        (("-o", folder / "psa.csv", "--correlation", -1), "--correlation -1"),
        (("-o", folder / "psa.nc"), "end the name in .parquet or .csv"),
    ):
        done = call(folder, *words)
        assert done.exit_code == 2
        assert said in done.stderr
        assert not (folder / "psa.csv").exists()
    for measure in ("rr", "rd"):
        done = call(folder, "-o", folder / "psa.csv", "--risk-from", measure)
        assert done.exit_code == 2
        assert f"--risk-from {measure.upper()}: no fit is of {measure.upper()}" in done.stderr
        assert "mortality is of OR, hazard of HR" in done.stderr
    risky = SPEC.replace('measure = "OR"', 'measure = "RR"\ncontrol_risk = 0.9')
    (folder / "spec.toml").write_text(risky)
    done = call(folder, "-o", folder / "psa.csv", "--risk-from", "rr")
    assert done.exit_code == 2
    assert "leave --risk-from out" in done.stderr


def test_nothing_that_can_be_drawn_is_refused_with_every_reason(folder):
    only = SPEC[: SPEC.index("[[outcome]]")] + SPEC[SPEC.index('[[outcome]]\nname = "crp"') :]
    (folder / "spec.toml").write_text(only)
    done = call(folder, "-o", folder / "psa.csv")
    assert done.exit_code == 2
    assert "No outcome can be drawn. crp: published figures only" in done.stderr


def test_the_path_of_the_example_leads_from_a_specification_to_a_cohort_model(
    tmp_path, monkeypatch, capsys
):
    spec, script = (
        ROOT / "examples" / "decision" / name for name in ("decision.toml", "cohort.py")
    )
    out = tmp_path / "psa.parquet"
    words = ["psa", str(spec), "-o", str(out), "--draws", "2000", "--quiet"]
    assert CliRunner(catch_exceptions=False).invoke(main, words).exit_code == 0
    monkeypatch.setattr("sys.argv", [str(script), str(out)])
    runpy.run_path(str(script))
    first, *lines = capsys.readouterr().out.splitlines()
    draws = pd.read_parquet(out)
    alive = -1000 * draws["mortality_risk_difference"].mean() * 9 * 0.8
    event = -1000 * 0.05 * draws["serious_adverse_events_risk_difference"].mean()
    assert first.startswith(f"1,000 patients: {alive + event:+,.0f} QALYs")
    shares = [float(line.split()[-1]) for line in lines]
    assert shares == sorted(shares)
    assert shares[-1] > 0.5 > shares[0]
    readme = (script.parent / "README.md").read_text()
    named = set(re.findall(r"`(\w+_(?:risk|rr|md)\w*)`", readme))
    assert named
    assert named <= set(draws)
