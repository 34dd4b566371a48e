"""The likelihood of one two-arm table as a function of its effect, the baseline integrated out."""

# SciPy types its results as unions with a second return value:
# pyright: reportOperatorIssue=false

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, expit, gammaln, pdtr, xlogy

from ...priors import Prior, log_density

type Array = NDArray[np.float64]

FARTHEST = 150.0  # logits: beyond, no risk changes any more
FARTHEST_BASELINE, DEAD = 1e15, 45.0  # how far a prior of the baseline is followed, and how low


type Namespace = Any  # numpy or jax.numpy
type Both = Any  # an array of either
type Risks = tuple[Both, Both, Both, Both]
type Row = tuple[float, ...]  # events and patients (or person-time) of treatment, then of control
type Joint = Callable[[Array, Array], Array]
type Part = Literal["all", "control", "below"]


class Grid(NamedTuple):
    """Uniform grid of `size` points about a point of its own; hashable, so that rows are kept."""

    centre: float
    step: float
    size: int

    @property
    def points(self) -> Array:
        """The points, shape (size,); entry ``size // 2`` is the centre."""
        return self.centre + self.step * np.arange(
            -(self.size // 2), self.size - self.size // 2, dtype=np.float64
        )

    @property
    def half(self) -> float:
        """Distance from the centre to the nearer end."""
        return self.step * (self.size - self.size // 2 - 1)


class Graded(NamedTuple):
    """Points ``sign exp(v)`` with v uniform: as dense near zero as they are near to it."""

    sign: float
    first: float
    step: float
    size: int

    @property
    def logs(self) -> Array:
        """v, the logarithms of their sizes, shape (size,)."""
        return self.first + self.step * np.arange(self.size, dtype=np.float64)

    @property
    def points(self) -> Array:
        """The points, shape (size,)."""
        return self.sign * np.exp(self.logs)


class Places(NamedTuple):
    """Points wherever they are asked for."""

    values: tuple[float, ...]

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def points(self) -> Array:
        """The points, shape (size,)."""
        return np.array(self.values)


type Points = Grid | Graded | Places


@lru_cache(maxsize=512)
def log_likelihood(
    row: Row,
    link: str,
    baseline: Prior,
    grid: Points,
    spacing: float,
    part: Part = "all",
) -> Array:
    """Log of ``∫ p(row | theta, beta) p(beta) dbeta`` on a grid of theta.

    Parameters
    ----------
    row : tuple of float
        Events and patients (for IRR person-time) of the treatment arm, then of the control arm.
    link : {"OR half", "OR zero_one", "RR", "RD", "IRR"}
        How theta and beta make the two risks or rates.
    baseline : Prior
        Of beta, on the logit scale (for IRR: of the log rate).
    grid : Grid, Graded or Places
        Of theta.
    spacing : float
        Step of the trapezoidal rule in u, where beta = mode + s sinh(u): dense at the mode,
        with tails that reach the ends of a vague prior in few points.
    part : {"all", "control", "below"}
        Of the row: both arms; the control arm alone; or the control arm and the probability that
        the treatment arm has fewer events than it has, -inf where that cannot be.

    Returns
    -------
    ndarray, shape (grid.size,), read-only
        The same array for the same arguments: scenarios share most of their studies.
    """
    theta = grid.points
    if part == "below" and row[0] == 0:
        return np.full_like(theta, -np.inf)
    joint = joint_of_part(row, link, baseline, part)
    mode, s = mode_of_beta(joint, theta, start_of_beta(row, link))
    if part != "all":
        row = (0.0, 0.0, *row[2:])
    u = alive(joint, theta, mode, s, spacing, reach_of(baseline))
    value = np.empty_like(theta)
    for some in np.array_split(np.arange(theta.size), max(1, theta.size // 1024)):
        beta, log_weight = beta_nodes(mode[some], s[some], u, spacing)
        each = joint(theta[some, None], beta) + log_weight
        top = each.max(axis=1)
        value[some] = top + np.log(np.exp(each - top[:, None]).sum(axis=1))
    value += _log_constant(row, link)
    value.setflags(write=False)
    return value


def joint_of_part(row: Row, link: str, baseline: Prior, part: Part) -> Joint:
    """As ``joint_density``, of a part of the row."""
    if part == "all":
        return joint_density(row, link, baseline)
    a, n1, *control = row
    alone = joint_density((0.0, 0.0, *control), link, baseline)
    if part == "control":
        return alone

    fewer = _log_fewer(a, n1, link)

    def below(theta: Array, beta: Array) -> Array:
        inside, at = (np.clip(part, -FARTHEST, FARTHEST) for part in (theta, beta))
        if link == "IRR":
            return alone(theta, beta) + fewer(np.log(n1) + at + inside / 2)
        p1, q1, *_ = LOG_RISKS[link](np, inside, at)
        return alone(theta, beta) + fewer(p1 - q1)

    return below


@lru_cache(maxsize=512)
def _log_fewer(events: float, n: float, link: str) -> Callable[[Array], Array]:
    """Log probability of fewer events as a function of the logit of the risk, or the log mean.

    Read off a table that is fine where the probability falls, to about 1e-5: incomplete beta
    functions cost thirty times as much.
    """
    poisson = link == "IRR"
    rest = 1.0 if poisson else n - events + 1
    centre, width = np.log(events / rest), (1 / events + (0.0 if poisson else 1 / rest)) ** 0.5
    far = float(np.arcsinh((40 + abs(centre)) / width))
    u = np.linspace(-far, far, 4097)
    x = centre + width * np.sinh(u)
    each = pdtr(events - 1, np.exp(x)) if poisson else bdtr(events - 1, int(n), expit(x))
    table, step = np.log(np.maximum(each, 1e-300)), u[1] - u[0]

    def at(x: Array) -> Array:
        place = (np.clip(np.arcsinh((x - centre) / width), -far, far) + far) / step
        cell = np.minimum(place.astype(np.intp), table.size - 2)
        low = table[cell]
        return low + (place - cell) * (table[cell + 1] - low)

    return at


def joint_density(row: Row, link: str, baseline: Prior) -> Joint:
    """Log of likelihood times prior of beta, without the factors that are free of both."""
    a, n1, c, n0 = row

    def binomial(theta: Array, beta: Array) -> Array:
        inside = (np.clip(part, -FARTHEST, FARTHEST) for part in (theta, beta))
        p1, q1, p0, q0 = LOG_RISKS[link](np, *inside)
        return a * p1 + (n1 - a) * q1 + c * p0 + (n0 - c) * q0 + log_density(baseline, beta)

    def poisson(theta: Array, beta: Array) -> Array:
        theta, inside = (np.clip(part, -FARTHEST, FARTHEST) for part in (theta, beta))
        up, down = inside + theta / 2, inside - theta / 2
        mean = n1 * np.exp(up) + n0 * np.exp(down)
        return a * up + c * down - mean + log_density(baseline, beta)

    return poisson if link == "IRR" else binomial


@lru_cache(maxsize=64)
def reach_of(baseline: Prior) -> float:
    """How far from 0 a prior of the baseline has anything left: no less than where risks change.

    A study in which nobody has the event, or everybody, is as likely at any baseline beyond.
    """
    ends = FARTHEST * 2.0 ** np.arange(np.ceil(np.log2(FARTHEST_BASELINE / FARTHEST)) + 1)
    log_p = np.maximum(log_density(baseline, ends), log_density(baseline, -ends))
    near = log_density(baseline, np.linspace(-FARTHEST, FARTHEST, 3001)).max()
    top = max(float(near), float(log_p.max()))
    return float(ends[min(np.flatnonzero(log_p > top - DEAD).max(initial=-1) + 1, ends.size - 1)])


def alive(
    joint: Joint,
    theta: Array,
    mode: Array,
    s: Array,
    spacing: float,
    far: float = FARTHEST,
    *,
    every: int = 32,
) -> Array:
    """The part of u that matters, seen at every 32nd theta: a table with events needs little."""
    few = slice(None, None, every)
    last = np.arcsinh(far / s.min())
    u = np.arange(-last, last + spacing, spacing)
    beta, log_weight = beta_nodes(mode[few], s[few], u, spacing)
    each = joint(theta[few, None], beta) + log_weight
    seen = np.flatnonzero((each > each.max(axis=1, keepdims=True) - 50).any(axis=0))
    return u[max(seen[0] - 2, 0) : seen[-1] + 3]


def beta_nodes(mode: Array, s: Array, u: Array, spacing: float) -> tuple[Array, Array]:
    """Nodes ``mode + s sinh(u)`` and log weights, shape (j, nodes)."""
    beta = mode[:, None] + s[:, None] * np.sinh(u)
    return beta, np.log(s[:, None] * np.cosh(u) * spacing)


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


LOG_RISKS = {
    "OR half": log_risks_half,
    "OR zero_one": log_risks_zero_one,
    "RR": log_risks_rr,
    "RD": log_risks_rd,
}


def mode_of_beta(
    joint: Joint, theta: Array, start: Array | float, *, stride: float = 2.0, widest: float = 1.0
) -> tuple[Array, Array]:
    """Mode of beta at each theta by damped Newton steps, and its scale; both (j,).

    Where the nodes are centred only decides how many are needed, so differences do for slopes. No
    step is longer than `stride`, and no scale than `widest`.
    """
    beta, delta = start + 0.0 * theta, 1e-3
    curvature = np.ones_like(beta)
    for _ in range(40):
        below, here, above = (joint(theta, beta + shift) for shift in (-delta, 0.0, delta))
        slope = (above - below) / (2 * delta)
        curvature = np.maximum(-(above - 2 * here + below) / delta**2, 1e-3)
        step = np.clip(slope / curvature, -stride, stride)
        beta = beta + step
        if np.abs(step).max() < 1e-2:
            break
    return beta, np.clip(curvature**-0.5, 1e-4, widest)


def start_of_beta(row: Row, link: str) -> float:
    """Where the search for the mode of beta begins: the middle of the two arms."""
    a, n1, c, n0 = row
    if link == "IRR":
        return 0.5 * float(np.log((a + 0.5) / n1) + np.log((c + 0.5) / n0))
    return 0.5 * float(np.log((a + 0.5) / (n1 - a + 0.5)) + np.log((c + 0.5) / (n0 - c + 0.5)))


def _log_constant(row: Row, link: str) -> float:
    """Factors of the likelihood that are free of theta and beta."""
    a, n1, c, n0 = row
    arms = ((a, n1), (c, n0))
    if link == "IRR":
        return float(sum(xlogy(e, t) - gammaln(e + 1) for e, t in arms))
    return float(sum(gammaln(n + 1) - gammaln(e + 1) - gammaln(n - e + 1) for e, n in arms))
