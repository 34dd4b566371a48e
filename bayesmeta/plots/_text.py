"""Text: cleaned, measured, wrapped; numbers as a paper prints them."""

from collections.abc import Callable, Iterable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from ._style import FAMILY, INK, LEADING, TEXT

type Show = Callable[[float], str]


def clean(text: object) -> str:
    """Make one line of anything: control characters would break an SVG."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def width_of(text: str, *, size: float = TEXT, weight: str = "normal") -> float:
    """Width of the longest line, in inches."""
    font = FontProperties(family=FAMILY, size=size, weight=weight)
    return max(
        text_to_path.get_text_width_height_descent(line, font, ismath=False)[0] / 72
        for line in text.split("\n")
    )


def wrap(text: str, width: float, *, size: float = TEXT, weight: str = "normal") -> str:
    """Break a text into lines no wider than `width` inches, between words where it can."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        for piece in _pieces(word, width, size, weight):
            joined = f"{line} {piece}".strip()
            if line and width_of(joined, size=size, weight=weight) > width:
                lines.append(line)
                joined = piece
            line = joined
    return "\n".join([*lines, line])


def _pieces(word: str, width: float, size: float, weight: str) -> list[str]:
    """A word, cut where it alone is too wide."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and width_of(pieces[-1] + letter, size=size, weight=weight) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def write(
    figure: Figure,
    left: float,
    top: float,
    text: str,
    *,
    align: str = "left",
    size: float = TEXT,
    weight: str = "normal",
    color: str = INK,
    middle: bool = True,
) -> None:
    """Put a text at a place in inches from the upper left; its middle or its top at `top`."""
    wide, high = figure.get_size_inches()
    figure.text(
        left / wide,
        1 - top / high,
        text,
        ha=align,  # pyright: ignore[reportArgumentType]
        va="center" if middle else "top",
        fontsize=size,
        fontweight=weight,
        color=color,
        linespacing=LEADING,
        parse_math=False,
    )


def ratio_text(value: float) -> str:
    """Show a ratio with two decimals, or as many as its size deserves."""
    if value >= 1000:
        return ">1000"
    if value < 0.001:
        return "<0.001"
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2 if value >= 0.095 else 3
    return f"{value:.{digits}f}"


def number_texts(halves: Iterable[float]) -> Show:
    """Choose decimals for differences, so that half an interval shows two figures.

    Parameters
    ----------
    halves : iterable of float
        Half the widths of the intervals to show.
    """
    known = [half for half in halves if np.isfinite(half) and half > 0]
    typical = float(np.median(known)) if known else 1.0
    digits = int(np.clip(1 - np.floor(np.log10(typical)), 0, 4))
    return lambda value: minus(f"{value:.{digits}f}")


def minus(text: str) -> str:
    """Print a minus as a minus, and no minus before zero."""
    signed = text.startswith("-") and any(digit in text for digit in "123456789")
    return f"−{text[1:]}" if signed else text.removeprefix("-")


def interval_text(estimate: float, lower: float, upper: float, show: Show) -> str:
    """Show an estimate and its interval: ``0.76 [0.60, 0.96]``."""
    return f"{show(estimate)} [{show(lower)}, {show(upper)}]"


def p_text(p: float) -> str:
    """Show a probability with two figures, never as 0 or 1."""
    if not np.isfinite(p):
        return "p not defined"
    if p < 0.001:
        return "p < 0.001"
    if p > 0.999:
        return "p > 0.999"
    return f"p = {p:.3f}" if min(p, 1 - p) < 0.01 else f"p = {p:.2f}"
