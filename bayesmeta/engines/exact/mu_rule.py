"""How mu is integrated: by the smoothness of its prior and of the likelihoods."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...model import Data, RandomEffects
from ...posterior import GridDensity, MappedDensity, Marginal, SupportMap
from ...priors import Flat, Mixture, Normal, Prior, StudentT, log_density
from ..likelihood.points import Grid, rounded_down
from ..likelihood.rough import rough_effects
from .reach import Reach, peaks

type Array = NDArray[np.float64]

TOGETHER = 16  # nodes of mu that are taken or left out together
MARGIN = 8  # nodes of mu beyond its reach, where its density is nothing


@final
@dataclass(frozen=True, slots=True)
class OnGrid:
    """mu integrated on the grid by the trapezoidal rule: prior and likelihoods are smooth there."""

    grid: Grid
    x: Array
    log_prior: Array

    @classmethod
    def of(cls, prior: Prior, grid: Grid, reach: Reach) -> "OnGrid":
        """Take the points of the grid within reach."""
        x, step = grid.points, grid.step
        inside = (x >= reach.low - step / 2) & (x <= reach.high + step / 2)
        return cls(grid, x, np.where(inside, log_density(prior, x) + np.log(step), -np.inf))

    def at_nodes(self, at_mu: Array) -> Array:
        """Values on the grid at the nodes of mu, (t, m)."""
        return at_mu

    def density(self, mass: Array) -> Array:
        """Density of mu at its nodes from its mass there, (m,)."""
        return mass / self.grid.step

    def marginal(self, mass: Array) -> Marginal:
        """Marginal posterior of mu from its mass, (m,)."""
        return GridDensity.of(self.x, mass / self.grid.step)


@final
@dataclass(frozen=True, slots=True)
class Mapped:
    """mu integrated in a variable u: over all of a support with ends, or densely near zero.

    Densities of mu then vanish at both ends of u, whatever they do at the ends of the support.
    """

    grid: Grid
    reach: Reach
    support: SupportMap
    u: Array
    x: Array
    log_prior: Array

    @classmethod
    def of(cls, prior: Prior, grid: Grid, reach: Reach, support: SupportMap, u: Array) -> "Mapped":
        """Take nodes u of the variable that the support maps to mu."""
        x = support.value(u)
        with np.errstate(divide="ignore"):
            log_weight = np.log(support.slope(u)) + np.log(u[1] - u[0])
            log_prior = log_density(prior, x) + log_weight
        inside = (x >= reach.low) & (x <= reach.high)
        return cls(grid, reach, support, u, x, np.where(inside, log_prior, -np.inf))

    def at_nodes(self, at_mu: Array) -> Array:
        """Values on the grid at the nodes of mu, (t, m)."""
        from scipy.interpolate import make_interp_spline

        points, room = self.grid.points, 12 * self.grid.step
        near = (points >= self.reach.low - room) & (points <= self.reach.high + room)
        x = np.clip(self.x, self.reach.low, self.reach.high)
        return make_interp_spline(points[near], at_mu[:, near], k=7, axis=1)(x)

    def density(self, mass: Array) -> Array:
        """Density of mu at its nodes from its mass there, (m,)."""
        return mass / self.support.slope(self.u)

    def marginal(self, mass: Array) -> Marginal:
        """Marginal posterior of mu from its mass, (m,)."""
        mean = float(mass @ self.x)
        sd = float(np.sqrt(mass @ (self.x - mean) ** 2))
        inner = GridDensity.of(self.u, mass)
        return MappedDensity(inner, self.support, (mean, sd))


def mu_rule(
    model: RandomEffects,
    data: Data,
    grid: Grid,
    reach: Reach,
    fineness: float,
    *,
    corner: bool,
) -> OnGrid | Mapped:
    """How mu is integrated, by the smoothness of its prior and of the likelihoods."""
    prior = model.overall
    low, high = prior.support
    if smooth(prior):
        crowded = {0.0} if corner else set()
        crowded |= {centre for centre, width in peaks(prior) if width * fineness < grid.step}
        if not crowded:
            return OnGrid.of(prior, grid, reach)
        at = _dense(model, data, reach, fineness, tuple(sorted(crowded)), corner=corner)
        return Mapped.of(prior, grid, reach, *at)
    if np.isfinite(high):
        support = SupportMap(low, high, 1.0)
        step, last = min(0.15, 1.5 * grid.step / (high - low)), 40.0
    else:
        support = SupportMap(low, high, min(reach.high - reach.low, 8 * grid.step))
        step = min(0.15, 0.7 * grid.step / support.scale)
        last = (reach.high - low) / support.scale
    u = np.linspace(-40.0, last, int(np.ceil((last + 40) / step)))
    if corner and low < 0 < high:
        support, u = _crowded_at_zero(model, data, support, fineness, u[[0, -1]], step)
    return Mapped.of(prior, grid, reach, support, _within(u, support, reach))


def _crowded_at_zero(
    model: RandomEffects,
    data: Data,
    plain: SupportMap,
    fineness: float,
    ends: Array,
    step: float,
) -> tuple[SupportMap, Array]:
    """Nodes of mu that crowd at a corner too, and elsewhere are as fine as those that do not."""
    _, se = rough_effects(model.likelihood, data)
    at = plain.inverse(np.zeros(1))
    scale = 1e-3 * fineness * float(se.min() / plain.slope(at)[0])
    support = replace(plain, crowd=(float(at[0]), scale))
    first, last = np.arcsinh((ends - at) / scale)
    fine = min(0.25 * fineness, 0.5 * step)  # mu may lie some units of u from zero
    return support, fine * np.arange(np.ceil(first / fine), np.floor(last / fine) + 1)


def _within(u: Array, support: SupportMap, reach: Reach) -> Array:
    """Leave out what lies beyond the reach, but for a few nodes."""
    x = support.value(u)
    inside = np.flatnonzero((x >= reach.low) & (x <= reach.high))
    return u[max(inside[0] - MARGIN, 0) : inside[-1] + MARGIN + 1]


def _dense(
    model: RandomEffects,
    data: Data,
    reach: Reach,
    fineness: float,
    crowded: tuple[float, ...],
    *,
    corner: bool,
) -> tuple[SupportMap, Array]:
    """Nodes of mu that crowd at a corner and at narrow peaks of its prior.

    Elsewhere they are as fine as mu is narrow, whatever tau. Steps and ends are rounded, so that
    refits ask for the same nodes.
    """
    y, se = rough_effects(model.likelihood, data)
    sharp = min(float(se.min()), sharpness(model.overall))
    tau = np.concatenate(([0.0], np.geomspace(0.1 * se.min(), reach.tau, 30)))
    weight = 1 / (se**2 + tau[:, None] ** 2)
    mean = (y * weight).sum(axis=1) / weight.sum(axis=1)
    own = 1.5 * weight.sum(axis=1) ** -0.5
    narrow = [(centre, width) for centre, width in peaks(model.overall) if centre in crowded]
    sd = np.minimum(own, sharpness(model.overall)) if not narrow else own
    scale = rounded_down(1e-3 * fineness * sharp, 1) if corner else 0.5 * sharp
    support = SupportMap(-np.inf, np.inf, scale, crowded)
    places = np.array([*zip(mean, sd, strict=True), *narrow])
    far = places[:, :1] + places[:, 1:] * np.array([-4.0, 4.0])
    per_unit = 1 / support.slope(support.inverse(far))
    first, last = support.inverse(np.array([reach.low, reach.high]))
    step = rounded_down(fineness * min(0.25, float((places[:, 1:] * per_unit).min())))
    first, last = np.floor(first / step / TOGETHER), np.ceil(last / step / TOGETHER)
    return support, step * np.arange(TOGETHER * first, TOGETHER * last + 1)


def smooth(prior: Prior) -> bool:
    """Whether a prior of mu has no edge."""
    if isinstance(prior, Mixture):
        return smooth(prior.first) and smooth(prior.second)
    return isinstance(prior, Normal | StudentT | Flat)


def takes(prior: Prior) -> bool:
    """Whether a prior of mu is smooth or has its edges at the ends of its support."""
    if isinstance(prior, Mixture) and prior.first.support != prior.second.support:
        return False
    return smooth(prior) or bool(np.isfinite(prior.support[0]))


def sharpness(prior: Prior) -> float:
    """The narrowest feature of a smooth prior of mu."""
    return min((width for _, width in peaks(prior)), default=np.inf)


def has_an_edge(prior: Prior, where: str = "") -> str:
    """Say that a prior of mu has an edge, and what would do."""
    return (
        f"The exact engine cannot take {prior!r} for mu: it has an edge{where}. Use NUTS(seed=...)."
    )
