"""Many tables, pooled in one call."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from ...arguments import floats
from ...errors import DataError, ModelError
from ...studies import check_prob
from ...ways import shown
from ..arrays.inverse_variance import pool_random
from ..arrays.tau2 import Tau2
from ..fit import IntervalName, two_sided_p
from .words import estimator_named, interval_named

type Array = NDArray[np.float64]


def random_effects_many(
    y: NDArray[np.float64],
    se: NDArray[np.float64],
    *,
    tau2: Tau2 = "REML",
    interval: IntervalName = "HKSJ",
    prob: float = 0.95,
) -> Mapping[str, NDArray[np.float64]]:
    """Pool many tables at once, one row each.

    Parameters
    ----------
    y, se : ndarray, shape (n, k)
        Estimates and standard errors; NaN in both where a table has fewer than k studies.
    tau2, interval, prob
        As for :func:`random_effects`.

    Returns
    -------
    mapping of str to ndarray, shape (n,)
        ``k``, ``estimate``, ``se``, ``lower``, ``upper``, ``p``, ``tau2``, ``q``, ``q_p``, ``i2``,
        ``i2_q``.

    Raises
    ------
    DataError
        If shapes differ, a number is not finite where the other is, a standard error is not
        positive, or a table has fewer than two studies; rows are counted from 0.

    Examples
    --------
    >>> import numpy as np
    >>> import bayesmeta as bm
    >>> y = np.array([[-0.4, 0.1, -0.3], [0.2, 0.5, np.nan]])
    >>> se = np.array([[0.2, 0.3, 0.4], [0.1, 0.2, np.nan]])
    >>> bm.random_effects_many(y, se)["estimate"].round(3).tolist()
    [-0.243, 0.3]
    """
    check_prob(prob)
    tau2, interval = estimator_named(tau2), interval_named(interval)
    if interval == "KR" and tau2 != "REML":
        raise ModelError(f"Kenward–Roger intervals need tau2='REML', not {shown(tau2)}.")
    pooled = pool_random(*_tables(y, se), tau2=tau2)
    standard_error, df = pooled.spreads[interval]
    if np.isnan(standard_error).any():
        rows = ", ".join(map(str, np.flatnonzero(np.isnan(standard_error))[:5]))
        raise DataError(
            f"{interval} gives no interval where one study outweighs all others beyond double "
            f"precision; check rows {rows}, or take another interval."
        )
    lower, upper = pooled.interval(interval, prob)
    return {
        "k": pooled.k,
        "estimate": pooled.estimate,
        "se": standard_error,
        "lower": lower,
        "upper": upper,
        "p": two_sided_p(pooled.estimate, standard_error, df),
        "tau2": pooled.tau2,
        "q": pooled.q,
        "q_p": chdtrc(pooled.k - 1, pooled.q),
        "i2": pooled.i2,
        "i2_q": pooled.i2_q,
    }


def _tables(y: Array, se: Array) -> tuple[Array, Array, Array]:
    """Checked, squared, and with the studies first; padding is told by a weight of zero."""
    y, se = floats(y, "y", DataError), floats(se, "se", DataError)
    if y.ndim != 2 or y.shape != se.shape or not y.size:
        raise DataError(
            f"y and se must have one shape (n, k), not empty; they have {y.shape} and {se.shape}."
        )
    there = ~(np.isnan(y) & np.isnan(se))
    sizes = (np.abs(y) <= 1e50) & (se >= 1e-50) & (se <= 1e50)  # that can be squared
    bad = there & ~sizes
    problems = {
        "y and se must be finite, se positive, and both NaN where a study is missing": bad,
        "a table needs at least two studies": there.sum(axis=1, keepdims=True) < 2,
    }
    for words, where in problems.items():
        rows = np.flatnonzero(where.any(axis=1))
        if rows.size:
            more = ", …" if rows.size > 5 else ""
            raise DataError(f"{words}; check rows {', '.join(map(str, rows[:5]))}{more}.")
    return (
        np.where(there, y, 0.0).T.copy(),
        np.where(there, se, 1.0).T ** 2,
        there.T.astype(np.float64),
    )
