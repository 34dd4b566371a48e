"""Intervals, quantiles and probabilities of priors."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

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

if TYPE_CHECKING:
    pass


type Law = Any  # a frozen distribution of scipy.stats, or what has its cdf and ppf


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


def _law(prior: Prior) -> "Law":
    """The distribution of a proper prior that is no mixture."""
    from scipy import stats

    numbers = tuple(prior.numbers.values())
    if isinstance(prior, LKJ):
        raise ModelError(
            f"{prior!r} is a prior of whole correlation matrices and has no interval of its own; "
            f"with two outcomes (1 + rho)/2 is Beta({prior.eta:g}, {prior.eta:g})."
        )
    if isinstance(prior, HalfT):
        t = stats.t(prior.df, 0, prior.scale)
        return SimpleNamespace(
            cdf=lambda x: max(2 * t.cdf(x) - 1, 0.0), ppf=lambda q: t.ppf((1 + q) / 2)
        )
    laws: dict[type[Prior], Callable[..., Law]] = {
        Normal: lambda mean, sd: stats.norm(mean, sd),
        StudentT: lambda df, mean, scale: stats.t(df, mean, scale),
        HalfNormal: lambda scale: stats.halfnorm(0, scale),
        HalfCauchy: lambda scale: stats.halfcauchy(0, scale),
        LogNormal: lambda mean, sd: stats.lognorm(sd, 0, np.exp(mean)),
        Exponential: lambda rate: stats.expon(0, 1 / rate),
        Gamma: lambda shape, rate: stats.gamma(shape, 0, 1 / rate),
        InverseGamma: lambda shape, scale: stats.invgamma(shape, 0, scale),
        Uniform: lambda low, high: stats.uniform(low, high - low),
        Beta: lambda a, b: stats.beta(a, b),
    }
    return laws[type(prior)](*numbers)
