"""A file, or standard input, into one frame of cells, and what was guessed of it."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from ...errors import DataError
from ...ways import way
from .header import CONTROL
from .parquet import PARQUET, read_parquet
from .separated import read_separated
from .source import read_bytes
from .tidy import read_tidy
from .workbook import ZIP, read_workbook

if TYPE_CHECKING:
    import pandas as pd

_NO_TABLES = {  # how such files start, and what they are
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls), or has a password",
    b"%pdf": "a PDF",
    b"\x1f\x8b": "a gzip archive",
    b"{\\rtf": "rich text",
    b"<html": "a web page",
    b"<!doc": "a web page",
    b"<?xml": "XML",
}
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_SEQUENCE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")


@final
@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it is in its file.

    Attributes
    ----------
    frame : DataFrame
        Cells as text without surrounding or repeated blanks; blank ones missing, blank rows and
        columns left out. Every column has a name of its own.
    said : tuple of str
        What was guessed or left out, e.g. ``"semicolons between columns"``.
    name : str
        What messages call it.
    decimal : str
        ``"."`` where programs wrote the numbers, ``""`` where a text may hold other marks.
    """

    frame: "pd.DataFrame"
    said: tuple[str, ...]
    name: str
    decimal: str = ""


def read_sheet(
    path: Path | str, *, sheet: str | None = None, numbers: Collection[str] = ()
) -> Sheet:
    """Read a table with every cell as text, so that printed decimals survive.

    Parameters
    ----------
    path : Path or str
        A text with commas, semicolons, tabs or bars between its columns, an Excel workbook or a
        Parquet file, told apart by what is in it; ``"-"`` is standard input.
    sheet : str, optional
        Of a workbook, by its name; needed if several hold cells.
    numbers : collection of str
        Columns whose print is not needed: they may come back as floats, where every cell of all
        of them is a number or blank and no cell of the table needs tidying. That is faster.

    Returns
    -------
    Sheet

    Raises
    ------
    FileError
        If the file cannot be read.
    DataError
        If it is not a table, or can be read in two ways.
    """
    name = "standard input" if str(path) == "-" else str(path)
    data = read_bytes(path)
    if data.startswith(ZIP):
        return Sheet(*read_workbook(data, name, sheet), name, ".")
    if sheet is not None:
        raise DataError(
            f"{name} is not an Excel workbook and has no sheets: omit {way('sheet', sheet)}."
        )
    if data.startswith(PARQUET) or name.lower().endswith((".parquet", ".pq")):
        return Sheet(read_parquet(data, name, numbers), (), name, ".")
    text, said = decoded(data, name)
    found = read_tidy(text.encode(), numbers) or read_separated(CONTROL.sub(" ", text), name)
    return Sheet(found[0], (*said, *found[1]), name)


def decoded(data: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """Decode a text with line feeds at its line ends, and say which letters were guessed.

    Raises
    ------
    DataError
        If it is no text, or mixes letters of two kinds.
    """
    start = data[:16].lstrip(b"\xef\xbb\xbf \r\n").lower()
    known = next((words for mark, words in _NO_TABLES.items() if start.startswith(mark)), None)
    if known:
        raise DataError(f"{name} is {known}; save the table as .xlsx or CSV.")
    wide = _utf16(data)
    if wide:
        text, said = _decode(data, wide, name), ("UTF-16",)
    elif b"\0" in data:
        raise _no_text(name)
    else:
        text, said = _narrow(data, name)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, said


def _utf16(data: bytes) -> str | None:
    """The byte order of UTF-16, by its mark or, as most letters are ASCII, by where NULs are."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    half = len(data) // 2
    even, odd = data[::2].count(0), data[1::2].count(0)
    if not even and odd > half / 2:
        return "utf-16-le"
    return "utf-16-be" if not odd and even > half / 2 else None


def _decode(data: bytes, encoding: str, name: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise _no_text(name) from None
    if "\0" in text:
        raise _no_text(name)
    return text


def _narrow(data: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    if _BINARY.search(data):
        raise _no_text(name)
    if _SEQUENCE.search(data) or data.startswith(b"\xef\xbb\xbf"):
        raise DataError(
            f"{name} is in UTF-8 but for line {line}; save it again as CSV UTF-8 (comma delimited)."
        )
    try:
        return data.decode("cp1252"), ("Windows-1252 letters",)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} has letters in line {data.count(b'\n', 0, error.start) + 1} that are neither "
            "UTF-8 nor Windows-1252; save it as CSV UTF-8 (comma delimited)."
        ) from None


def _no_text(name: str) -> DataError:
    return DataError(f"{name} is not a table: it is no text. Save the table as .xlsx or CSV UTF-8.")
