"""What every table of a run holds, in a phrase."""

from collections.abc import Mapping

from .. import OutcomeResult
from ..keys import numbered
from ._section import Section

# Of tables that are written beside the report and not shown in it.
_WRITTEN: Mapping[str, str] = {
    "deviance": "Residual deviance of each study",
    "explained": "What comes nearest each published figure, and what that is worth",
    "prior-conflict": "What was observed against what the priors predict",
    "studies": "Each study's own estimate, what the model makes of it, and the pooled lines",
    "thresholds": "Probability of a benefit of at least each threshold; below 0, of no larger harm",
}

_OF_SCENARIOS: Mapping[str, str] = {
    "comparison": "Side by side",
    "heterogeneity": "Heterogeneity",
}


def titles(outcome: OutcomeResult, sections: Mapping[str, Section]) -> Mapping[str, str]:
    """The title of each table of an outcome, by name: its section's, where it has one.

    Raises
    ------
    KeyError
        If nothing says what a table holds.
    """
    shown = {name: section.title for name, section in sections.items()} | {
        numbered(name, index): f"{title}: {one.name}"
        for index, one in enumerate(outcome.scenarios[1:], start=2)
        for name, title in _OF_SCENARIOS.items()
    }
    known = {**_WRITTEN, **shown}
    return {name: known[name] for name in outcome.tables}
