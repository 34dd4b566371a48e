"""Names beside points, as far as there is room for them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from .._style import INK, Page, inches
from .._text import width_of, wrap

_GAP, _AIR = 0.05, 0.03  # inches between a point and its name, and round a name
_WIDEST = 0.32  # of the page
_AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1))  # right, left, above, below
_ALIGNED = {1: "left", -1: "right", 0: "center"}

type _Box = tuple[float, float, float, float]


def name_points(
    axes: Axes,
    page: Page,
    names: Sequence[str],
    points: NDArray[np.float64],
    order: Sequence[int],
) -> list[str]:
    """Write names beside points, the first of `order` first, where they cover nothing.

    Parameters
    ----------
    axes : Axes
        With its limits.
    page : Page
    names : sequence of str, length k
    points : ndarray, shape (k, 2)
        In the data of the axes.
    order : sequence of int
        Those to be named.

    Returns
    -------
    list of str
        Those for which there was no room.
    """
    figure = axes.get_figure()
    assert figure is not None
    size = np.asarray(figure.get_size_inches())  # pyright: ignore[reportAttributeAccessIssue]
    inch = axes.transData.transform(points) / figure.dpi
    frame = np.asarray(axes.get_position().extents) * np.tile(size, 2)
    taken: list[_Box] = [_about(x, y, 0.03, 0.03) for x, y in inch.tolist()]
    left_over: list[str] = []
    for i in order:
        text = wrap(names[i], _WIDEST * page.width, size=page.small)
        wide = width_of(text, size=page.small) + _AIR
        high = inches(page.small, text.count("\n") + 1) + _AIR
        others = taken[:i] + taken[i + 1 :]
        for across, up in _AROUND:
            x = inch[i, 0] + across * (wide / 2 + _GAP)
            y = inch[i, 1] + up * (high / 2 + _GAP)
            box = _about(x, y, wide / 2, high / 2)
            if _within(box, frame) and not any(_meet(box, other) for other in others):
                anchor = inch[i, 0] + across * _GAP  # letters are a little wider on a screen
                axes.annotate(
                    text,
                    (anchor / size[0], y / size[1]),
                    xycoords="figure fraction",
                    ha=_ALIGNED[across],
                    va="center",
                    linespacing=1.1,
                    fontsize=page.small,
                    color=INK,
                )
                taken.append(box)
                break
        else:
            left_over.append(names[i])
    return left_over


def _about(x: float, y: float, wide: float, high: float) -> _Box:
    return x - wide, y - high, x + wide, y + high


def _within(box: _Box, frame: NDArray[np.float64]) -> bool:
    return bool(
        box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3]
    )


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def name_ends(
    axes: Axes,
    page: Page,
    names: Sequence[str],
    heights: Sequence[float],
    order: Sequence[int],
) -> None:
    """Write names right of the axes at the ends of lines, where they cover none before.

    Parameters
    ----------
    axes : Axes
        With its limits.
    page : Page
    names : sequence of str, length k
        Wrapped.
    heights : sequence of float, length k
        In the data of the axes.
    order : sequence of int
    """
    figure = axes.get_figure()
    assert figure is not None
    right = axes.get_xlim()[1]
    taken: list[tuple[float, float]] = []
    for i in order:
        middle = float(axes.transData.transform((right, heights[i]))[1]) / figure.dpi
        half = (inches(page.small, names[i].count("\n") + 1) + _AIR) / 2
        if all(abs(middle - other) >= half + room for other, room in taken):
            axes.annotate(
                names[i],
                (right, heights[i]),
                (3.0, 0.0),
                textcoords="offset points",
                va="center",
                linespacing=1.1,
                fontsize=page.small,
                color=INK,
                annotation_clip=False,
            )
            taken.append((middle, half))
