"""Quantiles of a distribution function."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

type Array = NDArray[np.float64]
type Function = Callable[[Array], Array]

SCORES = np.linspace(-6.5, 6.5, 513)  # beyond those of the probabilities that draws begin with


def invert(
    cdf: Function,
    pdf: Function,
    q: Array,
    low: Array,
    high: Array,
    *,
    start: Array | None = None,
) -> Array:
    """Solve ``cdf(x) = q`` by Newton steps kept inside a shrinking bracket.

    All arrays have shape (n,); the root lies within [low, high], and the search begins at `start`,
    or in the middle where that is NaN. Stops when every x is settled to
    rounding, in x or in probability, or after 200 steps, when bisection alone would have got there.
    """
    low, high = low.copy(), high.copy()
    x = 0.5 * (low + high)
    if start is not None:
        x = np.where(np.isnan(start), x, np.clip(start, low, high))
    for _ in range(200):
        excess = cdf(x) - q
        low, high = np.where(excess < 0, x, low), np.where(excess < 0, high, x)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = x - excess / pdf(x)
        inside = (newton >= low) & (newton <= high)
        settled = np.abs(excess) <= 4e-16
        following = np.where(settled, x, np.where(inside, newton, 0.5 * (low + high)))
        step, x = np.abs(following - x), following
        if (step <= 4 * np.spacing(np.abs(x))).all():
            break
    return x


def tabled(quantile: Function, q: Array) -> Array:
    """Read many quantiles off a table of some: to about nine digits, for draws.

    The table is in normal scores, in which quantiles are smooth; between its places they are
    quintic splines.

    Parameters
    ----------
    quantile : callable
        Of a continuous distribution.
    q : ndarray, shape (n,)
        Between 1e-10 and 1 - 1e-10.
    """
    from scipy.interpolate import make_interp_spline

    return make_interp_spline(SCORES, quantile(ndtr(SCORES)), k=5)(ndtri(q))
