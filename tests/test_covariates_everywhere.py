"""Fits with covariates, wherever a fit is taken: held to a second source, or refused by name."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats
from test_linear import crins

import bayesmeta as bm
from bayesmeta import checks, decision, evidence, summaries
from bayesmeta.engines import mathematics, pymc_source
from bayesmeta.engines.compiled.precision import float64
from bayesmeta.model import COEFFICIENT
from bayesmeta.moderators import moderators

ROOT = Path(__file__).parent
STORED = json.loads((ROOT / "reference" / "linear.json").read_text())
FRAME = pd.read_csv(ROOT.parent / "examples" / "bcg" / "bcg.csv")
BCG = bm.BinaryStudies.from_frame(FRAME)
OR = bm.effect_sizes(BCG, measure="OR")
WIDE, TAU, SLOPE = bm.Normal(0, 2), bm.HalfNormal(0.5), bm.Normal(0, 0.1)
X = {"x": np.array([-1.5, 0.25, 0.5, 2.75]), "group": ("b", "a 'x'", "a 'x'", "b")}
NAMES = ["A", "B", "C", "D"]
ON_X = {"mu": bm.Linear("x", intercept=WIDE, slopes=bm.StudentT(4, 0, 1)), "tau": TAU}
ALONE = {"mu": ON_X["mu"]}


def table(kind, **columns):
    return kind(study=NAMES, covariates=X, **columns)


COUNTS = table(
    bm.BinaryStudies,
    events_treatment=[2, 0, 7, 1],
    n_treatment=[25, 30, 40, 18],
    events_control=[5, 2, 11, 4],
    n_control=[24, 31, 38, 20],
)
TIMES = table(
    bm.PersonTimeStudies,
    events_treatment=[3, 0, 9, 4],
    time_treatment=[120.5, 40.0, 300.0, 80.0],
    events_control=[5, 2, 7, 9],
    time_control=[110.0, 42.5, 280.0, 83.0],
)
MEANS = table(
    bm.ContinuousStudies,
    n_treatment=[12, 31, 20, 22],
    n_control=[14, 29, 20, 25],
    mean_treatment=[5.1, 4.2, 4.4, 5.0],
    sd_treatment=[2.0, 1.4, 1.5, 1.8],
    mean_control=[4.0, 4.4, 4.1, 4.2],
    sd_control=[1.7, 1.6, 1.5, 1.9],
)
ARMS = table(bm.ProportionStudies, events=[3, 0, 12, 7], n=[20, 15, 60, 31])
RATES = table(bm.IncidenceStudies, events=[3, 0, 12, 7], time=[20.5, 15, 60.25, 31])
Y = bm.EffectSizes.from_arrays(
    NAMES, [0.3, -0.4, 0.1, 1.5], [0.2, 0.3, 0.1, 0.2], measure="OR", covariates=X
)
SHARED = bm.Exchangeable(bm.Normal(0, 10), bm.HalfNormal(1))
PROPER = {"baseline": bm.Normal(4, 1), "log_sd": bm.Normal(0, 1)}
MODELS = {
    "normal": (bm.NormalNormal(**ON_X), Y),
    "common": (bm.CommonEffect(**ALONE), Y),
    "t": (bm.NormalNormal(**ON_X, df=4), Y),
    "t, df unknown": (bm.NormalNormal(**ON_X, df=bm.Gamma(2, 0.1)), Y),
    "outliers": (bm.OutlierMixture(**ON_X, share=bm.Beta(1, 9), spread=bm.HalfNormal(1)), Y),
    "OR": (bm.BinomialNormal(measure="OR", **ON_X), COUNTS),
    "zero_one": (bm.BinomialNormal(measure="OR", coding="zero_one", **ON_X), COUNTS),
    "RR": (bm.BinomialNormal(measure="RR", **ON_X), COUNTS),
    "RD": (bm.BinomialNormal(measure="RD", **ON_X), COUNTS),
    "exchangeable": (bm.BinomialNormal(measure="OR", **ON_X, baseline=SHARED), COUNTS),
    "hypergeometric": (bm.HypergeometricNormal(**ON_X), COUNTS),
    "beta-binomial": (bm.BetaBinomial(**ALONE), COUNTS),
    "rates": (bm.PoissonNormal(**ON_X), TIMES),
    "proportions": (bm.ProportionNormal(**ON_X), ARMS),
    "incidence": (bm.IncidenceNormal(**ON_X), RATES),
    "means": (bm.ContinuousNormal(measure="MD", **ON_X), MEANS),
    "means, SMD": (bm.ContinuousNormal(measure="SMD", **ON_X, **PROPER), MEANS),
    "means, common": (bm.ContinuousCommonEffect(measure="ROM", **ALONE), MEANS),
}
FORMULAS = [
    "x",
    "0 + x",
    "group",
    "x * group",
    "0 + C(group) + x",
    "C(x) - 1",
    "poly(x, 2)",
    "bs(x, df=3)",
]


@cache
def on_latitude(prior=WIDE, tau=TAU):
    mu = bm.Linear("latitude", intercept=prior, slopes=prior)
    return bm.fit(bm.NormalNormal(mu=mu, tau=tau), OR)


def log_density_of(graph):
    from pytensor.compile.mode import Mode

    return graph.compile_logp(mode=Mode("py", None), jacobian=False)


def executed(model, data, *, with_data=True):
    space = {
        "study": list(data.study),
        "covariates": {name: data.covariates[name] for name in model.location.terms.variables},
        **data.numbers,
    }
    if not with_data:
        made = model.location.design(data).matrix
        space["design"] = {"intercept": made[:, :1], "x": made[:, 1:]}
    exec(pymc_source(model, data if with_data else None), space)
    return space


def numbered(point, names):
    """A point of the printed model by the names of the graph."""
    found = dict(point)
    for i, name in enumerate(names):
        found[f"{COEFFICIENT}[{i + 1}]"] = found.pop(f"{COEFFICIENT}[{name}]").reshape(())
    return found


def as_sampled(point, model, columns):
    """The same point where flat parameters are distances from rough values, and weights scaled."""
    at = dict(point)
    if "weight_log__" in at:
        a = np.exp(at["df_log__"]) / 2
        at["weight_scaled__"] = at.pop("weight_log__") / np.sqrt(1 / a + 1 / a**2)
    if isinstance(model, bm.ContinuousNormal | bm.ContinuousCommonEffect):
        if model.baseline is None:
            at["baseline_z"] = (at.pop("baseline") - columns["centre"]) / columns["unit"]
        if model.log_sd is None:
            rough = np.array([columns["log_sd_treatment"], columns["log_sd_control"]])
            n = np.array([columns["size_treatment"], columns["size_control"]])
            at["log_sd_z"] = (at.pop("log_sd") - rough) * np.sqrt(2 * n)
    return at


@pytest.mark.deep(
    "two graphs for each model: 15 s in all",
    but=["normal", "t, df unknown", "RR", "beta-binomial"],
)
@pytest.mark.parametrize(("model", "data"), MODELS.values(), ids=MODELS)
def test_the_printed_source_is_the_model_that_is_sampled(model, data):
    """Its log density differs between points as that of the graph: flat parts have none."""
    ours, theirs = densities(model, data)
    assert np.ptp(ours) > 0.1
    assert np.diff(ours) == pytest.approx(np.diff(theirs), abs=2e-4)
    if data is not MEANS:
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_so_is_the_source_that_is_printed_without_data():
    ours, theirs = densities(*MODELS["normal"], with_data=False)
    assert ours == pytest.approx(theirs, abs=1e-5)


def densities(model, data, *, with_data=True):
    """Of the printed model and of the graph, at three points."""
    from bayesmeta.engines.graph.build import build
    from bayesmeta.engines.sampling.inputs import columns_for

    names, rng = model.location.entries(data), np.random.default_rng(3)
    ours, theirs = [], []
    with float64():
        printed = executed(model, data, with_data=with_data)["model"]
        columns = columns_for(model, data)
        graph = build(model.numbered(data), data.study, columns)
        logs = log_density_of(printed), log_density_of(graph)
        start = printed.initial_point()
        if "baseline" in start and "centre" in columns:
            start["baseline"] = columns["centre"]
        for _ in range(3):
            noise = {name: 0.3 * rng.normal(size=np.shape(x)) for name, x in start.items()}
            at = {name: np.asarray(x + noise[name]) for name, x in start.items()}
            ours.append(float(logs[0](at)))
            theirs.append(float(logs[1](as_sampled(numbered(at, names), model, columns))))
    return ours, theirs


def test_the_printed_source_has_the_joint_density_of_the_exact_posterior():
    """Study effects are normal given the rest: their integral is the peak times the widths."""
    mu = bm.Linear("0 + x", intercept=WIDE, slopes=bm.Normal(0.2, 0.5))
    model = bm.NormalNormal(mu=mu, tau=TAU)
    fit = bm.fit(model, Y)
    with float64():
        density = log_density_of(executed(model, Y)["model"])

        def joint(tau, slope):
            gap, ratio = (Y.y - slope * X["x"]) / Y.se, tau / Y.se
            peak = ratio * gap / (1 + ratio**2)
            at = {"coefficient[x]": slope, "tau_log__": np.log(tau), "z": peak}
            widths = 0.5 * np.log(2 * np.pi / (1 + ratio**2)).sum()
            return np.exp(density({name: np.asarray(one) for name, one in at.items()}) + widths)

        for slope in (-0.2, 0.4):
            found = integrate.quad(joint, 1e-9, 6, args=(slope,), epsabs=1e-14, limit=20)[0]
            exact = np.exp(fit.log_marginal_likelihood) * fit["x"].pdf(slope)
            assert found == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_printed_design_is_the_one_that_is_used(formula):
    slopes = bm.Normal(0, 1)
    for how in ({}, {"scale": True}, {"centre": False}):
        mu = bm.Linear(formula, intercept=WIDE, slopes=slopes, **how)
        model = bm.CommonEffect(mu=mu)
        made = mu.design(Y)
        with float64():
            space = executed(model, Y)
        assert space["design"] == pytest.approx(made.matrix, abs=1e-12)
        assert [one.name for one in space["model"].free_RVs] == [
            f"{COEFFICIENT}[{name}]" for name in made.names
        ]


def test_names_of_levels_are_never_run():
    levels = ("x'); raise ValueError('run')  #", 'a"\n    raise ValueError\u2028')
    data = bm.EffectSizes.from_arrays(
        NAMES, Y.y, Y.se, measure="OR", covariates={"a'\"b": (*levels, *levels)}
    )
    model = bm.CommonEffect(mu=bm.ByGroup("a'\"b", WIDE))
    with float64():
        space = executed(model, data)
    names = [one.name for one in space["model"].free_RVs]
    assert names == [f"{COEFFICIENT}[{name}]" for name in model.location.entries(data)]


def test_the_mathematics_name_covariates_with_their_coefficients():
    mu = bm.Linear("x + group", intercept=WIDE, slopes=SLOPE)
    said = "\n".join(mathematics(bm.NormalNormal(mu=mu, tau=TAU), Y))
    assert "θᵢ ~ Normal(μᵢ, τ),   θ_new ~ Normal(μ_new, τ)" in said
    assert "μᵢ = γ₀ + γ₁ (xᵢ − mean) + γ₂ c(groupᵢ)\n" in said
    assert "γ₁ ~ Normal(0, 0.1)   (x)" in said
    alone = "\n".join(mathematics(bm.BetaBinomial(mu=bm.ByGroup("group", WIDE))))
    assert "logit p₁ = β + μᵢ/2" in alone
    assert "μᵢ = γ₀[groupᵢ]\nγ₀ ~ Normal(0, 2)   (group)" in alone
    assert "names stand for numbers here" in "\n".join(mathematics(bm.CommonEffect(mu=mu)))


# What reads a fit: right, and held to something else.


def log_evidence(data, matrix, sds, tau=True):
    """Log of the integral over tau of one multivariate normal density: coefficients are normal."""
    prior = matrix @ np.diag(np.square(sds)) @ matrix.T

    def density(t):
        law = stats.multivariate_normal(cov=prior + np.diag(data.se**2 + t**2))
        return law.logpdf(data.y)

    if not tau:
        return density(0.0)
    top = max(density(t) for t in np.linspace(0, 2, 81))
    law = stats.halfnorm(scale=0.5)
    parts = [
        integrate.quad(lambda t: np.exp(density(t) - top) * law.pdf(t), *ends, epsabs=1e-12)[0]
        for ends in ((0, 0.3), (0.3, 1), (1, 4))
    ]
    return top + np.log(sum(parts))


@cache
def alike():
    """A fit of few studies in which a level has one: without it its column is empty."""
    data = bm.EffectSizes.from_arrays(
        ["A", "B", "C", "D", "E"],
        [0.3, -0.4, 0.1, 0.9, 0.2],
        [0.2, 0.3, 0.1, 0.2, 0.4],
        measure="OR",
        covariates={"x": np.array([-1.5, 0.25, 0.5, 2.75, 1.0]), "g": ("u", "v", "v", "v", "v")},
    )
    mu = bm.Linear("0 + g + x", intercept=WIDE, slopes=bm.Normal(0, 0.5))
    return bm.fit(bm.NormalNormal(mu=mu, tau=TAU), data)


def test_loo_is_the_ratio_of_evidences_with_the_columns_of_all_studies():
    fit = alike()
    found, matrix, sds = bm.loo(fit), fit.model.location.design(fit.data).matrix, [2, 2, 0.5]
    whole = log_evidence(fit.data, matrix, sds)
    assert fit.log_marginal_likelihood == pytest.approx(whole, abs=1e-8)
    assert set(found.how) == {"exact"}
    for i in range(5):
        rest = np.arange(5) != i
        without = log_evidence(fit.data.keep(rest), matrix[rest], sds)
        assert found.elpd[i] == pytest.approx(whole - without, abs=1e-7)
    in_sample = stats.norm(0, 1)  # of the last study, by its own place and the spread
    ahead = fit.at(g="v", x=1.0, new=True)
    x = np.linspace(-6, 6, 4001)
    density = np.trapezoid(ahead.pdf(0.2 - 0.4 * x) * in_sample.pdf(x), x)
    assert found.fitted[-1] == pytest.approx(np.log(density), abs=1e-6)


def test_loo_pit_is_the_share_of_lower_results():
    fit = alike()
    rest = fit.data.keep(np.arange(5) < 4)
    without = bm.fit(fit.model.kept(fit.data), rest)
    y = without.at(g="v", x=1.0, new=True)
    draws = y.quantile(stats.uniform.ppf((np.arange(4000) + 0.5) / 4000))
    share = stats.norm.cdf(0.2, draws, 0.4).mean()
    assert bm.loo(fit).pit[-1] == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize("name", ["normal", "t", "outliers", "OR", "exchangeable", "beta-binomial"])
def test_densities_of_studies_are_those_of_a_model_with_their_effect_for_all(name):
    from bayesmeta.engines import study_densities
    from bayesmeta.simulate import parameters

    model, data = MODELS[name]
    drawn = parameters(model, data.k, 7, seed=2, data=data)
    shared = {key: one for key, one in drawn.items() if one.ndim == 1 or key == COEFFICIENT}
    found = study_densities(model, data, shared)
    scalar = replace(model, mu=WIDE)
    x = X["x"] - X["x"].mean()
    for i in range(4):
        mu = shared[COEFFICIENT] @ [1, x[i]]
        rest = {key: one for key, one in shared.items() if key != COEFFICIENT}
        own = study_densities(scalar, data, {"mu": mu, **rest})
        for one, other in zip(found, own, strict=True):
            # nodes of effects and baselines follow the most precise study of those together
            assert one[:, i] == pytest.approx(other[:, i], rel=5e-5, abs=1e-6)


@pytest.mark.deep("two samplers, and fits without each of five studies: 30 s")
def test_loo_of_draws_agrees_with_that_of_integration_and_counts_have_one():
    fit = on_latitude()
    drawn = bm.fit(fit.model, fit.data, bm.NUTS(seed=4))
    assert bm.loo(drawn).elpd == pytest.approx(bm.loo(fit).elpd, abs=0.1)
    assert bm.deviance(drawn).residual == pytest.approx(bm.deviance(fit).residual, rel=0.15)
    again = bm.loo(alike(), engine=bm.NUTS(seed=2))
    assert set(again.how) == {"refit"}
    assert again.elpd == pytest.approx(bm.loo(alike()).elpd, abs=0.08)
    counts = bm.BinomialNormal(measure="OR", mu=fit.model.mu, tau=TAU)
    found = bm.loo(bm.fit(counts, BCG, bm.NUTS(seed=4)))
    assert not found.missing
    assert np.argmin(found.elpd) == BCG.study.index("TPT Madras 1980")


@pytest.mark.parametrize("fit", [alike, on_latitude])
def test_deviance_of_estimates_is_that_of_their_effects(fit):
    fit = fit()
    found = bm.deviance(fit)
    effects = fit["theta"].each
    gap = fit.data.y - [one.mean() for one in effects]
    sd = np.array([one.sd() for one in effects])
    assert found.residual == pytest.approx((gap**2 + sd**2) / fit.data.se**2, rel=1e-5)
    assert found.leverage == pytest.approx(sd**2 / fit.data.se**2, rel=1e-5)


def test_deviance_without_spread_is_that_of_the_least_squares_line():
    mu = bm.Linear("x", intercept=bm.Flat(), slopes=bm.Flat())
    fit = bm.fit(bm.CommonEffect(mu=mu), Y)
    x = np.column_stack([np.ones(4), X["x"]]) / Y.se[:, None]
    hat = x @ np.linalg.pinv(x)
    gap = (np.eye(4) - hat) @ (Y.y / Y.se)
    found = bm.deviance(fit)
    assert found.leverage == pytest.approx(np.diag(hat), abs=1e-6)
    assert found.residual == pytest.approx(gap**2 + np.diag(hat), abs=1e-6)
    assert found.p_d == pytest.approx(2, abs=1e-6)


def test_posterior_predictive_draws_each_study_at_its_place():
    fit = on_latitude()
    same = bm.posterior_predictive(fit, seed=1)
    new = bm.posterior_predictive(fit, seed=1, new=True)
    for check, effects in (
        (same, fit["theta"].each),
        (new, [fit.at(latitude=x, new=True) for x in fit.data.covariates["latitude"]]),
    ):
        arm = check.arms["estimate"]
        for i, effect in enumerate(effects):
            sd = np.hypot(effect.sd(), fit.data.se[i])
            assert arm.median[i] == pytest.approx(effect.mean(), abs=0.09 * sd)
            assert arm.upper[i] - arm.lower[i] == pytest.approx(2 * 1.96 * sd, rel=0.12)
            assert arm.observed[i] == fit.data.y[i]


def test_parameters_are_drawn_from_their_priors_at_the_places_of_the_studies():
    from bayesmeta.simulate import parameters

    model, data = on_latitude(SLOPE).model, OR
    drawn = parameters(model, data.k, 20_000, seed=1, data=data)
    matrix = model.location.design(data).matrix
    assert drawn[COEFFICIENT].shape == (20_000, 2)
    assert "theta_new" not in drawn
    expected = np.sqrt((matrix**2 @ [0.01, 0.01]) + 0.25)
    assert drawn["theta"].std(axis=0) == pytest.approx(expected, rel=0.03)
    with pytest.raises(bm.ModelError, match="data=studies"):
        parameters(model, data.k, 5, seed=1)


PROPER_ONES = {
    name: one for name, one in MODELS.items() if "means" not in name or one[0].baseline is not None
}


@pytest.mark.parametrize(("model", "data"), PROPER_ONES.values(), ids=PROPER_ONES)
def test_every_likelihood_has_draws_of_parameters_and_of_tables(model, data):
    from bayesmeta.simulate import parameters, replicate

    drawn = parameters(model, data.k, 50, seed=1, data=data)
    for new in (False, True):
        made = replicate(model, drawn, data, seed=2, new=new)
        assert all(one.shape == (50, 4) and np.isfinite(one).all() for one in made.values())


def test_prior_predictive_says_what_coefficients_imply():
    found = bm.prior_predictive(on_latitude().model, OR, seed=1).table()
    low, middle, high = np.exp([-3.919928, 0, 3.919928])
    for name in ("intercept", "latitude"):
        row = found.loc[f"{COEFFICIENT}[{name}]"]
        assert row[["lower", "median", "upper"]].tolist() == pytest.approx(
            [low, middle, high], rel=1e-6
        )
    extreme = 2 * stats.norm.cdf(-np.log(10) / 2)
    assert found.loc[f"{COEFFICIENT}[intercept]", "extreme"] == pytest.approx(extreme, abs=1e-9)
    assert np.isnan(found.loc[f"{COEFFICIENT}[latitude]", "extreme"])
    arms = bm.prior_predictive(MODELS["proportions"][0], ARMS, seed=1).table()
    assert arms.loc[f"{COEFFICIENT}[x] (analysis scale)", "median"] == 0


@pytest.mark.parametrize("name", [one for one in STORED["bayesmeta"] if one.endswith("N04")])
def test_bayes_factors_of_coefficients_and_of_tau_are_those_of_r_bayesmeta(name):
    prior, stored = bm.Normal(0, 4), STORED["bayesmeta"][name]["bayesfactor"]
    fit = on_latitude(prior) if name.startswith("bcg") else crins(name, prior)
    found = bm.bayes_factors(fit).table()["bf01"]
    assert found["tau = 0"] == pytest.approx(stored[0], rel=2e-6)
    names = [f"{one} = 0" for one in fit.model.location.entries(fit.data)]
    for one, other in zip(names, stored[1:], strict=True):
        assert found[one] == pytest.approx(other, rel=1e-3)  # by a density far out on R's grid
    assert bm.coherence(fit, factors=bm.bayes_factors(fit)).passed


def test_bayes_factors_are_ratios_of_evidences_of_other_fits():
    fit, x = alike(), alike().data.covariates["x"]
    table = bm.bayes_factors(fit).table()["log_bf01"]
    mu = bm.ByGroup("g", WIDE)
    without = bm.fit(bm.NormalNormal(mu=mu, tau=TAU), fit.data).log_marginal_likelihood
    assert table["x = 0"] == pytest.approx(without - fit.log_marginal_likelihood, abs=1e-8)
    common = bm.CommonEffect(mu=fit.model.mu)
    without = bm.fit(common, fit.data).log_marginal_likelihood
    assert table["tau = 0"] == pytest.approx(without - fit.log_marginal_likelihood, abs=1e-9)
    matrix = np.column_stack([[0, 1, 1, 1, 1], x - x.mean()])
    without = log_evidence(fit.data, matrix, [2, 0.5])
    assert table["g[u] = 0"] == pytest.approx(without - fit.log_marginal_likelihood, abs=1e-7)
    alone = bm.fit(bm.CommonEffect(mu=bm.Linear("0 + x", intercept=WIDE, slopes=SLOPE)), fit.data)
    nothing = stats.norm(0, fit.data.se).logpdf(fit.data.y).sum()
    found = bm.bayes_factors(alone).table().loc["x = 0", "log_bf01"]
    assert found == pytest.approx(nothing - alone.log_marginal_likelihood, abs=1e-9)


def test_bayes_factors_of_tau_by_scale_are_those_of_fits_with_these_priors():
    scaled = bm.bayes_factors(on_latitude()).by_scale
    wide = bm.bayes_factors(on_latitude(tau=bm.HalfNormal(1))).factors[-1]
    assert scaled[2].log_bf01 == pytest.approx(wide.log_bf01, abs=1e-6)


def test_files_hold_coefficients_by_name_with_their_prior(tmp_path):
    import xarray as xr

    from bayesmeta.files import write_posterior

    fit = on_latitude()
    write_posterior(fit, tmp_path / "fit.nc")
    with xr.open_datatree(tmp_path / "fit.nc", engine="h5netcdf") as tree:
        drawn = tree["posterior"]["coefficient"]
        assert drawn.dims == ("chain", "draw", "term")
        slope = drawn.sel(term="latitude")
        assert float(slope.mean()) == pytest.approx(fit["latitude"].mean(), abs=2e-4)
        assert float(tree["prior"]["coefficient"].std()) == pytest.approx(2, rel=0.06)
        assert tree["prior"]["theta"].dims == ("chain", "draw", "study")
        log = tree["log_likelihood"]["y"].values.reshape(-1, 13)
        # the harmonic mean over draws is the density of a study given the others
        elpd = -np.log(np.exp(-log).mean(axis=0))
        assert np.median(np.abs(elpd - bm.loo(fit).elpd)) < 0.02
        assert tree["constant_data"]["latitude"].values[0] == 44
        design = tree["constant_data"]["design"]
        expected = (design * drawn).sum("term").mean(("chain", "draw"))
        at = [fit.at(latitude=x).mean() for x in (44, 55)]
        assert expected.values[:2] == pytest.approx(at, abs=0.01)


def test_slopes_of_logits_are_no_proportions():
    data = bm.EffectSizes.from_arrays(NAMES, Y.y - 1, Y.se, measure="PLO", covariates=X)
    fit = bm.fit(bm.NormalNormal(**ON_X), data)
    table = bm.summary(fit, scale="natural")["median"]
    intercept, slope = (fit[name].quantile(0.5) for name in ("intercept", "x"))
    assert table[f"{COEFFICIENT}[intercept]"] == pytest.approx(special.expit(intercept), abs=1e-12)
    assert table[f"{COEFFICIENT}[x]"] == pytest.approx(slope, abs=1e-12)
    assert f"x {slope:.4g}" in repr(fit)
    assert "(logit proportion); tau" in repr(fit)
    odds = bm.summary(bm.fit(fit.model, Y), scale="natural").loc[f"{COEFFICIENT}[x]", "median"]
    assert odds == pytest.approx(np.exp(bm.fit(fit.model, Y)["x"].quantile(0.5)), abs=1e-12)
    assert MODELS["RD"][0].no_values(COUNTS) == ("x",)
    several = bm.MultivariateNormal(mu=WIDE, tau=TAU, rho=bm.Uniform(-1, 1))
    assert several.location.differences(Y) == ()


READERS = {
    "compare": lambda fit: bm.compare({"a": fit}),
    "conflict": lambda fit: checks.conflict(fit),
    "power_scaling": lambda fit: bm.power_scaling(fit),
    "mean_weights": lambda fit: bm.mean_weights(fit),
    "reverse_bayes": lambda fit: bm.reverse_bayes(fit),
    "tipping_points": lambda fit: bm.tipping_points(fit),
    "zero_studies": lambda fit: bm.zero_studies(fit),
    "A conclusion": lambda fit: evidence.conclusion(fit),
    "absolute_effects": lambda fit: bm.absolute_effects(fit, better="lower", baseline=0.1),
    "psa": lambda fit: bm.psa({"a": bm.PsaOutcome(fit, better="lower", baseline=0.1)}),
    "summary_of_findings": lambda fit: bm.summary_of_findings(
        {"a": decision.EffectAlone(posterior=fit, better="lower")}
    ),
    "baseline": lambda fit: bm.baseline(fit),
    "forest": lambda fit: bm.plots.forest(fit),
    "A forest plot": lambda fit: summaries.forest_rows(fit),
    "density_rows": lambda fit: bm.plots.prior_posterior(fit),
}


OF_ARMS = {
    "width_penalty": lambda fit: bm.width_penalty(fit),
    "quartile_definitions": lambda fit: bm.quartile_definitions(fit),
}


@pytest.mark.parametrize("name", OF_ARMS)
def test_so_does_what_is_for_arms_alone(name):
    model = MODELS["means"][0]
    fit = replace(bm.fit(replace(model, mu=WIDE), MEANS), model=model)  # no sampler is needed
    with pytest.raises(bm.ModelError, match=f"{name} takes a model with one overall effect"):
        OF_ARMS[name](fit)


@pytest.mark.parametrize("name", READERS)
def test_what_has_room_for_one_effect_refuses_several_and_says_where_to_ask(name):
    for fit, covariate in ((on_latitude(), "latitude"), (alike(), "g, x")):
        said = rf"{name} takes a model with one overall effect, and here it depends on {covariate}"
        with pytest.raises(bm.ModelError, match=rf"{said}: .* posterior\.at"):
            READERS[name](fit)


def test_the_others_take_a_fit_with_covariates():
    fit = alike()
    whole = bm.check(fit, seed=1)
    assert whole.loo is not None
    assert "power scaling is of one overall effect" in repr(whole.trust)
    assert bm.coherence(fit).passed
    assert list(bm.compare_loo({"line": bm.loo(fit), "groups": bm.loo(fit)}).index)
    with pytest.raises(bm.ModelError, match="MultivariateNormal"):
        bm.compare_outcomes(fit)


def test_priors_of_coefficients_are_among_those_that_pymc_may_lack(monkeypatch):
    from bayesmeta.engines.graph import source

    assert source.lacking(MODELS["normal"][0]) == ""
    known = {one: form for one, form in source._PYMC.items() if one is not bm.StudentT}
    monkeypatch.setattr(source, "_PYMC", known)
    assert "no PyMC form of StudentT(4, 0, 1)" in source.lacking(MODELS["normal"][0])


def test_a_covariate_may_be_called_as_a_parameter_is():
    data = bm.EffectSizes.from_arrays(
        NAMES, Y.y, Y.se, measure="OR", covariates={"tau": X["x"], "mu": X["group"]}
    )
    flat = bm.Linear("tau", intercept=WIDE, slopes={"tau": bm.Flat()})
    model = bm.NormalNormal(mu=flat, tau=TAU)
    assert model.priors == {"intercept": WIDE, "mu[tau]": bm.Flat(), "tau": TAU}
    fit = bm.fit(model, data)
    assert fit.log_marginal_likelihood is None
    with pytest.raises(bm.ModelError, match="proper priors"):
        bm.bayes_factors(fit)
    proper = bm.Linear("tau", intercept=WIDE, slopes=SLOPE)
    found = bm.bayes_factors(bm.fit(bm.NormalNormal(mu=proper, tau=TAU), data)).factors
    same = bm.fit(bm.NormalNormal(mu=bm.Linear("x", intercept=WIDE, slopes=SLOPE), tau=TAU), Y)
    expected = [one.log_bf01 for one in bm.bayes_factors(same).factors]
    assert [one.log_bf01 for one in found] == pytest.approx(expected, abs=1e-12)


STEPS = bm.EffectSizes.from_arrays(
    list("ABCDEF"),
    [-0.5, -0.2, 0.1, 0.0, 0.3, 0.7],
    [0.2, 0.25, 0.2, 0.3, 0.2, 0.25],
    measure="OR",
    covariates={"x": [1, 2, 3, 4, 5, 9], "z": [0, 3, 1, 2, 5, 1], "kind": list("aabbbc")},
)


def regression(formula, **words):
    mu = bm.Linear(formula, intercept=bm.Normal(0, 2), slopes=bm.Normal(0, 1), **words)
    return bm.NormalNormal(mu=mu, tau=bm.HalfNormal(0.5))


@pytest.mark.parametrize("formula", ["x", "x * z", "poly(x, 2)"])
def test_a_row_without_a_study_is_of_the_same_coefficient(formula):
    fit = bm.fit(regression(formula), STEPS)
    found = bm.scenarios(fit)
    rest = STEPS.keep(np.arange(6) != 5)
    byhand = bm.fit(fit.model.kept(STEPS), rest)
    (row,) = [one for one in found.rows if one.name == "without F"]
    whole = next(one for one in found.rows if one.name == "base case")
    names = dict(zip(fit[COEFFICIENT].study, byhand[COEFFICIENT].each, strict=True))
    of = min(names, key=lambda one: abs(fit[one].quantile(0.5) - whole.estimate[0]))
    assert row.estimate == pytest.approx(names[of].quantile([0.5, 0.025, 0.975]), abs=1e-7)


def test_a_study_that_alone_tells_of_a_group_is_not_left_out_in_silence():
    fit = bm.fit(regression("kind + x"), STEPS)
    found = bm.scenarios(fit)
    assert "without F" not in {one.name for one in found.rows}
    (why,) = [one.why for one in found.not_made if one.name == "without F"]
    assert why == "no other study tells of one of the coefficients"
    assert "without A" in {one.name for one in found.rows}


def test_a_reading_that_differs_in_its_covariate_is_a_row_of_its_own():
    fit = bm.fit(regression("x"), STEPS)
    other = replace(STEPS, covariates={**STEPS.covariates, "x": [9, 2, 3, 4, 5, 1]})
    same = replace(STEPS, covariates={**STEPS.covariates, "z": [9, 2, 3, 4, 5, 1]})
    found = bm.scenarios(fit, further={"other x": other, "other z": same})
    rows = {one.name: one for one in found.rows}
    byhand = bm.fit(regression("x"), other)["x"].quantile([0.5, 0.025, 0.975])
    assert rows["other x"].estimate == pytest.approx(byhand, abs=1e-7)
    assert "other z" not in rows  # nothing asks for it


def test_places_that_differ_are_told_apart():
    fit = bm.fit(regression("x"), STEPS)
    places = [{"x": 2012.4}, {"x": 2011.6}, {"x": 2012}, {"x": 12345.5}]
    table = moderators(fit, places=places).place_table(0.95)
    assert [*table.index] == ["x 2012.4", "x 2011.6", "x 2012", "x 12345.5"]
