"""What one arm says of its mean and SD: a mean and an SD as reported, or quantiles as rounded."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ....model import Arms
from ....priors import Prior, log_density
from ....studies import ContinuousStudies, rough_arms, takes_quantiles
from ..tables import mode_of_beta
from .quantile_chain import Nodes, Plan
from .quantiles import log_probability, plan

type Array = NDArray[np.float64]
type LogLikelihood = Callable[[Array, Array], Array]

COLUMNS = (
    *(
        f"{name}_{arm}"
        for arm in ("treatment", "control")
        for name in ("mean", "sd", "size", "log_sd", "moments", "before", "after")
    ),
    "centre",
    "unit",
)  # of the PyMC model
PROBS = (0.0, 0.25, 0.5, 0.75, 1.0)
FARTHEST = 8.0  # standard deviations from the centre that quantiles are tabulated to at most
SDS = (-3.0, 14.0)  # logs of the SD, beside a rough one, between which they are
NEAREST, POINTS = 2.0, 51  # standard errors about the middle with even points, and how many in all
LEAST = 12  # points of a table
EVERY, DEPTH = 5, 45.0  # points that are looked at first, and how far below the peak is nothing
NODES = Nodes(below=8, quantile=12, gap=5, drop=10.0)  # good to 2e-3 of a log, far out
FEWER = tuple(NODES._replace(below=n, quantile=m) for n, m in ((5, 6), (6, 8), (8, 8)))
AS_GOOD, NEAR_TOP = 5e-5, 20.0  # of a log, that far below the largest
FINEST = 1e-5  # standard deviations: narrower intervals lose their digits, and say no more
FARTHEST_SD = 200.0  # from its mode that a log SD is integrated: its square must be a number
DEAD = 50.0  # log of a node's mass below the largest: nothing
FALL = 60.0  # of the log likelihood per SD beyond the table


class Arm(NamedTuple):
    """Figures of one arm on the scale on which it is normal; hashable, so that tables are kept.

    `mean` and `sd` are the reported ones where `probs` is empty, else rough ones. `low` and `high`
    hold the ends of the intervals in which the quantiles `probs` lie. `before` and `after` are the
    SDs of both values where the SD of their change is unknown, else 0.
    """

    mean: float
    sd: float
    n: float
    probs: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    quartiles: int = 7
    before: float = 0.0
    after: float = 0.0

    def given(self, correlation: float) -> "Arm":
        """The arm with the SD of the change that a correlation gives."""
        if not self.before:
            return self
        b, a = self.before, self.after
        sd = (b**2 + a**2 - 2 * correlation * b * a) ** 0.5
        return self._replace(sd=sd, before=0.0, after=0.0)


def arms_of(model: Arms, data: ContinuousStudies) -> list[tuple[Arm, Arm]]:
    """Treatment and control arm of every study."""
    treatment, control = (_arms(model, data, arm) for arm in data.arms)
    return list(zip(treatment, control, strict=True))


def _arms(model: Arms, data: ContinuousStudies, arm: str) -> list[Arm]:
    figures = zip(*rough_arms(data, arm, model.arms), strict=True)
    rows = zip(
        figures,
        takes_quantiles(data, arm, model.arms),
        data.quantiles(arm),
        getattr(data, f"rounding{arm}"),
        strict=True,
    )
    made = [_arm(model, tuple(map(float, row)), *quantiles) for row, *quantiles in rows]
    before, after = getattr(data, f"sd_before{arm}"), getattr(data, f"sd_after{arm}")
    return [
        one._replace(before=float(before[i]), after=float(after[i])) if pair else one
        for i, (one, pair) in enumerate(zip(made, data.has_pair(arm), strict=True))
    ]


def _arm(
    model: Arms,
    figures: tuple[float, ...],
    by_quantiles: np.bool_,
    quantiles: Array,
    half: Array,
) -> Arm:
    mean, sd, n = figures
    if not by_quantiles:
        return Arm(mean, sd, n)
    shown = np.isfinite(quantiles)
    at, half = quantiles[shown], half[shown]
    low, high = at - half, at + half
    if model.arms == "lognormal":
        at, low, high = np.log(at), np.log(low), np.log(high)
    low, high = np.minimum(low, at - FINEST * sd), np.maximum(high, at + FINEST * sd)
    probs = tuple(map(float, np.array(PROBS)[shown]))
    ends = tuple(map(float, low)), tuple(map(float, high))
    return Arm(mean, sd, n, probs, *ends, model.quartiles)


def log_likelihood_of(arm: Arm) -> LogLikelihood:
    """Log likelihood of an arm as a function of mean and log SD, but for a constant."""
    return partial(_of_moments, arm) if not arm.probs else _of_quantiles(arm)


def _of_moments(arm: Arm, mu: Array, log_sd: Array) -> Array:
    precision = np.exp(-2 * log_sd)
    squares = arm.n * (arm.mean - mu) ** 2 + (arm.n - 1) * arm.sd**2
    return -0.5 * squares * precision - arm.n * log_sd


@lru_cache(maxsize=256)
def _of_quantiles(arm: Arm) -> LogLikelihood:
    """Read off a table in the arm's distance from the centre, in SDs, and its log SD.

    Both run in variables that crowd where the likelihood is. Every fifth point shows how far there
    is any of it, and how many nodes it takes.
    """
    from scipy.interpolate import RectBivariateSpline

    unit, few = NEAREST / arm.n**0.5, slice(None, None, EVERY)
    v = np.linspace(-1, 1, POINTS) * np.arcsinh(FARTHEST / unit)
    low, high = np.arcsinh(np.array(SDS) / unit)
    w = np.linspace(low, high, POINTS)
    sure = _tabulated(arm, unit, v[few], w[few], NODES)
    top = sure > sure.max() - NEAR_TOP

    def as_good(nodes: Nodes) -> bool:
        found = _tabulated(arm, unit, v[few], w[few], nodes)[top]
        known = found.size > 0 and np.isfinite(found).all()
        return bool(known and np.ptp(found - sure[top]) < AS_GOOD)

    nodes = next(filter(as_good, FEWER), NODES)
    alive = ~(sure < sure.max() - DEPTH)  # all of them, where none is possible
    v, w = v[_reach(alive.any(axis=1))], w[_reach(alive.any(axis=0))]
    value = _tabulated(arm, unit, v, w, nodes)
    near = _without_gaps(np.isfinite(value).all(axis=0), int(value.max(axis=0).argmax()))
    value, w = value[:, near], w[near]
    spline = RectBivariateSpline(v, w, np.maximum(value, -1e5), kx=5, ky=5)
    ends = unit * np.sinh(v[[0, -1]]), unit * np.sinh(w[[0, -1]])
    return partial(_interpolated, spline, arm, unit, ends)


def _without_gaps(sound: NDArray[np.bool_], at: int) -> slice:
    """The points about one that are sound without a gap; all where there are too few."""
    left, right = np.flatnonzero(~sound[:at]), np.flatnonzero(~sound[at:])
    near = slice(left[-1] + 1 if left.size else 0, at + right[0] if right.size else sound.size)
    return near if near.stop - near.start >= LEAST else slice(None)


def _reach(alive: NDArray[np.bool_]) -> slice:
    """Points of a table from one before to one after those of every fifth that are alive."""
    seen = np.flatnonzero(alive)
    return slice(EVERY * max(seen[0] - 1, 0), EVERY * (seen[-1] + 1) + 1)


def _tabulated(arm: Arm, unit: float, v: Array, w: Array, nodes: Nodes) -> Array:
    """Log probability of an arm's quantiles, (m, n), in the variables of its table."""
    made = plan(arm.low, arm.high, arm.n, arm.probs, arm.quartiles)
    if not Plan(*np.moveaxis(made, -1, 0)).share.any():
        nodes = nodes._replace(gap=1)
    sd = np.exp(np.log(arm.sd) + unit * np.sinh(w))
    mean = arm.mean + unit * np.sinh(v)[:, None] * sd
    sds = np.broadcast_to(sd, mean.shape)
    found = log_probability(np, made, mean[..., None], sds[..., None], nodes)[..., 0]
    return np.where(found < 1, found, -np.inf)  # far out the rule fails for three values


def _interpolated(
    spline: Callable[..., Array],
    arm: Arm,
    unit: float,
    ends: tuple[Array, Array],
    mu: Array,
    log_sd: Array,
) -> Array:
    out = log_sd - np.log(arm.sd)
    near = np.clip(out, *ends[1])
    t = (mu - arm.mean) / arm.sd * np.exp(-near)
    close = np.clip(t, *ends[0])
    beyond = np.abs(t - close) + np.abs(out - near)
    v, w = np.broadcast_arrays(np.arcsinh(close / unit), np.arcsinh(near / unit))
    return spline(v, w, grid=False) - FALL * beyond


def log_prior_of_sd(prior: Prior | None, log_sd: Array) -> Array:
    """Log prior density of a log SD; a constant where there is none."""
    return np.zeros_like(log_sd) if prior is None else log_density(prior, log_sd)


def log_marginal(
    arm: Arm, prior: Prior | None, x: Array, spacing: float, *, of_mean: bool = False
) -> Array:
    """Log likelihood of an arm given its location, its SD integrated out, (n,).

    Parameters
    ----------
    arm : Arm
    prior : Prior or None
        Of the log SD.
    x : ndarray, shape (n,)
        Means; with `of_mean`, logs of the means of log-normal arms.
    spacing : float
        Step of the rule for the log SD, about its mode.
    """
    if not (arm.probs or prior or of_mean):
        scaled = (x - arm.mean) ** 2 * arm.n / ((arm.n - 1) * arm.sd**2)
        return -0.5 * arm.n * np.log1p(scaled)
    found = log_likelihood_of(arm)

    def joint(x: Array, log_sd: Array) -> Array:
        mu = x - 0.5 * np.exp(np.minimum(2 * log_sd, 600.0)) if of_mean else x
        return found(mu, log_sd) + log_prior_of_sd(prior, log_sd)

    return integrated(joint, x, _start(arm, x, of_mean=of_mean), spacing)


def _start(arm: Arm, x: Array, *, of_mean: bool) -> Array:
    """About where the log SD is likeliest at each location."""
    gap = (x - arm.mean) ** 2
    if of_mean:
        far = np.maximum(x - arm.mean - arm.sd**2 / 2, 0.0)  # the mean of logs hardly moves
        return 0.5 * np.log(arm.sd**2 + 2 * far)
    return 0.5 * np.log(arm.sd**2 + gap)


def integrated(
    joint: Callable[[Array, Array], Array],
    x: Array,
    start: Array,
    spacing: float,
    *,
    in_order: bool = True,
) -> Array:
    """Log of ``∫ exp joint(x, u) du`` at every x, (n,), for one peak in u per x.

    By the trapezoidal rule in v, where u = mode + s sinh(v): dense at the mode, with long tails.
    Unless the x are `in_order`, their neighbours say nothing of one another.
    """
    mode, s = mode_of_beta(joint, x, start, stride=0.7, widest=2.0, in_order=in_order)
    v = np.arange(-6.0, 6.0 + spacing, spacing)
    v = _alive(joint, x, mode, s, v) if in_order else v
    each = joint(x[:, None], _about(mode, s, v)) + np.log(np.cosh(v) * spacing)
    return np.asarray(logsumexp(each, axis=1)) + np.log(s)


def _alive(
    joint: Callable[[Array, Array], Array], x: Array, mode: Array, s: Array, v: Array
) -> Array:
    """The part of v that matters, seen at every 16th x and every fourth v."""
    few = slice(None, None, 16)
    at = v[::4]
    each = joint(x[few, None], _about(mode[few], s[few], at)) + np.log(np.cosh(at))
    top = np.fmax.reduce(each, axis=1)
    seen = np.flatnonzero((each > top[:, None] - DEAD).any(axis=0))
    if not seen.size:
        return v
    return v[4 * max(seen[0] - 1, 0) : 4 * (seen[-1] + 1) + 1]


def _about(mode: Array, s: Array, v: Array) -> Array:
    return mode[:, None] + np.clip(s[:, None] * np.sinh(v), -FARTHEST_SD, FARTHEST_SD)


def columns_of(model: Arms, data: ContinuousStudies) -> Mapping[str, Array]:
    """Figures of the arms as the PyMC model takes them, each (k,), with values to start at."""
    arms = arms_of(model, data)
    columns: dict[str, Array] = {}
    for j, arm in enumerate(("treatment", "control")):
        side = [pair[j] for pair in arms]
        columns |= {
            f"mean_{arm}": np.array([one.mean for one in side]),
            f"sd_{arm}": np.array([one.sd for one in side]),
            f"size_{arm}": np.array([one.n for one in side]),
            f"log_sd_{arm}": np.log([one.sd for one in side]),
            f"before_{arm}": np.array([one.before for one in side]),
            f"after_{arm}": np.array([one.after for one in side]),
            f"moments_{arm}": np.array([float(not one.probs) for one in side]),
        }
    columns |= _quantile_columns(arms, model.quartiles)
    means, units = zip(*(_middle(model, *pair) for pair in arms), strict=True)
    return {**columns, "centre": np.array(means), "unit": np.array(units)}


def _quantile_columns(arms: list[tuple[Arm, Arm]], quartiles: int) -> Mapping[str, Array]:
    """Plans of the arms' quantiles, (k, q, fields); nothing where no arm reports any."""
    both = [arm for pair in arms for arm in pair]
    if not any(arm.probs for arm in both):
        return {}
    low, high = np.full((2, len(both), len(PROBS)), np.nan)
    for i, arm in enumerate(both):
        at = [PROBS.index(prob) for prob in arm.probs]
        low[i, at], high[i, at] = arm.low, arm.high
    made = plan(low, high, [arm.n for arm in both], PROBS, quartiles)
    return {"quantiles_treatment": made[::2], "quantiles_control": made[1::2]}


def empty_quantiles(slots: int) -> Array:
    """Plan of one arm without quantiles, (1, slots, fields)."""
    none = plan([[np.nan]], [[np.nan]], [10.0], [0.5])
    return np.repeat(none, slots, axis=1)


def _middle(model: Arms, treatment: Arm, control: Arm) -> tuple[float, float]:
    """A rough baseline, and how well it is known."""
    means, units = [], []
    for arm in (treatment, control):
        mean, se = arm.mean, arm.sd / arm.n**0.5
        if model.pair == ("ROM", "normal"):
            mean, se = float(np.log(max(mean, 0.1 * se))), min(se / max(mean, 0.1 * se), 1.0)
        means.append(mean + (arm.sd**2 / 2 if model.pair == ("ROM", "lognormal") else 0.0))
        units.append(se)
    return float(np.mean(means)), float(np.hypot(*units) / 2)
