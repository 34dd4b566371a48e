"""The printed source of models of continuous outcomes, against the model that is sampled."""

import numpy as np
import pytest
from scipy import stats

import bayesmeta as bm
from bayesmeta.engines import mathematics, pymc_source
from bayesmeta.engines.compiled.precision import float64
from bayesmeta.engines.graph.build import build
from bayesmeta.engines.sampling.inputs import columns_for
from bayesmeta.model import ARM_LINKS as LINKS

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
PROPER = {"baseline": bm.Normal(2, 1), "log_sd": bm.Normal(0, 1)}
DATA = bm.ContinuousStudies(
    study=["A", "B"],
    n_treatment=[12, 31],
    n_control=[14, 29],
    mean_treatment=[5.1, 4.2],
    sd_treatment=[2.0, 1.4],
    mean_control=[4.0, 4.4],
    sd_control=[1.7, 1.6],
)


def models():
    for measure, arms in LINKS:
        priors = {"measure": measure, "arms": arms, "mu": MU}
        yield f"{measure} {arms}", bm.ContinuousNormal(**priors, tau=TAU)
        yield f"{measure} {arms}, priors", bm.ContinuousNormal(**priors, tau=TAU, **PROPER)
        yield f"{measure} {arms}, common", bm.ContinuousCommonEffect(**priors)
    yield "t", bm.ContinuousNormal(measure="MD", mu=MU, tau=TAU, df=4)


MODELS = dict(models())


def log_density_of(model):
    from pytensor.compile.mode import Mode

    return model.compile_logp(mode=Mode("py", None))


def as_sampled(point, columns, model):
    """The same point where flat parameters are distances from rough values."""
    at = dict(point)
    if model.baseline is None:
        at["baseline_z"] = (at.pop("baseline") - columns["centre"]) / columns["unit"]
    if model.log_sd is None:
        rough = np.array([columns["log_sd_treatment"], columns["log_sd_control"]])
        n = np.array([columns["size_treatment"], columns["size_control"]])
        if model.measure == "SMD":
            rough, n = rough.mean(axis=0), n.sum(axis=0)
        at["log_sd_z"] = (at.pop("log_sd") - rough) * np.sqrt(2 * n)
    return at


def somewhere(model, columns):
    """Two points near the data, by the names of the printed model."""
    rng = np.random.default_rng(5)
    shape = (2,) if model.measure == "SMD" else (2, 2)
    for _ in range(2):
        point = {"mu": np.asarray(rng.normal(0.1, 0.2))}
        if "tau" in model.priors:
            point |= {"tau_log__": np.asarray(rng.normal(-1, 0.3)), "z": rng.normal(size=2)}
        point["baseline"] = columns["centre"] + 0.2 * rng.normal(size=2)
        point["log_sd"] = columns["log_sd_treatment"] + 0.3 * rng.normal(size=shape)
        yield point


@pytest.mark.deep(
    "two graphs for each model: 4 s in all",
    but=["MD normal", "SMD normal, priors", "ROM normal, common", "RGM lognormal", "t"],
)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_printed_source_runs_and_is_the_model_that_is_sampled(model):
    """Up to a constant: flat densities have none of their own."""
    with float64():
        space = {"study": list(DATA.study), **DATA.numbers}
        exec(pymc_source(model), space)
        columns = columns_for(model, DATA)
        printed = log_density_of(space["model"])

        sampled = log_density_of(build(model, DATA.study, columns))
        first, second = somewhere(model, columns)
        ours = [float(printed(point)) for point in (first, second)]
        theirs = [float(sampled(as_sampled(at, columns, model))) for at in (first, second)]
    assert abs(np.diff(ours)[0]) > 0.1
    assert np.diff(ours) == pytest.approx(np.diff(theirs), abs=1e-4)


def test_the_printed_densities_are_those_of_the_mean_and_the_sd_of_a_normal_sample():
    """With nothing left out: normal mean, and chi-square with the Jacobian of its scale."""
    model = MODELS["MD normal, common"]
    with float64():
        space = {"study": list(DATA.study), **DATA.numbers}
        exec(pymc_source(model), space)
        log_sd = np.log([[1.9, 1.5], [1.6, 1.7]])
        point = {"mu": np.asarray(0.4), "baseline": np.array([4.5, 4.3]), "log_sd": log_sd}
        found = float(log_density_of(space["model"])(point))
    expected = stats.norm.logpdf(0.4, 0, 2)
    for sign, name, sigma in (
        (1, "treatment", np.exp(log_sd[0])),
        (-1, "control", np.exp(log_sd[1])),
    ):
        n, mean, sd = (getattr(DATA, f"{one}_{name}") for one in ("n", "mean", "sd"))
        location = point["baseline"] + sign * 0.2
        expected += stats.norm.logpdf(mean, location, sigma / np.sqrt(n)).sum()
        scale = sigma**2 / (n - 1)
        expected += stats.chi2.logpdf(sd**2 / scale, n - 1).sum() - np.log(scale).sum()
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_source_and_notation_say_what_is_flat_and_how_quantiles_enter(model):
    text, lines = pymc_source(model), mathematics(model)
    assert "order statistics of n normal" in text
    assert any(line.startswith("quantilesᵢⱼ: order statistics") for line in lines)
    flat = model.baseline is None
    assert ("pm.Flat" in text) == flat
    assert (lines[-1] == ("log σᵢ flat" if model.measure == "SMD" else "log σᵢⱼ flat")) == flat
    assert any(line.startswith("μ ~ Normal(0, 2)") for line in lines)
