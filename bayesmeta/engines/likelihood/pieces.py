"""Quintic splines at uniform nodes, read at any places: in a tenth of the time of SciPy's own."""

from dataclasses import dataclass
from math import factorial
from typing import final

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

DEGREE = 5
JOINED = 2  # cells at either end, besides the first and the last, that share its polynomial


@final
@dataclass(frozen=True, slots=True)
class Pieces:
    """Several functions, each a polynomial in every cell, and level beyond the nodes.

    Attributes
    ----------
    first, last, step : float
        Of the nodes.
    breaks : ndarray, shape (p,)
        Where the polynomials begin.
    powers : ndarray, shape (q, 6, p)
        Their coefficients, the highest power first.
    """

    first: float
    last: float
    step: float
    breaks: Array
    powers: Array

    @classmethod
    def of(cls, x: Array, values: Array) -> "Pieces":
        """Interpolate functions, (n, q), at uniform nodes (n,), ten at least."""
        from scipy.interpolate import make_interp_spline

        spline = make_interp_spline(x, values, k=DEGREE)
        breaks = spline.t[DEGREE : -DEGREE - 1]
        orders = range(DEGREE, -1, -1)
        each = [spline(breaks, nu=order) / factorial(order) for order in orders]
        step = float(x[-1] - x[0]) / (x.size - 1)
        powers = np.ascontiguousarray(np.moveaxis(np.array(each), 2, 0))
        return cls(float(x[0]), float(x[-1]), step, breaks, powers)

    def __call__(self, at: Array) -> Array:
        """Values of all functions, (q, ...), at places of any shape (...)."""
        at = np.clip(at, self.first, self.last)
        cell = ((at - self.first) / self.step).astype(np.intp) - JOINED
        np.clip(cell, 0, self.breaks.size - 1, out=cell)
        off = at - self.breaks[cell]
        return np.array([_horner(one, cell, off) for one in self.powers])


def _horner(powers: Array, cell: NDArray[np.intp], off: Array) -> Array:
    value = powers[0].take(cell)
    for power in powers[1:]:
        value *= off
        value += power.take(cell)
    return value
