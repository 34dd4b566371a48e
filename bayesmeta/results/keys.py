"""Which fit of a run is meant: keys, which no reader ever sees."""

from enum import Enum, auto
from typing import NamedTuple, final

from ..frequentist import IntervalName


@final
class FitKey(Enum):
    """The ways in which a scenario is analysed; each gives one fit."""

    BINOMIAL = auto()
    HYPERGEOMETRIC = auto()
    POISSON = auto()
    ARMS = auto()
    ARMS_COMMON = auto()
    SECOND_SOURCE = auto()
    TWO_STAGE = auto()
    TWO_STAGE_COMMON = auto()
    MANTEL_HAENSZEL = auto()
    MANTEL_HAENSZEL_HALF = auto()
    INVERSE_VARIANCE = auto()
    DERSIMONIAN_LAIRD = auto()
    REML = auto()


class Place(NamedTuple):
    """Where a fit stands in an outcome.

    Attributes
    ----------
    name : str
        Of the scenario, or of the published figure that was analysed alone.
    key : FitKey or None
        None for a figure alone.
    """

    name: str
    key: FitKey | None = None


class Line(NamedTuple):
    """Which line of a comparison a fit has.

    Attributes
    ----------
    key : FitKey
    interval : IntervalName or None
        None where the fit has but one.
    """

    key: FitKey
    interval: IntervalName | None = None


def numbered(table: str, scenario: int) -> str:
    """Key of a table that several scenarios have; that of the first, the main one, is bare."""
    return table if scenario == 1 else f"{table}-{scenario}"
