"""The lines of a sheet, and the columns that their texts stand in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final

from ...errors import ModelError
from ...reading import Level
from .._style import INCH, INK, Page
from .._text import width_of, wrap
from .lights import width_of_lights
from .marks import Mark

_LABEL, _NOTE, _NUMBER, _BROKEN = 0.235, 0.155, 0.2, 0.265  # widest columns, of the page's width
_GAP = 0.02  # inches between columns, per point of letters
_WHOLE = 0.6  # of the page, how wide a heading may be
_LEAST, _ENOUGH = 0.2, 0.24  # of the page, what the axis needs, and what serves it well
MARGIN = 0.12  # inches


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a sheet.

    Attributes
    ----------
    label : str
        Left of everything.
    texts : tuple of str
        One per column of the sheet.
    marks : tuple of Mark
        On the axis, one below the other.
    heading : bool
        Whether the label heads the lines below.
    lights : tuple of Level
        Of risk of bias, in the column of these.
    """

    label: str
    texts: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    heading: bool = False
    lights: tuple[Level, ...] = ()

    @property
    def weight(self) -> str:
        """Font weight: headings and the answer stand out."""
        answer = any(mark.kind in ("posterior", "group") for mark in self.marks)
        return "bold" if self.heading or answer else "normal"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of texts.

    Attributes
    ----------
    name : str
        What it is asked for by.
    head : str
    left : bool
        Whether it stands left of the axis.
    color : str
        Of its numbers.
    lights : tuple of str
        What stands above each light, of a column of lights in place of texts.
    """

    name: str
    head: str
    left: bool = False
    color: str = INK
    lights: tuple[str, ...] = ()

    @property
    def align(self) -> str:
        """Columns left of the axis start together, those right of it end together."""
        return "left" if self.left else "right"


type Columns = Sequence[Column]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Columns with their places, in inches from the left.

    Attributes
    ----------
    columns : sequence of Column
        Heads wrapped.
    at : tuple of float
        Where each starts, or ends where it stands right of the axis.
    label, plot, width : float
        Where labels and axis start, and how wide the axis is.
    """

    columns: Columns
    at: tuple[float, ...]
    label: float
    plot: float
    width: float

    def check(self, page: Page) -> None:
        """Refuse to draw on an axis with too little room.

        Raises
        ------
        ModelError
        """
        if self.width < _LEAST * page.width:
            names = ", ".join(one.name for one in self.columns)
            raise ModelError(
                f"The columns {names} leave {max(self.width, 0) * INCH:.0f} mm of "
                f"{page.width * INCH:.0f} for the axis; ask for fewer columns or a wider figure."
            )

    def roomy(self, page: Page) -> bool:
        """Whether the axis has room enough not to look for more."""
        return self.width >= _ENOUGH * page.width


def columns_of(lines: Sequence[Line], columns: Columns, page: Page) -> tuple[list[Line], Placed]:
    """Wrap the texts, then give each column the width of its widest."""
    wrapped = [_wrapped(line, columns, page) for line in lines]
    headed = [
        replace(one, head=wrap(one.head, _widest(one, page), size=page.small)) for one in columns
    ]
    widths = [_width(i, one, wrapped, page) for i, one in enumerate(headed)]
    gap = _GAP * page.text
    labels = [
        width_of(one.label, size=page.text, weight=one.weight) for one in wrapped if not one.heading
    ]
    left = MARGIN + max(labels) + gap
    right = page.width - MARGIN
    at: dict[int, float] = {}
    for i, one in enumerate(headed):
        if one.left:
            at[i] = left
            left += widths[i] + gap if widths[i] else 0.0
    for i in reversed(range(len(headed))):
        if not headed[i].left:
            at[i] = right
            right -= widths[i] + gap if widths[i] else 0.0
    places = tuple(at[i] for i in range(len(headed)))
    return wrapped, Placed(columns=headed, at=places, label=MARGIN, plot=left, width=right - left)


def _widest(column: Column, page: Page) -> float:
    """How wide a text of a column may be, where it can be wrapped."""
    return (_NOTE if column.left or column.name == "weight" else _NUMBER) * page.width


def _width(i: int, column: Column, lines: Sequence[Line], page: Page) -> float:
    if column.lights:
        return width_of_lights(column.lights, page)
    return max(
        width_of(column.head, size=page.small),
        *(width_of(one.texts[i], size=page.text, weight=one.weight) for one in lines if one.texts),
    )


def _wrapped(line: Line, columns: Columns, page: Page) -> Line:
    widest = page.width * (_WHOLE if line.heading else _LABEL) - MARGIN * line.heading
    label = wrap(line.label, widest, size=page.text, weight=line.weight)
    return replace(line, label=label, texts=tuple(_cells(line, columns, page)))


def _cells(line: Line, columns: Columns, page: Page) -> Iterator[str]:
    """Counts are wrapped; numbers only where there is little room, before their interval."""
    for column, text in zip(columns, line.texts, strict=False):
        if column.left:
            yield wrap(text, _widest(column, page), size=page.text, weight=line.weight)
        elif page.narrow:
            yield "\n".join(
                wrap(part, _BROKEN * page.width, size=page.text, weight=line.weight)
                for part in text.replace(" [", "\n[").split("\n")
            )
        else:
            yield text
