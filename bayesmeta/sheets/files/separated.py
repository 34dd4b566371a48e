"""Text with a separator between its columns: which one, where each row ends, what is quoted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ...errors import DataError
from ...ways import shown
from ..figures.marks import is_printed
from .header import LOOK, Row, Unit, filled, header_at, is_known, longer, table_of, tidied

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS: Mapping[str, str] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

_TIGHT = {  # where prose and numbers do not have them
    ",": r"(?<![0-9]),(?! |$)|,(?![ 0-9]|$)",
    ";": r";(?! |$)",
    "\t": r"\S\t\S",
    "|": r"\|(?! |$)",
}
_QUOTED = re.compile('"[^"]*"')


@final
@dataclass(frozen=True, slots=True)
class Reading:
    """The rows of a text with one separator, or why it cannot be read so.

    Attributes
    ----------
    separator : str
    rows : sequence of Row
        Those that are not blank, cells as they stand there.
    at : int
        Where the header is among them.
    above : sequence of str
        Cells of the header and of what stands above it, without what is quoted.
    problem : DataError or None
        About quotes.
    """

    separator: str
    rows: Sequence[Row]
    at: int
    above: Sequence[str]
    problem: DataError | None = None

    @property
    def header(self) -> Row:
        """The row that names the columns."""
        return self.rows[self.at]

    @property
    def has_columns(self) -> bool:
        """Whether its header has more than one cell."""
        return bool(self.rows) and len(self.header.cells) > 1

    @property
    def is_table(self) -> bool:
        """Whether it has columns, and no row has more of them than the header."""
        if not self.has_columns:
            return False
        body = self.rows[self.at + 1 :]
        wide = not body or any(len(row.cells) > 1 for row in body)
        return wide and longer(body, len(self.header.cells)) is None

    @property
    def is_even(self) -> bool:
        """Whether every row has as many cells as the header."""
        return all(len(row.cells) == len(self.header.cells) for row in self.rows[self.at :])

    @property
    def known(self) -> int:
        """How many of its columns have names as columns of studies have."""
        return sum(map(is_known, self.header.cells)) if self.rows else 0

    def share(self, separator: str, lines: Sequence[str]) -> float:
        """How many of the rows below the header have another separator as no prose has it."""
        body = [lines[row.place - 1] for row in self.rows[self.at + 1 :]]
        torn = [re.search(_TIGHT[separator], _QUOTED.sub("", line)) for line in body]
        return sum(map(bool, torn)) / max(1, len(torn))

    def is_torn_by(self, separator: str) -> bool:
        """Whether a cell above the rows has another separator in it as no prose has it."""
        return any(_torn(cell.strip(), separator) for cell in self.above)

    def overrides(self, other: "Reading") -> bool:
        """Whether the other takes the header of this one for a title."""
        return self.is_table and self.header.place < other.header.place


def read_separated(text: str, name: str) -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """Read a table of text, and say what was guessed.

    Parameters
    ----------
    text : str
        With line feeds at the ends of its lines.
    name : str
        Of the file, for messages.

    Raises
    ------
    DataError
        If it is not a table, or can be read in two ways.
    """
    lines = text.split("\n")
    stated = _stated(lines[0])
    if stated is not None:
        lines[0] = ""
    reading = _chosen(lines, [stated] if stated else _candidates(lines), name)
    if reading.problem:
        raise reading.problem
    rows = [Row(place, [tidied(cell) for cell in cells]) for place, cells in reading.rows]
    frame, said = table_of(rows, name, _unit(reading.separator))
    return frame, (*between_columns(reading.separator), *said)


def between_columns(separator: str) -> tuple[str, ...]:
    """Say what separates columns, unless it is the comma."""
    return () if separator == "," else (f"{SEPARATORS[separator]}s between columns",)


def _unit(separator: str) -> Unit:
    return Unit(
        "line",
        f"put a cell with a {SEPARATORS[separator]} in it in quotes, or name every column.",
    )


def _stated(line: str) -> str | None:
    """Read the line by which Excel is told the separator, ``sep=;``."""
    words = line.strip(' "').lower()
    mark = words.removeprefix("sep=")[:1]
    return mark if words.startswith("sep=") and mark in SEPARATORS and len(words) < 6 else None


def _candidates(lines: Sequence[str]) -> list[str]:
    """Separators that half of the lines could have; those in the text at all if there is none."""
    most = sum(map(bool, lines)) / 2
    counts = {mark: sum(line.count(mark) for line in lines) for mark in SEPARATORS}
    often = [mark for mark, count in counts.items() if count and count >= most]
    return often or [mark for mark, count in counts.items() if count] or [","]


def _chosen(lines: Sequence[str], marks: Sequence[str], name: str) -> Reading:
    readings = [_reading(lines, mark, name) for mark in marks]
    if len(readings) == 1:
        return readings[0]
    tables = [one for one in readings if one.is_table]
    most = max(one.known for one in readings)
    tables = [one for one in tables if one.known == most]
    likely = [one for one in tables if not _is_split(one, readings, lines)]
    likely = [one for one in likely if not any(two.overrides(one) for two in likely)]
    whole = [one for one in likely if not any(map(one.is_torn_by, _rivals(one, readings)))]
    even = [one for one in whole if one.is_even]
    for some in (whole, even):
        if len(some) == 1:
            return some[0]
    if len(tables) > 1:
        raise _two_readings(tables, name)
    wide = {one.separator: max(line.count(one.separator) for line in lines) for one in readings}
    return max(readings, key=lambda one: (wide[one.separator], one.is_table and not one.at))


def _is_split(reading: Reading, readings: Sequence[Reading], lines: Sequence[str]) -> bool:
    """Whether the separator of another reading stands in most rows, more than the reverse."""
    others = (one for one in readings if one is not reading and (one.problem or one.has_columns))
    shares = ((reading.share(one.separator, lines), one) for one in others)
    return any(
        share >= 0.5 and share > one.share(reading.separator, lines) for share, one in shares
    )


def _rivals(reading: Reading, readings: Sequence[Reading]) -> list[str]:
    """Separators of the other readings that may be meant."""
    return [
        one.separator
        for one in readings
        if one is not reading and not (reading.overrides(one) if one.rows else False)
    ]


def _two_readings(readings: Sequence[Reading], name: str) -> DataError:
    ways = [
        f"with {SEPARATORS[one.separator]}s between its columns "
        f"({' | '.join(tidied(cell) for cell in one.header.cells)[:60]})"
        for one in readings
    ]
    return DataError(
        f"{name} can be read {', or '.join(ways)}; put cells that hold a separator in quotes, or "
        "save it with tabs between its columns."
    )


def _torn(cell: str, mark: str) -> bool:
    """Whether a mark stands in a cell with no blank after it, and not between digits."""
    if mark not in cell or is_printed(cell):
        return False
    return re.search(_TIGHT[mark], cell) is not None


def _reading(lines: Sequence[str], separator: str, name: str) -> Reading:
    try:
        rows = filled(records(lines, separator, name))
    except DataError as problem:
        return Reading(separator, (), 0, (), problem)
    first = [Row(place, [tidied(cell) for cell in cells]) for place, cells in rows[:LOOK]]
    at = header_at(first)
    raw = [lines[row.place - 1] for row in rows[: at + 1]]
    above = [cell for line in raw for cell in _QUOTED.sub("", line).split(separator)]
    return Reading(separator, rows, at, above)


def records(lines: Sequence[str], separator: str, name: str) -> list[Row]:
    """Cut lines into cells, quoted ones as they are meant."""
    rows: list[Row] = []
    i = 0
    while i < len(lines):
        if '"' in lines[i]:
            cells, after = _quoted(lines, i, separator, name)
        else:
            cells, after = lines[i].split(separator), i + 1
        rows.append(Row(i + 1, cells))
        i = after
    return rows


def _quoted(lines: Sequence[str], first: int, separator: str, name: str) -> tuple[list[str], int]:
    """Cut a record that starts in line `first` and has quotes; also where the next one starts."""
    cells: list[str] = []
    i, rest = first, lines[first]
    while True:
        start = rest.lstrip(" \t".replace(separator, ""))
        if start.startswith('"'):
            cell, i, rest = _until_closed(lines, i, start[1:], separator, name)
            after = rest.lstrip(" \t".replace(separator, ""))
            if after and not after.startswith(separator):
                raise DataError(
                    f"{name} has text after a closing quote in line {i + 1}, "
                    f"{shown(after[:20])}; write "
                    "a quote inside a quoted cell twice, or take the quotes away."
                )
            found, rest = bool(after), after[1:]
        else:
            cell, mark, rest = rest.partition(separator)
            found = bool(mark)
        cells.append(cell)
        if not found:
            return cells, i + 1


def _until_closed(
    lines: Sequence[str], first: int, rest: str, separator: str, name: str
) -> tuple[str, int, str]:
    """Read to the closing quote; the cell, the line that it ends in and the rest of that line."""
    parts: list[str] = []
    i = first
    while True:
        part, closed, after = _closed(rest)
        parts.append(part)
        if closed:
            break
        if any(separator in one for one in (part, parts[0])) or i + 1 == len(lines):
            break
        i, rest = i + 1, lines[i + 1]
    swallowed = len(parts) > 1 and any(separator in part for part in parts)
    if not closed or swallowed:
        raise DataError(
            f"{name} has a quote in line {first + 1} that is not closed there, and the rows below "
            "would be lost in one cell; close it, or take it away."
        )
    return " ".join(parts), i, after


def _closed(rest: str) -> tuple[str, bool, str]:
    """Split the rest of a line at the quote that closes a cell; doubled ones are one of its own."""
    part, start = "", 0
    while True:
        end = rest.find('"', start)
        if end < 0:
            return part + rest[start:], False, ""
        part += rest[start:end]
        if rest[end + 1 : end + 2] != '"':
            return part, True, rest[end + 1 :]
        part, start = part + '"', end + 2
