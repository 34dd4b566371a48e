"""Risk of bias of the studies of an outcome, beside its answer."""

from collections import Counter

from ..reading import RiskOfBias
from . import OutcomeResult


def bias_of(outcome: OutcomeResult, judged: RiskOfBias | None) -> RiskOfBias | None:
    """Return the judgements of the studies that any scenario of an outcome analyses.

    Parameters
    ----------
    outcome : OutcomeResult
    judged : RiskOfBias or None
        Of the studies of its table.
    """
    if judged is None:
        return None
    return judged.of(
        list(dict.fromkeys(name for one in outcome.scenarios for name in one.data.study))
    )


def overall_in_words(bias: RiskOfBias) -> str:
    """Count the overall judgements: ``"3 low, 1 high"``."""
    count = Counter(row[-1] for row in bias.levels.values())
    return ", ".join(f"{count[one]} {one}" for one in bias.tool.levels if count[one])
