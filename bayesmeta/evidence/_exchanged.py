"""The sign of mu on nodes, if the counts of one study or the prior of tau were others."""

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy.special import ndtri

from ..engines import count_densities
from ..model import Data
from ..posterior import Posterior
from ..priors import Prior, log_density

type Array = NDArray[np.float64]

X, WEIGHT = leggauss(5)  # nodes between
OF_MU = (1e-6, 1e-3, 0.03, 0.25, 0.5, 0.75, 0.97, 1 - 1e-3, 1 - 1e-6)  # these quantiles of mu,
OF_TAU = (0.1, 0.5, 0.8, 0.95, 0.995, 1 - 1e-4, 1 - 1e-7)  # and these of tau
KNOWN = {"mu", "tau", "baseline"}  # a baseline is integrated within its study
FARTHEST = 8.0  # SDs
REACH = np.append(-np.geomspace(1, 0.03, 6), np.geomspace(0.03, 1, 6))  # of the farthest
APART = 0.01  # of the quantiles of the nodes and of the fit, as a standard normal


def on_nodes(posterior: Posterior) -> bool:
    """Whether mu and tau are all that studies of counts share."""
    priors, data = posterior.model.priors.keys(), posterior.data
    return data.discrete and posterior.model.likelihood.counted and {"mu", "tau"} <= priors <= KNOWN


class Exchanged:
    """A posterior on nodes of mu and tau from which one study at a time is taken and put anew.

    To about three digits, at the cost of that study alone: fits confirm what it finds.

    Parameters
    ----------
    posterior : Posterior
        Exact, of counts, with effects that scatter.
    """

    def __init__(self, posterior: Posterior) -> None:
        self._posterior = posterior
        of_mu, of_tau = posterior.at().quantile(OF_MU), posterior["tau"].quantile(OF_TAU)
        wide = of_mu[-1] - of_mu[0]  # where a change may lead
        mu, mu_weight = _panels(np.array([of_mu[0] - wide, *of_mu, of_mu[-1] + wide, 0.0]))
        low = max(posterior.model.priors["tau"].support[0], 0.0)
        tau, tau_weight = _panels(np.array([low, *of_tau]))
        self._below = np.repeat(mu < 0, tau.size)
        self._draws = {"mu": np.repeat(mu, tau.size), "tau": np.tile(tau, mu.size)}
        self._own = self._each(posterior.data)
        weight = np.log(np.outer(mu_weight, tau_weight)).ravel()
        priors = posterior.model.priors
        prior = sum(log_density(priors[name], at) for name, at in self._draws.items())
        self._whole = self._own.sum(axis=1) + prior + weight

    def _each(self, data: Data) -> Array:
        return count_densities(self._posterior.model, data, **self._draws, coarse=True)

    def z(self, data: Data) -> Array:
        """Standard normal quantile of the probability that mu is below 0, for each study, (k,).

        Parameters
        ----------
        data : Data
            Study by study, what it would be with all others as they are.
        """
        log = self._whole[:, None] - self._own + self._each(data)
        mass = np.exp(log - log.max(axis=0))
        return _z(mass[self._below].sum(axis=0) / mass.sum(axis=0))

    @classmethod
    def of(cls, posterior: Posterior) -> "Exchanged | None":
        """The nodes, or None where they do not say what the fit says."""
        if not on_nodes(posterior):
            return None
        found = cls(posterior)
        return found if found.sound else None

    @property
    def sound(self) -> bool:
        """Whether the nodes say of the posterior as it is what the fit says."""
        known = _z(self._posterior.at().cdf(0.0))
        return abs(self.z(self._posterior.data)[0] - known) <= APART


class AlongTau:
    """What counts say of the sign of mu given tau, from which any prior of tau follows.

    Parameters
    ----------
    posterior : Posterior
        Exact, of counts, with effects that scatter.
    most : float
        The largest tau that is asked for by itself.
    """

    def __init__(self, posterior: Posterior, most: float) -> None:
        low, middle, high = posterior.at().quantile([0.16, 0.5, 0.84])
        self._tau, self._weight = _panels(most * np.append(0.0, np.geomspace(1e-4, 20, 17)))
        far = FARTHEST * np.hypot(0.5 * (high - low), self._tau)
        each = [_panels(np.array([0.0, *(middle + one * REACH)])) for one in far]
        mu, weight = (np.concatenate(part) for part in zip(*each, strict=True))
        sizes = [nodes.size for nodes, _ in each]
        model = posterior.model
        log = count_densities(model, posterior.data, mu, np.repeat(self._tau, sizes)).sum(axis=1)
        log += log_density(model.overall, mu) + np.log(weight)
        starts = np.cumsum([0, *sizes[:-1]])
        mass = np.exp(log - log.max())
        self._mass = np.add.reduceat(mass, starts)
        below = np.add.reduceat(np.where(mu < 0, mass, 0.0), starts)
        self._below = below / np.maximum(self._mass, np.finfo(float).tiny)

    def z_at(self, tau: float) -> float:
        """Standard normal quantile of the probability that mu is below 0 given tau."""
        from scipy.interpolate import CubicSpline

        return float(CubicSpline(np.log(self._tau), _z(self._below))(np.log(tau)))

    def z_under(self, prior: Prior) -> float:
        """The same with a prior of tau."""
        with np.errstate(divide="ignore"):
            log = np.log(self._mass) + log_density(prior, self._tau) + np.log(self._weight)
        mass = np.exp(log - log.max())
        return float(_z(mass @ self._below / mass.sum()))


def _z(below: float | Array) -> Array:
    """Standard normal quantiles of probabilities, which sums of masses may round beyond 0 or 1."""
    return np.clip(ndtri(np.clip(below, 0.0, 1.0)), -FARTHEST, FARTHEST)


def _panels(edges: Array) -> tuple[Array, Array]:
    """Nodes and weights between edges."""
    edges = np.unique(edges)
    half, middle = 0.5 * np.diff(edges)[:, None], 0.5 * (edges[1:] + edges[:-1])[:, None]
    return (middle + half * X).ravel(), (half * WEIGHT).ravel()
