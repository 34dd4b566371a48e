"""Points of a ball, and rules over them that find their own places."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
RADIUS = 7.5  # of the ball, in standard deviations
SHELL = 1.0  # its outermost part
FAINT = 1e-7  # share of the mass there that is let be: of a normal law in 4 dimensions 1.5e-8
PLACINGS = 8  # at most, of one rule
NEAR = 0.2  # standard deviations, and share of one, that a rule may be off its place


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
    """Rules over coefficients at their places, one for each node of tau.

    Attributes
    ----------
    log_total : ndarray, (t,)
        Logs of the integrals.
    first, second : ndarray, (t, p) and (t, p, p)
        Means and covariances of what was integrated.
    left_out : ndarray, (t,)
        Shares of the mass in the outermost shell.
    """

    log_total: Array
    first: Array
    second: Array
    left_out: Array

    @classmethod
    def empty(cls, count: int, p: int) -> "Placed":
        """Make room for that many nodes and coefficients."""
        return cls(
            np.full(count, np.nan), np.empty((count, p)), np.empty((count, p, p)), np.ones(count)
        )


def place(
    log_density: Callable[[Array, NDArray[np.intp]], Array],
    mean: Array,
    covariance: Array,
    step: float,
) -> Placed:
    """Integrate by the trapezoidal rule over balls that follow the densities where they are.

    Naylor & Smith 1982, Appl Stat 31:214-225, whose Gauss rule trusts the tails to be normal.

    Parameters
    ----------
    log_density : callable
        Points (s, n, p) at some of the nodes, and which, (s,), to log densities (s, n).
    mean, covariance : ndarray, (t, p) and (t, p, p)
        Where to begin.
    step : float
        Of the lattice, in standard deviations.
    """
    count, p = mean.shape
    z = ball(p, step)
    outer = shell(z).astype(np.float64)
    found = Placed.empty(count, p)
    stretch = np.ones(count)
    left = np.arange(count)  # not settled yet
    for number in range(PLACINGS):
        root = np.linalg.cholesky(covariance)
        points = mean[:, None] + z @ root.swapaxes(1, 2)
        logs = log_density(points, left)
        top = logs.max(axis=1)
        mass = np.exp(logs - top[:, None])
        total = mass.sum(axis=1)
        mass /= total[:, None]
        at = mass @ z  # in the rule's own units
        square = (z.T * mass[:, None]) @ z - at[:, :, None] * at[:, None]
        log_total = top + np.log(total * step**p)
        log_total += np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        left_out = mass @ outer
        first = mean + np.einsum("tab,tb->ta", root, at)
        second = root @ square @ root.swapaxes(1, 2)
        gap = np.abs(log_total - found.log_total[left])
        for mine, its in zip(found, (log_total, first, second, left_out), strict=True):
            mine[left] = its
        width = np.linalg.eigvalsh(square)
        off = np.concatenate([at, width - 1], axis=1)
        close = np.abs(off).max(axis=1, initial=0.0) < NEAR
        faint = left_out < FAINT
        settled = (close & faint) | ((gap < 1e-9) & (faint | (stretch > 4)))
        if settled.all():
            break
        if number:
            stretch = np.where(faint, stretch, 1.5 * stretch)
        go = ~settled
        left, stretch, mean = left[go], stretch[go], first[go]
        jitter = 1e-12 * np.diagonal(covariance[go], axis1=1, axis2=2)[:, :, None] * np.eye(p)
        covariance = stretch[:, None, None] * second[go] + jitter
    return found
