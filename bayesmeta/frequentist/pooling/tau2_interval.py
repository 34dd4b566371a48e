"""Intervals for the between-study variance."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from ...arguments import is_among
from ...effects import ZeroCells
from ...errors import DataError, ModelError
from ...model import Data
from ...studies import check_prob
from ..arrays.tau2 import ESTIMATORS, Likelihood, deviance, paule_mandel, spread_of
from .one import among, as_effects, one_table

type Array = NDArray[np.float64]


def tau2_interval(
    data: Data,
    *,
    method: Literal["Q-profile", "profile likelihood"] = "Q-profile",
    likelihood: Likelihood = "REML",
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> tuple[float, float]:
    """Interval for tau², the variance of the effects between studies.

    Parameters
    ----------
    data : EffectSizes, or counts
    method : {"Q-profile", "profile likelihood"}
        The values at which the generalised Q lies between two quantiles of chi-square, or those
        whose (restricted) likelihood is not too far below the highest.
    likelihood : {"REML", "ML"}
        Which likelihood is profiled.
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level.

    Returns
    -------
    lower, upper : float
        Square roots give the interval for tau. Both are zero where the estimates agree more
        closely than chance would have it at this level (Q-profile). Where a likelihood has
        several peaks they are the outermost values that are likely enough.

    Raises
    ------
    DataError
        For fewer than two studies.

    References
    ----------
    Viechtbauer W (2007). Stat Med 26:37-52 (Q-profile). Hardy RJ, Thompson SG (1996). Stat Med
    15:619-629 (profile likelihood).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.6, -0.3], [0.2, 0.3, 0.4])
    >>> [round(end, 2) for end in bm.tau2_interval(data)]
    [0.01, 11.89]
    """
    check_prob(prob)
    among("method", method, ("Q-profile", "profile likelihood"))
    if not is_among(likelihood, ("REML", "ML")):
        raise ModelError(f"likelihood is 'REML' or 'ML', not {likelihood!r}.")
    effects = as_effects(data, measure, zero_cells)
    if effects.k < 2:
        raise DataError(
            f"An interval for tau² needs at least two studies; there is {effects.k} "
            f"({', '.join(effects.study)})."
        )
    table = one_table(effects)
    if method == "Q-profile":
        return _q_profile(*table, prob)
    return _profile_likelihood(*table, likelihood, prob)


def _q_profile(y: Array, v: Array, present: Array, prob: float) -> tuple[float, float]:
    df = y.shape[0] - 1
    levels = [np.array([chdtri(df, tail)]) for tail in ((1 - prob) / 2, (1 + prob) / 2)]
    lower, upper = (float(paule_mandel(y, v, present, level)[0]) for level in levels)
    return lower, upper


def _profile_likelihood(
    y: Array, v: Array, present: Array, kind: Likelihood, prob: float
) -> tuple[float, float]:
    from scipy.optimize import brentq

    best = float(ESTIMATORS[kind](y, v, present)[0])
    cut = float(deviance(np.array([best]), y, v, present, kind)[0]) + chdtri(1, 1 - prob)

    def over(t: float) -> float:
        return float(deviance(np.array([t]), y, v, present, kind)[0]) - cut

    first, last = (float(end[0]) for end in spread_of(y, v, present))
    last = max(last, 2 * best)
    while over(last) < 0:
        last *= 4
    grid = np.r_[0.0, np.geomspace(first, last, 400)]
    inside = np.flatnonzero([over(t) <= 0 for t in grid] | (grid == best))
    points = np.sort(np.r_[grid[inside], best])
    low, high = float(points[0]), float(points[-1])
    below, above = grid[grid < low], grid[grid > high]
    lower = brentq(over, below[-1], low, xtol=1e-300, rtol=1e-14) if below.size else 0.0  # pyright: ignore[reportArgumentType]
    return float(lower), float(brentq(over, high, above[0], xtol=1e-300, rtol=1e-14))  # pyright: ignore[reportArgumentType]
