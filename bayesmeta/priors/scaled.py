"""The same prior, tighter or wider."""

from dataclasses import replace
from functools import singledispatch

import numpy as np

from ..errors import ModelError
from ..ways import shown
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
def rescaled(prior: Prior, factor: float) -> Prior:
    """Return the prior whose spread is `factor` times as large, in the same family.

    Of a scale such as tau it is the prior of `factor` times the parameter; of an effect the
    location stays where it is.

    Parameters
    ----------
    prior : Prior
    factor : float
        Positive.

    Raises
    ------
    ModelError
        If the prior has no scale, as a flat one, or its family does not stay itself.

    Examples
    --------
    >>> from bayesmeta.priors import HalfNormal
    >>> rescaled(HalfNormal(0.5), 2)
    HalfNormal(1)
    """
    raise ModelError(f"{shown(prior)} has no scale to make tighter or wider.")


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
def _(prior: Exponential, factor: float) -> Prior:
    return replace(prior, rate=prior.rate / factor)


@rescaled.register
def _(prior: Gamma, factor: float) -> Prior:
    return replace(prior, rate=prior.rate / factor)


@rescaled.register
def _(prior: Uniform, factor: float) -> Prior:
    if prior.low == 0:  # of a scale
        return replace(prior, high=factor * prior.high)
    middle, half = (prior.low + prior.high) / 2, (prior.high - prior.low) / 2
    return Uniform(middle - factor * half, middle + factor * half)
