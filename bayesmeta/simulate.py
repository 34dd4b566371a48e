"""Parameters and data drawn from a model, in NumPy alone."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from .errors import ModelError
from .priors import HalfCauchy, HalfNormal, LogNormal, Normal, Prior, StudentT, Uniform
from .studies import BinaryStudies

type Array = NDArray[np.float64]


def risks(theta: Array, baseline: Array, measure: str) -> tuple[Array, Array]:
    """Risks of treatment and control from the study effects and baselines.

    Written apart from the PyMC form: the odds product is solved as a quadratic for the risk, here
    in its other root form, so that the two check each other.

    Parameters
    ----------
    theta, baseline : ndarray, any shape
        Log OR or log RR, and the midpoint logit (half the log odds product for RR).
    measure : {"OR", "RR"}

    Returns
    -------
    tuple of ndarray
        Treatment and control risks, between 0 and 1.

    References
    ----------
    Richardson TS, Robins JM, Wang L (2017). JASA 112:1121-1130.
    """
    if measure == "OR":
        return expit(baseline + theta / 2), expit(baseline - theta / 2)
    if measure != "RR":
        raise ModelError(f"risks are defined for OR and RR, not {measure!r}.")
    ratio = np.exp(-np.abs(theta))  # of the smaller to the larger risk
    product = np.exp(-2 * np.maximum(baseline, -350.0))
    root = np.sqrt((1 - ratio) ** 2 + 4 * ratio * product)
    larger = 2 / (1 + ratio + root)
    smaller = ratio * larger
    return np.where(theta < 0, smaller, larger), np.where(theta < 0, larger, smaller)


def replicate(
    draws: Mapping[str, Array], studies: BinaryStudies, measure: str, *, seed: int
) -> tuple[Array, Array]:
    """Draw new counts for the same studies and arms, one table per posterior draw.

    Parameters
    ----------
    draws : mapping
        ``theta`` and ``baseline``, each (draws, k).
    studies : BinaryStudies
        For the arms' sizes.
    measure : {"OR", "RR"}
    seed : int

    Returns
    -------
    tuple of ndarray, shape (draws, k)
        Events in the treatment and the control arms.
    """
    rng = np.random.default_rng(seed)
    treatment, control = risks(draws["theta"], draws["baseline"], measure)
    size = studies.n_treatment.astype(int), studies.n_control.astype(int)
    events = [
        rng.binomial(n, np.clip(p, 0, 1)) for n, p in zip(size, (treatment, control), strict=True)
    ]
    return events[0].astype(float), events[1].astype(float)


def prior_draws(prior: Prior, n: int, rng: np.random.Generator) -> Array:
    """Draw `n` values from a prior."""
    match prior:
        case Normal(mean, sd):
            return rng.normal(mean, sd, n)
        case StudentT(df, mean, scale):
            return mean + scale * rng.standard_t(df, n)
        case HalfNormal(scale):
            return np.abs(rng.normal(0, scale, n))
        case HalfCauchy(scale):
            return np.abs(scale * rng.standard_cauchy(n))
        case LogNormal(mean, sd):
            return rng.lognormal(mean, sd, n)
        case Uniform(low, high):
            return rng.uniform(low, high, n)
        case _:
            raise ModelError(f"There is no sampler for {prior!r}.")
