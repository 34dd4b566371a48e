"""Random tables as people write them to files, with what each of them means.

The writer knows every cell and every number; a reader is held to it by `held_to`. Nothing here uses
the package's own reading of cells.
"""

import io
import math
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import openpyxl

import bayesmeta as bm
from bayesmeta.sheets import plain_numbers, read_number, read_sheet

NUMBERS = ("y", "se", "n_treatment", "events_treatment", "p")
COUNTS = ("n_treatment", "events_treatment")
TEXTS = ("study", "variant")
NAMES = (
    *("Alpha", "Müller 2001", "Smith, J", "A;B", "x|y", 'the "MIRACLE" trial', "O'Brien", "NA"),
    *("None", "null", "nan", "n/a", "True", "1_0", "2,150", "12", "−", "St. Mary's", "Łódź", "a b"),
)
GROUPS = ("NA", "low", "high", "None", "", "true", "1-2", "main", "nan", "n.r.", "high, oral")
MISSING = ("", "", "NA", "n.r.", "n/a", "not reported", "–", ".", "None")
TITLES = ("Table 2. Deaths by arm", "Deaths, all causes", "made by hand; do not edit", "Mortality")
CONTROL = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")


@dataclass
class Written:
    """A file and what it means; `meant` is None where it must be refused."""

    data: bytes
    names: list[str]
    meant: list[list[object]] | None
    style: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Style:
    """How a writer prints numbers and separates cells."""

    separator: str
    decimal: str
    thousands: str
    minus: str
    quotes: str
    end: str
    encoding: str
    padded: bool


def random_style(rng: random.Random) -> Style:
    decimal = rng.choice([".", ".", ".", ",", ",", "·"])
    marks = {".": ["", "", ",", " ", "'"], ",": ["", "", ".", " ", "\u00a0"], "·": ["", "\u2009"]}
    return Style(
        separator=rng.choice([",", ",", ";", ";", "\t", "|"]),
        decimal=decimal,
        thousands=rng.choice(marks[decimal]),
        minus=rng.choice(["-", "-", "−", "–", "- "]),
        quotes=rng.choice(["needed", "needed", "all", "text"]),
        end=rng.choice(["\n", "\n", "\r\n", "\r"]),
        encoding=rng.choice(CONTROL),
        padded=rng.random() < 0.15,
    )


def printed(value: Decimal, style: Style) -> str:
    """Print a number as the writer does."""
    sign, digits = ("-", str(value)[1:]) if value < 0 else ("", str(value))
    whole, _, part = digits.partition(".")
    if style.thousands and len(whole) > 3:
        whole = f"{int(whole):,}".replace(",", style.thousands)
    mark = style.decimal if part else ""
    return sign.replace("-", style.minus) + whole + mark + part


def number(rng: random.Random, column: str) -> Decimal:
    if column in COUNTS:
        return Decimal(
            rng.choice([rng.randint(0, 99), rng.randint(100, 999), rng.randint(0, 12000)])
        )
    places = rng.choice([1, 2, 3, 3])
    most = {"y": 3000, "se": 2000, "p": 999}[column] if rng.random() < 0.8 else 10**6
    value = Decimal(rng.randint(1, most)).scaleb(-places)
    return -value if column == "y" and rng.random() < 0.5 else value


def quoted(cell: str, style: Style, *, text: bool) -> str:
    """Put a cell in quotes where it needs them or the writer always does."""
    needs = any(mark in cell for mark in (style.separator, '"', "\n")) or cell != cell.strip()
    if needs or style.quotes == "all" or (style.quotes == "text" and text):
        cell = '"' + cell.replace('"', '""') + '"'
    return f" {cell} " if style.padded and style.separator != "\t" else cell


def random_table(case: int) -> Written:
    """One file; of each the number says everything."""
    rng = random.Random(case)
    style = random_style(rng)
    columns = [rng.choice(["study", "study", "Trial"])]
    columns += ["variant"] if rng.random() < 0.3 else []
    columns += rng.sample(NUMBERS, rng.randint(1, len(NUMBERS)))
    columns += ["region"] if rng.random() < 0.4 else []
    rows = [[_cell(rng, column, style) for column in columns] for _ in range(rng.randint(1, 8))]
    texts = [[cell for cell, _ in row] for row in rows]
    meant = [[value for _, value in row] for row in rows]
    lines = [
        style.separator.join(
            quoted(cell, style, text=name not in NUMBERS)
            for cell, name in zip(row, columns, strict=True)
        )
        for row in [columns, *texts]
    ]
    fault = rng.choice(["quote", "long", "twice"]) if rng.random() < 0.06 else ""
    lines, bad = _spoiled(lines, fault, style, rng)
    lines = [*_above(rng, style, len(columns)), *lines]
    if rng.random() < 0.2:
        lines.insert(rng.randint(1, len(lines)), style.separator * (len(columns) - 1))
    data = _encoded(style.end.join([*lines, ""][: rng.choice([None, -1])]), style.encoding)
    return Written(data, columns, None if bad else meant, {"style": style, "fault": fault})


def random_workbook(case: int) -> Written:
    """One workbook: numbers as numbers, names as text, a title now and then, empty sheets."""
    rng = random.Random(case)
    style = Style(",", ".", "", "-", "needed", "\n", "utf-8", padded=False)
    columns = ["study", *rng.sample(NUMBERS, rng.randint(1, 4))]
    rows = [[_cell(rng, column, style) for column in columns] for _ in range(rng.randint(1, 5))]
    book = openpyxl.Workbook()
    sheet = book.active
    for title in rng.sample(TITLES, rng.choice([0, 0, 1, 2])):
        sheet.append([title])
    for row in [[(name, name) for name in columns], *rows]:
        sheet.append([value if isinstance(value, float) else text for text, value in row])
    if rng.random() < 0.3:
        book.create_sheet("notes", rng.randint(0, 1))
    buffer = io.BytesIO()
    book.save(buffer)
    return Written(buffer.getvalue(), columns, [[value for _, value in row] for row in rows])


def _cell(rng: random.Random, column: str, style: Style) -> tuple[str, object]:
    """A cell as it is written, and what it means: a text, a number, or None."""
    if column in ("study", "Trial"):
        name = (
            f"{rng.choice(NAMES)} {rng.randint(1, 99)}" if rng.random() < 0.5 else rng.choice(NAMES)
        )
        return name, name
    if column in ("variant", "region"):
        text = rng.choice(GROUPS)
        return text, text or None
    if rng.random() < 0.08:
        return rng.choice(MISSING), None
    value = number(rng, column)
    if column == "p" and rng.random() < 0.2:
        return f"< {printed(value, style)}", f"<{value}"
    return printed(value, style), float(value)


def _above(rng: random.Random, style: Style, width: int) -> list[str]:
    """Lines above the header."""
    if rng.random() < 0.75:
        return []
    lines = [quoted(rng.choice(TITLES), style, text=True) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.5:
        lines = [line + style.separator * (width - 1) for line in lines]
    return [*lines, *([""] if rng.random() < 0.5 else [])]


def _spoiled(
    lines: list[str], fault: str, style: Style, rng: random.Random
) -> tuple[list[str], bool]:
    """Make a table that has no right reading."""
    lines = list(lines)
    at = rng.randrange(1, len(lines))
    if fault == "quote":
        lines[at] = '"' + lines[at].replace('"', "")
    if fault == "long":
        lines[at] += f"{style.separator}9"
    if fault == "twice":
        lines = [f"{line}{style.separator}{'y' if i == 0 else 1}" for i, line in enumerate(lines)]
        lines[0] += f"{style.separator}y"
    return lines, bool(fault)


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode()


def spoiled_bytes(case: int) -> bytes:
    """A file of which some bytes are changed, or one of any bytes."""
    rng = random.Random(-case - 1)
    data = bytearray(random_table(case).data if case % 4 else rng.randbytes(rng.randint(0, 200)))
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        change = rng.choice(["cut", "put", "drop", "repeat"])
        if change == "cut":
            del data[at:]
        elif change == "drop":
            del data[at : at + 1]
        elif change == "put":
            data[at:at] = rng.choice(
                [b'"', b"\x00", b"\xff", b",", b";", b"\n", b"\r", b"\t", b"1"]
            )
        else:
            data[at:at] = data[at : at + 20]
    return bytes(data)


def read(
    data: bytes, *, numbers: tuple[str, ...] = (), path: Path | None = None
) -> tuple[list[str], list[list[object]]]:
    """Read a file, or standard input, as an analysis does: names, and texts, floats or None."""
    if path is None:
        sys.stdin = io.TextIOWrapper(io.BytesIO(data))
    else:
        path.write_bytes(data)
    try:
        sheet = read_sheet(path or "-", numbers=numbers)
    finally:
        sys.stdin = sys.__stdin__
    texts = {*TEXTS, "Trial", "region"}
    frame, said = plain_numbers(
        sheet.frame, NUMBERS, texts=texts, whole=COUNTS, decimal=sheet.decimal
    )
    assert all(isinstance(one, str) and one for one in (*sheet.said, *said))
    columns = [
        [_value(cell, text=name in texts) for cell in frame.iloc[:, i]]
        for i, name in enumerate(frame)
    ]
    return [str(name) for name in frame], [list(row) for row in zip(*columns, strict=True)]


def _value(cell: object, *, text: bool) -> object:
    """A text, a float, a text that is no number, or None."""
    if isinstance(cell, float) and math.isnan(cell):
        return None
    found = None if text else read_number(cell)
    return cell if found is None else found


def held_to(written: Written, *, numbers: tuple[str, ...] = (), path: Path | None = None) -> str:
    """Read what was written, and say how that ended: ``"read"``, ``"refused"`` or ``"wrong"``."""
    try:
        names, rows = read(written.data, numbers=numbers, path=path)
    except bm.BayesmetaError as refusal:
        assert len(str(refusal)) > 15  # noqa: PT017 - the refusal is one of two good ends
        return "refused"
    if written.meant is None or not _same(written, names, rows):
        return "wrong"
    return "read"


def _same(written: Written, names: list[str], rows: list[list[object]]) -> bool:
    """Whether the cells are those that were meant; a column or row without a cell may be absent."""
    meant = [row for row in written.meant or [] if any(cell is not None for cell in row)]
    return names == written.names and len(rows) == len(meant) and all(
        _equal(one, other)
        for row, right in zip(rows, meant, strict=True)
        for one, other in zip(row, right, strict=True)
    )  # fmt: skip


def _equal(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-15)
    return one == other


def counted(cases: range, path: Path) -> tuple[Counter[str], list[int]]:
    """How the files of some numbers end, and the numbers of those that are read wrongly."""
    found: Counter[str] = Counter()
    wrong = []
    for case in cases:
        written = random_table(case)
        numbers = NUMBERS if case % 2 else ()
        end = held_to(written, numbers=numbers, path=None if case % 10 else path)
        found[end if written.meant is not None else f"{end}, as it should"] += 1
        if end == "wrong":
            wrong.append(case)
    return found, wrong
