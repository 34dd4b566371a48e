"""Draw parameters from the priors and data from them; are the posterior probabilities uniform?

    uv run benchmarks/sbc.py [--seed 20240622] [--checkpoint FILE] [--onto FILE] [-o FILE]

One cell is a model, a number of studies and a size of risk. The posterior probability below the
truth is uniform if simulator, priors and engine mean the same model (Talts et al. 2018, arXiv
1804.06788). Deliberately wrong cells, whose data break the model, must not pass. With a checkpoint
a stopped run goes on where it stopped. Onto a stored result, only models that it lacks are run.
"""

import argparse
import json
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import ndtri
from stored import in_lines, made_with

import bayesmeta as bm
from bayesmeta.model import Model
from bayesmeta.posterior import Marginals
from bayesmeta.simulate import arm_figures, parameters, replicate

SIZES = (3, 5, 14)
LEVEL = 0.01  # of all tests together
POWER = 0.8
VERSIONS = ("bayesmeta", "numpy", "scipy", "jax", "blackjax", "pymc")

MU, TAU = bm.Normal(-0.2, 0.5), bm.HalfNormal(0.4)
BASELINE = {"common": bm.Normal(-0.7, 0.6), "zero-heavy": bm.Normal(-3.2, 0.5)}
ARMS = {"common": (40, 200), "zero-heavy": (20, 60)}
RISK = {"common": 0.3, "zero-heavy": 0.04}  # of the tables whose margins are given
NARROW = {  # atanh(RD)
    "common": {"mu": bm.Normal(0, 0.25), "tau": bm.HalfNormal(0.15)},
    "zero-heavy": {"mu": bm.Normal(0, 0.05), "tau": bm.HalfNormal(0.04)},
}
FEW_PATIENTS = "arms of 4 to 6"
PATIENTS = {"arms": (8, 60), FEW_PATIENTS: (4, 6)}
ARM_NAMES = ("treatment", "control")
FIXED = {"baseline": 20.0, "log_sd": 1.5}  # where the model has no prior of them
SPREAD = {"log_sd": bm.Normal(1.5, 0.4)}  # of normal arms
SPREAD_OF_LOGS = {"log_sd": bm.Normal(-0.7, 0.4)}
LEVELS = {"baseline": bm.Normal(3.2, 0.3)}  # of logs of means: an arm's mean is above zero


type Draws = Mapping[str, np.ndarray]


class Cell(NamedTuple):
    """A model, its size, how often it is tried; `broken` makes the data those of another model."""

    name: str
    model: Model
    k: int
    risk: str
    times: int
    quantities: tuple[str, ...] = ("mu", "tau")
    broken: Callable[[Draws], Draws] | None = None
    caught: bool = False  # whether a broken cell has to be caught

    @property
    def key(self) -> str:
        return f"{self.name}, k = {self.k}, {self.risk}"


def normal_models() -> dict[str, Model]:
    two, three = ({"mu": dict.fromkeys(names, MU), "tau": TAU} for names in ("ab", "abc"))
    return {
        "common effect": bm.CommonEffect(mu=MU),
        "normal": bm.NormalNormal(mu=MU, tau=TAU),
        "normal, Student-t effects": bm.NormalNormal(mu=MU, tau=TAU, df=4),
        "normal, unknown df": bm.NormalNormal(mu=MU, tau=TAU, df=bm.Uniform(3, 12)),
        "outlier mixture": bm.OutlierMixture(
            mu=MU, tau=TAU, share=bm.Beta(2, 8), spread=bm.HalfNormal(1)
        ),
        "two outcomes": bm.MultivariateNormal(**two, rho=bm.Uniform(-1, 1)),
        "three outcomes": bm.MultivariateNormal(**three, rho=bm.LKJ(2), within=bm.Uniform(0, 0.8)),
    }


def regressions() -> dict[tuple[str, str], Model]:
    """Models whose effects depend on a covariate, by name and risk."""
    slopes = bm.Normal(0.3, 0.4)
    both = {"mu": bm.Linear("x", intercept=MU, slopes=slopes), "tau": TAU}
    wide = bm.Linear("x", intercept=bm.Normal(-1, 2), slopes=bm.Normal(0.5, 2))
    beta = BASELINE["common"]
    means = {"mu": wide, "tau": bm.HalfNormal(1.5), **SPREAD}
    return {
        ("normal, slope", "-"): bm.NormalNormal(**both),
        ("normal, groups", "-"): bm.NormalNormal(mu=bm.ByGroup("g", MU), tau=TAU),
        ("OR, slope", "common"): bm.BinomialNormal(measure="OR", **both, baseline=beta),
        ("RR, slope", "common"): bm.BinomialNormal(measure="RR", **both, baseline=beta),
        ("MD of arms, slope", "arms"): bm.ContinuousNormal(measure="MD", **means),
    }


def covariates(k: int) -> dict[str, object]:
    """A number and two groups, neither in the order of the other."""
    return {"x": np.linspace(-1.5, 1.5, k), "g": ["ab"[i % 2] for i in range(k)]}


def count_models(risk: str) -> dict[str, Model]:
    both, beta = {"mu": MU, "tau": TAU}, BASELINE[risk]
    logit = {"mu": beta, "tau": TAU}
    shared = bm.Exchangeable(bm.Normal(beta.mean, 0.4), bm.HalfNormal(0.4))
    return {
        "OR": bm.BinomialNormal(measure="OR", **both, baseline=beta),
        "OR, 0/1 coding": bm.BinomialNormal(measure="OR", **both, baseline=beta, coding="zero_one"),
        "RR": bm.BinomialNormal(measure="RR", **both, baseline=beta),
        "RD": bm.BinomialNormal(measure="RD", **NARROW[risk], baseline=beta),
        "OR, exchangeable baselines": bm.BinomialNormal(measure="OR", **both, baseline=shared),
        "hypergeometric": bm.HypergeometricNormal(**both),
        "Poisson": bm.PoissonNormal(**both, baseline=beta),
        "proportion": bm.ProportionNormal(**logit),
        "incidence": bm.IncidenceNormal(**logit),
        "beta-binomial": bm.BetaBinomial(mu=MU, baseline=beta, rho=bm.Beta(2, 20)),
    }


def arm_models() -> dict[str, Model]:
    """Models of means and SDs.

    Where a baseline is flat, all that is said of the effect stays as it is when both arms are
    moved (SMD: moved or stretched), and the flat prior is the right Haar measure of these moves:
    the posterior probability below the truth has one law whatever the baseline (SMD: and the SD),
    so that one value of them stands for all. Stretching alters MD and ROM, or their baselines: SDs,
    and for ROM of normal arms baselines, are drawn from proper priors.
    """
    wide = {"mu": bm.Normal(-1, 2), "tau": bm.HalfNormal(1.5)}
    both = {"mu": MU, "tau": TAU}
    ratio = {**both, "measure": "ROM", **SPREAD, **LEVELS}
    logs = {**both, "arms": "lognormal", **SPREAD_OF_LOGS}
    return {
        "MD of arms": bm.ContinuousNormal(measure="MD", **wide, **SPREAD),
        "SMD of arms": bm.ContinuousNormal(measure="SMD", **both),
        "ROM of arms": bm.ContinuousNormal(**ratio),
        "ROM of log-normal arms": bm.ContinuousNormal(measure="ROM", **logs),
        "RGM of arms": bm.ContinuousNormal(measure="RGM", **logs),
        "one SMD of arms": bm.ContinuousCommonEffect(measure="SMD", mu=MU),
    }


TIMES = {  # tables by model, or by model and risk: fewer where a fit takes long
    **dict.fromkeys(("common effect", "normal", "OR"), 1000),
    **dict.fromkeys(("hypergeometric", "proportion"), 500),
    **dict.fromkeys(("OR, 0/1 coding", "Poisson"), 300),
    **dict.fromkeys(("RR", "RD", "incidence"), 200),
    **dict.fromkeys(("OR, exchangeable baselines", "beta-binomial"), 64),
    **dict.fromkeys(("normal, unknown df", "outlier mixture"), 64),
    **dict.fromkeys(("two outcomes", "three outcomes"), 64),
    "normal, Student-t effects": 48,
    "MD of arms": 150,
    **dict.fromkeys(("ROM of arms", "ROM of log-normal arms", "RGM of arms"), 24),
    "SMD of arms": 400,
    "one SMD of arms": 200,
    **dict.fromkeys(("normal, slope", "normal, groups"), 500),
    **dict.fromkeys(("OR, slope", "RR, slope"), 100),
    "MD of arms, slope": 48,
    **{(name, "zero-heavy"): 300 for name in ("OR", "hypergeometric", "RR")},
    ("proportion", "zero-heavy"): 200,
    ("RD", "zero-heavy"): 48,
}
EVERY = ("mu", "tau", "theta_new", "theta")
DIFFERENCE = "g[b] - g[a]"
SLOPE = ("intercept", "x", "tau")
QUANTITIES = {
    **dict.fromkeys(("common effect", "one SMD of arms"), ("mu",)),
    "normal": EVERY,
    "beta-binomial": ("mu", "rho"),
    "normal, unknown df": ("mu", "tau", "df"),
    "outlier mixture": ("mu", "tau", "share", "spread"),
    "two outcomes": (*EVERY, "rho"),
    "three outcomes": (*EVERY, "rho", "within"),
    "normal, groups": ("g[a]", "g[b]", DIFFERENCE, "tau"),
    **{f"{name}, slope": SLOPE for name in ("normal", "OR", "RR", "MD of arms")},
}


def cells() -> list[Cell]:
    """Cheap cells first."""
    found = [("-", name, model) for name, model in normal_models().items()]
    found += [("arms", name, model) for name, model in arm_models().items()]
    found += [(r, name, model) for r in BASELINE for name, model in count_models(r).items()]
    found += [(r, name, model) for (name, r), model in regressions().items()]
    every = [
        Cell(name, model, k, r, TIMES.get((name, r), TIMES[name]), QUANTITIES.get(name, EVERY[:2]))
        for r, name, model in found
        for k in SIZES
    ]
    for risk in BASELINE:
        model = count_models(risk)["OR"]
        every.append(Cell("OR, effects of studies", model, 5, risk, 48, EVERY[2:]))
    model = normal_models()["normal, Student-t effects"]
    every.append(Cell("Student-t, effects of studies", model, 3, "-", 48, EVERY[2:]))
    return broken_cells() + sorted(every, key=lambda cell: -cell.times)


def broken_cells() -> list[Cell]:
    normal, binomial = normal_models()["normal"], count_models("common")["OR"]
    return [
        Cell("tau taken for a variance", normal, 5, "-", 1000, broken=as_variance, caught=True),
        Cell("tau twice as large", normal, 5, "-", 1000, broken=doubled, caught=True),
        Cell("½ of the coding forgotten", binomial, 5, "common", 1000, broken=whole, caught=True),
        Cell("0/1 data read as ±½", binomial, 5, "common", 1000, broken=shifted),
        Cell(
            "slope twice as large",
            regressions()["normal, slope", "-"],
            *(5, "-", 500, SLOPE),
            broken=steeper,
            caught=True,
        ),
        Cell("SDs taken as known", normal, 14, FEW_PATIENTS, 1000, broken=dict, caught=True),
    ]


def as_variance(draws: Draws) -> Draws:
    """Spread the effects by a standard deviation of √tau."""
    return _spread(draws, 1 / np.sqrt(draws["tau"]))


def doubled(draws: Draws) -> Draws:
    return _spread(draws, np.full_like(draws["tau"], 2.0))


def _spread(draws: Draws, factor: np.ndarray) -> Draws:
    mu = draws["mu"][:, None]
    return {**draws, "theta": mu + (draws["theta"] - mu) * factor[:, None]}


def whole(draws: Draws) -> Draws:
    """Both arms move by the whole effect."""
    return {**draws, "theta": 2 * draws["theta"]}


def shifted(draws: Draws) -> Draws:
    """The baseline is the control arm's."""
    return {**draws, "baseline": draws["baseline"] + draws["theta"] / 2}


def steeper(draws: Draws) -> Draws:
    """Effects that rise twice as fast with the covariate."""
    x = np.asarray(covariates(draws["theta"].shape[1])["x"])
    return {**draws, "theta": draws["theta"] + draws["coefficient"][:, 1:] * x}


def design(model: Model, k: int, risk: str, rng: np.random.Generator):
    """Make a table with standard errors, or sizes of arms and margins; its outcomes are void."""
    names = [str(i) for i in range(k)]
    if model.takes is bm.EffectSizes:
        se = rng.uniform(0.1, 0.6, k)
        return bm.EffectSizes.from_arrays(names, np.zeros(k), se, covariates=covariates(k))
    if isinstance(model, bm.MultivariateNormal):
        return several(model, names, rng)
    low, high = ARMS[risk]
    columns = {}
    for arm in model.takes.arms:
        size = rng.integers(low, high, k, endpoint=True)
        columns[f"{model.takes.size}{arm}"] = size
        columns[f"events{arm}"] = rng.binomial(size, RISK[risk])
    return model.takes(study=names, covariates=covariates(k), **columns)


def several(model: bm.MultivariateNormal, names: list[str], rng: np.random.Generator):
    """Outcomes of which a fifth is not reported, but for the first; correlations by study."""
    k, outcomes = len(names), tuple(model.outcomes)
    gaps = rng.uniform(size=(k, len(outcomes))) < 0.2
    gaps[:, 0] = gaps[0] = False
    correlation = None
    if model.within is None:
        correlation = np.tile(np.eye(len(outcomes)), (k, 1, 1))
        correlation[:, 0, 1] = correlation[:, 1, 0] = rng.uniform(-0.3, 0.8, k)
    return bm.MultivariateEffects(
        study=names,
        outcome=outcomes,
        y=np.where(gaps, np.nan, 0.0),
        se=np.where(gaps, np.nan, rng.uniform(0.1, 0.6, gaps.shape)),
        correlation=correlation,
    )


def simulated(cell: Cell, seed: int):
    """Draw parameters, and a table from them."""
    rng = np.random.default_rng(seed)
    where = bm.EffectSizes.from_arrays(
        [str(i) for i in range(cell.k)],
        np.zeros(cell.k),
        np.ones(cell.k),
        covariates=covariates(cell.k),
    )
    drawn = parameters(cell.model, cell.k, 1, seed=int(rng.integers(2**62)), data=where)
    if cell.risk in PATIENTS:
        return drawn, of_arms(cell, drawn, rng)
    data = design(cell.model, cell.k, cell.risk, rng)
    used = cell.broken(drawn) if cell.broken else drawn
    outcomes = replicate(cell.model, used, data, seed=int(rng.integers(2**62)))
    if isinstance(data, bm.MultivariateEffects):
        return drawn, replace(data, y=outcomes["y"][0])
    return drawn, replace(data, **{name: values[0] for name, values in outcomes.items()})


def of_arms(cell: Cell, drawn: Draws, rng: np.random.Generator):
    """Means and SDs of arms; a model of estimates is given their mean differences."""
    model, k, two_stages = cell.model, cell.k, cell.model.takes is bm.EffectSizes
    if two_stages:
        model = bm.ContinuousNormal(measure="MD", mu=MU, tau=TAU)
    used = {
        **({"theta": np.broadcast_to(drawn["mu"][:, None], (1, k))} if "mu" in drawn else {}),
        "baseline": np.full((1, k), FIXED["baseline"]),
        "log_sd": np.full((2, 1, k), -0.6 if two_stages else FIXED["log_sd"]),
        **drawn,
    }
    low, high = PATIENTS[cell.risk]
    n = rng.integers(low, high, (2, k), endpoint=True)
    columns = {}
    for arm, size, (mean, sd) in zip(
        ARM_NAMES, n, arm_figures(model.likelihood, used, *n, rng), strict=True
    ):
        if model.arms == "lognormal":  # the figures are those of the logs
            mean = np.exp(mean + sd**2 / 2)
            sd = mean * np.sqrt(np.expm1(sd**2))
        columns |= {f"n_{arm}": size, f"mean_{arm}": mean[0], f"sd_{arm}": sd[0]}
    names = [str(i) for i in range(k)]
    data = bm.ContinuousStudies(study=names, covariates=covariates(k), **columns)
    return bm.effect_sizes(data, measure="MD") if two_stages else data


def below_truth(posterior, drawn: Draws, name: str) -> float:
    """Posterior probability below the truth; of study effects and outcomes the first one."""
    if "coefficient" in drawn and name != "tau":
        return float(_coefficient(posterior, name).cdf(_true(drawn["coefficient"][0], name)))
    marginal = posterior[name]
    if isinstance(marginal, Marginals):
        marginal = marginal[0]
    return float(marginal.cdf(drawn[name][0].flat[0]))


def _coefficient(posterior, name: str):
    if name == DIFFERENCE:
        return posterior.contrast({"g[b]": 1.0, "g[a]": -1.0})
    return posterior[name]


def _true(coefficients: np.ndarray, name: str) -> float:
    first, second = coefficients
    places = {"intercept": first, "x": second, "g[a]": first, "g[b]": second}
    return float(second - first if name == DIFFERENCE else places[name])


def by_fits(cell: Cell, seeds: np.ndarray) -> tuple[np.ndarray, int]:
    """Probabilities (times, quantities), and how many fits did not pass their gates."""
    found, unsound = [], 0
    for seed in seeds:
        drawn, data = simulated(cell, seed)
        posterior = bm.fit(cell.model, data)
        unsound += not posterior.diagnostics.passed
        found.append([below_truth(posterior, drawn, name) for name in cell.quantities])
    return np.array(found), unsound


def by_hmc(cell: Cell, seeds: np.ndarray) -> tuple[np.ndarray, int]:
    """Fit with the sampler of ``hmc.sample_many``, whose summaries hold no ranks."""
    made = [simulated(cell, seed) for seed in seeds]
    tables = {
        name: np.stack([data.numbers[name] for _, data in made]) for name in made[0][1].numbers
    }
    truth = np.array([[drawn[name][0] for name in cell.quantities] for drawn, _ in made])
    below, passed = hmc_ranks(cell, tables, truth)
    for i in np.flatnonzero(~passed):  # as sample_many does
        drawn, data = made[i]
        posterior = bm.fit(cell.model, data, bm.NUTS(seed=int(i)))
        passed[i] = posterior.diagnostics.passed
        below[i] = [below_truth(posterior, drawn, name) for name in cell.quantities]
    return below, int((~passed).sum())


def hmc_ranks(cell: Cell, tables: Draws, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import jax

    from bayesmeta.engines.compiled.precision import float64
    from bayesmeta.engines.sampling import hmc, nuts

    with float64():
        shape = hmc.batch(cell.model, cell.k)
        program = hmc_program(shape, cell.quantities)
        keys = nuts.chain_keys(0, len(truth))
        keep = np.tile((np.arange(shape.k) < cell.k) * 1.0, (len(truth), 1))
        columns, numbers = nuts.pad(tables, shape.k), nuts.numbers(cell.model)
        parts = [
            jax.device_get(
                program(keys[rows], {n: v[rows] for n, v in columns.items()}, keep[rows], numbers)
            )
            for rows in np.arange(len(truth)).reshape(-1, hmc.SIDE_BY_SIDE)
        ]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    few = whole["divergences"] <= hmc.DIVERGENT * hmc.CHAINS * shape.draws
    passed = (whole["rhat"] <= hmc.RHAT) & (whole["ess"] >= hmc.ESS) & few
    draws = np.stack([whole[name] for name in cell.quantities], axis=1)
    count = (draws < truth[:, :, None]).sum(axis=2)
    return (count + 0.5) / (draws.shape[2] + 1), passed


@cache
def hmc_program(shape, quantities: tuple[str, ...]):
    """The sampler of one chunk of tables that gives the draws themselves."""
    import jax
    import jax.numpy as jnp

    from bayesmeta.engines.graph.build import build
    from bayesmeta.engines.graph.functions import density
    from bayesmeta.engines.sampling import hmc, nuts

    study = tuple(map(str, range(shape.k)))
    made = density(build(shape.model, study, nuts.example_columns(shape.model, shape.k)))

    def one(key, table, mask, numbers):
        draws, diverging = hmc._sample(made, shape, key, {**table, **numbers}, mask)
        every = jnp.stack(list(draws.values()))
        return {
            **{name: draws[name].ravel() for name in quantities},
            "rhat": hmc.split_rhat(every).max(),
            "ess": hmc.effective_size(every).min(),
            "divergences": diverging.sum(),
        }

    return jax.jit(jax.vmap(one, in_axes=(0, 0, 0, None)))


def tried(cell: Cell, seed: int) -> dict:
    """Run one cell; its tables depend neither on other cells nor on how many there are."""
    digest = zlib.crc32(cell.key.encode())
    children = np.random.SeedSequence([seed, digest]).generate_state(cell.times, np.uint64)
    shared = isinstance(getattr(cell.model, "baseline", None), bm.Exchangeable)
    batched = shared or isinstance(cell.model, bm.BetaBinomial)
    start = time.process_time()
    below, unsound = (by_hmc if batched else by_fits)(cell, children)
    return {
        "key": cell.key,
        "below": below.T.round(9).tolist(),
        "unsound": unsound,
        "seconds": round(time.process_time() - start, 1),
    }


def evidence(below: np.ndarray) -> dict:
    """Tests of uniformity: all of it, and the mean and the spread of its normal scores."""
    scores = ndtri(np.clip(below, 1e-12, 1 - 1e-12))
    n, square = scores.size, float((scores**2).sum())
    tail = min(stats.chi2.cdf(square, n), stats.chi2.sf(square, n))
    mean_z = float(scores.mean() * n**0.5)
    p = {
        "ks": float(stats.kstest(below, "uniform").pvalue),
        "mean": float(2 * stats.norm.sf(abs(mean_z))),
        "spread": float(min(1.0, 2 * tail)),
    }
    return {
        "times": n,
        "smallest_p": float(f"{min(p.values()):.3g}"),
        "ks_p": float(f"{p['ks']:.3g}"),
        "mean_z": round(mean_z, 2),
        "spread_z": round(float(np.sign(square - n) * -ndtri(max(tail, 1e-300))), 2),
        "rms_of_scores": round((square / n) ** 0.5, 3),
        "tenths": np.histogram(below, bins=10, range=(0, 1))[0].tolist(),
    }


def judged(found: dict[str, dict], before: dict) -> dict:
    """One row per cell and quantity, one per model and quantity, and the level of each test."""
    rows, wrong, together = before["cells"], before["wrong"], {}
    for cell in lacking(before):
        done = found[cell.key]
        for name, below in zip(cell.quantities, done["below"], strict=True):
            row = {
                "model": cell.name, "class": type(cell.model).__name__, "k": cell.k,
                "risk": cell.risk, "quantity": name, **evidence(np.array(below)),
                "unsound": done["unsound"],
            }  # fmt: skip
            if cell.broken:
                wrong.append({**row, "must_be_caught": cell.caught})
            else:
                rows.append(row)
                together.setdefault((cell.name, name), []).extend(below)
    pooled = before["pooled"] + [
        {"model": model, "quantity": name, **evidence(np.array(below))}
        for (model, name), below in together.items()
    ]
    tests = 3 * (len(rows) + len(pooled))
    return {
        "tests": tests,
        "family_wise_level": LEVEL,
        "level_of_each_test": LEVEL / tests,
        "cells": rows,
        "pooled": pooled,
        "wrong": wrong,
    }


def lacking(before: dict) -> list[Cell]:
    """Cells of models that a stored result has not."""
    known = {row["model"] for row in before["cells"] + before["wrong"]}
    return [cell for cell in cells() if cell.name not in known]


def smallest(times: int, level: float) -> tuple[float, float]:
    """What is seen with probability POWER: shift of mu in posterior SDs, ratio of SDs less 1."""
    reach = -ndtri(level / 2) + ndtri(POWER)
    return reach / times**0.5, (1 + reach * (2 / times) ** 0.5) ** 0.5 - 1


def tables(result: dict) -> str:
    """Markdown: models, then wrong models."""
    level = result["level_of_each_test"]
    lines = [
        "| model | quantity | tables | smallest p of its cells | all its cells together: KS p "
        "| z of the mean | z of the spread | seen: shift, spread |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in result["pooled"]:
        mine = [c for c in result["cells"] if _same(c, row)]
        shift, ratio = smallest(row["times"], level)
        lines.append(
            f"| {row['model']} | {row['quantity']} | {row['times']:,} in {len(mine)} | "
            f"{min(c['smallest_p'] for c in mine):.2g} | {row['ks_p']:.2g} | {row['mean_z']:.1f} | "
            f"{row['spread_z']:.1f} | {shift:.2f}, {100 * ratio:.0f}% |"
        )
    lines += [
        "",
        "| wrong model | quantity | tables | KS p | z of the mean | z of the spread | caught |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    lines += [
        f"| {row['model']} | {row['quantity']} | {row['times']:,} | {row['ks_p']:.2g} | "
        f"{row['mean_z']:.1f} | {row['spread_z']:.1f} | "
        f"{'yes' if row['smallest_p'] < level else 'no'} |"
        for row in result["wrong"]
    ]
    return "\n".join(lines)


def _same(first: dict, second: dict) -> bool:
    return all(first[name] == second[name] for name in ("model", "quantity"))


def run(seed: int, checkpoint: Path | None, before: dict) -> dict[str, dict]:
    found = {}
    if checkpoint and checkpoint.exists():
        lines = checkpoint.read_text().splitlines()
        found = {one["key"]: one for one in map(json.loads, lines)}
    for cell in lacking(before):
        if cell.key not in found:
            found[cell.key] = done = tried(cell, seed)
            if checkpoint:
                with checkpoint.open("a") as file:
                    file.write(json.dumps(done) + "\n")
            worst = min(evidence(np.array(below))["smallest_p"] for below in done["below"])
            print(
                f"{cell.key:48s}{cell.times:6d}{done['seconds']:8.1f} s  p {worst:.2g}  "
                f"unsound {done['unsound']}",
                flush=True,
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20240622)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--onto", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    before = {"cells": [], "pooled": [], "wrong": [], "processor_minutes": 0.0}
    if given.onto:
        before = json.loads(given.onto.read_text())
    found = run(given.seed, given.checkpoint, before)
    seconds = sum(one["seconds"] for one in found.values())
    result = {
        "command": f"uv run benchmarks/sbc.py --seed {given.seed} -o benchmarks/results/sbc.json",
        "seed": given.seed,
        **made_with(VERSIONS),
        "processor_minutes": round(before["processor_minutes"] + seconds / 60, 1),
        **judged(found, before),
    }
    if given.output:
        given.output.write_text(in_lines(result))
    print(tables(result))


if __name__ == "__main__":
    main()
