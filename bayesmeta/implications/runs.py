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
    main = outcome.main
    if outcome.coherence.passed:
        return outcome
    if main is not None and not whole.passed:
        answer = Place(main.name, main.answering)
        fits = fits | {answer: fits[answer] + whole}
    scenarios = tuple(_marked_scenario(one, fits) for one in outcome.scenarios)
    published = tuple(
        replace(one, posterior=one.posterior and _marked_fit(one.posterior, fits[Place(one.label)]))
        if Place(one.label) in fits
        else one
        for one in outcome.published
    )
    outcome = replace(outcome, scenarios=scenarios, published=published)
    outcome = replace(outcome, checks=replace(outcome.checks, trust=_marked_trust(outcome)))
    return replace(outcome, tables=outcome_tables(outcome, prob=prob))


def _marked_scenario(one: ScenarioResult, fits: dict[Place, Coherence]) -> ScenarioResult:
    marked = {key: _marked_fit(fit, fits[Place(one.name, key)]) for key, fit in one.fits.items()}
    return replace(one, fits=marked)


def _marked_fit(posterior: Posterior, found: Coherence) -> Posterior:
    if found.passed:
        return posterior
    count = float(len(found.contradictions))
    check = Check(GATE, f"of {len(found.pairs)} pairs", count, 0.0, at_most=True)
    gates = posterior.diagnostics
    return replace(posterior, diagnostics=Diagnostics((*gates.checks, check), gates.attempts))


def _marked_trust(outcome: OutcomeResult) -> Trust | None:
    """List the failed gate of the answer among its gates."""
    found = outcome.checks.trust
    if found is None or outcome.main is None:
        return found
    new = [one for one in outcome.main.answer.diagnostics.checks if one.name == GATE]
    added = [Verdict("gate", one.name, one.where, one.value, "≤ 0", one.passed) for one in new]
    gates = [one for one in found.verdicts if one.kind == "gate"]
    rest = [one for one in found.verdicts if one.kind != "gate"]
    return replace(found, verdicts=(*gates, *added, *rest))
