"""What the answer of an outcome rests on."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ModelError
from ..evidence import (
    bayes_factor_curve,
    bayes_factors,
    mean_weights,
    quartile_definitions,
    reverse_bayes,
    tipping_points,
    width_penalty,
    zero_studies,
)
from ..priors import Flat, Normal
from ..results import Evidence, ScenarioResult
from ..results.keys import FitKey
from ..specification import Outcome, Specification
from ..summaries import scale_of
from .progress import Progress
from .sampler import nuts
from .tables import by_quantiles

if TYPE_CHECKING:
    import pandas as pd


def evidence_of(
    spec: Specification, outcome: Outcome, main: ScenarioResult, progress: Progress
) -> Evidence:
    """What the answer rests on; weights only of the normal model, where they cost no fit."""
    progress(outcome.title, "Bayes factors, weights, studies without events")
    if main.moderators is not None:
        return _of_several(main)
    factors, curve, why_none = None, None, ""
    try:
        factors = bayes_factors(main.answer)
        curve = bayes_factor_curve(main.answer)
    except ModelError as error:
        why_none = str(error)
    normal = main.fits.get(FitKey.TWO_STAGE)
    cheap = outcome.df is None and isinstance(outcome.words.mu_prior, Normal | Flat)
    weights = mean_weights(normal) if normal is not None and cheap else None
    reverse = tipping = None
    if main.answer.exact and scale_of(main.answer).comparative:
        reverse = reverse_bayes(main.answer, prob=spec.prob)
        progress(outcome.title, "what would turn the conclusion")
        tipping = tipping_points(main.answer, prob=spec.prob)
    zeros = _zeros(spec, outcome, main)
    found = Evidence(
        factors=factors,
        curve=curve,
        why_none=why_none,
        reverse=reverse,
        tipping=tipping,
        weights=weights,
        zeros=zeros,
    )
    if by_quantiles(outcome, main.answer.data):
        penalty = width_penalty(main.answer, prob=spec.prob)
        definitions = quartile_definitions(main.answer, prob=spec.prob)
        found = replace(found, penalty=penalty, definitions=definitions)
    return found


def _of_several(main: ScenarioResult) -> Evidence:
    """The factors of each coefficient: the rest is of one overall effect."""
    try:
        return Evidence(factors=bayes_factors(main.answer))
    except ModelError as error:
        return Evidence(why_none=str(error))


def _zeros(spec: Specification, outcome: Outcome, main: ScenarioResult) -> "pd.DataFrame | None":
    data = main.answer.data
    if not (data.discrete and any((values == 0).any() for values in data.numbers.values())):
        return None
    engine = None if main.answer.exact else nuts(spec, outcome.name, "zeros")
    return zero_studies(main.answer, prob=spec.prob, engine=engine)
