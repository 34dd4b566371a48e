"""Parameters drawn from their priors, and effects of studies from their laws."""

from collections.abc import Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..model import (
    COEFFICIENT,
    Arms,
    CorrelatedEstimates,
    CorrelatedSpread,
    Data,
    Estimates,
    Likelihood,
    Location,
    Model,
    MultivariateNormal,
    OfCounts,
    OutlierSpread,
    Overall,
    Predictor,
    Scatter,
    Spread,
    SpreadByGroup,
)
from ..multivariate import matrices, pairs, root
from ..priors import (
    LKJ,
    Prior,
)
from ._priors import prior_draws

type Array = NDArray[np.float64]
type Draws = Mapping[str, Array]
type Size = tuple[int, int]  # draws, studies


def parameters(model: Model, k: int, n: int, *, seed: int, data: Data | None = None) -> Draws:
    """Draw parameters of a model from its priors, study effects and baselines from their laws.

    Parameters
    ----------
    model : Model
    k : int
        Number of studies.
    n : int
        Number of draws.
    seed : int
    data : Data, optional
        The k studies; needed for their covariates, where effects depend on them.

    Returns
    -------
    mapping of str to ndarray
        Every parameter of the model by name, (n,), coefficients (n, p), with random effects also
        ``theta`` (n, k) and, where one effect is expected, ``theta_new`` (n,); ``baseline`` is
        (n, k) where each study has its own, ``log_sd`` (2, n, k), of treatment and control, or
        (1, n, k) where the arms share it. Of several outcomes all but ``within`` have a last axis
        for them, or for their pairs.

    Raises
    ------
    ModelError
        If a prior is improper: there is nothing to draw from; or of several outcomes, if the model
        does not say which.
    """
    rng = np.random.default_rng(seed)
    return _parameters(model.likelihood, model, (n, k), data, rng)


@singledispatch
def _parameters(
    of: Likelihood, model: Model, size: Size, data: Data | None, rng: np.random.Generator
) -> Draws:
    raise ModelError(f"There is no simulator for {model.name}.")


@_parameters.register(Estimates | OfCounts | Arms)
def _(
    of: Likelihood, model: Model, size: Size, data: Data | None, rng: np.random.Generator
) -> Draws:
    n, k = size
    drawn = _located(model.location, data, n, rng)
    for name, prior in model.other_priors.items():
        shape = (n, k) if name in of.own else (n,)
        if name == "log_sd":
            shape = (1 if of.measure == "SMD" else 2, n, k)
        if name == "tau" and data is not None and model.labels("tau", data).get("group"):
            shape = drawn[COEFFICIENT].shape
        drawn[name] = prior_draws(prior, int(np.prod(shape)), rng).reshape(shape)
    if "baseline_mean" in drawn:
        mean, sd = drawn["baseline_mean"][:, None], drawn["baseline_sd"][:, None]
        drawn["baseline"] = mean + sd * rng.standard_normal((n, k))
    if "tau" in drawn:
        drawn["theta"] = new_effects(model, drawn, k, rng, data=data)
    if "tau" in drawn and "mu" in drawn:
        drawn["theta_new"] = new_effects(model, drawn, 1, rng)[:, 0]
    return drawn


@singledispatch
def _located(
    location: Location, data: Data | None, n: int, rng: np.random.Generator
) -> dict[str, Array]:
    """Draw what says where effects are expected."""
    raise ModelError(f"There is no simulator for {location!r}.")


@_located.register
def _(location: Overall, data: Data | None, n: int, rng: np.random.Generator) -> dict[str, Array]:
    return {"mu": prior_draws(location.mu, n, rng)}


@_located.register
def _(location: Predictor, data: Data | None, n: int, rng: np.random.Generator) -> dict[str, Array]:
    if data is None:
        raise ModelError(
            "Effects that depend on covariates can be drawn for studies that have them: give "
            "parameters(..., data=studies)."
        )
    priors = location.coefficients(location.design(data))
    return {COEFFICIENT: np.stack([prior_draws(one, n, rng) for one in priors], axis=1)}


def new_effects(
    model: Model, draws: Draws, k: int, rng: np.random.Generator, *, data: Data | None = None
) -> Array:
    """Draw effects of `k` new studies for every draw of the shared parameters, (n, k).

    Where effects depend on covariates, new studies at the places of those in `data`.
    """
    location, between = model.location, model.between
    expected = location.expected(data, draws)  # pyright: ignore[reportArgumentType]
    if isinstance(between, SpreadByGroup):
        assert data is not None
        draws = {**draws, "tau": between.scales(location, data, draws)}
        between = between.within
    return _about(between, expected, draws, k, rng)


@singledispatch
def _about(
    between: Spread, expected: Array, draws: Draws, k: int, rng: np.random.Generator
) -> Array:
    """Draw effects about where they are expected, (n, 1) or (n, k)."""
    raise ModelError(f"There is no simulator for {between!r}.")


@_about.register
def _(between: Scatter, expected: Array, draws: Draws, k: int, rng: np.random.Generator) -> Array:
    tau, shape, df = draws["tau"].reshape(len(expected), -1), (len(expected), k), between.df
    if "df" in draws:
        df = draws["df"][:, None]
    noise = rng.standard_normal(shape) if df is None else rng.standard_t(df, shape)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return expected + tau * noise


@_about.register
def _(
    between: OutlierSpread, expected: Array, draws: Draws, k: int, rng: np.random.Generator
) -> Array:
    tau, shape = draws["tau"][:, None], (len(expected), k)
    outlying = rng.uniform(size=shape) < draws["share"][:, None]
    tau = np.where(outlying, np.hypot(tau, draws["spread"][:, None]), tau)
    return expected + tau * rng.standard_normal(shape)


@_about.register
def _(
    between: CorrelatedSpread, expected: Array, draws: Draws, k: int, rng: np.random.Generator
) -> Array:
    return _correlated_effects(draws, k, rng)


@_parameters.register
def _(
    of: CorrelatedEstimates,
    model: MultivariateNormal,
    size: Size,
    data: Data | None,
    rng: np.random.Generator,
) -> Draws:
    (n, k), outcomes = size, model.outcomes
    if outcomes is None and isinstance(model.rho, LKJ):
        raise ModelError(
            "The model does not say how many outcomes there are; give each its prior, e.g. "
            "mu={'PD': Normal(0, 1), 'AL': Normal(0, 1)}."
        )
    outcomes = outcomes or ("first", "second")
    drawn = {
        name: np.stack([prior_draws(model.of(name, one), n, rng) for one in outcomes], axis=1)
        for name in ("mu", "tau")
    }
    drawn["rho"] = _correlations(model.rho, len(outcomes), n, rng)
    if model.within is not None:
        drawn["within"] = prior_draws(model.within, n, rng)
    drawn["theta"] = _correlated_effects(drawn, k, rng)
    drawn["theta_new"] = _correlated_effects(drawn, 1, rng)[:, 0]
    return drawn


def _correlations(prior: Prior, p: int, n: int, rng: np.random.Generator) -> Array:
    """Correlations of pairs, (n, pairs), or (n,) for two outcomes.

    LKJ by the onion of Lewandowski, Kurowicka & Joe (2009), one outcome after another: the engine
    has the vine of partial correlations, so that the two check each other.
    """
    if not isinstance(prior, LKJ):
        return prior_draws(prior, n, rng)
    factor = np.zeros((n, p, p))
    factor[:, 0, 0] = 1.0
    for m in range(1, p):
        share = rng.beta(m / 2, prior.eta + (p - 1 - m) / 2, n)
        towards = rng.standard_normal((n, m))
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        factor[:, m, :m] = np.sqrt(share)[:, None] * towards
        factor[:, m, m] = np.sqrt(1 - share)
    first, second = pairs(p)
    rho = (factor @ factor.transpose(0, 2, 1))[:, first, second]
    return rho[:, 0] if p == 2 else rho


def _correlated_effects(draws: Draws, k: int, rng: np.random.Generator) -> Array:
    """Effects of `k` studies on all outcomes, (n, k, p)."""
    mu, tau, rho = draws["mu"], draws["tau"], draws["rho"]
    p = mu.shape[1]
    between = matrices(rho.reshape(len(mu), -1), p) * tau[:, :, None] * tau[:, None, :]
    return mu[:, None] + rng.standard_normal((len(mu), k, p)) @ root(between)
