"""Log probability that quantiles of normal samples fall where they were reported.

Exact from the joint distribution of order statistics, interpolated quantiles too.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, ndtri

from ....studies import positions
from ._quantile_nodes import Array, Namespace
from .quantile_chain import Nodes, Plan, chain

PROBABILITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
FINE = Nodes(below=20, quantile=24, gap=12, drop=18.0)
COARSE = Nodes(below=6, quantile=9, gap=4, drop=9.0)

type _Row = tuple[list[float], list[float], list[float]]


def plan(
    low: ArrayLike,
    high: ArrayLike,
    n: ArrayLike,
    probabilities: ArrayLike = PROBABILITIES,
    kind: int = 7,
) -> NDArray[np.float64]:
    """Lay out the reported quantiles of arms as one array.

    Parameters
    ----------
    low, high : array_like, shape (arms, m)
        Bounds between which each quantile lies; NaN where it is not reported.
    n : array_like, shape (arms,)
        Sizes of the samples, at least 3.
    probabilities : array_like, shape (m,)
        Which quantiles the columns are, in ascending order.
    kind : {7, 6}
        Definition of a sample quantile.

    Returns
    -------
    ndarray, shape (arms, q, fields)
        The fields are those of `Plan`; q is the most that one arm reports. An arm with fewer has
        empty slots at the end.
    """
    low, high = (np.atleast_2d(np.asarray(bound, dtype=float)) for bound in (low, high))
    n, p = np.atleast_1d(np.asarray(n, dtype=float)), np.asarray(probabilities, dtype=float)
    at = positions(n[:, None], p, kind)
    rows = [_row(a, b, h) for a, b, h in zip(low, high, at, strict=True)]
    slots = max([1, *(len(row[0]) for row in rows)])
    bounds = np.empty((3, len(rows), slots))
    real = np.zeros((len(rows), slots), dtype=bool)
    for i, row in enumerate(rows):
        bounds[:, i] = _filled(row, slots)
        real[i] = np.arange(slots) < len(row[0])
    low, high, at = bounds
    return np.stack(_fields(low, high, at, real, n), axis=-1)


def _row(low: NDArray[np.float64], high: NDArray[np.float64], at: NDArray[np.float64]) -> _Row:
    """Bounds and positions of what one arm reports; one position holds both its intervals."""
    lows, highs, places = [], [], []
    for a, b, h in zip(low.tolist(), high.tolist(), at.tolist(), strict=True):
        if np.isnan(a) or np.isnan(b):
            continue
        if places and h == places[-1]:
            lows[-1], highs[-1] = max(a, lows[-1]), min(b, highs[-1])
            continue
        lows.append(a)
        highs.append(b)
        places.append(h)
    return lows, highs, places


def _filled(row: _Row, slots: int) -> NDArray[np.float64]:
    """Bounds in ascending order, and positions, the last repeated in empty slots."""
    low, high, at = (np.array(part) for part in (row if row[0] else ([-np.inf], [np.inf], [1.0])))
    low = np.maximum.accumulate(low)
    high = np.minimum.accumulate(high[::-1])[::-1]
    return np.stack([np.pad(part, (0, slots - part.size), "edge") for part in (low, high, at)])


def _fields(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    at: NDArray[np.float64],
    real: NDArray[np.bool_],
    n: NDArray[np.float64],
) -> Plan:
    size = np.broadcast_to(n[:, None], at.shape)
    rank, top = np.floor(at), np.ceil(at)
    zero = np.zeros((n.size, 1))
    top_before, at_before = (np.hstack([zero, x[:, :-1]]) for x in (top, at))
    last = real & ~np.hstack([real[:, 1:], zero > 0])
    after_this = np.where(last, size + 1, np.hstack([at[:, 1:], zero]))
    between = np.where(real, rank - top_before - 1, 0.0)
    remaining = np.where(last, size - top, 0.0)
    counts = gammaln(np.maximum(between, 0.0) + 1) + gammaln(remaining + 1)
    return Plan(
        low=low,
        high=high,
        share=at - rank,
        between=np.maximum(between, 0.0),
        remaining=remaining,
        shared=(between < 0) * 1.0,
        real=real * 1.0,
        last=last * 1.0,
        expected=ndtri((at - 0.375) / (size + 0.25)),
        after=np.maximum(at - at_before - 1, 0.0),
        before=np.maximum(after_this - at - 1, 0.0),
        above=np.maximum(after_this - top - 1, 0.0),
        constant=np.broadcast_to((gammaln(n + 1) - counts.sum(axis=1))[:, None], at.shape),
    )


def log_probability(
    xp: Namespace, arrays: Array, mu: Array, sigma: Array, nodes: Nodes = FINE
) -> Array:
    """Log probability that all reported quantiles of each arm fall between their bounds.

    Parameters
    ----------
    xp : module
        ``numpy`` or ``jax.numpy``.
    arrays : array, shape (arms, q, fields)
        From `plan`.
    mu, sigma : array, shape (..., arms)
        Mean and SD of the observations.
    nodes : Nodes
        `FINE` or `COARSE`.

    Returns
    -------
    array, shape (..., arms)
        0 for an arm without quantiles, -inf where the bounds contradict their order.

    References
    ----------
    David HA, Nagaraja HN (2003). Order Statistics. 3rd ed. Wiley, section 2.2.

    Examples
    --------
    >>> arrays = plan([[4.5, 6.5, 11.5]], [[5.5, 7.5, 12.5]], [40], [0.25, 0.5, 0.75])
    >>> log_probability(np, arrays, np.array([8.0]), np.array([5.0])).round(4)
    array([-4.4806])
    """
    mu, sigma = xp.broadcast_arrays(xp.asarray(mu), xp.asarray(sigma))
    if xp is not np:
        return _differentiable(nodes)(arrays, mu, sigma)
    shape = mu.shape
    mu, sigma = mu.reshape(-1, shape[-1]), sigma.reshape(-1, shape[-1])
    cells = shape[-1] * nodes.quantile * nodes.gap * (nodes.below if arrays.shape[-2] > 1 else 1)
    step = max(1, 200_000 // cells)  # so that a block stays in the processor's cache
    blocks = range(0, len(mu), step)
    found = [chain(np, arrays, mu[i : i + step], sigma[i : i + step], nodes) for i in blocks]
    return np.concatenate(found).reshape(shape) if found else np.empty(shape)


@cache
def _differentiable(nodes: Nodes) -> Callable[[Array, Array, Array], Array]:
    """The chain in JAX with its two slopes an arm computed forward: nothing is stored."""
    import jax
    import jax.numpy as jnp

    @jax.custom_jvp
    def value(arrays: Array, mu: Array, sigma: Array) -> Array:
        return chain(jnp, arrays, mu, sigma, nodes)

    @value.defjvp
    def slopes(
        primals: tuple[Array, Array, Array], tangents: tuple[Array, Array, Array]
    ) -> tuple[Array, Array]:
        arrays, mu, sigma = primals
        one = jnp.ones_like(mu)
        found, in_mu = jax.jvp(lambda m: chain(jnp, arrays, m, sigma, nodes), (mu,), (one,))
        _, in_sigma = jax.jvp(lambda s: chain(jnp, arrays, mu, s, nodes), (sigma,), (one,))
        return found, in_mu * tangents[1] + in_sigma * tangents[2]

    return value


def rough_moments(
    q: ArrayLike, n: ArrayLike, probabilities: ArrayLike = PROBABILITIES, kind: int = 7
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rough mean and SD of normal samples from their quantiles, to start a search from.

    Quantiles against their expected normal scores by least squares; a single quantile gives the
    mean, with an SD of NaN.

    Parameters
    ----------
    q : array_like, shape (arms, m)
        NaN where not reported.
    n : array_like, shape (arms,)
    probabilities : array_like, shape (m,)
    kind : {7, 6}

    Returns
    -------
    tuple of ndarray, each (arms,)

    References
    ----------
    Wan X, Wang W, Liu J, Tong T (2014). BMC Medical Research Methodology 14:135.

    Examples
    --------
    >>> mean, sd = rough_moments([[5.0, 7.0, 9.0]], [40], [0.25, 0.5, 0.75])
    >>> mean.round(2), sd.round(2)
    (array([7.]), array([3.08]))
    """
    q, n = np.atleast_2d(np.asarray(q, dtype=float)), np.atleast_1d(np.asarray(n, dtype=float))
    at = positions(n[:, None], np.asarray(probabilities, dtype=float), kind)
    known = ~np.isnan(q)
    score = np.where(known, ndtri((at - 0.375) / (n[:, None] + 0.25)), 0.0)
    count = known.sum(axis=1)
    values = np.where(known, q, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, mean = score.sum(axis=1) / count, values.sum(axis=1) / count
        off = np.where(known, score - centre[:, None], 0.0)
        sd = (off * values).sum(axis=1) / (off**2).sum(axis=1)
        return mean - np.where(count > 1, sd * centre, 0.0), sd
