"""Where likelihoods are asked for: uniform grids, points that crowd at zero, any places."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]


class Grid(NamedTuple):
    """Uniform grid of `size` points about a point of its own; hashable, so that rows are kept."""

    centre: float
    step: float
    size: int

    @property
    def points(self) -> Array:
        """The points, shape (size,); entry ``size // 2`` is the centre."""
        return self.centre + self.step * np.arange(
            -(self.size // 2), self.size - self.size // 2, dtype=np.float64
        )

    @property
    def half(self) -> float:
        """Distance from the centre to the nearer end."""
        return self.step * (self.size - self.size // 2 - 1)


class Graded(NamedTuple):
    """Points ``sign exp(v)`` with v uniform: as dense near zero as they are near to it."""

    sign: float
    first: float
    step: float
    size: int

    @property
    def logs(self) -> Array:
        """v, the logarithms of their sizes, shape (size,)."""
        return self.first + self.step * np.arange(self.size, dtype=np.float64)

    @property
    def points(self) -> Array:
        """The points, shape (size,)."""
        return self.sign * np.exp(self.logs)


class Places(NamedTuple):
    """Points wherever they are asked for."""

    values: tuple[float, ...]

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def points(self) -> Array:
        """The points, shape (size,)."""
        return np.array(self.values)


type Points = Grid | Graded | Places
type Row = tuple[float, ...]  # events and patients (or person-time) of treatment, then of control


def rounded_down(value: float, steps: int = 4) -> float:
    """The next power of two below, or of its root: `steps` of them double it."""
    return float(2 ** (np.floor(steps * np.log2(value)) / steps))
