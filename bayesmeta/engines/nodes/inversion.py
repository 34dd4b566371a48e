"""Densities known at points, inverted: a probability in, the point below which it lies out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Places = NDArray[np.intp]

STEPS = 5  # of Newton's method within a cell
STENCIL = 6  # rows of a family between which one is interpolated


def invert_rows(x: Array, log_p: Array, u: Array) -> Array:
    """Invert one density per row at one probability per row.

    The density is cubic between points, by values and slopes at both, so that what is drawn has
    the moments of the density and not those of its cells.

    Parameters
    ----------
    x : ndarray, shape (n, points)
        Rising along each row; equal neighbours are allowed.
    log_p : ndarray, shape (n, points)
        Logs of the densities there, up to a constant of each row.
    u : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
    """
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    steps = np.diff(x, axis=1)
    slopes = _slopes(p, steps)
    mass = 0.5 * steps * (p[:, 1:] + p[:, :-1])
    mass += steps**2 / 12 * (slopes[:, :-1] - slopes[:, 1:])
    below = np.cumsum(np.maximum(mass, 0.0), axis=1)
    target = u * below[:, -1]
    cell = np.minimum((below < target[:, None]).sum(axis=1), steps.shape[1] - 1)
    row = np.arange(u.size)
    step, rest = steps[row, cell], target - np.where(cell > 0, below[row, cell - 1], 0.0)
    ends = (p[row, cell], p[row, cell + 1])
    tangents = (slopes[row, cell] * step, slopes[row, cell + 1] * step)
    share = rest / np.maximum(below[row, cell] - target + rest, 1e-300)
    return x[row, cell] + step * _within(*ends, *tangents, np.clip(share, 0.0, 1.0))


def _slopes(p: Array, steps: Array) -> Array:
    """Slopes at the points by the parabola through their neighbours, zero at both ends."""
    secant = np.diff(p, axis=1) / np.maximum(steps, 1e-300)
    both = np.maximum(steps[:, :-1] + steps[:, 1:], 1e-300)
    slopes = np.zeros_like(p)
    slopes[:, 1:-1] = (steps[:, 1:] * secant[:, :-1] + steps[:, :-1] * secant[:, 1:]) / both
    return slopes


def _within(p0: Array, p1: Array, d0: Array, d1: Array, share: Array) -> Array:
    """Where in a unit cell a share of the mass of its cubic density lies below."""
    total = 0.5 * (p0 + p1) + (d0 - d1) / 12
    wanted = share * total
    t = share
    for _ in range(STEPS):
        c2, c3 = 3 * (p1 - p0) - 2 * d0 - d1, d0 + d1 - 2 * (p1 - p0)
        mass = t * (p0 + t * (d0 / 2 + t * (c2 / 3 + t * c3 / 4)))
        density = p0 + t * (d0 + t * (c2 + t * c3))
        t = np.clip(t - (mass - wanted) / np.maximum(density, 1e-3 * total + 1e-300), 0.0, 1.0)
    return t


class Family(NamedTuple):
    """Distributions of one variable, known at values of another, for all between these.

    Attributes
    ----------
    at : ndarray, shape (t,)
        Rising values of the other.
    below, density, slope : ndarray, shape (t, m)
        Distribution functions, densities and their slopes at the points 0, 1, 2, …
    """

    at: Array
    below: Array
    density: Array
    slope: Array

    @classmethod
    def of(cls, at: Array, rows: Array) -> "Family":
        """Interpolate smooth masses on a uniform grid, (t, m), that vanish at both ends."""
        alive = rows.sum(axis=1) > 1e-200
        order = np.flatnonzero(alive)[np.argsort(at[alive])]
        density = rows[order] / rows[order].sum(axis=1, keepdims=True)
        series = np.fft.rfft(density, axis=1)
        omega = 2 * np.pi * np.fft.rfftfreq(density.shape[1])
        size = density.shape[1]
        terms = np.zeros_like(series)
        terms[:, 1:] = series[:, 1:] / (1j * omega[1:])
        below = np.fft.irfft(terms, size, axis=1) + np.arange(size) / size
        below = np.maximum.accumulate(np.clip(below - below[:, :1], 0.0, 1.0), axis=1)
        slope = np.fft.irfft(1j * omega * series, size, axis=1)
        return cls(at[order], below / below[:, -1:], density, slope)

    def quantile(self, at: Array, u: Array) -> Array:
        """Points below which the probability is u, both (n,), between grid points too."""
        first, weight = self._stencil(at)
        low, high = np.zeros(u.size, np.intp), np.full(u.size, self.below.shape[1] - 1)
        while (high - low > 1).any():
            middle = (low + high) // 2
            under = self._mix(self.below, first, weight, middle) < u
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        at_low, at_high = (
            [self._mix(table, first, weight, cell) for table in self[1:]] for cell in (low, high)
        )
        share = (u - at_low[0]) / np.maximum(at_high[0] - at_low[0], 1e-300)
        values = (at_low[1], at_high[1], at_low[2], at_high[2])
        return low + _within(*values, np.clip(share, 0.0, 1.0))

    def _stencil(self, at: Array) -> tuple[Places, Array]:
        """The first of the rows about each value, and the weights of Lagrange's polynomial."""
        width = min(STENCIL, self.at.size)
        first = np.searchsorted(self.at, at) - width // 2
        first = np.clip(first, 0, self.at.size - width)
        near = self.at[first[:, None] + np.arange(width)]
        weight = np.ones_like(near)
        for j in range(width):
            for k in range(width):
                if k != j:
                    weight[:, j] *= (at - near[:, k]) / (near[:, j] - near[:, k])
        return first, weight

    def _mix(self, table: Array, first: Places, weight: Array, column: Places) -> Array:
        at, flat = first * table.shape[1] + column, np.ascontiguousarray(table).reshape(-1)
        found = np.zeros(column.size)
        for j in range(weight.shape[1]):
            found += weight[:, j] * flat.take(at + j * table.shape[1])
        return found
