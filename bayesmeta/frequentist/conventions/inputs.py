"""What a convention pools: estimates of the studies, or their counts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...effects import ZERO_CELLS_OF, EffectSizes, ZeroCells, cells, effect_sizes
from ...errors import DataError
from ...model import Data
from ..arrays.counts import peto
from ..pooling.of_counts import cells_of, counts_for_peto
from .convention import Convention
from .selections import Selections

type Array = NDArray[np.float64]


class Estimates(NamedTuple):
    """Estimates, variances and a presence of 0 or 1, studies first, then tables."""

    y: Array
    v: Array
    there: Array

    def of(self, selections: Selections) -> "Estimates":
        """Those of every selection, (k, n), from those of the tables."""
        where = selections.table
        there = self.there[:, where] * selections.present
        return Estimates(self.y[:, where], self.v[:, where], there)

    def rows(self, least: int) -> "Estimates":
        """With studies that are not there, up to `least` of them."""
        more = least - self.y.shape[0]
        if more <= 0:
            return self
        empty = np.zeros((more, self.y.shape[1]))
        return Estimates(
            *(np.vstack([a, b]) for a, b in zip(self, (empty, empty + 1, empty), strict=True))
        )


class Cells(NamedTuple):
    """Four columns of counts, and differences pooled in place of theirs; tables first, then k."""

    columns: tuple[Array, Array, Array, Array]
    plain: Array | None


def estimates_by(data: Data, convention: Convention) -> EffectSizes:
    """Estimates of the studies as the convention makes them."""
    if isinstance(data, EffectSizes):
        if data.measure != convention.measure:
            raise DataError(
                f"The estimates are {data.measure}; the convention is of {convention.measure}."
            )
        return data
    return effect_sizes(
        data,  # pyright: ignore[reportArgumentType]
        measure=convention.measure,
        zero_cells=convention.zero_cells,
        double_zero=convention.double_zero,
        smd=convention.smd,
        bias_correction=convention.bias_correction,
    )


def way_of(convention: Convention) -> tuple[object, ...]:
    """What decides the estimates of the studies."""
    return (
        convention.measure,
        convention.zero_cells,
        convention.double_zero,
        convention.smd,
        convention.bias_correction,
    )


def estimates_of_tables(convention: Convention, selections: Selections) -> Estimates:
    """Estimates that a convention makes of each table, (k, tables)."""
    return selections.once(
        ("estimates of tables", *way_of(convention)),
        lambda: _side_by_side([_aligned(table, convention) for table in selections.tables]),
    )


def estimates_of(convention: Convention, selections: Selections) -> Estimates:
    """Estimates that a convention makes of each selection, (k, n)."""
    return selections.once(
        ("estimates", *way_of(convention)),
        lambda: estimates_of_tables(convention, selections).of(selections),
    )


def peto_of(convention: Convention, selections: Selections) -> Estimates:
    """Peto's estimates of each selection, (k, n)."""
    counts = [counts_for_peto(table, convention.measure) for table in selections.tables]
    return _side_by_side([Estimates(*peto(*cells(table))) for table in counts]).of(selections)


def cells_of_tables(convention: Convention, selections: Selections) -> Cells:
    """Counts that Mantel and Haenszel pool of each table, (tables, k)."""
    measure, rule = convention.measure, mh_rule(convention)
    return selections.once(
        ("cells of tables", measure, rule),
        lambda: _stacked([Cells(*cells_of(table, measure, rule)) for table in selections.tables]),
    )


def mh_rule(convention: Convention) -> ZeroCells:
    """What is added to the cells that are pooled; nothing to person-time."""
    return convention.mh_zero_cells if convention.measure in ZERO_CELLS_OF else "none"


def _side_by_side(parts: list[Estimates]) -> Estimates:
    return Estimates(*(np.stack(column, axis=1) for column in zip(*parts, strict=True)))


def _stacked(parts: list[Cells]) -> Cells:
    a, b, c, d = (np.stack(one) for one in zip(*(part.columns for part in parts), strict=True))
    plain = [part.plain for part in parts if part.plain is not None]
    return Cells((a, b, c, d), np.stack(plain) if plain else None)


def _aligned(data: Data, convention: Convention) -> Estimates:
    """Estimates in the order of `data`, each (k,)."""
    effects = estimates_by(data, convention)
    row = {name: i for i, name in enumerate(data.study)}
    rows = [row[name] for name in effects.study]
    y, v, there = np.zeros(data.k), np.ones(data.k), np.zeros(data.k)
    y[rows], v[rows], there[rows] = effects.y, effects.se**2, 1.0
    return Estimates(y, v, there)
