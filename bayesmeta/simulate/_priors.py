"""Draws from priors."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..priors import (
    Beta,
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    LogNormal,
    LogStudentT,
    Mixture,
    Normal,
    Prior,
    StudentT,
    Uniform,
)
from ..ways import shown

type Array = NDArray[np.float64]


def prior_draws(prior: Prior, n: int, rng: np.random.Generator) -> Array:
    """Draw `n` values from a prior.

    Raises
    ------
    ModelError
        If the prior is improper: there is nothing to draw from.
    """
    if not prior.proper:
        raise ModelError(f"Nothing can be drawn from {shown(prior)}: it is improper.")
    if isinstance(prior, Mixture):
        first = rng.uniform(size=n) < prior.weight
        return np.where(first, *(prior_draws(part, n, rng) for _, part in prior.parts))
    if type(prior) not in _SAMPLERS:
        raise ModelError(f"There is no sampler for {shown(prior)}.")
    return _SAMPLERS[type(prior)](rng, n, *prior.numbers.values())


_SAMPLERS: Mapping[type[Prior], Callable[..., Array]] = {
    Normal: lambda rng, n, mean, sd: rng.normal(mean, sd, n),
    StudentT: lambda rng, n, df, mean, scale: mean + scale * rng.standard_t(df, n),
    HalfNormal: lambda rng, n, scale: np.abs(rng.normal(0, scale, n)),
    HalfCauchy: lambda rng, n, scale: np.abs(scale * rng.standard_cauchy(n)),
    HalfT: lambda rng, n, df, scale: np.abs(scale * rng.standard_t(df, n)),
    LogNormal: lambda rng, n, mean, sd: rng.lognormal(mean, sd, n),
    LogStudentT: lambda rng, n, df, mean, scale: np.exp(mean + scale * rng.standard_t(df, n)),
    Exponential: lambda rng, n, rate: rng.exponential(1 / rate, n),
    Gamma: lambda rng, n, shape, rate: rng.gamma(shape, 1 / rate, n),
    InverseGamma: lambda rng, n, shape, scale: scale / rng.gamma(shape, 1.0, n),
    Uniform: lambda rng, n, low, high: rng.uniform(low, high, n),
    Beta: lambda rng, n, a, b: rng.beta(a, b, n),
}
