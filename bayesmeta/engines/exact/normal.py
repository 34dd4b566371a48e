"""Exact posteriors of the normal models, by integration over tau.

Given tau, everything is normal in closed form, so every marginal posterior is a mixture over tau
(Röver 2020, J Stat Softw 93(6)). tau is mapped to [-1, 1] and integrated at Chebyshev nodes
(Fejér's first rule), which converges spectrally. A prior of mu that is not normal is written as a
mixture of normals, truncated where it has ends, so that the same closed forms serve.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ...effects import EffectSizes
from ...model import Model, OneEffect, RandomEffects
from ...posterior import (
    Check,
    Deferred,
    Diagnostics,
    Marginal,
    Marginals,
    NormalMixture,
    Posterior,
    TauDensity,
    TruncatedMixture,
)
from ...posterior.inversion import tabled
from ...posterior.mixtures import normal_between
from ...priors import (
    LOG_2PI,
    Prior,
    log_density_of_tau,
)
from .._cautions import cautions
from ..nodes.even import draw_one, even, share_one
from .mu_prior import MuPrior, farthest_from, mu_prior
from .propriety import moments_of_mu, moments_of_tau
from .tau_nodes import (
    TauMap,
    TauNodes,
    density_of_tau,
    evidence,
    finite_evidence,
    logsumexp,
    support_of_tau,
    tau_nodes,
)

type Array = NDArray[np.float64]
NEGLIGIBLE = 1e-19  # share of a component that is dropped from a mixture
MOST_NODES, PATIENCE = 4096, 400  # beyond the second, an error that no longer falls ends it
WIDE, NARROW = np.geomspace(1e-5, 1e5, 121), np.geomspace(1e-5, 1.0, 121)  # trials of tau
AT_ONCE = 2**21  # estimates weighted together, of many draws
LEAST_HELD = 1e-8  # below, differences of normal integrals leave theta fewer than 8 digits


class Given(NamedTuple):
    """What is known in closed form given tau: arrays of shape (t,) and (t, g).

    ``log_weight`` is the log density of the data given tau and the normal component of mu's
    prior, times that component's weight; ``mean`` and ``sd`` are of mu, before truncation.
    """

    log_weight: Array
    mean: Array
    sd: Array


def integrate(model: Model, data: EffectSizes, *, nodes: int, tolerance: float) -> Posterior:
    """Return the posterior, refined until two node counts agree within `tolerance`."""
    if isinstance(model, OneEffect):
        return _common_effect(model, data)
    assert isinstance(model, RandomEffects)
    return _random_effects(model, data, nodes, tolerance)


def given_tau(y: Array, se: Array, tau: Array, prior: MuPrior) -> Given:
    """Integrate mu and the study effects out; `y`, `se` have shape (k,), `tau` (t,)."""
    variance = se**2 + tau[:, None] ** 2
    precision = (1 / variance).sum(axis=1)[:, None]
    pooled = (y / variance).sum(axis=1)[:, None] / precision
    spread = ((y - pooled) ** 2 / variance + np.log(variance) + LOG_2PI).sum(axis=1)[:, None]
    total = precision + prior.precision
    mean = (precision * pooled + prior.precision * prior.mean) / total
    gap = (pooled - prior.mean) ** 2 * precision * prior.precision / total
    flat = prior.precision == 0
    height = np.where(flat, LOG_2PI, np.log(np.where(flat, 1.0, prior.precision))) - np.log(total)
    log_weight = prior.log_weight - 0.5 * (spread + gap - height)
    sd = total**-0.5
    if prior.bounded:
        held = normal_between((prior.low - mean) / sd, (prior.high - mean) / sd)
        with np.errstate(divide="ignore"):
            log_weight = log_weight + np.log(held)
    return Given(log_weight, mean, sd)


def _common_effect(model: OneEffect, data: EffectSizes) -> Posterior:
    prior = mu_prior(model.overall, farthest_from(model.overall, data))
    given = given_tau(data.y, data.se, np.zeros(1), prior)
    log_z = finite_evidence(float(logsumexp(given.log_weight)), model)
    weights = np.exp(given.log_weight - log_z)
    mu = _marginal(weights, given, prior, moments=2)
    return Posterior(
        model=model,
        data=data,
        engine="Quadrature(), closed form",
        marginals={"mu": mu},
        diagnostics=Diagnostics((Check("quadrature error", "", 0.0, 1e-8, at_most=True),)),
        sample=partial(draw_one, mu),
        sample_shared=partial(share_one, mu),
        log_marginal_likelihood=evidence(model, log_z),
    )


def _random_effects(
    model: RandomEffects, data: EffectSizes, nodes: int, tolerance: float
) -> Posterior:
    prior = mu_prior(model.overall, farthest_from(model.overall, data))
    scale = typical_tau(
        model.tau_prior, data.se, lambda tau: given_tau(data.y, data.se, tau, prior).log_weight
    )
    fine, error = refined(
        lambda n: _Fit.at(n, scale, model, data, prior), _Fit.distance, nodes, tolerance
    )
    return _posterior(model, data, fine, error, tolerance)


def refined[F](
    at: Callable[[int], F], distance: Callable[[F, F], float], nodes: int, tolerance: float
) -> tuple[F, float]:
    """Take half as many nodes again until two fits agree, or more nodes no longer help."""
    coarse, error = at(nodes), np.inf
    while True:
        nodes, before = nodes * 3 // 2, error
        fine = at(nodes)
        error = distance(fine, coarse)
        hopeless = nodes > PATIENCE and error > 0.5 * before
        if error <= tolerance or hopeless or nodes * 3 // 2 > MOST_NODES:
            return fine, error
        coarse = fine


def _posterior(
    model: RandomEffects, data: EffectSizes, fit: "_Fit", error: float, tolerance: float
) -> Posterior:
    checks = (Check("quadrature error", "shares of an SD", error, tolerance, at_most=True),)
    if fit.prior.bounded:
        name = "share of what the data say of mu that its prior allows"
        checks += (Check(name, "", fit.held(), LEAST_HELD, at_most=False),)
    return Posterior(
        model=model,
        data=data,
        engine=f"Quadrature(), {fit.nodes.tau.size} nodes",
        marginals=Deferred(
            {
                "mu": fit.mu,
                "tau": fit.tau,
                "theta": partial(fit.study_effects, data),
                "theta_new": fit.new_effect,
            }
        ),
        diagnostics=Diagnostics(checks),
        sample=partial(_draw_random, fit.tau, fit.prior, data),
        sample_shared=partial(_draw_shared, fit.tau, fit.prior, data),
        cautions=cautions(model, data),
        log_marginal_likelihood=evidence(model, fit.log_z),
    )


@final
@dataclass(frozen=True, slots=True)
class _Fit:
    """One pass of quadrature: everything at `nodes` nodes of tau."""

    nodes: TauNodes
    given: Given
    weights: Array  # (t, g), sum to 1
    log_z: float
    prior: MuPrior
    tau: TauDensity
    mu: Marginal

    @classmethod
    def at(
        cls, count: int, scale: float, model: RandomEffects, data: EffectSizes, prior: MuPrior
    ) -> "_Fit":
        """Integrate with `count` nodes centred on `scale`."""
        low, high = support_of_tau(model.tau_prior)
        at = TauMap.of(model.tau_prior, low, high, scale)
        nodes = tau_nodes(count, at)
        given = given_tau(data.y, data.se, nodes.tau, prior)
        log_prior = log_density_of_tau(model.tau_prior, nodes.tau, data.se)
        at_tau = logsumexp(given.log_weight, axis=1) + log_prior
        log_z = finite_evidence(float(logsumexp(at_tau + nodes.log_weight)), model)
        outer = log_prior + nodes.log_weight - log_z
        weights = np.exp(given.log_weight + outer[:, None])
        moments = moments_of_tau(model.tau_prior, data.k, mu=model.overall)
        tau = density_of_tau(nodes, at_tau - log_z, at, moments)
        of_mu = moments_of_mu(model.overall, model.tau_prior, data.k)
        mu = _marginal(weights, given, prior, moments=of_mu)
        return cls(nodes, given, weights, log_z, prior, tau, mu)

    def distance(self, other: "_Fit") -> float:
        """Largest disagreement: log evidence, moments in SDs, tail probabilities."""
        sd = self.mu.sd()
        near = self.mu.mean() + sd * np.array([-2.0, 0.0, 2.0])
        at = self.mu.quantile([0.025, 0.5, 0.975]) if np.isnan(sd) else near
        tau_at = self._near([0.025, 0.5, 0.975])
        gaps = np.array(
            [
                self.log_z - other.log_z,
                *moment_gaps(self.mu, other.mu),
                *(self.tau.raw / other.tau.raw - 1)[: self.tau.moments],
                *(self.mu.cdf(at) - other.mu.cdf(at)),
                *(self.tau.cdf(tau_at) - other.tau.cdf(tau_at)),
            ]
        )
        return float(np.abs(gaps).max())

    def _near(self, q: list[float]) -> Array:
        """Nodes of tau next to its quantiles: where to compare does not need to be exact."""
        below = np.cumsum(self.weights.sum(axis=1)[::-1])
        at = np.minimum(np.searchsorted(below, q), below.size - 1)
        return self.nodes.tau[::-1][at]

    def held(self) -> float:
        """Share of mu's normals inside the ends of its prior; theta loses the digits outside."""
        mean, sd, weights = self.given.mean, self.given.sd, self.weights
        inside = normal_between((self.prior.low - mean) / sd, (self.prior.high - mean) / sd)
        with np.errstate(divide="ignore", over="ignore"):
            return float(1 / (weights[weights > 0] / inside[weights > 0]).sum())

    def study_effects(self, data: EffectSizes) -> Marginals:
        """Posteriors of all studies' effects."""
        each = (self.study_effect(y, se) for y, se in zip(data.y, data.se, strict=True))
        return Marginals(data.study, tuple(each))

    def study_effect(self, y: float, se: float) -> Marginal:
        """Posterior of one study's effect (shrinkage)."""
        share = (self.nodes.tau**2 / (self.nodes.tau**2 + se**2))[:, None]
        return self._linear(share * y, 1 - share, np.sqrt(share) * se, moments=2)

    def new_effect(self) -> Marginal:
        """Posterior of the effect in a new study."""
        tau = self.nodes.tau[:, None]
        return self._linear(np.zeros_like(tau), np.ones_like(tau), tau, moments=self.tau.moments)

    def _linear(self, shift: Array, slope: Array, noise: Array, *, moments: int) -> Marginal:
        """Posterior of ``shift + slope * mu + noise``; the three have shape (t, 1)."""
        return _marginal(self.weights, self.given, self.prior, shift, slope, noise, moments=moments)


def moment_gaps(one: Marginal, other: Marginal) -> tuple[float, ...]:
    """Differences of mean and SD in SDs; none where the SD does not exist."""
    sd = one.sd()
    return () if np.isnan(sd) else ((one.mean() - other.mean()) / sd, sd / other.sd() - 1)


def _marginal(
    weights: Array,
    given: Given,
    prior: MuPrior,
    shift: Array | float = 0.0,
    slope: Array | float = 1.0,
    noise: Array | float = 0.0,
    *,
    moments: int,
) -> Marginal:
    keep = weights > NEGLIGIBLE * weights.max()
    w, mean, sd = (part[keep] for part in (weights, given.mean, given.sd))
    w = w / w.sum()
    if prior.bounded or np.ndim(shift):
        parts = (shift, slope, noise)
        shift, slope, noise = (np.broadcast_to(part, weights.shape)[keep] for part in parts)
    if prior.bounded:
        return TruncatedMixture(w, mean, sd, prior.low, prior.high, shift, slope, noise, moments)  # pyright: ignore[reportArgumentType]
    return NormalMixture(w, shift + slope * mean, np.hypot(slope * sd, noise), moments)


def typical_tau(prior: Prior, se: Array, log_weight: Callable[[Array], Array]) -> float:
    """A rough posterior median of tau, where nodes are centred."""
    low, high = support_of_tau(prior)
    typical = float(np.median(se))
    grid = typical * WIDE
    if np.isfinite(high):
        grid = NARROW * (high - low)
    at_tau = logsumexp(log_weight(low + grid), axis=1)
    log_mass = at_tau + log_density_of_tau(prior, low + grid, se) + np.log(grid)
    finite = np.isfinite(log_mass)  # a Beta may be infinite at its end
    if not finite.any():
        return typical
    mass = np.cumsum(np.exp(np.where(finite, log_mass, -np.inf) - log_mass[finite].max()))
    return float(grid[np.searchsorted(mass, 0.5 * mass[-1])])


def _draw_random(
    tau: TauDensity, prior: MuPrior, data: EffectSizes, n: int | None, seed: int
) -> Mapping[str, Array]:
    """Joint draws: tau by inversion, then a normal of mu's prior, mu and theta."""
    u = even(n or 4000, 4 + data.k, seed)
    t = np.asarray(tau.quantile(u[:, 0]))
    mu = _mu_given_tau(t, prior, data, u)
    share = t[:, None] ** 2 / (t[:, None] ** 2 + data.se**2)
    noise = np.sqrt(share) * data.se * ndtri(u[:, 4:])
    theta = share * data.y + (1 - share) * mu[:, None] + noise
    new = mu + t * ndtri(u[:, 3])
    return {"mu": mu[None], "tau": t[None], "theta": theta[None], "theta_new": new[None]}


def _draw_shared(
    tau: TauDensity, prior: MuPrior, data: EffectSizes, n: int, seed: int
) -> Mapping[str, Array]:
    """Joint draws of tau and mu alone, each (n,)."""
    u = even(n, 3, seed)
    t = np.maximum(tabled(tau.quantile, u[:, 0]), tau.low)
    parts = np.array_split(np.arange(n), max(1, n * data.k // AT_ONCE))
    mu = [_mu_given_tau(t[some], prior, data, u[some]) for some in parts]
    return {"mu": np.concatenate(mu), "tau": t}


def _mu_given_tau(t: Array, prior: MuPrior, data: EffectSizes, u: Array) -> Array:
    """Draw mu given tau, of which `u` has the second and third columns to do with."""
    given = given_tau(data.y, data.se, t, prior)
    below = np.cumsum(np.exp(given.log_weight - given.log_weight.max(axis=1)[:, None]), axis=1)
    chosen = (below < u[:, 1:2] * below[:, -1:]).sum(axis=1)[:, None]
    mean, sd = (np.take_along_axis(part, chosen, axis=1)[:, 0] for part in (given.mean, given.sd))
    low, high = (prior.low - mean) / sd, (prior.high - mean) / sd
    side = np.where(low > 0, -1.0, 1.0)  # invert in the lower tail, where digits are not lost
    low, high = (ndtr(np.where(side > 0, own, -other)) for own, other in ((low, high), (high, low)))
    return mean + side * sd * ndtri(low + u[:, 2] * (high - low))
