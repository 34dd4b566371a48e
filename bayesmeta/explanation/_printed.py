"""Figures as they were printed, and how far ours are from them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..effects import Measure
from ..studies import Published, decimals_of

type Array = NDArray[np.float64]
type Target = Mapping[str, "Figure"]  # by name

FIGURES = ("estimate", "lower", "upper", "p", "p_heterogeneity", "i2")
NAMES = {"estimate": "estimate", "lower": "lower limit", "upper": "upper limit"}
BESIDE = {"p": "p", "p_heterogeneity": "heterogeneity p", "i2": "I²"}
HALF = 0.5 + 1e-9  # of the last printed unit
NONE = np.iinfo(np.int64).min  # where a figure does not exist


class Figure(NamedTuple):
    """A printed figure: its value, the unit of its last digit, and whether it is an upper bound."""

    value: float
    unit: float
    bound: bool

    def miss(self, ours: Array) -> Array:
        """Distance in units of the last digit."""
        far = (ours - self.value) / self.unit
        return np.where(far < 0, 0.0, 1 + far) if self.bound else np.abs(far)

    def rounded(self, ours: Array) -> Array:
        """In whole units of the last digit; 0 below a bound and 1 above."""
        return np.where(ours < self.value, 0.0, 1.0) if self.bound else np.rint(ours / self.unit)


def printed(published: Published) -> Target:
    """Every printed figure, by name."""
    texts = {name: getattr(published, name).strip() for name in FIGURES}
    return {
        name: Figure(float(text.lstrip("<")), 10.0 ** -decimals_of(text), text.startswith("<"))
        for name, text in texts.items()
        if text
    }


def as_printed(name: str, values: Array, measure: Measure) -> Array:
    """Figures on the scale they are printed on."""
    return measure.natural(values) if name in ("estimate", "lower", "upper") else values


def farthest(figures: Mapping[str, float], target: Target) -> str:
    """Which printed figure is missed most; `figures` are on the scale they are printed on."""
    return max(target, key=lambda name: float(target[name].miss(np.array(figures[name]))))


def in_words(figures: Mapping[str, float], published: Published) -> str:
    """Write figures like the printed ones, each with one digit more: ``0.772 [0.607, 0.982]``."""
    digits = published.decimals + 1
    estimate, lower, upper = (f"{figures[name]:.{digits}f}" for name in FIGURES[:3])
    said = [f"{estimate} [{lower}, {upper}]"]
    for name, figure in printed(published).items():
        if name in BESIDE and name in figures:
            more = round(-np.log10(figure.unit)) + 1
            unit = "%" if name == "i2" else ""
            said.append(f"{BESIDE[name]} {figures[name]:.{more}f}{unit}")
    return ", ".join(said)


def misses(figures: Mapping[str, Array], target: Target, measure: Measure) -> Array:
    """Distance of every figure from the printed one in units of its last digit, (figures, n)."""
    return np.stack(
        [figure.miss(as_printed(name, figures[name], measure)) for name, figure in target.items()]
    )


def rounded(figures: Mapping[str, Array], target: Target, measure: Measure) -> NDArray[np.int64]:
    """Figures as whole numbers of their last printed unit, (n, figures)."""
    columns = []
    for name, figure in target.items():
        ours = as_printed(name, figures[name], measure)
        usable = np.isfinite(ours) & (np.abs(ours) < 1e15 * figure.unit)
        columns.append(np.where(usable, figure.rounded(np.where(usable, ours, 0.0)), NONE))
    return np.stack(columns, axis=1).astype(np.int64)
