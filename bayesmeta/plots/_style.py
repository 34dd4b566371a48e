"""The house style: colours, sizes, and blank figures measured in inches."""

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

FAMILY = "DejaVu Sans"  # Matplotlib's own, so the same everywhere
TEXT, SMALL, TITLE = 9.0, 8.0, 10.5  # points
LEADING = 1.3  # line distance over font size

INK, MUTED, FAINT = "#222222", "#666666", "#cccccc"
# Okabe & Ito (2008), Color Universal Design
BLUE, SKY, GREEN, VERMILLION = "#0072b2", "#56b4e9", "#009e73", "#d55e00"

STYLE = {
    "font.family": FAMILY,
    "font.size": TEXT,
    "text.color": INK,
    "text.parse_math": False,  # a study may be called "$A$"
    "axes.unicode_minus": True,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": SMALL,
    "axes.linewidth": 0.8,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": TEXT,
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "legend.borderpad": 0.0,
    "legend.borderaxespad": 0.0,
    "svg.fonttype": "path",
    "svg.hashsalt": "bayesmeta",
}


@contextmanager
def house() -> Iterator[None]:
    """Draw in the house style, whatever the user's settings; they come back afterwards."""
    with matplotlib.style.context(["default", STYLE]):
        yield


def blank(width: float, height: float) -> Figure:
    """Make an empty white figure, in inches."""
    return Figure(figsize=(width, height), dpi=100, facecolor="white")


def panel(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at a place given in inches from the figure's upper left corner."""
    wide, high = figure.get_size_inches()
    axes = figure.add_axes((left / wide, 1 - (top + height) / high, width / wide, height / high))
    axes.set_yticks([])
    return axes


def inches(points: float, lines: int = 1) -> float:
    """Height of so many lines of text at a font size."""
    return lines * points * LEADING / 72
