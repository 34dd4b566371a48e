"""Mantel–Haenszel pooling of counts, many tables at once, and Peto's estimates.

Cells are events and non-events, treatment then control, studies last: (..., k). A study of which
all cells are zero is not there.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...arguments import is_among

type Array = NDArray[np.float64]
type Cells = tuple[Array, Array, Array, Array]
type Variance = Literal["Greenland–Robins", "Greenland-Robins", "Sato"]
VARIANCES: tuple[Variance, ...] = ("Greenland–Robins", "Sato")


def variance_named(name: Variance) -> Variance:
    """Return the name as it is printed, with the dash of two authors for a hyphen."""
    return "Greenland–Robins" if is_among(name, ("Greenland-Robins",)) else name


def mantel_haenszel_rr(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array]:
    """Pooled RR and the variance of its log."""
    n1, n2, n = _sizes(a, b, c, d)
    r, s = (a * n2 / n).sum(axis=-1), (c * n1 / n).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return r / s, ((n1 * n2 * (a + c) - a * c * n) / n**2).sum(axis=-1) / (r * s)


def mantel_haenszel_or(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array]:
    """Pooled OR and the variance of its log."""
    *_, n = _sizes(a, b, c, d)
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    big_r, big_s = r.sum(axis=-1), s.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (
            (p * r).sum(axis=-1) / (2 * big_r**2)
            + (p * s + q * r).sum(axis=-1) / (2 * big_r * big_s)
            + (q * s).sum(axis=-1) / (2 * big_s**2)
        )
        return big_r / big_s, variance


def mantel_haenszel_rd(
    a: Array,
    b: Array,
    c: Array,
    d: Array,
    variance: Variance = "Greenland–Robins",
    *,
    plain: Array | None = None,
) -> tuple[Array, Array]:
    """Pooled RD and its variance; `plain` differences, (..., k), are pooled in place of the cells'.

    That is what meta does where it adds ½: to weights and variance, not to the differences.
    """
    n1, n2, n = _sizes(a, b, c, d)
    weight = (n1 * n2 / n).sum(axis=-1)
    parts = (a * n2 - c * n1) / n if plain is None else plain * n1 * n2 / n
    difference = parts.sum(axis=-1) / weight
    return difference, _VARIANCES[variance](a, b, c, d, difference) / weight**2


def _greenland_robins(a: Array, b: Array, c: Array, d: Array, _: Array) -> Array:
    n1, n2, n = _sizes(a, b, c, d)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (a * b * n2**3 + c * d * n1**3) / (n1 * n2 * n**2)
    return np.where(n1 * n2 > 0, parts, 0.0).sum(axis=-1)


def _sato(a: Array, b: Array, c: Array, d: Array, difference: Array) -> Array:
    n1, n2, n = _sizes(a, b, c, d)
    p = (n1**2 * c - n2**2 * a + n1 * n2 * (n2 - n1) / 2) / n**2
    q = (a * (n2 - c) + c * (n1 - a)) / (2 * n)
    return difference * p.sum(axis=-1) + q.sum(axis=-1)


_VARIANCES: Mapping[Variance, Callable[[Array, Array, Array, Array, Array], Array]] = {
    "Greenland–Robins": _greenland_robins,
    "Sato": _sato,
}


def mantel_haenszel_irr(a: Array, t1: Array, c: Array, t2: Array) -> tuple[Array, Array]:
    """Pooled ratio of incidence rates and the variance of its log; events and person-time."""
    t = np.where(t1 + t2 > 0, t1 + t2, 1.0)
    r, s = (a * t2 / t).sum(axis=-1), (c * t1 / t).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return r / s, (t1 * t2 * (a + c) / t**2).sum(axis=-1) / (r * s)


# Pooled measures on their natural scale, and the variance on the analysis scale.
MANTEL_HAENSZEL: Mapping[str, Callable[[Array, Array, Array, Array], tuple[Array, Array]]] = {
    "OR": mantel_haenszel_or,
    "RR": mantel_haenszel_rr,
    "RD": mantel_haenszel_rd,
    "IRR": mantel_haenszel_irr,
}


def mantel_haenszel(
    measure: str,
    cells: Cells,
    variance: Variance = "Greenland–Robins",
    *,
    plain: Array | None = None,
) -> tuple[Array, Array]:
    """Pooled estimates on the analysis scale and their variances; NaN where there are none.

    An RR of tables in which every patient has the event is exactly 1, and its variance 0.
    """
    if measure == "RD":
        with np.errstate(divide="ignore", invalid="ignore"):
            value, squared = mantel_haenszel_rd(*cells, variance, plain=plain)
        good = squared > 0
    else:
        ratio, squared = MANTEL_HAENSZEL[measure](*cells)
        good = (squared > 0) | ((squared == 0) & (measure == "RR"))
        good &= (ratio > 0) & np.isfinite(ratio) & np.isfinite(squared)
        value = np.log(np.where(good, ratio, 1.0))
    return np.where(good, value, np.nan), np.where(good, squared, np.nan)


def peto(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array, Array]:
    """Peto's log odds ratios, study by study, their variances, and a presence of 0 or 1.

    Observed minus expected events over their hypergeometric variance; a study in which nobody, or
    everybody, has the event is not there.
    """
    n1, n2, n = _sizes(a, b, c, d)
    information = n1 * n2 * (a + c) * (b + d) / (n**2 * np.maximum(n - 1, 1.0))
    there = information > 0
    v = 1 / np.where(there, information, 1.0)
    return (a - n1 * (a + c) / n) * v, v, there.astype(np.float64)


def _sizes(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array, Array]:
    n1, n2 = a + b, c + d
    return n1, n2, np.where(n1 + n2 > 0, n1 + n2, 1.0)
