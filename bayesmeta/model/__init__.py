"""Models, as data: a likelihood, a location and a spread, with the priors of their parameters.

What reads a model asks its three parts, which are values of their own. The named models are what
people write and what ``repr`` prints, and the way to them from three parts is ``compose``.
"""

from functools import singledispatch

from ..effects import MEASURES, EffectSizes
from ..errors import ModelError
from ..priors import HalfNormal, Normal
from ..studies import (
    BinaryStudies,
    ContinuousStudies,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
)
from ._base import Model, OneEffect, RandomEffects
from ._compose import compose, spellings, with_tau
from ._continuous import ContinuousCommonEffect, ContinuousNormal
from ._counts import (
    BetaBinomial,
    BinomialNormal,
    HypergeometricNormal,
    IncidenceNormal,
    PoissonNormal,
    ProportionNormal,
)
from ._estimates import CommonEffect, NormalNormal, OutlierMixture
from ._multivariate import MultivariateNormal
from ._named import Named
from ._priors import VAGUE, Exchangeable, made_for_another
from .likelihood import (
    ARM_LINKS,
    Arms,
    Binomial,
    CorrelatedEstimates,
    Data,
    Estimates,
    FamilyName,
    Hypergeometric,
    Incidence,
    Likelihood,
    OfCounts,
    Overdispersed,
    Paired,
    Poisson,
    Proportion,
)
from .location import EachOutcome, Location, Overall
from .predictor import COEFFICIENT, DESIGN, ByGroup, Coefficients, Linear, Predictor
from .spread import (
    CorrelatedSpread,
    NormalSpread,
    NoSpread,
    OutlierSpread,
    Scatter,
    Spread,
    SpreadByGroup,
    StudentTSpread,
)

__all__ = [
    "ARM_LINKS",
    "COEFFICIENT",
    "DESIGN",
    "VAGUE",
    "Arms",
    "BetaBinomial",
    "Binomial",
    "BinomialNormal",
    "ByGroup",
    "Coefficients",
    "CommonEffect",
    "ContinuousCommonEffect",
    "ContinuousNormal",
    "CorrelatedEstimates",
    "CorrelatedSpread",
    "Data",
    "EachOutcome",
    "Estimates",
    "Exchangeable",
    "FamilyName",
    "Hypergeometric",
    "HypergeometricNormal",
    "Incidence",
    "IncidenceNormal",
    "Likelihood",
    "Linear",
    "Location",
    "Model",
    "MultivariateNormal",
    "Named",
    "NoSpread",
    "NormalNormal",
    "NormalSpread",
    "OfCounts",
    "OneEffect",
    "OutlierMixture",
    "OutlierSpread",
    "Overall",
    "Overdispersed",
    "Paired",
    "Poisson",
    "PoissonNormal",
    "Predictor",
    "Proportion",
    "ProportionNormal",
    "RandomEffects",
    "Scatter",
    "Spread",
    "SpreadByGroup",
    "StudentTSpread",
    "check_no_covariates",
    "check_one_effect",
    "check_one_outcome",
    "compose",
    "default_model",
    "made_for_another",
    "spellings",
    "with_tau",
]


def check_one_outcome(model: Model, verb: str) -> None:
    """Refuse a model of several outcomes where a table or a check has room for one.

    Raises
    ------
    ModelError
    """
    if isinstance(model, MultivariateNormal):
        raise ModelError(
            f"{verb} takes a fit of one outcome; of several use compare_outcomes, summary or "
            "posterior.draws(), or fit data.effects(outcome) by itself."
        )


def check_one_effect(model: Model, verb: str) -> None:
    """Refuse a model with several effects where a table or a check has room for one.

    Raises
    ------
    ModelError
    """
    check_one_outcome(model, verb)
    check_no_covariates(model, verb)


def check_no_covariates(model: Model, verb: str) -> None:
    """Refuse a model with an effect for each place where what is asked for has one for all.

    Raises
    ------
    ModelError
    """
    if isinstance(model.location, Predictor):
        raise ModelError(
            f"{verb} takes a model with one overall effect, and here it depends on "
            f"{', '.join(model.location.terms.variables)}: ask for the effect at a place, with "
            "posterior.at(...), or fit a model without covariates."
        )


@singledispatch
def default_model(data: Data) -> Model:
    """Choose a random-effects model with weakly informative priors for ratios.

    ``mu ~ Normal(0, 2)``: the ratio lies between 1/50 and 50 with 95% probability.
    ``tau ~ HalfNormal(0.5)``: the middle 95% of studies' ratios spread at most 2- to 7-fold
    around their centre (Röver et al. 2021, Res Synth Methods 12:448-474).

    Parameters
    ----------
    data : EffectSizes, BinaryStudies or PersonTimeStudies
        Binary counts get ``BinomialNormal`` for the odds ratio, events in person-time
        ``PoissonNormal`` for the rate ratio.

    Returns
    -------
    NormalNormal, BinomialNormal or PoissonNormal
        Its repr states the priors.

    Raises
    ------
    ModelError
        If the data are in raw units, or of single arms: no scale of the effect can be known
        then, so the caller must choose.
    """
    if isinstance(data, ProportionStudies | IncidenceStudies):
        raise ModelError(
            "No default prior exists for a proportion or a rate: state what range it may have, "
            "e.g. ProportionNormal(mu=Normal(-2, 2), tau=HalfNormal(1))."
        )
    if isinstance(data, ContinuousStudies):
        raise ModelError(
            "No default measure exists for a continuous outcome: name it, and priors in its scale, "
            "e.g. ContinuousNormal(measure='SMD', mu=Normal(0, 1), tau=HalfNormal(0.3))."
        )
    raise ModelError(
        f"default_model takes EffectSizes or a table of counts, not {type(data).__name__}."
    )


@default_model.register
def _effects(data: EffectSizes) -> Model:
    if not MEASURES[data.measure].log:
        raise ModelError(
            f"No default prior exists for {data.measure}: its size depends on the units. "
            "State what would be a large effect and a large spread in these units, e.g. "
            "NormalNormal(mu=Normal(0, 20), tau=HalfNormal(5))."
        )
    return NormalNormal(mu=Normal(0, 2), tau=HalfNormal(0.5))


@default_model.register
def _counts(data: BinaryStudies) -> Model:
    return BinomialNormal(measure="OR", mu=Normal(0, 2), tau=HalfNormal(0.5))


@default_model.register
def _person_time(data: PersonTimeStudies) -> Model:
    return PoissonNormal(mu=Normal(0, 2), tau=HalfNormal(0.5))
