"""Which priors a parameter may have, refused in one sentence each."""

import math
from dataclasses import dataclass
from typing import final

from ..errors import ModelError
from ..priors import LKJ, Flat, Jeffreys, Normal, Prior

VAGUE = Normal(0, 10)


def checked_df(df: object) -> float | Prior | None:
    """Degrees of freedom as they are used, or a refusal."""
    if df is None:
        return None
    if isinstance(df, Prior):
        _check_df_prior(df)
        return df
    if isinstance(df, bool) or not isinstance(df, int | float) or not 1 <= df < math.inf:
        raise ModelError(
            f"df must be a number of degrees of freedom, 1 or more, or a prior such as "
            f"Gamma(2, 0.1), got {df!r}; leave it out for normal study effects."
        )
    return float(df)


def _check_df_prior(df: Prior) -> None:
    if not df.proper or df.support[0] < 0:
        raise ModelError(
            f"df, degrees of freedom, needs a proper prior on the positive numbers, not {df!r}; "
            "use Gamma(2, 0.1), Exponential(0.1) or a Uniform from 1."
        )


def check_within_one(prior: Prior, name: str, what: str) -> None:
    low, high = prior.support
    if low < 0 or high > 1:
        raise ModelError(
            f"{name} is a {what} between 0 and 1; {prior!r} gives it mass outside. "
            "Use Uniform(0, 1) or a Beta prior."
        )


def check_mu(prior: object, name: str = "mu", *, example: str = "Normal(0, 2)") -> None:
    if not isinstance(prior, Prior):
        raise ModelError(f"{name} must be a prior such as {example}, got {prior!r}.")
    if isinstance(prior, LKJ):
        raise ModelError(f"{prior!r} is a prior of correlations; for {name} use {example}, say.")
    if isinstance(prior, Jeffreys):
        raise ModelError(f"{prior!r} is a prior of tau; for {name} use {example}, say.")
    if name == "baseline" and not prior.proper:
        raise ModelError(f"baseline needs a proper prior such as {VAGUE!r}, not {prior!r}.")


def check_tau(prior: object, name: str = "tau") -> None:
    if not isinstance(prior, Prior):
        raise ModelError(f"{name} must be a prior such as HalfNormal(0.5), got {prior!r}.")
    if prior.support[0] < 0 and not isinstance(prior, Flat):
        raise ModelError(
            f"{name} is a standard deviation and cannot be negative; {prior!r} gives it mass below "
            "zero. Use HalfNormal, HalfCauchy, LogNormal or a Uniform from 0."
        )


@final
@dataclass(frozen=True, slots=True)
class Exchangeable:
    """Baselines drawn from one normal distribution with its own priors.

    What one trial's control arm says then reaches the others: more information, but the comparison
    no longer rests on randomisation alone.

    Parameters
    ----------
    mean, sd : Prior
        Of the baselines' distribution; `sd` has no mass below zero.

    Raises
    ------
    ModelError
        If a prior is missing or `sd` could be negative.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.Exchangeable(bm.Normal(0, 10), bm.HalfNormal(1))
    Exchangeable(mean=Normal(0, 10), sd=HalfNormal(1))
    """

    mean: Prior
    sd: Prior

    def __post_init__(self) -> None:
        check_mu(self.mean, "the mean of the baselines")
        check_tau(self.sd, "the sd of the baselines")
