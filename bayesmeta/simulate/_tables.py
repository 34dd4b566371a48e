"""Tables of the same designs, drawn given parameters."""

from collections.abc import Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln

from ..effects import arm_estimates
from ..errors import ModelError
from ..model import (
    Arms,
    Binomial,
    CorrelatedEstimates,
    Data,
    Estimates,
    Hypergeometric,
    Incidence,
    Likelihood,
    Model,
    Overdispersed,
    Poisson,
    Proportion,
)
from ..multivariate import MultivariateEffects, root
from ..studies import ContinuousStudies, rough_arms
from ._parameters import new_effects
from ._risks import risks

type Array = NDArray[np.float64]
type Draws = Mapping[str, Array]
LARGEST_RATE = 1e15  # of events in an arm: where a vague prior leads, NumPy cannot draw


def replicate(
    model: Model, draws: Draws, data: Data, *, seed: int, new: bool = False
) -> Mapping[str, Array]:
    """Draw data of the same designs, one table per draw of the parameters.

    Parameters
    ----------
    model : Model
    draws : mapping of str to ndarray
        Parameters by name, of shape (n,) or (n, k); coefficients (n, p).
    data : EffectSizes or table of counts
        For standard errors, sizes of arms, person-time, margins, what is reported.
    seed : int
    new : bool
        New studies: their effects are drawn from mu and tau, designs and baselines stay.

    Returns
    -------
    mapping of str to ndarray, each (n, k)
        The observed columns by name: ``y``, or events. Of several outcomes (n, k, p), with NaN
        where a study does not report one.

    Raises
    ------
    ModelError
        If the model has no way to make data.
    """
    rng = np.random.default_rng(seed)
    if new and "tau" in draws:
        draws = {**draws, "theta": new_effects(model, draws, data.k, rng, data=data)}
    if "theta" not in draws:  # no spread
        effect = model.location.expected(data, draws)
        draws = {**draws, "theta": np.broadcast_to(effect, (len(effect), data.k))}
    return _observe(model.likelihood, draws, data, rng)


@singledispatch
def _observe(
    of: Likelihood, draws: Draws, data: Data, rng: np.random.Generator
) -> Mapping[str, Array]:
    raise ModelError(f"There is no simulator for {of!r}.")


@_observe.register
def _(of: Estimates, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    return {"y": rng.normal(draws["theta"], data.numbers["se"])}


@_observe.register
def _(of: Arms, draws: Draws, data: ContinuousStudies, rng: np.random.Generator) -> Draws:
    nuisance = _reference_arms(of, draws["theta"], data, rng)
    found = arm_figures(of, {**nuisance, **draws}, data.n_treatment, data.n_control, rng)
    n = np.broadcast_arrays(draws["theta"], data.n_treatment, data.n_control)[1:]
    sides = [(*figures, size) for figures, size in zip(found, n, strict=True)]
    return {"y": arm_estimates(*of.pair, *sides)[0]}


def _reference_arms(
    of: Arms, theta: Array, data: ContinuousStudies, rng: np.random.Generator
) -> Draws:
    """SDs as the reported ones leave them open, and baselines as reported."""
    figures = [rough_arms(data, arm, of.arms) for arm in data.arms]
    scales = [(sd, n - 1) for _, sd, n in figures]
    if of.measure == "SMD":
        df = scales[0][1] + scales[1][1]
        scales = [(np.sqrt(sum(sd**2 * each for sd, each in scales) / df), df)]
    log_sd = [np.log(sd * np.sqrt(df / rng.chisquare(df, theta.shape))) for sd, df in scales]
    means = []
    for mean, sd, _ in figures:
        of_mean = sd**2 / 2 if of.pair == ("ROM", "lognormal") else 0.0
        log = of.pair == ("ROM", "normal")
        means.append(np.log(np.maximum(mean, 0.1 * sd)) if log else mean + of_mean)
    baseline = np.broadcast_to((means[0] + means[1]) / 2, theta.shape)
    return {"log_sd": np.stack(log_sd), "baseline": baseline}


def arm_figures(
    of: Arms,
    draws: Draws,
    n_treatment: Array,
    n_control: Array,
    rng: np.random.Generator,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Draw means and SDs of both arms, on the scale on which patients are normal.

    Parameters
    ----------
    of : Arms
    draws : mapping of str to ndarray
        ``theta`` and ``baseline``, (n, k); ``log_sd``, (2, n, k), or for SMD (1, n, k).
    n_treatment, n_control : ndarray, shape (k,)
    rng : Generator

    Returns
    -------
    tuple
        Mean and SD of the treatment arm, then of the control arm, each (n, k).
    """
    sds = np.exp(draws["log_sd"])
    sides = zip((0.5, -0.5), (sds[0], sds[-1]), (n_treatment, n_control), strict=True)
    found = []
    for side, sd, n in sides:
        unit = sds[0] if of.measure == "SMD" else 1.0
        mean = draws["baseline"] + side * draws["theta"] * unit
        if of.pair == ("ROM", "normal"):
            mean = np.exp(mean)
        elif of.measure == "ROM":
            mean = mean - sd**2 / 2
        drawn_sd = sd * np.sqrt(rng.chisquare(n - 1, sd.shape) / (n - 1))
        found.append((rng.normal(mean, sd / np.sqrt(n)), drawn_sd))
    return found[0], found[1]


@_observe.register
def _(
    of: CorrelatedEstimates, draws: Draws, data: MultivariateEffects, rng: np.random.Generator
) -> Draws:
    noise = rng.standard_normal((*draws["theta"].shape, 1))
    error = (root(data.sampling(draws.get("within"))) @ noise)[..., 0]
    return {"y": np.where(data.reported, draws["theta"] + error, np.nan)}


@_observe.register
def _(of: Binomial, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    both = risks(draws["theta"], draws["baseline"], of.link)
    return {
        f"events_{arm}": _binomial(data.numbers[f"n_{arm}"], p, rng)
        for arm, p in zip(("treatment", "control"), both, strict=True)
    }


@_observe.register
def _(of: Hypergeometric, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    a, n1, c, n0 = (data.numbers[name] for name in data.columns())
    columns = zip(draws["theta"].T, n1, n0, a + c, strict=True)
    treatment = np.stack([_fisher(*one, rng) for one in columns], axis=1)
    return {"events_treatment": treatment, "events_control": a + c - treatment}


@_observe.register
def _(of: Poisson, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    sides = {"treatment": 0.5, "control": -0.5}
    return {
        f"events_{arm}": _poisson(
            data.numbers[f"time_{arm}"], draws["baseline"] + side * draws["theta"], rng
        )
        for arm, side in sides.items()
    }


@_observe.register
def _(of: Proportion, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    return {"events": _binomial(data.numbers["n"], expit(draws["theta"]), rng)}


@_observe.register
def _(of: Incidence, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    return {"events": _poisson(data.numbers["time"], draws["theta"], rng)}


@_observe.register
def _(of: Overdispersed, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    beta, rho, mu = draws["baseline"][:, None], draws["rho"][:, None], draws["theta"]
    total = (1 - rho) / np.maximum(rho, 1e-12)
    found = {}
    for arm, side in (("treatment", 0.5), ("control", -0.5)):
        logit = np.clip(beta + side * mu, -700, 700)
        shape = mu.shape
        first = rng.gamma(total * expit(logit), size=shape)
        second = rng.gamma(total * expit(-logit), size=shape)
        none = first + second == 0  # both underflow: nearly all or none have the event
        risk = np.where(none, rng.uniform(size=shape) < expit(logit), first)
        risk = risk / np.where(none, 1.0, first + second)
        found[f"events_{arm}"] = _binomial(data.numbers[f"n_{arm}"], risk, rng)
    return found


def _binomial(n: Array, risk: Array, rng: np.random.Generator) -> Array:
    return rng.binomial(n.astype(np.int64), np.clip(risk, 0.0, 1.0)).astype(np.float64)


def _poisson(time: Array, log_rate: Array, rng: np.random.Generator) -> Array:
    with np.errstate(over="ignore"):
        mean = np.minimum(time * np.exp(log_rate), LARGEST_RATE)
    return rng.poisson(mean).astype(np.float64)


def _fisher(
    theta: Array, n_treatment: float, n_control: float, events: float, rng: np.random.Generator
) -> Array:
    """Draw once for each theta, (n,), from the non-central hypergeometric distribution."""
    count = np.arange(max(0.0, events - n_control), min(n_treatment, events) + 1)
    rest = (count, n_treatment - count, events - count, n_control - events + count)
    weight = -sum(gammaln(one + 1) for one in rest)
    found = np.empty(theta.size)
    for part in np.array_split(np.arange(theta.size), max(1, theta.size * count.size // 2**20)):
        log_p = weight + theta[part, None] * count
        cumulative = np.cumsum(np.exp(log_p - log_p.max(axis=1, keepdims=True)), axis=1)
        target = rng.uniform(size=part.size) * cumulative[:, -1]
        found[part] = count[(cumulative < target[:, None]).sum(axis=1)]
    return found
