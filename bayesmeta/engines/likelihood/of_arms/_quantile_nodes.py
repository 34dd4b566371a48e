"""Where the mass of the reported quantiles' joint density lies, for the nodes that integrate it.

All in units of the arm's SD from its mean. Nothing here need be exact: it only places nodes, and
no gradient passes through it.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

type Namespace = Any  # numpy or jax.numpy
type Array = Any

STEPS = 12  # of Newton's method, for the joint mode
CLIMBS = 5  # ... for the mode of one quantile
FALLS = 6  # ... for its tails
FAR = 12.0  # SDs: how much of an interval without an end is looked at for a start
SQRT_2PI = np.sqrt(2 * np.pi)


class Windows(NamedTuple):
    """Where to put nodes, each (..., arms, Q)."""

    low: Array
    high: Array
    mode: Array
    gap: Array  # between the two order statistics of an interpolated quantile: the longest


def windows(xp: Namespace, plan: dict[str, Array], low: Array, high: Array, drop: float) -> Windows:
    """Bounds within which each quantile's log density is within `drop` of its largest value.

    The joint density is taken for that of fractional order statistics, which is log-concave; its
    mode within the box [`low`, `high`] is found by Newton's method. Quantiles that are not at a
    bound there are integrated out without their own bounds, which leaves a density of each in
    closed form.
    """
    x = _start(xp, plan, low, high)
    x = _repeat(xp, lambda at: _step(xp, plan, at, low, high), x, STEPS)
    slope, _, (left, right) = _derivatives(xp, plan, x)
    held = _held(xp, plan, x, slope, low, high) & plan["real"]
    one = _single(xp, plan, x, held, low, high)
    centre = _repeat(xp, lambda at: _climb(xp, one, at, low, high), x, CLIMBS)
    falling, rising = (
        one._replace(before=one.before + one.soft_above),
        one._replace(after=one.after + one.soft_below),
    )
    down = _fall(xp, falling, centre, xp.maximum(low, one.low), drop, -1.0)
    up = _fall(xp, rising, centre, xp.minimum(high, one.high), drop, 1.0)
    share = plan["share"]
    rate = (
        share * plan["between"] * left + (1 - share) * plan["above"] * right + (1 - 2 * share) * x
    )
    gap = _reach(xp, rate, share**2 + (1 - share) ** 2, drop)
    start = _running(xp, xp.maximum, xp.maximum(low, centre - down), 1)
    end = _running(xp, xp.minimum, xp.minimum(high, centre + up), -1)
    return Windows(start, end, centre, gap)


def _running(xp: Namespace, pick: Callable[[Array, Array], Array], x: Array, step: int) -> Array:
    """Running maximum from the left or minimum from the right: quantiles are in their order."""
    parts = [x[..., j] for j in range(x.shape[-1])][::step]
    for j in range(1, len(parts)):
        parts[j] = pick(parts[j - 1], parts[j])
    return xp.stack(parts[::step], axis=-1)


class _Single(NamedTuple):
    """Density of one quantile: (F - F(low))^after (F(high) - F)^before f."""

    low: Array
    high: Array
    after: Array
    before: Array
    soft_below: Array  # 1 where a neighbour at its bound gives way a little: a power more
    soft_above: Array


def _single(
    xp: Namespace, plan: dict[str, Array], x: Array, held: Array, low: Array, high: Array
) -> _Single:
    """Join the intervals between order statistics up to the next one that is held at a bound."""
    q = x.shape[-1]
    infinite, zero = xp.full_like(x[..., 0], np.inf), xp.zeros_like(x[..., 0])
    ends, powers, soft = [-infinite], [plan["after"][..., 0] + zero], [zero]
    for j in range(1, q):
        own, stop = plan["after"][..., j], held[..., j - 1] & (x[..., j - 1] <= low[..., j])
        ends.append(xp.where(stop, x[..., j - 1], ends[-1]))
        powers.append(own + xp.where(stop, 0.0, powers[-1] + 1))
        soft.append(xp.where(stop, 1.0, soft[-1]))
    below = (ends, powers, soft)
    ends, powers, soft = [infinite], [plan["before"][..., -1] + zero], [zero]
    for j in range(q - 2, -1, -1):
        own, more = plan["before"][..., j], plan["real"][..., j + 1]
        stop = held[..., j + 1] & (x[..., j + 1] >= high[..., j])
        ends.insert(0, xp.where(more, xp.where(stop, x[..., j + 1], ends[0]), infinite))
        powers.insert(0, own + xp.where(stop | ~more, 0.0, powers[0] + 1))
        soft.insert(0, xp.where(more, xp.where(stop, 1.0, soft[0]), 0.0))
    parts = [part for pair in zip(below, (ends, powers, soft), strict=True) for part in pair]
    return _Single(*(xp.stack(part, axis=-1) for part in parts))


def _log_single(xp: Namespace, one: _Single, x: Array) -> tuple[Array, Array, Array]:
    """Log density, its slope, and minus its second derivative."""
    below, above = log_between(xp, one.low, x), log_between(xp, x, one.high)
    log_f = -0.5 * x**2 - np.log(SQRT_2PI)
    left, right = xp.exp(log_f - below), xp.exp(log_f - above)
    push = one.after * left - one.before * right
    curvature = 1 + x * push + one.after * left**2 + one.before * right**2
    return one.after * below + one.before * above + log_f, push - x, curvature


def _climb(xp: Namespace, one: _Single, x: Array, low: Array, high: Array) -> Array:
    _, slope, curvature = _log_single(xp, one, x)
    step = xp.clip(slope / curvature, -0.5 * (x - one.low), 0.5 * (one.high - x))
    return xp.clip(x + step, low, high)


def _fall(xp: Namespace, one: _Single, x: Array, end: Array, drop: float, sign: float) -> Array:
    """How far from x, but not beyond `end`, the log density falls by `drop`.

    Newton's method on a convex function: after its first step never too near.
    """
    top, slope, curvature = _log_single(xp, one, x)
    most = xp.maximum(sign * (end - x), 0.0)
    d = xp.minimum(_reach(xp, xp.maximum(-sign * slope, 0.0), curvature, drop), 0.9 * most)

    def step(d: Array) -> Array:
        value, slope, _ = _log_single(xp, one, x + sign * d)
        moved = d + (drop - top + value) / xp.maximum(-sign * slope, 1e-300)
        return xp.where(moved < most, xp.maximum(moved, 0.5 * d), (d + most) / 2)

    d = _repeat(xp, step, d, FALLS)
    value, slope, _ = _log_single(xp, one, x + sign * d)
    return xp.where(top - value < 0.98 * drop, most, d)


def _reach(xp: Namespace, slope: Array, curvature: Array, drop: float) -> Array:
    """Return d where ``slope d + curvature d^2 / 2 = drop``."""
    root = xp.sqrt(slope**2 + 2 * curvature * drop)
    return xp.where(slope > 0, 2 * drop / (root + xp.abs(slope)), (root - slope) / curvature)


def _start(xp: Namespace, plan: dict[str, Array], low: Array, high: Array) -> Array:
    """Expected quantiles, moved into their intervals, in their order where these coincide."""
    expected, q = plan["expected"], low.shape[-1]
    low = xp.maximum(low, xp.minimum(expected, high) - FAR)
    high = xp.minimum(high, xp.maximum(expected, low) + FAR)
    step = (high - low) / (q + 1) / 2
    order = np.arange(1, q + 1)
    return xp.clip(expected, low + step * order, high - step * (q + 1 - order))


def _repeat(xp: Namespace, step: Callable[[Array], Array], x: Array, times: int) -> Array:
    if xp is not np:
        from jax import lax

        return lax.fori_loop(0, times, lambda _, at: step(at), x)
    for _ in range(times):
        x = step(x)
    return x


def _step(xp: Namespace, plan: dict[str, Array], x: Array, low: Array, high: Array) -> Array:
    """One step of Newton's method; those at a bound that they are pushed against stay."""
    slope, (diagonal, off), _ = _derivatives(xp, plan, x)
    held = _held(xp, plan, x, slope, low, high)
    step = _solve(xp, diagonal, off, held, slope)
    edge = xp.full_like(x[..., :1], np.inf)
    gaps = xp.where(plan["real"][..., 1:], x[..., 1:] - x[..., :-1], np.inf)
    room_down = xp.concatenate([edge, gaps], axis=-1)
    room_up = xp.concatenate([gaps, edge], axis=-1)
    moved = x + xp.clip(step, -0.45 * room_down, 0.45 * room_up)
    return xp.clip(moved, low, high)


def _held(
    xp: Namespace, plan: dict[str, Array], x: Array, slope: Array, low: Array, high: Array
) -> Array:
    return ((x <= low) & (slope < 0)) | ((x >= high) & (slope > 0)) | ~plan["real"]


def _derivatives(
    xp: Namespace, plan: dict[str, Array], x: Array
) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]:
    """Slopes, minus the second derivatives, and densities over the probability on either side."""
    infinite = xp.full_like(x[..., :1], np.inf)
    after = xp.where(plan["real"][..., 1:], x[..., 1:], np.inf)
    left_gap = log_between(xp, xp.concatenate([-infinite, x[..., :-1]], axis=-1), x)
    right_gap = log_between(xp, x, xp.concatenate([after, infinite], axis=-1))
    log_f = -0.5 * x**2 - np.log(SQRT_2PI)
    left, right = xp.exp(log_f - left_gap), xp.exp(log_f - right_gap)
    push = plan["after"] * left - plan["before"] * right
    diagonal = x * push + plan["after"] * left**2 + plan["before"] * right**2 + 1
    off = -plan["before"][..., :-1] * right[..., :-1] * left[..., 1:]
    return push - x, (diagonal, xp.where(plan["real"][..., 1:], off, 0.0)), (left, right)


def log_between(xp: Namespace, low: Array, high: Array) -> Array:
    """Log of the standard normal probability between two points, in either tail."""
    flip = low + high > 0
    low, high = xp.where(flip, -high, low), xp.where(flip, -low, high)
    top = log_ndtr(xp, high)
    return top + xp.log(-xp.expm1(xp.minimum(log_ndtr(xp, low) - top, -1e-300)))


def log_ndtr(xp: Namespace, x: Array) -> Array:
    """Log of the standard normal distribution function."""
    if xp is np:
        return special.log_ndtr(x)
    from ...compiled.quantiles import log_normal

    return log_normal(x)


def _free(xp: Namespace, diagonal: Array, off: Array, held: Array) -> tuple[Array, Array]:
    """Take those that are held out of a tridiagonal matrix."""
    return xp.where(held, 1.0, diagonal), xp.where(held[..., 1:] | held[..., :-1], 0.0, off)


def _solve(xp: Namespace, diagonal: Array, off: Array, held: Array, right: Array) -> Array:
    """Solve a symmetric tridiagonal system (Thomas)."""
    diagonal, off = _free(xp, diagonal, off, held)
    right = xp.where(held, 0.0, right)
    q = diagonal.shape[-1]
    pivot, value = [diagonal[..., 0]], [right[..., 0]]
    for j in range(1, q):
        factor = off[..., j - 1] / pivot[-1]
        pivot.append(diagonal[..., j] - factor * off[..., j - 1])
        value.append(right[..., j] - factor * value[-1])
    x = [value[-1] / pivot[-1]]
    for j in range(q - 2, -1, -1):
        x.insert(0, (value[j] - off[..., j] * x[0]) / pivot[j])
    return xp.stack(x, axis=-1)


@lru_cache(maxsize=16)
def legendre(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss-Legendre nodes on (0, 1) and the logs of their weights."""
    x, weight = np.polynomial.legendre.leggauss(count)
    return (x + 1) / 2, np.log(weight / 2)


@lru_cache(maxsize=16)
def chebyshev(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chebyshev nodes on (-1, 1), and the matrix from values there to the series."""
    angle = np.pi * (np.arange(count) + 0.5) / count
    to_series = 2 / count * np.cos(np.outer(np.arange(count), angle))
    to_series[0] /= 2
    return np.cos(angle), to_series


@lru_cache(maxsize=16)
def laguerre(count: int, rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes on (0, 1) and logs of weights, exact for polynomials times exp(-rate t).

    By the recurrence of the polynomials that are orthogonal there (Stieltjes, on a fine rule).
    """
    t, log_w = legendre(200)
    weight = np.exp(log_w - rate * t)
    before, this = np.zeros_like(t), np.full_like(t, weight.sum() ** -0.5)
    centres, links, link = [], [], 0.0
    for _ in range(count):
        centres.append(float(weight @ (t * this**2)))
        after = (t - centres[-1]) * this - link * before
        link = float(np.sqrt(weight @ after**2))
        links.append(link)
        before, this = this, after / link
    matrix = np.diag(centres) + np.diag(links[:-1], 1) + np.diag(links[:-1], -1)
    nodes, vectors = np.linalg.eigh(matrix)
    return nodes, np.log(vectors[0] ** 2 * weight.sum()) + rate * nodes
