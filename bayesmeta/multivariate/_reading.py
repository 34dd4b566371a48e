"""Long tables of several outcomes: a row per study and outcome into tables of both."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..studies import name_rows, read_numbers

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]


def order(column: "pd.Series") -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Names in the order of first appearance, and each row's place among them."""
    gap = column.isna().to_numpy()
    if gap.any():
        rows = ", ".join(str(i + 1) for i in np.flatnonzero(gap)[:5])
        raise DataError(f"{column.name} has no name in row {rows}; fill it in or drop the row.")
    names = [str(cell) for cell in column]
    known = tuple(dict.fromkeys(names))
    return known, np.array([known.index(name) for name in names], dtype=np.intp)


def check_once(
    study: Sequence[str], i: NDArray[np.intp], outcome: Sequence[str], j: NDArray[np.intp]
) -> None:
    seen: set[tuple[int, int]] = set()
    for row, cell in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        if cell in seen:
            raise DataError(
                f"{study[cell[0]]} reports {outcome[cell[1]]} twice (row {row + 1}); keep one row "
                "for each study and outcome."
            )
        seen.add(cell)


def spread_out(
    column: "pd.Series",
    name: str,
    study: Sequence[str],
    i: NDArray[np.intp],
    j: NDArray[np.intp],
) -> Array:
    """Put the cells of a long column into a table (k, p), NaN where there is none."""
    rows = [study[one] for one in i]
    values = np.full((len(study), int(j.max()) + 1), np.nan)
    values[i, j] = read_numbers(column, name, rows, np.ones(len(rows), dtype=bool))
    return values


def root_of(v: Array, study: Sequence[str]) -> Array:
    bad = (v <= 0).any(axis=1)
    if bad.any():
        raise DataError(f"v, a variance, must be positive; check {name_rows(study, bad)}.")
    return np.sqrt(v)


def covariances(
    table: "pd.DataFrame",
    covariance: Mapping[str, str],
    study: Sequence[str],
    i: NDArray[np.intp],
    outcome: Sequence[str],
    j: NDArray[np.intp],
) -> Array:
    """Covariances (k, p, p) from a column for each outcome."""
    if set(covariance) != set(outcome):
        raise DataError(
            f"covariance must name a column for each outcome ({', '.join(outcome)}), got "
            f"{', '.join(covariance)}."
        )
    made = np.full((len(study), len(outcome), len(outcome)), np.nan)
    for other, column in covariance.items():
        if column not in table:
            raise DataError(f"The table has no column {column!r} (covariance with {other}).")
        made[:, :, outcome.index(other)] = spread_out(table[column], column, study, i, j)
    return made


def from_covariances(covariance: Array, se: Array, study: Sequence[str]) -> Array:
    """Correlations; a diagonal that is given must be the squares of the standard errors."""
    own = np.diagonal(covariance, axis1=1, axis2=2)
    with np.errstate(invalid="ignore"):
        bad = (np.abs(own - se**2) > 1e-3 * se**2).any(axis=1)
    if bad.any():
        raise DataError(
            f"covariance of an estimate with itself must be se²; check {name_rows(study, bad)}."
        )
    scaled = covariance / (se[:, :, None] * se[:, None, :])
    return np.where(np.eye(se.shape[1]) > 0, 1.0, scaled)
