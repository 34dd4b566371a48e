"""Several outcomes without priors: the restricted likelihood, and what maximises it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import is_among
from .errors import DataError, ModelError
from .multivariate import MultivariateEffects, matrices, pairs
from .priors import LOG_2PI
from .ways import shown

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]
type Descent = Callable[[Array], tuple[float, Array]]
type Method = Literal["REML", "ML"]

STARTS = (-0.7, 0.0, 0.7)  # correlations that the search begins at
ZERO = 1e-5  # a tau below this share of the outcome's spread is zero


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MultivariateFit:
    """Estimates of several outcomes' random effects by maximum likelihood.

    Attributes
    ----------
    method : {"REML", "ML"}
    outcome : tuple of str, length p
    estimate, se : ndarray, shape (p,)
        Overall effects on the analysis scale, and their standard errors.
    covariance : ndarray, shape (p, p)
        Of the estimates.
    tau : ndarray, shape (p,)
        Between-study standard deviations.
    rho : ndarray, shape (p (p - 1) / 2,)
        Between-study correlations of the pairs, in the order of ``MultivariateEffects.pair``; NaN
        where a tau is zero.
    log_likelihood : float
        At the estimates; restricted for REML.
    """

    method: Method
    outcome: tuple[str, ...]
    estimate: Array
    se: Array
    covariance: Array
    tau: Array
    rho: Array
    log_likelihood: float

    def table(self) -> "pd.DataFrame":
        """Return one row per outcome: estimate, se, tau."""
        import pandas as pd

        columns = {"estimate": self.estimate, "se": self.se, "tau": self.tau}
        return pd.DataFrame(columns, index=pd.Index(self.outcome, name="outcome"))


def restricted_log_likelihood(data: MultivariateEffects, tau: ArrayLike, rho: ArrayLike) -> float:
    r"""Evaluate the restricted log likelihood of between-study SDs and correlations.

    .. math::
        -\tfrac{n - p}{2}\log 2\pi + \tfrac12 \log|X'X| - \tfrac12 \sum_i \log|V_i|
        - \tfrac12 \log|X'V^{-1}X| - \tfrac12\, r'V^{-1}r

    n counts estimates, not studies. The term of X'X, whose diagonal says how many studies report
    each outcome, holds no parameter; with it the value is that of metafor's ``logLik``.

    Parameters
    ----------
    data : MultivariateEffects
        With known correlations within studies.
    tau : array_like, shape (p,)
        Between-study standard deviations, in the order of ``data.outcome``.
    rho : array_like, shape (p (p - 1) / 2,), or a number for two outcomes
        Between-study correlations of the pairs, in the order of ``data.pair``.

    Returns
    -------
    float

    Raises
    ------
    ModelError
        If the correlations within studies are unknown, or `tau` and `rho` are impossible.

    References
    ----------
    Harville DA (1974). Biometrika 61:383-385 (the term of X'X).
    van Houwelingen HC, Arends LR, Stijnen T (2002). Stat Med 21:589-624.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.MultivariateEffects(
    ...     study=("A", "B", "C"), outcome=("PD", "AL"), correlation=0.3,
    ...     y=[[0.5, -0.3], [0.2, -0.6], [0.4, -0.1]], se=[[0.1, 0.1], [0.1, 0.05], [0.05, 0.05]])
    >>> round(bm.restricted_log_likelihood(data, tau=[0.1, 0.2], rho=0.5), 3)
    1.426
    """
    _check(data)
    between = _covariance(data, tau, rho)
    return _Likelihood(data, restricted=True).at(between).log_likelihood


def multivariate_random_effects(
    data: MultivariateEffects, *, method: Method = "REML"
) -> MultivariateFit:
    """Pool several outcomes under correlated random effects, without priors.

    Parameters
    ----------
    data : MultivariateEffects
        With known correlations within studies.
    method : {"REML", "ML"}

    Returns
    -------
    MultivariateFit

    Raises
    ------
    DataError
        If an outcome has fewer than two studies.

    Notes
    -----
    With few studies the estimated correlation is often at -1 or 1, and the standard errors, which
    take tau and rho as known, are too small; the Bayesian model has neither trouble.

    References
    ----------
    Jackson D, Riley R, White IR (2011). Stat Med 30:2481-2498.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.MultivariateEffects(
    ...     study=tuple("ABCD"), outcome=("PD", "AL"), correlation=0.3,
    ...     y=[[0.5, -0.3], [0.2, -0.6], [0.4, -0.1], [0.3, -0.4]],
    ...     se=[[0.1, 0.1], [0.1, 0.05], [0.05, 0.05], [0.1, 0.1]])
    >>> bm.multivariate_random_effects(data).estimate.round(3).tolist()
    [0.337, -0.348]
    """
    if not is_among(method, ("REML", "ML")):
        raise ModelError(f"method is 'REML' or 'ML', not {shown(method)}.")
    _check(data)
    few = [n for n, k in zip(data.outcome, data.reported.sum(axis=0), strict=True) if k < 2]
    if few:
        raise DataError(
            f"{', '.join(few)} has one study: its tau cannot be estimated. Leave the outcome out, "
            "or use MultivariateNormal with a prior of tau."
        )
    likelihood = _Likelihood(data, restricted=method == "REML")
    factor = max((_climb(likelihood, data, start) for start in STARTS), key=likelihood.value)
    between = factor @ factor.T
    found = likelihood.at(between)
    tau = np.sqrt(np.diag(between))
    none = tau < ZERO * _unit(data)
    first, second = pairs(data.p)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = between[first, second] / (tau[first] * tau[second])
    return MultivariateFit(
        method=method,
        outcome=data.outcome,
        estimate=found.mu,
        se=np.sqrt(np.diag(found.covariance)),
        covariance=found.covariance,
        tau=np.where(none, 0.0, tau),
        rho=np.where(none[first] | none[second], np.nan, np.clip(rho, -1.0, 1.0)),
        log_likelihood=found.log_likelihood,
    )


class _Point(NamedTuple):
    """The likelihood at one between-study covariance, its slope there, and what follows."""

    log_likelihood: float
    slope: Array  # by the between-study covariance, (p, p)
    mu: Array
    covariance: Array


class _Likelihood:
    """The (restricted) likelihood of one data set, mu maximised or integrated out."""

    def __init__(self, data: MultivariateEffects, *, restricted: bool) -> None:
        self.there = data.numbers["reported"].T
        self.both = self.there[:, :, None] * self.there[:, None, :]
        self.y, self.sampling = data.numbers["y"].T, data.sampling()
        self.restricted = restricted
        count = self.there.sum(axis=0)
        degrees = count.sum() - (count.size if restricted else 0)
        counted = np.log(count).sum() if restricted else 0.0
        self.constant = 0.5 * (counted - degrees * LOG_2PI)

    def at(self, between: Array) -> _Point:
        total = self.sampling + self.both * between
        weight = np.linalg.inv(total) * self.both
        precision = weight.sum(axis=0)
        covariance = np.linalg.inv(precision)
        mu = covariance @ np.einsum("kab,kb->a", weight, self.y)
        pull = np.einsum("kab,kb->ka", weight, self.y - mu)
        lost = weight.sum(axis=0) - np.einsum("ka,kb->ab", pull, pull)
        value = np.linalg.slogdet(total)[1].sum() + (pull * (self.y - mu)).sum()
        if self.restricted:
            value += np.linalg.slogdet(precision)[1]
            lost -= np.einsum("kab,bc,kcd->ad", weight, covariance, weight)
        return _Point(float(self.constant - 0.5 * value), -0.5 * lost, mu, covariance)

    def value(self, factor: Array) -> float:
        return self.at(factor @ factor.T).log_likelihood


def _climb(likelihood: _Likelihood, data: MultivariateEffects, rho: float) -> Array:
    """Maximise over the Cholesky factor of the covariance, which may end singular, from one start.

    A quasi-Newton search first, then Newton's own steps on the analytic slope.
    """
    from scipy.optimize import minimize

    p, unit = data.p, _unit(data)
    lower = np.tril_indices(p)

    def factor_of(x: Array) -> Array:
        factor = np.zeros((p, p))
        factor[lower] = x
        return unit[:, None] * factor

    def descent(x: Array) -> tuple[float, Array]:
        factor = factor_of(x)
        found = likelihood.at(factor @ factor.T)
        slope = 2 * unit[:, None] * (found.slope @ factor)
        return -found.log_likelihood, -slope[lower]

    least = -1 / (p - 1) if p > 2 else -1.0
    start = np.full((p, p), max(rho, 0.9 * least)) + (1 - max(rho, 0.9 * least)) * np.eye(p)
    x = np.linalg.cholesky(start / 4)[lower]
    x = minimize(descent, x, jac=True, method="BFGS", options={"gtol": 1e-8}).x
    return factor_of(_newton(descent, x))


def _newton(descent: Descent, x: Array) -> Array:
    """Polish a minimum: steps from differences of the slope, kept while the slope gets smaller."""
    slope = descent(x)[1]
    for _ in range(10):
        step = 1e-5 * np.maximum(np.abs(x), 1e-2)
        rows = [
            (descent(x + one)[1] - descent(x - one)[1]) / (2 * h)
            for one, h in zip(np.diag(step), step, strict=True)
        ]
        curvature = np.array(rows)
        trial = x - np.linalg.lstsq((curvature + curvature.T) / 2, slope, rcond=1e-10)[0]
        new = descent(trial)[1]
        if not np.abs(new).max() < np.abs(slope).max():
            return x
        x, slope = trial, new
    return x


def _unit(data: MultivariateEffects) -> Array:
    """Size of the outcomes, (p,): the search is the same in other units."""
    return np.sqrt(np.nanvar(data.y, axis=0) + np.nanmean(data.se**2, axis=0))


def _check(data: MultivariateEffects) -> None:
    if not isinstance(data, MultivariateEffects):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ModelError(
            f"Several outcomes need MultivariateEffects, not {type(data).__name__}; for one "
            "outcome use random_effects."
        )
    if data.correlation is None:
        raise ModelError(
            "The correlations within studies are unknown: give the data correlation=..., or use "
            "MultivariateNormal with a prior, within=Uniform(0, 0.9)."
        )


def _covariance(data: MultivariateEffects, tau: ArrayLike, rho: ArrayLike) -> Array:
    sd, each = np.asarray(tau, dtype=np.float64), np.atleast_1d(np.asarray(rho, dtype=np.float64))
    count = len(data.pair)
    if sd.shape != (data.p,) or each.shape != (count,):
        raise ModelError(
            f"tau needs {data.p} numbers and rho {count}, got {shown(tau)} and {shown(rho)}."
        )
    correlation = matrices(each, data.p)
    if not (sd >= 0).all() or not np.linalg.eigvalsh(correlation)[0] >= -1e-12:
        raise ModelError(
            "tau must not be negative and rho must make a correlation matrix, got "
            f"{shown(tau)} and "
            f"{shown(rho)}."
        )
    return correlation * sd[:, None] * sd
