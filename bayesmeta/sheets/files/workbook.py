"""Sheets of Excel workbooks."""

import struct
import warnings
import zipfile
import zlib
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, final
from xml.etree.ElementTree import ParseError

from ...errors import DataError
from ...ways import shown, way
from .header import CONTROL, Row, Unit, table_of, tidied

if TYPE_CHECKING:
    import pandas as pd

ZIP = b"PK\x03\x04"
type Workbook = Any  # of openpyxl, which is not typed
# What openpyxl lets through of a file that is broken.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, ParseError, EOFError, NotImplementedError,
    RuntimeError, LookupError, TypeError, ValueError, AttributeError, OverflowError, OSError,
)  # fmt: skip
_ROW = Unit("row", "name every column.")


@final
class Cells(NamedTuple):
    """The cells of a sheet, and those that need a word.

    Attributes
    ----------
    rows : list of Row
    errors, formulas, dates : list of (str, str)
        Place and content: what Excel could not calculate, formulas without a value, dates.
    """

    rows: list[Row]
    errors: list[tuple[str, str]]
    formulas: list[tuple[str, str]]
    dates: list[tuple[str, str]]


def read_workbook(
    data: bytes, name: str, sheet: str | None
) -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """Read the one sheet with cells, or the one named, and say which.

    Raises
    ------
    DataError
        If it is no workbook, the sheet is not there or must be named, or a cell has no value.
    """
    with _refused_if_broken(name):
        values, formulas = _opened(data, name)
        titles = [one.title for one in values.worksheets]
        chosen = _chosen(values, name, sheet)
        cells = _cells(chosen, formulas[chosen.title] if formulas else None)
    where = f"sheet {shown(chosen.title)}"
    _check(cells, name, where)
    frame, said = table_of(cells.rows, name if len(titles) == 1 else f"{name}, {where},", _ROW)
    which = (f"{where} of {len(titles)}",) if len(titles) > 1 else ()
    return frame, (*which, *said, *_dates(cells.dates))


@contextmanager
def _refused_if_broken(name: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of features that hold no cells
            yield
    except DataError:
        raise
    except _BROKEN:
        raise DataError(
            f"{name} is a broken Excel workbook; open it and save it again as .xlsx, or as CSV."
        ) from None


def _opened(data: bytes, name: str) -> tuple[Workbook, Workbook | None]:
    """A workbook with the values of its cells and, if it has formulas, another one with these."""
    import openpyxl

    with zipfile.ZipFile(BytesIO(data)) as archive:
        parts = archive.namelist()
        if "xl/workbook.xml" not in parts:
            raise DataError(
                f"{name} is a zip archive and no Excel workbook (.xlsx); save the table as .xlsx "
                "or CSV."
            )
        sheets = [part for part in parts if part.startswith("xl/worksheets/")]
        calculated = any(b"<f" in archive.read(part) for part in sheets if part.endswith(".xml"))
    values = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
    formulas = openpyxl.load_workbook(BytesIO(data), read_only=True) if calculated else None
    return values, formulas


def _chosen(book: Workbook, name: str, wanted: str | None) -> Workbook:
    """The sheet to read."""
    sheets = book.worksheets
    if wanted is not None:
        return _named(sheets, name, wanted)
    visible = [one for one in sheets if one.sheet_state == "visible" and _has_cells(one)]
    if len(visible) > 1:
        listed = ", ".join(repr(one.title) for one in visible)
        raise DataError(
            f"{name} has {len(visible)} sheets with cells, {listed}; say which to read, e.g. "
            f"{way('sheet', visible[0].title)}."
        )
    if not visible:
        raise DataError(f"{name} is empty; it needs a header line and one row per study.")
    return visible[0]


def _named(sheets: Sequence[Workbook], name: str, wanted: str) -> Workbook:
    exact = [one for one in sheets if one.title == wanted]
    alike = [one for one in sheets if one.title.strip().lower() == wanted.strip().lower()]
    for some in (exact, alike):
        if len(some) == 1:
            return some[0]
    listed = ", ".join(repr(one.title) for one in sheets)
    raise DataError(f"{name} has no sheet {shown(wanted)}; it has {listed}.")


def _has_cells(sheet: Workbook) -> bool:
    sheet.reset_dimensions()  # some programs write wrong ones
    return any(value is not None for row in sheet.iter_rows(values_only=True) for value in row)


def _cells(sheet: Workbook, formulas: Workbook | None) -> Cells:
    found = Cells([], [], [], [])
    blank = set()  # by a formula that gives an empty text
    sheet.reset_dimensions()
    for place, row in enumerate(sheet.iter_rows(), start=1):
        texts = [text_of(cell.value) for cell in row]
        found.rows.append(Row(place, texts))
        for cell, text in zip(row, texts, strict=True):
            if cell.data_type == "e":
                found.errors.append((cell.coordinate, text))
            elif cell.data_type == "str":
                blank.add(cell.coordinate)
            elif isinstance(cell.value, date | time | timedelta):
                found.dates.append((cell.coordinate, text))
    width = max((len(row.cells) for row in found.rows), default=0)
    found.rows[:] = [Row(row.place, _padded(row.cells, width)) for row in found.rows]
    if formulas is not None:
        found.formulas.extend(_without_value(formulas, found.rows, blank))
    return found


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]


def _without_value(
    formulas: Workbook, rows: Sequence[Row], blank: Container[str]
) -> Iterator[tuple[str, str]]:
    formulas.reset_dimensions()
    for values, row in zip(rows, formulas.iter_rows(), strict=True):
        for text, cell in zip(values.cells, row, strict=False):
            if cell.data_type == "f" and not text and cell.coordinate not in blank:
                yield cell.coordinate, str(cell.value)


def text_of(value: object, digits: str = ".15g") -> str:
    """A value as text: numbers with the digits that Excel has of them, dates as ISO has them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return format(value, digits)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return tidied(CONTROL.sub(" ", str(value)))


def _check(cells: Cells, name: str, where: str) -> None:
    """Refuse cells without a value, by their places."""
    if cells.errors:
        raise DataError(
            f"{name} has {_places(cells.errors)} of {where}, which Excel could not calculate; "
            "mend the formula, or leave the cell blank."
        )
    if cells.formulas:
        raise DataError(
            f"{name} has {_places(cells.formulas)} of {where} and no value stored for it; open "
            "the workbook in Excel and save it, or save it as CSV."
        )


def _places(cells: Sequence[tuple[str, str]]) -> str:
    place, content = cells[0]
    more = f" (and {len(cells) - 1} more like it)" if len(cells) > 1 else ""
    return f"{content[:40]} in cell {place}{more}"


def _dates(dates: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Say which cells are dates: Excel makes them of much that is none."""
    if not dates:
        return ()
    shown = ", ".join(f"{place} {text}" for place, text in dates[:3])
    more = f" and {len(dates) - 3} more" if len(dates) > 3 else ""
    return (f"dates, which Excel also makes of entries such as 1-2: {shown}{more}",)
