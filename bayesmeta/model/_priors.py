"""Which priors a parameter may have, refused in one sentence each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

from ..effects import MEASURES, Measure
from ..errors import ModelError
from ..priors import (
    LKJ,
    Flat,
    Jeffreys,
    Normal,
    Prior,
    PublishedPrior,
    Source,
    published_priors,
)
from ..ways import shown, way

MOST_DF = 1e300  # a float has no more
VAGUE = Normal(0, 10)
ONE_TABLE = {"counts": {"OR", "RR", "RD"}, "means and SDs": {"MD", "SMD", "ROM"}}


def checked_df(df: object) -> float | Prior | None:
    """Degrees of freedom as they are used, or a refusal."""
    if df is None:
        return None
    if isinstance(df, Prior):
        _check_df_prior(df)
        return df
    if isinstance(df, bool) or not isinstance(df, int | float) or not 1 <= df <= MOST_DF:
        raise ModelError(
            f"df must be a number of degrees of freedom, 1 or more, or a prior such as "
            f"Gamma(2, 0.1), got {shown(df)}; leave it out for normal study effects."
        )
    return float(df)


def _check_df_prior(df: Prior) -> None:
    check_parameter(df, "df", example="Gamma(2, 0.1)")
    if not df.proper or df.support[0] < 0:
        raise ModelError(
            "df, degrees of freedom, needs a proper prior on the positive numbers, not "
            f"{shown(df)}; "
            "use Gamma(2, 0.1), Exponential(0.1) or a Uniform from 1."
        )


def check_within_one(prior: Prior, name: str, what: str) -> None:
    low, high = prior.support
    if low < 0 or high > 1:
        raise ModelError(
            f"{name} is a {what} between 0 and 1; {shown(prior)} gives it mass outside. "
            "Use Uniform(0, 1) or a Beta prior."
        )


def check_mu(prior: object, name: str = "mu", *, example: str = "Normal(0, 2)") -> None:
    if not isinstance(prior, Prior):
        raise ModelError(f"{name} must be a prior such as {example}, got {shown(prior)}.")
    if isinstance(prior, LKJ):
        raise ModelError(
            f"{shown(prior)} is a prior of correlations; for {name} use {example}, say."
        )
    if isinstance(prior, Jeffreys):
        raise ModelError(f"{shown(prior)} is a prior of tau; for {name} use {example}, say.")
    check_parameter(prior, name, example=example)
    if name == "baseline" and not prior.proper:
        raise ModelError(
            f"baseline needs a proper prior such as {shown(VAGUE)}, not {shown(prior)}."
        )


def check_tau(prior: object, name: str = "tau") -> None:
    if not isinstance(prior, Prior):
        raise ModelError(f"{name} must be a prior such as HalfNormal(0.5), got {shown(prior)}.")
    check_parameter(prior, name, example="HalfNormal(0.5)")
    if prior.support[0] < 0 and not isinstance(prior, Flat):
        raise ModelError(
            f"{name} is a standard deviation and cannot be negative; {shown(prior)} gives it "
            "mass below "
            "zero. Use HalfNormal, HalfCauchy, LogNormal or a Uniform from 0."
        )


def check_parameter(prior: Prior, name: str, *, example: str) -> None:
    """Refuse a published prior for another parameter than the one it was made for."""
    for source in prior.sources:
        if source.record.parameter != name.partition("[")[0]:  # mu[death], of several outcomes
            raise ModelError(
                f"{shown(prior)} was published as a prior of {source.record.parameter}; for {name} "
                f"use {example}, say."
            )


def check_sources(priors: Mapping[str, Prior], measure: Measure) -> None:
    """Refuse a published prior on another scale than its own, unless a reason is given for it."""
    for name, source in made_for_another(priors, measure):
        raise ModelError(_of_another_scale(name, source, measure))


def made_for_another(priors: Mapping[str, Prior], measure: Measure) -> Iterator[tuple[str, Source]]:
    """Published priors of another scale than a measure's, without a reason, by parameter."""
    for name, prior in priors.items():
        for source in prior.sources:
            if measure != MEASURES[source.record.measure] and not source.override:
                yield name, source


def _of_another_scale(name: str, source: Source, measure: Measure) -> str:
    record = source.record
    used = f"{measure.link} {measure.name}".removeprefix("identity ")
    common = (
        " (as is common with priors of log OR on log RR)"
        if (record.measure, measure.name) == ("OR", "RR")
        else ""
    )
    others = f"of {used} (see {way('priors', measure.name)}) or " if _held(record, measure) else ""
    return (
        f"{name} has {source.spelling}, which was made for {record.scale}, and the effects here "
        f"are {used}; {_analysed(record, measure)}take a prior {others}of your own, or say why "
        f"this one may serve{common}: from_library({record.key!r}, override='reason')."
    )


def _held(record: PublishedPrior, measure: Measure) -> bool:
    """Whether the library has a prior of this parameter on the scale of a measure."""
    return any(
        one.parameter == record.parameter and MEASURES[one.measure] == measure
        for one in published_priors().values()
    )


def _analysed(record: PublishedPrior, measure: Measure) -> str:
    """The same table by the measure that the prior was made for, where one table can have both."""
    if record.measure == measure.name:  # of counts, where it is transformed
        return f"analyse the differences themselves with {way('estimates', record.measure)}, "
    for figures, both in ONE_TABLE.items():
        if {record.measure, measure.name} <= both:
            return f"if it has {figures} of both arms, analyse {way('measure', record.measure)}, "
    return ""


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
