"""Figures as they were printed, and how far ours are from them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..effects import Measure
from ..studies import Published, decimals_of
from ._walk import FIGURES

type Array = NDArray[np.float64]

HALF = 0.5 + 1e-9  # of the last printed unit


def printed(published: Published) -> Mapping[str, tuple[float, float]]:
    """Value and unit of the last digit of every printed figure, by name."""
    texts = {name: getattr(published, name) for name in FIGURES}
    return {name: (float(text), 10.0 ** -decimals_of(text)) for name, text in texts.items() if text}


def as_printed(name: str, values: Array, measure: Measure) -> Array:
    """Figures on the scale they are printed on."""
    return measure.natural(values) if name in ("estimate", "lower", "upper") else values


def misses(
    figures: Mapping[str, Array], target: Mapping[str, tuple[float, float]], measure: Measure
) -> Array:
    """Distance of every figure from the printed one in units of its last digit, (figures, n)."""
    return np.stack(
        [
            np.abs(as_printed(name, figures[name], measure) - value) / unit
            for name, (value, unit) in target.items()
        ]
    )
