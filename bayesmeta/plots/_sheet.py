"""A sheet: lines of text and marks round one axis, the body of a forest plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..arguments import is_among
from ..effects import Measure
from ..errors import ModelError
from ..ways import shown
from ._marks import Mark, draw
from ._scale import Scale, scale_for
from ._style import BLUE, INK, MUTED, SMALL, TEXT, TITLE, blank, inches, panel
from ._text import width_of, wrap, write

WIDTH = 8.75  # inches: 840 px in a browser
_MARGIN, _GAP = 0.12, 0.18
_LABEL, _NOTE, _NUMBER = 2.05, 1.35, 1.75  # widest columns
_AIR = 0.09  # round the text of a line


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a sheet.

    Attributes
    ----------
    label, note : str
        Left of the axis.
    numbers : tuple of str
        Right of it; one text per column of the sheet.
    marks : tuple of Mark
        On it, one below the other.
    heading : bool
        Whether the label heads the lines below.
    """

    label: str
    note: str = ""
    numbers: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    heading: bool = False

    @property
    def weight(self) -> str:
        """Font weight: headings and the answer stand out."""
        answer = any(mark.kind == "posterior" for mark in self.marks)
        return "bold" if self.heading or answer else "normal"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Texts above the columns."""

    note: str = ""
    numbers: tuple[str, ...] = ("",)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Where the columns stand, in inches from the left; numbers by their right ends."""

    label: float
    note: float
    plot: float
    width: float
    numbers: tuple[float, ...]


def sheet(
    lines: Sequence[Line],
    heads: Heads,
    *,
    measure: Measure,
    better: str | None,
    labels: tuple[str, str],
    title: str = "",
    legend: Sequence[Line2D] = (),
    guide: float | None = None,
) -> Figure:
    """Draw lines round an axis with no effect marked and both directions named.

    Parameters
    ----------
    lines : sequence of Line
    heads : Heads
    measure : Measure
    better : {"lower", "higher"} or None
    labels : tuple of str
        Treatment and control.
    title : str
    legend : sequence of Line2D
        Labelled handles, shown above the columns.
    guide : float, optional
        Analysis scale; a thin line through all rows.
    """
    lines, heads, columns = _columns(lines, heads)
    scale = _scale(lines, measure, columns.width)
    favours = favour_texts(better, labels, columns.width / 2 - 0.05)
    title = wrap(title, WIDTH - 2 * _MARGIN, size=TITLE, weight="bold")
    tops = _tops(lines, heads, title=title, legend=bool(legend))
    feet = inches(SMALL, 1 + max(text.count("\n") + 1 for text in favours)) + 0.42
    figure = blank(WIDTH, tops[-1] + feet)
    _head(figure, heads, columns, title=title, legend=legend, top=tops[0])
    axes = panel(figure, columns.plot, tops[0], columns.width, tops[-1] - tops[0])
    axes.set_ylim(tops[-1], tops[0])
    scale.apply(axes)
    _guides(axes, scale, guide, none=measure.comparative)
    for line, top, bottom in zip(lines, tops[:-1], tops[1:], strict=True):
        _line(figure, axes, line, columns, scale, middle=(top + bottom) / 2)
    _foot(axes, measure, favours)
    return figure


def favour_texts(better: str | None, labels: tuple[str, str], width: float) -> tuple[str, str]:
    """Say what lies left and right of no effect, wrapped to `width` inches."""
    if better is None:
        return "", ""
    if not is_among(better, ("lower", "higher")):
        raise ModelError(f"better is 'lower' or 'higher', not {shown(better)}.")
    left, right = labels if better == "lower" else labels[::-1]
    return (
        wrap(f"← favours {left}", width, size=SMALL),
        wrap(f"favours {right} →", width, size=SMALL),
    )


def _columns(lines: Sequence[Line], heads: Heads) -> tuple[list[Line], Heads, _Columns]:
    """Wrap the texts, then give each column the width of its widest."""
    wrapped = [
        Line(
            label=line.label if line.heading else wrap(line.label, _LABEL, weight=line.weight),
            note=wrap(line.note, _NOTE),
            numbers=line.numbers,
            marks=line.marks,
            heading=line.heading,
        )
        for line in lines
    ]
    heads = Heads(
        note=wrap(heads.note, _NOTE, size=SMALL),
        numbers=tuple(wrap(text, _NUMBER, size=SMALL) for text in heads.numbers),
    )
    label = max(width_of(line.label, weight=line.weight) for line in wrapped if not line.heading)
    note = max(width_of(heads.note, size=SMALL), *(width_of(line.note) for line in wrapped))
    widths = [
        max(
            width_of(head, size=SMALL),
            *(width_of(line.numbers[i], weight=line.weight) for line in wrapped if line.numbers),
        )
        for i, head in enumerate(heads.numbers)
    ]
    ends = WIDTH - _MARGIN - np.cumsum([0.0, *(w + _GAP for w in widths[:0:-1])])[::-1]
    at_note = _MARGIN + label + _GAP
    plot = at_note + (note + _GAP if note else 0.0)
    right = float(ends[0]) - widths[0] - _GAP
    return (
        wrapped,
        heads,
        _Columns(
            label=_MARGIN,
            note=at_note,
            plot=plot,
            width=right - plot,
            numbers=tuple(map(float, ends)),
        ),
    )


def _scale(lines: Sequence[Line], measure: Measure, width: float) -> Scale:
    marks = [mark for line in lines for mark in line.marks]
    estimates = np.array([mark.estimate for mark in marks], dtype=float)
    ends = np.array([(mark.lower, mark.upper) for mark in marks], dtype=float).reshape(-1, 2)
    return scale_for(measure, estimates, ends, width=width)


def _tops(lines: Sequence[Line], heads: Heads, *, title: str, legend: bool) -> list[float]:
    """Top of every line and the bottom of the last, in inches from the top."""
    top = _MARGIN + (inches(TITLE, title.count("\n") + 1) + 0.1 if title else 0.0)
    top += inches(SMALL) + 0.12 if legend else 0.0
    texts = [text for text in (heads.note, *heads.numbers) if text]
    top += inches(SMALL, max((text.count("\n") + 1 for text in texts), default=0)) + 0.08
    heights = [_height(line) for line in lines]
    return list(map(float, top + np.cumsum([0.0, *heights])))


def _height(line: Line) -> float:
    rows = max(text.count("\n") + 1 for text in (line.label, line.note))
    text = inches(TEXT, rows) + _AIR
    return max(text + 0.06 if line.heading else text, 0.28 if len(line.marks) > 1 else 0.0)


def _head(
    figure: Figure,
    heads: Heads,
    columns: _Columns,
    *,
    title: str,
    legend: Sequence[Line2D],
    top: float,
) -> None:
    high = float(figure.get_size_inches()[1])
    if title:
        tall = inches(TITLE, title.count("\n") + 1)
        write(figure, _MARGIN, _MARGIN + tall / 2, title, size=TITLE, weight="bold")
    if legend:
        at = _MARGIN + (inches(TITLE, title.count("\n") + 1) + 0.1 if title else 0.0)
        figure.legend(
            handles=list(legend),
            loc="upper left",
            bbox_to_anchor=(_MARGIN / WIDTH, 1 - at / high),
            ncols=len(legend),
            handletextpad=0.6,
            columnspacing=2.0,
        )
    for left, text, align in (
        (columns.note, heads.note, "left"),
        *((end, text, "right") for end, text in zip(columns.numbers, heads.numbers, strict=True)),
    ):
        at = top - 0.05 - inches(SMALL, text.count("\n") + 1) / 2
        write(figure, left, at, text, align=align, size=SMALL, color=MUTED)
    rule = [_MARGIN / WIDTH, 1 - _MARGIN / WIDTH]
    figure.add_artist(Line2D(rule, [1 - top / high] * 2, color=INK, linewidth=0.8))


def _guides(axes: Axes, scale: Scale, guide: float | None, *, none: bool) -> None:
    if none:
        axes.axvline(scale.at(0.0), color=INK, linewidth=0.8, zorder=1, label="no effect")
    if guide is not None and scale.holds(guide):
        axes.axvline(
            scale.at(guide),
            color=BLUE,
            linewidth=0.8,
            linestyle=(0, (2, 2)),
            zorder=1,
            label="overall",
        )


def _line(
    figure: Figure, axes: Axes, line: Line, columns: _Columns, scale: Scale, *, middle: float
) -> None:
    write(figure, columns.label, middle + 0.02 * line.heading, line.label, weight=line.weight)
    if line.note:
        write(figure, columns.note, middle, line.note)
    for i, (end, text) in enumerate(zip(columns.numbers, line.numbers, strict=False)):
        color = MUTED if "[" not in text else BLUE if i else INK
        write(figure, end, middle, text, align="right", color=color, weight=line.weight)
    offsets = (-0.055, 0.06) if len(line.marks) > 1 else (0.0,)
    for mark, offset in zip(line.marks, offsets, strict=False):
        draw(axes, mark, y=middle + offset, scale=scale)


def _foot(axes: Axes, measure: Measure, favours: tuple[str, str]) -> None:
    axes.tick_params(axis="x", length=3.5, pad=2.5)
    caption = f"{measure.words} (log scale)" if measure.log else measure.words
    texts = ((0.0, "left", favours[0]), (1.0, "right", favours[1]))
    for at, align, text in texts:
        axes.annotate(
            text,
            (at, 0.0),
            (0, -20),
            xycoords="axes fraction",
            textcoords="offset points",
            ha=align,
            va="top",
            fontsize=SMALL,
            color=MUTED,
            annotation_clip=False,
        )
    below = 20 + 72 * inches(SMALL, max(text.count("\n") + 1 for text in favours)) + 2
    axes.annotate(
        caption,
        (0.5, 0.0),
        (0, -below),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=SMALL,
        color=INK,
        annotation_clip=False,
    )
