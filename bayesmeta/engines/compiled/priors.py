"""Log densities of the priors in JAX: the numbers are inputs, so that no prior is compiled in."""

from collections.abc import Callable, Mapping

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import gammaln

from ...priors import (
    LOG_2PI,
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    LogNormal,
    Normal,
    Prior,
    StudentT,
    Uniform,
)

type Numbers = Mapping[str, Array]
type Density = Callable[[Array, Numbers], Array]


def density(prior: Prior) -> Density | None:
    """Return ``(x, numbers) -> log density`` for the family of a prior; None if there is none.

    `numbers` are those of ``prior.numbers``. The same family gives the same function, whatever
    its numbers.
    """
    return _DENSITIES.get(type(prior))


def _normal(x: Array, numbers: Numbers) -> Array:
    mean, sd = numbers["mean"], numbers["sd"]
    return -0.5 * ((x - mean) / sd) ** 2 - jnp.log(sd) - 0.5 * LOG_2PI


def _student_t(x: Array, numbers: Numbers) -> Array:
    df, z = numbers["df"], (x - numbers["mean"]) / numbers["scale"]
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * jnp.log(df * jnp.pi)
    return constant - jnp.log(numbers["scale"]) - (df + 1) / 2 * jnp.log1p(z**2 / df)


def _half_normal(x: Array, numbers: Numbers) -> Array:
    scale = numbers["scale"]
    return jnp.log(2.0) - 0.5 * (x / scale) ** 2 - jnp.log(scale) - 0.5 * LOG_2PI


def _half_cauchy(x: Array, numbers: Numbers) -> Array:
    scale = numbers["scale"]
    return jnp.log(2 / jnp.pi) - jnp.log(scale) - jnp.log1p((x / scale) ** 2)


def _log_normal(x: Array, numbers: Numbers) -> Array:
    log_x = jnp.log(jnp.where(x > 0, x, 1.0))
    return jnp.where(x > 0, _normal(log_x, numbers) - log_x, -jnp.inf)


def _uniform(x: Array, numbers: Numbers) -> Array:
    return jnp.full_like(x, -jnp.log(numbers["high"] - numbers["low"]))


def _half_t(x: Array, numbers: Numbers) -> Array:
    return jnp.log(2.0) + _student_t(x, {**numbers, "mean": jnp.zeros(())})


def _exponential(x: Array, numbers: Numbers) -> Array:
    return jnp.log(numbers["rate"]) - numbers["rate"] * x


def _gamma(x: Array, numbers: Numbers) -> Array:
    shape, rate = numbers["shape"], numbers["rate"]
    log_x = jnp.log(jnp.where(x > 0, x, 1.0))
    value = shape * jnp.log(rate) - gammaln(shape) + (shape - 1) * log_x - rate * x
    return jnp.where(x > 0, value, -jnp.inf)


def _inverse_gamma(x: Array, numbers: Numbers) -> Array:
    shape, scale = numbers["shape"], numbers["scale"]
    positive = jnp.where(x > 0, x, 1.0)
    value = shape * jnp.log(scale) - gammaln(shape) - (shape + 1) * jnp.log(positive)
    return jnp.where(x > 0, value - scale / positive, -jnp.inf)


_DENSITIES: Mapping[type[Prior], Density] = {
    Normal: _normal,
    StudentT: _student_t,
    HalfNormal: _half_normal,
    HalfCauchy: _half_cauchy,
    HalfT: _half_t,
    LogNormal: _log_normal,
    Uniform: _uniform,
    Exponential: _exponential,
    Gamma: _gamma,
    InverseGamma: _inverse_gamma,
}
