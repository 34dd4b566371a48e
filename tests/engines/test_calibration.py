"""Parameters drawn from the priors and data from them: their posterior probabilities are uniform.

Talts S, Betancourt M, Simpson D, Vehtari A, Gelman A (2018). arXiv:1804.06788. The whole grid is
made by ``benchmarks/sbc.py``; its stored result is held to its own level here.
"""

import json
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from references import numbered
from scipy import stats
from scipy.special import ndtri

import bayesmeta as bm
from bayesmeta.model import Model
from bayesmeta.simulate import parameters, replicate

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
SEED = 20240622
MU, TAU = bm.Normal(-0.2, 0.5), bm.HalfNormal(0.4)
COMMON, RARE = bm.Normal(-0.7, 0.6), bm.Normal(-3.2, 0.5)
BOTH = {"mu": MU, "tau": TAU}
LINE = bm.Linear("x", intercept=MU, slopes=bm.Normal(0.3, 0.4))
NARROW = {"mu": bm.Normal(0, 0.25), "tau": bm.HalfNormal(0.15)}
CELLS = {  # model, studies, times: 5 to 8 seconds each
    "normal": (bm.NormalNormal(**BOTH), 3, 1000),
    "OR": (bm.BinomialNormal(measure="OR", **BOTH, baseline=COMMON), 5, 500),
    "OR, 0/1 coding, zero-heavy": (
        bm.BinomialNormal(measure="OR", **BOTH, baseline=RARE, coding="zero_one"), 3, 300,
    ),
    "RR, zero-heavy": (bm.BinomialNormal(measure="RR", **BOTH, baseline=RARE), 3, 300),
    "RD": (bm.BinomialNormal(measure="RD", **NARROW, baseline=COMMON), 5, 250),
    "hypergeometric, zero-heavy": (bm.HypergeometricNormal(**BOTH), 5, 500),
    "Poisson, zero-heavy": (bm.PoissonNormal(**BOTH, baseline=RARE), 5, 400),
    "proportion": (bm.ProportionNormal(mu=COMMON, tau=TAU), 5, 600),
    "normal, slope": (bm.NormalNormal(mu=LINE, tau=TAU), 5, 300),
    "normal, groups": (bm.NormalNormal(mu=bm.ByGroup("g", MU), tau=TAU), 5, 300),
    "OR, slope": (bm.BinomialNormal(measure="OR", mu=LINE, tau=TAU, baseline=COMMON), 5, 60),
}  # fmt: skip
COMBINATIONS = {  # of coefficients, whose posterior probabilities are looked at; else of mu
    "x": ({"intercept": 1.0, "x": 0.0}, {"intercept": 0.0, "x": 1.0}),
    "g": ({"g[a]": 1.0, "g[b]": 0.0}, {"g[a]": -1.0, "g[b]": 1.0}),
}
TESTS = 3
LEVEL = 0.01 / (3 * len(CELLS) * TESTS)  # of each test: at most 1% of all together


def design(model, k):
    """Standard errors, or sizes of arms; the events matter where the margins are given."""
    rng = np.random.default_rng(SEED)
    if model.takes is bm.EffectSizes:
        se = rng.uniform(0.1, 0.6, k)
        return bm.EffectSizes.from_arrays(numbered(k), np.zeros(k), se, covariates=told(k))
    rare = isinstance(model, bm.HypergeometricNormal) or getattr(model, "baseline", None) == RARE
    columns = {}
    for arm in model.takes.arms:
        size = rng.integers(20, 60, k) if rare else rng.integers(40, 200, k)
        columns |= {f"{model.takes.size}{arm}": size, f"events{arm}": rng.integers(0, 4, k)}
    return model.takes(study=numbered(k), covariates=told(k), **columns)


def told(k):
    """A number and two groups, neither in the order of the other."""
    return {"x": np.linspace(-1.5, 1.5, k), "g": ["ab"[i % 2] for i in range(k)]}


def below_truth(posterior, drawn, i):
    """Posterior probabilities below what was drawn: of mu, or of coefficients, and of tau."""
    below = [posterior["tau"].cdf(drawn["tau"][i])]
    if "mu" in drawn:
        return [posterior["mu"].cdf(drawn["mu"][i]), *below]
    for weights in COMBINATIONS[posterior.model.location.variables[0]]:
        truth = drawn["coefficient"][i] @ list(weights.values())
        below.append(posterior.contrast(weights).cdf(truth))
    return below


def posterior_probabilities(model, k, times, *, broken=None):
    """Posterior probabilities below the truth, one array for each quantity."""
    data = design(model, k)
    drawn = parameters(model, k, times, seed=SEED, data=data)
    outcomes = replicate(model, broken(drawn) if broken else drawn, data, seed=SEED + 1)
    found = []
    for i in range(times):
        row = {name: values[i] for name, values in outcomes.items()}
        posterior = bm.fit(model, replace(data, **row))
        assert posterior.diagnostics.passed
        found.append(below_truth(posterior, drawn, i))
    return np.transpose(found)


def smallest_p(below):
    """Of tests of uniformity: Kolmogorov–Smirnov, and mean and spread of the normal scores."""
    scores = ndtri(np.clip(below, 1e-12, 1 - 1e-12))
    mean_z, square = scores.mean() * scores.size**0.5, (scores**2).sum()
    spread = stats.chi2(scores.size)
    tail = min(spread.cdf(square), spread.sf(square))
    return min(stats.kstest(below, "uniform").pvalue, 2 * stats.norm.sf(abs(mean_z)), 2 * tail)


@pytest.mark.deep("hundreds of fits a likelihood: 5 to 30 s each", but=["normal"])
@pytest.mark.parametrize("name", CELLS)
def test_posterior_probabilities_of_the_truth_are_uniform(name):
    for below in posterior_probabilities(*CELLS[name]):
        assert smallest_p(below) > LEVEL


def variance_for_sd(drawn):
    mu, tau = drawn["mu"][:, None], drawn["tau"][:, None]
    return {**drawn, "theta": mu + (drawn["theta"] - mu) / np.sqrt(tau)}


def twice_as_steep(drawn):
    x = told(drawn["theta"].shape[1])["x"]
    return {**drawn, "theta": drawn["theta"] + drawn["coefficient"][:, 1:] * x}


def whole_effect_in_each_arm(drawn):
    return {**drawn, "theta": 2 * drawn["theta"]}


@pytest.mark.deep("sixty fits of counts: 3 s", but=["normal-*"])
@pytest.mark.parametrize(
    ("name", "times", "broken"),
    [
        ("normal", 250, variance_for_sd),
        ("normal, slope", 250, twice_as_steep),
        ("OR", 60, whole_effect_in_each_arm),
    ],
)
def test_a_wrong_model_is_caught(name, times, broken):
    model, k, _ = CELLS[name]
    found = posterior_probabilities(model, k, times, broken=broken)
    assert min(map(smallest_p, found)) < LEVEL


@cache
def stored(name):
    return json.loads((RESULTS / f"{name}.json").read_text())


SIZES, RISKS = (3, 5, 14), ("common", "zero-heavy")
ESTIMATES = (
    *("common effect", "normal", "normal, Student-t effects"),
    *("normal, unknown df", "outlier mixture", "two outcomes", "three outcomes"),
)
COUNTS = (
    *("OR", "OR, 0/1 coding", "OR, exchangeable baselines", "RR", "RD", "hypergeometric"),
    *("Poisson", "proportion", "incidence", "beta-binomial"),
)


def test_the_stored_calibration_names_every_model_size_and_risk():
    found = {(row["model"], row["k"], row["risk"]) for row in stored("sbc")["cells"]}
    of_lines = product(("normal, slope", "normal, groups"), SIZES, "-")
    of_counts = product(("OR, slope", "RR, slope"), SIZES, ["common"])
    assert {*of_lines, *of_counts, *product(["MD of arms, slope"], SIZES, ["arms"])} <= found
    assert {*product(ESTIMATES, SIZES, "-"), *product(COUNTS, SIZES, RISKS)} <= found
    classes = {row["class"] for row in stored("sbc")["cells"]}
    assert classes == set(finals(Model))


def finals(model):
    """Names of the package's classes that nothing is derived from."""
    below = [one for one in model.__subclasses__() if one.__module__.startswith("bayesmeta")]
    return [name for one in below for name in finals(one)] if below else [model.__name__]


def test_the_stored_calibration_keeps_its_level_and_catches_what_is_wrong():
    result = stored("sbc")
    sound = result["cells"] + result["pooled"]
    level = result["family_wise_level"] / (TESTS * len(sound))
    assert result["level_of_each_test"] == pytest.approx(level)
    assert [row for row in sound if row["smallest_p"] <= level] == []
    wrong = {}
    for row in result["wrong"]:
        if row["must_be_caught"]:
            wrong.setdefault(row["model"], []).append(row["smallest_p"])
    assert len(wrong) >= 1
    assert all(min(each) <= level for each in wrong.values())


def test_the_stored_coverage_is_complete_and_agrees_with_the_package():
    result = stored("coverage")
    methods = {"posterior, counts", "posterior, normal–normal", "Wald, REML", "Wald, DL"}
    methods |= {"HKSJ, REML", "truncated HKSJ, REML"}
    found = {(row["k"], row["tau"], row["risk"], row["method"]) for row in result["rows"]}
    assert found >= {*product((3, 5, 10, 20), (0.0, 0.2, 0.5), ("common", "rare"), methods)}
    assert all(cell["largest_difference_from_package"] < 1e-6 for cell in result["cells"])
    assert all(cell["problems"] == 0 for cell in result["cells"])
