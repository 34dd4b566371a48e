"""The normal-normal model by brute force: a dense grid over mu and tau, and nothing clever.

An independent second source for the exact engine. The joint posterior is evaluated from its
definition with the densities of ``scipy.stats``, on composite Gauss-Legendre panels in both
directions; no closed form of the model is used except that study effects are normal given mu and
tau. Nothing of the package is imported here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy import optimize, stats
from scipy.special import ndtr

type Array = NDArray[np.float64]
type Frozen = stats.rv_continuous

ORDER = 16
NODES, WEIGHTS = legendre.leggauss(ORDER)
TO_SERIES = (
    (2 * np.arange(ORDER)[:, None] + 1) / 2 * legendre.legvander(NODES, ORDER - 1).T * WEIGHTS
)


@dataclass(frozen=True)
class Line:
    """A density known at the Gauss-Legendre nodes of panels; shape (panels, ORDER)."""

    edges: Array
    density: Array

    def __post_init__(self):
        below = np.concatenate(([0.0], np.cumsum(self._masses())))
        object.__setattr__(self, "below", below)

    def _masses(self) -> Array:
        return self.density @ WEIGHTS * np.diff(self.edges) / 2

    def moment(self, power: int) -> float:
        """Return the integral of ``x**power`` times the density."""
        nodes, weights = panels(self.edges)
        return float((nodes**power * weights) @ self.density.ravel())

    def mean(self) -> float:
        return self.moment(1)

    def sd(self) -> float:
        centred = Line(self.edges - self.mean(), self.density)
        return float(np.sqrt(centred.moment(2)))

    def cdf(self, x: float) -> float:
        """Return the mass below `x`: whole panels, and the polynomial through the last one."""
        j = int(np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self.density) - 1))
        low, high = self.edges[j], self.edges[j + 1]
        z = np.clip(2 * (x - low) / (high - low) - 1, -1, 1)
        integral = legendre.legint(TO_SERIES @ self.density[j], lbnd=-1)
        return float(self.below[j] + legendre.legval(z, integral) * (high - low) / 2)

    def quantile(self, q: float) -> float:
        j = int(np.clip(np.searchsorted(self.below, q) - 1, 0, len(self.density) - 1))
        low, high = self.edges[j], self.edges[j + 1]
        return float(optimize.brentq(lambda x: self.cdf(x) - q, low, high, xtol=1e-14, rtol=1e-14))


@dataclass(frozen=True)
class Brute:
    """The posterior of one dataset under priors that are frozen ``scipy.stats`` distributions."""

    y: Array
    se: Array
    mu_prior: Frozen
    tau_prior: Frozen

    def __post_init__(self):
        scale = float(np.ptp(self.y) + np.median(self.se))
        parts = (
            np.geomspace(1e-7, 0.01, 9),
            np.geomspace(0.01, 30, 36),
            np.geomspace(30, 1e12, 21),
        )
        tau_edges = self._within(np.unique(np.r_[0.0, *parts]) * scale, self.tau_prior)
        tau, tau_weight = panels(tau_edges)
        far = scale * np.geomspace(3, 1e7, 18)
        middle = float(np.mean(self.y))
        edges = middle + np.r_[-far[::-1], np.linspace(-3, 3, 97)[1:-1] * scale, far]
        mu_edges = self._within(edges, self.mu_prior)
        mu, mu_weight = panels(mu_edges)
        log_joint = self._log_joint(mu[None, :], tau[:, None])
        top = log_joint.max()
        joint = np.exp(log_joint - top)
        total = float(tau_weight @ joint @ mu_weight)
        name = object.__setattr__
        name(self, "log_marginal_likelihood", float(top + np.log(total)))
        name(self, "tau", Line(tau_edges, (joint @ mu_weight / total).reshape(-1, ORDER)))
        name(self, "mu", Line(mu_edges, (tau_weight @ joint / total).reshape(-1, ORDER)))
        held = np.add.reduceat(tau_weight @ joint * mu_weight / total, np.arange(0, mu.size, ORDER))
        some = np.flatnonzero(held > 1e-14)
        name(self, "mu_edges", mu_edges[some[0] : some[-1] + 2])
        heavy = joint @ mu_weight * tau_weight / total > 1e-14
        name(self, "tau_nodes", (tau[heavy], tau_weight[heavy]))

    def _within(self, edges: Array, prior: Frozen) -> Array:
        """Put panel edges at the ends of the prior's support and drop what lies outside."""
        low, high = prior.support()
        inside = edges[(edges > low) & (edges < high)]
        return np.r_[low if np.isfinite(low) else [], inside, high if np.isfinite(high) else []]

    def _log_joint(self, mu: Array, tau: Array) -> Array:
        total = self.mu_prior.logpdf(mu) + self.tau_prior.logpdf(tau)
        for y, se in zip(self.y, self.se, strict=True):
            variance = se**2 + tau**2
            total = total - 0.5 * ((y - mu) ** 2 / variance + np.log(2 * np.pi * variance))
        return total

    def cdf_new(self, x: float) -> float:
        """P(effect in a new study <= x)."""
        return self._cdf_linear(x, lambda tau: (0 * tau, 0 * tau + 1, tau))

    def cdf_study(self, i: int, x: float) -> float:
        """P(effect in study i <= x)."""

        def shrink(tau: Array) -> tuple[Array, Array, Array]:
            share = tau**2 / (tau**2 + self.se[i] ** 2)
            return share * self.y[i], 1 - share, np.sqrt(share) * self.se[i]

        return self._cdf_linear(x, shrink)

    def _cdf_linear(self, x: float, parts: Callable[[Array], tuple[Array, Array, Array]]) -> float:
        """P(shift + slope mu + noise z <= x), with panels of mu that follow each tau's step."""
        tau, tau_weight = self.tau_nodes
        shift, slope, noise = (part[:, None] for part in parts(tau))
        step, width = (x - shift) / slope, noise / slope
        near = step + width * np.array([-9.0, -6, -4, -2, -1, 0, 1, 2, 4, 6, 9])
        ends = self.mu_edges[[0, -1]]
        base = np.broadcast_to(self.mu_edges, (tau.size, self.mu_edges.size))
        edges = np.sort(
            np.hstack([base, np.clip(near, *ends)]), axis=1
        )  # empty panels weigh nothing
        mu, weight = panels(edges)
        joint = np.exp(self._log_joint(mu, tau[:, None]) - self.log_marginal_likelihood)
        below = (joint * ndtr((x - shift - slope * mu) / noise) * weight).sum(axis=1)
        return float(tau_weight @ below)


def panels(edges: Array) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on every panel between `edges`, along the last axis."""
    half = np.diff(edges)[..., None] / 2
    nodes = edges[..., :-1, None] + half * (NODES + 1)
    flat = (*edges.shape[:-1], -1)
    return nodes.reshape(flat), np.broadcast_to(half * WEIGHTS, nodes.shape).reshape(flat)
