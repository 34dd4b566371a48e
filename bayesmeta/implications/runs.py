"""Hold a whole run together: every figure against those that imply it."""

import json
from collections.abc import Iterator
from dataclasses import replace

from ..checks import Trust, Verdict
from ..posterior import Check, Coherence, Diagnostics, Pair, Posterior
from ..report import to_json
from ..results import OutcomeResult, Results, ScenarioResult
from ..results.keys import Place
from ..results.labels import label_of
from ..results.tables import outcome_tables
from .answers import of_answers
from .factors import of_factors
from .fits import engines_agree, of_fit
from .sentences import of_sentences
from .tables import differing_cells, of_tables

GATE = "contradictions between figures"


def hold(results: Results) -> Results:
    """Hold every outcome of a run together; what contradicts is marked as a failed gate is."""
    written = json.loads(to_json(results))["outcomes"]
    outcomes = [_held(one, written[one.name]["tables"], results.prob) for one in results.outcomes]
    return replace(results, outcomes=tuple(outcomes))


def of_outcome(outcome: OutcomeResult, prob: float) -> Iterator[Pair]:
    """Every rule of an outcome as a whole; those of its single fits apart."""
    main, factors = outcome.main, outcome.evidence.factors
    if main is not None:
        if factors is not None:
            yield from of_factors(main.answer, factors, prob)
        yield from _engines(main)
    yield from of_answers(outcome, prob)
    yield from of_tables(outcome)
    yield from of_sentences(outcome, prob)


def _engines(main: ScenarioResult) -> Iterator[Pair]:
    """A second source of the same model, against the answer."""
    for other in main.fits.values():
        if main.answer.exact and not other.exact and other.model == main.answer.model:
            yield from engines_agree(main.answer, other)


def _held(
    outcome: OutcomeResult, written: dict[str, list[dict[str, object]]], prob: float
) -> OutcomeResult:
    fits = {place: Coherence(tuple(of_fit(one, prob))) for place, one in outcome.fits.items()}
    whole = Coherence((*of_outcome(outcome, prob), *_written(outcome, written)))
    every = sum((_named(label_of(place), one) for place, one in fits.items()), whole)
    return _marked(replace(outcome, coherence=every), fits, whole, prob)


def _written(outcome: OutcomeResult, written: dict[str, list[dict[str, object]]]) -> Iterator[Pair]:
    for name, table in outcome.tables.items():
        rows = table.reset_index().to_dict(orient="records")
        yield differing_cells(name, written[name], rows)  # pyright: ignore[reportArgumentType]


def _named(label: str, found: Coherence) -> Coherence:
    """The same pairs, saying which fit they are of."""
    return Coherence(tuple(replace(one, where=f"{label}, {one.where}") for one in found.pairs))


def _marked(
    outcome: OutcomeResult, fits: dict[Place, Coherence], whole: Coherence, prob: float
) -> OutcomeResult:
    """Fail a gate of each fit that contradicts itself, and of the answer if the tables do."""
    main, checks = outcome.main, outcome.checks
    if outcome.coherence.passed:
        return outcome
    if main is not None:
        answer = Place(main.name, main.answering)
        fits = fits if whole.passed else fits | {answer: fits[answer] + whole}
        trust = checks.trust and _marked_trust(checks.trust, fits[answer])
        checks = replace(checks, trust=trust)
    scenarios = tuple(_marked_scenario(one, fits) for one in outcome.scenarios)
    published = tuple(
        replace(one, posterior=one.posterior and _marked_fit(one.posterior, fits[Place(one.label)]))
        if Place(one.label) in fits
        else one
        for one in outcome.published
    )
    outcome = replace(outcome, scenarios=scenarios, published=published, checks=checks)
    return replace(outcome, tables=outcome_tables(outcome, prob=prob))


def _marked_scenario(one: ScenarioResult, fits: dict[Place, Coherence]) -> ScenarioResult:
    marked = {key: _marked_fit(fit, fits[Place(one.name, key)]) for key, fit in one.fits.items()}
    return replace(one, fits=marked)


def _marked_fit(posterior: Posterior, found: Coherence) -> Posterior:
    if found.passed:
        return posterior
    gates = posterior.diagnostics
    every = Diagnostics((*gates.checks, _gate(found)), gates.attempts)
    return replace(posterior, diagnostics=every)


def _gate(found: Coherence) -> Check:
    count = float(len(found.contradictions))
    return Check(GATE, f"of {len(found.pairs)} pairs", count, 0.0, at_most=True)


def _marked_trust(trust: Trust, found: Coherence) -> Trust:
    """List the failed gate of the answer among its gates."""
    if found.passed:
        return trust
    gate = _gate(found)
    failed = Verdict("gate", gate.name, gate.where, gate.value, "≤ 0", gate.passed)
    gates = [one for one in trust.verdicts if one.kind == "gate"]
    rest = [one for one in trust.verdicts if one.kind != "gate"]
    return replace(trust, verdicts=(*gates, failed, *rest))
