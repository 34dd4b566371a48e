"""The house style: colours, sizes, and blank figures measured in inches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..arguments import number
from ..errors import ModelError
from ..ways import shown

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
    "pdf.fonttype": 42,  # embedded as TrueType, which journals take
    "svg.hashsalt": "bayesmeta",
}


@final
@dataclass(frozen=True, slots=True)
class Page:
    """How wide a figure is (inches), and how large its letters are (points)."""

    width: float
    text: float = TEXT
    small: float = SMALL
    title: float = TITLE

    @property
    def narrow(self) -> bool:
        """Whether it is one column of a journal, or little more."""
        return self.width < _NARROW / INCH

    @property
    def style(self) -> dict[str, float]:
        """Sizes of letters, as Matplotlib names them."""
        small = ("axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")
        return {
            "font.size": self.text,
            "axes.titlesize": self.text,
            **dict.fromkeys(small, self.small),
        }


SCREEN = Page(8.75)  # 840 px in a browser
INCH = 25.4  # mm
COLUMNS = 174.0  # mm: two columns of a journal
_LEAST, _NARROW, _WIDE, _MOST = 70.0, 130.0, 200.0, 400.0  # mm
_LETTERS = ((_NARROW, (7.0, 6.5, 8.0)), (_WIDE, (8.0, 7.0, 9.5)))


def page(width: float | None) -> Page:
    """A page of so many mm; None is one for a screen.

    Raises
    ------
    ModelError
        If it is no width that holds a figure.
    """
    if width is None:
        return SCREEN
    found = number(width, "width")
    if not _LEAST <= found <= _MOST:
        raise ModelError(
            f"width is in mm, {_LEAST:g} to {_MOST:g} (85, 114 or 174 for a journal), not "
            f"{shown(width)}."
        )
    sizes = next((sizes for end, sizes in _LETTERS if found < end), (TEXT, SMALL, TITLE))
    return Page(found / INCH, *sizes)


@contextmanager
def house(of: Page = SCREEN) -> Iterator[None]:
    """Draw in the house style, whatever the user's settings; they come back afterwards."""
    with matplotlib.style.context(["default", {**STYLE, **of.style}]):
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
