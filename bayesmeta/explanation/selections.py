"""Which studies, in which reading."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..effects import EffectSizes
from ..errors import DataError, ModelError
from ..frequentist import Selections
from ..studies import BinaryStudies, ContinuousStudies, PersonTimeStudies
from ..ways import shown

type Data = BinaryStudies | PersonTimeStudies | ContinuousStudies | EffectSizes


def select(
    studies: Data, readings: Sequence[Data], *, subsets: bool, k: int | None, limit: int
) -> Selections:
    """All selections asked for; the first is the table as it is.

    Raises
    ------
    DataError
        If a reading is of a study that is not there, or of other data.
    ModelError
        If there are more than `limit`.
    """
    tables = list(_tables(studies, readings, limit))
    present = np.ones((studies.k, 1), bool)
    if subsets:
        present = _subsets(studies.k, k, limit)
    n = len(tables) * present.shape[1]
    if n > limit:
        raise ModelError(
            f"subsets and readings make {n} tables, more than {limit}; give the published k, or "
            "fewer studies or readings."
        )
    return Selections(
        tables=tables,
        table=np.repeat(np.arange(len(tables)), present.shape[1]),
        present=np.tile(present, len(tables)),
    )


def rows_that_differ(first: Data, second: Data) -> NDArray[np.bool_]:
    """Studies whose figures are not the same in both tables, shape (k,)."""
    pairs = [(first.numbers[name], second.numbers[name]) for name in first.numbers]
    same = [(a == b) | (np.isnan(a) & np.isnan(b)) for a, b in pairs]
    return ~np.all(same, axis=0).reshape(first.k, -1).all(axis=1)


def _subsets(k: int, wanted: int | None, limit: int) -> NDArray[np.bool_]:
    """Subsets of two or more studies, all first, the others by size; or those of `wanted`."""
    if 2**k > 64 * limit:
        raise ModelError(f"{k} studies have 2^{k} subsets; give a table with fewer studies.")
    codes = np.arange(1, 2**k, dtype=np.int64)
    bits = (codes[:, None] >> np.arange(k)) & 1
    size = bits.sum(axis=1)
    kept = (size >= min(2, k)) if wanted is None else (size == wanted) | (size == k)
    bits, size = bits[kept], size[kept]
    return bits[np.argsort(-size, kind="stable")].astype(bool).T


def _tables(studies: Data, readings: Sequence[Data], limit: int) -> Iterator[Data]:
    """The table in every combination of its readings; the given one first."""
    options: list[list[tuple[Data, int]]] = [[(studies, i)] for i in range(studies.k)]
    row = {name: i for i, name in enumerate(studies.study)}
    for reading in readings:
        if reading.columns() != studies.columns():
            ours, theirs = (type(one).__name__ for one in (studies, reading))
            raise DataError(f"readings must be {ours} like studies, not {theirs}.")
        for i, name in enumerate(reading.study):
            if name not in row:
                raise DataError(f"readings has {shown(name)}, which is not among the studies.")
            options[row[name]].append((reading, i))
    combinations = int(np.prod([len(each) for each in options], dtype=float))
    if combinations > limit:
        raise ModelError(f"readings make {combinations} tables, more than {limit}; give fewer.")
    for chosen in product(*options):
        yield _of_rows(studies, chosen)


def _of_rows(studies: Data, chosen: Sequence[tuple[Data, int]]) -> Data:
    if all(table is studies for table, _ in chosen):
        return studies
    columns = {
        name: np.array([getattr(table, name)[i] for table, i in chosen])
        for name in studies.columns()
    }
    named = {
        name: tuple(getattr(table, name)[i] for table, i in chosen)
        for name in ("variant", "unit", "label", "how")
        if isinstance(getattr(studies, name, None), tuple)
    }
    return replace(studies, **columns, **named)  # pyright: ignore[reportArgumentType]
