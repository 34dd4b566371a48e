"""Estimates and standard errors from printed intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..errors import DataError
from ..studies import Published, check_prob, decimals_of, name_rows
from ._measures import Measure, measure_named

_LEAST = float(np.finfo(float).tiny)
_ENDS = {"log": (_LEAST, np.inf), "logit": (_LEAST, 1 - float(np.finfo(float).epsneg))}
_AS_RATIOS = "Give ratios as ratios, not as logarithms."
_WANTED = {
    "log": ("positive, ", _AS_RATIOS),
    "logit": (
        "between 0 and 1, ",
        "Give 0.885 for 88.5%, and proportions as proportions, not as logits.",
    ),
}
_EXACT = {"logit": " on the logit scale, as an exact one is not: give events and n instead"}


def printed_values(published: Published) -> NDArray[np.float64]:
    """Estimate, lower and upper of a published figure on the analysis scale, shape (3,)."""
    measure = measure_named(published.measure)
    values = np.array([float(t) for t in (published.estimate, published.lower, published.upper)])
    if measure.log and (values <= 0).any():
        raise DataError(
            f"The published figure {published} is a ratio and must be above zero throughout; "
            "give more decimals than 0.00, or a ratio rather than its logarithm."
        )
    if measure.link == "logit" and not _inside(values).all():
        raise DataError(
            f"The published figure {published} is a proportion and must lie between 0 and 1; give "
            "0.885 for 88.5%, more decimals than 0.00 or 1.00, and a proportion rather than its "
            "logit."
        )
    return measure.analysed(values)


def _inside(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Proportions that have a logit."""
    return (values > 0) & (values < 1)


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
    if measure.link == "logit":
        bad |= ~(_inside(lower) & _inside(upper))
    bad &= rows
    if bad.any():
        where, how = _WANTED.get(measure.link, ("", _AS_RATIOS))
        raise DataError(
            f"estimate, lower and upper must be {where}finite and in order; "
            f"check {name_rows(study, bad)}. {how}"
        )
    decimals = np.max([[_decimals(t) for t in column] for column in texts], axis=0)
    half = 0.5 * 10.0**-decimals * (1 + 1e-9)
    scale = measure.analysed
    floor, ceiling = _ENDS.get(measure.link, (-np.inf, np.inf))
    down = [scale(np.maximum(v - half, floor)) for v in (estimate, lower, upper)]
    up = [scale(np.minimum(v + half, ceiling)) for v in (estimate, lower, upper)]
    middle_low, middle_high = (down[1] + down[2]) / 2, (up[1] + up[2]) / 2
    skewed = rows & ((middle_low > up[0]) | (middle_high < down[0]))
    if skewed.any():
        i = int(np.flatnonzero(skewed)[0])
        middle = measure.natural((scale(lower) + scale(upper)) / 2)
        raise DataError(
            f"The interval of {name_rows(study, skewed)} is not symmetric about its estimate: "
            f"{estimate[i]:g} against a midpoint of {middle[i]:.4g} for [{lower[i]:g}, "
            f"{upper[i]:g}], more than rounding allows. Check for a typing error, the measure, or "
            f"an interval that is not estimate ± z × SE{_EXACT.get(measure.link, '')}."
        )
    width = 2 * (ndtri((1 + prob) / 2) if quantile is None else quantile)
    se = (scale(upper) - scale(lower)) / width
    return scale(estimate), se


def _decimals(text: str) -> int:
    """Decimals of a figure; a float read from a table carries them in its shortest form."""
    return min(decimals_of(text), 15)
