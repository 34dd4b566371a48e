"""What each study says of the parameters that all share, its own effect and baseline integrated.

The unit is the study. Its result is y, or the events of its treatment arm given those of its
control arm (in a hypergeometric likelihood: given its margins).
"""

# SciPy types its results as unions with a second return value:
# pyright: reportArgumentType=false
# pyright: reportOperatorIssue=false

from collections.abc import Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit, gammaln, log_ndtr, logsumexp

from ...errors import ModelError
from ...model import (
    BetaBinomial,
    BinomialNormal,
    CommonEffect,
    ContinuousCommonEffect,
    ContinuousNormal,
    Data,
    Exchangeable,
    HypergeometricNormal,
    IncidenceNormal,
    Model,
    NormalNormal,
    OutlierMixture,
    PoissonNormal,
    ProportionNormal,
    RandomEffects,
)
from ...priors import LOG_2PI
from ...studies import ContinuousStudies, Studies
from ._shared import shared_baselines
from .continuous import log_above, log_densities
from .corners import each_given_mu, sides_of, table_of
from .study import log_likelihoods, log_parts
from .terms import Terms, df_of

type Array = NDArray[np.float64]
type Draws = Mapping[str, Array]

FINENESS, SPACING = 0.4, 0.14  # of the nodes of theta and of the baseline's rule
FAR, FAR_T = 8.5, 1e6  # scales of the study effects within which they are integrated
SMALLEST_RHO = 1e-9  # below, beta functions lose their digits; the distribution is binomial


@singledispatch
def study_terms(model: Model, data: Data, draws: Draws) -> Terms:
    """Evaluate the studies' densities, with study effects and baselines integrated out.

    Parameters
    ----------
    model : Model
    data : Data
        Of the kind that the model takes.
    draws : mapping of str to ndarray, shape (n,)
        What all studies share: ``mu``, ``tau``, and ``df``, ``share``, ``spread``, ``rho``,
        ``baseline``, ``baseline_mean``, ``baseline_sd`` where the model has them.

    Raises
    ------
    ModelError
        If the model has no such density.
    """
    raise ModelError(f"{type(model).__name__} has no density of a study's result by itself.")


@study_terms.register
def _common(_: CommonEffect, data: Data, draws: Draws) -> Terms:
    return _normal(data, draws["mu"], np.zeros(1))


@study_terms.register
def _continuous_common(
    model: ContinuousCommonEffect, data: ContinuousStudies, draws: Draws
) -> Terms:
    every = log_densities(model, data, draws["mu"], SPACING).T
    below = log_above(model, data, draws["mu"], SPACING).T
    return Terms(every, np.zeros_like(every), below)


@study_terms.register
def _normal_normal(model: NormalNormal, data: Data, draws: Draws) -> Terms:
    if model.df is None:
        return _normal(data, draws["mu"], draws["tau"])
    return _tabulated(model, data, draws)


@study_terms.register
def _outliers(_: OutlierMixture, data: Data, draws: Draws) -> Terms:
    share = draws["share"][:, None]
    parts = [
        _normal(data, draws["mu"], tau)
        for tau in (draws["tau"], np.hypot(draws["tau"], draws["spread"]))
    ]
    with np.errstate(divide="ignore"):
        log_share = np.log1p(-share), np.log(share)
    every, below = (
        np.logaddexp(*(log + getattr(one, name) for log, one in zip(log_share, parts, strict=True)))
        for name in ("every", "below")
    )
    return Terms(every, np.zeros_like(every), below)


def _normal(data: Data, mu: Array, tau: Array) -> Terms:
    y, se = data.numbers["y"], data.numbers["se"]
    scale = np.hypot(se, tau[:, None])
    z = (y - mu[:, None]) / scale
    return Terms(-0.5 * z**2 - np.log(scale) - 0.5 * LOG_2PI, np.zeros_like(z), log_ndtr(z))


@study_terms.register
def _binomial(model: BinomialNormal, data: Studies, draws: Draws) -> Terms:
    if isinstance(model.baseline, Exchangeable):
        return shared_baselines(model, data, draws)
    return _tabulated(model, data, draws)


def _tabulated(model: RandomEffects, data: Data, draws: Draws) -> Terms:
    """Study effects summed over nodes that are dense at no effect and reach far."""
    mu, tau = draws["mu"], np.maximum(draws["tau"], 1e-12)
    df = df_of(model, draws)
    far = FAR if df is None else FAR_T
    farthest = 2.0 ** np.ceil(np.log2(np.max(np.abs(mu) + far * tau)))  # rounded: tables are kept
    sides = sides_of(model, data, float(farthest), FINENESS)
    parts = [log_parts(model, data, side, SPACING) for side in sides]
    known = any(given.any() for given, _ in parts)
    logs = [
        np.concatenate([log_likelihoods(model, data, side, SPACING), below, *([given] * known)])
        for side, (given, below) in zip(sides, parts, strict=True)
    ]
    with np.errstate(divide="ignore"):
        found = each_given_mu(table_of(sides, logs), mu, tau, df)
    every, below, *given = np.split(found, 3 if known else 2, axis=1)
    return Terms(every, given[0] if known else np.zeros_like(every), below)


for _kind in (
    ContinuousNormal,
    HypergeometricNormal,
    IncidenceNormal,
    PoissonNormal,
    ProportionNormal,
):
    study_terms.register(_kind, _tabulated)


@study_terms.register
def _beta_binomial(_: BetaBinomial, data: Studies, draws: Draws) -> Terms:
    a, n1, c, n0 = (data.numbers[name] for name in data.columns())
    rho = np.maximum(draws["rho"], SMALLEST_RHO)[:, None]
    total = (1 - rho) / rho
    logits = [draws["baseline"] + side * draws["mu"] for side in (0.5, -0.5)]
    shapes = [(total * expit(logit)[:, None], total * expit(-logit)[:, None]) for logit in logits]
    given = _beta_binomial_log(c, n0, *shapes[1])
    result = _beta_binomial_log(a, n1, *shapes[0])
    below = np.stack(
        [_fewer(events, n, *shapes[0]) for events, n in zip(a, n1, strict=True)], axis=1
    )
    return Terms(given + result, given, given + below)


def _beta_binomial_log(events: Array, n: Array, first: Array, second: Array) -> Array:
    choose = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    return choose + betaln(events + first, n - events + second) - betaln(first, second)


def _fewer(events: float, n: float, first: Array, second: Array) -> Array:
    """Log probability of fewer events, (draws,)."""
    if events == 0:
        return np.full(len(first), -np.inf)
    count = np.arange(events)
    pieces = np.array_split(np.arange(len(first)), max(1, len(first) * count.size // 2**21))
    each = [
        logsumexp(_beta_binomial_log(count, np.asarray(n), first[one], second[one]), axis=1)
        for one in pieces
    ]
    return np.concatenate([np.asarray(one) for one in each])
