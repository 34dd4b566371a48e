"""What each study says of where its effect is expected, tabulated given tau.

The smoother it is, the fewer points it needs: nodes of tau are taken together by powers of two of
the step that serves them, each with the window of the grid that its effects can come from.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import spline_filter1d
from scipy.special import ndtr, stdtrit

from ..exact.grid_size import TAPER, Resolution, fast_size
from ..likelihood.points import Grid
from ..nodes.fourier import FLOOR, characteristic

type Array = NDArray[np.float64]
MARGIN = 24  # points of a table beyond, where its spline is not yet that of the whole grid
EDGE = 4.0  # steps: standard deviation of the edge of a window
SLOWEST = 12.0  # of Student-t effects with one degree of freedom: steps per tau
AT_ONCE = 2**14  # places of a block, so that a processor's cache holds them
TRANSFORMED = 2**22  # numbers of a block of transforms
ORDER = 5  # of the splines
# Coefficients of a spline about a cell -> those of its polynomial there, from the constant one up.
_LOCAL = (
    np.array(
        [
            [1, 26, 66, 26, 1, 0],
            [-5, -50, 0, 50, 5, 0],
            [10, 20, -60, 20, 10, 0],
            [-10, 20, 0, -20, 10, 0],
            [5, -20, 30, -20, 5, 0],
            [-1, 5, -10, 10, -5, 1],
        ],
        dtype=np.float64,
    )
    / 120
)


class Tables(NamedTuple):
    """Log likelihoods of rows of studies at nodes of tau: polynomials (6, r, t, size) of cells.

    Each is scaled to 0 at the top of the study's likelihood of its own effect.
    """

    first: float
    step: float
    cells: Array

    @property
    def ends(self) -> tuple[float, float]:
        """Where they begin and end."""
        return self.first, self.first + self.cells.shape[-1] * self.step

    def node(self, i: int) -> "Tables":
        """Those of one node alone."""
        return self._replace(cells=np.ascontiguousarray(self.cells[:, :, i : i + 1]))

    def at(self, design: Array, points: Array, nodes: NDArray[np.intp]) -> Array:
        """Sum over rows at ``design @ points``; beyond the tables those of their ends.

        Parameters
        ----------
        design : ndarray, (r, p)
        points : ndarray, (s, n, p)
            At some of the nodes.
        nodes : ndarray of int, (s,)
            Which these are.

        Returns
        -------
        ndarray, (s, n)
        """
        _, rows, count, size = self.cells.shape
        total = np.zeros(points.shape[:2])
        planes, begin = self.cells.reshape(ORDER + 1, -1), size * nodes[:, None]
        scaled = design / self.step
        many = max(1, AT_ONCE // max(1, total.size))
        for i in range(0, rows, many):
            part = scaled[i : i + many]
            place = np.tensordot(part, points, (1, 2))
            place -= self.first / self.step
            np.clip(place, 0.0, size - 1e-9, out=place)
            cell = place.astype(np.intp)
            place -= cell
            cell += begin
            cell += count * size * np.arange(i, i + len(part))[:, None, None]
            found = planes[ORDER].take(cell)
            for plane in planes[ORDER - 1 :: -1]:
                found *= place
                found += plane.take(cell)
            total += found.sum(axis=0)
        return total


@final
@dataclass(frozen=True)
class Smearing:
    """Likelihoods on a grid, and the rule by which study effects smear them.

    Attributes
    ----------
    likelihood : ndarray, (k, size)
        Each 1 at its top.
    grid : Grid
    df : float or None
        Degrees of freedom of the effects; None for normal ones.
    resolution : Resolution
    """

    likelihood: Array
    grid: Grid
    df: float | None
    resolution: Resolution

    def only(self, i: int) -> "Smearing":
        """The same of one study."""
        return replace(self, likelihood=self.likelihood[i : i + 1])

    def level(self, tau: Array) -> NDArray[np.intp]:
        """Powers of two by which the grid may be coarser, at each tau."""
        finest = 1 / self.resolution.step
        if self.df is not None:
            finest = max(finest, SLOWEST / self.df**0.5)
        with np.errstate(divide="ignore"):
            levels = np.floor(np.log2(tau / (finest * self.grid.step)))
        return np.maximum(levels, 0).astype(np.intp)

    def tables(
        self, level: int, tau: Array, low: float, high: float, join: Array | None = None
    ) -> Tables:
        """Tables at nodes of one level, (t,), for effects expected between `low` and `high`.

        Parameters
        ----------
        join : ndarray, (r, k), optional
            Which studies are summed; each by itself if None.
        """
        coarser = 2**level
        step = coarser * self.grid.step
        far = TAPER if self.df is None else float(stdtrit(self.df, 1 - self.resolution.tail))
        edge = EDGE * self.grid.step
        half = 0.5 * (high - low) + MARGIN * step + far * float(tau.max()) + 2 * TAPER * edge
        size = fast_size(2 * half / step)
        start, fourier = self._window(0.5 * (low + high), coarser * size, half, edge)
        fourier = fourier[:, : size // 2 + 1] / coarser
        omega = 2 * np.pi * np.fft.rfftfreq(size, step)
        first = max(int((low - start) / step) - MARGIN, 0)
        last = min(int((high - start) / step) + MARGIN + 2, size)
        found = []
        for some in np.array_split(tau, max(1, tau.size * fourier.size // TRANSFORMED)):
            kernel = characteristic(some[:, None] * omega, self.df)
            smeared = np.fft.irfft(fourier[:, None] * kernel, size, axis=-1)[..., first:last]
            logs = np.log(np.maximum(smeared, FLOOR))
            found.append(logs if join is None else np.tensordot(join, logs, 1))
        return Tables(start + (first + MARGIN) * step, step, _cells(np.concatenate(found, axis=1)))

    def _window(
        self, centre: float, size: int, half: float, edge: float
    ) -> tuple[float, NDArray[np.complex128]]:
        """First point of a window of the grid, and the transform of what lies in it."""
        grid = self.grid
        begin = round((centre - grid.centre) / grid.step) + grid.size // 2 - size // 2
        inside = np.arange(max(begin, 0), min(begin + size, grid.size))
        x = grid.points[inside]
        ends = np.minimum(half - np.abs(x - centre), grid.half - np.abs(x - grid.centre))
        part = np.zeros((len(self.likelihood), size))
        part[:, inside - begin] = self.likelihood[:, inside] * ndtr(ends / edge - TAPER)
        start = grid.centre + grid.step * (begin - grid.size // 2)
        return start, np.fft.rfft(part, axis=1)


def _cells(logs: Array) -> Array:
    """Polynomials of cells of quintic splines through rows of values, (6, ..., size less margins).

    A cell is all that the margins leave; the first begins at value ``MARGIN``.
    """
    splines = spline_filter1d(logs, order=ORDER, axis=-1, mode="mirror")
    last = logs.shape[-1] - MARGIN
    shifted = [splines[..., MARGIN - 2 + j : last - 2 + j] for j in range(ORDER + 1)]
    return (_LOCAL @ np.stack(shifted).reshape(ORDER + 1, -1)).reshape(ORDER + 1, *shifted[0].shape)
