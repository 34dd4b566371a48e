"""Log densities of priors."""

import math
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..ways import shown
from .composed import Mixture
from .families import (
    Beta,
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    Jeffreys,
    LogNormal,
    LogStudentT,
    Normal,
    StudentT,
    Uniform,
)
from .prior import Prior

type Array = NDArray[np.float64]

LOG_2PI = math.log(2 * math.pi)


@singledispatch
def log_density(prior: Prior, x: Array) -> Array:
    """Return the log density of a prior.

    Parameters
    ----------
    prior : Prior
    x : ndarray, any shape
        Points within the support; at the ends of it -inf and inf are possible.

    Returns
    -------
    ndarray, the shape of `x`

    Raises
    ------
    ModelError
        For ``Jeffreys()``: see `log_density_of_tau`.
    """
    raise ModelError(f"There is no density for {shown(prior)}.")


@log_density.register
def _normal(prior: Normal, x: Array) -> Array:
    return -0.5 * ((x - prior.mean) / prior.sd) ** 2 - np.log(prior.sd) - 0.5 * LOG_2PI


@log_density.register
def _student_t(prior: StudentT, x: Array) -> Array:
    df, z = prior.df, (x - prior.mean) / prior.scale
    constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * np.log(df * np.pi)
    return constant - np.log(prior.scale) - (df + 1) / 2 * np.log1p(z**2 / df)


@log_density.register
def _half_normal(prior: HalfNormal, x: Array) -> Array:
    return np.log(2) + _normal(Normal(0, prior.scale), x)


@log_density.register
def _half_cauchy(prior: HalfCauchy, x: Array) -> Array:
    return np.log(2 / np.pi) - np.log(prior.scale) - np.log1p((x / prior.scale) ** 2)


@log_density.register
def _log_normal(prior: LogNormal, x: Array) -> Array:
    log_x = _log(x)
    inside = np.where(np.isfinite(log_x), log_x, 0.0)
    value = _normal(Normal(prior.mean, prior.sd), inside) - inside
    return np.where(np.isfinite(log_x), value, -np.inf)


@log_density.register
def _log_student_t(prior: LogStudentT, x: Array) -> Array:
    log_x = _log(np.maximum(x, 0.0))
    inside = np.where(np.isfinite(log_x), log_x, 0.0)
    value = _student_t(StudentT(prior.df, prior.mean, prior.scale), inside) - inside
    ends = np.where(x > 0, -np.inf, np.inf)  # a pole at 0; nothing at infinity
    return _within(prior, x, np.where(np.isfinite(log_x), value, ends))


@log_density.register
def _uniform(prior: Uniform, x: Array) -> Array:
    return np.full_like(x, -np.log(prior.high - prior.low))


@log_density.register
def _half_t(prior: HalfT, x: Array) -> Array:
    folded = np.log(2) + _student_t(StudentT(prior.df, 0, prior.scale), x)
    return _within(prior, x, folded)


@log_density.register
def _exponential(prior: Exponential, x: Array) -> Array:
    return _within(prior, x, np.log(prior.rate) - prior.rate * x)


@log_density.register
def _gamma(prior: Gamma, x: Array) -> Array:
    z = prior.rate * np.maximum(x, 0.0)
    value = _times(prior.shape - 1, _log(z)) - z - math.lgamma(prior.shape) + np.log(prior.rate)
    return _within(prior, x, value)


@log_density.register
def _inverse_gamma(prior: InverseGamma, x: Array) -> Array:
    z = np.where(x > 0, x, 1.0) / prior.scale
    with np.errstate(over="ignore"):
        inverse = 1 / z
    value = -(prior.shape + 1) * np.log(z) - inverse - math.lgamma(prior.shape)
    return np.where(x > 0, value - np.log(prior.scale), -np.inf)


@log_density.register
def _beta(prior: Beta, x: Array) -> Array:
    inside, a, b = np.clip(x, 0.0, 1.0), prior.a, prior.b
    constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    value = constant + _times(a - 1, _log(inside)) + _times(b - 1, _log(1 - inside))
    return _within(prior, x, value)


@log_density.register
def _flat(_: Flat, x: Array) -> Array:
    return np.zeros_like(x)


@log_density.register
def _jeffreys(prior: Jeffreys, _: Array) -> Array:
    raise ModelError(
        f"The density of {shown(prior)} depends on the standard errors of the studies; only "
        "the exact "
        "engine for NormalNormal takes it."
    )


@log_density.register
def _mixture(prior: Mixture, x: Array) -> Array:
    first, second = (
        np.log(weight) + _within(part, x, log_density(part, np.clip(x, *part.support)))
        for weight, part in prior.parts
    )
    return np.logaddexp(first, second)


def log_density_of_tau(prior: Prior, tau: Array, se: Array) -> Array:
    """Return the log density of a prior of tau, `Jeffreys` included.

    Parameters
    ----------
    prior : Prior
    tau : ndarray, any shape
        Not negative.
    se : ndarray, shape (k,)
        Standard errors of the studies.

    Returns
    -------
    ndarray, the shape of `tau`
    """
    if not isinstance(prior, Jeffreys):
        return log_density(prior, tau)
    return 0.5 * _log(((tau[..., None] / (se**2 + tau[..., None] ** 2)) ** 2).sum(axis=-1))


def _log(x: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(x)


def _times(factor: float, log_x: Array) -> Array:
    """`factor` times `log_x`, zero if the factor is, though the logarithm be infinite."""
    return factor * log_x if factor else np.zeros_like(log_x)


def _within(prior: Prior, x: Array, value: Array) -> Array:
    low, high = prior.support
    return np.where((x < low) | (x > high), -np.inf, value)
