"""A sheet: lines of text and marks round one axis, the body of a forest plot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...arguments import is_among
from ...effects import Measure
from ...errors import ModelError
from ...ways import shown
from .._scale import Scale, scale_for
from .._style import BLUE, INK, MUTED, SCREEN, Page, blank, inches, panel
from .._text import width_of, wrap, write
from .columns import MARGIN, Columns, Line, Placed, columns_of
from .lights import draw_heads, draw_lights
from .marks import draw

_AIR, _PAIR, _CURVED = 0.01, 0.031, 0.042  # round text; of two marks; with a density: per point
_BELOW = 20  # points from the axis to what is beneath its ticks
_BESIDE = {True: 0.13, False: 0.3}  # inches that sides may stand out beyond a narrow axis
_HANDLE = 0.5  # inches, of a line of the legend and the room beside it


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands round the lines of a sheet.

    Attributes
    ----------
    measure : Measure
    better : {"lower", "higher"} or None
    labels : tuple of str
        Treatment and control.
    title : str
    legend : sequence of Line2D
        Labelled handles, shown above the columns.
    guide : float or None
        Analysis scale; a thin line through all rows.
    foot : tuple of str
        Lines of text beneath the axis.
    """

    measure: Measure
    better: str | None
    labels: tuple[str, str]
    title: str = ""
    legend: Sequence[Line2D] = ()
    guide: float | None = None
    foot: tuple[str, ...] = ()


def sheet(
    lines: Sequence[Line], columns: Columns, around: Around, *, page: Page = SCREEN
) -> Figure:
    """Draw lines round an axis with no effect marked and both directions named.

    Raises
    ------
    ModelError
        If the columns leave no room for the axis, or `better` is no direction.
    """
    measure = around.measure
    lines, placed = columns_of(lines, columns, page)
    placed.check(page)
    scale = _scale(lines, measure, placed.width, page)
    beside = _BESIDE[page.narrow]
    favours = favour_texts(
        around.better, around.labels, placed.width / 2 + 0.1 * page.narrow - 0.05, page
    )
    whole = page.width - 2 * MARGIN
    foot = "\n".join(wrap(line, 0.95 * whole, size=page.small) for line in around.foot)
    around = replace(around, title=wrap(around.title, 0.97 * whole, size=page.title, weight="bold"))
    tops = _tops(lines, placed, around, page)
    under = inches(page.small, 1 + max(text.count("\n") + 1 for text in favours)) + 0.42
    rows = inches(page.small, foot.count("\n") + 1) + 0.06 if foot else 0.0
    figure = blank(page.width, tops[-1] + under + rows)
    _head(figure, placed, around, page, top=tops[0])
    axes = panel(figure, placed.plot, tops[0], placed.width, tops[-1] - tops[0])
    axes.set_ylim(tops[-1], tops[0])
    scale.apply(axes)
    _guides(axes, scale, around.guide, none=measure.comparative)
    for line, top, bottom in zip(lines, tops[:-1], tops[1:], strict=True):
        _line(figure, axes, line, placed, scale, page, middle=(top + bottom) / 2)
    _foot(axes, measure, favours, page, beside=72 * beside)
    if foot:
        middle = tops[-1] + under + rows / 2 - 0.06
        write(figure, MARGIN, middle, foot, size=page.small, color=INK)
    return figure


def favour_texts(
    better: str | None, labels: tuple[str, str], width: float, page: Page = SCREEN
) -> tuple[str, str]:
    """Say what lies left and right of no effect, wrapped to `width` inches."""
    if better is None:
        return "", ""
    if not is_among(better, ("lower", "higher")):
        raise ModelError(f"better is 'lower' or 'higher', not {shown(better)}.")
    left, right = labels if better == "lower" else labels[::-1]
    return (
        wrap(f"← favours {left}", width, size=page.small),
        wrap(f"favours {right} →", width, size=page.small),
    )


def _scale(lines: Sequence[Line], measure: Measure, width: float, page: Page) -> Scale:
    marks = [mark for line in lines for mark in line.marks]
    estimates = np.array([mark.estimate for mark in marks], dtype=float)
    ends = np.array([(mark.lower, mark.upper) for mark in marks], dtype=float).reshape(-1, 2)
    return scale_for(measure, estimates, ends, width=width, size=page.small)


def _tops(lines: Sequence[Line], placed: Placed, around: Around, page: Page) -> list[float]:
    """Top of every line and the bottom of the last, in inches from the top."""
    top = MARGIN + _titled(around, page)
    legend = around.legend
    top += inches(page.small, -(-len(legend) // _abreast(legend, page))) + 0.12 if legend else 0.0
    texts = [one.head for one in placed.columns if one.head]
    top += inches(page.small, max((text.count("\n") + 1 for text in texts), default=0)) + 0.08
    heights = [_height(line, page) for line in lines]
    return list(map(float, top + np.cumsum([0.0, *heights])))


def _titled(around: Around, page: Page) -> float:
    """Height of the title."""
    if not around.title:
        return 0.0
    return inches(page.title, around.title.count("\n") + 1) + 0.1


def _abreast(legend: Sequence[Line2D], page: Page) -> int:
    """How many entries of a legend stand side by side."""
    widths = [_HANDLE + width_of(str(one.get_label()), size=page.small) for one in legend]
    return len(legend) if sum(widths) < page.width - 2 * MARGIN else 1


def _height(line: Line, page: Page) -> float:
    rows = max(text.count("\n") + 1 for text in (line.label, *line.texts))
    text = inches(page.text, rows) + _AIR * page.text
    curved = any(mark.x for mark in line.marks)
    marks = page.text * (_CURVED if curved else _PAIR if len(line.marks) > 1 else 0.0)
    return max(text + 0.06 if line.heading else text, marks)


def _head(figure: Figure, placed: Placed, around: Around, page: Page, *, top: float) -> None:
    high = float(figure.get_size_inches()[1])
    title, legend = around.title, around.legend
    if title:
        tall = inches(page.title, title.count("\n") + 1)
        write(figure, MARGIN, MARGIN + tall / 2, title, size=page.title, weight="bold")
    if legend:
        at = MARGIN + _titled(around, page)
        figure.legend(
            handles=list(legend),
            loc="upper left",
            bbox_to_anchor=(MARGIN / page.width, 1 - at / high),
            ncols=_abreast(legend, page),
            handletextpad=0.6,
            columnspacing=2.0,
            labelspacing=0.25,
        )
    for column, at in zip(placed.columns, placed.at, strict=True):
        middle = top - 0.05 - inches(page.small, column.head.count("\n") + 1) / 2
        write(figure, at, middle, column.head, align=column.align, size=page.small, color=MUTED)
        if column.lights:
            beneath = top - 0.05 - inches(page.small) / 2
            draw_heads(figure, at, beneath, column.lights, page)
    rule = [MARGIN / page.width, 1 - MARGIN / page.width]
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
    figure: Figure,
    axes: Axes,
    line: Line,
    placed: Placed,
    scale: Scale,
    page: Page,
    *,
    middle: float,
) -> None:
    at = middle + 0.02 * line.heading
    write(figure, placed.label, at, line.label, size=page.text, weight=line.weight)
    for column, left, text in zip(placed.columns, placed.at, line.texts, strict=False):
        if text:
            color = MUTED if text.startswith("no") else column.color
            how = {"size": page.text, "weight": line.weight, "color": color}
            write(figure, left, middle, text, align=column.align, **how)
    if line.lights:
        draw_lights(figure, placed.at[-1], middle, line.label, line.lights, page)
    offsets = (-0.0061, 0.0067) if len(line.marks) > 1 else (0.0,)
    high = _height(line, page)
    for mark, offset in zip(line.marks, offsets, strict=False):
        below = 0.3 * high if mark.x else 0.0
        draw(axes, mark, y=middle + below + offset * page.text, scale=scale, high=0.75 * high)


def _foot(
    axes: Axes, measure: Measure, favours: tuple[str, str], page: Page, *, beside: float
) -> None:
    axes.tick_params(axis="x", length=3.5, pad=2.5)
    caption = f"{measure.words} (log scale)" if measure.log else measure.words
    below = _BELOW + 72 * inches(page.small, max(text.count("\n") + 1 for text in favours)) + 2
    for at, align, text, off, color in (
        (0.0, "left", favours[0], (-beside, -_BELOW), MUTED),
        (1.0, "right", favours[1], (beside, -_BELOW), MUTED),
        (0.5, "center", caption, (0.0, -below), INK),
    ):
        axes.annotate(
            text,
            (at, 0.0),
            off,
            xycoords="axes fraction",
            textcoords="offset points",
            ha=align,
            va="top",
            fontsize=page.small,
            color=color,
            annotation_clip=False,
        )
