"""Rows of cells into a table: what stands above the header, the header, the studies."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from ...errors import DataError
from ...ways import shown
from ..figures.marks import is_printed

if TYPE_CHECKING:
    import pandas as pd

# Control characters other than tab and line ends: they break SVG, netCDF and terminals.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
LOOK = 30  # rows among which the header is looked for
_NAMES = """
    study studies studyid studyname studlab slab trial trials author authors reference variant
    subgroup outcome year n y se yi vi sei ai bi ci di n1i n2i m1i m2i sd1i
    sd2i t1i t2i x1i x2i xi ni mi sdi ri estimate lower upper p pvalue mean sd events total cases
    time median q1 q3 min max rr or hr rd irr md smd effect logrr logor loghr lci uci cilower
    ciupper eventse ne eventsc nc eventc evente meane sde meanc sdc
"""
_KNOWN = frozenset(_NAMES.split())
_KNOWN_START = re.compile(
    r"(events|n|mean|sd|median|q1|q3|time|total|cases|se|min|max)"
    r"(treatment|control|intervention|placebo|experimental|treated|1|2|t|c|e)"
    r"|(experimental|control|intervention|placebo)"
    r"(cases|n|total|events|mean|sd|median|time)"
)


@final
class Row(NamedTuple):
    """A row with its place: the line of a text, the row of a sheet."""

    place: int
    cells: Sequence[str]


@final
class Unit(NamedTuple):
    """What rows are called, and how a cell too many came about."""

    word: str
    remedy: str


def tidied(cell: str) -> str:
    """Take blanks away that surround a cell or are repeated in it."""
    return " ".join(cell.split())


def is_known(name: str) -> bool:
    """Whether a cell holds a name that columns of studies often have."""
    plain = re.sub(r"[\W_]", "", name.lower())
    return plain in _KNOWN or _KNOWN_START.fullmatch(plain) is not None


def header_at(rows: Sequence[Row]) -> int:
    """Find the header among rows that are not blank; 0 where nothing stands above it.

    It is the first row with two known names, none above it, or the first with more than one filled
    cell where each row above has one, its first. A row with a number in it, or below one, is no
    header unless it is the first row.
    """
    for i, row in enumerate(rows[:LOOK]):
        known = [len(cell) for cell in row.cells if is_known(cell)]
        if _has_number(row) or known:
            if sum(length > 1 for length in known) > 1 and not _has_number(row):  # y, n: yes, no
                return i
            break
    for i, row in enumerate(rows[:LOOK]):
        if not _is_title(row):
            return 0 if _has_number(row) else i
    return 0


def _has_number(row: Row) -> bool:
    return any(is_printed(cell) for cell in row.cells if cell)


def _is_title(row: Row) -> bool:
    first, *others = row.cells
    return bool(first.strip()) and not any(map(str.strip, others)) and not is_known(first)


def filled(rows: Sequence[Row]) -> list[Row]:
    """Leave out rows without a filled cell, and blank columns on the left."""
    kept = [row for row in rows if any(cell and not cell.isspace() for cell in row.cells)]
    while kept and all(not row.cells[0].strip() for row in kept):
        kept = [Row(place, cells[1:]) for place, cells in kept]
    return kept


def longer(rows: Sequence[Row], width: int) -> Row | None:
    """Find the first row that has something to the right of the header."""
    most = (row for row in rows if len(row.cells) > width)
    return next((row for row in most if any(map(str.strip, row.cells[width:]))), None)


def table_of(rows: Sequence[Row], name: str, unit: Unit) -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """Make a frame of tidied rows, and say what was left out above its header."""
    rows = filled(rows)
    if not rows:
        raise DataError(f"{name} is empty; it needs a header line and one row per study.")
    at = header_at(rows)
    header, body = rows[at], rows[at + 1 :]
    width = len(header.cells)
    check_longer(body, header, name, unit)
    columns = [_column(body, i) for i in range(width)]
    kept = [i for i, cells in enumerate(columns) if header.cells[i] or any(cells)]
    names = [header.cells[i] or f"column {count}" for count, i in enumerate(kept, start=1)]
    check_repeated(names, name)
    if not body:
        raise DataError(f"{name} has a header but no rows; it needs one row per study.")
    return _frame(names, [columns[i] for i in kept]), left_out(rows[:at], unit.word)


def _column(body: Sequence[Row], i: int) -> list[str]:
    return [row.cells[i] if i < len(row.cells) else "" for row in body]


def _frame(names: Sequence[str], columns: Sequence[Sequence[str]]) -> "pd.DataFrame":
    import pandas as pd

    made = {
        i: [cell or np.nan for cell in cells] if any(cells) else np.full(len(cells), np.nan, object)
        for i, cells in enumerate(columns)
    }
    return pd.DataFrame(made).set_axis(list(names), axis=1)


def check_longer(body: Sequence[Row], header: Row, name: str, unit: Unit) -> None:
    """Refuse a row with more cells than the header."""
    row = longer(body, len(header.cells))
    if row is not None:
        count = max(i for i, cell in enumerate(row.cells, start=1) if cell.strip())
        raise DataError(
            f"{name} has {count} cells in {unit.word} {row.place} where its header ({unit.word} "
            f"{header.place}) has {len(header.cells)}; {unit.remedy}"
        )


def check_repeated(names: Sequence[str], name: str) -> None:
    """Refuse a header that names two columns alike."""
    repeated = next((one for one in names if names.count(one) > 1), None)
    if repeated is not None:
        places = [str(i) for i, one in enumerate(names, start=1) if one == repeated]
        raise DataError(
            f"{name} has more than one column {shown(repeated)}; keep one of them, or rename them: "
            f"they are columns {', '.join(places[:-1])} and {places[-1]}."
        )


def left_out(titles: Sequence[Row], word: str) -> tuple[str, ...]:
    """Say what stood above the header."""
    if not titles:
        return ()
    texts = [tidied(" ".join(filter(None, row.cells))) for row in titles]
    shown = ", ".join(repr(text) for text in texts[:3])
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    count = f"1 {word}" if len(texts) == 1 else f"{len(texts)} {word}s"
    return (f"{count} above the header left out: {shown}{more}",)
