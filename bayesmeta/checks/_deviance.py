"""Residual deviance and leverage of each study, and DIC."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, logsumexp, xlogy

from ..engines import effect_likelihoods, rough_estimates, study_nodes
from ..errors import ModelError
from ..model import (
    Arms,
    Binomial,
    Data,
    Estimates,
    Hypergeometric,
    Incidence,
    Likelihood,
    Model,
    Poisson,
    Proportion,
)
from ..notebooks import Tabled
from ..posterior import Posterior
from ..simulate import risks
from ..studies import ContinuousStudies
from ._statistics import check_settings

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]
type Draws = Mapping[str, Array]
type Fitted = tuple[Array, Callable[[Array], Array]]
type Evaluated = tuple[Array, Array, Callable[[Array], Array]]

FAR = 3.0  # of a residual deviance above its data points
BATCHES = 32  # of all chains together, for the Monte Carlo error


class MonteCarloError(NamedTuple):
    """Standard errors of what was computed from draws."""

    total: float
    p_d: float
    dic: float


NOTHING_DRAWN = MonteCarloError(0.0, 0.0, 0.0)


@final
@dataclass(frozen=True, slots=True)
class Deviance(Tabled):
    """How well each study is fitted, and how much of the fit is its own doing.

    Attributes
    ----------
    study : tuple of str, length k
    residual : ndarray, shape (k,)
        Posterior mean of the residual deviance; about the number of data points where the model
        fits.
    leverage : ndarray, shape (k,)
        That less the deviance at the posterior mean of the fitted values.
    points : ndarray, shape (k,)
        Data points: 2 for two arms, else 1.
    mcse : MonteCarloError
        Of ``total``, ``p_d`` and ``dic``; 0 for an exact posterior.
    """

    study: tuple[str, ...]
    residual: Array
    leverage: Array
    points: Array
    mcse: MonteCarloError = NOTHING_DRAWN

    @property
    def total(self) -> float:
        """Total residual deviance, to be compared with the number of data points."""
        return float(self.residual.sum())

    @property
    def p_d(self) -> float:
        """Effective number of parameters, the sum of the leverages."""
        return float(self.leverage.sum())

    @property
    def dic(self) -> float:
        """Deviance information criterion: total residual deviance plus p_d."""
        return self.total + self.p_d

    @property
    def cautions(self) -> tuple[str, ...]:
        """Studies that the model fits badly: a residual deviance three above its data points."""
        excess = self.residual - self.points
        bad = [name for name, one in zip(self.study, excess, strict=True) if one > FAR]
        if not bad:
            return ()
        return (f"The model fits {', '.join(bad)} badly: residual deviance far above its points.",)

    def table(self) -> "pd.DataFrame":
        """Return one row per study."""
        import pandas as pd

        columns = {"points": self.points, "residual": self.residual, "leverage": self.leverage}
        return pd.DataFrame(columns, index=pd.Index(self.study, name="study"))


def deviance(posterior: Posterior, *, seed: int = 0, draws: int = 4000) -> Deviance:
    """Measure the fit of each study: residual deviance, leverage, DIC.

    Parameters
    ----------
    posterior : Posterior
    seed, draws : int
        Kept for callers; not used: an exact posterior is integrated, and a sampled one gives all
        its draws.

    Returns
    -------
    Deviance

    Raises
    ------
    ModelError
        If the model has no saturated model to be compared with.

    References
    ----------
    Dias S, Welton NJ, Sutton AJ, Ades AE (2011). NICE DSU Technical Support Document 2, section
    2.2 (leverage at the posterior mean of the fitted values).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> fitted = bm.deviance(bm.fit(model, data))
    >>> bool(fitted.total < fitted.points.sum() + 2)
    True
    """
    check_settings(seed, draws)
    if not saturated(posterior.model.likelihood):
        raise ModelError(
            f"{posterior.model.name} has no saturated model, hence no residual deviance; use loo."
        )
    return _integrated(posterior) if posterior.exact else _sampled(posterior, seed)


def _integrated(posterior: Posterior) -> Deviance:
    """Study by study over the nodes of its own posterior."""
    data, found = posterior.data, []
    for i, (columns, mass) in enumerate(study_nodes(posterior)):
        one = data.keep(np.arange(data.k) == i)
        parts = _evaluated(posterior.model, one, columns)
        found.append((*(each[0] for each in _means(parts, mass)), len(parts)))
    residual, leverage, points = np.array(found, dtype=np.float64).T
    return Deviance(data.study, residual, leverage, points)


def _sampled(posterior: Posterior, seed: int) -> Deviance:
    sample = posterior.sample(None, seed)
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in sample.items()}
    parts = _evaluated(posterior.model, posterior.data, flat)
    batches = np.arange(len(parts[0][0])) * BATCHES // len(parts[0][0])
    residual, leverage = _means(parts, np.ones(batches.size))
    points = np.full(posterior.data.k, float(len(parts)))
    return Deviance(posterior.data.study, residual, leverage, points, _error(parts, batches))


def _evaluated(model: Model, data: Data, columns: Draws) -> list[Evaluated]:
    if "theta" not in columns:  # no spread
        columns = {**columns, "theta": model.location.expected(data, columns)}
    return [(fitted, of(fitted), of) for fitted, of in _parts(model.likelihood, data, columns)]


def _means(parts: list[Evaluated], mass: Array) -> tuple[Array, Array]:
    """Residual deviance and leverage of each study, (k,)."""
    share = mass / mass.sum()
    residual = np.array([share @ each for _, each, _ in parts])
    at_mean = np.array([of((share @ fitted)[None])[0] for fitted, _, of in parts])
    return residual.sum(axis=0), (residual - at_mean).sum(axis=0)


def _error(parts: list[Evaluated], batches: NDArray[np.intp]) -> MonteCarloError:
    """Jackknife over batches: successive draws depend on each other, batches hardly do."""
    if batches.size < 2 * BATCHES:
        return MonteCarloError(np.nan, np.nan, np.nan)
    kept = (np.asarray(batches != b, dtype=np.float64) for b in range(BATCHES))
    total, p_d = np.array([[one.sum() for one in _means(parts, mass)] for mass in kept]).T
    scale = (BATCHES - 1) / BATCHES**0.5
    errors = (scale * float(one.std(ddof=1)) for one in (total, p_d, total + p_d))
    return MonteCarloError(*errors)


def saturated(likelihood: Likelihood) -> bool:
    """Whether a likelihood has a saturated model, which its deviance is measured from."""
    return _parts.dispatch(type(likelihood)) is not _parts.dispatch(object)


@singledispatch
def _parts(likelihood: Likelihood, data: Data, draws: Draws) -> list[Fitted]:
    """Fitted values (n, k) of each data point of a study, and their deviance."""
    raise ModelError(f"There is no saturated model of {likelihood!r}.")


@_parts.register
def _(_: Estimates, data: Data, draws: Draws) -> list[Fitted]:
    y, se = data.numbers["y"], data.numbers["se"]
    return [(draws["theta"], lambda theta: ((y - theta) / se) ** 2)]


@_parts.register
def _(arms: Arms, data: ContinuousStudies, draws: Draws) -> list[Fitted]:
    y, se = rough_estimates(arms, data, {})
    peaks = y + se * np.linspace(-3, 3, 1201)[:, None]  # the likeliest is among them, nearly
    best = effect_likelihoods(arms, data, peaks).max(axis=0)

    def of(theta: Array) -> Array:
        each = np.broadcast_to(theta, (len(theta), data.k))
        return 2 * (best - effect_likelihoods(arms, data, each))

    return [(draws["theta"], of)]


@_parts.register
def _(likelihood: Binomial, data: Data, draws: Draws) -> list[Fitted]:
    both = risks(draws["theta"], draws["baseline"], likelihood.link)
    return [
        (risk, _binomial(data.numbers[f"events_{arm}"], data.numbers[f"n_{arm}"]))
        for arm, risk in zip(("treatment", "control"), both, strict=True)
    ]


@_parts.register
def _(likelihood: Proportion, data: Data, draws: Draws) -> list[Fitted]:
    return [(expit(draws["theta"]), _binomial(data.numbers["events"], data.numbers["n"]))]


@_parts.register
def _(likelihood: Poisson, data: Data, draws: Draws) -> list[Fitted]:
    found = []
    for arm, side in (("treatment", 0.5), ("control", -0.5)):
        mean = data.numbers[f"time_{arm}"] * np.exp(draws["baseline"] + side * draws["theta"])
        found.append((mean, _poisson(data.numbers[f"events_{arm}"])))
    return found


@_parts.register
def _(likelihood: Incidence, data: Data, draws: Draws) -> list[Fitted]:
    mean = data.numbers["time"] * np.exp(draws["theta"])
    return [(mean, _poisson(data.numbers["events"]))]


@_parts.register
def _(likelihood: Hypergeometric, data: Data, draws: Draws) -> list[Fitted]:
    rows = list(zip(*data.numbers.values(), strict=True))
    logs = [_conditional(*map(float, row)) for row in rows]

    def of(theta: Array) -> Array:
        return np.stack([one(theta[:, i]) for i, one in enumerate(logs)], axis=1)

    return [(draws["theta"], of)]


def _binomial(events: Array, n: Array) -> Callable[[Array], Array]:
    def of(risk: Array) -> Array:
        risk = np.clip(risk, 1e-300, 1 - 1e-16)
        none = n - events
        fitted = xlogy(events, risk) + none * np.log1p(-risk)
        return 2 * (xlogy(events, events / n) + xlogy(none, none / n) - fitted)

    return of


def _poisson(events: Array) -> Callable[[Array], Array]:
    def of(mean: Array) -> Array:
        mean = np.maximum(mean, 1e-300)
        return 2 * (xlogy(events, events) - events - xlogy(events, mean) + mean)

    return of


def _conditional(a: float, n1: float, c: float, n0: float) -> Callable[[Array], Array]:
    """Deviance of a table with fixed margins as a function of its log odds ratio, (n,)."""
    from scipy.optimize import minimize_scalar

    count = np.arange(max(0.0, a + c - n0), min(n1, a + c) + 1)
    rest = (count, n1 - count, a + c - count, n0 - a - c + count)
    weight = -sum(gammaln(one + 1) for one in rest)

    def log_p(theta: Array) -> Array:
        total = np.asarray(logsumexp(weight + theta[:, None] * (count - a), axis=1))
        return np.asarray(weight)[count == a] - total

    best = 0.0
    if count[0] < a < count[-1]:
        found = minimize_scalar(
            lambda x: -log_p(np.array([x]))[0], bounds=(-30, 30), method="bounded"
        )
        best = -float(found.fun)
    return lambda theta: 2 * (best - log_p(theta))
