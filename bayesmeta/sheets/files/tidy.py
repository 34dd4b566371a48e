"""A tidy table of text at once: what needs no look at its cells, columns of numbers as floats."""

from collections.abc import Collection, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from ...errors import DataError
from ..figures.marks import read_printed
from .header import LOOK, filled, header_at, is_known
from .separated import SEPARATORS, between_columns, records

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_ASCII = bytes(range(128))
_TAB, _LINE, _BLANK, _DELETE = b"\t\n \x7f"
_NO_NUMBERS = (b"rue", b"RUE", b"alse", b"ALSE")  # of True and False pandas makes numbers
_WITNESSES = 20  # cells looked at for one that shows the decimal mark


@final
class Layout(NamedTuple):
    """How a tidy text is laid out."""

    data: bytes
    separator: str
    names: Sequence[str]


def read_tidy(
    data: bytes, numbers: Collection[str]
) -> "tuple[pd.DataFrame, tuple[str, ...]] | None":
    """Read a text whose rows and cells each end where they seem to; None for any other.

    Parameters
    ----------
    data : bytes
        UTF-8 with line feeds.
    numbers : collection of str
        Columns that come back as floats if every cell of all of them is a number or blank, and
        each of them shows what its decimal mark is.
    """
    layout = _laid_out(data)
    if layout is None:
        return None
    said = between_columns(layout.separator)
    for decimal in _decimals(layout) if set(layout.names) & set(numbers) else ():
        frame = _parsed(layout, numbers, decimal)
        if frame is not None and _is_settled(frame, layout, decimal):
            return frame, (*said, *_commas(layout, frame, decimal))
    frame = _parsed(layout, (), ".")
    return None if frame is None else (frame, said)


def _commas(layout: Layout, frame: "pd.DataFrame", decimal: str) -> tuple[str, ...]:
    """Say that the floats were printed with decimal commas."""
    names = _floats(frame)
    found = decimal == "," and (
        any((frame[name] > np.floor(frame[name])).any() for name in names)
        or any(b"," in column for column in _printed(layout, names))
    )
    return ("decimal commas",) if found else ()


def _laid_out(data: bytes) -> Layout | None:
    """See whether a text is tidy, by what no tidy text has in it."""
    data = data.rstrip(b"\n") + b"\n"
    line, _, body = data.partition(b"\n")
    marks = [mark for mark in SEPARATORS if mark.encode() in line]
    if len(marks) != 1 or not body.strip():
        return None
    letters = np.frombuffer(data, dtype=np.uint8)
    if not _are_blanks_plain(letters, ord(marks[0])) or not _are_quotes_plain(data, ord(marks[0])):
        return None
    if not (data.isascii() or _is_plain(data)):
        return None
    names = _names(data, marks[0])
    return None if names is None else Layout(data, marks[0], names)


def _are_blanks_plain(letters: "NDArray[np.uint8]", mark: int) -> bool:
    """Whether blanks stand alone within cells or before them, and no line is empty."""
    lines = np.flatnonzero(letters == _LINE)
    tabs = np.count_nonzero(letters == _TAB)
    control = np.count_nonzero(letters < _BLANK) - len(lines) - tabs
    if control or (tabs and mark != _TAB) or (letters == _DELETE).any():
        return False
    blanks = np.flatnonzero(letters == _BLANK)
    before, after = letters[blanks - 1], letters[np.minimum(blanks + 1, len(letters) - 1)]
    ends = np.isin(after, (_BLANK, mark, _LINE)).any() or np.isin(before, (_BLANK, _LINE)).any()
    return not ends and not (np.diff(lines) == 1).any()


def _is_plain(data: bytes) -> bool:
    """Whether what is not ASCII has neither blanks nor control characters among it."""
    others = set(data.translate(None, _ASCII).decode())
    return not any(one.isspace() or "\x80" <= one < "\xa0" for one in others)


def _are_quotes_plain(data: bytes, mark: int) -> bool:
    """Whether each quote opens or closes a whole cell."""
    if b'"' not in data:
        return True
    padded = np.frombuffer(b"\n" + data + b"\n", dtype=np.uint8)
    at = np.flatnonzero(padded == ord('"'))
    ends = (mark, _LINE)
    opens, closes = np.isin(padded[at[::2] - 1], ends), np.isin(padded[at[1::2] + 1], ends)
    return len(at) % 2 == 0 and bool(opens.all() and closes.all())


def _names(data: bytes, separator: str) -> list[str] | None:
    """Names of the columns, if the first line is the header and names them all."""
    lines = data[: 2**20].split(b"\n", LOOK)[:LOOK]
    try:
        rows = filled(records([line.decode() for line in lines], separator, ""))
    except (DataError, UnicodeDecodeError):
        return None
    if len(rows) < 2 or header_at(rows) or rows[0].place > 1:
        return None
    names, width = list(rows[0].cells), len(rows[1].cells)
    names = [name.strip() for name in names]
    good = all(names) and len(set(names)) == len(names) == width  # pandas makes an index of others
    others = any(mark.encode() in data for mark in SEPARATORS if mark != separator)
    return names if good and (any(map(is_known, names)) or not others) else None


def _decimals(layout: Layout) -> tuple[str, ...]:
    """Decimal marks that numbers may have, the likelier first."""
    if layout.separator == ",":
        return (".", ",") if b'"' in layout.data else (".",)
    return (",", ".") if b"," in layout.data else (".",)


def _parsed(layout: Layout, numbers: Collection[str], decimal: str) -> "pd.DataFrame | None":
    import pandas as pd

    try:
        frame = pd.read_csv(
            BytesIO(layout.data),
            sep=layout.separator,
            decimal=decimal,
            dtype={name: np.float64 if name in numbers else str for name in layout.names},  # pyright: ignore[reportArgumentType]
            keep_default_na=False,
            na_values=[""],
            skipinitialspace=True,
        )
    except (ValueError, OverflowError):
        return None
    if _may_have_words(layout, frame):
        return None
    missing = frame.isna().to_numpy()
    gaps = missing.all(axis=0).any() or missing.all(axis=1).any()
    infinite = any(np.isinf(frame[name]).any() for name in _floats(frame))
    swallowed = len(frame) != layout.data.count(b"\n") - 1
    odd = gaps or infinite or swallowed or list(frame) != list(layout.names)
    return None if odd else frame


def _may_have_words(layout: Layout, frame: "pd.DataFrame") -> bool:
    """Whether a 0 or 1 among the numbers may be a word."""
    found = any(frame[name].isin((0, 1)).any() for name in _floats(frame))
    return found and any(word in layout.data for word in _NO_NUMBERS)


def _floats(frame: "pd.DataFrame") -> list[str]:
    return [name for name in frame if frame[name].dtype == np.float64]


def _is_settled(frame: "pd.DataFrame", layout: Layout, decimal: str) -> bool:
    """Whether each column of floats shows by a cell of its own that it has this decimal mark."""
    whole = []
    thousands = _may_be_thousands(layout, decimal)
    for name in _floats(frame):
        values = frame[name].to_numpy()
        size = np.abs(values)
        broken = size > np.floor(size)
        if not broken.any():
            whole.append(name)
        elif (thousands or (broken & (size > 1) & (size < 1000)).any()) and not _shows(
            layout, name, values, np.flatnonzero(broken), decimal
        ):
            return False
    return (
        not (thousands and whole)
        or _are_digits(layout, whole)
        or not any(decimal.encode() in column for column in _printed(layout, whole))
    )


def _shows(
    layout: Layout,
    name: str,
    values: "NDArray[np.float64]",
    broken: "NDArray[np.intp]",
    decimal: str,
) -> bool:
    small = broken[np.abs(values[broken]) < 1]
    rows = (small if len(small) else broken)[:_WITNESSES]
    lines = layout.data.split(b"\n", int(rows[-1]) + 2)
    place = layout.names.index(name)
    for row in rows:
        record = records([lines[row + 1].decode()], layout.separator, "")[0]
        printed = read_printed(record.cells[place])
        if printed is not None and printed.decimal == decimal:
            return True
    return False


def _may_be_thousands(layout: Layout, decimal: str) -> bool:
    """Whether a cell that is whole may hold the mark: "2.000"."""
    ends = (layout.separator.encode(), b"\n", b'"')
    mark = decimal.encode()
    return mark + b"000" in layout.data and any(mark + b"000" + end in layout.data for end in ends)


def _are_digits(layout: Layout, names: Sequence[str]) -> bool:
    """Whether some columns have whole numbers without any mark in all their cells."""
    import pandas as pd

    cells = pd.read_csv(BytesIO(layout.data), sep=layout.separator, usecols=list(names))
    return all(kind.kind in "iu" for kind in cells.dtypes)


def _printed(layout: Layout, names: Sequence[str]) -> list[bytes]:
    """Some columns as they are printed, each joined."""
    import pandas as pd

    if not names:
        return []
    cells = pd.read_csv(
        BytesIO(layout.data),
        sep=layout.separator,
        usecols=list(names),
        dtype=str,
        keep_default_na=False,
    )
    return ["\n".join(cells[name]).encode() for name in names]
