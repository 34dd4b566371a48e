"""What each study says of where its effect is expected, tabulated given tau."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import spline_filter1d

from ..exact.reach import Reach
from ..likelihood.points import Grid
from ..nodes.fourier import log_given_mu

type Array = NDArray[np.float64]
MARGIN = 24  # points of a table beyond, where its spline is not yet that of the whole grid


class Tables(NamedTuple):
    """What each study says of where its effect is expected: coefficients of splines (k, size)."""

    first: float
    step: float
    coefficients: Array
    top: Array

    def at(self, place: Array) -> Array:
        """Log likelihoods (n, k) at places (n, k); beyond the table those of its end."""
        k, size = self.coefficients.shape
        position = (place - self.first) / self.step
        position = np.clip(position, 3.0, size - 4.0)
        cell = np.floor(position).astype(np.intp)
        weights = _quintic(position - cell)
        flat, base = self.coefficients.ravel(), cell + size * np.arange(k) - 2
        total = np.zeros(place.shape)
        for j, weight in enumerate(weights):
            total += flat[base + j] * weight
        return total + self.top


def _quintic(t: Array) -> tuple[Array, ...]:
    """Weights of the six coefficients of a quintic spline about a place `t` into its cell."""
    s = 1 - t
    return (
        s**5 / 120,
        (26 - 50 * t + 20 * t**2 + 20 * t**3 - 20 * t**4 + 5 * t**5) / 120,
        (66 - 60 * t**2 + 30 * t**4 - 10 * t**5) / 120,
        (66 - 60 * s**2 + 30 * s**4 - 10 * s**5) / 120,
        (26 - 50 * s + 20 * s**2 + 20 * s**3 - 20 * s**4 + 5 * s**5) / 120,
        t**5 / 120,
    )


def tabulate(
    fourier: NDArray[np.complex128],
    grid: Grid,
    top: Array,
    df: float | None,
    reach: Reach,
    tau: float,
) -> Tables:
    """Tables at one tau, as far as effects are expected and a little further."""
    points = grid.points
    first = max(int(np.searchsorted(points, reach.low)) - MARGIN, 0)
    last = int(np.searchsorted(points, reach.high)) + MARGIN
    logs = log_given_mu(fourier, grid, df, tau)[:, first:last]
    coefficients = spline_filter1d(logs, order=5, axis=1, mode="mirror")
    return Tables(float(points[first]), grid.step, coefficients, top)
