"""Marginal likelihoods with mu, or tau, at zero: one integral each, wherever it has its mass.

The posterior of the whole model tells little of what the data say far from where it lies, so the
null is integrated by itself: adaptively, over the studies' densities given mu and tau.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...model import Data, Model, OfCounts, Scatter
from ...posterior.tau import tau_of, x_of
from ...priors import Mixture, Prior, log_density, log_density_of_tau
from ..likelihood.corners import each_given_mu, read_off, tabulate
from ..likelihood.normal import log_normal
from ..likelihood.points import Places
from ..likelihood.rough import rough_effects
from ..likelihood.study import log_likelihoods
from .mu_rule import sharpness
from .tau_nodes import TauMap, logsumexp, support_of_tau

type Array = NDArray[np.float64]
type LogFunction = Callable[[Array], Array]

TOLERANCE = 1e-9  # of the integral, relative
PANEL = np.polynomial.legendre.leggauss(16)
MOST_SPLITS = 40
FAINT = 80.0  # in logs: panels as far below the first look at the highest are not looked at again
FINENESS, SPACING = 0.3, 0.1  # of the nodes of theta and of the baseline's rule
LEAST_TAU, MOST_TAU = 1e-6, 1e9  # of the smallest and largest standard error
FURTHEST = 1e8  # standard errors as far as which tables go at least: so one serves most priors
FAR = 8.5, 1e4  # scales of normal and Student-t effects that are summed
AWAY = np.array([0.0, 1.0, 3.0, 8.0, 25.0, 100.0, 1e3, 1e4, 1e6])  # of features, for edges


def log_evidence_without_effect(model: Model, data: Data) -> float:
    """Log marginal likelihood of the same model with mu = 0, by integration over tau alone."""
    if "tau" not in model.priors:
        return float(_without_spread(model, data, np.zeros(1)).sum())
    prior = model.priors["tau"]
    low, high = support_of_tau(prior)
    _, se = rough_effects(model.likelihood, data)
    most = min(high - low, MOST_TAU * float(se.max()))
    at = TauMap.of(prior, low, low + most, min(float(np.median(se)), 0.5 * most))
    given = _given(model, data, low + most)

    def log_f(x: Array) -> Array:
        tau, slope = tau_of(x, *at)
        with np.errstate(divide="ignore"):  # where no float is, nothing is left
            log_slope = np.log(slope)
        return given(tau).sum(axis=1) + _log_prior_of_tau(model, data, tau) + log_slope

    decades = low + most * np.exp(np.arange(-60.0, -1.0, 3.0))
    return log_integral(log_f, np.unique([-1.0, *x_of(decades, *at), 1.0]))


def log_evidence_without_spread(model: Model, data: Data) -> float:
    """Log marginal likelihood of the same model with tau = 0, by integration over mu alone."""
    prior = model.overall

    def log_f(mu: Array) -> Array:
        return _without_spread(model, data, mu).sum(axis=1) + log_density(prior, mu)

    y, se = rough_effects(model.likelihood, data)
    pooled = float((se**-2.0).sum() ** -0.5)
    away = np.concatenate([AWAY, -AWAY])
    of_data = np.sort(
        [*(pooled**2 * (y / se**2).sum() + pooled * away), *(y - 3 * se), *(y + 3 * se)]
    )
    of_prior = [centre + scale * away for centre, scale in _places(prior)]
    edges = [0.0, *_thinned(of_data, 0.3 * pooled), *np.concatenate(of_prior)]
    return log_integral(log_f, np.unique(np.clip(edges, *prior.support)))


def _thinned(edges: Array, least: float) -> list[float]:
    """Leave out edges nearer than `least` to the one before."""
    found = [edges[0]]
    for edge in edges[1:]:
        if edge - found[-1] > least:
            found.append(edge)
    return found


def log_integral(log_f: LogFunction, edges: Array) -> float:
    """Log of an integral of ``exp(log_f)``: panels are halved until halving changes nothing.

    Parameters
    ----------
    log_f : callable
        Logs at points (n,), each (n,).
    edges : ndarray, shape (m,)
        Of the first panels.

    Raises
    ------
    ModelError
        If the integrand is not a number somewhere, or halving does not settle.
    """
    low, high = edges[:-1], edges[1:]
    whole = _panels(log_f, low, high)
    alive = whole > whole.max() - FAINT
    low, high, whole, done = low[alive], high[alive], whole[alive], whole[~alive]
    for _ in range(MOST_SPLITS):
        middle = 0.5 * (low + high)
        left, right = _panels(log_f, low, middle), _panels(log_f, middle, high)
        both = np.logaddexp(left, right)
        total = logsumexp(np.concatenate([done, both]))
        off = np.abs(np.exp(both - total) - np.exp(whole - total)) > TOLERANCE / edges.size
        done = np.concatenate([done, both[~off]])
        if not off.any():
            break
        low, high = (
            np.concatenate(pair) for pair in ((low[off], middle[off]), (middle[off], high[off]))
        )
        whole = np.concatenate([left[off], right[off]])
    else:
        raise ModelError("The marginal likelihood at 0 does not settle: no factor can be given.")
    return float(logsumexp(done))


def _panels(log_f: LogFunction, low: Array, high: Array) -> Array:
    x, weight = PANEL
    half = 0.5 * (high - low)[:, None]
    points = 0.5 * (high + low)[:, None] + half * x
    values = log_f(points.ravel())
    if np.isnan(values).any():
        raise ModelError("The likelihood at 0 is no number somewhere: no factor can be given.")
    with np.errstate(divide="ignore"):
        return logsumexp(values.reshape(points.shape) + np.log(half * weight), axis=1)


def _places(prior: Prior) -> list[tuple[float, float]]:
    """Where a prior of mu has its features, and how wide they are."""
    if isinstance(prior, Mixture):
        return [place for _, part in prior.parts for place in _places(part)]
    low, high = prior.support
    if np.isfinite(low):
        return [(low, min(high - low, prior.numbers.get("scale", 1.0)))]
    return [(prior.numbers["mean"], sharpness(prior))]


def _log_prior_of_tau(model: Model, data: Data, tau: Array) -> Array:
    se = data.numbers.get("se", np.empty(0))  # which Jeffreys' prior reads
    return log_density_of_tau(model.priors["tau"], tau, se)


def _without_spread(model: Model, data: Data, mu: Array) -> Array:
    """Log density of each study given mu with tau = 0, (n, k)."""
    of = model.likelihood
    if isinstance(of, OfCounts) and of.paired is not None and mu.size > 1:
        far = max(float(np.abs(mu).max()), FURTHEST * float(rough_effects(of, data)[1].max()))
        return read_off(of, data, mu, far, FINENESS).T
    return log_likelihoods(model.likelihood, data, Places(tuple(mu)), SPACING).T


def _given(model: Model, data: Data, most: float) -> Callable[[Array], Array]:
    """Log density of each study at mu = 0 as a function of tau (n,) up to `most`, (n, k)."""
    between = model.between
    assert isinstance(between, Scatter)
    df = between.df
    assert not isinstance(df, Prior)
    if model.likelihood.closed and df is None:
        y, se = rough_effects(model.likelihood, data)
        return lambda tau: log_normal(y, 0.0, np.hypot(se, tau[:, None]))
    _, se = rough_effects(model.likelihood, data)
    corners = tabulate(model.likelihood, data, FAR[df is not None] * most, FINENESS, SPACING)
    least = LEAST_TAU * float(se.min())

    def given(tau: Array) -> Array:
        return each_given_mu(corners, np.zeros_like(tau), np.maximum(tau, least), df)

    return given
