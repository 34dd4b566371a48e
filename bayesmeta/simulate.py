"""Parameters and data drawn from a model, in NumPy alone."""

# SciPy types its results as unions with a second return value:
# pyright: reportArgumentType=false

from collections.abc import Callable, Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln

from .errors import ModelError
from .model import (
    BetaBinomial,
    BinomialNormal,
    CommonEffect,
    Data,
    Exchangeable,
    HypergeometricNormal,
    IncidenceNormal,
    Model,
    NormalNormal,
    OutlierMixture,
    PoissonNormal,
    ProportionNormal,
)
from .priors import (
    Beta,
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    LogNormal,
    Mixture,
    Normal,
    Prior,
    StudentT,
    Uniform,
)

type Array = NDArray[np.float64]
type Draws = Mapping[str, Array]

LARGEST_RATE = 1e15  # of events in an arm: where a vague prior leads, NumPy cannot draw


def risks(theta: Array, baseline: Array, link: str) -> tuple[Array, Array]:
    """Risks of treatment and control from the study effects and baselines.

    Written apart from the PyMC form: the odds product is solved as a quadratic for the risk, here
    in its other root form, so that the two check each other.

    Parameters
    ----------
    theta, baseline : ndarray, any shape
        Log OR, log RR or atanh(RD), and the midpoint logit (in 0/1 coding the control arm's, for
        RR and RD half the log odds product).
    link : {"OR half", "OR zero_one", "RR", "RD"}

    Returns
    -------
    tuple of ndarray
        Treatment and control risks, between 0 and 1.

    References
    ----------
    Richardson TS, Robins JM, Wang L (2017). JASA 112:1121-1130.
    """
    if link not in _RISKS:
        raise ModelError(f"risks are defined for {', '.join(_RISKS)}, not {link!r}.")
    return _RISKS[link](theta, baseline)


def _ratio_risks(theta: Array, baseline: Array) -> tuple[Array, Array]:
    ratio = np.exp(-np.abs(theta))  # of the smaller to the larger risk
    product = np.exp(-2 * np.maximum(baseline, -350.0))
    root = np.sqrt((1 - ratio) ** 2 + 4 * ratio * product)
    larger = 2 / (1 + ratio + root)
    smaller = ratio * larger
    return np.where(theta < 0, smaller, larger), np.where(theta < 0, larger, smaller)


def _difference_risks(theta: Array, baseline: Array) -> tuple[Array, Array]:
    """From the mean m of the two risks: with c = coth(2 beta), m solves a quadratic in 2m - 1.

    p1 p0 / ((1-p1)(1-p0)) = exp(2 beta), p1 - p0 = d: t = 2m - 1 satisfies
    t² - 2 c t + 1 - d² = 0, whose root within ±1 is (1 - d²) / (c ± √(c² - 1 + d²)).
    """
    difference = np.tanh(theta)
    tanh = np.tanh(baseline)
    rest = 1 - difference**2
    t = rest * tanh / (1 + np.sqrt(np.maximum(1 - rest * tanh**2, 0.0)))
    return (1 + t + difference) / 2, (1 + t - difference) / 2


_RISKS: Mapping[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "OR half": lambda theta, beta: (expit(beta + theta / 2), expit(beta - theta / 2)),
    "OR zero_one": lambda theta, beta: (expit(beta + theta), expit(beta)),
    "RR": _ratio_risks,
    "RD": _difference_risks,
}


def parameters(model: Model, k: int, n: int, *, seed: int) -> Draws:
    """Draw parameters of a model from its priors, study effects and baselines from their laws.

    Parameters
    ----------
    model : Model
    k : int
        Number of studies.
    n : int
        Number of draws.
    seed : int

    Returns
    -------
    mapping of str to ndarray
        Every parameter of the model by name, (n,), with random effects also ``theta`` (n, k) and
        ``theta_new`` (n,); ``baseline`` is (n, k) where each study has its own.

    Raises
    ------
    ModelError
        If a prior is improper: there is nothing to draw from.
    """
    rng = np.random.default_rng(seed)
    each = {"baseline"} if getattr(model, "baseline", None) and "tau" in model.priors else set()
    drawn: dict[str, Array] = {}
    for name, prior in model.priors.items():
        size = n * k if name in each else n
        values = prior_draws(prior, size, rng)
        drawn[name] = values.reshape(n, k) if name in each else values
    if isinstance(getattr(model, "baseline", None), Exchangeable):
        mean, sd = drawn["baseline_mean"][:, None], drawn["baseline_sd"][:, None]
        drawn["baseline"] = mean + sd * rng.standard_normal((n, k))
    if "tau" in drawn:
        drawn["theta"] = new_effects(model, drawn, k, rng)
        drawn["theta_new"] = new_effects(model, drawn, 1, rng)[:, 0]
    return drawn


def new_effects(model: Model, draws: Draws, k: int, rng: np.random.Generator) -> Array:
    """Draw effects of `k` new studies for every draw of the shared parameters, (n, k)."""
    mu, tau = draws["mu"][:, None], draws["tau"][:, None]
    shape = (mu.size, k)
    if isinstance(model, OutlierMixture):
        outlying = rng.uniform(size=shape) < draws["share"][:, None]
        tau = np.where(outlying, np.hypot(tau, draws["spread"][:, None]), tau)
    df = draws["df"][:, None] if "df" in draws else getattr(model, "df", None)
    return mu + tau * (rng.standard_normal(shape) if df is None else rng.standard_t(df, shape))


def replicate(
    model: Model, draws: Draws, data: Data, *, seed: int, new: bool = False
) -> Mapping[str, Array]:
    """Draw data of the same designs, one table per draw of the parameters.

    Parameters
    ----------
    model : Model
    draws : mapping of str to ndarray
        Parameters by name, of shape (n,) or (n, k).
    data : EffectSizes or table of counts
        For standard errors, sizes of arms, person-time, margins.
    seed : int
    new : bool
        New studies: their effects are drawn from mu and tau, designs and baselines stay.

    Returns
    -------
    mapping of str to ndarray, each (n, k)
        The observed columns by name: ``y``, or events.

    Raises
    ------
    ModelError
        If the model has no way to make data.
    """
    rng = np.random.default_rng(seed)
    if new and "tau" in draws:
        draws = {**draws, "theta": new_effects(model, draws, data.k, rng)}
    return _observe(model, draws, data, rng)


@singledispatch
def _observe(
    model: Model, draws: Draws, data: Data, rng: np.random.Generator
) -> Mapping[str, Array]:
    raise ModelError(f"There is no simulator for {type(model).__name__}.")


@_observe.register(NormalNormal | OutlierMixture)
def _(model: Model, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    return {"y": rng.normal(draws["theta"], data.numbers["se"])}


@_observe.register
def _(model: CommonEffect, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    return {"y": rng.normal(draws["mu"][:, None], data.numbers["se"], (draws["mu"].size, data.k))}


@_observe.register
def _(model: BinomialNormal, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    both = risks(draws["theta"], draws["baseline"], model.link)
    return {
        f"events_{arm}": _binomial(data.numbers[f"n_{arm}"], p, rng)
        for arm, p in zip(("treatment", "control"), both, strict=True)
    }


@_observe.register
def _(model: HypergeometricNormal, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    a, n1, c, n0 = (data.numbers[name] for name in data.columns())
    columns = zip(draws["theta"].T, n1, n0, a + c, strict=True)
    treatment = np.stack([_fisher(*one, rng) for one in columns], axis=1)
    return {"events_treatment": treatment, "events_control": a + c - treatment}


@_observe.register
def _(model: PoissonNormal, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    sides = {"treatment": 0.5, "control": -0.5}
    return {
        f"events_{arm}": _poisson(
            data.numbers[f"time_{arm}"], draws["baseline"] + side * draws["theta"], rng
        )
        for arm, side in sides.items()
    }


@_observe.register
def _(model: ProportionNormal, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    return {"events": _binomial(data.numbers["n"], expit(draws["theta"]), rng)}


@_observe.register
def _(model: IncidenceNormal, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    return {"events": _poisson(data.numbers["time"], draws["theta"], rng)}


@_observe.register
def _(model: BetaBinomial, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    beta, mu, rho = (draws[name][:, None] for name in ("baseline", "mu", "rho"))
    total = (1 - rho) / np.maximum(rho, 1e-12)
    found = {}
    for arm, side in (("treatment", 0.5), ("control", -0.5)):
        logit = np.clip(beta + side * mu, -700, 700)
        shape = (mu.size, data.k)
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


def prior_draws(prior: Prior, n: int, rng: np.random.Generator) -> Array:
    """Draw `n` values from a prior.

    Raises
    ------
    ModelError
        If the prior is improper: there is nothing to draw from.
    """
    if not prior.proper:
        raise ModelError(f"Nothing can be drawn from {prior!r}: it is improper.")
    if isinstance(prior, Mixture):
        first = rng.uniform(size=n) < prior.weight
        return np.where(first, *(prior_draws(part, n, rng) for _, part in prior.parts))
    if type(prior) not in _SAMPLERS:
        raise ModelError(f"There is no sampler for {prior!r}.")
    return _SAMPLERS[type(prior)](rng, n, *prior.numbers.values())


_SAMPLERS: Mapping[type[Prior], Callable[..., Array]] = {
    Normal: lambda rng, n, mean, sd: rng.normal(mean, sd, n),
    StudentT: lambda rng, n, df, mean, scale: mean + scale * rng.standard_t(df, n),
    HalfNormal: lambda rng, n, scale: np.abs(rng.normal(0, scale, n)),
    HalfCauchy: lambda rng, n, scale: np.abs(scale * rng.standard_cauchy(n)),
    HalfT: lambda rng, n, df, scale: np.abs(scale * rng.standard_t(df, n)),
    LogNormal: lambda rng, n, mean, sd: rng.lognormal(mean, sd, n),
    Exponential: lambda rng, n, rate: rng.exponential(1 / rate, n),
    Gamma: lambda rng, n, shape, rate: rng.gamma(shape, 1 / rate, n),
    InverseGamma: lambda rng, n, shape, scale: scale / rng.gamma(shape, 1.0, n),
    Uniform: lambda rng, n, low, high: rng.uniform(low, high, n),
    Beta: lambda rng, n, a, b: rng.beta(a, b, n),
}
