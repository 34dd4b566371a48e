"""What each study says of the parameters that all share, its own effect and baseline integrated.

The unit is the study. Its result is y, or the events of its treatment arm given those of its
control arm (in a hypergeometric likelihood: given its margins).
"""

from collections.abc import Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit, gammaln, log_ndtr, logsumexp

from ...errors import ModelError
from ...model import (
    COEFFICIENT,
    Arms,
    Data,
    Estimates,
    Likelihood,
    Model,
    NormalSpread,
    NoSpread,
    OfCounts,
    OutlierSpread,
    Overdispersed,
    Scatter,
    Spread,
    StudentTSpread,
)
from ...studies import ContinuousStudies, Studies
from ._shared import shared_baselines
from .corners import each_given_mu, sides_of, table_of, tabulate
from .normal import log_normal
from .of_arms.continuous import log_above, log_densities
from .study import log_likelihoods, log_parts
from .terms import Terms, df_of

type Array = NDArray[np.float64]
type Draws = Mapping[str, Array]

FINE = FINENESS, SPACING = 0.4, 0.14  # of the nodes of theta and of the baseline's rule
COARSE = 0.8, 0.25
FAR, FAR_T = 8.5, 1e6  # scales of the study effects within which they are integrated
SMALLEST_TAU = 1e-12
SMALLEST_RHO = 1e-9  # below, beta functions lose their digits; the distribution is binomial


def study_terms(model: Model, data: Data, draws: Draws) -> Terms:
    """Evaluate the studies' densities, with study effects and baselines integrated out.

    Parameters
    ----------
    model : Model
    data : Data
        Of the kind that the model takes.
    draws : mapping of str to ndarray, shape (n,)
        What all studies share: ``mu`` or the coefficients (n, p), ``tau``, and ``df``, ``share``,
        ``spread``, ``rho``, ``baseline``, ``baseline_mean``, ``baseline_sd`` where the model has
        them.

    Raises
    ------
    ModelError
        If the model has no such density.
    """
    if _terms.dispatch(type(model.likelihood)) is _terms.dispatch(object):
        raise ModelError(f"{model.name} has no density of a study's result by itself.")
    if COEFFICIENT not in draws:
        return _terms(model.likelihood, model.between, data, draws)
    own = {"mu": model.location.expected(data, draws)}
    if "tau" in draws:
        scales = model.between.scales(model.location, data, draws)
        own["tau"] = np.broadcast_to(scales, own["mu"].shape)
    each = [
        _terms(
            model.likelihood,
            model.between.within,
            data.keep(np.arange(data.k) == i),
            {**draws, **{name: values[:, i] for name, values in own.items()}},
        )
        for i in range(data.k)
    ]
    return Terms(*(np.concatenate(parts, axis=1) for parts in zip(*each, strict=True)))


def densities_of_counts(
    model: Model, data: Data, mu: Array, tau: Array, *, coarse: bool = False
) -> Array:
    """Log density of each study's counts given mu and tau (n,), (n, k): ``every`` by itself.

    Without what its result is predicted from, it costs a third of ``study_terms``; from `coarse`
    nodes half of that.
    """
    between = model.between
    assert isinstance(between, Scatter)
    df = df_of(between, {})
    far = FAR if df is None else FAR_T
    tau = np.maximum(tau, SMALLEST_TAU)
    farthest = _farthest(mu, far * tau)
    corners = tabulate(model.likelihood, data, farthest, *(COARSE if coarse else FINE))
    return each_given_mu(corners, mu, tau, df)


def _farthest(mu: Array, tau: Array) -> float:
    """How far study effects reach; rounded, for tables are kept."""
    return float(2.0 ** np.ceil(np.log2(np.max(np.abs(mu) + tau))))


@singledispatch
def _terms(of: Likelihood, between: Spread, data: Data, draws: Draws) -> Terms:
    raise ModelError(f"{of!r} has no density of a study's result by itself.")


@_terms.register
def _(of: Estimates, between: Spread, data: Data, draws: Draws) -> Terms:
    return _of_estimates(between, of, data, draws)


@_terms.register
def _(of: Arms, between: Spread, data: Data, draws: Draws) -> Terms:
    return _of_arms(between, of, data, draws)


@_terms.register
def _(of: OfCounts, between: Spread, data: Studies, draws: Draws) -> Terms:
    return _of_counts(between, of, data, draws)


@singledispatch
def _of_counts(between: Spread, of: OfCounts, data: Studies, draws: Draws) -> Terms:
    raise ModelError(f"{type(between).__name__} goes with no likelihood of counts.")


@_of_counts.register
def _(between: Scatter, of: OfCounts, data: Studies, draws: Draws) -> Terms:
    return (shared_baselines if of.shares else _tabulated)(of, between, data, draws)


@singledispatch
def _of_arms(between: Spread, of: Arms, data: ContinuousStudies, draws: Draws) -> Terms:
    raise ModelError(f"{type(between).__name__} goes with no likelihood of arms.")


@_of_arms.register
def _(between: Scatter, of: Arms, data: ContinuousStudies, draws: Draws) -> Terms:
    return _tabulated(of, between, data, draws)


@_of_arms.register
def _(_: NoSpread, of: Arms, data: ContinuousStudies, draws: Draws) -> Terms:
    every = log_densities(of, data, draws["mu"], SPACING).T
    below = log_above(of, data, draws["mu"], SPACING).T
    return Terms(every, np.zeros_like(every), below)


@singledispatch
def _of_estimates(between: Spread, of: Estimates, data: Data, draws: Draws) -> Terms:
    raise ModelError(f"{type(between).__name__} goes with no likelihood of single estimates.")


@_of_estimates.register
def _(_: NoSpread, of: Estimates, data: Data, draws: Draws) -> Terms:
    return _normal(data, draws["mu"], np.zeros(1))


@_of_estimates.register
def _(_: NormalSpread, of: Estimates, data: Data, draws: Draws) -> Terms:
    return _normal(data, draws["mu"], draws["tau"])


@_of_estimates.register
def _(between: StudentTSpread, of: Estimates, data: Data, draws: Draws) -> Terms:
    return _tabulated(of, between, data, draws)


@_of_estimates.register
def _(_: OutlierSpread, of: Estimates, data: Data, draws: Draws) -> Terms:
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
    every = log_normal(y, mu[:, None], scale)
    return Terms(every, np.zeros_like(every), log_ndtr((y - mu[:, None]) / scale))


def _tabulated(of: Likelihood, between: Scatter, data: Data, draws: Draws) -> Terms:
    """Study effects summed over nodes that are dense at no effect and reach far."""
    mu, tau = draws["mu"], np.maximum(draws["tau"], SMALLEST_TAU)
    df = df_of(between, draws)
    sides = sides_of(of, data, _farthest(mu, (FAR if df is None else FAR_T) * tau), FINENESS)
    parts = [log_parts(of, data, side, SPACING) for side in sides]
    known = any(given.any() for given, _ in parts)
    logs = [
        np.concatenate([log_likelihoods(of, data, side, SPACING), below, *([given] * known)])
        for side, (given, below) in zip(sides, parts, strict=True)
    ]
    with np.errstate(divide="ignore"):
        found = each_given_mu(table_of(sides, logs), mu, tau, df)
    every, below, *given = np.split(found, 3 if known else 2, axis=1)
    return Terms(every, given[0] if known else np.zeros_like(every), below)


@_terms.register
def _beta_binomial(_: Overdispersed, between: NoSpread, data: Studies, draws: Draws) -> Terms:
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
