"""How each kind of row is drawn: boxes, lines, diamonds, bars."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from .._scale import Scale
from .._style import BLUE, GREEN, INK, SKY, VERMILLION

CARETLEFT, CARETRIGHT = 4, 5  # Matplotlib's markers
_BOX = (3.0, 8.5)  # points, smallest and largest side of a study's box
_DIAMOND = 0.075  # inches, half the height
_BAR = 5.0  # points


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An estimate with its interval, to be drawn; analysis scale.

    Attributes
    ----------
    kind : str
        A key of ``KINDS``.
    label : str
    estimate, lower, upper : float
    share : float
        Weight over the largest weight, for a study's box.
    x, density : tuple of float
        A density to stand on it; none by default.
    """

    kind: str
    label: str
    estimate: float
    lower: float
    upper: float
    share: float = 1.0
    x: tuple[float, ...] = ()
    density: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """The label of what is drawn, for those who look for it in the figure."""
        return f"{self.kind}: {self.label}"


def draw(axes: Axes, mark: Mark, *, y: float, scale: Scale, high: float) -> None:
    """Draw one mark at height `y`, its density `high` above (inches), if it has an estimate."""
    if np.isfinite(mark.estimate):
        if mark.x:
            _curve(axes, mark, y, scale, high)
        KINDS[mark.kind](axes, mark, y, scale)


def _curve(axes: Axes, mark: Mark, y: float, scale: Scale, high: float) -> None:
    """The density as the axis spaces it, its peak `high` above the mark."""
    placed = np.array([scale.placed(x) for x in mark.x])
    heights = np.array(mark.density) / np.gradient(placed, np.array(mark.x))
    inside = (placed >= scale.lower) & (placed <= scale.upper)
    axes.fill_between(
        [scale.at(x) for x in np.array(mark.x)[inside]],
        y,
        y - high * heights[inside] / heights.max(),
        color=SKY,
        alpha=0.5,
        linewidth=0.0,
        zorder=2,
        label=f"{mark.name}, density",
    )


def _study(axes: Axes, mark: Mark, y: float, scale: Scale) -> None:
    _interval(axes, mark, y, scale, color=INK, width=1.1)
    side = max(_BOX[0], _BOX[1] * float(np.sqrt(np.nan_to_num(mark.share, nan=0.0))))
    _point(axes, mark, y, scale, marker="s", size=side, color=INK)


def _shrunken(axes: Axes, mark: Mark, y: float, scale: Scale) -> None:
    _interval(axes, mark, y, scale, color=BLUE, width=0.9)
    _point(axes, mark, y, scale, marker="o", size=3.4, color=BLUE)


def _posterior(axes: Axes, mark: Mark, y: float, scale: Scale) -> None:
    _diamond(axes, mark, y, scale, color=BLUE, filled=True)


def _frequentist(axes: Axes, mark: Mark, y: float, scale: Scale) -> None:
    _diamond(axes, mark, y, scale, color=GREEN, filled=False)


def _prediction(axes: Axes, mark: Mark, y: float, scale: Scale) -> None:
    _interval(axes, mark, y, scale, color=SKY, width=_BAR, arrow=BLUE)
    _point(axes, mark, y, scale, marker="|", size=7.0, color=BLUE)


def _published(axes: Axes, mark: Mark, y: float, scale: Scale) -> None:
    _interval(axes, mark, y, scale, color=VERMILLION, width=1.3)
    _point(axes, mark, y, scale, marker="o", size=5.5, color=VERMILLION, filled=False)


def _scenario(axes: Axes, mark: Mark, y: float, scale: Scale) -> None:
    _interval(axes, mark, y, scale, color=BLUE, width=1.3)
    _point(axes, mark, y, scale, marker="o", size=5.0, color=BLUE)


def _difference(axes: Axes, mark: Mark, y: float, scale: Scale) -> None:
    _diamond(axes, mark, y, scale, color=VERMILLION, filled=False)


KINDS: Mapping[str, Callable[[Axes, Mark, float, Scale], None]] = {
    "study": _study,
    "shrunken": _shrunken,
    "posterior": _posterior,
    "prediction": _prediction,
    "frequentist": _frequentist,
    "published": _published,
    "scenario": _scenario,
    "coefficient": _scenario,
    "joined": _scenario,
    "without": _scenario,
    "group": _posterior,
    "difference": _difference,
}


def _interval(
    axes: Axes, mark: Mark, y: float, scale: Scale, *, color: str, width: float, arrow: str = ""
) -> None:
    ends = [scale.at(mark.lower), scale.at(mark.upper)]
    line = Line2D(ends, [y, y], color=color, linewidth=width, solid_capstyle="butt", zorder=3)
    line.set_label(mark.name)
    axes.add_line(line)
    _arrows(axes, mark, y, scale, color=arrow or color)


def _point(
    axes: Axes,
    mark: Mark,
    y: float,
    scale: Scale,
    *,
    marker: str,
    size: float,
    color: str,
    filled: bool = True,
) -> None:
    if not scale.holds(mark.estimate):
        return
    axes.add_line(
        Line2D(
            [scale.at(mark.estimate)],
            [y],
            linestyle="none",
            marker=marker,
            markersize=size,
            markeredgewidth=0.0 if filled and marker != "|" else 1.4,
            markeredgecolor=color,
            markerfacecolor=color if filled else "white",
            label=f"{mark.name}, estimate",
            zorder=4,
        )
    )


def _diamond(axes: Axes, mark: Mark, y: float, scale: Scale, *, color: str, filled: bool) -> None:
    left, middle, right = (scale.beyond(v) for v in (mark.lower, mark.estimate, mark.upper))
    axes.add_patch(
        Polygon(
            [(left, y), (middle, y - _DIAMOND), (right, y), (middle, y + _DIAMOND)],
            closed=True,
            facecolor=color if filled else "white",
            edgecolor=color,
            linewidth=1.2,
            joinstyle="miter",
            label=mark.name,
            zorder=3,
        )
    )
    _arrows(axes, mark, y, scale, color=INK if filled else color)


def _arrows(axes: Axes, mark: Mark, y: float, scale: Scale, *, color: str) -> None:
    """Say that an interval goes on beyond the axis."""
    if scale.placed(mark.lower) < scale.lower:
        _arrow(axes, scale.ends[0], y, CARETLEFT, color, f"{mark.name}, beyond lower")
    if scale.placed(mark.upper) > scale.upper:
        _arrow(axes, scale.ends[1], y, CARETRIGHT, color, f"{mark.name}, beyond upper")


def _arrow(axes: Axes, x: float, y: float, caret: Literal[4, 5], color: str, name: str) -> None:
    """Draw a caret with its tip at (x, y)."""
    axes.add_line(
        Line2D(
            [x],
            [y],
            linestyle="none",
            marker=caret,
            markersize=5.0,
            color=color,
            clip_on=False,
            label=name,
            zorder=4,
        )
    )
