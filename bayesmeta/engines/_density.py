"""Log densities of the priors in NumPy, for the exact engine and the simulator."""

from functools import singledispatch
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..priors import HalfCauchy, HalfNormal, LogNormal, Normal, Prior, StudentT, Uniform

type Array = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))


@singledispatch
def log_density(prior: Prior, x: Array) -> Array:
    """Log density of `prior` at `x`, within its support."""
    raise ModelError(f"The exact engine has no density for {prior!r}.")


@log_density.register
def _normal(prior: Normal, x: Array) -> Array:
    return -0.5 * ((x - prior.mean) / prior.sd) ** 2 - np.log(prior.sd) - 0.5 * LOG_2PI


@log_density.register
def _student_t(prior: StudentT, x: Array) -> Array:
    df, z = prior.df, (x - prior.mean) / prior.scale
    constant = lgamma((df + 1) / 2) - lgamma(df / 2) - 0.5 * np.log(df * np.pi)
    return constant - np.log(prior.scale) - (df + 1) / 2 * np.log1p(z**2 / df)


@log_density.register
def _half_normal(prior: HalfNormal, x: Array) -> Array:
    return np.log(2) + _normal(Normal(0, prior.scale), x)


@log_density.register
def _half_cauchy(prior: HalfCauchy, x: Array) -> Array:
    return np.log(2 / np.pi) - np.log(prior.scale) - np.log1p((x / prior.scale) ** 2)


@log_density.register
def _log_normal(prior: LogNormal, x: Array) -> Array:
    with np.errstate(divide="ignore"):
        log_x = np.log(x)
    inside = np.where(np.isfinite(log_x), log_x, 0.0)
    value = _normal(Normal(prior.mean, prior.sd), inside) - inside
    return np.where(np.isfinite(log_x), value, -np.inf)


@log_density.register
def _uniform(prior: Uniform, x: Array) -> Array:
    return np.full_like(x, -np.log(prior.high - prior.low))
