"""What follows from the parameters that were sampled: drawn given these, in NumPy."""

from collections.abc import Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ...errors import ModelError
from ...model import (
    COEFFICIENT,
    CorrelatedSpread,
    Data,
    Model,
    NoSpread,
    OutlierSpread,
    Scatter,
    Spread,
)
from ...multivariate import MultivariateEffects, matrices, root
from ...posterior import Draws, Linear

type Array = NDArray[np.float64]
type DrawsByName = Mapping[str, Array]


def derived(model: Model, data: Data, draws: DrawsByName, rng: np.random.Generator) -> DrawsByName:
    """Draw what the sampler left out.

    Parameters
    ----------
    model : Model
    data : Studies or EffectSizes
    draws : mapping of str to ndarray, each (chains, draws) or (chains, draws, k)
    rng : Generator

    Returns
    -------
    mapping of str to ndarray, likewise
        With random effects ``theta_new``; with outliers ``theta`` and ``outlier`` too. Of several
        outcomes (chains, draws, p) and (chains, draws, k, p).
    """
    return _left_out(model.between, model, data, draws, rng)


def linear(
    between: Spread, draws: DrawsByName, moments: Mapping[str, int], seed: int
) -> Linear | None:
    """What makes the posterior of an effect at a place; None where there is one for all.

    A new study's effect adds the spread of the effects, drawn with `seed`.
    """
    if COEFFICIENT not in draws:
        return None

    def at(row: Array, *, new: bool = False) -> Draws:
        exist = [moments.get(f"{COEFFICIENT}[{i}]", 2) for i in np.flatnonzero(row)]
        mean = draws[COEFFICIENT] @ row
        if not new:
            return Draws(mean, min(exist, default=2))
        noise = _noise(between, draws, np.random.default_rng([seed, 2]))
        return Draws(mean + noise, min(*exist, moments.get("theta_new", 2), 2))

    return at


@singledispatch
def _noise(between: Spread, draws: DrawsByName, rng: np.random.Generator) -> Array | float:
    """Draw how far the effect of a new study lies from where it is expected, (chains, draws)."""
    raise ModelError(f"What follows from draws is not known with {between!r}.")


@_noise.register
def _(_: NoSpread, draws: DrawsByName, rng: np.random.Generator) -> float:
    return 0.0


@_noise.register
def _(between: Scatter, draws: DrawsByName, rng: np.random.Generator) -> Array:
    df, size = draws.get("df", between.df), draws["tau"].shape  # pyright: ignore[reportArgumentType, reportCallIssue]
    noise = rng.standard_normal(size) if df is None else rng.standard_t(df, size)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return draws["tau"] * noise


@_noise.register
def _(_: OutlierSpread, draws: DrawsByName, rng: np.random.Generator) -> Array:
    tau, share, spread = (draws[name][..., None] for name in ("tau", "share", "spread"))
    new = np.sqrt(_one_of((tau**2, tau**2 + spread**2), share, rng))
    return (new * rng.standard_normal(tau.shape))[..., 0]


@singledispatch
def _left_out(
    between: Spread, model: Model, data: Data, draws: DrawsByName, rng: np.random.Generator
) -> DrawsByName:
    raise ModelError(f"What follows from draws is not known with {between!r}.")


@_left_out.register
def _(
    _: NoSpread, model: Model, data: Data, draws: DrawsByName, rng: np.random.Generator
) -> DrawsByName:
    return {}


@_left_out.register
def _(
    between: Scatter, model: Model, data: Data, draws: DrawsByName, rng: np.random.Generator
) -> DrawsByName:
    """A new effect; where study effects were integrated out, these given their weights as well."""
    found = _of_new(between, draws, rng)
    if "theta" in draws:
        return found
    scale2 = draws["tau"][..., None] ** 2 / draws["weight"]
    return {
        **found,
        "theta": _study_effects(data, model.location.expected(data, draws), scale2, rng),
    }


def _of_new(between: Spread, draws: DrawsByName, rng: np.random.Generator) -> DrawsByName:
    """A new study's effect, where one place is meant."""
    return {"theta_new": draws["mu"] + _noise(between, draws, rng)} if "mu" in draws else {}


@_left_out.register
def _(
    between: OutlierSpread, model: Model, data: Data, draws: DrawsByName, rng: np.random.Generator
) -> DrawsByName:
    """Draw the component of each study, then its effect: normal given estimate and component."""
    mu = model.location.expected(data, draws)
    tau, share, spread = (draws[name][..., None] for name in ("tau", "share", "spread"))
    variances = tau**2, tau**2 + spread**2
    outlier = _wide(data, mu, share, *variances)
    own = _one_of(variances, outlier, rng)
    return {
        "outlier": outlier,
        "theta": _study_effects(data, mu, own, rng),
        **_of_new(between, draws, rng),
    }


@_left_out.register
def _(
    _: CorrelatedSpread,
    model: Model,
    data: MultivariateEffects,
    draws: DrawsByName,
    rng: np.random.Generator,
) -> DrawsByName:
    """Effects of the studies and of a new one, jointly over the outcomes.

    A study's effects are drawn from their law without its estimates and then moved by what these
    add to estimates drawn with them: for normals the conditional law, whatever is singular.
    """
    mu, tau, numbers = draws["mu"], draws["tau"], data.numbers
    rho = draws["rho"] if draws["rho"].ndim > 2 else draws["rho"][..., None]
    between = matrices(rho, data.p) * tau[..., :, None] * tau[..., None, :]
    noise = rng.standard_normal((*mu.shape[:2], data.k + 1, data.p))
    free = mu[..., None, :] + noise @ root(between)  # the root is symmetric
    new, theta = free[..., 0, :], free[..., 1:, :]
    sampling = data.sampling(draws.get("within"))
    error = (root(sampling) @ rng.standard_normal((*theta.shape, 1)))[..., 0]
    there = numbers["reported"].T
    reach = between[..., None, :, :] * there[:, None, :]
    total = sampling + there[:, :, None] * reach
    surprise = there * (numbers["y"].T - theta - error)
    moved = reach @ np.linalg.solve(total, surprise[..., None])
    return {"theta": theta + moved[..., 0], "theta_new": new}


def _study_effects(data: Data, mu: Array, between: Array, rng: np.random.Generator) -> Array:
    """Draw study effects given estimates and variances between studies, (chains, draws, k)."""
    y, se = data.numbers["y"], data.numbers["se"]
    own = between / (between + se**2)  # share of the study's own estimate in its effect
    noise = np.sqrt(own) * se * rng.standard_normal(own.shape)
    return mu + own * (y - mu) + noise


def _wide(data: Data, mu: Array, share: Array, usual: Array, wide: Array) -> Array:
    """Probability that each study is of the wide component, by Bayes' theorem."""
    y, se = data.numbers["y"], data.numbers["se"]
    narrow, broad = usual + se**2, wide + se**2
    with np.errstate(divide="ignore"):
        log_odds = np.log(share) - np.log1p(-share)
    log_odds = log_odds + 0.5 * np.log(narrow / broad)
    return expit(log_odds + 0.5 * (y - mu) ** 2 * (1 / narrow - 1 / broad))


def _one_of(variances: tuple[Array, Array], wide: Array, rng: np.random.Generator) -> Array:
    usual, broad = variances
    return np.where(rng.uniform(size=wide.shape) < wide, broad, usual)
