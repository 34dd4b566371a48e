"""What the counts of a table say, given its effect and baseline: each law once, in NumPy or JAX."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import gammaln, xlogy

FARTHEST = 150.0  # logits: beyond, no risk changes any more

type Namespace = Any  # numpy or jax.numpy
type Both = Any  # an array of either
type Risks = tuple[Both, Both, Both, Both]


def _log_expit_both(xp: Namespace, x: Both) -> tuple[Both, Both]:
    """Logs of expit(x) and expit(-x)."""
    rest = xp.log1p(xp.exp(-xp.abs(x)))
    return xp.minimum(x, 0.0) - rest, xp.minimum(-x, 0.0) - rest


def log_risks_half(xp: Namespace, theta: Both, beta: Both) -> Risks:
    """Logs of p1, 1 - p1, p0, 1 - p0 for a log odds ratio in ±½ coding."""
    up, down = beta + theta / 2, beta - theta / 2
    return *_log_expit_both(xp, up), *_log_expit_both(xp, down)


def log_risks_zero_one(xp: Namespace, theta: Both, beta: Both) -> Risks:
    """Logs of p1, 1 - p1, p0, 1 - p0 for a log odds ratio in 0/1 coding."""
    up = beta + theta
    return *_log_expit_both(xp, up), *_log_expit_both(xp, beta)


def log_risks_rr(xp: Namespace, theta: Both, beta: Both) -> Risks:
    """Logs of p1, 1 - p1, p0, 1 - p0 for a log risk ratio and half the log odds product.

    With a = exp(theta), S = √((1-a)² + 4a exp(-2 beta)), D = 1 + a + S: p0 = 2/D, p1 = a p0,
    (1 - p0) D = a - 1 + S and (1 - p1) D = 1 - a + S; the product of the last two is
    4a exp(-2 beta), which gives the one that cancels from the other.
    """
    a = xp.exp(theta)
    d = xp.abs(1 - a)
    s = xp.sqrt(d**2 + 4 * a * xp.exp(-2 * beta))
    log_total = xp.log(1 + a + s)
    large = xp.log(s + d)
    small = xp.log(4) + theta - 2 * beta - large
    p0 = xp.log(2) - log_total
    q1 = xp.where(a > 1, small, large) - log_total
    q0 = xp.where(a < 1, small, large) - log_total
    return p0 + theta, q1, p0, q0


def log_risks_rd(xp: Namespace, theta: Both, beta: Both) -> Risks:
    """Logs of p1, 1 - p1, p0, 1 - p0 for theta = atanh(p1 - p0) and half the log odds product.

    With e = |p1 - p0|, s = exp(2 beta) and R = √(e²(s-1)² + 4s), the smaller risk is
    2s(1-e)/(s(2-e) + e + R) and the larger one's complement 2(1-e)/(2 - e + es + R): sums of
    positive terms, as are the smaller plus e and the complement plus e.
    """
    size = xp.abs(theta)
    e, log_rest = xp.tanh(size), xp.log(2) - xp.logaddexp(0, 2 * size)  # log(1 - e)
    s = xp.exp(2 * beta)
    root = xp.sqrt(e**2 * (s - 1) ** 2 + 4 * s)
    log_small = xp.log(2) + 2 * beta + log_rest - xp.log(s * (2 - e) + e + root)
    log_not_large = xp.log(2) + log_rest - xp.log(2 - e + e * s + root)
    log_large, log_not_small = xp.log(xp.exp(log_small) + e), xp.log(xp.exp(log_not_large) + e)
    up = theta > 0
    p1, q1 = xp.where(up, log_large, log_small), xp.where(up, log_not_large, log_not_small)
    p0, q0 = xp.where(up, log_small, log_large), xp.where(up, log_not_small, log_not_large)
    return p1, q1, p0, q0


_LOG_RISKS = {
    "OR half": log_risks_half,
    "OR zero_one": log_risks_zero_one,
    "RR": log_risks_rr,
    "RD": log_risks_rd,
}


def log_risks(xp: Namespace, link: str, theta: Both, beta: Both) -> Risks:
    """Logs of p1, 1 - p1, p0, 1 - p0 given effect and baseline."""
    return _LOG_RISKS[link](xp, theta, beta)


def log_of_arms(xp: Namespace, link: str, row: Sequence[Both], theta: Both, beta: Both) -> Both:
    """Log likelihood of two arms, without the factors that are free of effect and baseline.

    Parameters
    ----------
    xp : module
        ``numpy`` or ``jax.numpy``.
    link : {"OR half", "OR zero_one", "RR", "RD", "IRR"}
    row : sequence of four
        Events and patients (for IRR person-time) of the treatment arm, then of the control arm.
    theta, beta : array
        In a common shape with what stands in `row`.
    """
    a, n1, c, n0 = row
    if link == "IRR":
        up, down = beta + theta / 2, beta - theta / 2
        return a * up + c * down - n1 * xp.exp(up) - n0 * xp.exp(down)
    p1, q1, p0, q0 = _LOG_RISKS[link](xp, theta, beta)
    return a * p1 + (n1 - a) * q1 + c * p0 + (n0 - c) * q0


def start_of_baseline(xp: Namespace, link: str, row: Sequence[Both]) -> Both:
    """Where the search for the mode of the baseline begins: the middle of the two arms."""
    a, n1, c, n0 = row
    if link == "IRR":
        return 0.5 * (xp.log((a + 0.5) / n1) + xp.log((c + 0.5) / n0))
    odds = (a + 0.5) / (n1 - a + 0.5), (c + 0.5) / (n0 - c + 0.5)
    return 0.5 * (xp.log(odds[0]) + xp.log(odds[1]))


def margins(xp: Namespace, support: int, row: Sequence[Both]) -> tuple[Both, Both]:
    """Counts of treatment events that tables with these margins may hold, and their log weights.

    Parameters
    ----------
    xp : module
    support : int
        How many counts, at least as many as any table may hold.
    row : sequence of four arrays, each (k,)

    Returns
    -------
    tuple of array, shape (k, support)
        Weights at theta = 0, -inf for counts that are none.
    """
    _, n1, _, n0 = row
    m = row[0] + row[2]
    low, high = xp.maximum(0.0, m - n0), xp.minimum(n1, m)
    at = low[:, None] + np.arange(float(support))
    inside = at <= high[:, None]
    count = xp.where(inside, at, low[:, None])
    return count, xp.where(
        inside, _weight(xp, count, n1[:, None], m[:, None], n0[:, None]), -xp.inf
    )


def _weight(xp: Namespace, count: Both, n1: Both, m: Both, n0: Both) -> Both:
    parts = (count, n1 - count, m - count, n0 - m + count)
    return -_lgamma(xp)(xp.stack(parts) + 1).sum(axis=0)


def fisher(xp: Namespace, row: Sequence[Both], theta: Both, *, support: int) -> Both:
    """Log of Fisher's non-central hypergeometric probabilities at theta (k, n)."""
    a, n1, c, n0 = row
    count, weight = margins(xp, support, row)
    top, rest = log_sum(xp, count - a[:, None], weight, theta)
    return _weight(xp, a, n1, a + c, n0)[:, None] - top - rest


def log_sum(xp: Namespace, count: Both, weight: Both, theta: Both) -> tuple[Both, Both]:
    """Log of the sum of ``exp(weight + theta count)``, (k, c), at every theta (k, n).

    In two parts: of the largest term, and of the sum over it.
    """
    each = weight[:, None] + theta[..., None] * count[:, None]
    top = each.max(axis=-1)
    return top, xp.log(xp.exp(each - top[..., None]).sum(axis=-1))


def proportion(xp: Namespace, row: Sequence[Both], theta: Both, *, support: int = 0) -> Both:
    """Log binomial likelihoods of single arms at theta (k, n), without coefficients."""
    events, n = (each[:, None] for each in row)
    return -events * xp.logaddexp(0.0, -theta) - (n - events) * xp.logaddexp(0.0, theta)


def incidence(xp: Namespace, row: Sequence[Both], theta: Both, *, support: int = 0) -> Both:
    """Log Poisson likelihoods of single arms at theta (k, n), without factorials."""
    events, time = (each[:, None] for each in row)
    log_mean = xp.log(time) + theta
    return events * log_mean - xp.exp(xp.minimum(log_mean, 700.0))


# Likelihoods without a baseline, by link.
GIVEN_EFFECT: dict[str, Callable[..., Both]] = {
    "hypergeometric": fisher,
    "PLO": proportion,
    "IRLN": incidence,
}


def constants(link: str, row: Sequence[Both]) -> np.ndarray:
    """Sum over the last axis of the factors that are left out above, and over arms; NaN is none."""
    return np.nansum(constants_of_each(link, row), axis=-1)


def constants_of_each(link: str, row: Sequence[Both]) -> np.ndarray:
    """Log of the factors that are left out above, of both arms together, by study."""
    total = np.zeros(np.shape(row[0]))
    for e, n in zip(row[::2], row[1::2], strict=True):
        total = total + _LEFT_OUT[link](e, n)
    return total


def _of_binomial(e: np.ndarray, n: np.ndarray) -> np.ndarray:
    return gammaln(n + 1) - gammaln(e + 1) - gammaln(n - e + 1)


def _of_poisson(e: np.ndarray, time: np.ndarray) -> np.ndarray:
    return xlogy(e, time) - gammaln(e + 1)


_LEFT_OUT: dict[str, Callable[..., np.ndarray]] = {
    **dict.fromkeys(("OR half", "OR zero_one", "RR", "RD", "PLO"), _of_binomial),
    "IRR": _of_poisson,
    "IRLN": lambda e, time: -gammaln(e + 1),
    "hypergeometric": lambda e, n: np.zeros(np.shape(e)),
}


def _lgamma(xp: Namespace) -> Callable[..., Both]:
    if xp is np:
        return gammaln
    from jax.scipy.special import gammaln as gammaln_jax

    return gammaln_jax
