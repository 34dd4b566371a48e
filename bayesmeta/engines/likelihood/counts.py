"""Likelihoods of whole tables of counts at nodes of theta, in NumPy or JAX."""

# NumPy's and JAX's arrays stand for each other:
# pyright: reportArgumentType=false
# pyright: reportOperatorIssue=false

from collections.abc import Callable, Mapping

import numpy as np

from .tables import FARTHEST, LOG_RISKS, Both, Namespace

type Array = Both
type Columns = Mapping[str, Array]
type Found = tuple[Array, Array]

NEWTON = 10


def with_baseline(
    xp: Namespace,
    link: str,
    nodes: int,
    columns: Columns,
    log_beta: Callable,
    theta: Array,
    *,
    tails: bool,
) -> Found:
    """Log likelihoods of two arms at theta (k, n), baselines integrated out, and errors (k,).

    Parameters
    ----------
    xp : module
        ``numpy`` or ``jax.numpy``.
    link : {"OR half", "OR zero_one", "RR", "RD", "IRR"}
    nodes : int
        Of the trapezoidal rule for the baseline, about its mode.
    columns : mapping
        Events and patients, or person-time, each (k,).
    log_beta : callable
        Log density of the baseline's prior.
    theta : array, shape (k, n)
    tails : bool
        Whether the nodes are stretched to the far tails of a vague prior.
    """
    row = tuple(columns[name][:, None] for name in columns)
    mode, s = _mode(xp, link, row, log_beta, theta)
    if tails:
        reach = xp.arcsinh(FARTHEST / s)[..., None]
        u = reach * np.linspace(-1, 1, nodes)
        beta = mode[..., None] + s[..., None] * xp.sinh(u)
        log_weight = xp.log(s[..., None] * xp.cosh(u) * 2 * reach / (nodes - 1))
    else:
        u = np.linspace(-6.0, 6.0, nodes)
        beta = mode[..., None] + s[..., None] * u
        log_weight = xp.log(s)[..., None] + np.log(u[1] - u[0])
    cell = tuple(part[..., None] for part in row)
    each = _joint(xp, link, cell, log_beta, theta[..., None], beta) + log_weight
    top = each.max(axis=-1)
    share = xp.exp(each - top[..., None])
    total = share.sum(axis=-1)
    ends = xp.maximum(share[..., 0], share[..., -1]) / total
    gap = xp.abs(share[..., ::2].sum(axis=-1) - share[..., 1::2].sum(axis=-1)) / total
    at = theta.shape[-1] // 2  # what matters lies about the estimate, in the middle
    middle = slice(at - theta.shape[-1] // 4, at + theta.shape[-1] // 4 + 1)
    error = xp.maximum(ends, gap**2)[..., middle].max(axis=-1)
    return top + xp.log(total), error


def _joint(
    xp: Namespace, link: str, row: tuple[Array, ...], log_beta: Callable, theta: Array, beta: Array
) -> Array:
    """Log of likelihood times prior of beta, without the factors that are free of both."""
    a, n1, c, n0 = row
    if link == "IRR":
        up, down = beta + theta / 2, beta - theta / 2
        return a * up + c * down - n1 * xp.exp(up) - n0 * xp.exp(down) + log_beta(beta)
    p1, q1, p0, q0 = LOG_RISKS[link](xp, theta, beta)
    return a * p1 + (n1 - a) * q1 + c * p0 + (n0 - c) * q0 + log_beta(beta)


def _mode(
    xp: Namespace, link: str, row: tuple[Array, ...], log_beta: Callable, theta: Array
) -> tuple[Array, Array]:
    """Mode of the baseline at each theta, and its scale, both (k, n)."""
    a, n1, c, n0 = row
    if link == "IRR":
        beta = 0.5 * (xp.log((a + 0.5) / n1) + xp.log((c + 0.5) / n0)) + 0 * theta
    else:
        odds = (a + 0.5) / (n1 - a + 0.5), (c + 0.5) / (n0 - c + 0.5)
        beta = 0.5 * (xp.log(odds[0]) + xp.log(odds[1])) + 0 * theta

    def step(_: int, state: tuple[Array, Array]) -> tuple[Array, Array]:
        slope, curvature = _slopes(xp, link, row, log_beta, theta, state[0])
        curvature = xp.maximum(curvature, 1e-3)
        return state[0] + xp.clip(slope / curvature, -3.0, 3.0), curvature

    state = beta, xp.ones_like(beta)
    if xp is np:
        for i in range(NEWTON):
            state = step(i, state)
    else:
        from jax import lax

        state = lax.fori_loop(0, NEWTON, step, state)
    return state[0], xp.clip(state[1] ** -0.5, 1e-4, 1.5)


def _slopes(
    xp: Namespace, link: str, row: tuple[Array, ...], log_beta: Callable, theta: Array, beta: Array
) -> tuple[Array, Array]:
    """First derivative in beta, and minus the second."""
    a, n1, c, n0 = row
    delta = 1e-3
    if link in ("RR", "RD"):
        below, here, above = (
            _joint(xp, link, row, log_beta, theta, beta + shift) for shift in (-delta, 0.0, delta)
        )
        return (above - below) / (2 * delta), -(above - 2 * here + below) / delta**2
    below, here, above = (log_beta(beta + shift) for shift in (-delta, 0.0, delta))
    slope, curvature = (above - below) / (2 * delta), -(above - 2 * here + below) / delta**2
    part = (0.0, 1.0) if link == "OR zero_one" else (-0.5, 0.5)
    for events, n, share in ((a, n1, part[1]), (c, n0, part[0])):
        at = beta + share * theta
        if link == "IRR":
            mean = spread = n * xp.exp(at)
        else:
            p = 1 / (1 + xp.exp(-at))
            mean, spread = n * p, n * p * (1 - p)
        slope, curvature = slope + events - mean, curvature + spread
    return slope, curvature


def fisher(xp: Namespace, support: int, columns: Columns, theta: Array) -> Found:
    """Log of Fisher's non-central hypergeometric probabilities at theta (k, n).

    `support` is how many counts are summed over, at least as many as any table may hold.
    """
    a, n1, c, n0 = (columns[name] for name in columns)
    lgamma = _lgamma(xp)
    m = a + c
    low, high = xp.maximum(0.0, m - n0), xp.minimum(n1, m)
    at = low[:, None] + np.arange(float(support))
    inside = at <= high[:, None]
    count = xp.where(inside, at, low[:, None])
    parts = (count, n1[:, None] - count, m[:, None] - count, (n0 - m)[:, None] + count)
    weight = xp.where(inside, -lgamma(xp.stack(parts) + 1).sum(axis=0), -xp.inf)
    own = -lgamma(xp.stack([a, n1 - a, c, n0 - c]) + 1).sum(axis=0)
    each = weight[:, None] + theta[..., None] * (count - a[:, None])[:, None]
    top = each.max(axis=-1)
    total = xp.log(xp.exp(each - top[..., None]).sum(axis=-1))
    return own[:, None] - top - total, xp.zeros(a.shape)


def proportion(xp: Namespace, columns: Columns, theta: Array) -> Found:
    """Log binomial likelihoods of single arms at theta (k, n), without coefficients."""
    events, n = (columns[name][:, None] for name in columns)
    value = -events * xp.logaddexp(0.0, -theta) - (n - events) * xp.logaddexp(0.0, theta)
    return value, xp.zeros(theta.shape[0])


def incidence(xp: Namespace, columns: Columns, theta: Array) -> Found:
    """Log Poisson likelihoods of single arms at theta (k, n), without factorials."""
    events, time = (columns[name][:, None] for name in columns)
    log_mean = xp.log(time) + theta
    return events * log_mean - xp.exp(xp.minimum(log_mean, 700.0)), xp.zeros(theta.shape[0])


def constants(link: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Sum over studies of the factors that the likelihoods above leave out; NaN is no study."""
    from scipy.special import gammaln

    names = list(columns)
    total = 0.0
    for events, size in zip(names[::2], names[1::2], strict=True):
        e, n = columns[events], columns[size]
        if link in ("IRR", "IRLN"):
            kept = e * np.log(n) if link == "IRR" else 0.0
            total = total + np.nansum(kept - gammaln(e + 1), axis=-1)
        elif link != "hypergeometric":
            total = total + np.nansum(gammaln(n + 1) - gammaln(e + 1) - gammaln(n - e + 1), axis=-1)
    return np.asarray(total)


def _lgamma(xp: Namespace) -> Callable:
    if xp is np:
        from scipy.special import gammaln

        return gammaln
    from jax.scipy.special import gammaln as gammaln_jax

    return gammaln_jax
