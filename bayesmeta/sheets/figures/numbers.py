"""Cells with printed numbers into numbers as every program writes them, and what was decided."""

from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DataError
from .decimals import Column, decide, decide_by_others, rows_of, study_of
from .marks import Printed, read_printed
from .places import number
from .words import is_missing_word

if TYPE_CHECKING:
    import pandas as pd

_MOST = 5  # rows named
_MARKS = {",": "commas", ".": "points"}
_AS = {",": "decimal commas", ".": "decimal points"}
_GROUPS = {",": "commas", ".": "points", " ": "blanks", "'": "apostrophes"}
_DECIDED = ContextVar("decimal mark", default="")


@contextmanager
def decided() -> Generator[None]:
    """Take points as decimal within the block: all cells were written anew before."""
    token = _DECIDED.set(".")
    try:
        yield
    finally:
        _DECIDED.reset(token)


def read_number(cell: object) -> float | None:
    """Read one cell as a float; None where it is not one."""
    if isinstance(cell, bool | np.bool_):
        return None
    if not isinstance(cell, str | int | float | np.integer | np.floating):
        return None
    if isinstance(cell, str) and "_" in cell:
        return None
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        return None
    return number if not isinstance(cell, str) or np.isfinite(number) else None


def plain_numbers(
    frame: "pd.DataFrame",
    numbers: Collection[str],
    *,
    texts: Collection[str] = (),
    whole: Collection[str] = (),
    decimal: str = "",
) -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """Write printed numbers as every program reads them: ``"−0,435"`` as ``"-0.435"``.

    Parameters
    ----------
    frame : DataFrame
        Cells that are no strings stay as they are.
    numbers : collection of str
        Columns of numbers: printed numbers are rewritten, words for missing ones become missing,
        other cells stay.
    texts : collection of str
        Columns that are never touched. All others are rewritten if each of their cells is a
        printed number in one reading.
    whole : collection of str
        Of the numbers, those that count something.
    decimal : str
        The decimal mark where it is known, as of a workbook; see `Sheet`.

    Returns
    -------
    frame : DataFrame
        The one given, where there is nothing to rewrite.
    said : tuple of str
        What was decided, each kind once, e.g. ``"decimal commas"``.

    Raises
    ------
    DataError
        If a mark before three digits has two readings that neither the other cells of its column
        nor those of other columns decide, or the cells of a column contradict each other.
    """
    decimal = decimal or _DECIDED.get()
    roles = {
        name: {"number": name in numbers, "whole": name in whole}
        for name in map(str, frame.columns)
    }
    kinds = [getattr(kind, "kind", "O") for kind in frame.dtypes]
    columns = [
        column
        for place, name in enumerate(map(str, frame.columns))
        if name not in texts
        and kinds[place] not in "biufcmM"
        and (column := _column(frame, place, decimal, **roles[name])) is not None
    ]
    problems = [said for one in columns if (said := decide(one, frame))]
    for one in columns:
        one.decimal = one.decimal or decimal
    problems += decide_by_others(columns, frame)
    if problems:
        raise DataError(*problems)
    return _rewritten(frame, columns), said_of(columns, frame)


def _column(
    frame: "pd.DataFrame",
    place: int,
    decimal: str,
    *,
    number: bool,
    whole: bool,
) -> Column | None:
    """What a column says; None if it is not to be read."""
    strings = _strings(frame.iloc[:, place])
    missing = [text for text in strings if is_missing_word(text)] if number else []
    printed = {text: read_printed(text) for text in strings} if number else _all_printed(strings)
    if not (missing or printed):
        return None
    known = {text: _known(one, decimal) for text, one in printed.items() if one is not None}
    return Column(str(frame.columns[place]), place, number, whole, known, missing)


def _known(printed: Printed, decimal: str) -> Printed:
    """Take a cell with two readings as one with the decimal mark that is known."""
    if not printed.twofold or printed.mark != decimal:
        return printed
    return printed._replace(twofold=False, decimal=decimal)


def _all_printed(strings: Iterable[str]) -> dict[str, Printed | None]:
    """The cells of a column, or none of them once one is no printed number."""
    found: dict[str, Printed | None] = {}
    for text in strings:
        one = read_printed(text)
        if one is None and text.strip():
            return {}
        found[text] = one
    return found


def _strings(column: "pd.Series") -> list[str]:
    cells = column if column.dtype == object else column.unique()
    return list(dict.fromkeys(cell for cell in cells if isinstance(cell, str)))


def _rewritten(frame: "pd.DataFrame", columns: Iterable[Column]) -> "pd.DataFrame":
    import pandas as pd

    changed = {one.place: cells for one in columns if (cells := one.rewritten())}
    if not changed:
        return frame
    made = frame.copy(deep=False)
    for place, new in changed.items():
        column = frame.iloc[:, place]
        cells = [new.get(cell, cell) if isinstance(cell, str) else cell for cell in column]
        kind = column.dtype if isinstance(column.dtype, pd.StringDtype) else object
        made.isetitem(place, pd.Series(cells, index=frame.index, dtype=kind))
    return made


def said_of(columns: Sequence[Column], frame: "pd.DataFrame") -> tuple[str, ...]:
    """Say what was decided, each kind once."""
    kept = [one for one in columns if not one.is_open]
    commas = any(_is_decimal(one, text, ",") for one in kept for text in one.printed if not one.by)
    dots = any(cell.mark == "·" for one in kept for cell in one.printed.values())
    return (
        *(["decimal commas"] if commas else []),
        *(["middle dots as decimal points"] if dots else []),
        *_said_of_groups(kept),
        *(_said_by_other(one) for one in kept if one.by),
        *_said_of_missing(columns, frame),
    )


def _is_decimal(column: Column, text: str, mark: str) -> bool:
    return column.printed[text].mark == mark and column.groups(text) != mark


def _said_of_groups(columns: Sequence[Column]) -> list[str]:
    found: dict[str, dict[str, None]] = {}
    for one in columns:
        for text in one.printed:
            if one.groups(text) and not (one.by and one.printed[text].twofold):
                found.setdefault(one.groups(text), {})[one.name] = None
    named = ((_GROUPS[mark], ", ".join(names)) for mark, names in found.items())
    return [f"{marks} between thousands in {names}" for marks, names in named]


def _said_by_other(column: Column) -> str:
    mark = column.printed[column.twofold[0]].mark
    if mark == column.decimal:
        return f"{_MARKS[mark]} in {column.name} read as {_AS[mark]}, as in {column.by}"
    return (
        f"{_MARKS[mark]} in {column.name} read as marks between thousands, as {column.by} has "
        f"{_AS[column.decimal]}"
    )


def _said_of_missing(columns: Sequence[Column], frame: "pd.DataFrame") -> list[str]:
    found: dict[str, list[str]] = {}
    for one in columns:
        for text in one.missing:
            found.setdefault(text, []).append(f"{one.name} ({_named(frame, one, text)})")
    return [f"{text} taken as missing in {', '.join(where)}" for text, where in found.items()]


def _named(frame: "pd.DataFrame", column: Column, text: str) -> str:
    rows = rows_of(frame, column, text)
    named = ", ".join(study_of(frame, row) or f"row {number(row)}" for row in rows[:_MOST])
    return named + (f" and {len(rows) - _MOST} more" if len(rows) > _MOST else "")
