"""Parameters and data drawn from a model, in NumPy alone."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from .errors import ModelError
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
from .studies import BinaryStudies

type Array = NDArray[np.float64]


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


def replicate(
    draws: Mapping[str, Array], studies: BinaryStudies, link: str, *, seed: int
) -> tuple[Array, Array]:
    """Draw new counts for the same studies and arms, one table per posterior draw.

    Parameters
    ----------
    draws : mapping
        ``theta`` and ``baseline``, each (draws, k).
    studies : BinaryStudies
        For the arms' sizes.
    link : {"OR half", "OR zero_one", "RR", "RD"}
    seed : int

    Returns
    -------
    tuple of ndarray, shape (draws, k)
        Events in the treatment and the control arms.
    """
    rng = np.random.default_rng(seed)
    treatment, control = risks(draws["theta"], draws["baseline"], link)
    size = studies.n_treatment.astype(int), studies.n_control.astype(int)
    events = [
        rng.binomial(n, np.clip(p, 0, 1)) for n, p in zip(size, (treatment, control), strict=True)
    ]
    return events[0].astype(float), events[1].astype(float)


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
