"""Intervals, quantiles and probabilities of priors."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import special

from ..errors import ModelError
from ..priors import (
    LKJ,
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
from ..studies import check_prob


class Law(NamedTuple):
    """A distribution: probability at or below a number, and the number below which one lies."""

    cdf: Callable[[float], float]
    ppf: Callable[[float], float]


def prior_interval(prior: Prior, prob: float = 0.95) -> tuple[float, float]:
    """Central interval of a prior, on its own scale; NaN for an improper one, which has none.

    Raises
    ------
    ModelError
        For a prior of more than one number.
    """
    check_prob(prob)
    if not prior.proper:
        return np.nan, np.nan
    low, high = (prior_quantile(prior, q) for q in ((1 - prob) / 2, (1 + prob) / 2))
    return low, high


def prior_cdf(prior: Prior, x: float) -> float:
    """Probability that a proper prior gives to values at or below `x`."""
    parts = prior.parts if isinstance(prior, Mixture) else ((1.0, prior),)
    return sum(weight * float(_law(part).cdf(x)) for weight, part in parts)


def prior_quantile(prior: Prior, q: float) -> float:
    """Quantile of a proper prior of one number."""
    if not isinstance(prior, Mixture):
        return float(_law(prior).ppf(q))
    from scipy.optimize import brentq

    laws = [(weight, _law(part)) for weight, part in prior.parts]
    low, high = sorted(float(law.ppf(q)) for _, law in laws)

    def excess(x: float) -> float:
        return sum(weight * float(law.cdf(x)) for weight, law in laws) - q

    if excess(low) >= 0 or excess(high) <= 0:  # the two agree, to rounding
        return low if excess(low) >= 0 else high
    return float(brentq(excess, low, high, xtol=1e-14 * (high - low)))  # pyright: ignore[reportArgumentType]


def _law(prior: Prior) -> Law:
    """The distribution of a proper prior that is no mixture."""
    if isinstance(prior, LKJ):
        raise ModelError(
            f"{prior!r} is a prior of whole correlation matrices and has no interval of its own; "
            f"with two outcomes (1 + rho)/2 is Beta({prior.eta:g}, {prior.eta:g})."
        )
    return _LAWS[type(prior)](*prior.numbers.values())


def _moved(law: Law, place: float, scale: float) -> Law:
    return Law(lambda x: law.cdf((x - place) / scale), lambda q: place + scale * law.ppf(q))


def _positive(cdf: Callable[[float], float], ppf: Callable[[float], float]) -> Law:
    return Law(lambda x: cdf(x) if x > 0 else 0.0, ppf)


_LAWS: dict[type[Prior], Callable[..., Law]] = {
    Normal: lambda mean, sd: _moved(Law(special.ndtr, special.ndtri), mean, sd),
    StudentT: lambda df, mean, scale: _moved(
        Law(partial(special.stdtr, df), partial(special.stdtrit, df)), mean, scale
    ),
    HalfNormal: lambda scale: _positive(
        lambda x: special.erf(x / scale / 2**0.5), lambda q: scale * special.ndtri((1 + q) / 2)
    ),
    HalfT: lambda df, scale: _positive(
        lambda x: 2 * special.stdtr(df, x / scale) - 1,
        lambda q: scale * special.stdtrit(df, (1 + q) / 2),
    ),
    HalfCauchy: lambda scale: _positive(
        lambda x: 2 / np.pi * np.arctan(x / scale), lambda q: scale * np.tan(np.pi / 2 * q)
    ),
    LogNormal: lambda mean, sd: _positive(
        lambda x: special.ndtr((np.log(x) - mean) / sd),
        lambda q: np.exp(mean + sd * special.ndtri(q)),
    ),
    Exponential: lambda rate: _positive(
        lambda x: -np.expm1(-rate * x), lambda q: -np.log1p(-q) / rate
    ),
    Gamma: lambda shape, rate: _positive(
        lambda x: special.gammainc(shape, rate * x), lambda q: special.gammaincinv(shape, q) / rate
    ),
    InverseGamma: lambda shape, scale: _positive(
        lambda x: special.gammaincc(shape, scale / x),
        lambda q: scale / special.gammainccinv(shape, q),
    ),
    Uniform: lambda low, high: Law(
        lambda x: min(max((x - low) / (high - low), 0.0), 1.0), lambda q: low + q * (high - low)
    ),
    Beta: lambda a, b: Law(
        lambda x: special.betainc(a, b, min(max(x, 0.0), 1.0)),
        lambda q: special.betaincinv(a, b, q),
    ),
}
