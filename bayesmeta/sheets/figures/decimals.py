"""What comma and point mean in each column of a table: by its own cells, then by others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from ...ways import shown, way
from .marks import CANONICAL, Printed
from .places import number

if TYPE_CHECKING:
    import pandas as pd

_LARGER = 100  # than the largest plain count of its column no count with a comma is


@final
@dataclass(slots=True)
class Column:
    """The strings of a column, each once.

    Attributes
    ----------
    name : str
    place : int
        In the frame.
    number, whole : bool
        Whether it must hold numbers, and numbers of something counted.
    printed : dict of str to Printed
        Cells that are printed numbers.
    missing : list of str
        Cells that say that there is none.
    decimal : str
        The decimal mark that decides cells with two readings.
    by : str
        The column that showed it, if another.
    """

    name: str
    place: int
    number: bool
    whole: bool
    printed: dict[str, Printed]
    missing: list[str]
    decimal: str = ""
    by: str = ""

    @property
    def twofold(self) -> list[str]:
        """Cells with two readings."""
        return [text for text, one in self.printed.items() if one.twofold]

    @property
    def is_open(self) -> bool:
        """Whether cells have two readings and nothing says which."""
        return not self.decimal and bool(self.twofold)

    def groups(self, text: str) -> str:
        """What stands between the thousands of a cell."""
        one = self.printed[text]
        return one.mark if one.twofold and one.mark != self.decimal else one.group

    def new(self, text: str) -> str:
        """Write a cell as every program reads it."""
        one = self.printed[text]
        if CANONICAL.fullmatch(text) and not (one.twofold and self.groups(text)):
            return text
        return one.text(decimal=not one.twofold or one.mark == self.decimal)

    def rewritten(self) -> dict[str, str | float]:
        """Cells to write anew, and what they become."""
        if self.is_open:
            return {}
        made: dict[str, str | float] = {text: self.new(text) for text in self.printed}
        changed = {text: new for text, new in made.items() if new != text}
        return changed | dict.fromkeys(self.missing, np.nan)


def decide(column: Column, frame: "pd.DataFrame") -> str:
    """Find the decimal mark that the cells of a column have, or say that they have two."""
    shown: dict[str, str] = {}
    for text, one in column.printed.items():
        if one.decimal:
            shown.setdefault(one.decimal, text)
    if len(shown) < 2:
        column.decimal = next(iter(shown), "")
    elif column.number:
        return _contradiction(column, list(shown.values()), frame)
    else:
        column.printed.clear()
    return ""


def decide_by_others(columns: Sequence[Column], frame: "pd.DataFrame") -> list[str]:
    """Give columns that show no decimal mark the only one that others show, or say which lack it.

    Commas in counts are taken for thousands beside plain counts, unless others show decimal commas.
    Points are not: effective counts of cluster trials are printed as fractions.
    """
    shown: dict[str, str] = {}
    for one in columns:
        if one.decimal:
            shown.setdefault(one.decimal, one.name)
    problems = []
    for column in columns:
        if column.number and column.is_open:
            counts = column.whole and _has_thousands(column)
            if len(shown) > 1 or (not shown and not counts) or (counts and "," in shown):
                problems.append(_two_readings(column, frame))
                continue
            column.decimal, column.by = (".", "") if counts else next(iter(shown.items()))
    return problems


def _has_thousands(column: Column) -> bool:
    """Whether counts have commas that make none of a size other than the plain ones."""
    cells = column.printed.values()
    commas = [one for one in cells if one.twofold and one.mark == ","]
    plain = [int(one.whole) for one in cells if one.whole and not (one.mark or one.group)]
    most = max((int(one.text(decimal=False)) for one in commas if not one.bound), default=0)
    broken = any(int(one.part) for one in commas)
    return broken and bool(plain) and most <= _LARGER * max(plain)


def _contradiction(column: Column, texts: Sequence[str], frame: "pd.DataFrame") -> str:
    one, two = (f"{shown(text)} in {_row(frame, column, text)}" for text in texts[:2])
    return (
        f"{column.name} has {one} and {two}: a decimal mark in the one is a mark between "
        "thousands in the other; write both alike."
    )


def _two_readings(column: Column, frame: "pd.DataFrame") -> str:
    text, *others = column.twofold
    one = column.printed[text]
    thousands, decimal = one.text(decimal=False), one.text()
    more = f" (and {len(others)} more like it)" if others else ""
    return (
        f"{column.name} is {shown(text)} in {_row(frame, column, text)}{more}, which is "
        f"{thousands} or "
        f"{decimal}, and the table does not tell which; write {thousands} or {decimal}0, or say "
        f"which mark is decimal: {way('decimal', '.')} or {way('decimal', ',')}."
    )


def rows_of(frame: "pd.DataFrame", column: Column, text: str) -> list[int]:
    """Positions of the rows that hold a text."""
    return [i for i, cell in enumerate(frame.iloc[:, column.place]) if cell is text or cell == text]


def _row(frame: "pd.DataFrame", column: Column, text: str) -> str:
    row = rows_of(frame, column, text)[0]
    study = study_of(frame, row)
    return f"{study} (row {number(row)})" if study else f"row {number(row)}"


def study_of(frame: "pd.DataFrame", row: int) -> str:
    """The name of a row, if the table has a column ``study``."""
    names = [str(name).lower() for name in frame.columns]
    cell = frame.iloc[row, names.index("study")] if "study" in names else ""
    return cell if isinstance(cell, str) else ""
