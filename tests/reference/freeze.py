"""What the package says of some three hundred questions: a change of the house must not change it.

Fits over likelihoods, priors, data and engines, refusals as their sentences, every public table,
and the three specifications of `models/`. Only public names are used, so that rooms may move.
Exact figures are compared to 1e-9, sampled ones to the same where machine and versions are those
that stored them, else within four Monte Carlo standard errors. A commit that changes a figure on
purpose writes the file again and says which figures moved, and why:

    uv run python tests/reference/freeze.py
"""

import json
import math
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import version
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import CliRunner

import bayesmeta as bm
from bayesmeta.cli import main

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
FILE = FOLDER / "freeze.json"
GRAPHS_CHANGED = (
    "OutlierMixture",
)  # names of models whose sampled figures compare within 4 MCSE on any machine
RELATIVE, ABSOLUTE, MCSES = 1e-9, 1e-12, 4.0
DIGITS = 14  # of a stored figure
PROBS = (0.025, 0.5, 0.975)
FIRST = 6  # of a vector's scalars
NAN = np.nan


# Data --------------------------------------------------------------------------------------


@cache
def stored(name):
    return json.loads((FOLDER / f"{name}.json").read_text())["cases"]


def names(k):
    return tuple(f"study {i + 1}" for i in range(k))


def normal(y, se, measure="GEN"):
    return bm.EffectSizes.from_arrays(names(len(y)), y, se, measure=measure)


def drawn(k, *, spread=0.3, measure="GEN"):
    rng = np.random.default_rng([k, 1994])
    se = rng.uniform(0.1, 0.6, k)
    return normal(rng.normal(-0.3, np.hypot(se, spread)), se, measure)


def two_arms(kind, size, rows):
    cells = np.array(rows, dtype=float).T
    arms = (f"events_treatment {size}_treatment events_control {size}_control").split()
    return kind(study=names(len(rows)), **dict(zip(arms, cells, strict=True)))


binary = partial(two_arms, bm.BinaryStudies, "n")
rates = partial(two_arms, bm.PersonTimeStudies, "time")


def counts(dataset):
    entry = stored("counts")[dataset]
    columns = {name: entry[name] for name in entry if name not in ("source", "citation")}
    return bm.BinaryStudies(study=names(len(columns["n_control"])), **columns)


def single(kind, **columns):
    return kind(study=names(len(columns["events"])), **columns)


def arms(rows, **more):
    cells = np.array(rows, dtype=float).T
    columns = [f"{what}_{arm}" for arm in ("treatment", "control") for what in ("mean", "sd", "n")]
    made = dict(zip(columns, cells, strict=True))
    return bm.ContinuousStudies(study=names(len(rows)), **made, **more)


def quantiles(*, mixed):
    cells = {"q1": [3.9, 4.2], "median": [5.1, 6.3], "q3": [7.4, 8.8]}
    frame = {"study": ["A", "B"], "n_treatment": [24, 18], "n_control": [22, 20]}
    frame |= {f"{name}_treatment": list(map(str, cell)) for name, cell in cells.items()}
    if mixed:
        frame |= {"mean_control": [5.6, 6.9], "sd_control": [2.1, 2.6]}
    else:
        other = {"min": [2.2, 2.9], "median": [5.9, 6.6], "max": [13.5, 12.1]}
        frame |= {f"{name}_control": list(map(str, cell)) for name, cell in other.items()}
    return bm.ContinuousStudies.from_frame(pd.DataFrame(frame))


def changes(correlation):
    frame = {"study": ["A", "B"], "n_treatment": [30, 12], "n_control": [31, 14]}
    frame |= {"mean_baseline_treatment": [62.0, 60.0], "sd_baseline_treatment": [10.0, 12.0]}
    frame |= {"mean_treatment": [51.0, 50.0], "sd_treatment": [12.0, 11.0]}
    frame |= {"mean_baseline_control": [61.0, 62.0], "sd_baseline_control": [11.0, 9.0]}
    frame |= {"mean_control": [58.0, 60.0], "sd_control": [12.0, 10.0]}
    frame |= {"sd_change_control": [8.5, NAN]}
    return bm.change_from_baseline(pd.DataFrame(frame), correlation=correlation)


def normand():
    return bm.ContinuousStudies(study=names(9), **stored("means")["normand1999"]["data"])


def berkey():
    data = stored("berkey1998")["data"]
    y, se = np.array(data["y"]), np.array(data["se"])
    return bm.MultivariateEffects(
        study=tuple(data["study"]),
        outcome=tuple(data["outcome"]),
        y=y,
        se=se,
        correlation=np.array(data["correlation"]),
    )


def three_outcomes():
    rng = np.random.default_rng(5)
    there = np.array(list(product([True, False], repeat=3))[:-1])
    return bm.MultivariateEffects(
        study=tuple("ABCDEFG"),
        outcome=("x", "y", "z"),
        y=np.where(there, rng.normal(0, 1, (7, 3)), NAN),
        se=np.where(there, rng.uniform(0.1, 0.5, (7, 3)), NAN),
    )


SMALL = [(0, 12, 4, 15), (9, 40, 20, 38), (30, 60, 41, 59)]
ARMS = [
    (5.2, 1.1, 20, 4.1, 1.9, 35),
    (5.0, 2.1, 5, 5.3, 1.4, 6),
    (6.1, 1.6, 12, 4.6, 1.5, 11),
    (4.9, 1.3, 44, 4.4, 1.2, 40),
]
DATA: Mapping[str, Callable] = {
    "normal 1": lambda: normal([-0.4], [0.2]),
    "normal 2": lambda: normal([-0.4, 0.3], [0.2, 0.35]),
    "normal 3": lambda: normal([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4], "OR"),
    "normal 6": lambda: drawn(6),
    "normal 13": lambda: bm.effect_sizes(counts("bcg"), measure="RR"),
    "normal 40": lambda: drawn(40, spread=0.6, measure="MD"),
    "normal, an outlier": lambda: normal(
        [0.1, -0.2, 0.3, 0.0, 0.2, 2.6], [0.15, 0.2, 0.25, 0.1, 0.3, 0.25]
    ),
    "normal, the same": lambda: normal([0.3] * 5, [0.2] * 5),
    "normal, far": lambda: normal([50.1, 49.6, 50.9], [0.3, 0.2, 0.5]),
    "counts 1": lambda: binary(SMALL[1:2]),
    "counts 2": lambda: binary(SMALL[1:]),
    "counts 3": lambda: binary(SMALL),
    "counts, zeros": lambda: binary([(12, 40, 15, 40), (0, 30, 0, 30), (0, 25, 2, 24)]),
    "counts, no event": lambda: binary([(0, 30, 0, 30), (0, 12, 0, 14)]),
    "counts, all events": lambda: binary([(4, 4, 5, 5), (9, 9, 6, 7), (10, 12, 8, 11)]),
    "counts, rare": lambda: binary([(1, 400, 3, 410), (0, 250, 2, 240), (2, 900, 2, 880)]),
    "counts 6": lambda: counts("hine1989"),
    "counts 13": lambda: counts("bcg"),
    "counts 42": lambda: counts("nissen2007"),
    "rates 1": lambda: rates([(4, 60, 9, 70)]),
    "rates 3": lambda: rates([(3, 120.5, 7, 118), (0, 50, 1, 55), (4, 60, 9, 70)]),
    "rates, zeros": lambda: rates([(0, 50, 0, 55), (0, 20, 3, 25), (4, 60, 9, 70)]),
    "rates 6": lambda: bm.PersonTimeStudies(
        study=names(6), **stored("rates_and_proportions")["hart1999"]["data"]
    ),
    "shares 1": lambda: single(bm.ProportionStudies, events=[3], n=[40]),
    "shares 3": lambda: single(bm.ProportionStudies, events=[1, 10, 40], n=[20, 30, 80]),
    "shares, ends": lambda: single(bm.ProportionStudies, events=[0, 25, 7], n=[20, 25, 30]),
    "shares 14": lambda: bm.ProportionStudies(
        study=names(14), **stored("rates_and_proportions")["pritz1997"]["data"]
    ),
    "incidence 1": lambda: single(bm.IncidenceStudies, events=[3], time=[40]),
    "incidence 3": lambda: single(bm.IncidenceStudies, events=[1, 10, 40], time=[20, 30.5, 80]),
    "incidence, zeros": lambda: single(bm.IncidenceStudies, events=[0, 0, 4], time=[20, 8, 60]),
    "arms 1": lambda: arms(ARMS[:1]),
    "arms 4": lambda: arms(ARMS),
    "arms 9": normand,
    "arms, units": lambda: arms(ARMS, unit=["g", "g", "points", "g"]),
    "arms, negative": lambda: arms([(-1.2, 1.1, 20, 0.4, 1.9, 35), *ARMS[:2]]),
    "quartiles and means": lambda: quantiles(mixed=True),
    "quartiles 1": lambda: quantiles(mixed=True).keep(np.array([True, False])),
    "quartiles and ranges": lambda: quantiles(mixed=False),
    "changes, given": lambda: changes(0.7),
    "changes, unknown": lambda: changes("unknown"),
    "several 2": berkey,
    "several 3": three_outcomes,
}
data_of = cache(lambda name: DATA[name]())


# Fits --------------------------------------------------------------------------------------

EXACT = "Quadrature()"
DRAWN = "NUTS(seed=7, draws=200, tune=200, chains=2)"
BOTH = "mu=Normal(0, 2), tau=HalfNormal(0.5)"
WIDE = "mu=Normal(0, 20), tau=HalfNormal(5)"
MU = (
    *("StudentT(3, 0, 1)", "StudentT(1, 0.5, 2)", "Flat()", "Uniform(-3, 3)", "HalfNormal(1)"),
    *("HalfCauchy(0.5)", "HalfT(4, 1)", "Exponential(1)", "Gamma(2, 1)", "InverseGamma(2, 1)"),
    *("LogNormal(-1, 1)", "Beta(1, 2)", "Mixture(0.5, Normal(0, 0.5), Normal(0, 5))"),
    *(
        "Mixture(0.8, Normal(0, 1), StudentT(3, 0, 1))",
        "Mixture(0.5, HalfNormal(1), Uniform(0, 3))",
    ),
    *("Mixture(0.5, Normal(0, 1), HalfNormal(1))", "Jeffreys()", "LKJ(1)"),
)
TAU = (
    *("HalfCauchy(0.5)", "HalfT(4, 0.5)", "Exponential(2)", "Uniform(0, 2)", "Uniform(0.1, 30)"),
    *("Gamma(2, 4)", "Gamma(0.5, 1)", "InverseGamma(2, 0.5)", "LogNormal(-1, 0.8)", "Jeffreys()"),
    *("Flat()", "Beta(1, 2)", "Mixture(0.5, HalfNormal(0.2), HalfNormal(2))"),
    *("Mixture(0.5, HalfNormal(1), Uniform(0, 3))", "HalfNormal(0.01)", "Normal(0.5, 0.1)"),
)
OUTLIERS = f"OutlierMixture({BOTH}, share=Beta(1, 9), spread=HalfNormal(1))"
EXCHANGEABLE = "Exchangeable(Normal(0, 10), HalfNormal(1))"
LINKS = ("measure='OR'", "measure='OR', coding='zero_one'", "measure='RR'", "measure='RD'")
ARM_LINKS = (
    *("measure='MD'", "measure='SMD'", "measure='ROM'", "measure='ROM', arms='lognormal'"),
    "measure='RGM', arms='lognormal'",
)
SEVERAL = f"MultivariateNormal({BOTH}, rho=Uniform(-1, 1))"


def of_estimates():
    for mu in MU:
        yield f"NormalNormal(mu={mu}, tau=HalfNormal(0.5))", "normal 6"
    for tau in TAU:
        yield f"NormalNormal(mu=Normal(0, 2), tau={tau})", "normal 13"
    for data in [name for name in DATA if name.startswith("normal")]:
        yield f"NormalNormal({BOTH})", data
        yield "CommonEffect(mu=Normal(0, 2))", data
        yield "NormalNormal(mu=Flat(), tau=Flat())", data
    yield "NormalNormal(mu=HalfNormal(1), tau=Exponential(2), df=4)", "normal 3"
    for df, data in product(("4", "1"), ("normal 1", "normal 6", "normal, an outlier")):
        yield f"NormalNormal({BOTH}, df={df})", data
    for mu in ("StudentT(3, 0, 1)", "Flat()", "Uniform(-3, 3)", "HalfCauchy(0.5)"):
        yield f"CommonEffect(mu={mu})", "normal 3"
    for priors in (
        "mu=Flat(), tau=Jeffreys()",
        "mu=StudentT(3, 0, 1), tau=HalfCauchy(0.5)",
        "mu=Uniform(-3, 3), tau=Uniform(0, 2)",
        "mu=HalfNormal(1), tau=LogNormal(-1, 0.8)",
        "mu=Mixture(0.5, Normal(0, 0.5), Normal(0, 5)), tau=Exponential(2)",
    ):
        yield f"NormalNormal({priors})", "normal 3"


def of_counts():
    tables = ("counts 1", "counts 3", "counts, zeros", "counts, all events")
    for data, link in product(tables, LINKS):
        yield f"BinomialNormal({link}, {BOTH})", data
    for data, link in product(("counts, rare", "counts 6", "counts 13"), LINKS[:3]):
        yield f"BinomialNormal({link}, {BOTH})", data
    yield f"BinomialNormal(measure='OR', {BOTH})", "counts 42"
    for link in LINKS:
        yield f"BinomialNormal({link}, {BOTH}, baseline=StudentT(3, 0, 2))", "counts 3"
        yield f"BinomialNormal({link}, {BOTH}, baseline=Normal(-1, 1))", "counts 2"
        yield f"BinomialNormal({link}, {BOTH}, df=4)", "counts 2"
    yield f"BinomialNormal(measure='OR', {BOTH}, df=1)", "counts 3"
    yield "BinomialNormal(measure='RR', mu=StudentT(3, 0, 1), tau=HalfCauchy(0.5))", "counts 2"
    mixed = "Mixture(0.5, Normal(-1, 1), Normal(0, 10))"
    yield f"BinomialNormal(measure='OR', {BOTH}, baseline={mixed})", "counts 3"
    for mu in ("HalfNormal(1)", "Mixture(0.5, Normal(0, 0.5), Normal(0, 5))"):
        yield f"BinomialNormal(measure='OR', mu={mu}, tau=HalfNormal(0.5))", "counts 3"
        yield f"HypergeometricNormal(mu={mu}, tau=HalfNormal(0.5))", "counts 3"
    for tau in ("HalfT(4, 0.5)", "Uniform(0, 2)", "LogNormal(-1, 0.8)", "Gamma(2, 4)"):
        yield f"BinomialNormal(measure='OR', mu=Normal(0, 2), tau={tau})", "counts 3"
        yield f"PoissonNormal(mu=Normal(0, 2), tau={tau})", "rates 3"
    for data in ("counts 1", "counts 3", "counts, zeros", "counts, no event", "counts 6"):
        yield f"HypergeometricNormal({BOTH})", data
    yield f"HypergeometricNormal({BOTH}, df=4)", "counts 3"
    for data in ("rates 1", "rates 3", "rates, zeros", "rates 6"):
        yield f"PoissonNormal({BOTH})", data
    yield f"PoissonNormal({BOTH}, df=4)", "rates 3"
    yield f"PoissonNormal({BOTH}, baseline=StudentT(3, 0, 2))", "rates 3"


def of_single_arms():
    for kind, name, tables in (
        ("ProportionNormal", "shares", ("shares 1", "shares 3", "shares, ends", "shares 14")),
        ("IncidenceNormal", "incidence", ("incidence 1", "incidence 3", "incidence, zeros")),
    ):
        for data in tables:
            yield f"{kind}({BOTH})", data
        for more in ("tau=Exponential(2)", "tau=HalfNormal(0.5), df=4", "tau=InverseGamma(2, 1)"):
            yield f"{kind}(mu=StudentT(3, -1, 1), {more})", f"{name} 3"


def of_arms():
    for link, data in product(ARM_LINKS, ("arms 1", "arms 4")):
        yield f"ContinuousNormal({link}, {BOTH})", data
        yield f"ContinuousCommonEffect({link}, mu=Normal(0, 2))", data
    for data in ("arms 9", "changes, given"):
        yield f"ContinuousNormal(measure='MD', {WIDE})", data
    for link in ARM_LINKS[:2]:
        yield f"ContinuousNormal({link}, {BOTH}, df=4)", "arms 1"
        nuisance = "log_sd=Normal(0.3, 0.5), baseline=Normal(5, 2)"
        yield f"ContinuousNormal({link}, {BOTH}, {nuisance})", "arms 4"
        yield f"ContinuousNormal({link}, {WIDE}, correlation=Uniform(0.2, 0.9))", "changes, unknown"
    yield f"ContinuousNormal(measure='MD', {BOTH}, quartiles=6)", "quartiles and means"
    yield f"ContinuousNormal(measure='SMD', {BOTH})", "quartiles 1"
    yield f"ContinuousNormal(measure='RGM', arms='lognormal', {BOTH})", "quartiles and means"
    lognormal = "measure='RGM', arms='lognormal', mu=StudentT(3, 0, 1)"
    yield f"ContinuousCommonEffect({lognormal})", "quartiles and ranges"


def refused():
    """Holes between models, data, priors and engines: what is said of each."""
    for model in (f"NormalNormal({BOTH})", f"PoissonNormal({BOTH})", f"ProportionNormal({BOTH})"):
        yield model, "counts 3"
    yield f"BinomialNormal(measure='OR', {BOTH})", "rates 3"
    yield f"IncidenceNormal({BOTH})", "shares 3"
    yield f"ContinuousNormal(measure='MD', {BOTH})", "normal 3"
    yield f"NormalNormal({BOTH})", "arms 4"
    yield SEVERAL, "normal 3"
    yield f"NormalNormal({BOTH})", "several 2"
    yield f"BinomialNormal(measure='MD', {BOTH})", "counts 3"
    yield f"BinomialNormal(measure='RR', {BOTH}, coding='zero_one')", "counts 3"
    yield f"BinomialNormal(measure='OR', {BOTH}, baseline=Uniform(-3, 3))", "counts 3"
    yield f"BinomialNormal(measure='OR', {BOTH}, baseline=Flat())", "counts 3"
    yield f"BinomialNormal(measure='OR', {BOTH}, baseline={EXCHANGEABLE})", "counts 3"
    yield "BinomialNormal(measure='RR', mu=Flat(), tau=HalfNormal(0.5))", "counts 3"
    yield "PoissonNormal(mu=Normal(0, 2), tau=Jeffreys())", "rates 3"
    yield "BetaBinomial(mu=Normal(0, 2))", "counts 3"
    yield "BetaBinomial(mu=Normal(0, 2), rho=HalfNormal(1))", "counts 3"
    yield OUTLIERS, "normal 6"
    yield OUTLIERS.replace("Beta(1, 9)", "HalfNormal(1)"), "normal 6"
    for df in ("Gamma(2, 0.1)", "0.5", "Normal(4, 1)"):
        yield f"NormalNormal({BOTH}, df={df})", "normal 6"
    yield f"HypergeometricNormal({BOTH}, df=Gamma(2, 0.1))", "counts 3"
    yield f"ContinuousNormal(measure='MD', arms='lognormal', {BOTH})", "arms 4"
    yield f"ContinuousNormal(measure='MD', {BOTH})", "arms, units"
    yield f"ContinuousNormal(measure='ROM', {BOTH})", "arms, negative"
    yield f"ContinuousNormal(measure='MD', {WIDE})", "changes, unknown"
    yield f"ContinuousNormal(measure='MD', {WIDE}, correlation=Uniform(0.2, 0.9))", "arms 4"
    yield f"ContinuousNormal(measure='MD', {BOTH}, log_sd=HalfNormal(1))", "arms 4"
    yield "ContinuousCommonEffect(measure='MD', mu=HalfNormal(1))", "arms 4"
    yield SEVERAL, "several 3"
    yield SEVERAL, "several 2"
    yield f"MultivariateNormal({BOTH}, rho=LKJ(1))", "several 3"
    yield f"MultivariateNormal({BOTH}, rho=Normal(0, 1))", "several 2"


def sampled():
    yield f"NormalNormal({BOTH})", "normal 13"
    yield "NormalNormal(mu=HalfCauchy(0.5), tau=Jeffreys())", "normal 6"
    yield f"NormalNormal({BOTH}, df=4)", "normal, an outlier"
    yield f"NormalNormal({BOTH}, df=Gamma(2, 0.1))", "normal, an outlier"
    yield "CommonEffect(mu=StudentT(3, 0, 1))", "normal 3"
    yield OUTLIERS, "normal, an outlier"
    for link in LINKS:
        yield f"BinomialNormal({link}, {BOTH})", "counts 3"
    yield f"BinomialNormal(measure='OR', {BOTH}, baseline={EXCHANGEABLE})", "counts 3"
    yield f"BinomialNormal(measure='RR', {BOTH}, df=Gamma(2, 0.1))", "counts 3"
    yield f"HypergeometricNormal({BOTH})", "counts, zeros"
    yield f"PoissonNormal({BOTH})", "rates 3"
    yield f"ProportionNormal({BOTH})", "shares 3"
    yield f"IncidenceNormal({BOTH})", "incidence 3"
    yield "BetaBinomial(mu=Normal(0, 2))", "counts 3"
    yield f"ContinuousNormal(measure='MD', {BOTH})", "arms 4"
    yield f"ContinuousNormal(measure='SMD', {BOTH})", "arms 4"
    yield f"ContinuousNormal(measure='RGM', arms='lognormal', {BOTH})", "arms 4"
    yield "ContinuousCommonEffect(measure='MD', mu=Normal(0, 2))", "arms 4"
    yield (
        f"ContinuousNormal(measure='MD', {WIDE}, correlation=Uniform(0.2, 0.9))",
        "changes, unknown",
    )
    yield SEVERAL, "several 2"
    yield f"MultivariateNormal({BOTH}, rho=LKJ(1.7), within=Uniform(-0.3, 0.9))", "several 3"


def read(text):
    """Make a model or an engine of its repr."""
    return eval(text, {name: getattr(bm, name) for name in bm.__all__})


def fitted(model, data, engine=EXACT):
    return bm.fit(read(model), data_of(data), read(engine))


def of_fit(model, data, engine, *, whole):
    """Everything a fit says of mu and tau; where `whole`, of study effects and a new one too."""
    posterior = fitted(model, data, engine)
    found = {"model": repr(posterior.model), "in words": posterior.model.in_words}
    found["log marginal likelihood"] = posterior.log_marginal_likelihood
    errors = {}
    for name, marginal in scalars(posterior, whole=whole):
        lower, median, upper = map(float, marginal.quantile(PROBS))
        found[name] = [marginal.mean(), marginal.sd(), lower, median, upper, marginal.cdf(0.0)]
        if not posterior.exact:
            errors[name] = monte_carlo(found[name], posterior.convergence[name])
    if whole and posterior.exact:
        draws = posterior.draws(8, seed=5)["posterior"]
        found |= {f"draws of {name}": np.ravel(draws[name])[:8].tolist() for name in draws}
    found["passed"], found["cautions"] = posterior.diagnostics.passed, list(posterior.cautions)
    if not posterior.exact:
        errors |= dict.fromkeys(("passed", "cautions"))
    return found, errors


def scalars(posterior, *, whole):
    for name, marginal in posterior.marginals.items():
        if hasattr(marginal, "each"):
            if whole:
                for one, each in list(zip(marginal.study, marginal.each, strict=True))[:FIRST]:
                    yield f"{name}[{one}]", each
        elif whole or name in ("mu", "tau"):
            yield name, marginal


def monte_carlo(figures, convergence):
    """Of mean, SD, three quantiles and a probability; of quantiles from above."""
    sd, ess = figures[1], min(convergence["ess_bulk"], convergence["ess_tail"])
    tail, middle = 4 * sd / math.sqrt(ess), 2 * sd / math.sqrt(ess)
    known = [convergence["mcse_mean"], convergence["mcse_sd"]]
    return [*known, tail, middle, tail, 0.5 / math.sqrt(ess)]


def fit_cases():
    exact = (of_estimates, of_counts, of_single_arms, of_arms, refused)
    asked = [(*one, EXACT) for some in exact for one in some()]
    asked += [(*one, DRAWN) for one in sampled()]
    for i, (model, data, engine) in enumerate(dict.fromkeys(asked)):
        whole = engine == DRAWN or data.startswith("normal") or i % 4 == 0
        name = f"{model} | {data} | {engine.partition('(')[0]}{' | whole' if whole else ''}"
        yield name, partial(of_fit, model, data, engine, whole=whole)


# Tables ------------------------------------------------------------------------------------


def columns_of(frame, name=""):
    """Write a table column by column, its index first."""
    plain = frame.index.names == [None] and isinstance(frame.index, pd.RangeIndex)
    cells = frame if plain else frame.reset_index()
    return {f"{name}{column}": list(cells[column]) for column in cells}


def together(**parts):
    """Put tables, records and single figures into one record."""
    found = {}
    for name, part in parts.items():
        if isinstance(part, pd.DataFrame):
            found |= columns_of(part, f"{name}: ")
        elif isinstance(part, Mapping):
            found |= {f"{name}: {key}": value for key, value in part.items()}
        else:
            found[name] = part
    return found


def pooled(fit):
    names = ("method", "k", "estimate", "se", "lower", "upper", "p", "tau2", "q", "q_p", "i2")
    found = {name: getattr(fit, name) for name in names}
    return found | {"prediction": fit.prediction, "cautions": list(fit.cautions)}


SMALL_FITS = {
    "normal": (f"NormalNormal({BOTH})", "normal 13"),
    "common": ("CommonEffect(mu=Normal(0, 2))", "normal 6"),
    "OR": (f"BinomialNormal(measure='OR', {BOTH})", "counts 3"),
    "RR": (f"BinomialNormal(measure='RR', {BOTH})", "counts, zeros"),
    "RD": (f"BinomialNormal(measure='RD', {BOTH})", "counts 2"),
    "given totals": (f"HypergeometricNormal({BOTH})", "counts, zeros"),
    "rates": (f"PoissonNormal({BOTH})", "rates 3"),
    "shares": (f"ProportionNormal({BOTH})", "shares 3"),
    "incidence": (f"IncidenceNormal({BOTH})", "incidence 3"),
    "arms": (f"ContinuousNormal(measure='MD', {BOTH})", "arms 4"),
    "quartiles": (f"ContinuousNormal(measure='MD', {BOTH})", "quartiles and means"),
}


def of_loo(found):
    return {"total": found.total, "se": found.se, "p": found.p_loo, **columns_of(found.table())}


def of_checks(model, data):
    posterior = fitted(model, data)
    found = bm.check(posterior, seed=3)
    prior = bm.prior_predictive(posterior.model, posterior.data, seed=4, draws=400)
    replicated = bm.posterior_predictive(posterior, seed=4, draws=400, new=True)
    said = bm.trust(posterior, prior=prior, predictive=replicated)
    return together(
        checks=found.trust.table(),
        cautions=list(found.trust.cautions),
        prior=prior.table(),
        conflict=prior.conflict(),
        predictive=replicated.table(),
        trust=said.table(),
        passed=said.passed,
        summary=bm.summary(posterior),
        natural=bm.summary(posterior, scale="natural", prob=0.9),
    )


def of_evidence(model, data):
    posterior = fitted(model, data)
    loo = bm.loo(posterior)
    found = together(loo=of_loo(loo), loo_cautions=list(loo.cautions))
    for name, make in {
        "deviance": lambda: bm.deviance(posterior).table(),
        "factors": lambda: bm.bayes_factors(posterior).table(),
        "tau by scale": lambda: bm.bayes_factors(posterior).tau_by_scale,
        "weights": lambda: bm.mean_weights(posterior),
        "zeros": lambda: bm.zero_studies(posterior),
        "widths": lambda: bm.width_penalty(posterior),
        "definitions": lambda: bm.quartile_definitions(posterior),
        "outliers": lambda: bm.outliers(posterior),
        "absolute": lambda: absolute(posterior),
    }.items():
        found |= together(**{name: answered(make)})
    return found


def absolute(posterior):
    return bm.absolute_effects(posterior, control_risk=0.2, better="lower").table()


def answered(make):
    """Return what is made, or the sentence with which it is refused."""
    try:
        return make()
    except bm.BayesmetaError as error:
        return f"{type(error).__name__}: {error}"


def compared():
    first, second = fitted(*SMALL_FITS["OR"]), fitted(*SMALL_FITS["normal"])
    other = fitted("BinomialNormal(measure='OR', mu=Normal(0, 1), tau=HalfNormal(1))", "counts 3")
    sharp = bm.fit(read("CommonEffect(mu=Normal(0, 2))"), data_of("normal 13"))
    frequentist = bm.random_effects(data_of("normal 13"))
    return together(
        counts=bm.compare_loo({"first": first, "other": other}),
        estimates=bm.compare_loo({"random": second, "common": sharp}),
        different=answered(lambda: bm.compare_loo({"a": first, "b": second})),
        fits=bm.compare({"a": second, "b": sharp, "c": frequentist}, better="lower"),
        natural=bm.compare({"a": first, "b": other}, scale="natural"),
    )


def many_estimates(priors, k):
    rng = np.random.default_rng([k, 7])
    se = rng.uniform(0.1, 0.8, (12, k))
    tables = {"y": rng.normal(0.2, np.hypot(se, 0.4)), "se": se}
    return columns_of(bm.fit_many(read(f"NormalNormal({priors})"), tables))


def many_counts(model, size):
    rng = np.random.default_rng(11)
    n = rng.integers(10, 80, (2, 8, 5))
    events = rng.binomial(n, 0.2)
    table = {f"events_{arm}": events[j] for j, arm in enumerate(("treatment", "control"))}
    table |= {f"{size}_{arm}": n[j] for j, arm in enumerate(("treatment", "control"))}
    return columns_of(bm.fit_many(read(model), table))


def many_in_groups():
    rows = counts("hine1989").numbers
    frame = pd.DataFrame({"group": list("aaabbb"), **rows})
    frame.loc[5, "events_control"] = -1
    frame.insert(0, "study", list("uvwxyz"))
    model = read(f"BinomialNormal(measure='OR', {BOTH})")
    return columns_of(bm.fit_many(model, frame, by="group"))


PRINTED = {
    "RR": ("counts 6", "RR 1.62 [1.05, 2.50]", False),
    "RR 13": ("counts 13", "RR 0.49 [0.34, 0.70]", False),
    "OR, subsets": ("counts 6", "OR 1.71 [1.10, 2.68]", True),
    "IRR": ("rates 6", "IRR 0.40 [0.20, 0.80]", False),
    "MD": ("arms 9", "MD -10.0 [-20.0, 0.0]", False),
    "SMD": ("arms 4", "SMD 0.45 [0.10, 0.80]", True),
}


def explained(data, printed, subsets):
    found = bm.explain(data_of(data), bm.Published.parse(printed), subsets=subsets)
    return together(
        text=str(found), named=list(found.named), chance=found.chance_of_any, table=found.table()
    )


def frequentist(data, measure):
    table = data_of(data)
    sizes = table if isinstance(table, bm.EffectSizes) else bm.effect_sizes(table, measure=measure)
    found = together(
        y=sizes.y.tolist(),
        se=sizes.se.tolist(),
        q_profile=answered(lambda: bm.tau2_interval(sizes)),
    )
    for tau2, interval in product(("DL", "REML", "PM", "ML"), ("Wald", "HKSJ")):
        one = answered(
            lambda t=tau2, i=interval: pooled(bm.random_effects(sizes, tau2=t, interval=i))
        )
        found |= together(**{f"{tau2} {interval}": one})
    for name, make in {
        "common": lambda: pooled(bm.common_effect(sizes)),
        "influence": lambda: bm.influence(sizes),
        "left out": lambda: bm.leave_one_out(sizes),
        "cumulative": lambda: bm.cumulative(sizes),
        "small": lambda: bm.small_study_tests(table, measure=measure),
        "metafor": lambda: pooled(bm.pool(table, bm.preset("metafor", measure=measure))),
        "RevMan": lambda: pooled(bm.pool(table, bm.preset("revman5", measure=measure))),
        "MH": lambda: pooled(bm.common_effect(table, weights="MH", measure=measure)),
        "GLMM": lambda: pooled(bm.glmm(table)),
    }.items():
        found |= together(**{name: answered(make)})
    return found


def several_outcomes():
    found = bm.multivariate_random_effects(berkey())
    at = [float(bm.restricted_log_likelihood(berkey(), [0.1, 0.2], rho)) for rho in (-0.5, 0, 0.5)]
    return together(table=found.table(), tau=found.tau, rho=found.rho, at=at)


def several_sampled():
    posterior = fitted(SEVERAL, "several 2", DRAWN)
    found = together(table=bm.compare_outcomes(posterior), summary=bm.summary(posterior))
    return found, dict.fromkeys(found)


def outliers_sampled():
    posterior = fitted(OUTLIERS, "normal, an outlier", DRAWN)
    found = together(table=bm.outliers(posterior), loo=of_loo(bm.loo(posterior)))
    return found, dict.fromkeys(found)


def specification(name):
    """Run a specification as it is typed; rows by NUTS stand apart, for they are sampled."""
    with tempfile.TemporaryDirectory() as out:
        asked = ["run", str(ROOT / "models" / f"{name}.toml"), "-o", f"{out}/out"]
        result = CliRunner().invoke(main, asked, catch_exceptions=False)
        results = json.loads(Path(out, "out", "results.json").read_text())
    found, errors = {"exit code": result.exit_code, "passed": results["passed"]}, {}
    for outcome, told in results["outcomes"].items():
        tables = told.pop("tables")
        found |= flat(told, outcome)
        for table, rows in tables.items():
            by_nuts = ["NUTS" in json.dumps(row) for row in rows]
            kept = [row for row, drawn in zip(rows, by_nuts, strict=True) if not drawn]
            found |= together(**{f"{outcome}/{table}": pd.DataFrame(kept, dtype=object)})
            apart = [row for row, drawn in zip(rows, by_nuts, strict=True) if drawn]
            if apart:
                more = together(**{f"{outcome}/{table}, NUTS": pd.DataFrame(apart, dtype=object)})
                found, errors = found | more, errors | dict.fromkeys(more)
    return found, errors


def flat(value, path):
    """Write what is nested by path."""
    if not isinstance(value, dict):
        return {path: value}
    return {
        key: one
        for name, part in value.items()
        for key, one in flat(part, f"{path}/{name}").items()
    }


def table_cases():
    for name, (model, data) in SMALL_FITS.items():
        yield f"checks: {name}", partial(of_checks, model, data)
        yield f"evidence: {name}", partial(of_evidence, model, data)
    yield "comparisons", compared
    for priors, k in product((BOTH, "mu=StudentT(3, 0, 1), tau=HalfCauchy(0.5)"), (1, 3, 13)):
        yield f"many estimates: {priors}, {k}", partial(many_estimates, priors, k)
    for link in ("measure='OR'", "measure='RR'"):
        model = f"BinomialNormal({link}, {BOTH})"
        yield f"many counts: {link}", partial(many_counts, model, "n")
    yield "many rates", partial(many_counts, f"PoissonNormal({BOTH})", "time")
    yield "many in groups", many_in_groups
    for name, asked in PRINTED.items():
        yield f"explained: {name}", partial(explained, *asked)
    for data, measure in (
        *(("normal 6", "GEN"), ("counts 13", "RR"), ("counts, zeros", "OR"), ("counts 6", "RD")),
        *(("rates 6", "IRR"), ("arms 9", "SMD"), ("normal 1", "GEN"), ("normal, the same", "GEN")),
    ):
        yield f"frequentist: {data}, {measure}", partial(frequentist, data, measure)
    yield "several outcomes", several_outcomes
    yield "several outcomes, NUTS", several_sampled
    yield "outliers, NUTS", outliers_sampled
    for name in ("bcg", "hba1c", "msc-covid19"):
        yield f"specification: {name}", partial(specification, name)


# Records -----------------------------------------------------------------------------------

FITS = dict(fit_cases())
TABLES = dict(table_cases())
CASES = {**FITS, **TABLES}


def plain(value):
    """Write a value as JSON has it: numbers to their digits, and what is no number in words."""
    if isinstance(value, str | bool | None):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if value is pd.NA:
        return repr(NAN)
    if isinstance(value, float | int | np.number):
        number = float(value)
        return float(f"{number:.{DIGITS}g}") if math.isfinite(number) else repr(number)
    return [plain(one) for one in value]


def record(case):
    """Ask one question again: figures by name, and Monte Carlo errors of those that are sampled."""
    try:
        answer = CASES[case]()
    except bm.BayesmetaError as error:
        answer = {"refused": f"{type(error).__name__}: {error}"}
    figures, errors = answer if isinstance(answer, tuple) else (answer, {})
    made = {"figures": {name: plain(value) for name, value in figures.items()}}
    if errors:
        made["errors"] = {name: plain(value) for name, value in errors.items()}
    return made


def machine():
    """What sampled figures depend on to the last bit."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
    flags = next((line for line in lines if line.startswith("flags")), "")
    processor = f"{model}, {sha256(flags.encode()).hexdigest()[:8]}"
    return {"processor": processor, "jaxlib": version("jaxlib"), "numpy": version("numpy")}


@cache
def answers():
    return json.loads(FILE.read_text())


def moved(case):
    """Ask one question again and say which figures are no longer what they were."""
    changed = case.startswith(GRAPHS_CHANGED) if case in FITS else bool(GRAPHS_CHANGED)
    same = answers()["machine"] == machine() and not changed
    said = differences(case, answers()["cases"][case], record(case), same=same)
    return "\n".join(said)


def differences(case, was, now, *, same):
    """Name each figure that moved: case, figure, what it was, what it is."""
    errors = {} if same else was.get("errors", {})
    found = []
    for name in dict.fromkeys([*was["figures"], *now["figures"]]):
        before, after = was["figures"].get(name, "absent"), now["figures"].get(name, "absent")
        if not alike(before, after, errors.get(name, 0.0)):
            found.append(f"{case}\n    {name}\n        was {before}\n        is  {after}")
    return found


def alike(was, now, error=0.0):
    """Whether two values agree: to rounding, or within their Monte Carlo error.

    An error of None is for sampled figures whose error is not known: they are held to the exact
    ones by gates of the run itself, and here not at all.
    """
    if error is None:
        return True
    if isinstance(was, list) and isinstance(now, list):
        spread = error if isinstance(error, list) else [error] * len(was)
        return len(was) == len(now) and all(map(alike, was, now, spread))
    if isinstance(was, float | int) and isinstance(now, float | int):
        return abs(now - was) <= max(ABSOLUTE, RELATIVE * abs(was), MCSES * float(error))
    return was == now


def write():
    """Store every answer; one that has not moved stays as it was, and those that have are named."""
    known = answers()["cases"] if FILE.exists() else {}
    same = bool(known) and answers()["machine"] == machine() and not GRAPHS_CHANGED
    lines = []
    for case in sorted(CASES):
        now, was = record(case), known.get(case)
        said = "new" if was is None else "\n".join(differences(case, was, now, same=same))
        if said:
            sys.stdout.write(f"{said if was else case + ': new'}\n")
        lines.append(f"{json.dumps(case)}:{compact(now if said else was)}")
    text = f'{{"machine":{compact(machine())},"cases":{{\n{",\n".join(lines)}\n}}}}\n'
    FILE.write_text(text)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


if __name__ == "__main__":
    write()
