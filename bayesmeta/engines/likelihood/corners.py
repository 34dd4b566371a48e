"""Likelihoods tabulated in log|theta|, smoothed by the distribution of the effects.

A likelihood with a corner at no effect has features of every size near it, so its two sides are
tabulated in the logarithm of |theta|, where each is smooth; that also reaches far. Where the
distribution of the effects is as wide as the distance of those nodes, the trapezoidal rule in that
logarithm is exact to rounding; where it is narrower, it does not reach the corner, and the rule
runs over the distribution itself.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermevander
from numpy.typing import NDArray
from scipy.special import gammaln

from ...model import Data, Likelihood
from ...priors import LOG_2PI
from .apart import about, beyond
from .pieces import Pieces
from .points import Graded
from .rough import rough_effects
from .study import log_likelihoods

type Array = NDArray[np.float64]

NEAREST = 1e-11  # of the smallest standard error: where the logarithmic nodes begin
WIDE, WIDE_T = 1.2, 4.0  # node distances that normal and Student-t effects must span
EMPTY = -745.0
BLOCK = 2**15  # terms of a kernel at once: larger ones leave the cache
INNER = ((-1.0, 0.1), (5.0, 0.025), (20.0, 0.0), (np.inf, 0.0))  # in taus: beyond which mu, nodes
DEGREE = 12
MANY = 16  # rows of each tau, for which moments are worth while
FACTORIAL = np.cumprod([1.0, *range(1, DEGREE + 1)])
CUT, LEAST = 11.0, 1e-13


class Corners(NamedTuple):
    """Both sides of k functions of theta at nodes of log|theta|.

    `theta`, shape (n,), are the nodes of both sides where anything is seen, in ascending order;
    `weighted` (n, k) the functions, scaled to 1 at most, times the rule's weight; `splines` their
    logs on the negative and the positive side; `top` (k,) the scale.
    """

    step: float
    theta: Array
    weighted: Array
    splines: tuple[Pieces, Pieces]
    top: Array


def sides_of(of: Likelihood, data: Data, far: float, fineness: float) -> tuple[Graded, Graded]:
    """Nodes of both sides that resolve every study, as far as |theta| = `far`."""
    y, se = rough_effects(of, data)
    step = fineness * min(0.25, float((se / (np.abs(y) + 2 * se)).min()))
    first = float(np.log(NEAREST * se.min()))
    size = int(np.ceil((np.log(far) - first) / step)) + 1
    return Graded(-1.0, first, step, size), Graded(1.0, first, step, size)


def tabulate(of: Likelihood, data: Data, far: float, fineness: float, spacing: float) -> Corners:
    """Tabulate the studies' likelihoods as far as |theta| = `far`."""
    sides = sides_of(of, data, far, fineness)
    return table_of(sides, [log_likelihoods(of, data, side, spacing) for side in sides])


def table_of(sides: tuple[Graded, Graded], logs: Sequence[Array]) -> Corners:
    """Make a table of functions whose logs, each (k, size), are known at the nodes of both sides.

    Where a function is zero everywhere, its scale is -inf.
    """
    top = np.maximum(*(each.max(axis=1) for each in logs))
    scale = np.where(np.isfinite(top), top, 0.0)
    v = sides[0].logs
    weight = np.exp(v) * sides[0].step
    left, right = (np.exp(each - scale[:, None]) * weight for each in logs)
    weighted = np.concatenate([left[:, ::-1], right], axis=1)
    theta = np.concatenate([sides[0].points[::-1], sides[1].points])
    seen = (weighted > 1e-30 * weighted.max(axis=1, keepdims=True)).any(axis=0)
    below, above = (Pieces.of(v, np.maximum(each - scale[:, None], EMPTY).T) for each in logs)
    return Corners(sides[0].step, theta[seen], weighted[:, seen].T.copy(), (below, above), top)


def each_given_mu(corners: Corners, mu: Array, tau: Array, df: Array | float | None) -> Array:
    """Logs of the functions' means over the study effects, one row per mu and tau, (m, k)."""
    value = np.empty((mu.size, corners.top.size))
    wide = tau >= (WIDE if df is None else WIDE_T) * corners.step * np.abs(mu)
    rows = np.flatnonzero(wide)
    mean = np.empty((rows.size, corners.top.size))
    taus, which = np.unique(tau[rows], return_inverse=True)
    if df is None and MANY * taus.size <= rows.size:  # nodes of a grid
        for i, one in enumerate(taus):
            mean[which == i] = _normal_means(corners, mu[rows[which == i]], float(one))
    else:
        mean = _means(corners, mu[rows], tau[rows], rows_of(df, rows))
    with np.errstate(divide="ignore"):
        value[rows] = np.maximum(np.log(mean), EMPTY)
    narrow = np.flatnonzero(~wide)
    if df is not None:
        with np.errstate(divide="ignore"):
            mean = _apart(corners, mu[narrow], tau[narrow], rows_of(df, narrow))
            value[narrow] = np.maximum(np.log(mean), EMPTY)
        return value + corners.top
    for some in np.array_split(narrow, max(1, mu.size // 4096)):
        value[some] = _narrow(corners, mu[some], tau[some])
    return value + corners.top


def _means(corners: Corners, mu: Array, tau: Array, df: Array | float | None) -> Array:
    """Sums over the nodes, (m, k), in blocks that a processor's cache holds."""
    found = np.empty((mu.size, corners.top.size))
    for some in _blocks(mu.size, corners.theta.size):
        z = (corners.theta - mu[some, None]) / tau[some, None]
        own = df[some] if isinstance(df, np.ndarray) else df
        found[some] = np.exp(log_kernel(z, own)) / tau[some, None] @ corners.weighted
    return found


def _normal_means(corners: Corners, mu: Array, tau: float) -> Array:
    """As ``_means``, of normal effects with one tau.

    Of the nodes those that lie ``CUT tau`` away from a block are left out where all of them
    together could add no more than ``LEAST`` of any sum.
    """
    at, t = corners.theta / tau, mu / tau
    found = np.empty((t.size, corners.top.size))
    distance = np.abs(t)
    for (low, inner), (high, _) in pairwise(INNER):
        rows = np.flatnonzero((distance > low) & (distance <= high))
        part = slice(*np.searchsorted(at, (-inner, inner)))
        rest = np.delete(at, part), np.delete(corners.weighted, part, axis=0)
        every, moments = rest[1].sum(axis=0), _moments(at[part], corners.weighted[part])
        for some in _blocks(rows.size, rest[0].size):
            block = t[rows[some]]
            sums = np.exp(-0.5 * block**2)[:, None] * (hermevander(block, DEGREE) @ moments)
            near = slice(*np.searchsorted(rest[0], (block.min() - CUT, block.max() + CUT)))
            seen = sums + _kernel(block, rest[0][near]) @ rest[1][near]
            beyond = np.exp(-0.5 * CUT**2) * (every - rest[1][near].sum(axis=0))
            if (beyond > LEAST * seen).any():
                seen = sums + _kernel(block, rest[0]) @ rest[1]
            found[rows[some]] = seen
    return found / (tau * np.exp(0.5 * LOG_2PI))


def _moments(at: Array, weighted: Array) -> Array:
    """What nodes near to no effect, in units of tau, have to say: their powers over factorials.

    ``exp(-(t - s)²/2) = exp(-t²/2) sum He_n(t) sⁿ/n!``, to 1e-14 where ``|s t| < 0.5``.
    """
    return (np.vander(at, DEGREE + 1, increasing=True) / FACTORIAL).T @ weighted


def _kernel(t: Array, at: Array) -> Array:
    z = t[:, None] - at
    z *= z
    z *= -0.5
    return np.exp(z, out=z)


def _blocks(rows: int, columns: int) -> list[slice]:
    size = max(1, BLOCK // max(columns, 1))
    return [slice(first, first + size) for first in range(0, rows, size)]


def rows_of(
    df: Array | float | None, some: NDArray[np.intp] | NDArray[np.bool_]
) -> Array | float | None:
    """Degrees of freedom of some rows, (n, 1), where each has its own."""
    return df[some, None] if isinstance(df, np.ndarray) else df


def _narrow(corners: Corners, mu: Array, tau: Array) -> Array:
    """Where the corner is out of reach of the distribution of normal effects, (m, k)."""
    z, log_weight = rule_of_effects(None)
    theta = mu[:, None] + tau[:, None] * z
    each = np.empty((corners.top.size, *theta.shape))
    for sign, spline in zip((-1, 1), corners.splines, strict=True):
        here = np.sign(theta) == sign
        each[:, here] = spline(np.log(np.maximum(np.abs(theta[here]), 1e-300)))
    each += log_weight
    top = each.max(axis=2)
    return (np.log(np.exp(each - top[..., None]).sum(axis=2)) + top).T


def _apart(corners: Corners, mu: Array, tau: Array, df: Array | float | None) -> Array:
    """Means over Student-t effects narrower than the nodes are apart about mu, (m, k)."""
    found = np.empty((mu.size, corners.top.size))
    order = np.argsort(mu)  # what is read of the tables about one mu serves every tau
    for some in _blocks(mu.size, corners.theta.size):
        rows = order[some]
        at, which = np.unique(mu[rows], return_inverse=True)
        size, width = np.abs(mu[rows, None]), tau[rows, None]
        distance, weight = about(float((width / size).min()) / corners.step)
        v = np.log(np.abs(at))[:, None]
        places = v + corners.step * distance
        there = np.empty((corners.top.size, *places.shape))
        for sign, spline in zip((-1, 1), corners.splines, strict=True):
            here = np.sign(at) == sign
            there[:, here] = spline(places[here])
        own = df[rows] if isinstance(df, np.ndarray) else df
        z = size / width * np.expm1(corners.step * distance)
        kernel = np.exp(log_kernel(z, own) + corners.step * distance) * weight
        near = np.einsum("pn,kpn->pk", kernel, np.exp(there)[:, which]) * corners.step * size
        share = beyond((np.log(np.abs(corners.theta)) - v) / corners.step)
        share = np.where(np.sign(corners.theta) == np.sign(at)[:, None], share, 1.0)
        kernel = np.exp(log_kernel((corners.theta - mu[rows, None]) / width, own)) * share[which]
        found[rows] = (near + kernel @ corners.weighted) / width
    return found


def rule_of_effects(df: Array | float | None) -> tuple[Array, Array]:
    """Trapezoidal nodes and log weights of the standard effect: stretched for Student's t."""
    u = np.arange(-7.2, 7.3, 0.6)
    if df is None:
        return u, log_kernel(u, None) + np.log(0.6)
    u = np.linspace(-8, 8, 641)
    z = np.sinh(u)
    return z, log_kernel(z, df) + np.log(np.cosh(u) * (u[1] - u[0]))


def log_kernel(z: Array, df: Array | float | None) -> Array:
    """Log density of the standard study effect, normal or Student-t."""
    if df is None:
        return -0.5 * z**2 - 0.5 * LOG_2PI
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    return constant - (df + 1) / 2 * np.log1p(z**2 / df)
