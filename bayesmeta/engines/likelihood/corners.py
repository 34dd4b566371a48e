"""Likelihoods tabulated in log|theta|, smoothed by the distribution of the effects.

A likelihood with a corner at no effect has features of every size near it, so its two sides are
tabulated in the logarithm of |theta|, where each is smooth; that also reaches far. Where the
distribution of the effects is as wide as the distance of those nodes, the trapezoidal rule in that
logarithm is exact to rounding; where it is narrower, it does not reach the corner, and the rule
runs over the distribution itself.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ...model import Data, Likelihood, OfCounts
from ...priors import LOG_2PI
from .kernels import about, beyond, kernel, rule_of_effects
from .pieces import Pieces
from .points import Graded, Row, rounded_down
from .rough import rough_effects
from .study import log_likelihood_of_row, log_likelihoods, rows, supported

type Array = NDArray[np.float64]

NEAREST = 1e-11  # of the smallest standard error: where the logarithmic nodes begin
FARTHER = 4  # doublings, by which tables reach further
WIDE, WIDE_T = 1.2, 4.0  # node distances that normal and Student-t effects must span
EMPTY = -745.0
FINE = 0.1  # spacing of the baseline's rule, of what is read off by itself
BLOCK = 2**15  # terms of a kernel at once: larger ones leave the cache
ROWS = (-20.0, -5.0, 5.0, 20.0)  # taus from no effect, between which rows are summed alike,
INNER = (0.0, 0.025, 0.1, 0.025, 0.0)  # and how near to it, in taus, are nodes that moments see
DEGREE = 12
FEW = 30  # studies, up to which their means at nodes are kept
MANY = 16  # rows of each tau, for which moments are worth while
FACTORIAL = np.cumprod([1.0, *range(1, DEGREE + 1)])
CUT, LEAST = 11.0, 1e-13


class Corners(NamedTuple):
    """Both sides of k functions of theta at nodes of log|theta|.

    `theta`, shape (n,), are the nodes of both sides where anything is seen, in ascending order;
    `weighted` (n, k) the functions, scaled to 1 at most, times the rule's weight; `splines` their
    logs on the negative and the positive side; `top` (k,) the scale. `rows` are the studies, and
    `made` says of what else the table was made, where others may ask for the same, and `size` how
    many nodes a side has.
    """

    step: float
    theta: Array
    weighted: Array
    splines: tuple[Pieces, Pieces]
    top: Array
    rows: tuple[Row, ...] = ()
    made: Hashable = None
    size: int = 0

    def only(self, some: Sequence[int]) -> "Corners":
        """The same of some of the functions."""
        if len(some) == self.top.size:
            return self
        each = (replace(one, powers=one.powers[some]) for one in self.splines)
        rows = tuple(self.rows[i] for i in some)
        of_some = {"weighted": self.weighted[:, some], "top": self.top[some], "rows": rows}
        return self._replace(splines=(next(each), next(each)), **of_some)


def sides_of(of: Likelihood, data: Data, far: float, fineness: float) -> tuple[Graded, Graded]:
    """Nodes of both sides that resolve every study, as far as |theta| = `far`.

    Their step and both their ends are rounded: refits with another prior, or without a study, ask
    for the same nodes, and what was tabulated there is kept.
    """
    _, se = rough_effects(of, data)
    step = rounded_down(fineness * float(_apart_at(of, data).min()))
    first = int(np.floor(np.log(NEAREST * rounded_down(float(se.min()), 1)) / step))
    last = int(np.ceil(np.ceil(np.log2(far) / FARTHER) * FARTHER * np.log(2) / step))
    ends = first * step, step, last - first + 1
    return Graded(-1.0, *ends), Graded(1.0, *ends)


def _apart_at(of: Likelihood, data: Data) -> Array:
    """How far apart nodes of the logarithm may be to resolve each study, (k,)."""
    y, se = rough_effects(of, data)
    return np.minimum(0.25, se / (np.abs(y) + 2 * se))


def sum_alike(of: Likelihood, data: Data, some: NDArray[np.bool_]) -> bool:
    """Whether nodes that resolve some of the studies are nearly those that resolve all."""
    apart = _apart_at(of, data)
    return bool(apart.min() > 0.5 * apart[some].min())


def tabulate(of: Likelihood, data: Data, far: float, fineness: float, spacing: float) -> Corners:
    """Tabulate the studies' likelihoods as far as |theta| = `far`."""
    sides = sides_of(of, data, far, fineness)
    if isinstance(of, OfCounts):
        supported(of, data)
        return _of_rows(of, tuple(rows(data)), sides, spacing)
    return table_of(sides, [log_likelihoods(of, data, side, spacing) for side in sides])


@lru_cache(maxsize=64)
def _of_rows(
    of: OfCounts, every: tuple[Row, ...], sides: tuple[Graded, Graded], spacing: float
) -> Corners:
    """The same table for the same counts: refits differ in their priors."""
    logs = ([log_likelihood_of_row(of, row, side, spacing) for row in every] for side in sides)
    table = table_of(sides, [np.array(each) for each in logs])
    return table._replace(
        rows=every, made=(of, spacing, sides[0].first, sides[0].step), size=sides[0].size
    )


def read_off(of: OfCounts, data: Data, theta: Array, far: float, fineness: float) -> Array:
    """Log likelihood of every study at some effects no farther than `far`, (k, n).

    Off the kept tables, where ``log_likelihoods`` would integrate over baselines at each place.
    """
    supported(of, data)
    sides = sides_of(of, data, far, fineness)
    found, below = np.empty((data.k, theta.size)), theta < 0
    for here, side in zip((below, ~below), sides, strict=True):
        at = np.log(np.maximum(np.abs(theta[here]), 1e-300))
        found[:, here] = _spline(of, tuple(rows(data)), side)(at)
    return found


@lru_cache(maxsize=64)
def _spline(of: OfCounts, every: tuple[Row, ...], side: Graded) -> Pieces:
    logs = np.array([log_likelihood_of_row(of, row, side, FINE) for row in every])
    return Pieces.of(side.logs, logs.T)


def table_of(sides: tuple[Graded, Graded], logs: Sequence[Array]) -> Corners:
    """Make a table of functions whose logs, each (k, size), are known at the nodes of both sides.

    Where a function is zero everywhere, its scale is -inf.
    """
    top = np.maximum(*(each.max(axis=1) for each in logs))
    scale = np.where(np.isfinite(top), top, 0.0)
    v = sides[0].logs
    weight = np.exp(v) * sides[0].step
    left, right = (np.exp(each - scale[:, None]) * weight for each in logs)
    weighted = np.concatenate([left[:, ::-1], right], axis=1)
    theta = np.concatenate([sides[0].points[::-1], sides[1].points])
    seen = (weighted > 1e-30 * weighted.max(axis=1, keepdims=True)).any(axis=0)
    below, above = (Pieces.of(v, np.maximum(each - scale[:, None], EMPTY).T) for each in logs)
    return Corners(sides[0].step, theta[seen], weighted[:, seen].T.copy(), (below, above), top)


def each_given_mu(corners: Corners, mu: Array, tau: Array, df: Array | float | None) -> Array:
    """Logs of the functions' means over the study effects, one row per mu and tau, (m, k)."""
    value = np.empty((mu.size, corners.top.size))
    wide = tau >= (WIDE if df is None else WIDE_T) * corners.step * np.abs(mu)
    rows = np.flatnonzero(wide)
    mean = np.empty((rows.size, corners.top.size))
    taus, which = np.unique(tau[rows], return_inverse=True)
    if df is None and 0 < MANY * taus.size <= rows.size:  # nodes of a grid
        order = np.argsort(which, kind="stable")
        sums = _Sums.of(corners)
        for one, some in zip(
            taus, np.split(order, np.cumsum(np.bincount(which))[:-1]), strict=True
        ):
            mean[some] = sums.normal_means(mu[rows[some]], float(one))
    else:
        mean = _means(corners, mu[rows], tau[rows], rows_of(df, rows))
    with np.errstate(divide="ignore"):
        value[rows] = np.maximum(np.log(mean), EMPTY)
    narrow = np.flatnonzero(~wide)
    if df is not None:
        with np.errstate(divide="ignore"):
            mean = _apart(corners, mu[narrow], tau[narrow], rows_of(df, narrow))
            value[narrow] = np.maximum(np.log(mean), EMPTY)
        return value + corners.top
    for some in np.array_split(narrow, max(1, mu.size // 4096)):
        value[some] = _narrow(corners, mu[some], tau[some])
    return value + corners.top


def at_nodes(corners: Corners, mu: Array, tau: Array, df: float | None) -> Array:
    """Logs of the functions' means at nodes of mu and tau, (t, k, m).

    Those of few studies are kept: refits with another prior, or without one, ask for the same.
    """
    k = corners.top.size
    keep = 0 < len(corners.rows) <= FEW
    ends = None if df is None else corners.size  # tails of Student-t effects reach beyond any
    of = (corners.made, ends, df, tau.tobytes(), mu.tobytes())
    kept: dict[Row, Array] = means_kept(of) if keep else {}
    names = corners.rows if keep else tuple((float(i),) for i in range(k))
    new = [i for i, row in enumerate(names) if row not in kept]
    if new:
        place = np.tile(mu, tau.size), np.repeat(tau, mu.size)
        found = each_given_mu(corners.only(new), *place, df).reshape(tau.size, mu.size, -1)
        kept.update((names[i], found[:, :, j]) for j, i in enumerate(new))
    return np.stack([kept[row] for row in names], axis=1)


@lru_cache(maxsize=24)
def means_kept(_: Hashable) -> dict[Row, Array]:
    """Means at the same nodes of the same kind of table, by study."""
    return {}


def at_effects(corners: Corners, theta: Array) -> Array:
    """Logs of the functions at some effects, over their scale, (k, ...)."""
    found = np.empty((corners.top.size, *theta.shape))
    below = theta < 0
    for here, spline in zip((below, ~below), corners.splines, strict=True):
        found[:, here] = spline(np.log(np.maximum(np.abs(theta[here]), 1e-300)))
    return found


def _means(corners: Corners, mu: Array, tau: Array, df: Array | float | None) -> Array:
    """Sums over the nodes, (m, k), in blocks that a processor's cache holds."""
    found = np.empty((mu.size, corners.top.size))
    for some in _blocks(mu.size, corners.theta.size):
        z = (corners.theta - mu[some, None]) / tau[some, None]
        own = df[some] if isinstance(df, np.ndarray) else df
        found[some] = kernel(z, own) / tau[some, None] @ corners.weighted
    return found


@final
@dataclass(frozen=True, slots=True)
class _Sums:
    """What means over normal effects of any one tau are made of.

    Attributes
    ----------
    theta, weighted : ndarray, shape (n,), (n, k)
        As of the table.
    before : ndarray, shape (n + 1, k)
        Sums of `weighted` over the nodes before each.
    middle : int
        How many nodes lie below no effect.
    below, above : ndarray, shape (d, n', k)
        Powers of the nodes over factorials, times weights, summed from no effect outwards.
    """

    theta: Array
    weighted: Array
    before: Array
    middle: int
    below: Array
    above: Array

    @classmethod
    def of(cls, corners: Corners) -> "_Sums":
        """Sum outwards from no effect, each side by itself."""
        theta, weighted = corners.theta, corners.weighted
        middle = int(np.searchsorted(theta, 0.0))
        sides = (theta[:middle][::-1], weighted[:middle][::-1]), (theta[middle:], weighted[middle:])
        before = np.concatenate([np.zeros((1, weighted.shape[1])), weighted.cumsum(axis=0)])
        return cls(theta, weighted, before, middle, *(_outwards(*side) for side in sides))

    def normal_means(self, mu: Array, tau: float) -> Array:
        """Means over normal effects, (m, k).

        Of the nodes those that lie ``CUT tau`` away from a block are left out where all of them
        together could add no more than ``LEAST`` of any sum. Those near to no effect are summed by
        their moments: ``exp(-(t - s)²/2) = exp(-t²/2) sum He_n(t) sⁿ/n!``, to 1e-14 where
        ``|s t| < 0.5``.
        """
        t = mu / tau
        order, found = np.argsort(t), np.empty((t.size, self.weighted.shape[1]))
        ends = np.searchsorted(t[order], ROWS)
        for inner, first, last in zip(INNER, [0, *ends], [*ends, t.size], strict=True):
            low, high = np.searchsorted(self.theta, (-inner * tau, inner * tau))
            moments = self._moments(int(low), int(high), tau)
            width = max(self.theta.size - int(high - low), 1)
            for start in range(first, last, max(1, BLOCK // width)):
                rows = order[start : min(start + max(1, BLOCK // width), last)]
                found[rows] = self._block(t[rows], tau, (int(low), int(high)), moments)
        return found / (tau * np.exp(0.5 * LOG_2PI))

    def _block(self, t: Array, tau: float, inner: tuple[int, int], moments: Array | None) -> Array:
        """Sums of rows of ascending t."""
        ends = (float(t[0] - CUT) * tau, float(t[-1] + CUT) * tau)
        first, last = map(int, np.searchsorted(self.theta, ends))
        near = slice(first, max(min(last, inner[0]), first)), slice(max(first, inner[1]), last)
        sums = np.zeros((t.size, self.weighted.shape[1]))
        if moments is not None:
            sums += np.exp(-0.5 * t**2)[:, None] * (hermites(t) @ moments)
        seen = sums + self._of_nodes(t, tau, *near)
        outside = self.before[first] + self.before[-1] - self.before[last]
        if (np.exp(-0.5 * CUT**2) * outside > LEAST * seen).any():
            seen = sums + self._of_nodes(t, tau, slice(inner[0]), slice(inner[1], None))
        return seen

    def _of_nodes(self, t: Array, tau: float, *parts: slice) -> Array:
        found = np.zeros((t.size, self.weighted.shape[1]))
        for part in parts:
            if part.stop is None or part.stop > (part.start or 0):
                found += _kernel(t, self.theta[part] / tau) @ self.weighted[part]
        return found

    def _moments(self, low: int, high: int, tau: float) -> Array | None:
        if low == high:
            return None
        powers = self.below[:, self.middle - low] + self.above[:, high - self.middle]
        return powers * tau ** -np.arange(DEGREE + 1.0)[:, None]


def _outwards(theta: Array, weighted: Array) -> Array:
    powers = np.vander(theta, DEGREE + 1, increasing=True).T / FACTORIAL[:, None]
    found = np.zeros((DEGREE + 1, theta.size + 1, weighted.shape[1]))
    np.cumsum(powers[:, :, None] * weighted, axis=1, out=found[:, 1:])
    return found


def hermites(t: Array) -> Array:
    """Hermite's polynomials He_0 to He_12 at some points, (n, 13)."""
    found = np.empty((DEGREE + 1, t.size))
    found[0], found[1] = 1.0, t
    for n in range(1, DEGREE):
        found[n + 1] = t * found[n] - n * found[n - 1]
    return found.T


def _kernel(t: Array, at: Array) -> Array:
    z = t[:, None] - at
    z *= z
    z *= -0.5
    return np.exp(z, out=z)


def _blocks(rows: int, columns: int) -> list[slice]:
    size = max(1, BLOCK // max(columns, 1))
    return [slice(first, first + size) for first in range(0, rows, size)]


def rows_of(
    df: Array | float | None, some: NDArray[np.intp] | NDArray[np.bool_]
) -> Array | float | None:
    """Degrees of freedom of some rows, (n, 1), where each has its own."""
    return df[some, None] if isinstance(df, np.ndarray) else df


def _narrow(corners: Corners, mu: Array, tau: Array) -> Array:
    """Where the corner is out of reach of the distribution of normal effects, (m, k)."""
    z, log_weight = rule_of_effects(None)
    each = at_effects(corners, mu[:, None] + tau[:, None] * z)
    each += log_weight
    top = each.max(axis=2)
    return (np.log(np.exp(each - top[..., None]).sum(axis=2)) + top).T


def _apart(corners: Corners, mu: Array, tau: Array, df: Array | float | None) -> Array:
    """Means over Student-t effects narrower than the nodes are apart about mu, (m, k)."""
    found = np.empty((mu.size, corners.top.size))
    order = np.argsort(mu)  # what is read of the tables about one mu serves every tau
    for some in _blocks(mu.size, corners.theta.size):
        rows = order[some]
        at, which = np.unique(mu[rows], return_inverse=True)
        size, width = np.abs(mu[rows, None]), tau[rows, None]
        distance, weight = about(float((width / size).min()) / corners.step)
        v = np.log(np.abs(at))[:, None]
        places = v + corners.step * distance
        there = np.empty((corners.top.size, *places.shape))
        for sign, spline in zip((-1, 1), corners.splines, strict=True):
            here = np.sign(at) == sign
            there[:, here] = spline(places[here])
        own = df[rows] if isinstance(df, np.ndarray) else df
        z = size / width * np.expm1(corners.step * distance)
        about_mu = kernel(z, own) * (np.exp(corners.step * distance) * weight)
        near = np.einsum("pn,kpn->pk", about_mu, np.exp(there)[:, which]) * corners.step * size
        share = beyond((np.log(np.abs(corners.theta)) - v) / corners.step)
        share = np.where(np.sign(corners.theta) == np.sign(at)[:, None], share, 1.0)
        elsewhere = kernel((corners.theta - mu[rows, None]) / width, own) * share[which]
        found[rows] = (near + elsewhere @ corners.weighted) / width
    return found
