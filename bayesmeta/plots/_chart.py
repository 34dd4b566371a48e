"""A chart: one panel with both axes named, and a caption below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from ._scale import Scale, tick_text
from ._style import MUTED, Page, blank, inches, panel
from ._text import width_of, wrap, write

_MARGIN, _RIGHT, _ASPECT = 0.12, 0.2, 0.62  # inches; height over width
_STRIP = 0.4  # of the height of the axes
_HANDLE, _APART = 0.36, 0.18  # inches, of the sign of a legend's entry, and between entries


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One axis of a chart: what it is called, and where it goes."""

    name: str
    scale: Scale


def chart(
    page: Page,
    *,
    x: Side,
    y: Side,
    title: str = "",
    legend: Sequence[Artist] = (),
    caption: Sequence[str] = (),
    beside: float = 0.0,
    square: bool = False,
    strip: bool = False,
) -> tuple[Figure, Axes]:
    """Make an empty chart as wide as the page, its vertical axis named above it.

    `legend` are labelled handles, between the title and that name; `beside` is room for texts right
    of the axes, in inches; `square` axes are as high as they are wide; a `strip` is a second panel
    over the same places of x, beneath, the figure's second axes.
    """
    whole = 0.95 * (page.width - 2 * _MARGIN)
    head = wrap(title, whole, size=page.title, weight="bold")
    name = wrap(y.name, whole, size=page.small)
    foot = "\n".join(wrap(line, whole, size=page.small) for line in caption)
    below = wrap(x.name, whole, size=page.small)
    rows = [text.count("\n") + 1 if text else 0 for text in (head, name, below, foot)]
    titled = inches(page.title, rows[0]) + (0.08 if head else 0.0)
    abreast = _abreast(legend, whole, page)
    signs = inches(page.small, -(-len(legend) // abreast)) + 0.1 if legend else 0.0
    top = _MARGIN + titled + signs + inches(page.small, rows[1]) + 0.08
    labels = [width_of(tick_text(one), size=page.small) for one in y.scale.ticks]
    left = _MARGIN + max(labels, default=0.0) + 0.1
    wide = page.width - left - _RIGHT - beside
    high = wide if square else _ASPECT * page.width
    beneath = _STRIP * high if strip else 0.0
    under = 0.08 + inches(page.small, 1 + rows[2]) + beneath
    figure = blank(page.width, top + high + under + inches(page.small, rows[3]) + _MARGIN)
    axes = panel(figure, left, top, wide, high)
    _give(axes, x.scale, y.scale)
    if strip:
        lower = panel(figure, left, top + high + 0.2 * beneath, wide, 0.8 * beneath)
        x.scale.apply(lower)
        lower.tick_params(length=3.0, pad=2.5)
        axes.tick_params(labelbottom=False)
    if head:
        at = _MARGIN + inches(page.title, rows[0]) / 2
        write(figure, _MARGIN, at, head, size=page.title, weight="bold")
    if legend:
        _signs(figure, legend, abreast, page, top=_MARGIN + titled)
    at = top - 0.08 - inches(page.small, rows[1]) / 2
    write(figure, _MARGIN, at, name, size=page.small)
    at = top + high + beneath + 0.08 + inches(page.small) + inches(page.small, rows[2]) / 2
    write(figure, left + wide / 2, at, below, align="center", size=page.small)
    if foot:
        at = top + high + under + 0.04 + inches(page.small, rows[3]) / 2
        write(figure, _MARGIN, at, foot, size=page.small, color=MUTED)
    return figure, axes


def _abreast(legend: Sequence[Artist], whole: float, page: Page) -> int:
    """How many entries of a legend stand side by side, in columns as even as can be."""
    widths = [width_of(str(one.get_label()), size=page.small) for one in legend]
    for deep in range(1, len(widths)):
        n = -(-len(widths) // deep)
        columns = np.array_split(widths, n)
        if sum(float(one.max()) + _HANDLE + _APART for one in columns) <= whole:
            return n
    return 1


def _signs(
    figure: Figure, legend: Sequence[Artist], abreast: int, page: Page, *, top: float
) -> None:
    wide, high = figure.get_size_inches()
    em = page.small / 72
    figure.legend(
        handles=list(legend),
        loc="upper left",
        bbox_to_anchor=(_MARGIN / wide, 1 - top / high),
        ncols=abreast,
        handlelength=0.26 / em,
        handletextpad=0.1 / em,
        columnspacing=_APART / em,
        labelspacing=0.25,
    )


def _give(axes: Axes, x: Scale, y: Scale) -> None:
    """Give the axes their limits and ticks."""
    x.apply(axes)
    axes.spines["left"].set_visible(True)
    if y.link == "log":
        axes.set_yscale("log")
    axes.set_ylim(*y.ends)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(FixedLocator(list(y.ticks)))
    axes.set_yticklabels([tick_text(tick) for tick in y.ticks])
    axes.tick_params(length=3.0, pad=2.5)


def areas(
    weights: Sequence[float], *, smallest: float = 10.0, largest: float = 160.0
) -> list[float]:
    """Areas of circles, in square points, in proportion to weights but for the very smallest."""
    each = np.asarray(weights, dtype=float)
    return np.maximum(smallest, largest * each / each.max(initial=1e-300)).tolist()
