"""The likelihoods that words can name, and the models they make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, final

from ..effects import MEASURES, MEASURES_OF
from ..model import (
    BinomialNormal,
    CommonEffect,
    ContinuousCommonEffect,
    ContinuousNormal,
    HypergeometricNormal,
    IncidenceNormal,
    Model,
    NormalNormal,
    OutlierMixture,
    PoissonNormal,
    ProportionNormal,
)
from ..reading import Data
from ..studies import (
    BinaryStudies,
    ContinuousStudies,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
    Studies,
)
from ._words import Words


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihood:
    """A likelihood of the arms of a kind of table.

    Attributes
    ----------
    name : str
        The word for it.
    table : type
        What it is a likelihood of.
    model : callable
        From words to the model.
    measures : tuple of str
    rather_not : tuple of str
        Measures that another likelihood of the table suits better.
    """

    name: str
    table: type[Studies | ContinuousStudies]
    model: Callable[[Words], Model]
    measures: tuple[str, ...]
    rather_not: tuple[str, ...] = ()


class Door(Protocol):
    """Where words come in: what it says to those that do not go together."""

    def no_likelihood(self, known: Sequence[Likelihood], asked: Words) -> Exception:
        """Say that the table has other likelihoods."""
        ...

    def no_measure(self, among: Sequence[Likelihood], asked: Words) -> Exception:
        """Say that these likelihoods have other measures."""
        ...

    def no_coding(self) -> Exception:
        """Say what a coding is for."""
        ...

    def no_prior(self, asked: Words) -> Exception:
        """Say that the measure has no default priors."""
        ...


def likelihood_for(tables: Sequence[type[Data]], asked: Words, door: Door) -> Likelihood:
    """The likelihood that is asked for of such a table; without a name, what suits the measure."""
    every = [one for one in LIKELIHOODS if one.table in tables]
    known = sorted(every, key=lambda one: asked.measure in one.rather_not)
    named = [one for one in known if asked.likelihood in (None, one.name)]
    if not named:
        raise door.no_likelihood(known, asked)
    suited = [one for one in named if asked.measure in one.measures]
    if not suited:
        raise door.no_measure(named, asked)
    if asked.coding != "half" and (suited[0].model is not _binomial or asked.measure != "OR"):
        raise door.no_coding()
    return suited[0]


def check_priors(asked: Words, door: Door) -> None:
    """Refuse to take the defaults for ratios where the measure is none."""
    lacking = asked.mu is None or (asked.tau is None and asked.effects == "random")
    measure = MEASURES[asked.measure]
    if lacking and not (measure.log and measure.comparative):
        raise door.no_prior(asked)


def two_stage(asked: Words) -> Model:
    """The model of estimates."""
    if asked.effects == "common":
        return CommonEffect(mu=asked.mu_prior)
    if asked.outliers is not None:
        share, spread = asked.outliers
        tau = asked.tau_prior
        return OutlierMixture(mu=asked.mu_prior, tau=tau, share=share, spread=spread)  # pyright: ignore[reportArgumentType] - which refuses groups
    return NormalNormal(mu=asked.mu_prior, tau=asked.tau_prior, df=asked.df)


def _binomial(asked: Words) -> Model:
    return BinomialNormal(
        measure=asked.measure,
        mu=asked.mu_prior,
        tau=asked.tau_prior,
        baseline=asked.baseline_prior,
        coding=asked.coding,
        df=asked.df,
    )


def _hypergeometric(asked: Words) -> Model:
    return HypergeometricNormal(mu=asked.mu_prior, tau=asked.tau_prior, df=asked.df)


def _poisson(asked: Words) -> Model:
    baseline = asked.baseline_prior  # exchangeable ones are refused there
    return PoissonNormal(mu=asked.mu_prior, tau=asked.tau_prior, baseline=baseline, df=asked.df)  # pyright: ignore[reportArgumentType]


def _proportion(asked: Words) -> Model:
    return ProportionNormal(mu=asked.mu_prior, tau=asked.tau_prior, df=asked.df)


def _incidence(asked: Words) -> Model:
    return IncidenceNormal(mu=asked.mu_prior, tau=asked.tau_prior, df=asked.df)


def _arms(asked: Words, arms: str) -> Model:
    if asked.effects == "common":
        return ContinuousCommonEffect(
            measure=asked.measure,
            mu=asked.mu_prior,
            arms=arms,
            log_sd=asked.log_sd,
            baseline=asked.baseline,  # pyright: ignore[reportArgumentType]
            quartiles=asked.quartiles,
        )
    return ContinuousNormal(
        measure=asked.measure,
        mu=asked.mu_prior,
        tau=asked.tau_prior,
        arms=arms,
        log_sd=asked.log_sd,
        baseline=asked.baseline,  # pyright: ignore[reportArgumentType]
        quartiles=asked.quartiles,
        df=asked.df,
    )


def _of(
    table: type[Studies | ContinuousStudies],
    name: str,
    model: Callable[[Words], Model],
    measures: tuple[str, ...] = (),
    rather_not: tuple[str, ...] = (),
) -> Likelihood:
    return Likelihood(
        name=name,
        table=table,
        model=model,
        measures=measures or MEASURES_OF[table],
        rather_not=rather_not,
    )


LIKELIHOODS = (
    _of(BinaryStudies, "binomial", _binomial),
    _of(BinaryStudies, "hypergeometric", _hypergeometric, ("OR",)),
    _of(PersonTimeStudies, "poisson", _poisson),
    _of(ProportionStudies, "binomial", _proportion),
    _of(IncidenceStudies, "poisson", _incidence),
    _of(ContinuousStudies, "normal", partial(_arms, arms="normal"), rather_not=("RGM",)),
    _of(ContinuousStudies, "lognormal", partial(_arms, arms="lognormal")),
)
