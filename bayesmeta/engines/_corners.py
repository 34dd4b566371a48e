"""Studies whose likelihood has a corner at no effect, smoothed by the distribution of the effects.

Near the corner the likelihood has features of every size, so its two sides are tabulated in the
logarithm of |theta|, where each is smooth. Where the distribution of the effects is as wide as the
distance of those nodes, the trapezoidal rule in that logarithm is exact to rounding; where it is
narrower, it does not reach the corner, and the rule runs over the distribution itself.
"""

# SciPy types its results as unions with a second return value:
# pyright: reportArgumentType=false
# pyright: reportOperatorIssue=false

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline, make_interp_spline
from scipy.special import gammaln

from ..model import Model
from ..priors import LOG_2PI
from ..studies import Studies
from ._likelihoods import log_likelihoods, rough_effects
from ._tables import Graded

type Array = NDArray[np.float64]

NEAREST = 1e-11  # of the smallest standard error: where the logarithmic nodes begin
WIDE = 1.2  # node distances that the distribution of the effects must span
EMPTY = -745.0


class Corners(NamedTuple):
    """Both sides of the likelihoods of k studies at nodes of log|theta|.

    `theta`, shape (n,), are the nodes of both sides where anything is seen; `weighted` (n, k) the
    likelihood, scaled to 1 at most, times the rule's weight;
    `splines` the log likelihoods of the negative and the positive side; `top` (k,) the scale.
    """

    step: float
    theta: Array
    weighted: Array
    splines: tuple[BSpline, BSpline]
    top: Array


def tabulate(model: Model, data: Studies, far: float, fineness: float, spacing: float) -> Corners:
    """Tabulate the studies' likelihoods as far as |theta| = `far`."""
    y, se = rough_effects(model, data)
    step = fineness * min(0.25, float((se / (np.abs(y) + 2 * se)).min()))
    first = float(np.log(NEAREST * se.min()))
    size = int(np.ceil((np.log(far) - first) / step)) + 1
    sides = [Graded(sign, first, step, size) for sign in (-1.0, 1.0)]
    logs = [log_likelihoods(model, data, side, spacing) for side in sides]
    top = np.maximum(*(each.max(axis=1) for each in logs))
    v = sides[0].logs
    weight = np.exp(v) * step
    weighted = np.concatenate([np.exp(each - top[:, None]) * weight for each in logs], axis=1)
    theta = np.concatenate([side.points for side in sides])
    seen = (weighted > 1e-30 * weighted.max(axis=1, keepdims=True)).any(axis=0)
    splines = [
        make_interp_spline(v, np.maximum(each - top[:, None], EMPTY).T, k=5) for each in logs
    ]
    return Corners(step, theta[seen], weighted[:, seen].T.copy(), (splines[0], splines[1]), top)


def log_given_mu(corners: Corners, mu: Array, tau: float, df: float | None) -> Array:
    """Log likelihood of all these studies together given mu, shape (m,), and one tau."""
    value = np.empty((mu.size, corners.top.size))
    wide = tau >= WIDE * corners.step * np.abs(mu)
    if wide.any():
        z = (corners.theta - mu[wide, None]) / tau
        kernel = np.exp(log_kernel(z, df)) / tau
        with np.errstate(divide="ignore"):
            value[wide] = np.maximum(np.log(kernel @ corners.weighted), EMPTY)
    if not wide.all():
        value[~wide] = _narrow(corners, mu[~wide], tau, df)
    return value.sum(axis=1) + corners.top.sum()


def _narrow(corners: Corners, mu: Array, tau: float, df: float | None) -> Array:
    """Where the corner is out of reach of the distribution of the effects, (m, k)."""
    z, log_weight = _rule(df)
    theta = mu[:, None] + tau * z
    v = np.log(np.maximum(np.abs(theta), 1e-300))
    each = np.empty((*theta.shape, corners.top.size))
    for sign, spline in zip((-1, 1), corners.splines, strict=True):
        here = np.sign(theta) == sign
        each[here] = spline(np.clip(v[here], spline.t[0], spline.t[-1]))
    total = np.exp(each + log_weight[:, None] - each.max(axis=1, keepdims=True)).sum(axis=1)
    return np.log(total) + each.max(axis=1)


def _rule(df: float | None) -> tuple[Array, Array]:
    """Trapezoidal nodes and log weights of the standard effect: stretched for Student's t."""
    u = np.arange(-7.2, 7.3, 0.6)
    if df is None:
        return u, log_kernel(u, None) + np.log(0.6)
    u = np.linspace(-8, 8, 161)
    z = np.sinh(u)
    return z, log_kernel(z, df) + np.log(np.cosh(u) * (u[1] - u[0]))


def log_kernel(z: Array, df: float | None) -> Array:
    """Log density of the standard study effect, normal or Student-t."""
    if df is None:
        return -0.5 * z**2 - 0.5 * LOG_2PI
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    return constant - (df + 1) / 2 * np.log1p(z**2 / df)
