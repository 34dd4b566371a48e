"""The posterior of one regression with normal effects in JAX, and a program that fits many.

The same integral as in ``covariates.linear``, written apart, with the nodes of tau and the error
of ``normal_program``. Given tau the coefficients are normal; their equations are solved by a
Cholesky factorisation written out, all nodes side by side.
"""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ...priors import LOG_2PI
from ..compiled.priors import Density
from ..compiled.quantiles import mixture_quantiles, normal
from .normal_program import (
    UNSETTLED,
    AtNodes,
    Inputs,
    Rule,
    distance,
    in_blocks,
    moments,
    placed,
    rule,
    tau_quantiles,
)

OF_ALL = ("log_marginal_likelihood", "tau_mean", "error")
OF_EACH = ("mean", "sd", "below_null")
ENDS = ("lower", "median", "upper")


class Shape(NamedTuple):
    """What decides a compiled program: everything else is an input."""

    k: int
    p: int
    nodes: int
    tau: Density
    numbers: tuple[str, ...]  # of tau's prior
    steps: int  # Newton's, to a quantile; 0 if none is wanted

    @property
    def width(self) -> int:
        """Of the numbers that each data set gives: those of all, of tau, of each coefficient."""
        ends = len(ENDS) if self.steps else 0
        return len(OF_ALL) + ends + self.p * (len(OF_EACH) + ends)


class Given(NamedTuple):
    """Given tau: the log of the data's density (t,), coefficients (t, p) and variances."""

    log_height: Array
    mean: Array
    variance: Array


def _given(y: Array, v: Array, x: Array, tau: Array, mean: Array, precision: Array) -> Given:
    """Integrate the coefficients out; `y` (k,), `x` (k, p), an absent study has infinite `v`."""
    p, variance = x.shape[1], v + tau[:, None] ** 2
    w = 1 / variance  # (t, k)
    total = [[w @ (x[:, i] * x[:, j]) for j in range(i + 1)] for i in range(p)]
    for i in range(p):
        total[i][i] = total[i][i] + precision[i]
    right = [w @ (x[:, i] * y) + precision[i] * mean[i] for i in range(p)]
    root = _cholesky(total)
    half = _forward(root, right)
    columns = [_forward(root, [jnp.ones(()) * (i == j) for i in range(p)]) for j in range(p)]
    found = [sum(a * b for a, b in zip(one, half, strict=True)) for one in columns]
    own = [sum(a**2 for a in one) for one in columns]
    gap = w @ y**2 + (precision * mean**2).sum() - sum(a**2 for a in half)
    present = jnp.isfinite(v)
    logs = jnp.log(jnp.where(present, variance, 1.0)).sum(axis=1) + present.sum() * LOG_2PI
    height = jnp.log(precision).sum() - 2 * sum(jnp.log(root[i][i]) for i in range(p))
    return Given(0.5 * (height - gap - logs), jnp.stack(found, axis=1), jnp.stack(own, axis=1))


def _cholesky(total: list[list[Array]]) -> list[list[Array]]:
    """Lower triangular root of matrices, whose entries below the diagonal are arrays."""
    root: list[list[Array]] = []
    for i, row in enumerate(total):
        made: list[Array] = []
        for j in range(i + 1):
            left = row[j] - sum(
                a * b for a, b in zip(made, (root[j] if j < i else made), strict=False)
            )
            made.append(left / root[j][j] if j < i else jnp.sqrt(left))
        root.append(made)
    return root


def _forward(root: list[list[Array]], right: list[Array]) -> list[Array]:
    """Solve ``root x = right``."""
    found: list[Array] = []
    for row, value in zip(root, right, strict=True):
        known = sum(a * b for a, b in zip(row, found, strict=False))
        found.append((value - known) / row[-1])
    return found


def _one(shape: Shape, y: Array, se: Array, x: Array, near: Array, inputs: Inputs) -> Array:
    """Fit one data set; `near` (p,) is taken off all coefficients, lest digits are lost."""
    v = se**2
    y = jnp.where(jnp.isinf(v), 0.0, y - x @ near)
    centre, precision = inputs.mu["mean"] - near, inputs.mu["sd"] ** -2.0
    given_tau = partial(_given, y, v, x, mean=centre, precision=precision)

    def mass(tau: Array, log_outer: Array) -> Array:
        height = given_tau(tau).log_height + shape.tau(tau, inputs.tau) + log_outer
        return jnp.exp(height - height.max())

    to_tau = placed(mass, jnp.abs(y).max(), v, inputs)
    fejer = Rule(*map(jnp.asarray, rule(shape.nodes)))
    u, tau, slope = to_tau(fejer.x)
    given = given_tau(tau)
    height = given.log_height + shape.tau(tau, inputs.tau)
    top = height.max()
    density = jnp.exp(height - top) * slope
    each = [
        AtNodes(density, given.mean[:, j], given.variance[:, j], tau, u) for j in range(shape.p)
    ]
    both = [[moments(w, one) for w in (fejer.weight, fejer.rough)] for one in each]
    log_z, tau_mean = both[0][0].log_z, both[0][0].tau
    p = density / jnp.exp(log_z)
    weights = fejer.weight * p
    error = jnp.maximum(
        jnp.stack([distance(fine, rough) for fine, rough in both]).max(),
        jnp.abs(fejer.tail @ p).sum(),
    )
    ends, found = [], []
    if shape.steps:
        at, last = tau_quantiles(fejer, p, inputs.probs, shape.steps)
        error, ends = jnp.maximum(error, UNSETTLED * last**2), [*to_tau(at)[1]]
    for j, (one, (fine, _)) in enumerate(zip(each, both, strict=True)):
        sds = jnp.sqrt(one.variance)
        below = weights @ normal(-(one.mu + near[j]) / sds)[0]
        found += [fine.mean + near[j], fine.sd, below]
        if shape.steps:
            at, last = mixture_quantiles(
                weights, one.mu, sds, inputs.probs, fine.mean, fine.sd, steps=shape.steps
            )
            error = jnp.maximum(error, UNSETTLED * last**2)
            found += [*(at + near[j])]
    return jnp.stack([top + log_z, tau_mean, error, *ends, *found])


def blocks(
    shape: Shape, y: Array, se: Array, x: Array, near: Array, count: Array, inputs: Inputs
) -> Array:
    """Fit the first `count` blocks of data sets (n, k), (n, k, p), (n, p); one row each."""
    return in_blocks(partial(_one, shape), shape.width, (y, se, x, near), count, inputs)
