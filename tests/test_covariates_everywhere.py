"""Fits with covariates, wherever a fit is taken: held to a second source, or refused by name."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate

import bayesmeta as bm
from bayesmeta.engines import mathematics, pymc_source
from bayesmeta.engines.compiled.precision import float64
from bayesmeta.model import COEFFICIENT

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
