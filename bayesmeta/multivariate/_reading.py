"""Long tables of several outcomes: a row per study and outcome into tables of both."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..studies import Kept, name_rows
from ..ways import shown

type Array = NDArray[np.float64]
type Places = NDArray[np.intp]
type Flags = NDArray[np.bool_]


def order(name: str, names: Sequence[str], where: Flags) -> tuple[tuple[str, ...], Places]:
    """Names in the order of first appearance, and each row's place among them."""
    gap = np.array([not one for one in names], dtype=bool)
    if gap.any():
        rows = ", ".join(str(i + 1) for i in np.flatnonzero(where)[gap][:5])
        raise DataError(f"{name} has no name in row {rows}; fill it in or drop the row.")
    known = tuple(dict.fromkeys(names))
    return known, np.array([known.index(name) for name in names], dtype=np.intp)


def check_once(
    study: Sequence[str], i: Places, outcome: Sequence[str], j: Places, where: Flags
) -> None:
    seen: set[tuple[int, int]] = set()
    cells = zip(i.tolist(), j.tolist(), strict=True)
    for row, cell in zip(np.flatnonzero(where), cells, strict=True):
        if cell in seen:
            raise DataError(
                f"{study[cell[0]]} reports {outcome[cell[1]]} twice (row {row + 1}); keep one row "
                "for each study and outcome."
            )
        seen.add(cell)


def spread_out(column: Array, i: Places, j: Places) -> Array:
    """Put the numbers of a long column into a table (k, p), NaN where there is none."""
    values = np.full((int(i.max()) + 1, int(j.max()) + 1), np.nan)
    values[i, j] = column
    return values


def root_of(v: Array, study: Sequence[str]) -> Array:
    bad = (v <= 0).any(axis=1)
    if bad.any():
        raise DataError(f"v, a variance, must be positive; check {name_rows(study, bad)}.")
    return np.sqrt(v)


def covariances(
    rows: Kept, covariance: Mapping[str, str], i: Places, outcome: Sequence[str], j: Places
) -> Array:
    """Covariances (k, p, p) from a column for each outcome."""
    if set(covariance) != set(outcome):
        raise DataError(
            f"covariance must name a column for each outcome ({', '.join(outcome)}), got "
            f"{', '.join(covariance)}."
        )
    made = np.full((int(i.max()) + 1, len(outcome), len(outcome)), np.nan)
    for other, column in covariance.items():
        if column not in rows.cells:
            raise DataError(f"The table has no column {shown(column)} (covariance with {other}).")
        made[:, :, outcome.index(other)] = spread_out(rows.numbers(column), i, j)
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
