"""Every candidate, block by block: the nearest are kept, the others counted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..effects import Measure
from ..frequentist import Convention, Selections
from ._printed import FIGURES, HALF, Target, misses, rounded
from .walk import Walked, walk

BLOCK = 2000  # selections walked at a time, some hundred conventions each
KEPT = 2000  # candidates of a block that may be among the nearest


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One candidate: its convention and the number of its selection.

    `rank` is 0 for a program's default that reproduces the figures, 1 for another convention that
    does, 2 for one that does not; `figures` are on the analysis scale.
    """

    rank: int
    miss: float
    convention: Convention
    column: int
    figures: Mapping[str, float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a search found.

    `cells` are the different figures in whole units of their last printed digit, (m, figures), and
    `counts` how many candidates have them.
    """

    nearest: Sequence[Place]
    tried: int
    reproducing: int
    cells: NDArray[np.int64]
    counts: NDArray[np.int64]


def search(
    selections: Selections,
    target: Target,
    measure: Measure,
    defaults: frozenset[Convention],
    *,
    prob: float,
    heterogeneity: bool,
) -> Searched:
    """Walk all conventions over all selections."""
    found = [
        _of_block(start, walked, target, measure, defaults)
        for start, walked in _blocks(selections, measure, prob, heterogeneity=heterogeneity)
    ]
    nearest = [place for one in found for place in one.nearest]
    cells, counts = _counted(
        np.concatenate([one.cells for one in found]), np.concatenate([one.counts for one in found])
    )
    return Searched(
        nearest=sorted(nearest, key=lambda place: (place.rank, place.miss)),
        tried=sum(one.tried for one in found),
        reproducing=sum(one.reproducing for one in found),
        cells=cells,
        counts=counts,
    )


def _blocks(
    selections: Selections, measure: Measure, prob: float, *, heterogeneity: bool
) -> Iterator[tuple[int, Sequence[Walked]]]:
    for start in range(0, selections.n, BLOCK):
        block = selections.at(np.arange(start, min(start + BLOCK, selections.n)))
        yield start, list(walk(block, measure.name, prob=prob, heterogeneity=heterogeneity))


def _of_block(
    start: int,
    walked: Sequence[Walked],
    target: Target,
    measure: Measure,
    defaults: frozenset[Convention],
) -> Searched:
    if not walked:
        none = np.zeros((0, len(target)), dtype=np.int64)
        return Searched(nearest=(), tried=0, reproducing=0, cells=none, counts=none[:, 0])
    miss = np.array([misses(one.figures, target, measure).max(axis=0) for one in walked])
    miss = np.where(np.isfinite(miss), miss, np.inf)
    known = np.array([one.convention in defaults for one in walked])
    matched = miss <= HALF
    rank = np.where(matched & known[:, None], 0, np.where(matched, 1, 2))
    order = np.lexsort((miss.ravel(), rank.ravel()))[:KEPT]
    cells = np.concatenate([rounded(one.figures, target, measure) for one in walked])
    good = np.isfinite(miss).ravel()
    counted = _counted(cells[good], np.ones(int(good.sum()), dtype=np.int64))
    places = (divmod(int(flat), miss.shape[1]) for flat in order if good[flat])
    return Searched(
        nearest=[
            Place(
                rank=int(rank[row, column]),
                miss=float(miss[row, column]),
                convention=walked[row].convention,
                column=start + column,
                figures={name: float(walked[row].figures[name][column]) for name in FIGURES},
            )
            for row, column in places
        ],
        tried=int(good.sum()),
        reproducing=int(matched.sum()),
        cells=counted[0],
        counts=counted[1],
    )


def _counted(
    cells: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different rows, and the sum of the counts of each."""
    if not len(cells):
        return cells, counts
    rows, place = np.unique(cells, axis=0, return_inverse=True)
    return rows, np.bincount(place.ravel(), weights=counts).astype(np.int64)
