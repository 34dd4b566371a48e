"""One outcome, from its table to its checks."""

from typing import TYPE_CHECKING

import numpy as np

from ..checks import Checks, check
from ..decision import AbsoluteEffects, absolute_effects, pooled_control_risk
from ..reading import Opened
from ..results import Evidence, OutcomeResult, ScenarioResult
from ..specification import Outcome, Specification
from ..studies import BinaryStudies, need
from .evidence import evidence_of
from .models import models_of
from .progress import Progress
from .published import published_result
from .sampler import nuts
from .scenarios import scenario_result

if TYPE_CHECKING:
    pass

OF_RISKS = ("OR", "RR")  # what a control risk turns into the risk with treatment


def outcome_result(
    spec: Specification, outcome: Outcome, table: Opened | None, progress: Progress
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
    evidence, checks, absolute, origin = Evidence(), Checks(), None, ""
    if main is not None:
        evidence = evidence_of(spec, outcome, main, progress)
        checks = _checks(spec, outcome, main, progress)
        absolute, origin = _absolute(spec, outcome, main, progress)
    return OutcomeResult(
        name=outcome.name,
        title=outcome.title,
        event=outcome.event,
        measure=outcome.answers_in,
        better=outcome.better,
        note=outcome.note,
        label=outcome.label,
        asked=models,
        why={**outcome.why},
        scenarios=scenarios,
        published=published,
        said=() if table is None or main is None else (*table.said, *main.said),
        sources=None if table is None else table.frame,
        evidence=evidence,
        checks=checks,
        absolute=absolute,
        control_risk_origin=origin,
    )


def _checks(
    spec: Specification, outcome: Outcome, main: ScenarioResult, progress: Progress
) -> Checks:
    """Every check of the answer."""
    progress(outcome.title, "predictive checks")
    engine = None if main.answer.exact else nuts(spec, outcome.name, "left out")
    return check(main.answer, seed=spec.seed, prob=spec.prob, engine=engine)


def _absolute(
    spec: Specification, outcome: Outcome, main: ScenarioResult, progress: Progress
) -> tuple[AbsoluteEffects | None, str]:
    """Absolute effects and the origin of the control risk: for ratios of binary counts alone."""
    better = outcome.better
    if better is None or outcome.measure not in OF_RISKS:
        return None, ""
    if outcome.measure not in main.data.measures:
        return None, ""
    progress(outcome.title, "absolute effects")
    counts = need(main.data, BinaryStudies, "a control risk is of patients with and without events")
    risk = outcome.control_risk or pooled_control_risk(counts)
    if not np.isfinite(risk):
        return None, ""
    origin = "given by the specification" if outcome.control_risk else "all control arms together"
    found = absolute_effects(main.answer, control_risk=risk, better=better, prob=spec.prob)
    return found, origin
