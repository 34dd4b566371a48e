"""The nearest candidates, told apart by their figures."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..effects import Measure
from ..frequentist import Selections
from ._printed import as_printed
from ._result import Candidate
from ._search import Place
from .selections import Data, rows_that_differ

SHOWN = 10  # candidates in a table


def best_of(
    nearest: Sequence[Place], selections: Selections, measure: Measure, figures: Sequence[str]
) -> tuple[Candidate, ...]:
    """The nearest candidates, each with other figures or another selection than those before."""
    found: dict[tuple, list[Place]] = {}
    for place in nearest:
        key = (place.column, *(f"{place.figures[name]:.9g}" for name in figures))
        found.setdefault(key, []).append(place)
    return tuple(_candidate(places, selections, measure) for places in list(found.values())[:SHOWN])


def _candidate(places: Sequence[Place], selections: Selections, measure: Measure) -> Candidate:
    one, first = places[0], selections.tables[0]
    table = selections.tables[selections.table[one.column]]
    present = selections.present[:, one.column]
    return Candidate(
        convention=one.convention,
        left_out=tuple(n for n, there in zip(first.study, present, strict=True) if not there),
        readings=_other_readings(first, table, present),
        figures={
            name: float(as_printed(name, np.array(value), measure))
            for name, value in one.figures.items()
            if np.isfinite(value)
        },
        miss=one.miss,
        reproduces=one.rank < 2,
        same=len(places),
    )


def _other_readings(first: Data, table: Data, present: NDArray[np.bool_]) -> tuple[str, ...]:
    differs = rows_that_differ(first, table)
    return tuple(
        name
        for name, other, there in zip(first.study, differs, present, strict=True)
        if other and there
    )
