"""Estimates and standard errors from printed intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..errors import DataError
from ..studies import Problems, Published, check_prob, decimals_of
from ._measures import Measure, measure_named

LIMITS = ("estimate", "lower", "upper")
_PLAIN = (("estimate", 0.5), ("lower", 0.25), ("upper", 0.75))  # where there is nothing to read
RATIOS = "Give ratios as ratios, not as logarithms."
_LEAST = float(np.finfo(float).tiny)
_ENDS = {"log": (_LEAST, np.inf), "logit": (_LEAST, 1 - float(np.finfo(float).epsneg))}
_WANTED = {
    "log": ("positive, ", f" {RATIOS}"),
    "logit": (
        "between 0 and 1, ",
        " Give 0.885 for 88.5%, and proportions as proportions, not as logits.",
    ),
}
_EXACT = {"logit": " on the logit scale, as an exact one is not: give events and n instead"}


def printed_values(published: Published) -> NDArray[np.float64]:
    """Estimate, lower and upper of a published figure on the analysis scale, shape (3,)."""
    measure = measure_named(published.measure)
    values = np.array([float(t) for t in (published.estimate, published.lower, published.upper)])
    if measure.log and (values < 0).any():
        digits = max(published.decimals, 2)
        estimate, lower, upper = (f"{one:.{digits}f}" for one in measure.natural(values))
        raise DataError(
            f"The published figure {published} is {measure.a_words} below zero: is this its "
            f"logarithm? Then write '{measure.name} {estimate} [{lower}, {upper}]'."
        )
    if measure.log and (values == 0).any():
        raise DataError(
            f"The published figure {published} is a ratio and must be above zero throughout; "
            "give more decimals than 0.00."
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


def from_natural(
    estimate: NDArray[np.float64], measure: Measure, problems: Problems
) -> NDArray[np.float64]:
    """Estimates on the analysis scale; NaN where, which is noted, there is none."""
    missing = ~np.isfinite(estimate)
    below = np.zeros_like(missing) if not measure.log else estimate <= 0
    outside = ~_inside(estimate) if measure.link == "logit" else np.zeros_like(missing)
    problems.refuse(
        missing,
        "estimate is missing or not finite for {rows}; give it, or {out}.",
        "estimate",
    )
    problems.refuse(
        below,
        f"estimate of {measure.a_words} must be above zero; check {{rows}}. {RATIOS}",
        "estimate",
    )
    problems.refuse(
        outside & ~missing,
        "estimate of a proportion must lie between 0 and 1; check {rows}.",
        "estimate",
    )
    below |= outside
    problems.mark(problems.known("estimate"), "y")
    usable = np.where(missing | below, 0.5, estimate)
    return np.where(missing | below, np.nan, measure.analysed(usable))


def from_intervals(
    study: Sequence[str],
    texts: Sequence[Sequence[str]],
    values: Mapping[str, NDArray[np.float64]],
    measure: Measure,
    prob: float,
    *,
    rows: NDArray[np.bool_] | None = None,
    quantile: NDArray[np.float64] | None = None,
    problems: Problems | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimates and standard errors from printed intervals, checked for symmetry.

    Only `rows` are looked at, and all where it is not given; `quantile` is that of (1 + prob) / 2,
    the normal one where it is not given. With `problems` what is wrong is noted there, and y and
    se are NaN; else it is refused.
    """
    check_prob(prob, of_table=True)
    noted = Problems(study) if problems is None else problems
    rows = np.ones(len(study), bool) if rows is None else rows
    bad = rows & _out_of_order(values, measure)
    wanted, how = _WANTED.get(measure.link, ("", ""))
    noted.refuse(
        bad,
        f"estimate, lower and upper must be {wanted}finite and in order; check {{rows}}, or "
        f"{{out}}.{how}",
        *LIMITS,
    )
    estimate, lower, upper = (np.where(rows & ~bad, values[name], one) for name, one in _PLAIN)
    decimals = np.max([[_decimals(t) for t in column] for column in texts], axis=0)
    scale = measure.analysed
    middle = measure.natural((scale(lower) + scale(upper)) / 2)
    skewed = rows & ~bad & _skewed((estimate, lower, upper), decimals, measure)
    for i in np.flatnonzero(skewed)[:1]:
        noted.refuse(
            skewed,
            f"The interval of {{rows}} is not symmetric about its estimate: {estimate[i]:g} "
            f"against a midpoint of {middle[i]:.4g} for [{lower[i]:g}, {upper[i]:g}], more than "
            "rounding allows. Check for a typing error, the measure, or an interval that is not "
            f"estimate ± z × SE{_EXACT.get(measure.link, '')}, or {{out}}.",
            *LIMITS,
        )
    if problems is None:
        noted.raise_any()
    wrong = bad | skewed
    noted.mark(wrong, "y", "se")
    width = 2 * (ndtri((1 + prob) / 2) if quantile is None else quantile)
    se = (scale(upper) - scale(lower)) / width
    return np.where(wrong, np.nan, scale(estimate)), np.where(wrong, np.nan, se)


def _out_of_order(values: Mapping[str, NDArray[np.float64]], measure: Measure) -> NDArray[np.bool_]:
    estimate, lower, upper = (values[name] for name in LIMITS)
    finite = np.isfinite(estimate) & np.isfinite(lower) & np.isfinite(upper)
    bad = ~finite | (lower >= upper) | (measure.log & (np.fmin(lower, estimate) <= 0))
    return bad | ~(_inside(lower) & _inside(upper)) if measure.link == "logit" else bad


def _skewed(
    figures: Sequence[NDArray[np.float64]], decimals: NDArray[np.int64], measure: Measure
) -> NDArray[np.bool_]:
    """Where an estimate lies off the middle of its interval by more than rounding."""
    half = 0.5 * 10.0**-decimals * (1 + 1e-9)
    scale = measure.analysed
    floor, ceiling = _ENDS.get(measure.link, (-np.inf, np.inf))
    down = [scale(np.maximum(v - half, floor)) for v in figures]
    up = [scale(np.minimum(v + half, ceiling)) for v in figures]
    return ((down[1] + down[2]) / 2 > up[0]) | ((up[1] + up[2]) / 2 < down[0])


def _decimals(text: str) -> int:
    """Decimals of a figure; a float read from a table carries them in its shortest form."""
    return min(decimals_of(text), 15)
