"""Estimators of the between-study variance, many tables at once.

Arrays have the studies first: y, v and present are (k, n) for n tables; `present` is 1 for a study
that is in a table and 0 for padding, whose y and v may be any finite numbers (v above zero).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Rows = NDArray[np.intp]
type Likelihood = Literal["REML", "ML"]
type Tau2 = Literal["REML", "DL", "PM", "ML", "HS", "HE", "SJ", "EB"]

PER_DECADE = 4  # points of the search for peaks of a likelihood, in log tau²
FEW = 3  # roots that are sooner found one by one
BLOCK = 1 << 15  # numbers in an array of the search: they stay in the cache


def centre_of(y: Array, w: Array) -> Array:
    """Weighted means, shape (n,); zero where no weight is left."""
    total = w.sum(axis=0)
    return (w * y).sum(axis=0) / np.where(total > 0, total, 1.0)


def cross_weights(w: Array) -> Array:
    """(Σw)² − Σw², shape (n,), as the sum of its products: the difference loses all digits."""
    return 2 * (w[1:] * np.cumsum(w, axis=0)[:-1]).sum(axis=0)


def cochran_q(y: Array, w: Array, centre: Array | None = None) -> Array:
    """Cochran's Q around the weighted mean or around `centre`, shape (n,)."""
    centre = centre_of(y, w) if centre is None else centre
    return (w * (y - centre) ** 2).sum(axis=0)


def dersimonian_laird(v: Array, present: Array, q: Array) -> Array:
    """The moment estimator from a Q with weights 1/v, whatever its centre."""
    w = present / v
    cross = cross_weights(w)
    excess = (q - (present.sum(axis=0) - 1)) * w.sum(axis=0)
    return np.maximum(0.0, excess / np.where(cross > 0, cross, 1.0))


def _dersimonian_laird(y: Array, v: Array, present: Array) -> Array:
    return dersimonian_laird(v, present, cochran_q(y, present / v))


def _hedges(y: Array, v: Array, present: Array) -> Array:
    k = present.sum(axis=0)
    return np.maximum(0.0, cochran_q(y, present) / (k - 1) - (present * v).sum(axis=0) / k)


def _hunter_schmidt(y: Array, v: Array, present: Array) -> Array:
    w = present / v
    return np.maximum(0.0, (cochran_q(y, w) - present.sum(axis=0)) / w.sum(axis=0))


def _sidik_jonkman(y: Array, v: Array, present: Array) -> Array:
    k = present.sum(axis=0)
    first = cochran_q(y, present) / k
    w = present * first / (v + first)
    return cochran_q(y, w) / (k - 1)


def paule_mandel(y: Array, v: Array, present: Array, level: Array | None = None) -> Array:
    """The tau² at which the generalised Q, which falls with tau², is `level`; zero if it never is.

    By default the level is the degrees of freedom.
    """
    level = present.sum(axis=0) - 1 if level is None else level
    end = cochran_q(y, present) / level  # there Q is below the level, for every v is above zero
    found = np.zeros(level.shape)
    above = np.flatnonzero(cochran_q(y, present / v) > level)

    def excess(t: Array, i: Rows) -> Array:
        return cochran_q(y[:, i], present[:, i] / (v[:, i] + t)) - level[i]

    found[above] = _root(excess, np.zeros(above.size), end[above], above)
    return found


def _likeliest(y: Array, v: Array, present: Array, kind: Likelihood) -> Array:
    """Maximise the (restricted) likelihood over tau² >= 0: every peak is found, and zero looked at.

    The score is evaluated on a grid in log tau² to beyond the last place a peak can be; each fall
    through zero is a peak, polished by a bracketing method, and the highest wins.
    """
    y = y - centre_of(y, present / v)
    i, low, high = _falls(y, v, present, kind)

    def slope(t: Array, i: Rows) -> Array:
        return _score(t, y[:, i], v[:, i], present[:, i], kind)

    peaks = _root(slope, low, high, i)
    best = np.zeros(y.shape[1])
    if not peaks.size:
        return best
    gain = deviance(best, y, v, present, kind)[i] - deviance(
        peaks, y[:, i], v[:, i], present[:, i], kind
    )
    order = np.lexsort((gain, i))  # the highest peak of a table is assigned last
    order = order[gain[order] > 0]
    best[i[order]] = peaks[order]
    return best


def _falls(y: Array, v: Array, present: Array, kind: Likelihood) -> tuple[Rows, Array, Array]:
    """Tables and brackets in which the score falls through zero."""
    size = max(BLOCK // y.shape[0], 1)
    rows, lows, highs = [], [], []
    for start in range(0, y.shape[1], size):
        part = slice(start, start + size)
        table, low, high = _falls_of(y[:, part], v[:, part], present[:, part], kind)
        rows.append(start + table)
        lows.append(low)
        highs.append(high)
    return np.concatenate(rows), np.concatenate(lows), np.concatenate(highs)


def _falls_of(y: Array, v: Array, present: Array, kind: Likelihood) -> tuple[Rows, Array, Array]:
    first, last = spread_of(y, v, present)
    decades = np.log10(last / first).max()
    steps = max(int(np.ceil(PER_DECADE * decades)), 1)
    ratio = (last / first) ** (1 / steps)
    if first.size == 1:  # one table: all places at once
        t = np.concatenate([np.zeros(1), first * ratio ** np.arange(steps + 2)])
        slope = _score(t, y, v, present, kind)
        falls = np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0))
        return np.zeros_like(falls), t[falls], t[falls + 1]
    before, t = np.zeros_like(first), np.zeros_like(first)
    slope = _score(t, y, v, present, kind)
    rows, low, high = [], [], []
    for step in range(steps + 2):
        before, t = t, first * ratio**step
        was, slope = slope, _score(t, y, v, present, kind)
        falls = np.flatnonzero((was > 0) & (slope <= 0))
        rows.append(falls)
        low.append(before[falls])
        high.append(t[falls])
    return np.concatenate(rows), np.concatenate(low), np.concatenate(high)


def spread_of(y: Array, v: Array, present: Array) -> tuple[Array, Array]:
    """A tau² too small to matter, and one beyond the last peak of the likelihood; each (n,).

    At a peak tau² <= max r² + 1/Σw − min v.
    """
    inside = present > 0
    k = present.sum(axis=0)
    widest = np.where(inside, v, 0.0).max(axis=0)
    reach = np.where(inside, y, -np.inf).max(axis=0) - np.where(inside, y, np.inf).min(axis=0)
    first = 0.01 * np.where(inside, v, np.inf).min(axis=0)
    return first, (k * reach**2 + widest) / (k - 1)


def _score(t: Array, y: Array, v: Array, present: Array, kind: Likelihood) -> Array:
    """Twice the derivative of the log (restricted) likelihood by tau²."""
    w = present / (v + t)
    total = w.sum(axis=0)
    r = y - (w * y).sum(axis=0) / total
    if kind == "REML":
        return (w * (w * (r * r + 1 / total) - 1)).sum(axis=0)
    return (w * (w * r * r - 1)).sum(axis=0)


def deviance(t: Array, y: Array, v: Array, present: Array, kind: Likelihood) -> Array:
    """Minus twice the log (restricted) likelihood of tau², up to a constant; shape (n,)."""
    w = present / (v + t)
    total = w.sum(axis=0)
    value = (present * np.log(v + t)).sum(axis=0) + cochran_q(y, w)
    return value + np.log(total) if kind == "REML" else value


def _root(f: Callable[[Array, Rows], Array], low: Array, high: Array, rows: Rows) -> Array:
    """Roots of f(t, row) between `low` and `high`, one per row."""
    if not rows.size:
        return np.zeros(0)
    if rows.size <= FEW:
        from scipy.optimize import brentq

        ends = zip(rows[:, None], low.tolist(), high.tolist(), strict=True)
        exact = {"xtol": np.finfo(float).tiny, "rtol": 4 * np.finfo(float).eps, "maxiter": 500}
        return np.array([brentq(lambda t, i=i: f(t, i)[0], a, b, **exact) for i, a, b in ends])  # pyright: ignore[reportArgumentType, reportCallIssue]
    from scipy.optimize import elementwise

    return elementwise.find_root(f, (low, high), args=(rows,)).x


ESTIMATORS: Mapping[Tau2, Callable[[Array, Array, Array], Array]] = {
    "REML": partial(_likeliest, kind="REML"),
    "DL": _dersimonian_laird,
    "PM": paule_mandel,
    "ML": partial(_likeliest, kind="ML"),
    "HS": _hunter_schmidt,
    "HE": _hedges,
    "SJ": _sidik_jonkman,
    "EB": paule_mandel,
}
