"""One outcome, from its table to its checks."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..checks import Checks, check
from ..reading import Opened
from ..results import Evidence, OutcomeResult, ScenarioResult
from ..specification import Outcome, Specification
from ..variations import Scenarios
from .absolute import absolute
from .evidence import evidence_of
from .models import models_of
from .progress import Progress
from .published import published_result
from .sampler import nuts
from .scenarios import scenario_result
from .what_if import what_if

if TYPE_CHECKING:
    pass


def outcome_result(
    spec: Specification,
    outcome: Outcome,
    table: Opened | None,
    folder: Path,
    progress: Progress,
) -> OutcomeResult:
    """Everything that is found of an outcome but its second source and its tables."""
    scenarios: tuple[ScenarioResult, ...] = ()
    models = models_of(outcome)
    if table is not None:
        scenarios = tuple(
            scenario_result(spec, outcome, models, table, one, progress) for one in outcome.scenario
        )
    progress(outcome.title, "published figures")
    first = outcome.scenario[0].name if table is not None else ""
    published = tuple(published_result(outcome, one, first, scenarios) for one in outcome.published)
    main = scenarios[0] if scenarios else None
    evidence, checks, people, origin = Evidence(), Checks(), None, ""
    if_not: Scenarios | None = None
    if main is not None:
        evidence = evidence_of(spec, outcome, main, progress)
        checks = _checks(spec, outcome, main, progress)
    if main is not None and table is not None:
        if not outcome.by_covariates:
            people, origin = absolute(spec, outcome, main, folder, progress)
        if_not = what_if(spec, outcome, scenarios, table, people, progress)
    return OutcomeResult(
        name=outcome.name,
        title=outcome.title,
        event=outcome.event,
        measure=outcome.answers_in,
        better=outcome.better,
        note=outcome.note,
        label=outcome.label,
        unit=outcome.unit,
        surrogate=outcome.surrogate,
        asked=models,
        why={**outcome.why},
        scenarios=scenarios,
        published=published,
        sources=None if table is None else table.frame,
        evidence=evidence,
        checks=checks,
        absolute=people,
        what_if=if_not,
        control_risk_origin=origin,
    )


def _checks(
    spec: Specification, outcome: Outcome, main: ScenarioResult, progress: Progress
) -> Checks:
    """Every check of the answer."""
    progress(outcome.title, "predictive checks")
    engine = None if main.answer.exact else nuts(spec, outcome.name, "left out")
    return check(main.answer, seed=spec.seed, prob=spec.prob, engine=engine)
