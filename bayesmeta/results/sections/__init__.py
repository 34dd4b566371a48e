"""Every table of a run as a value, made once: the report and the terminal show the same.

A ``Section`` has a key, a title, the unrounded table, columns (a head, and how a row is written
there) and a note. The report has one macro that renders any of them, the terminal one function.
What kind a row is comes from where its answer comes from, never from its label.
"""

from collections.abc import Callable, Mapping

from .. import OutcomeResult, Results
from ..moderated import EVERY
from ._agree import agreeing
from ._answers import absolute, comparison, further, of_people, published, scenarios
from ._bias import bias
from ._checklist import listed, written
from ._checks import diagnostics, implied, left_out, predictive, scaling, trust
from ._evidence import (
    by_scale,
    curve,
    definitions,
    factors,
    moved,
    parameters,
    penalty,
    reverse,
    weights,
    zeros,
)
from ._findings import findings
from ._fit import of_a_fit, of_checks
from ._glance import front, glance
from ._people import chances
from ._plain import account, excluded, hashes, plain, provenance, sources, versions
from ._priors import priors
from ._section import LABEL, Cell, Column, Row, Section
from ._titles import titles
from ._two_stage import heterogeneity, heterogeneity_of, influence, small_study
from ._what_if import of_scenarios, one_event, tipping, what_if
from .moderators import asked, moderated, of_moderators

__all__ = [
    "LABEL",
    "SECTIONS",
    "Cell",
    "Column",
    "Row",
    "Section",
    "agreeing",
    "chances",
    "findings",
    "front",
    "further",
    "glance",
    "hashes",
    "heterogeneity_of",
    "listed",
    "of_a_fit",
    "of_checks",
    "of_moderators",
    "of_people",
    "of_scenarios",
    "plain",
    "priors",
    "sections_of",
    "titles_of",
    "versions",
    "written",
]

SECTIONS: Mapping[str, Callable[[OutcomeResult, Results], Section | None]] = {
    "risk-of-bias": bias,
    "comparison": comparison,
    **{name: moderated(name) for name in EVERY},
    "scenarios-asked": asked,
    "absolute": absolute,
    "scenarios": scenarios,
    "what-if": what_if,
    "tipping": tipping,
    "one-event": one_event,
    "prior-predictive": implied,
    "prior-posterior": moved,
    "power-scaling": scaling,
    "heterogeneity": heterogeneity,
    "influence": influence,
    "small-study": small_study,
    "predictive": predictive,
    "loo": left_out,
    "published": published,
    "bayes-factors": factors,
    "tau-by-scale": by_scale,
    "bayes-factor-curve": curve,
    "reverse-bayes": reverse,
    "weights": weights,
    "zero-studies": zeros,
    "trust": trust,
    "parameters": parameters,
    "diagnostics": diagnostics,
    "width-penalty": penalty,
    "quartile-definitions": definitions,
    "provenance": provenance,
    "account": account,
    "excluded": excluded,
    "sources": sources,
}


def sections_of(outcome: OutcomeResult, run: Results) -> Mapping[str, Section]:
    """Make every section that an outcome has, by name, in the order of the report."""
    made = {name: make(outcome, run) for name, make in SECTIONS.items()}
    return {name: section for name, section in made.items() if section is not None}


def titles_of(outcome: OutcomeResult, run: Results) -> Mapping[str, str]:
    """Say what each table of an outcome holds, by name."""
    return titles(outcome, sections_of(outcome, run))
