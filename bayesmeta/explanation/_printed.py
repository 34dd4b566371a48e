"""Figures as they were printed, and how far ours are from them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..effects import Measure
from ..studies import Published, decimals_of
from ._walk import FIGURES

type Array = NDArray[np.float64]
type Target = Mapping[str, tuple[float, float]]  # value and unit of the last digit, by figure

HALF = 0.5 + 1e-9  # of the last printed unit
NONE = np.iinfo(np.int64).min  # where a figure does not exist


def printed(published: Published) -> Target:
    """Value and unit of the last digit of every printed figure, by name."""
    texts = {name: getattr(published, name) for name in FIGURES}
    return {name: (float(text), 10.0 ** -decimals_of(text)) for name, text in texts.items() if text}


def as_printed(name: str, values: Array, measure: Measure) -> Array:
    """Figures on the scale they are printed on."""
    return measure.natural(values) if name in ("estimate", "lower", "upper") else values


def misses(figures: Mapping[str, Array], target: Target, measure: Measure) -> Array:
    """Distance of every figure from the printed one in units of its last digit, (figures, n)."""
    return np.stack(
        [
            np.abs(as_printed(name, figures[name], measure) - value) / unit
            for name, (value, unit) in target.items()
        ]
    )


def rounded(figures: Mapping[str, Array], target: Target, measure: Measure) -> NDArray[np.int64]:
    """Figures as whole numbers of their last printed unit, (n, figures)."""
    columns = [
        as_printed(name, figures[name], measure) / unit for name, (_, unit) in target.items()
    ]
    found = np.stack(columns, axis=1)
    usable = np.isfinite(found) & (np.abs(found) < 1e15)
    return np.where(usable, np.rint(np.where(usable, found, 0.0)), NONE).astype(np.int64)
