"""A table of any names and cells into one of our names and plain numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from .cells.apart import Cells, split_cells
from .cells.taken import check_cells
from .figures.numbers import plain_numbers
from .figures.places import numbered
from .names.derived import derived
from .names.names import Named, named
from .names.sets import NUMBERS, OF_PETO, TEXTS, WHOLE

if TYPE_CHECKING:
    import pandas as pd


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A table under our names, with plain numbers.

    Attributes
    ----------
    frame : DataFrame
        With the index of the one given, less the rows of totals of an export.
    said : tuple of str
        What was read as what, decided and derived.
    measure : str or None
        The measure that a column's name states.
    level : float or None
        The level of its intervals that a column's name states.
    heads : mapping of str to str
        By our names, the columns as they stand in the table that was given.
    """

    frame: "pd.DataFrame"
    said: tuple[str, ...] = ()
    measure: str | None = None
    level: float | None = None
    heads: Mapping[str, str] = field(default_factory=dict)


def plain_table(
    frame: "pd.DataFrame",
    *,
    columns: Mapping[str, str] | None = None,
    cells: Mapping[str, str] | None = None,
    measure: str | None = None,
    decimal: str = "",
) -> Plain:
    """Take cells apart, name the columns, write plain numbers and derive what follows from them.

    Parameters
    ----------
    frame : DataFrame
        Of any cells; its index counts the rows, from 0.
    columns : mapping of str to str, optional
        Our names to the table's; see `named`.
    cells : mapping of str to str, optional
        What cells with several figures hold; see `split_cells`.
    measure : str, optional
        The measure asked for, which the names may not contradict.
    decimal : str
        The decimal mark where it is known; see `Sheet`.

    Raises
    ------
    DataError
        If the table is not understood.
    """
    with numbered(frame.index):
        apart = split_cells(frame, cells=cells, measure=measure)
        found = named(apart.frame, columns=columns, measure=measure, stated=apart.measure)
    with numbered(found.frame.index):
        return _plain(apart, found, decimal)


def plainly(frame: "pd.DataFrame", columns: Mapping[str, str] | None) -> "pd.DataFrame":
    """Bring a frame with one figure in each cell under our names, with plain numbers."""
    return _plain(Cells(frame), named(frame, columns=columns), "").frame


def _plain(apart: Cells, found: Named, decimal: str) -> Plain:
    table, numbers = plain_numbers(
        found.frame, NUMBERS | OF_PETO, texts=TEXTS, whole=WHOLE, decimal=decimal
    )
    table, made = derived(table, found)
    check_cells(apart.taken, table, found.heads)
    return Plain(
        frame=table,
        said=(*apart.said, *found.said, *numbers, *made),
        measure=apart.measure or found.measure,
        level=found.level if apart.level is None else apart.level,
        heads={ours: apart.heads.get(theirs, theirs) for ours, theirs in found.heads.items()},
    )
