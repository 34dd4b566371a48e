"""A straight line through estimates that differ by more than chance: mixed-effects regression.

Functions of tau² take many at once, t of shape (m,), and studies last: (m, k).
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays.tau2 import Likelihood, spread_of
from ..fit import IntervalName
from .weighted_line import WeightedLine, check_slope, dispersion_of

type Array = NDArray[np.float64]
type Tau2OfLine = Literal["REML", "ML", "DL", "PM", "EB", "HE", "SJ"]

PER_DECADE = 4  # points of the search for peaks of a likelihood, in log tau²


class Line(NamedTuple):
    """Weighted lines at m values of tau²; `residual` and `weight` are (m, k), the rest (m,)."""

    weight: Array
    centre: Array
    height: Array
    slope: Array
    spread: Array
    residual: Array
    hat: Array

    @property
    def q(self) -> Array:
        """Weighted sum of squares about the line."""
        return (self.weight * self.residual**2).sum(axis=-1)


def line_at(t: Array, y: Array, x: Array, v: Array) -> Line:
    """Lay the line with weights 1/(v + t)."""
    weight = 1 / (v + np.asarray(t)[:, None])
    total = weight.sum(axis=-1)
    centre, middle = (weight @ x) / total, (weight @ y) / total
    away = x - centre[:, None]
    spread = (weight * away**2).sum(axis=-1)
    slope = (weight * away * (y - middle[:, None])).sum(axis=-1) / spread
    residual = y - middle[:, None] - slope[:, None] * away
    hat = weight * (1 / total[:, None] + away**2 / spread[:, None])
    return Line(weight, centre, middle - slope * centre, slope, spread, residual, hat)


def mixed_line(
    what: str,
    study: tuple[str, ...],
    y: Array,
    x: Array,
    v: Array,
    *,
    tau2: Tau2OfLine | None,
    interval: IntervalName,
    prob: float,
) -> WeightedLine:
    """Regress `y` on `x` with weights 1/(v + tau²); tau2 None is a tau² of zero.

    `interval` is Wald, normal; HKSJ, t with the dispersion of the residuals; or that dispersion
    where it is above 1.
    """
    check_slope(what, study, x)
    between = 0.0 if tau2 is None else ESTIMATORS[tau2](y, x, v)
    line = line_at(np.array([between]), y, x, v)
    dispersion, df = 1.0, np.inf
    if interval != "Wald":
        dispersion = dispersion_of(what, y, line.residual[0], line.weight[0])
        dispersion = max(dispersion, 1.0) if interval == "HKSJ truncated" else dispersion
        df = float(y.size - 2)
    of_slope = dispersion / line.spread[0]
    of_limit = dispersion / line.weight.sum() + line.centre[0] ** 2 * of_slope
    return WeightedLine(
        estimate=float(line.height[0]),
        se=float(np.sqrt(of_limit)),
        slope=float(line.slope[0]),
        slope_se=float(np.sqrt(of_slope)),
        df=df,
        prob=prob,
        k=y.size,
    )


def _dersimonian_laird(y: Array, x: Array, v: Array) -> float:
    line = line_at(np.zeros(1), y, x, v)
    free = (line.weight * (1 - line.hat)).sum()
    return max(0.0, float((line.q[0] - (y.size - 2)) / free))


def _hedges(y: Array, x: Array, v: Array) -> float:
    line = line_at(np.zeros(1), y, x, np.ones_like(v))
    return max(0.0, float((line.q[0] - ((1 - line.hat) @ v)[0]) / (y.size - 2)))


def _sidik_jonkman(y: Array, x: Array, v: Array) -> float:
    first = float(y.var())
    return first * float(line_at(np.array([first]), y, x, v).q[0]) / (y.size - 2)


def _paule_mandel(y: Array, x: Array, v: Array) -> float:
    """The tau² at which Q, which falls with it, is its degrees of freedom; else zero."""
    from scipy.optimize import brentq

    def excess(t: float) -> float:
        return float(line_at(np.array([t]), y, x, v).q[0]) - (y.size - 2)

    if excess(0.0) <= 0:
        return 0.0
    end = float(((y - y.mean()) ** 2).sum()) / (y.size - 2)  # no line is worse than a level one
    return float(brentq(excess, 0.0, end, xtol=1e-15 * end, rtol=1e-14))  # pyright: ignore[reportArgumentType]


def _likeliest(y: Array, x: Array, v: Array, kind: Likelihood) -> float:
    """The highest of tau² = 0 and all peaks, which lie between points of a grid."""
    from scipy.optimize import brentq

    first, reach = spread_of(y[:, None], v[:, None], np.ones((y.size, 1)))
    last = 16 * float(reach[0]) + float(v.max())  # beyond, the score is below zero
    points = max(int(PER_DECADE * np.log10(last / first[0])), 1) + 2
    grid = np.append(0.0, np.geomspace(first[0], last, points))
    slope = _score(grid, y, x, v, kind)

    def rise(t: float) -> float:
        return float(_score(np.array([t]), y, x, v, kind)[0])

    peaks = [
        brentq(rise, grid[i], grid[j], xtol=1e-16 * last, rtol=1e-14)  # pyright: ignore[reportArgumentType]
        for i, j in pairwise(range(grid.size))
        if slope[i] > 0 >= slope[j]
    ]
    places = np.array([0.0, *peaks], dtype=np.float64)
    return float(places[np.argmin(_deviance(places, y, x, v, kind))])


def _score(t: Array, y: Array, x: Array, v: Array, kind: Likelihood) -> Array:
    """Twice the derivative of the log (restricted) likelihood by tau²."""
    line = line_at(t, y, x, v)
    lost = line.weight * (1 - line.hat) if kind == "REML" else line.weight
    return ((line.weight * line.residual) ** 2 - lost).sum(axis=-1)


def _deviance(t: Array, y: Array, x: Array, v: Array, kind: Likelihood) -> Array:
    """Minus twice the log (restricted) likelihood, up to a constant."""
    line = line_at(t, y, x, v)
    value = line.q - np.log(line.weight).sum(axis=-1)
    if kind == "ML":
        return value
    return value + np.log(line.weight.sum(axis=-1)) + np.log(line.spread)


ESTIMATORS: Mapping[Tau2OfLine, Callable[[Array, Array, Array], float]] = {
    "REML": partial(_likeliest, kind="REML"),
    "ML": partial(_likeliest, kind="ML"),
    "DL": _dersimonian_laird,
    "PM": _paule_mandel,
    "EB": _paule_mandel,
    "HE": _hedges,
    "SJ": _sidik_jonkman,
}
