"""Which models can be fitted many at a time, and by what."""

from collections.abc import Mapping
from functools import partial, singledispatch
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ...errors import ModelError
from ...model import (
    Arms,
    CorrelatedEstimates,
    EachOutcome,
    Estimates,
    Likelihood,
    Linear,
    Location,
    Model,
    NormalSpread,
    NoSpread,
    OfCounts,
    OutlierSpread,
    Overall,
    Predictor,
    RandomEffects,
    Scatter,
    Spread,
    SpreadByGroup,
)
from ...priors import LOG_2PI, Normal
from ..padding import filled

type Values = NDArray[np.float64]

BATCH_TOLERANCE = 1e-5  # of the error, above which a data set is fitted by itself
NOT_SOUND = "Not sound: R-hat, ESS or divergences of NUTS."


class BatchFit(Protocol):
    """Fit many data sets at once."""

    def __call__(
        self, columns: Mapping[str, Values], *, prob: float, quantiles: bool
    ) -> Mapping[str, Values]:
        """Return numbers by name, each of shape (n,).

        Parameters
        ----------
        columns : mapping of str to ndarray, shape (n, k)
            The data by their names; NaN in all of them where there is no study.
        prob : float
            Probability of the intervals.
        quantiles : bool
            Whether to give medians and intervals.

        Returns
        -------
        mapping of str to ndarray, shape (n,)
            ``mu_mean``, ``mu_sd``, ``prob_below_null``, ``log_marginal_likelihood`` and ``error``,
            which is infinite where the answer is not to be used; with random effects
            ``tau_mean``; with `quantiles` medians and ends. Of regressions, whose columns hold
            their covariates too, ``_mean``, ``_sd`` and ``_below_null`` of each coefficient, and
            the ``_centre`` of each covariate, instead of those of mu. Optionally ``settled``,
            where the answer stands whatever its error, and words for ``engine`` and ``problem``.
        """
        ...


def batch(model: Model) -> BatchFit | None:
    """Return what fits many data sets of a model at once; None where nothing does."""
    return _at(model.location, model)


@singledispatch
def _at(location: Location, model: Model) -> BatchFit | None:
    raise ModelError(f"No engine knows the location {type(location).__name__}.")


@_at.register(Overall | EachOutcome)
def _(location: Location, model: Model) -> BatchFit | None:
    return _batch(model.likelihood, model)


@_at.register
def _(location: Predictor, model: Model) -> BatchFit | None:
    return None


@_at.register
def _(location: Linear, model: Model) -> BatchFit | None:
    return _of_lines(model.between, model, location) if model.likelihood.closed else None


@singledispatch
def _of_lines(between: Spread, model: Model, location: Linear) -> BatchFit | None:
    raise ModelError(f"No engine knows the spread {between!r}.")


@_of_lines.register(NoSpread | Scatter | OutlierSpread | SpreadByGroup)
def _(_: Spread, model: Model, location: Linear) -> BatchFit | None:
    return None


@_of_lines.register
def _(_: NormalSpread, model: RandomEffects, location: Linear) -> BatchFit | None:
    from .regression import fit_regressions, serves

    return partial(fit_regressions, model, location) if serves(model, location) else None


@singledispatch
def _batch(of: Likelihood, model: Model) -> BatchFit | None:
    raise ModelError(f"No engine knows the likelihood {type(of).__name__}.")


@_batch.register(Arms | CorrelatedEstimates)
def _(of: Arms | CorrelatedEstimates, model: Model) -> BatchFit | None:
    return None


@_batch.register
def _(of: Estimates, model: Model) -> BatchFit | None:
    return _of_estimates(model.between, model)


@singledispatch
def _of_estimates(between: Spread, model: Model) -> BatchFit | None:
    raise ModelError(f"No engine knows the spread {between!r}.")


@_of_estimates.register(OutlierSpread | SpreadByGroup)
def _(_: Spread, model: Model) -> BatchFit | None:
    return None


@_of_estimates.register
def _(_: NoSpread, model: Model) -> BatchFit | None:
    mu = model.overall
    return partial(_fit_common, mu) if isinstance(mu, Normal) else None


@_of_estimates.register
def _(_: Scatter, model: RandomEffects) -> BatchFit | None:
    from .normal import fit_normal, serves

    return partial(fit_normal, model) if serves(model) else None


@_batch.register
def _(of: OfCounts, model: RandomEffects) -> BatchFit | None:
    if of.shares:
        return partial(_sampled, model)
    from .counts import fit_counts, serves_many

    return partial(fit_counts, model, of) if serves_many(model) else None


def _sampled(
    model: Model, columns: Mapping[str, Values], *, prob: float, quantiles: bool
) -> Mapping[str, Values]:
    """Fit by HMC of fixed length, the failures by NUTS; errors are those of Monte Carlo."""
    from ..sampling.hmc import sample_many

    present = ~np.isnan(next(iter(columns.values())))
    rows = filled(columns, present, present.shape)
    found = sample_many(model, rows, present.astype(float), seed=0, prob=prob)
    ends = ("lower", "median", "upper") if quantiles else ()
    names = [f"{name}_{what}" for name in ("mu", "tau") for what in ("mean", *ends)]
    again = found["refitted"].astype(bool)
    return {
        **{name: found[name] for name in ("mu_sd", *names) if name in found},
        "prob_below_null": found["mu_below_zero"],
        "error": found["ess"] ** -0.5,
        "settled": np.ones(len(again), dtype=bool),
        "engine": np.where(again, "NUTS(seed=...)", "HMC, many at once").astype(object),
        "problem": np.where(found["passed"].astype(bool), "", NOT_SOUND).astype(object),
    }


def _fit_common(
    prior: Normal, columns: Mapping[str, Values], *, prob: float, quantiles: bool
) -> Mapping[str, Values]:
    """Conjugate normal posterior of one effect."""
    y, variance = columns["y"], columns["se"] ** 2
    weight = np.nansum(1 / variance, axis=1)
    pooled = np.nansum(y / variance, axis=1) / weight
    spread = np.nansum((y - pooled[:, None]) ** 2 / variance + np.log(variance) + LOG_2PI, axis=1)
    total = weight + prior.sd**-2
    mean = (weight * pooled + prior.mean / prior.sd**2) / total
    sd = total**-0.5
    gap = (pooled - prior.mean) ** 2 * weight / (prior.sd**2 * total)
    table = {
        "mu_mean": mean,
        "mu_sd": sd,
        "prob_below_null": ndtr(-mean / sd),
        "log_marginal_likelihood": -0.5 * (spread + gap + np.log(prior.sd**2 * total)),
    }
    if quantiles:
        reach = sd * ndtri((1 + prob) / 2)
        table |= {"mu_lower": mean - reach, "mu_median": mean, "mu_upper": mean + reach}
    finite = np.isfinite(np.array([*table.values()])).all(axis=0)
    return {**table, "error": np.where(finite, 0.0, np.inf)}
