"""From posteriors to tables and rows: the marginals' own numbers, on the scale they name."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from references import INCIDENCE, MAIN_TRIALS, SHARES, binary, estimates
from scipy import integrate, stats
from scipy.special import xlogy
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.posterior import Check, Diagnostics, Draws, Marginals, Posterior
from bayesmeta.priors import log_density
from bayesmeta.summaries import (
    ForestRow,
    density_rows,
    forest_rows,
    measure_of,
    parameters,
    prior_interval,
    prob_benefit,
    rows_table,
    study_effects,
)

MODEL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
DATA = bm.effect_sizes(binary(MAIN_TRIALS), measure="RR")
FIT = bm.fit(MODEL, DATA)
TRIALS = binary(MAIN_TRIALS)


def drawn_posterior(studies: bm.BinaryStudies, measure: str = "RR") -> Posterior:
    """Stand in for a sampled posterior of counts: independent draws, no fit behind them."""
    rng = np.random.default_rng(8)

    def draws() -> Draws:
        return Draws(rng.normal(-0.3, 0.2, (4, 500)))

    vector = Marginals(studies.study, tuple(draws() for _ in studies.study))
    marginals = {
        "mu": draws(),
        "tau": Draws(abs(draws().values)),
        "theta": vector,
        "theta_new": draws(),
        "baseline": vector,
    }
    return Posterior(
        model=bm.BinomialNormal(measure=measure, mu=MODEL.mu, tau=MODEL.tau),
        data=studies,
        engine="test",
        marginals=marginals,
        diagnostics=Diagnostics((Check("R-hat", "mu", 1.0, 1.01, at_most=True),)),
        sample=lambda n, seed: {},
        sample_stats={"diverging": np.zeros((4, 500))},
        convergence={"mu": {"rhat": 1.0, "ess_bulk": 2000.0}},
    )


LAWS = [
    (bm.Normal(-0.4, 2.5), stats.norm(-0.4, 2.5)),
    (bm.StudentT(3.5, 0.2, 1.7), stats.t(3.5, 0.2, 1.7)),
    (bm.HalfNormal(0.4), stats.halfnorm(0, 0.4)),
    (bm.HalfCauchy(0.7), stats.halfcauchy(0, 0.7)),
    (bm.LogNormal(-1.2, 0.8), stats.lognorm(0.8, 0, np.exp(-1.2))),
    (bm.Exponential(3.0), stats.expon(0, 1 / 3)),
    (bm.Gamma(1.3, 4.0), stats.gamma(1.3, 0, 0.25)),
    (bm.InverseGamma(2.2, 0.3), stats.invgamma(2.2, 0, 0.3)),
    (bm.Uniform(0.1, 3.0), stats.uniform(0.1, 2.9)),
    (bm.Beta(2.0, 5.5), stats.beta(2.0, 5.5)),
]


@pytest.mark.parametrize(("prior", "law"), LAWS, ids=lambda one: type(one).__name__)
def test_quantiles_and_probabilities_of_priors_are_those_of_scipy(prior, law):
    at = [1e-6, 0.025, 0.3, 0.5, 0.975, 1 - 1e-6]
    found = prior.quantile(at)
    assert_allclose(found, law.ppf(at), rtol=1e-9)
    assert_allclose(prior.cdf(found), at, rtol=1e-9)
    outside = [-3.0, 0.0, 1e-9, 40.0]
    assert_allclose(prior.cdf(outside), law.cdf(outside), rtol=1e-9)


def test_summary_has_a_row_for_every_parameter_with_the_marginals_numbers():
    table = bm.summary(FIT, prob=0.9)
    names = ["mu", "tau", *(f"theta[{study}]" for study in DATA.study), "theta_new"]
    assert list(table.index) == names
    found = parameters(FIT)
    assert list(found) == names
    for name, marginal in found.items():
        lower, upper = marginal.interval(0.9)
        expected = (marginal.mean(), marginal.sd(), marginal.quantile(0.5), lower, upper)
        assert_allclose(
            table.loc[name, ["mean", "sd", "median", "lower", "upper"]].to_list(), expected
        )
        if name != "tau":
            assert table.loc[name, "prob_below_null"] == marginal.cdf(0.0)
    assert np.isnan(table.loc["tau", "prob_below_null"])


def test_natural_scale_shows_ratios_as_ratios_and_leaves_out_their_moments():
    logs, ratios = bm.summary(FIT), bm.summary(FIT, scale="natural")
    effects = [name for name in logs.index if name != "tau"]
    for column in ("median", "lower", "upper"):
        assert_allclose(ratios.loc[effects, column], np.exp(logs.loc[effects, column]))
        assert ratios.loc["tau", column] == logs.loc["tau", column]
    assert list(ratios.columns) == ["median", "lower", "upper", "prob_below_null"]
    assert_allclose(
        ratios.loc[effects, "prob_below_null"].astype(float), logs.loc[effects, "prob_below_null"]
    )
    assert "NaN" not in ratios.to_string()
    assert ratios.loc["tau", "prob_below_null"] is pd.NA
    assert ratios.attrs["scale"] == {"effects": "RR", "others": "log RR"}


def test_summary_with_mode_and_shortest_intervals_has_those_of_the_marginals():
    table = bm.summary(FIT, prob=0.9, interval="shortest", mode=True)
    plain = bm.summary(FIT, prob=0.9)
    assert table.columns[:4].tolist() == ["mean", "sd", "mode", "median"]
    assert "mode" not in plain.columns
    for name in ("mu", "tau", "theta_new"):
        ends = FIT[name].interval(0.9, kind="shortest")
        assert tuple(table.loc[name, ["lower", "upper"]]) == ends
        assert table.loc[name, "mode"] == FIT[name].mode()
    shared = ["mean", "sd", "median", "prob_below_null"]
    assert table[shared].equals(plain[shared])


def test_on_the_natural_scale_modes_of_ratios_are_left_out_and_shortest_ends_transformed():
    natural = bm.summary(FIT, scale="natural", interval="shortest", mode=True)
    assert "mode" not in natural
    assert bm.summary(FIT, mode=True).loc["tau", "mode"] == FIT["tau"].mode()
    ends = np.exp(FIT["mu"].interval(kind="shortest"))
    assert_allclose(natural.loc["mu", ["lower", "upper"]].astype(float), ends)


def test_natural_scale_of_a_difference_is_the_analysis_scale():
    fit = bm.fit(MODEL, estimates([0.1, 0.4], [0.2, 0.3], measure="MD"))
    natural = bm.summary(fit, scale="natural")
    assert bm.summary(fit).equals(natural.astype({"prob_below_null": float}))
    assert "NaN" not in natural.to_string()


def test_moments_that_do_not_exist_are_nan_and_medians_stand():
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfCauchy(0.5))
    table = bm.summary(bm.fit(model, estimates([0.1], [0.2])))
    assert np.isnan(table.loc["tau", "sd"])
    assert np.isnan(table.loc["theta_new", "sd"])
    assert table["median"].notna().all()


def test_summary_of_draws_carries_its_convergence_and_leaves_baselines_on_their_scale():
    posterior = drawn_posterior(TRIALS)
    logs, ratios = bm.summary(posterior), bm.summary(posterior, scale="natural")
    assert logs.loc["mu", "rhat"] == 1.0
    assert logs.loc["mu", "ess_bulk"] == 2000.0
    name = "baseline[Shi]"
    assert ratios.loc[name, "median"] == logs.loc[name, "median"]
    assert np.isnan(logs.loc[name, "prob_below_null"])


@pytest.mark.parametrize(
    ("kind", "data"), [(bm.ProportionNormal, SHARES), (bm.IncidenceNormal, INCIDENCE)]
)
def test_one_arm_has_no_effect_to_lie_below_none(kind, data):
    table = bm.summary(replace(FIT, model=kind(mu=MODEL.mu, tau=MODEL.tau), data=data))
    assert {"mu", "theta_new"} < set(table.index)
    assert table["prob_below_null"].isna().all()


def test_exact_and_drawn_summaries_agree_within_monte_carlo_error():
    n = 20_000
    group = FIT.draws(n, seed=31)["posterior"]
    exact = bm.summary(FIT)
    for name in ("mu", "tau", "theta_new"):
        values = group[name].values.ravel()
        row = exact.loc[name]
        assert abs(values.mean() - row["mean"]) <= STANDARD_ERRORS * row["sd"] / np.sqrt(n)
        spread = STANDARD_ERRORS * np.sqrt(((values - values.mean()) ** 2).var() / n)
        assert abs(values.var() - row["sd"] ** 2) <= spread
        for column, q in (("lower", 0.025), ("median", 0.5), ("upper", 0.975)):
            share = (values <= row[column]).mean()
            assert abs(share - q) <= STANDARD_ERRORS * np.sqrt(q * (1 - q) / n)


def test_measure_of_each_kind_of_fit():
    assert measure_of(FIT) == "RR"
    assert measure_of(drawn_posterior(TRIALS, "OR")) == "OR"
    assert measure_of(bm.common_effect(DATA)) == "RR"
    assert measure_of(bm.Published(measure="HR")) == "HR"


def test_probability_of_benefit_is_on_the_better_side():
    below = FIT["mu"].cdf(0.0)
    assert prob_benefit(FIT["mu"], "lower") == below
    assert prob_benefit(FIT["mu"], "higher") == pytest.approx(1 - below)
    assert below > 0.9
    with pytest.raises(bm.ModelError, match="'lower' or 'higher', not 'less'"):
        prob_benefit(FIT["mu"], "less")


def test_forest_rows_pair_each_study_with_its_shrunken_effect_and_end_with_the_pooled():
    rows = forest_rows(FIT, prob=0.9)
    kinds = [row.kind for row in rows]
    assert kinds == ["study", "shrunken"] * DATA.k + ["posterior", "prediction"]
    assert [row.label for row in rows[:4]] == [DATA.study[0]] * 2 + [DATA.study[1]] * 2
    own, shrunken = rows[0], rows[1]
    half = 1.6448536269514722 * DATA.se[0]
    assert_allclose((own.estimate, own.lower, own.upper), DATA.y[0] + half * np.array([0, -1, 1]))
    theta = FIT["theta"][0]
    assert_allclose(
        (shrunken.estimate, shrunken.lower, shrunken.upper),
        (theta.quantile(0.5), *theta.interval(0.9)),
    )
    pooled, new = rows[-2:]
    assert_allclose((pooled.lower, pooled.upper), FIT["mu"].interval(0.9))
    assert_allclose((new.lower, new.upper), FIT["theta_new"].interval(0.9))


def test_weights_of_the_studies_are_shares_of_the_precision():
    weights = np.array([row.weight for row in forest_rows(FIT) if row.kind == "study"])
    assert weights.sum() == pytest.approx(1)
    tau = FIT["tau"].quantile(((np.arange(4000) + 0.5) / 4000).tolist())
    each = 1 / (DATA.se**2 + tau[:, None] ** 2)
    shares = (each / each.sum(axis=1, keepdims=True)).mean(axis=0)
    assert_allclose(weights, shares, atol=1e-3)
    assert all(np.isnan(row.weight) for row in forest_rows(FIT) if row.kind != "study")


def test_compared_estimates_stand_below_and_the_published_keeps_its_level():
    pooled = bm.random_effects(DATA)
    printed = bm.Published(measure="RR", estimate="0.76", lower="0.60", upper="0.96")
    words = bm.Published(measure="RR", verdict="fewer deaths")
    rows = forest_rows(
        FIT, frequentist={"REML": pooled}, published={"paper": printed, "words": words}, prob=0.5
    )
    assert [(row.label, row.kind) for row in rows[-2:]] == [
        ("REML", "frequentist"),
        ("paper", "published"),
    ]
    assert_allclose((rows[-2].lower, rows[-2].upper), pooled.interval(0.5))
    last = rows[-1]
    assert_allclose(np.exp([last.estimate, last.lower, last.upper]), [0.76, 0.60, 0.96])


def test_study_without_events_has_no_estimate_of_its_own_but_keeps_its_row():
    rows = forest_rows(drawn_posterior(TRIALS))
    own = {row.label: row for row in rows if row.kind == "study"}
    assert list(own) == list(TRIALS.study)
    assert np.isnan([own["Shi"].estimate, own["Shi"].lower, own["Shi"].upper]).all()
    assert own["Shi"].note.startswith("0/65 v 0/35")
    assert own["Lanzoni"].note == "2/12 v 7/12"
    assert own["Lanzoni"].estimate == pytest.approx(np.log(2 / 7))
    assert sum(row.kind == "shrunken" for row in rows) == TRIALS.k


def test_studies_own_effects_are_the_data_or_what_two_stages_would_make_of_counts():
    assert study_effects(FIT) is DATA
    assert study_effects(drawn_posterior(TRIALS)).y.tolist() == DATA.y.tolist()
    assert study_effects(drawn_posterior(binary({"A": (0, 5, 0, 6)}))) is None


def test_own_effects_of_a_risk_difference_of_counts_are_its_atanh():
    """The standard error by a difference quotient, where the package has the derivative."""
    fit = drawn_posterior(binary({"A": (3, 12, 8, 20), "B": (0, 9, 9, 9)}), "RD")
    plain, found = bm.effect_sizes(fit.data, measure="RD"), study_effects(fit)
    assert_allclose(np.tanh(found.y), plain.y, rtol=1e-12)
    h = 1e-6
    slope = (np.arctanh(plain.y + h) - np.arctanh(plain.y - h)) / (2 * h)
    assert_allclose(found.se, slope * plain.se, rtol=1e-8)
    assert found.measure == "RD"


QUARTILES = [(8, 11, 14, 29), (11, 15, 19, 29)], [(7, 7, 12, 29), (8, 13, 16, 29)]


def of_quartiles(treatment, control):
    """One trial's own estimate and standard error, from quartiles with their rounding."""
    columns = {"study": ["trial"]}
    for arm, row in zip(("treatment", "control"), (treatment, control), strict=True):
        names = (f"{what}_{arm}" for what in ("q1", "median", "q3", "n"))
        columns |= {name: [str(value)] for name, value in zip(names, row, strict=True)}
    data = bm.ContinuousStudies.from_frame(pd.DataFrame(columns))
    fit = bm.fit(bm.ContinuousCommonEffect(measure="MD", mu=bm.Normal(0, 20)), data)
    found = study_effects(fit)
    return float(found.y[0]), float(found.se[0])


@pytest.mark.deep("quartiles on the grid: 1 s")
def test_the_own_row_of_a_trial_with_symmetric_quartiles_is_their_difference():
    """Both arms symmetric about their medians, so is the likelihood: 11 less 15, to 1e-6."""
    y, se = of_quartiles(*QUARTILES[0])
    assert y == pytest.approx(-4, abs=1e-6)
    assert (y - 1.959964 * se, y + 1.959964 * se) == pytest.approx((-7.345, -0.655), abs=5e-4)


@pytest.mark.deep("quartiles on the grid: 1 s each")
@pytest.mark.parametrize("arms", QUARTILES)
def test_arms_exchanged_mirror_the_own_row_of_a_trial_with_quartiles(arms):
    (y, se), (mirrored, its_se) = of_quartiles(*arms), of_quartiles(*arms[::-1])
    assert mirrored == pytest.approx(-y, abs=1e-9)
    assert its_se == pytest.approx(se, abs=1e-9)


def test_forest_of_a_risk_difference_of_counts_shows_differences():
    fit = drawn_posterior(TRIALS, "RD")
    mu, row = fit["mu"], forest_rows(fit)[-2]
    assert (row.kind, row.label) == ("posterior", "overall")
    assert_allclose(
        (row.estimate, row.lower, row.upper),
        np.tanh([mu.quantile(0.5), *mu.interval(0.95)]),
        rtol=1e-12,
    )


def test_common_effect_has_no_shrinkage_and_no_prediction():
    fit = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), DATA)
    assert [row.kind for row in forest_rows(fit)] == ["study"] * DATA.k + ["posterior"]
    assert list(bm.summary(fit).index) == ["mu"]


def test_rows_become_a_table():
    table = rows_table([ForestRow(label="A", kind="study", estimate=0.1, lower=0.0, upper=0.2)])
    assert table.loc["A", ["kind", "estimate", "lower", "upper"]].to_list() == [
        "study",
        0.1,
        0.0,
        0.2,
    ]


def test_density_rows_show_prior_and_posterior_on_one_grid():
    mu, tau = density_rows(FIT)
    assert (mu.parameter, tau.parameter) == ("mu", "tau")
    assert tau.x[0] == 0.0
    for row in (mu, tau):
        assert integrate.trapezoid(row.posterior, row.x) == pytest.approx(1, abs=2e-3)
        assert row.lower < row.median < row.upper
    assert_allclose(mu.prior, np.exp(-(mu.x**2) / 8) / np.sqrt(8 * np.pi))
    assert_allclose(tau.prior, 2 * np.exp(-2 * tau.x**2) * 2 / np.sqrt(2 * np.pi))


@pytest.mark.parametrize("tau", [bm.Flat(), bm.Jeffreys()], ids=repr)
def test_density_rows_of_an_improper_prior_show_the_posterior_alone(tau):
    fit = bm.fit(bm.NormalNormal(mu=bm.Flat(), tau=tau), FIT.data)
    for row in density_rows(fit):
        assert np.isnan(row.prior).all()
        assert np.isfinite(row.posterior).all()
    assert row.x[0] == 0.0


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"scale": "ratio"}, bm.ModelError, "'analysis' or 'natural', not 'ratio'"),
        ({"prob": 95}, bm.DataError, "between 0 and 1"),
        ({"interval": "HPD"}, bm.ModelError, "interval is 'central' or 'shortest', not 'HPD'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(keywords, error, words):
    with pytest.raises(error, match=words):
        bm.summary(FIT, **keywords)


@pytest.mark.parametrize("prob", [0.5, 0.95])
def test_the_interval_of_a_half_t_is_that_of_an_absolute_value(prob):
    """|t| of 1 df is below x with probability (2/π) atan x, of 2 df x/√(2 + x²)."""
    tails = np.array([(1 - prob) / 2, (1 + prob) / 2])
    np.testing.assert_allclose(
        prior_interval(bm.HalfT(1, 0.3), prob), 0.3 * np.tan(np.pi / 2 * tails), rtol=1e-12
    )
    np.testing.assert_allclose(
        prior_interval(bm.HalfT(2, 0.3), prob),
        0.3 * tails * np.sqrt(2 / (1 - tails**2)),
        rtol=1e-12,
    )
    mixed = bm.Mixture(0.5, bm.HalfT(1, 0.3), bm.HalfCauchy(0.3))
    np.testing.assert_allclose(
        prior_interval(mixed, prob), 0.3 * np.tan(np.pi / 2 * tails), rtol=1e-10
    )


@pytest.mark.parametrize("prior", [bm.Flat(), bm.Jeffreys()])
def test_an_improper_prior_has_no_quantiles_and_says_so(prior):
    for ask in (lambda: prior.quantile(0.5), lambda: prior.cdf(1.0), lambda: prior.interval()):
        with pytest.raises(bm.ModelError, match=r"\(\) is improper: it has no quantiles"):
            ask()


@pytest.mark.parametrize("q", [0.0, 1.0, -0.1, [0.5, 1.2]])
def test_quantiles_of_a_prior_are_of_probabilities_inside_zero_and_one(q):
    with pytest.raises(bm.ModelError, match="probabilities strictly between 0 and 1"):
        bm.HalfNormal(0.5).quantile(q)


def test_quantiles_of_a_mixture_invert_its_distribution_and_keep_the_shape_of_what_is_asked():
    mixed = bm.Mixture(0.7, bm.Normal(-1, 0.2), bm.StudentT(3, 1, 0.5))
    q = np.array([[0.01, 0.3], [0.69, 0.99]])
    found = mixed.quantile(q)
    assert found.shape == (2, 2)
    law = 0.7 * stats.norm.cdf(found, -1, 0.2) + 0.3 * stats.t.cdf(found, 3, 1, 0.5)
    assert_allclose(law, q, rtol=1e-10)
    assert_allclose(mixed.interval(0.98), mixed.quantile([0.01, 0.99]), rtol=1e-12)
    assert isinstance(mixed.quantile(0.5), float)


def test_a_prior_of_matrices_has_no_interval_and_says_so():
    with pytest.raises(bm.ModelError, match=r"LKJ\(2\) is a prior of whole .*is Beta\(2, 2\)"):
        prior_interval(bm.LKJ(2))


@pytest.mark.parametrize("prob", [0, 1, 95])
def test_the_interval_of_a_prior_has_a_probability(prob):
    with pytest.raises(bm.DataError, match="between 0 and 1"):
        prior_interval(bm.Normal(0, 1), prob)


@pytest.mark.parametrize(
    ("mu", "tau"),
    [
        (bm.Normal(0, 2), bm.HalfNormal(0.5)),
        (bm.StudentT(3, 1, 0.3), bm.HalfCauchy(0.2)),
        (bm.Uniform(-3, 3), bm.Uniform(0, 4)),
    ],
    ids=repr,
)
def test_how_far_the_data_moved_a_prior_is_an_integral_over_both_densities(mu, tau):
    data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    fit = bm.fit(bm.NormalNormal(mu=mu, tau=tau), data)
    table = bm.prior_posterior(fit, prob=0.9)
    assert list(table.index) == ["mu", "tau"]
    for name, prior in (("mu", mu), ("tau", tau)):
        marginal = fit[name]

        def each(x, prior=prior, marginal=marginal):
            p = float(np.exp(log_density(prior, np.array([x]))[0]))
            q = float(marginal.pdf(x))
            middle = (p + q) / 2
            return (xlogy(p, p / middle) + xlogy(q, q / middle)) / 2 / np.log(2) if middle else 0.0

        low, high = prior.quantile([1e-7, 1 - 1e-7])
        cuts = np.unique(
            np.clip([low, *marginal.quantile([0.001, 0.1, 0.5, 0.9, 0.999]), high], low, high)
        )
        whole = sum(integrate.quad(each, a, b, limit=200)[0] for a, b in pairwise(cuts))
        row = table.loc[name]
        assert row["distance"] == pytest.approx(np.sqrt(whole), abs=1e-4)
        before, after = prior.interval(0.9), marginal.interval(0.9)
        assert (row["prior_lower"], row["prior_upper"]) == pytest.approx(before)
        assert (row["lower"], row["upper"]) == pytest.approx(after)
        assert row["width_ratio"] == pytest.approx(np.diff(after)[0] / np.diff(before)[0])


def test_an_improper_prior_has_nothing_to_be_moved_from():
    data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    table = bm.prior_posterior(bm.fit(bm.NormalNormal(mu=bm.Flat(), tau=bm.HalfNormal(1)), data))
    assert table.loc["mu", ["prior_lower", "width_ratio", "distance"]].isna().all()
    assert 0 < table.loc["tau", "distance"] < 1


def test_how_far_the_data_moved_mu_does_not_end_where_its_density_does():
    data = bm.BinaryStudies(  # a grid whose density is 0 in double precision far out
        study=["Shu", "Zhu", "Lanzoni"],
        events_treatment=[12, 28, 10],
        n_treatment=[12, 29, 12],
        events_control=[20, 26, 4],
        n_control=[29, 29, 12],
    )
    fit = bm.fit(bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)
    x = np.linspace(-15, 15, 60_001)
    before, after = stats.norm.pdf(x, 0, 2), fit["mu"].pdf(x)
    mean = (before + after) / 2
    divergence = sum(
        np.trapezoid(np.where(p > 0, p * np.log2(np.maximum(p, 1e-300) / mean), 0), x) / 2
        for p in (before, after)
    )
    distance = bm.prior_posterior(fit).loc["mu", "distance"]
    assert distance == pytest.approx(divergence**0.5, abs=1e-5)
