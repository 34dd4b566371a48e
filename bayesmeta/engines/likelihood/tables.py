"""The likelihood of one two-arm table as a function of its effect, the baseline integrated out."""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, expit, pdtr

from ...priors import Prior, log_density
from .laws import FARTHEST, constants_of_each, log_of_arms, log_risks, start_of_baseline
from .points import Points, Row

type Array = NDArray[np.float64]

FARTHEST_BASELINE, DEAD = 1e15, 45.0  # how far a prior of the baseline is followed, and how low
AT_ONCE = 2**14  # terms of a sum, so that a processor's cache holds them
ROUNDS = 40  # of Newton's method, at most
FEW = 16  # points of theta for each at which the search for a mode starts from nothing
SEEN = 32 * np.sinh(np.arange(-40, 41) / 8)  # how far from a start modes are looked for before that

type Joint = Callable[[Array, Array], Array]
type Part = Literal["all", "control", "below"]


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
    if part == "below" and row[0] == 0:
        return np.full(grid.size, -np.inf)
    theta, of = np.unique(np.clip(grid.points, -FARTHEST, FARTHEST), return_inverse=True)
    joint = joint_of_part(row, link, baseline, part)
    rounds = ROUNDS if part != "below" else 4  # its slopes, of straight lines, never settle
    start = float(start_of_baseline(np, link, row))
    mode, s = mode_of_beta(joint, theta, start, rounds=rounds, far=True)
    if part != "all":
        row = (0.0, 0.0, *row[2:])
    u = alive(joint, theta, mode, s, spacing, reach_of(baseline))
    value = np.empty_like(theta)
    for some in np.array_split(np.arange(theta.size), max(1, theta.size * u.size // AT_ONCE)):
        beta, log_weight = beta_nodes(mode[some], s[some], u, spacing)
        each = joint(theta[some, None], beta) + log_weight
        top = each.max(axis=1)
        value[some] = top + np.log(np.exp(each - top[:, None]).sum(axis=1))
    value = value[of] + float(constants_of_each(link, row))
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
        p1, q1, *_ = log_risks(np, link, inside, at)
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

    def joint(theta: Array, beta: Array) -> Array:
        inside = (np.clip(part, -FARTHEST, FARTHEST) for part in (theta, beta))
        return log_of_arms(np, link, row, *inside) + log_density(baseline, beta)

    return joint


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
    return beta, np.log(s)[:, None] + np.log(np.cosh(u) * spacing)


def mode_of_beta(
    joint: Joint,
    theta: Array,
    start: Array | float,
    *,
    stride: float = 2.0,
    widest: float = 1.0,
    rounds: int = ROUNDS,
    in_order: bool = True,
    far: bool = False,
) -> tuple[Array, Array]:
    """Mode of beta at each theta by damped Newton steps, and its scale; both (j,).

    Where the nodes are centred only decides how many are needed, so differences do for slopes, and
    most points start from between those that few others found, if modes move as theta does. No step
    is longer than `stride`, and no scale than `widest`. Modes may lie `far` from the start.
    """
    beta, delta = start + 0.0 * theta, 1e-3
    shifts = np.array([[-delta], [0.0], [delta]])
    if in_order and theta.size > 4 * FEW:
        order = np.argsort(theta)
        few = np.append(np.arange(0, theta.size - 1, FEW), theta.size - 1)
        at = order[few]
        first = beta[at]
        if far:
            first = first + SEEN[joint(theta[at], first + SEEN[:, None]).argmax(axis=0)]
        there, _ = mode_of_beta(joint, theta[at], first, stride=stride, widest=widest)
        beta[order] = np.interp(np.arange(theta.size), few, there)
    curvature = np.ones_like(beta)
    for _ in range(rounds):
        below, here, above = joint(theta, beta + shifts)  # all three at once
        slope = (above - below) / (2 * delta)
        curvature = np.maximum(-(above - 2 * here + below) / delta**2, 1e-3)
        step = np.clip(slope / curvature, -stride, stride)
        beta = beta + step
        if np.abs(step).max() < 1e-2:
            break
    return beta, np.clip(curvature**-0.5, 1e-4, widest)
