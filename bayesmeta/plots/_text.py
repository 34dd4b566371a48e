"""Text: cleaned, measured, wrapped; numbers as a paper prints them."""

from collections.abc import Callable, Iterable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from ..effects import Measure
from ._style import FAMILY, INK, TEXT, inches

type Show = Callable[[float], str]

_RISE = 0.36  # half the height of a capital over the font size


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
    return "\n".join(_wrapped(part, width, size, weight) for part in text.split("\n"))


def _wrapped(text: str, width: float, size: float, weight: str) -> str:
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
    """Cut a word where it alone is too wide."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and width_of(pieces[-1] + letter, size=size, weight=weight) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def write(
    figure: Figure,
    left: float,
    middle: float,
    text: str,
    *,
    align: str = "left",
    size: float = TEXT,
    weight: str = "normal",
    color: str = INK,
) -> None:
    """Put a text at a place in inches from the upper left, line by line on even baselines."""
    wide, high = figure.get_size_inches()
    lines = text.split("\n")
    for i, line in enumerate(lines):
        baseline = middle + inches(size) * (i - (len(lines) - 1) / 2) + _RISE * size / 72
        figure.text(
            left / wide,
            1 - baseline / high,
            line,
            ha=align,  # pyright: ignore[reportArgumentType]
            va="baseline",
            fontsize=size,
            fontweight=weight,
            color=color,
        )


def ratio_text(value: float) -> str:
    """Show a ratio with two decimals, or as many as its size deserves."""
    if value >= 1000:
        return ">1000"
    if value < 0.0005:
        return "<0.001"
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2 if value >= 0.0095 else 3
    return f"{value:.{digits}f}"


def show_for(measure: Measure, halves: Iterable[float]) -> Show:
    """Choose how values of the analysis scale are printed.

    Parameters
    ----------
    measure : Measure
        Ratios are printed as ratios.
    halves : iterable of float
        Half the widths of the intervals to print: the narrowest difference shows two figures.
    """
    if measure.log:
        return lambda value: ratio_text(float(measure.natural(min(value, 700.0))))
    return difference_show(halves)


def difference_show(halves: Iterable[float]) -> Show:
    """Choose decimals by the narrowest interval, given half the widths of all."""
    narrowest = min((half for half in halves if np.isfinite(half) and half > 0), default=1.0)
    digits = int(np.clip(1 - np.floor(np.log10(narrowest)), 0, 4))
    return lambda value: minus(f"{value:.{digits}f}")


def minus(text: str) -> str:
    """Print a minus as a minus, and no minus before zero."""
    signed = text.startswith("-") and any(digit in text for digit in "123456789")
    return f"−{text[1:]}" if signed else text.removeprefix("-")


def interval_text(estimate: float, lower: float, upper: float, show: Show) -> str:
    """Show an estimate and its interval: ``0.76 [0.60, 0.96]``."""
    if not np.isfinite(estimate):
        return "no estimate of its own"
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
