"""One scenario, analysed every way."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .. import engines
from ..doubts import plausibility
from ..effects import MEASURES, EffectSizes
from ..errors import BayesmetaError, DataError
from ..frequentist import (
    FrequentistFit,
    common_effect,
    influence,
    random_effects,
    small_study_tests,
    tau2_interval,
)
from ..model import Data, Model
from ..moderators import Moderators, moderators
from ..posterior import Caution, Posterior
from ..reading import Opened
from ..results import Robustness, ScenarioResult
from ..results.keys import FitKey
from ..results.labels import LABELS
from ..specification import Outcome, Scenario, Specification
from .models import fits_of
from .progress import Progress
from .sampler import engine_of
from .tables import account_beside, data_of, select

if TYPE_CHECKING:
    pass

ENOUGH_FOR_SMALL = 10  # studies, for tests of small-study effects (Sterne et al. 2011)


def scenario_result(
    spec: Specification,
    outcome: Outcome,
    models: Mapping[FitKey, Model],
    table: Opened,
    scenario: Scenario,
    progress: Progress,
) -> ScenarioResult:
    """Every answer of a scenario."""
    exclude = select(table, outcome, scenario)
    refusals: list[str] = []
    data, effects, found = data_of(outcome, table, exclude, refusals)
    fits: dict[FitKey, Posterior] = {}
    for key, model, on in fits_of(models, data, effects):
        progress(outcome.title, f"{scenario.name}: {LABELS[key]}")
        engine = engine_of(spec, outcome.name, scenario.name, model)
        fits[key] = engines.fit(model, on, engine)
    told = None
    if outcome.by_covariates:
        data, told = _moderated(spec, outcome, scenario, fits, effects)
    return ScenarioResult(
        name=scenario.name,
        note=scenario.note,
        data=data,
        account=account_beside(data, effects),
        doubts=_doubts(found, outcome.measure) if scenario is outcome.scenario[0] else (),
        fits=fits,
        pooled={} if told else _frequentist(outcome, data, effects, refusals),
        refusals=(*refusals, *(told.frequentist.refusals if told else ())),
        robustness=Robustness() if told else _robustness(effects, data, outcome.measure),
        moderators=told,
    )


def _moderated(
    spec: Specification,
    outcome: Outcome,
    scenario: Scenario,
    fits: Mapping[FitKey, Posterior],
    effects: EffectSizes | None,
) -> tuple[Data, Moderators]:
    """The studies that have all covariates, and what the answer says of these."""
    answer = next(iter(fits.values()))
    told = moderators(
        answer,
        effects=effects,
        places=outcome.at,
        prob=spec.prob,
        engine=engine_of(spec, outcome.name, f"{scenario.name}, no covariates", answer.model),
        seed=spec.seed if scenario is outcome.scenario[0] else None,
    )
    return answer.data, told


def _doubts(found: Data, measure: str) -> tuple[Caution, ...]:
    """What the table says that is hardly so."""
    asked = measure if measure in found.measures else None
    return tuple(Caution(one.text) for one in plausibility(found, measure=asked))


def _robustness(effects: EffectSizes | None, data: Data, measure: str) -> Robustness:
    """What single studies and small ones do to the two-stage estimate, where it can be said.

    Of single arms there is no test of small studies: the standard error of a logit or log rate
    follows from the proportion or rate itself (Hunter et al. 2014, J Clin Epidemiol 67:897-903).
    """
    if effects is None or effects.k < 3:
        return Robustness()
    small = None
    if effects.k >= ENOUGH_FOR_SMALL and MEASURES[measure].comparative:
        of_risks = data.discrete and data.size == "n"
        try:
            small = small_study_tests(data if of_risks else effects, measure=measure)
        except DataError:
            small = None  # standard errors all equal, say: there is nothing to regress on
    return Robustness(
        tau2_interval=tau2_interval(effects), influence=influence(effects), small_study=small
    )


def _frequentist(
    outcome: Outcome, data: Data, effects: EffectSizes | None, refusals: list[str]
) -> Mapping[FitKey, FrequentistFit]:
    asked: dict[FitKey, Callable[[], FrequentistFit]] = {}
    measure = outcome.measure
    if data.discrete and MEASURES[measure].comparative:
        asked[FitKey.MANTEL_HAENSZEL] = lambda: common_effect(data, weights="MH", measure=measure)
        if measure in ("OR", "RR"):
            asked[FitKey.MANTEL_HAENSZEL_HALF] = lambda: common_effect(
                data, weights="MH", measure=measure, zero_cells="if_needed"
            )
    if effects is not None:
        asked[FitKey.INVERSE_VARIANCE] = lambda: common_effect(effects)
    if effects is not None and outcome.effects == "random":
        asked |= {
            FitKey.DERSIMONIAN_LAIRD: lambda: random_effects(effects, tau2="DL", interval="Wald"),
            FitKey.REML: lambda: random_effects(effects),
        }
    fits: dict[FitKey, FrequentistFit] = {}
    refused: dict[str, list[str]] = {}
    for key, ask in asked.items():
        try:
            fits[key] = ask()
        except BayesmetaError as error:
            refused.setdefault(str(error), []).append(LABELS[key])
    refusals += [f"{' and '.join(labels)}: {why}" for why, labels in refused.items()]
    return fits
