"""Likelihoods tabulated in log|theta|, smoothed by the distribution of the effects.

A likelihood with a corner at no effect has features of every size near it, so its two sides are
tabulated in the logarithm of |theta|, where each is smooth; that also reaches far. Where the
distribution of the effects is as wide as the distance of those nodes, the trapezoidal rule in that
logarithm is exact to rounding; where it is narrower, it does not reach the corner, and the rule
runs over the distribution itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline, make_interp_spline
from scipy.special import gammaln

from ...model import Data, Likelihood
from ...priors import LOG_2PI
from .points import Graded
from .rough import rough_effects
from .study import log_likelihoods

type Array = NDArray[np.float64]

NEAREST = 1e-11  # of the smallest standard error: where the logarithmic nodes begin
WIDE, WIDE_T = 1.2, 4.0  # node distances that normal and Student-t effects must span
EMPTY = -745.0


class Corners(NamedTuple):
    """Both sides of k functions of theta at nodes of log|theta|.

    `theta`, shape (n,), are the nodes of both sides where anything is seen; `weighted` (n, k) the
    functions, scaled to 1 at most, times the rule's weight;
    `splines` their logs on the negative and the positive side; `top` (k,) the scale.
    """

    step: float
    theta: Array
    weighted: Array
    splines: tuple[BSpline, BSpline]
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
    weighted = np.concatenate([np.exp(each - scale[:, None]) * weight for each in logs], axis=1)
    theta = np.concatenate([side.points for side in sides])
    seen = (weighted > 1e-30 * weighted.max(axis=1, keepdims=True)).any(axis=0)
    splines = [
        make_interp_spline(v, np.maximum(each - scale[:, None], EMPTY).T, k=5) for each in logs
    ]
    both = (splines[0], splines[1])
    return Corners(sides[0].step, theta[seen], weighted[:, seen].T.copy(), both, top)


def each_given_mu(corners: Corners, mu: Array, tau: Array, df: Array | float | None) -> Array:
    """Logs of the functions' means over the study effects, one row per mu and tau, (m, k)."""
    value = np.empty((mu.size, corners.top.size))
    wide = tau >= (WIDE if df is None else WIDE_T) * corners.step * np.abs(mu)
    pieces = max(1, mu.size * corners.theta.size // 2**21)
    for some in np.array_split(np.flatnonzero(wide), pieces):
        z = (corners.theta - mu[some, None]) / tau[some, None]
        kernel = np.exp(log_kernel(z, rows_of(df, some))) / tau[some, None]
        with np.errstate(divide="ignore"):
            value[some] = np.maximum(np.log(kernel @ corners.weighted), EMPTY)
    for some in np.array_split(np.flatnonzero(~wide), max(1, mu.size // 4096)):
        value[some] = _narrow(corners, mu[some], tau[some], rows_of(df, some))
    return value + corners.top


def rows_of(
    df: Array | float | None, some: NDArray[np.intp] | NDArray[np.bool_]
) -> Array | float | None:
    """Degrees of freedom of some rows, (n, 1), where each has its own."""
    return df[some, None] if isinstance(df, np.ndarray) else df


def _narrow(corners: Corners, mu: Array, tau: Array, df: Array | float | None) -> Array:
    """Where the corner is out of reach of the distribution of the effects, (m, k)."""
    z, log_weight = rule_of_effects(df)
    theta = mu[:, None] + tau[:, None] * z
    v = np.log(np.maximum(np.abs(theta), 1e-300))
    each = np.empty((*theta.shape, corners.top.size))
    for sign, spline in zip((-1, 1), corners.splines, strict=True):
        here = np.sign(theta) == sign
        each[here] = spline(np.clip(v[here], spline.t[0], spline.t[-1]))
    each += log_weight[..., None]
    top = each.max(axis=1)
    return np.log(np.exp(each - top[:, None]).sum(axis=1)) + top


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
