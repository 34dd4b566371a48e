"""Exact posteriors on one uniform grid of the effect, whatever the likelihoods look like.

The likelihood of a study given mu and tau is its likelihood in theta convolved with the
distribution of the study effects. On a uniform grid that resolves every study this is a product in
the Fourier domain, exact to rounding for any tau, zero included; tau is integrated at Chebyshev
nodes. mu is integrated by the trapezoidal rule: on the grid itself where its prior and all
likelihoods are smooth, else in a variable that maps the line to its prior's support, or crowds at
the corner of a likelihood. No study needs to look normal, and studies without events need no
exception.
"""

# SciPy types its results as unions with a second return value:
# pyright: reportArgumentType=false

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ...errors import ModelError
from ...model import Data, RandomEffects
from ...posterior import (
    Check,
    Deferred,
    Diagnostics,
    Marginal,
    Nodes,
    Posterior,
    TauDensity,
)
from ...priors import Prior
from .._cautions import cautions
from ..likelihood.corners import at_nodes, sum_alike
from ..likelihood.points import Grid, Places
from ..likelihood.rough import kinked, rough_effects, telling, vanishing
from ..likelihood.study import log_likelihoods
from ..nodes.effects import MARGIN, NEGLIGIBLE, Integrated, features
from ..nodes.fourier import OnOneGrid, log_given_mu
from ._grid_tail import moments_beyond
from .mu_rule import Mapped, OnGrid, has_an_edge, mu_rule, sharpness, takes
from .propriety import moments_of_tau
from .reach import FURTHER, Reach, first_reach, limit_of, log_prior_of_tau
from .tau_nodes import (
    TauMap,
    TauNodes,
    density_of_tau,
    evidence,
    finite_evidence,
    support_of_tau,
    tau_nodes,
)

if TYPE_CHECKING:
    from ..nodes.draws import Source
from .grid_size import (
    PASSES,
    TAPER,
    Curves,
    Resolution,
    centre_of_tau,
    curves_of,
    grid_for,
    tables_of,
)

type Array = NDArray[np.float64]
TOLERANCE = 1e-6  # shares of a posterior SD, and probabilities
AT_ONCE = 2**19  # values on the grid that are interpolated together
FAINT = 1e-12  # density of log tau, below which nothing beyond matters


def integrate_on_grid(model: RandomEffects, data: Data) -> Posterior:
    """Return the posterior, widened until nothing is cut off and refined until two passes agree."""
    if not takes(model.overall):
        raise ModelError(has_an_edge(model.overall, " inside its support"))
    limit = limit_of(model, data)
    reach = first_reach(model, data, limit)
    coarse = Pass.at(PASSES[0], model, data, reach)
    while any(cut := coarse.cut_off(TOLERANCE / 10)):
        wider = reach.wider(limit, low=cut.low, high=cut.high, tau=cut.tau)
        if wider == reach:
            break
        reach = wider
        coarse = Pass.at(PASSES[0], model, data, reach)
    if any(coarse.cut_off(TOLERANCE)):
        reach = limit_of(model, data, further=FURTHER)
        coarse = Pass.at(PASSES[0], model, data, reach)
    error = np.inf
    for resolution in PASSES[1:]:
        fine = Pass.at(resolution, model, data, reach, coarse.tau.scale)
        error = fine.distance(coarse)
        coarse = fine
        if error <= TOLERANCE:
            break
    return coarse.with_tail().posterior(error)


class CutOff(NamedTuple):
    """Where mass may lie beyond what was integrated."""

    low: bool
    high: bool
    tau: bool


@final
@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """Everything at one resolution.

    Attributes
    ----------
    model, data, grid, nodes
    reach, near : Reach
        How far mu and tau were integrated, and how far a grid would go.
    curves : callable
        ``()`` to what the studies say on the grid: made when it is asked for.
    resolution : Resolution
    rule : OnGrid or Mapped
        How mu was integrated.
    corner : ndarray, shape (k,)
        Studies tabulated in the logarithm of their effect.
    cornered : ndarray, shape (t, c, m)
        Their log likelihoods, given the nodes of mu and tau.
    log_z : float
    tau, mu : Marginal
    mu_rows : ndarray, shape (t, m)
        Posterior mass over the variable in which mu was integrated, sums to 1.
    mu_nodes : ndarray, shape (m,)
        mu there.
    """

    model: RandomEffects
    data: Data
    grid: Grid
    reach: Reach
    near: Reach
    nodes: TauNodes
    curves: Callable[[], Curves]
    resolution: Resolution
    rule: OnGrid | Mapped
    corner: NDArray[np.bool_]
    cornered: Array
    log_z: float
    tau: TauDensity
    mu: Marginal
    mu_rows: Array
    mu_nodes: Array

    @classmethod
    def at(
        cls,
        resolution: Resolution,
        model: RandomEffects,
        data: Data,
        reach: Reach,
        scale: float | None = None,
    ) -> "Pass":
        """Integrate once, the nodes of tau centred where those of a coarser pass were.

        Beyond where a grid can go every study is tabulated in the logarithm of its effect, as
        those with a corner are, and so it is beside one that has one, where its tables are no
        larger for it; the grid then serves to find where tau has its nodes.
        """
        near = limit_of(model, data)
        further = reach.tau > near.tau or reach.low < near.low or reach.high > near.high
        at_hand = near if further else reach
        grid = grid_for(resolution, model, data, at_hand, sharpness(model.overall))
        corner = kinked(model.likelihood, data) | further
        if corner.any() and sum_alike(model.likelihood, data, corner):
            corner[:] = True
        rule = mu_rule(model, data, grid, reach, resolution.step, corner=bool(corner.any()))
        tables = None
        if corner.any():
            far = max(-rule.x[0], rule.x[-1])
            tables = tables_of(model, data.keep(corner), resolution, far, reach.tau, grid)
        curves = cache(partial(curves_of, model, data, corner, tables, resolution, grid))
        low, high = support_of_tau(model.tau)[0], reach.tau
        if scale is None:
            given = partial(log_given_mu, curves().fourier, grid, model.df)
            scale = centre_of_tau(model, data, grid, at_hand, given, low, at_hand.tau)
        at = TauMap.of(model.tau, low, high, scale)
        nodes = tau_nodes(resolution.nodes, at)
        at_x = np.zeros((nodes.tau.size, rule.x.size))
        if not corner.all():
            no_corner = partial(log_given_mu, curves().fourier[~corner], grid, model.df)
            without = np.array([no_corner(one).sum(axis=0) for one in nodes.tau])
            at_x = rule.at_nodes(without) + curves().top[~corner].sum()
        cornered = np.empty((nodes.tau.size, 0, rule.x.size))
        if tables is not None:
            cornered = at_nodes(tables, rule.x, nodes.tau, model.df)
            at_x = at_x + cornered.sum(axis=1)
        log_post = at_x + rule.log_prior
        at_tau = logsumexp(log_post, axis=1) + log_prior_of_tau(model, data, nodes.tau)
        log_z = finite_evidence(float(logsumexp(at_tau + nodes.log_weight)), model)
        outer = log_prior_of_tau(model, data, nodes.tau) + nodes.log_weight - log_z
        rows = np.exp(log_post + outer[:, None])
        moments = moments_of_tau(model.tau, telling(model.likelihood, data), mu=model.overall)
        tau = density_of_tau(nodes, at_tau - log_z, at, moments)
        return cls(
            model=model,
            data=data,
            grid=grid,
            reach=reach,
            near=near,
            nodes=nodes,
            curves=curves,
            resolution=resolution,
            rule=rule,
            corner=corner,
            cornered=cornered,
            log_z=log_z,
            tau=tau,
            mu=rule.marginal(rows.sum(axis=0)),
            mu_rows=rows,
            mu_nodes=rule.x,
        )

    def with_tail(self) -> "Pass":
        """Add the moments of tau beyond where it was integrated, if they are seen."""
        high, further = self.reach.tau, self.reach.tau > self.near.tau
        further |= self.reach.low < self.near.low or self.reach.high > self.near.high
        ends = high < support_of_tau(self.model.tau)[1] and not further
        if not ends or self.tau.pdf(float(self.nodes.tau.max())) * high <= FAINT:
            return self
        log_tau = partial(log_prior_of_tau, self.model, self.data)
        curves = self.curves()
        shape = (curves.likelihood, self.grid, self.model.df, self.rule.x, self.rule.log_prior)
        more = moments_beyond(*shape, log_tau, high, self.log_z - float(curves.top.sum()))
        return replace(self, tau=replace(self.tau, raw=self.tau.raw + more))

    def distance(self, other: "Pass") -> float:
        """Largest disagreement of two passes, and the mass that the grid may have cut off."""
        at, tau_at = (one.quantile([0.025, 0.5, 0.975]) for one in (self.mu, self.tau))
        sd = self.mu.sd()
        gaps = np.array(
            [
                self.log_z - other.log_z,
                (self.mu.mean() - other.mu.mean()) / sd,
                self.mu.sd() / other.mu.sd() - 1,
                *(self.mu.cdf(at) - other.mu.cdf(at)),
                *(self.tau.cdf(tau_at) - other.tau.cdf(tau_at)),
            ]
        )
        return float(max(np.abs(gaps).max(), *self._beyond()))

    def cut_off(self, most: float) -> CutOff:
        """Say on which sides more than `most` may lie beyond."""
        low, high, tau = self._beyond()
        return CutOff(low > most, high > most, tau > most)

    def _beyond(self) -> tuple[float, float, float]:
        """Relative density at the two ends of mu, and a bound of the mass beyond the largest tau.

        Zero where the support of the prior ends.
        """
        low, high = self.model.overall.support
        at_mu = self.rule.density(self.mu_rows.sum(axis=0))
        inside = np.flatnonzero(at_mu > 0)
        first, last = (float(at_mu[inside[i]] / at_mu.max()) for i in (0, -1))
        far = self.reach.tau * (1 - 1e-9)  # of which the last node is a small part where it is far
        largest = max(float(self.nodes.tau.max()), far if self.reach.tau > self.near.tau else 0.0)
        ends = self.reach.tau >= 0.99 * support_of_tau(self.model.tau)[1]
        return (
            0.0 if self.reach.low <= low else first,
            0.0 if self.reach.high >= high else last,
            0.0 if ends else float(self.tau.pdf(largest)) * largest,
        )

    def posterior(self, error: float) -> Posterior:
        """Collect the marginals of this pass; study effects are computed when asked for."""
        from ..nodes.draws import draw, draw_shared

        drawn = cache(self._source)
        check = Check("quadrature error", "shares of an SD", error, TOLERANCE, at_most=True)
        ahead = self._on_grid() if isinstance(self.rule, OnGrid) else self._mapped(self.rule)
        return Posterior(
            model=self.model,
            data=self.data,
            engine=f"Quadrature(), {self.nodes.tau.size} nodes × {self.grid.size} grid points",
            marginals=Deferred(
                {
                    "mu": self.mu,
                    "tau": self.tau,
                    "theta": lambda: ahead.effects,
                    "theta_new": lambda: ahead.new,
                }
            ),
            diagnostics=Diagnostics(
                (check,),
                new=cache(partial(ahead.check_of_new, TOLERANCE)),
                later=cache(lambda: (ahead.check_of_effects(TOLERANCE),)),
            ),
            sample=lambda n, seed: draw(drawn(), n, seed),
            sample_shared=lambda n, seed: draw_shared(drawn(), n, seed),
            cautions=cautions(self.model, self.data),
            log_marginal_likelihood=evidence(self.model, self.log_z),
            nodes=lambda: Nodes.on_grid({"tau": self.nodes.tau, "mu": self.mu_nodes}, self.mu_rows),
        )

    def _source(self) -> "Source":
        """What it takes to draw."""
        from ..nodes.draws import Ground, Source

        points, reach = self.grid.points, self.reach
        far = float(np.abs(points[[0, -1]]).max())
        if reach.tau > self.near.tau:
            far = max(far, abs(reach.low), abs(reach.high)) + TAPER * reach.tau
        ground = Ground(
            model=self.model,
            data=self.data,
            tau=self.tau,
            grid=self.grid,
            graded=self.corner,
            far=far,
        )
        return Source(
            ground=ground, tau_nodes=self.nodes.tau, mu_nodes=self.mu_nodes, mass=self.mu_rows
        )

    def _on_grid(self) -> OnOneGrid:
        return OnOneGrid(
            study=self.data.study,
            df=self.model.df,
            grid=self.grid,
            likelihood=self.curves().likelihood,
            fourier=self.curves().fourier,
            tau=self.nodes.tau,
            mass=self.mu_rows,
            of_tau=self.tau,
            bounded=vanishing(self.model.likelihood, self.data),
        )

    def _mapped(self, rule: Mapped) -> Integrated:
        """What it takes to get at the effects, where mu was not integrated on the grid."""
        model, data, df = self.model, self.data, self.model.df
        assert not isinstance(df, Prior)
        y, se = rough_effects(model.likelihood, data)
        ends = [end for end in model.overall.support if np.isfinite(end)]

        def log_likelihood(theta: Array) -> Array:
            return log_likelihoods(
                model.likelihood, data, Places(tuple(theta)), self.resolution.spacing
            )

        alive = np.flatnonzero(self.mu_rows.max(axis=0) > NEGLIGIBLE * self.mu_rows.max())
        part = slice(max(alive[0] - MARGIN, 0), alive[-1] + MARGIN + 1)
        shorter = replace(rule, u=rule.u[part], x=rule.x[part], log_prior=rule.log_prior[part])
        return Integrated(
            study=data.study,
            df=df,
            support=rule.support,
            u=shorter.u,
            mu=shorter.x,
            tau=self.nodes.tau,
            mass=self.mu_rows[:, part],
            moments_of_tau=(float(self.tau.raw[1]), self.tau.moments),
            bounded=vanishing(model.likelihood, data),
            log_given=partial(self._log_given, shorter, part),
            log_likelihood=log_likelihood,
            features=features(y, se, self.mu),
            crowded=tuple(
                sorted({*(ends or rule.support.centres), *([0.0] * int(self.corner.any()))})
            ),
        )

    def _log_given(self, rule: Mapped, part: slice) -> Array:
        """Log likelihood of each study given some nodes of mu and all of tau, (t, k, m)."""
        if self.corner.all():
            return self.cornered[:, :, part]
        curves = self.curves()
        given = partial(log_given_mu, curves.fourier, self.grid, self.model.df)
        (k, size), every = curves.likelihood.shape, self.nodes.tau
        parts = []
        for some in np.array_split(
            every, min(max(1, every.size * k * size // AT_ONCE), every.size)
        ):
            on_grid = np.concatenate([given(one) for one in some])  # one spline of all of them
            parts.append(rule.at_nodes(on_grid).reshape(some.size, k, -1))
        found = np.concatenate(parts)
        found += curves.top[:, None]
        found[:, self.corner] = self.cornered[:, :, part]
        return found
