"""Estimates that lie far from all others."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..studies import Table
from ..ways import way
from .doubt import Doubt
from .estimates import estimates, predicted

type Array = NDArray[np.float64]

FAR = 8.0  # standard errors, the scatter of the others counted
FEWEST = 3


def far_from_rest(data: Table, measure: str | None) -> Iterator[Doubt]:
    """Doubt estimates that lie far from the others.

    By either of two yardsticks: from what the others predict, tau counted, or from their median, in
    √(se² + s²), s their robust SD (1.4826 times the median absolute deviation) or the median of
    their standard errors where that is larger. The first sees what a precise study is off, the
    second each of two faulty rows that widen tau for one another.
    """
    if data.k < FEWEST:
        return
    y, se, called = estimates(data, measure)
    for i, name in enumerate(data.study):
        others = np.arange(y.size) != i
        distance, middle = _distance(y[i], se[i], y[others], se[others])
        if distance > FAR:
            yield Doubt(
                "far_from_rest",
                (name,),
                f"{name}: {called} {y[i]:.3g} lies {distance:.0f} standard errors, the scatter of "
                f"the others counted, from their middle, {middle:.3g}: look for a lost decimal "
                f"point, a sign or another unit, or leave it out with {way('exclude', name)}.",
            )


def _distance(y: float, se: float, others: Array, errors: Array) -> tuple[float, float]:
    """By the yardstick that it is farther by, and the middle of that."""
    median = float(np.median(others))
    scatter = max(1.4826 * np.median(np.abs(others - median)), np.median(errors))
    mean, v = predicted(others, errors)
    found = [
        (abs(y - median) / np.hypot(se, scatter), median),
        (abs(y - mean) / np.hypot(se, np.sqrt(v)), mean),
    ]
    return max(found)
