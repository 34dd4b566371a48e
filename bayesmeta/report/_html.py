"""Results to HTML: what the template shows, prepared as text and sections."""

import base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ..effects import MEASURES
from ..engines import mathematics, pymc_source
from ..model import Model
from ..results import OutcomeResult, Results
from ..results.display import headline, likelihoods_in_words, printed, shift_sentence
from ..results.labels import LABELS
from ..results.sections import (
    Section,
    chances,
    findings,
    further,
    glance,
    hashes,
    heterogeneity_of,
    priors,
    sections_of,
    versions,
)
from ._figures import unwritten

if TYPE_CHECKING:
    import jinja2


def render(results: Results, figures: Mapping[str, Mapping[str, str]]) -> str:
    """Return the report as one HTML page that needs nothing else.

    Parameters
    ----------
    results : Results
    figures : mapping
        SVG text by outcome and figure.
    """
    fits = [fit for one in results.outcomes for fit in one.fits.values()]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            results=results,
            outcomes=[_outcome(one, results, figures[one.name]) for one in results.outcomes],
            level=f"{100 * results.prob:g}%",
            glance=glance(results),
            findings=findings(results),
            unwritten=unwritten(results),
            versions=versions(results),
            hashes=hashes(results),
            counts=likelihoods_in_words(results),
            sampled=any(not fit.exact for fit in fits),
            integrated=any(
                fit.exact and fit.model.likelihood.family != "estimates" for fit in fits
            ),
        )
    )


@lru_cache(maxsize=1)
def _environment() -> "jinja2.Environment":
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("bayesmeta.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _outcome(
    outcome: OutcomeResult, results: Results, figures: Mapping[str, str]
) -> Mapping[str, object]:
    return {
        "result": outcome,
        "measure": MEASURES[outcome.measure],
        "headline": headline(outcome, prob=results.prob),
        "corrected": _corrected(outcome),
        "printed": {one.label: printed(one.published) for one in outcome.published},
        "shift": shift_sentence(outcome),
        "chances": "" if outcome.absolute is None else chances(outcome.absolute),
        "sections": sections_of(outcome, results),
        "beside": _beside(outcome, results),
        "models": [_model(LABELS[key], one, outcome) for key, one in outcome.asked.items()],
        "figures": {name: _embedded(svg) for name, svg in figures.items()},
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


def _embedded(svg: str) -> str:
    """An SVG as a data address: its identifiers cannot collide with another figure's."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _beside(outcome: OutcomeResult, results: Results) -> Sequence[tuple[Section, Section | None]]:
    """Comparison and heterogeneity of further scenarios."""
    return [
        (section, heterogeneity_of(outcome, index))
        for index, section in further(outcome, results).items()
    ]


def _model(label: str, model: Model, outcome: OutcomeResult) -> Mapping[str, object]:
    data = None if outcome.main is None else outcome.main.data
    return {
        "label": label,
        "mathematics": mathematics(model, data),
        "source": pymc_source(model, data),
        "coding": model.in_words,
        "priors": priors(model, label, outcome),
    }
