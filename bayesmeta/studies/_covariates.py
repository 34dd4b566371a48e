"""What a table says of its studies besides the numbers that are analysed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..ways import shown
from ._door import is_blank, read_number, read_only

type Covariate = NDArray[np.float64] | tuple[str, ...]

MISSING = ("nan", "<na>", "na", "n/a", "nat", "none", "null")  # in numbers; small letters


@final
class Covariates(Mapping[str, Covariate]):
    """Columns by name, one entry per study; they do not change.

    A column is an array of float where every cell is a number or blank (NaN), else a tuple of str
    with ``""`` for a blank, which names the group of each study.
    """

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, Covariate] | None = None) -> None:
        self._columns = dict(columns or {})

    def __getitem__(self, name: str) -> Covariate:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return self.keys() == other.keys() and all(_same(self[one], other[one]) for one in self)

    __hash__ = None

    def __repr__(self) -> str:
        return repr(self._columns)


def _same(one: Covariate, other: Covariate) -> bool:
    if isinstance(one, tuple) or isinstance(other, tuple):
        return isinstance(one, tuple) and one == other
    return np.array_equal(one, other, equal_nan=True)


def read_covariates(given: Mapping[str, Iterable[object]], k: int) -> Covariates:
    """Read columns of numbers or of texts, one entry for each of `k` studies.

    Raises
    ------
    DataError
        If a column has another length, or is no column.
    """
    if not isinstance(given, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DataError(
            "covariates must map names of columns to one entry per study, e.g. "
            f"{{'latitude': [44, 55]}}; got {shown(given)}."
        )
    return Covariates({str(name): _column(str(name), cells, k) for name, cells in given.items()})


def take(column: Covariate, where: NDArray[np.intp]) -> Covariate:
    """The entries of some studies."""
    return tuple(column[i] for i in where) if isinstance(column, tuple) else column[where]


def agreed(
    columns: Mapping[str, Sequence[object]], group: Sequence[int], k: int
) -> Mapping[str, Sequence[object]]:
    """Columns of several rows per study as columns with one entry for each of `k` studies.

    Parameters
    ----------
    columns : mapping of str to sequence, length n
    group : sequence of int, length n
        Which study each row is of.
    k : int

    Returns
    -------
    mapping of str to sequence, length k
        Only columns of which the filled cells of every study say one thing; None where there is
        none. The others are not of studies.
    """
    found: dict[str, Sequence[object]] = {}
    for name, cells in columns.items():
        said: list[dict[str, object]] = [{} for _ in range(k)]
        for i, cell in zip(group, cells, strict=True):
            if not is_blank(cell):
                said[i].setdefault(_text(cell), cell)
        if all(len(one) <= 1 for one in said):
            found[name] = [next(iter(one.values()), None) for one in said]
    return found


def _column(name: str, given: Iterable[object], k: int) -> Covariate:
    """Numbers with gaps, where there is one and all that is filled is; else texts as they are."""
    whole = isinstance(given, str | Mapping) or not isinstance(given, Iterable)
    cells = [] if whole or getattr(given, "ndim", 1) != 1 else list(given)
    if len(cells) != k:
        raise DataError(f"The covariate {shown(name)} must have one entry per study, {k} in all.")
    numbers = [np.nan if is_blank(cell) else _number(cell) for cell in cells]
    words = all(one is None or np.isnan(one) for one in numbers) and None in numbers
    gaps = [
        np.nan if _text(cell).casefold() in MISSING else one
        for one, cell in zip(numbers, cells, strict=True)
    ]
    if words or any(one is None for one in gaps):
        return tuple(map(_text, cells))
    return read_only(gaps)


def _number(cell: object) -> float | None:
    """A finite number; what is true or false names a group."""
    found = None if isinstance(cell, bool | np.bool_) else read_number(cell)
    return found if found is not None and np.isfinite(found) else None


def _text(cell: object) -> str:
    return "" if is_blank(cell) else str(cell).strip()
