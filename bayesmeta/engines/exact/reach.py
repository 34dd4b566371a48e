"""How far mu and tau are integrated, as a first guess and at most."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...model import Data, RandomEffects
from ...priors import Mixture, Normal, Prior, StudentT, log_density, log_density_of_tau
from ..likelihood.points import rounded_down
from ..likelihood.rough import rough_effects
from .tau_nodes import scale_of_log, support_of_tau

type Array = NDArray[np.float64]

FARTHEST_TAU, FARTHEST_MU = 40.0, 60.0  # in units of the data
NEAR = np.arange(-9.0, 10.0)  # widths of a prior's peaks, where it is looked at
FURTHER = 1e6  # times as far, where the data leave the tails to the priors


class Reach(NamedTuple):
    """How far mu and tau are integrated."""

    low: float
    high: float
    tau: float

    @property
    def middle(self) -> float:
        """Where the grid is centred, nearly."""
        return 0.5 * (self.low + self.high)

    def wider(self, limit: "Reach", *, low: bool, high: bool, tau: bool) -> "Reach":
        """Twice as far where something is cut off, within the limit."""
        width = self.high - self.low
        return Reach(
            max(self.low - low * width, limit.low),
            min(self.high + high * width, limit.high),
            min((1 + tau) * self.tau, limit.tau),
        )


def limit_of(model: RandomEffects, data: Data, *, further: float = 1.0) -> Reach:
    """As far as the priors have anything left, or as far as the rules go."""
    y, se = rough_effects(model.likelihood, data)
    unit = further
    if not model.likelihood.counted:
        unit = further * max(float(np.ptp(y)), float(se.max()))
    low, high = model.overall.support
    middle, far = float(np.clip(np.median(y), low, high)), FARTHEST_MU * unit
    points = np.linspace(max(low, middle - far), min(high, middle + far), 4001)
    if further > 1:  # dense about the data all the same
        graded = np.sinh(np.linspace(-20, 20, 4001)) / np.sinh(20)
        points = np.unique(np.clip(middle + far * graded, low, high))
    own = [centre + width * NEAR for centre, width in peaks(model.overall)]  # however narrow
    points = np.unique(np.clip(np.concatenate([points, *own]), points[0], points[-1]))
    low, high = _alive(log_density(model.overall, points), points, (low, high))
    ends = support_of_tau(model.tau_prior)
    width = min(ends[1] - ends[0], FARTHEST_TAU * unit)
    t = ends[0] + width * np.geomspace(1e-9 / further, 1, 3001)
    log_p = log_prior_of_tau(model, data, t)
    if scale_of_log(model.tau_prior):  # a pole at zero is no measure of what is left further out
        log_p = log_p + np.log(t)
    _, tau = _alive(log_p, t, ends)
    return Reach(low, high, tau)


def peaks(prior: Prior) -> list[tuple[float, float]]:
    """Where a smooth prior of mu is high, and how wide it is there."""
    match prior:
        case Normal(mean, sd):
            return [(mean, sd)]
        case StudentT(_, mean, scale):
            return [(mean, scale)]
        case Mixture(_, first, second):
            return peaks(first) + peaks(second)
        case _:
            return []


def _alive(log_p: Array, points: Array, ends: tuple[float, float]) -> tuple[float, float]:
    """Between which of the points a prior has nearly all of its mass; its own ends if they do."""
    keep = np.flatnonzero(log_p > log_p[np.isfinite(log_p)].max() - 36)
    low = points[max(keep[0] - 1, 0)]
    high = points[min(keep[-1] + 1, points.size - 1)]
    return float(max(low, ends[0])), float(min(high, ends[1]))


def first_reach(model: RandomEffects, data: Data, limit: Reach) -> Reach:
    """Where a rough normal posterior ends, with room; what that misses is found and widened."""
    y, se = rough_effects(model.likelihood, data)
    spread = np.sqrt(np.mean((y - y.mean()) ** 2) + np.median(se) ** 2)
    tau = np.geomspace(1e-3, 1e2, 200) * spread
    variance = se**2 + tau[:, None] ** 2
    weight = (1 / variance).sum(axis=1)
    mean = (y / variance).sum(axis=1) / weight
    log_p = -0.5 * (np.log(variance) + (y - mean[:, None]) ** 2 / variance).sum(axis=1)
    inside = (tau >= support_of_tau(model.tau_prior)[0]) & (tau <= limit.tau)
    log_p += np.log(tau) - 0.5 * np.log(weight)
    log_p[inside] += log_prior_of_tau(model, data, tau[inside])
    log_p[~inside] = -np.inf
    if not inside.any():
        return limit
    alive = log_p > log_p.max() - 25
    far = min(rounded_down(2**0.25 * 1.3 * float(tau[alive].max())), limit.tau)
    room = 7.5 * weight[alive] ** -0.5
    low, high = float((mean[alive] - room).min()), float((mean[alive] + room).max())
    width = high - low
    low, high = max(low - 0.1 * width, limit.low), min(high + 0.1 * width, limit.high)
    return Reach(low, high, far) if low < high else limit


def log_prior_of_tau(model: RandomEffects, data: Data, tau: Array) -> Array:
    """Log density of the prior of tau, which may read the standard errors."""
    se = data.numbers.get("se", np.empty(0))  # which Jeffreys' prior reads
    return log_density_of_tau(model.tau_prior, tau, se)
