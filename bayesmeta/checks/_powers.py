"""A posterior with its priors, or what its studies say, raised to powers: exactly, on nodes."""

from functools import cached_property, singledispatch
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

from ..engines import study_densities
from ..errors import ModelError
from ..model import NoSpread, Scatter, Spread
from ..posterior import Marginal, Posterior
from ..priors import (
    Beta,
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    LogNormal,
    LogStudentT,
    Mixture,
    Normal,
    Prior,
    StudentT,
    Uniform,
    log_density,
)
from ..ways import shown
from ._panels import Panels

type Array = NDArray[np.float64]

DRAWS = 4000  # whose range counts: far out a distance that runs on for ever says nothing
SIDES = (1e-8, 1e-5, 1 / DRAWS, 0.005, 0.05, 0.25)  # probabilities between which nodes lie
PROBS = (*SIDES, 0.5, *(1 - side for side in reversed(SIDES)))


class Powers(NamedTuple):
    """Powers of the prior of mu, of that of tau, and of what every study says."""

    mu: float = 1.0
    tau: float = 1.0
    likelihood: float = 1.0


class Joint:
    """A posterior of mu and tau on nodes, its three factors apart.

    Raising a factor to a power exchanges the weights of the nodes: what comes out is the posterior
    of that model, whatever family the powered prior belongs to, as long as the nodes resolve it.

    Attributes
    ----------
    posterior : Posterior
        Exact.
    mu, tau : Panels
        `tau` a single node at 0 where all studies have one effect.
    log_prior_mu, log_prior_tau, log_likelihood : ndarray
        (m, 1), (1, t) and (m, t).
    """

    def __init__(self, posterior: Posterior) -> None:
        self.posterior = posterior
        model = posterior.model
        self.mu = Panels.between(posterior.at().quantile(PROBS))
        self.tau = _tau(model.between, posterior)
        self.log_prior_mu = log_density(model.overall, self.mu.x)[:, None]
        self.log_prior_tau = _log_prior_of_tau(model.between, self.tau.x)
        self.log_likelihood = self._likelihood()

    def _likelihood(self) -> Array:
        """Log of what all studies say, their own effects and baselines integrated out, (m, t)."""
        mu, tau = (one.ravel() for one in np.meshgrid(self.mu.x, self.tau.x, indexing="ij"))
        draws = {"mu": mu, **({"tau": tau} if self.spreads else {})}
        each = study_densities(self.posterior.model, self.posterior.data, draws).every
        return each.sum(axis=1).reshape(self.mu.x.size, self.tau.x.size)

    @property
    def spreads(self) -> bool:
        """Whether effects differ between studies."""
        return "tau" in self.posterior.model.priors

    def mass(self, powers: Powers) -> Array:
        """Probability of each node under a posterior with these powers, (m, t)."""
        log_density = (
            powers.mu * self.log_prior_mu
            + powers.tau * self.log_prior_tau
            + powers.likelihood * self.log_likelihood
        )
        mass = np.exp(log_density - log_density.max()) * self.mu.weight[:, None] * self.tau.weight
        return mass / mass.sum()

    @cached_property
    def new(self) -> Panels:
        """Nodes of the effect in a new study."""
        return Panels.between(self.posterior.at(new=True).quantile(PROBS))

    @cached_property
    def _kernel(self) -> Array:
        """Probability below each node of a new effect given each node of mu and tau, (n, m t)."""
        mu, tau = np.meshgrid(self.mu.x, self.tau.x, indexing="ij")
        z = (self.new.x[:, None] - mu.ravel()) / tau.ravel()
        df = self.posterior.model.between.df  # pyright: ignore[reportAttributeAccessIssue] - of a Scatter
        return ndtr(z) if df is None else stdtr(df, z)

    def cdfs(self, powers: Powers) -> dict[str, Array]:
        """Distribution function of every parameter at its own nodes, by name."""
        mass = self.mass(powers)
        found = {"mu": self.mu.cdf(mass.sum(axis=1))}
        if not self.spreads:
            return found
        new = self._kernel @ mass.ravel()
        return {**found, "tau": self.tau.cdf(mass.sum(axis=0)), "theta_new": new}

    @property
    def axes(self) -> dict[str, tuple[Panels, Marginal]]:
        """Nodes of every parameter beside what the fit itself found of it."""
        found = {"mu": (self.mu, self.posterior.at())}
        if self.spreads:
            found["tau"] = self.tau, self.posterior["tau"]
            found["theta_new"] = self.new, self.posterior.at(new=True)
        return found

    @property
    def error(self) -> float:
        """Largest probability by which these nodes and the fit itself differ."""
        found = self.cdfs(Powers())
        gaps = [found[name] - one.cdf(at.x) for name, (at, one) in self.axes.items()]
        return float(max(np.abs(gap).max() for gap in gaps))


@singledispatch
def _tau(between: Spread, posterior: Posterior) -> Panels:
    raise ModelError(
        f"Power scaling is for normal or Student-t effects, or one effect, not {between!r}."
    )


@_tau.register
def _(_: NoSpread, posterior: Posterior) -> Panels:
    return Panels(np.zeros(2), np.zeros(1), np.ones(1))


@_tau.register
def _(between: Scatter, posterior: Posterior) -> Panels:
    low = max(between.tau.support[0], 0.0)
    return Panels.between(np.array([low, *posterior["tau"].quantile(PROBS)]))


@singledispatch
def _log_prior_of_tau(between: Spread, tau: Array) -> Array:
    raise ModelError(f"{between!r} has no prior of tau.")


@_log_prior_of_tau.register
def _(_: NoSpread, tau: Array) -> Array:
    return np.zeros((1, 1))


@_log_prior_of_tau.register
def _(between: Scatter, tau: Array) -> Array:
    return log_density(between.tau, tau)[None]


def check_power(prior: Prior, name: str, power: float) -> None:
    """Refuse a prior that has no finite integral once it is raised to a power.

    Raises
    ------
    ModelError
    """
    if not _has_integral(prior, power):
        raise ModelError(
            f"{name} ~ {shown(prior)} is no distribution when raised to the power {power:g}: its "
            "integral is infinite. Power scaling needs a prior with lighter ends, e.g. "
            f"{'Normal(0, 2)' if name == 'mu' else 'HalfNormal(0.5)'}."
        )


@singledispatch
def _has_integral(prior: Prior, power: float) -> bool:
    raise ModelError(f"Power scaling cannot take {shown(prior)}; use a proper prior of one number.")


@_has_integral.register(Normal | HalfNormal | LogNormal | Uniform | Exponential)
def _(prior: Prior, power: float) -> bool:
    return True


@_has_integral.register
def _(prior: Flat, power: float) -> bool:
    return True  # of no power is it another prior


@_has_integral.register
def _(prior: HalfCauchy, power: float) -> bool:
    return 2 * power > 1


@_has_integral.register
def _(prior: LogStudentT, power: float) -> bool:
    return power == 1  # as 1 / x but for logarithms: infinite above at less, near zero at more


@_has_integral.register(StudentT | HalfT)
def _(prior: StudentT | HalfT, power: float) -> bool:
    return (prior.df + 1) * power > 1


@_has_integral.register
def _(prior: InverseGamma, power: float) -> bool:
    return (prior.shape + 1) * power > 1


@_has_integral.register
def _(prior: Gamma, power: float) -> bool:
    return (prior.shape - 1) * power > -1


@_has_integral.register
def _(prior: Beta, power: float) -> bool:
    return min((prior.a - 1) * power, (prior.b - 1) * power) > -1


@_has_integral.register
def _(prior: Mixture, power: float) -> bool:
    return all(_has_integral(part, power) for _, part in prior.parts)
