"""Likelihoods of studies on one fine grid, each asked for where it is not nothing and no finer."""

from functools import singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from ...errors import ModelError
from ...model import Arms, Estimates, Likelihood, OfCounts
from ...ways import way
from ..exact.grid_size import Resolution
from ..likelihood.points import Grid, Row
from ..likelihood.study import log_likelihood_of_row, log_likelihoods, rows, supported
from .linear import Problem

type Array = NDArray[np.float64]
WIDEST = 0.8  # feature of the likelihood of a table of counts, whose own error is larger
DEAD = 46.0  # log likelihood below the highest, that is nothing
SIDE = 12.0  # standard errors on either side, to begin with
EDGE = 8  # points beyond, where a spline is not yet what it is within


@singledispatch
def likelihoods(
    of: Likelihood, problem: Problem, grid: Grid, resolution: Resolution
) -> tuple[Array, Array]:
    """Likelihoods on a grid, (k, size), each 1 at its top, and the logs of what these were, (k,).

    Tables of counts are summed at points of their own, the same in all fits that have them.
    """
    raise ModelError(f"{type(of).__name__} says nothing of one study by itself; use {way('nuts')}.")


@likelihoods.register
def _(
    of: Estimates | Arms, problem: Problem, grid: Grid, resolution: Resolution
) -> tuple[Array, Array]:
    logs = log_likelihoods(of, problem.data, grid, resolution.spacing)
    top = logs.max(axis=1)
    return np.exp(logs - top[:, None]), top


@likelihoods.register
def _(of: OfCounts, problem: Problem, grid: Grid, resolution: Resolution) -> tuple[Array, Array]:
    data = problem.data
    supported(of, data)
    found, tops = np.zeros((data.k, grid.size)), np.empty(data.k)
    x = grid.points
    for i, row in enumerate(rows(data)):
        at, logs = _alive(of, row, problem.y[i], problem.se[i], grid, resolution)
        tops[i] = logs.max()
        own = at.points[[0, -1]]
        inside = slice(*np.searchsorted(x, own))
        place = (x[inside] - own[0]) / at.step
        found[i, inside] = np.exp(map_coordinates(logs - tops[i], [place], order=5, mode="mirror"))
    return found, tops


def _alive(
    of: OfCounts, row: Row, y: float, se: float, grid: Grid, resolution: Resolution
) -> tuple[Grid, Array]:
    """A grid that holds all of one likelihood there is within the whole, and its logs there."""
    step = 2 ** (np.floor(2 * np.log2(resolution.step * min(se, WIDEST))) / 2)
    middle, side = round(y / step), 2 ** int(np.ceil(np.log2(SIDE * se / step)))
    first, last = middle - side, middle + side
    ends = grid.points[0] / step - EDGE, grid.points[-1] / step + EDGE
    while True:
        own = Grid(float(step * ((first + last) // 2)), float(step), last - first)
        logs = log_likelihood_of_row(of, row, own, resolution.spacing)
        nothing = logs.max() - DEAD
        lower = logs[0] > nothing and first > ends[0]
        upper = logs[-1] > nothing and last - 1 < ends[1]
        if not (lower or upper):
            return own, logs
        width = last - first
        first, last = first - lower * width, last + upper * width
