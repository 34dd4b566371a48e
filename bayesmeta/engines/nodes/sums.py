"""Sums of independent numbers whose posteriors are known."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from ...errors import ModelError
from ...posterior import GridDensity, Marginal
from ...ways import way

type Array = NDArray[np.float64]

OUTSIDE = 1e-10  # probability of either tail that a sum of independent numbers passes over
FINE, COARSE = 24.0, 4.0  # points in the narrowest standard deviation: sought, and at least
MOST_POINTS = 2**17
NODES = 4001  # of a spline of a density


def weighted_sum(terms: Sequence[tuple[float, Marginal]]) -> GridDensity:
    """A weighted sum of independent numbers, by convolution on one grid.

    Raises
    ------
    ModelError
        If tails are so heavy that no grid holds them and resolves the rest.
    """
    from scipy.signal import fftconvolve  # as long to load as all the rest

    ends = [
        sorted(weight * np.asarray(one.quantile([OUTSIDE, 1 - OUTSIDE]))) for weight, one in terms
    ]
    middle = [np.ptp(weight * np.asarray(one.quantile([0.16, 0.84]))) / 2 for weight, one in terms]
    step = max(min(middle) / FINE, sum(high - low for low, high in ends) / MOST_POINTS)
    if step > min(middle) / COARSE:
        raise ModelError(
            "A sum of numbers with such heavy tails is none that this engine can integrate; use "
            f"{way('nuts')}."
        )
    density, first = np.ones(1), 0.0
    for (weight, one), (low, high) in zip(terms, ends, strict=True):
        x = low + step * np.arange(int((high - low) / step) + 2)
        density = np.maximum(fftconvolve(density, _density(one, x / weight)), 0.0)
        first += low
    x = first + step * np.arange(density.size, dtype=np.float64)
    return GridDensity.of(x, density, moments=min(moments_of(one) for _, one in terms))


def _density(one: Marginal, x: Array) -> Array:
    """A smooth density at many points, by a spline over nodes that are dense where it is high."""
    low, middle, high = np.asarray(one.quantile([0.16, 0.5, 0.84]))
    unit = (high - low) / 2
    low, high = np.arcsinh((np.array([x.min(), x.max()]) - middle) / unit)
    u = np.linspace(low, high, NODES)
    known = CubicSpline(u, one.pdf(middle + unit * np.sinh(u)))
    return np.maximum(known(np.arcsinh((x - middle) / unit)), 0.0)


def moments_of(one: Marginal) -> int:
    """How many moments it has: 0, 1, or 2 for two or more."""
    return 2 if np.isfinite(one.sd()) else int(np.isfinite(one.mean()))
