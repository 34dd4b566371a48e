"""The same prior, tighter or wider."""

from dataclasses import replace
from functools import singledispatch

import numpy as np

from .composed import Mixture
from .families import (
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    LogNormal,
    LogStudentT,
    Normal,
    StudentT,
    Uniform,
)
from .prior import Prior


@singledispatch
def rescaled(prior: Prior, factor: float) -> Prior | None:
    """Return the prior whose spread is `factor` times as large, in the same family.

    Of a scale such as tau it is the prior of `factor` times the parameter; of an effect the
    location stays where it is. A uniform prior from 0, or from above it, is taken for one of a
    scale. Of a mixture both parts are made wider.

    Parameters
    ----------
    prior : Prior
    factor : float
        Positive.

    Returns
    -------
    Prior or None
        None where it has no scale, as a flat one, or its family does not stay itself.

    Examples
    --------
    >>> from bayesmeta.priors import HalfNormal
    >>> rescaled(HalfNormal(0.5), 2)
    HalfNormal(1)
    """
    return None


@rescaled.register
def _(prior: Normal, factor: float) -> Prior:
    return replace(prior, sd=factor * prior.sd)


@rescaled.register
def _(prior: StudentT | HalfNormal | HalfCauchy | HalfT | InverseGamma, factor: float) -> Prior:
    return replace(prior, scale=factor * prior.scale)


@rescaled.register
def _(prior: LogNormal | LogStudentT, factor: float) -> Prior:
    return replace(prior, mean=prior.mean + float(np.log(factor)))


@rescaled.register
def _(prior: Exponential | Gamma, factor: float) -> Prior:
    return replace(prior, rate=prior.rate / factor)


@rescaled.register
def _(prior: Uniform, factor: float) -> Prior:
    if prior.low >= 0:  # of a scale
        return Uniform(factor * prior.low, factor * prior.high)
    middle, half = (prior.low + prior.high) / 2, (prior.high - prior.low) / 2
    return Uniform(middle - factor * half, middle + factor * half)


@rescaled.register
def _(prior: Mixture, factor: float) -> Prior | None:
    first, second = (rescaled(part, factor) for _, part in prior.parts)
    return Mixture(prior.weight, first, second) if first and second else None
