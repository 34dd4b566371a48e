"""Text: cleaned, measured, wrapped; numbers as a paper prints them."""

from collections.abc import Iterable
from functools import cache, lru_cache

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

from ..effects import Measure
from ..results.display import natural_interval
from ._style import FAMILY, INK, TEXT, inches

BOX = "□"
_RISE = 0.36  # half the height of a capital over the font size


def clean(text: object) -> str:
    """Make one line of anything: control characters would break an SVG.

    Letters that the font lacks are boxes, which `letters_missing` names.
    """
    plain = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return "".join(c if ord(c) in _letters() else BOX for c in plain)


def letters_missing(texts: Iterable[str]) -> tuple[str, ...]:
    """Name the letters of some texts that figures show as boxes, each once.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    tuple of str
    """
    letters = dict.fromkeys(c for text in texts for c in str(text) if c.isprintable())
    return tuple(c for c in letters if ord(c) not in _letters())


@cache
def _letters() -> frozenset[int]:
    """What the font has in both weights."""
    each = [FontProperties(family=FAMILY, weight=one) for one in ("normal", "bold")]
    return frozenset.intersection(
        *(frozenset(get_font(findfont(one)).get_charmap()) for one in each)
    )


@lru_cache(maxsize=4096)
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
    if width_of(word, size=size, weight=weight) <= width:
        return [word]
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


def interval_text(estimate: float, lower: float, upper: float, measure: Measure) -> str:
    """Show an estimate and its interval on the natural scale: ``0.76 [0.60, 0.96]``."""
    with np.errstate(over="ignore"):
        middle, left, right = map(float, measure.natural([estimate, lower, upper]))
    return natural_interval((middle, left, right), measure)


def p_text(p: float) -> str:
    """Show a predictive p, never as 0 or 1."""
    if not np.isfinite(p):
        return "predictive p not defined"
    if p < 0.001:
        return "predictive p < 0.001"
    if p > 0.999:
        return "predictive p > 0.999"
    return f"predictive p = {p:.{3 if min(p, 1 - p) < 0.01 else 2}f}"
