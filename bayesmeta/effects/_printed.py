"""Estimates and standard errors from printed intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..errors import DataError
from ..studies import Published, check_prob, decimals_of, name_rows
from ._measures import Measure, measure_named


def printed_values(published: Published) -> NDArray[np.float64]:
    """Estimate, lower and upper of a published figure on the analysis scale, shape (3,)."""
    measure = measure_named(published.measure)
    values = np.array([float(t) for t in (published.estimate, published.lower, published.upper)])
    if measure.log and (values <= 0).any():
        raise DataError(
            f"The published figure {published} is a ratio and must be above zero throughout; "
            "give more decimals than 0.00, or a ratio rather than its logarithm."
        )
    return np.log(values) if measure.log else values


def from_intervals(
    study: Sequence[str],
    texts: Sequence[Sequence[str]],
    values: Mapping[str, NDArray[np.float64]],
    measure: Measure,
    prob: float,
    *,
    rows: NDArray[np.bool_] | None = None,
    quantile: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimates and standard errors from printed intervals, checked for symmetry.

    Only `rows` are looked at, and all where it is not given; `quantile` is that of (1 + prob) / 2,
    the normal one where it is not given.
    """
    check_prob(prob)
    rows = np.ones(len(study), bool) if rows is None else rows
    estimate, lower, upper = (
        np.where(rows, values[name], 1.0) for name in ("estimate", "lower", "upper")
    )
    finite = np.isfinite(estimate) & np.isfinite(lower) & np.isfinite(upper)
    bad = ~finite | (lower >= upper) | (measure.log & (np.minimum(lower, estimate) <= 0))
    bad &= rows
    if bad.any():
        positive = "positive, " if measure.log else ""
        raise DataError(
            f"estimate, lower and upper must be {positive}finite and in order; "
            f"check {name_rows(study, bad)}. Give ratios as ratios, not as logarithms."
        )
    decimals = np.max([[_decimals(t) for t in column] for column in texts], axis=0)
    half = 0.5 * 10.0**-decimals * (1 + 1e-9)
    scale = np.log if measure.log else np.asarray
    floor = np.finfo(float).tiny if measure.log else -np.inf
    down = [scale(np.maximum(v - half, floor)) for v in (estimate, lower, upper)]
    up = [scale(v + half) for v in (estimate, lower, upper)]
    middle_low, middle_high = (down[1] + down[2]) / 2, (up[1] + up[2]) / 2
    skewed = rows & ((middle_low > up[0]) | (middle_high < down[0]))
    if skewed.any():
        i = int(np.flatnonzero(skewed)[0])
        middle = measure.natural((scale(lower) + scale(upper)) / 2)
        raise DataError(
            f"The interval of {name_rows(study, skewed)} is not symmetric about its estimate: "
            f"{estimate[i]:g} against a midpoint of {middle[i]:.4g} for [{lower[i]:g}, "
            f"{upper[i]:g}], more than rounding allows. Check for a typing error, the measure, or "
            "an interval that is not estimate ± z × SE."
        )
    width = 2 * (ndtri((1 + prob) / 2) if quantile is None else quantile)
    se = (scale(upper) - scale(lower)) / width
    return scale(estimate), se


def _decimals(text: str) -> int:
    """Decimals of a figure; a float read from a table carries them in its shortest form."""
    return min(decimals_of(text), 15)
