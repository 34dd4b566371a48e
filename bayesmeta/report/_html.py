"""Results to HTML: what the template shows, prepared as text and sections."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from ..effects import MEASURES
from ..engines import mathematics, pymc_source
from ..model import Model
from ..results import OutcomeResult, Results
from ..results.bias import overall_in_words
from ..results.display import headline, likelihoods_in_words, printed, shift_sentence
from ..results.labels import LABELS
from ..results.methods import methods
from ..results.sections import (
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
from ._drawings import drawings
from ._figures import NARROW, unwritten

if TYPE_CHECKING:
    import jinja2


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


def render(results: Results, figures: Mapping[str, Mapping[str, str]]) -> str:
    """Return the report as one HTML page that needs nothing else.

    Parameters
    ----------
    results : Results
    figures : mapping
        SVG text by outcome and figure.
    """
    drawn = drawings(figures)
    fits = [fit for one in results.outcomes for fit in one.fits.values()]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            results=results,
            outcomes=[_outcome(one, results, drawn.each[one.name]) for one in results.outcomes],
            shared=drawn.shared,
            level=f"{100 * results.prob:g}%",
            glance=glance(results),
            front=front(results),
            findings=findings(results),
            unwritten=unwritten(results),
            methods=methods(results),
            written=written(results),
            checklist=listed(results),
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
    outcome: OutcomeResult, results: Results, drawn: Mapping[str, Markup]
) -> Mapping[str, object]:
    sections = sections_of(outcome, results)
    return {
        "result": outcome,
        "measure": MEASURES[outcome.measure],
        "headline": headline(outcome, prob=results.prob),
        "corrected": _corrected(outcome),
        "judged": ""
        if outcome.bias is None
        else f" Risk of bias: {overall_in_words(outcome.bias)}.",
        "printed": {one.label: printed(one.published) for one in outcome.published},
        "shift": shift_sentence(outcome),
        "chances": "" if outcome.absolute is None else chances(outcome.absolute),
        "sections": sections,
        "parts": _parts(outcome, sections),
        "agreeing": agreeing(outcome, results),
        "beside": _beside(outcome, results),
        "models": [_model(LABELS[key], one, outcome) for key, one in outcome.asked.items()],
        "figures": {name: one for name, one in drawn.items() if not name.endswith(NARROW)},
        "narrow": {
            name.removesuffix(NARROW): one for name, one in drawn.items() if name.endswith(NARROW)
        },
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
