"""Rows that stand twice, and rows that are sums of others."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..studies import Studies, Table, decimals_of
from ..ways import way
from .doubt import Doubt, figures

type Array = NDArray[np.float64]

COINCIDENCES = 0.05  # equal pairs to be expected of a sound table
DIGITS = 1000.0  # values that one figure can tell apart, at most: unrounded ones say no more


def equal_rows(data: Table, measure: str | None) -> Iterator[Doubt]:
    """Doubt studies of different names with the same figures.

    Not where that is likely by chance: a figure is taken for one of n values, n its size in units
    of the last digit or that of the column's median if larger, and the distinct figures of a row
    for independent; equal pairs are doubted where fewer than 0.05 are to be expected among all.
    """
    numbers = np.stack(list(data.numbers.values()), axis=1)
    apart = told_apart(numbers)
    places = defaultdict(list)
    for i, row in enumerate(numbers):
        places[tuple(np.nan_to_num(row, nan=np.inf))].append(i)
    pairs = data.k * (data.k - 1) / 2
    for rows in places.values():
        if len(rows) > 1 and pairs / apart[rows[0]] < COINCIDENCES:
            yield _same(data, rows)


def told_apart(numbers: Array) -> Array:
    """How many rows the figures of each row could be told apart from, (k,)."""
    units = [10.0 ** -max(map(_decimals, column)) for column in numbers.T]
    sizes = np.abs(np.nan_to_num(numbers)) / units
    values = np.clip(np.maximum(sizes, np.median(sizes, axis=0)), 1.0, DIGITS)
    first = [np.isin(np.arange(row.size), np.unique(row, return_index=True)[1]) for row in numbers]
    return np.where(first, values, 1.0).prod(axis=1)


def _decimals(value: float) -> int:
    return decimals_of(repr(float(value)).removesuffix(".0")) if np.isfinite(value) else 0


def _same(data: Table, rows: list[int]) -> Doubt:
    names = tuple(data.study[i] for i in rows)
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return Doubt(
        "equal_rows",
        names,
        f"{listed} have the same figures, {figures(data, rows[0])}: if they are reports of one "
        f"study, leave all but one out, {way('exclude', names[-1])}.",
    )


def sums_of_rows(data: Studies, measure: str | None) -> Iterator[Doubt]:
    """Doubt rows whose counts are all the sums of rows next to them, or of all others."""
    numbers = np.stack(list(data.numbers.values()), axis=1)
    for i, name in enumerate(data.study):
        count = _summed(numbers, i)
        if count:
            yield Doubt(
                "sums_of_rows",
                (name,),
                f"{name} ({figures(data, i)}) is the sum of {count} other rows: if it is a total, "
                f"leave it out with {way('exclude', name)}.",
            )


def _summed(numbers: Array, i: int) -> int:
    """How many rows above, below or around a row add up to it; 0 where none do."""
    above, below = numbers[:i][::-1], numbers[i + 1 :]
    for rows in (above, below, np.concatenate([above, below])):
        sums = np.cumsum(rows, axis=0)[1:]  # of two or more
        found = np.flatnonzero((sums == numbers[i]).all(axis=1))
        if found.size:
            return int(found[0]) + 2
    return 0
