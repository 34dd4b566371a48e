"""The likelihood of one two-arm table as a function of its effect, the baseline integrated out."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, log_expit

from ..priors import Prior, log_density

type Array = NDArray[np.float64]

FARTHEST = 150.0  # logits: nobody's risk lies beyond


class Table(NamedTuple):
    """One study: events and patients of the two arms."""

    events_treatment: float
    n_treatment: float
    events_control: float
    n_control: float


class Grid(NamedTuple):
    """Uniform grid ``-half, ..., half`` of `size` points; hashable, so that tables are kept."""

    half: float
    size: int

    @property
    def points(self) -> Array:
        """The points, shape (size,)."""
        return np.linspace(-self.half, self.half, self.size)

    @property
    def step(self) -> float:
        """Distance of neighbours."""
        return 2 * self.half / (self.size - 1)


@lru_cache(maxsize=512)
def log_likelihood(
    table: Table, measure: str, baseline: Prior, grid: Grid, spacing: float
) -> Array:
    """Log of ``∫ p(table | theta, beta) p(beta) dbeta`` on a grid of theta.

    Parameters
    ----------
    table : Table
    measure : {"OR", "RR"}
    baseline : Prior
        Of beta, on the logit scale.
    grid : Grid
        Of theta.
    spacing : float
        Step of the trapezoidal rule in u, where beta = mode + s sinh(u): dense at the mode,
        with tails that reach the ends of a vague prior in few points.

    Returns
    -------
    ndarray, shape (grid.size,), read-only
        The same array for the same arguments: scenarios share most of their studies.
    """
    theta = grid.points
    joint = joint_density(table, measure, baseline)
    mode, s = mode_of_beta(joint, theta, table)
    u = alive(joint, theta, mode, s, spacing)
    value = np.empty_like(theta)
    for part in np.array_split(np.arange(theta.size), max(1, theta.size // 1024)):
        beta, log_weight = beta_nodes(mode[part], s[part], u, spacing)
        each = joint(theta[part, None], beta) + log_weight
        top = each.max(axis=1)
        value[part] = top + np.log(np.exp(each - top[:, None]).sum(axis=1))
    value += _log_choose(table)
    value.setflags(write=False)
    return value


def joint_density(table: Table, measure: str, baseline: Prior) -> Callable[[Array, Array], Array]:
    """Log of likelihood times prior of beta, without the binomial coefficients."""
    a, n1, c, n0 = table

    def joint(theta: Array, beta: Array) -> Array:
        p1, q1, p0, q0 = LOG_RISKS[measure](np.clip(theta, -FARTHEST, FARTHEST), beta)
        return a * p1 + (n1 - a) * q1 + c * p0 + (n0 - c) * q0 + log_density(baseline, beta)

    return joint


def _reach(s: Array, spacing: float) -> Array:
    reach = np.arcsinh(FARTHEST / s.min())
    return np.arange(-reach, reach + spacing, spacing)


def alive(
    joint: Callable[[Array, Array], Array], theta: Array, mode: Array, s: Array, spacing: float
) -> Array:
    """The part of u that matters, seen at every 32nd theta: a table with events needs little."""
    few = slice(None, None, 32)
    u = _reach(s, spacing)
    beta, log_weight = beta_nodes(mode[few], s[few], u, spacing)
    each = joint(theta[few, None], beta) + log_weight
    seen = np.flatnonzero((each > each.max(axis=1, keepdims=True) - 50).any(axis=0))
    return u[max(seen[0] - 2, 0) : seen[-1] + 3]


def beta_nodes(mode: Array, s: Array, u: Array, spacing: float) -> tuple[Array, Array]:
    """Nodes ``mode + s sinh(u)`` and log weights, shape (j, nodes)."""
    beta = mode[:, None] + s[:, None] * np.sinh(u)
    log_weight = np.log(s[:, None] * np.cosh(u) * spacing)
    outside = np.abs(beta) > FARTHEST
    return np.clip(beta, -FARTHEST, FARTHEST), np.where(outside, -np.inf, log_weight)


def log_risks_or(theta: Array, beta: Array) -> tuple[Array, Array, Array, Array]:
    """Logs of p1, 1 - p1, p0, 1 - p0 for a log odds ratio in ±½ coding."""
    up, down = beta + theta / 2, beta - theta / 2
    return log_expit(up), log_expit(-up), log_expit(down), log_expit(-down)


def log_risks_rr(theta: Array, beta: Array) -> tuple[Array, Array, Array, Array]:
    """Logs of p1, 1 - p1, p0, 1 - p0 for a log risk ratio and half the log odds product.

    With a = exp(theta), S = √((1-a)² + 4a exp(-2 beta)), D = 1 + a + S: p0 = 2/D, p1 = a p0,
    (1 - p0) D = a - 1 + S and (1 - p1) D = 1 - a + S; the product of the last two is
    4a exp(-2 beta), which gives the one that cancels from the other.
    """
    a = np.exp(theta)
    d = np.abs(1 - a)
    s = np.sqrt(d**2 + 4 * a * np.exp(-2 * beta))
    log_total = np.log(1 + a + s)
    large = np.log(s + d)
    small = np.log(4) + theta - 2 * beta - large
    p0 = np.log(2) - log_total
    q1 = np.where(a > 1, small, large) - log_total
    q0 = np.where(a < 1, small, large) - log_total
    return p0 + theta, q1, p0, q0


LOG_RISKS = {"OR": log_risks_or, "RR": log_risks_rr}


def mode_of_beta(
    joint: Callable[[Array, Array], Array], theta: Array, table: Table
) -> tuple[Array, Array]:
    """Mode of beta at each theta by damped Newton steps, and its scale; both (j,).

    Where the nodes are centred only decides how many are needed, so differences do for slopes.
    """
    beta, delta = np.full_like(theta, _start(table)), 1e-3
    curvature = np.ones_like(theta)
    for _ in range(30):
        below, here, above = (joint(theta, beta + shift) for shift in (-delta, 0.0, delta))
        slope = (above - below) / (2 * delta)
        curvature = np.maximum(-(above - 2 * here + below) / delta**2, 1e-3)
        step = np.clip(slope / curvature, -2.0, 2.0)
        beta = beta + step
        if np.abs(step).max() < 1e-2:
            break
    return beta, np.clip(curvature**-0.5, 1e-4, 1.0)


def _start(table: Table) -> float:
    a, n1, c, n0 = table
    return 0.5 * float(np.log((a + 0.5) / (n1 - a + 0.5)) + np.log((c + 0.5) / (n0 - c + 0.5)))


def _log_choose(table: Table) -> float:
    a, n1, c, n0 = table
    return float(
        sum(gammaln(n + 1) - gammaln(e + 1) - gammaln(n - e + 1) for e, n in ((a, n1), (c, n0)))
    )
