"""What the report shows as texts and tables that JSON holds: pages are made of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..effects import MEASURES
from ..engines import mathematics, pymc_source
from ..model import Model
from ..results import OutcomeResult, Results
from ..results.bias import overall_in_words
from ..results.display import headline, likelihoods_in_words, printed, shift_sentence
from ..results.labels import LABELS
from ..results.methods import methods
from ..results.sections import (
    Cell,
    Row,
    Section,
    agreeing,
    chances,
    findings,
    front,
    further,
    glance,
    hashes,
    heterogeneity_of,
    listed,
    priors,
    sections_of,
    versions,
    written,
)
from ._figures import unwritten
from ._forest import forest_of

type View = Mapping[str, Any]

PARTS = {
    "forest": "Studies and answer",
    "people": "What it means for people",
    "what-if": "What if",
    "compared": "Compared with other methods and with what was published",
    "checks": "Checks",
    "data": "Data and their sources",
    "model": "Model and priors",
}
OF_DATA = ("width-penalty", "provenance", "account", "excluded", "sources")


def view_of(results: Results, figures: Mapping[str, Iterable[str]]) -> View:
    """Say all that the report of a run shows but its drawings.

    Parameters
    ----------
    results : Results
    figures : mapping
        By outcome, the names of its figures.

    Returns
    -------
    mapping
        Of texts, lists and mappings alone.
    """
    fits = [fit for one in results.outcomes for fit in one.fits.values()]
    said = methods(results)
    return {
        "results": _run(results),
        "outcomes": [_outcome(one, results, figures[one.name]) for one in results.outcomes],
        "level": f"{100 * results.prob:g}%",
        "glance": section_view(glance(results)),
        "front": [section_view(one) for one in front(results)],
        "findings": _if(findings(results)),
        "unwritten": unwritten(results),
        "methods": {"text": said.text, "references": list(said.references)},
        "written": _if(written(results)),
        "checklist": section_view(listed(results)),
        "versions": section_view(versions(results)),
        "hashes": section_view(hashes(results)),
        "counts": likelihoods_in_words(results),
        "sampled": any(not fit.exact for fit in fits),
        "integrated": any(fit.exact and fit.model.likelihood.family != "estimates" for fit in fits),
    }


def section_view(section: Section) -> View:
    """A table as it is shown."""
    return {
        "title": section.title,
        "columns": [
            {"key": one.key, "head": one.head, "right": one.right} for one in section.columns
        ],
        "rows": [_row(one) for one in section.rows],
        "note": section.note,
        "lead": section.lead,
    }


def _row(row: Row) -> View:
    kind = None if row.kind is None else str(row.kind)
    return {"cells": [_cell(one) for one in row.cells], "kind": kind, "sound": row.sound}


def _cell(cell: Cell) -> View:
    return {
        "text": str(cell.text),
        "below": [str(one) for one in cell.below],
        "aside": str(cell.aside),
        "link": str(cell.link),
    }


def _if(section: Section | None) -> View | None:
    return None if section is None else section_view(section)


def _run(results: Results) -> View:
    """What is of no single outcome."""
    names = ("title", "question", "passed", "seed", "device", "compares", "by_covariates")
    return {
        **{name: getattr(results, name) for name in names},
        "specification": results.specification,
        "arms": list(results.arms),
        "limits": list(results.limits),
        "unconverged": list(results.unconverged),
        "coherence": results.coherence.in_short,
        "cautions": [
            {
                "text": str(one.text),
                "outcomes": [{"name": each.name, "title": each.title} for each in one.outcomes],
            }
            for one in results.cautions
        ],
    }


def _outcome(outcome: OutcomeResult, results: Results, figures: Iterable[str]) -> View:
    sections = sections_of(outcome, results)
    forest = forest_of(outcome, arms=results.arms, prob=results.prob)
    same = agreeing(outcome, results)
    measure = MEASURES[outcome.measure]
    return {
        "result": _result(outcome),
        "measure": {name: getattr(measure, name) for name in ("name", "analysis_called", "log")},
        "headline": headline(outcome, prob=results.prob),
        "corrected": _corrected(outcome),
        "judged": ""
        if outcome.bias is None
        else f" Risk of bias: {overall_in_words(outcome.bias)}.",
        "shift": shift_sentence(outcome),
        "chances": "" if outcome.absolute is None else chances(outcome.absolute),
        "sections": {name: section_view(one) for name, one in sections.items()},
        "parts": _parts(outcome, sections),
        "agreeing": _if(same) if same else None,
        "beside": _beside(outcome, results),
        "models": [_model(LABELS[key], one, outcome) for key, one in outcome.asked.items()],
        "drawn": list(figures),
        "forest": None if forest is None else forest.to_dict(),
    }


def _result(outcome: OutcomeResult) -> View:
    """What the page says of an outcome outside its tables."""
    names = ("name", "title", "answered_by", "words", "compares", "better", "event", "surrogate")
    main, scaling = outcome.main, outcome.checks.scaling
    return {
        **{name: getattr(outcome, name) for name in names},
        **{name: getattr(outcome, name) for name in ("note", "by_covariates", "effect", "told")},
        "lines": None if main is None else list(main.account.lines),
        "cautions": len(outcome.cautions),
        "scenarios": len(outcome.scenarios),
        "scaling": "" if scaling is None else scaling.sentence,
        "why_none": outcome.evidence.why_none,
        "failures": {str(label): list(failed) for label, failed in outcome.failures.items()},
        "explained": [
            {
                "label": one.label,
                "printed": printed(one.published),
                "lines": str(one.explanation).splitlines(),
            }
            for one in outcome.published
            if one.explanation is not None
        ],
    }


def _corrected(outcome: OutcomeResult) -> str:
    """Of which studies of a single arm the own estimate is not events over n or time."""
    if outcome.compares or outcome.main is None or not outcome.main.data.discrete:
        return ""
    return f" {_HALF[MEASURES[outcome.measure].link]}"


_HALF = {
    "logit": "Where none or all have the event, ½ is added to both counts for a study's own "
    "estimate.",
    "log": "Where a study has no event, ½ is added for its own estimate.",
}


def _parts(outcome: OutcomeResult, sections: Mapping[str, Section]) -> Mapping[str, str]:
    """The parts of an outcome that it has, in their order, by the end of their address."""
    whole = outcome.main is not None
    several = len(outcome.scenarios) > 1 and not outcome.by_covariates
    kept = {
        "forest": whole,
        "people": "absolute" in sections,
        "what-if": several or "what-if" in sections or "tipping" in sections,
        "compared": "comparison" in sections or "published" in sections,
        "checks": whole,
        "data": any(name in sections for name in OF_DATA),
        "model": bool(outcome.asked),
    }
    return {name: title for name, title in PARTS.items() if kept[name]}


def _beside(outcome: OutcomeResult, results: Results) -> Sequence[Sequence[View | None]]:
    """Comparison and heterogeneity of further scenarios."""
    return [
        [section_view(section), _if(heterogeneity_of(outcome, index))]
        for index, section in further(outcome, results).items()
    ]


def _model(label: str, model: Model, outcome: OutcomeResult) -> View:
    data = None if outcome.main is None else outcome.main.data
    return {
        "label": label,
        "mathematics": list(mathematics(model, data)),
        "source": pymc_source(model, data),
        "coding": model.in_words,
        "priors": section_view(priors(model, label, outcome)),
    }
