"""Points of a ball, and a rule over them that finds its own place."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
RADIUS = 7.5  # of the ball, in standard deviations
SHELL = 1.0  # its outermost part
FAINT = 1e-9  # share of the mass there that is let be
PLACINGS = 8  # at most, of one rule


@lru_cache(maxsize=32)
def ball(p: int, step: float) -> Array:
    """Points of a uniform lattice within the ball, (n, p)."""
    one = step * np.arange(-int(RADIUS / step), int(RADIUS / step) + 1, dtype=np.float64)
    points: Array = np.zeros((1, 0))
    for _ in range(p):  # axis by axis, lest a whole cube is made
        points = np.concatenate(
            [np.repeat(points, one.size, axis=0), np.tile(one, len(points))[:, None]], axis=1
        )
        points = points[(points**2).sum(axis=1) <= RADIUS**2]
    points.setflags(write=False)
    return points


def shell(points: Array) -> NDArray[np.bool_]:
    """Which points of a ball (n, p) lie in its outermost part, where nothing should be left."""
    return np.asarray((points**2).sum(axis=1) > (RADIUS - SHELL) ** 2)


class Placed(NamedTuple):
    """A rule over coefficients at its place.

    Attributes
    ----------
    log_total : float
        Log of the integral.
    mean, root : ndarray, (p,) and (p, p)
        Centre and root of the covariance, of the rule.
    first, second : ndarray, (p,) and (p, p)
        Mean and covariance of what was integrated.
    left_out : float
        Share of the mass in the outermost shell.
    """

    log_total: float
    mean: Array
    root: Array
    first: Array
    second: Array
    left_out: float


def place(
    log_density: Callable[[Array], Array], mean: Array, covariance: Array, step: float
) -> Placed:
    """Integrate by the trapezoidal rule over a ball that follows the density where it is.

    Naylor & Smith 1982, Appl Stat 31:214-225, whose Gauss rule trusts the tails to be normal.
    """
    z, stretch = ball(mean.size, step), 1.0
    outer = shell(z)
    found = None
    for _ in range(PLACINGS):
        root = np.linalg.cholesky(covariance)
        points = mean + z @ root.T
        logs = log_density(points)
        top = logs.max()
        mass = np.exp(logs - top)
        total = mass.sum()
        mass = mass / total
        first = mass @ points
        off = points - first
        second = (off.T * mass) @ off
        log_total = top + np.log(total * step**mean.size) + np.log(np.diagonal(root)).sum()
        before, found = (
            found,
            Placed(log_total, mean, root, first, second, float(mass[outer].sum())),
        )
        settled = before is not None and abs(log_total - before.log_total) < 1e-9
        if settled and (found.left_out < FAINT or stretch > 4):
            break
        if before is not None and found.left_out >= FAINT:
            stretch = 1.5 * stretch
        jitter = 1e-12 * np.diag(np.diagonal(covariance))
        mean, covariance = first, stretch * second + jitter
    assert found is not None
    return found
