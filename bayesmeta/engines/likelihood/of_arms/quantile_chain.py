"""The integral over order statistics, from the largest reported quantile down to the smallest.

The probability of all quantiles above, given the order statistic y below them, is a function of y
alone. Each is an integral over the next quantile q = (1 - g) x_low + g x_high and, where that is
interpolated, over the gap between its two order statistics x_low and x_high. Its log, less the
powers of F(top) - F(y) and y - bottom by which it vanishes, is smooth: a short Chebyshev series.
Intervals may coincide, and quantiles may share an order statistic.

Nodes are in SDs from the mean, and stand still as mu and sigma move: gradients pass through the
integrand alone.
"""

from typing import NamedTuple

import numpy as np

from ._quantile_nodes import (
    Array,
    Namespace,
    Windows,
    chebyshev,
    laguerre,
    legendre,
    log_ndtr,
    windows,
)

NONE = -1e30  # log of nothing: finite, so that gradients are
FARTHEST = 1e9  # SDs
LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)


class Nodes(NamedTuple):
    """How many nodes integrate one quantile, static in a compiled program."""

    below: int  # of the series in the order statistic below
    quantile: int
    gap: int
    drop: float  # left out where the log density lies lower than its largest by more


class Plan(NamedTuple):
    """Reported quantiles of a table's arms, each (arms, q); flags are 0 or 1."""

    low: Array
    high: Array
    share: Array  # g, how far from the lower order statistic to the upper
    between: Array  # order statistics strictly between those of the quantile below and these
    remaining: Array  # those above, of the last quantile
    shared: Array  # the lower order statistic is the upper one of the quantile below
    real: Array  # not an empty slot
    last: Array
    expected: Array  # of a standard normal sample
    after: Array  # exponents of the fractional order statistics, below and above
    before: Array
    above: Array  # ... from the upper order statistic on
    constant: Array


class Slot(NamedTuple):
    """One quantile's numbers, (..., arms, 1, 1, 1): further axes are below, quantile, gap."""

    low: Array
    high: Array
    mode: Array
    gap: Array
    g: Array
    between: Array
    remaining: Array
    shared: Array
    whole: Array
    last: Array


class Above(NamedTuple):
    """Log probability of all quantiles above, as a function of the order statistic below them."""

    bottom: Array  # it vanishes from here down,
    root: Array  # as y - bottom to this power,
    top: Array  # and from here up,
    power: Array  # as F(top) - F(y) to this power
    ends: tuple[Array, Array]  # of the series
    series: Array  # (..., arms, 1, 1, 1, count)


class Scale(NamedTuple):
    """Where mu and sigma stand, and where the nodes were placed."""

    mu: Array
    sigma: Array
    mu0: Array
    sigma0: Array


def chain(xp: Namespace, arrays: Array, mu: Array, sigma: Array, nodes: Nodes) -> Array:
    """Log probability of every arm; `mu` and `sigma` have shape (..., arms)."""
    with np.errstate(all="ignore"):
        return _chain(
            xp, Plan(*(arrays[..., i] for i in range(len(Plan._fields)))), mu, sigma, nodes
        )


def _chain(xp: Namespace, plan: Plan, mu: Array, sigma: Array, nodes: Nodes) -> Array:
    mu0, sigma0 = _stop(xp, mu), _stop(xp, sigma)
    low, high = (
        xp.clip((bound - mu0[..., None]) / sigma0[..., None], -FARTHEST, FARTHEST)
        for bound in (plan.low, plan.high)
    )
    possible = (low < high).all(axis=-1)
    given = plan._asdict() | {"real": plan.real > 0}
    window = Windows(
        *(_stop(xp, x) for x in windows(xp, given, low, xp.maximum(high, low + 1e-9), nodes.drop))
    )
    scale = Scale(*(_deep(part) for part in (mu, sigma, mu0, sigma0)))
    slots = [_slot(plan, window, j) for j in range(plan.low.shape[-1])]
    above = None
    for j in range(len(slots) - 1, 0, -1):
        above = _tabulate(xp, scale, slots[j], _ends(xp, slots, j), above, nodes)
    found = _integral(xp, scale, slots[0], None, above, nodes)[..., 0]
    total = plan.constant[..., 0] + found
    total = xp.where(possible & (found > 0.5 * NONE), total, -np.inf)
    return xp.where(plan.real[..., 0] > 0, total, 0.0)


def _slot(plan: Plan, window: Windows, j: int) -> Slot:
    parts = (window.low, window.high, window.mode, window.gap, plan.share, plan.between)
    flags = (plan.shared > 0, plan.share == 0, plan.last > 0)
    return Slot(*(_deep(part[..., j]) for part in (*parts, plan.remaining, *flags)))


def _deep(x: Array) -> Array:
    return x[..., None, None, None]


def _live(scale: Scale, x: Array) -> Array:
    """Points in SDs from the mean, as functions of mu and sigma."""
    return (x * scale.sigma0 + (scale.mu0 - scale.mu)) / scale.sigma


def _log_density(xp: Namespace, scale: Scale, x: Array) -> Array:
    return -0.5 * _live(scale, x) ** 2 - LOG_ROOT_2PI + xp.log(scale.sigma0 / scale.sigma)


def _log_between(xp: Namespace, scale: Scale, low: Array, high: Array, upper: Array) -> Array:
    """Log of F(high) - F(low), both from the upper tail where `upper`."""
    low, high = _live(scale, low), _live(scale, high)
    a, b = (log_ndtr(xp, xp.where(upper, -x, x)) for x in (low, high))
    far, near = xp.where(upper, b, a), xp.where(upper, a, b)
    return near + xp.log(-xp.expm1(xp.minimum(far - near, -1e-15)))


def _ends(xp: Namespace, slots: list[Slot], j: int) -> tuple[Array, Array]:
    """Between which points the upper order statistic of the quantile below `j` may lie."""
    before, this = slots[j - 1], slots[j]
    longest = before.gap
    if j > 1:
        reach = (before.high - slots[j - 2].low) / xp.where(before.whole, 1.0, before.g)
        longest = xp.where(before.shared, reach, longest)
    high = before.high + xp.where(before.whole, 0.0, (1 - before.g) * longest)
    return before.low, xp.minimum(high, this.high)


def _limits(xp: Namespace, slot: Slot, above: Above | None) -> tuple[Array, Array]:
    """Between which points the upper order statistic may lie for what is above."""
    if above is None:
        return xp.full_like(slot.low, -np.inf), xp.full_like(slot.low, np.inf)
    return xp.where(slot.last, -np.inf, above.bottom), xp.where(slot.last, np.inf, above.top)


def _integral(
    xp: Namespace,
    scale: Scale,
    slot: Slot,
    y: Array | None,
    above: Above | None,
    nodes: Nodes,
) -> Array:
    """Log of the integral over a quantile, at points y below it, (..., arms, below)."""
    at = xp.full_like(slot.low, -1e10) if y is None else y
    x_low, x_high, log_weight = _nodes(xp, slot, at, _limits(xp, slot, above), nodes)
    total = log_weight + xp.where(slot.shared, 0.0, _log_density(xp, scale, x_low))
    total = total + xp.where(slot.whole, 0.0, _log_density(xp, scale, x_high))
    if y is None:
        total = total + slot.between * log_ndtr(xp, _live(scale, x_low))
    else:
        upper = y.mean(axis=-3, keepdims=True) + slot.mode > 0
        total = total + slot.between * _log_between(xp, scale, y, x_low, upper)
    total = xp.maximum(total + _value(xp, scale, slot, above, x_high), NONE)
    peak = _stop(xp, total.max(axis=(-1, -2), keepdims=True))
    return xp.log(xp.exp(total - peak).sum(axis=(-1, -2))) + peak[..., 0, 0]


def _nodes(
    xp: Namespace, slot: Slot, y: Array, limits: tuple[Array, Array], nodes: Nodes
) -> tuple[Array, Array, Array]:
    """The two order statistics of the quantile, and the log of a weight, at nodes."""
    q, log_weight = _quantile_nodes(xp, slot, y, limits, nodes.quantile)
    g = xp.where(slot.whole, 1.0, slot.g)
    gapped = ~slot.whole & ~slot.shared
    rest = 1 - xp.where(gapped, g, 0.0)
    start = xp.maximum((limits[0] - q) / rest, 0.0)
    most = xp.minimum((q - y) / g, (limits[1] - q) / rest) - start
    t, log_v = _gap_rule(xp, most > slot.gap, nodes)
    length = xp.minimum(most, slot.gap)
    delta = xp.where(gapped, start + xp.maximum(length, 0.0) * t, 0.0)
    log_weight = log_weight + xp.where(gapped, log_v + _safe_log(xp, length), -np.log(nodes.gap))
    delta = xp.where(slot.shared & ~slot.whole, (q - y) / g, delta)
    log_weight = log_weight - xp.where(slot.shared, xp.log(g), 0.0)
    return q - slot.g * delta, q + (1 - slot.g) * delta, log_weight


def _gap_rule(xp: Namespace, decays: Array, nodes: Nodes) -> tuple[Array, Array]:
    """A rule on (0, 1) for what decays like exp(-drop t), another for what ends before."""
    (t0, log_v0), (t1, log_v1) = laguerre(nodes.gap, nodes.drop), legendre(nodes.gap)
    return xp.where(decays, t0, t1), xp.where(decays, log_v0, log_v1)


def _quantile_nodes(
    xp: Namespace, slot: Slot, y: Array, limits: tuple[Array, Array], count: int
) -> tuple[Array, Array]:
    low, high = xp.maximum(slot.low, y), slot.high
    g = xp.where(slot.whole, 1.0, slot.g)  # a whole one is its own order statistic
    base = xp.where(slot.shared, y, -np.inf)
    bound = slot.shared | slot.whole
    floor = xp.where(slot.whole, limits[0], base + g * (limits[0] - base))
    roof = xp.where(slot.whole, limits[1], base + g * (limits[1] - base))
    low = xp.where(bound, xp.maximum(low, floor), low)
    high = xp.where(bound, xp.minimum(high, roof), xp.minimum(high, limits[1]))
    width = high - low
    t, log_w = legendre(count)
    same = slot.shared & slot.whole
    q = xp.where(same, y, low + xp.maximum(width, 0.0) * t[:, None])
    return q, log_w[:, None] + xp.where(same, 0.0, _safe_log(xp, width))


def _value(xp: Namespace, scale: Scale, slot: Slot, above: Above | None, y: Array) -> Array:
    """Log probability of all above at y; above the last quantile, of the remaining values."""
    if above is None:
        return slot.remaining * log_ndtr(xp, -_live(scale, y))
    inside = slot.last | ((y < above.top) & (y > above.bottom))
    safe = xp.where(inside, y, 0.5 * (above.ends[0] + above.ends[1]))
    power = xp.where(slot.last, slot.remaining, above.power)
    top = xp.where(slot.last, FARTHEST, above.top)
    upper = slot.last | (slot.mode + above.top > 0)
    found = power * _log_between(xp, scale, safe, top, upper)
    rest = _series(xp, above, safe) + _vanish_below(xp, above, safe)
    return xp.where(inside, found + xp.where(slot.last, 0.0, rest), NONE)


def _vanish_below(xp: Namespace, above: Above, y: Array) -> Array:
    finite = xp.where(above.root > 0, above.bottom, above.ends[0] - 1)
    return above.root * xp.log(xp.maximum(y - finite, 1e-300))


def _series(xp: Namespace, above: Above, y: Array) -> Array:
    """Clenshaw's sum of the Chebyshev series."""
    low, high = above.ends
    x = (2 * y - low - high) / (high - low)
    first, second = 0.0, 0.0
    for k in range(above.series.shape[-1] - 1, 0, -1):
        first, second = above.series[..., k] + 2 * x * first - second, first
    return above.series[..., 0] + x * first - second


def _tabulate(
    xp: Namespace,
    scale: Scale,
    slot: Slot,
    ends: tuple[Array, Array],
    above: Above | None,
    nodes: Nodes,
) -> Above:
    """Integrate a quantile for a series in the order statistic below it."""
    blank = _vanishing(xp, slot, ends, above)
    at, to_series = chebyshev(nodes.below)
    low, high = blank.ends
    y = low + (high - low) * (1 + at[:, None, None]) / 2
    found = _integral(xp, scale, slot, y, above, nodes)
    upper = (low + high) / 2 + blank.top > 0
    known = blank.power * _log_between(xp, scale, y, blank.top, upper)
    known = known + _vanish_below(xp, blank, y)
    series = (found - known[..., 0, 0]) @ to_series.T
    return blank._replace(series=series[..., None, None, None, :])


def _vanishing(xp: Namespace, slot: Slot, ends: tuple[Array, Array], above: Above | None) -> Above:
    """Where, and by which powers, the probability of this quantile and those above vanishes."""
    floor, roof = _limits(xp, slot, above)
    power = xp.where(slot.shared, 1.0, slot.between + xp.where(slot.whole, 1.0, 2.0))
    own = xp.zeros_like(power) if above is None else xp.where(slot.last, 0.0, above.power)
    power = power + xp.where(slot.high >= roof, own, 0.0)
    joint = slot.shared & ~slot.whole
    rest = 1 - xp.where(joint, slot.g, 0.0)
    top = xp.where(joint, xp.minimum(slot.high, (slot.high - slot.g * floor) / rest), slot.high)
    reached = (slot.low - slot.g * roof) / rest
    bottom = xp.where(joint, reached, -np.inf)
    same = slot.shared & slot.whole
    bottom = xp.where(same, xp.maximum(slot.low, floor), bottom)
    power = xp.where(same, xp.where(slot.high >= roof, own, 0.0), power)
    root = xp.where(joint & (bottom > ends[0]), 1.0 + own, 0.0)
    low = xp.maximum(ends[0], bottom)
    high = xp.maximum(xp.minimum(ends[1], top), low + 1e-9)
    return Above(bottom, root, top, power, (low, high), None)


def _stop(xp: Namespace, x: Array) -> Array:
    if xp is np:
        return x
    from jax import lax

    return lax.optimization_barrier(lax.stop_gradient(x))


def _safe_log(xp: Namespace, x: Array) -> Array:
    return xp.where(x > 0, xp.log(xp.where(x > 0, x, 1.0)), NONE)
