"""The data of a scenario: the studies, and the estimates made of them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..effects import EffectSizes
from ..errors import DataError
from ..model import Data
from ..reading import Opened, estimates_of, open_table, read, without
from ..specification import Outcome
from ..studies import ContinuousStudies, Key, need, takes_quantiles
from .selection import never_used


def table_of(outcome: Outcome, folder: Path) -> Opened:
    """The table of an outcome, its readings and all, under our names of columns."""
    assert outcome.data is not None
    path, reading, measure = folder / outcome.data, outcome.reading, outcome.measure
    try:
        return open_table(path, reading, measure=measure)
    except DataError as error:
        refusal = _of_file(outcome, error)
    if not never_used(outcome):
        raise refusal
    try:  # rows that every scenario drops may hold anything; else they stand among the sources
        return open_table(path, replace(reading, exclude={**never_used(outcome)}), measure=measure)
    except DataError as error:
        raise _of_file(outcome, error) from None


class Rows(NamedTuple):
    """The studies, the estimates made of them if any can be, and what was done to read them."""

    studies: Data
    effects: EffectSizes | None
    said: tuple[str, ...]


def data_of(
    outcome: Outcome,
    table: Opened,
    exclude: Mapping[Key, str],
    refusals: list[str],
) -> Rows:
    """The rows of a scenario; what cannot be estimated is added to the refusals."""
    reading = replace(outcome.reading, exclude=exclude)
    of_arms = outcome.of_arms() is not None
    try:
        rows = without(table, reading)
        found = read(rows, outcome.measure, reading, of_arms=of_arms)
        studies, said = found.data, found.said[len(table.said) :]
        if not of_arms:
            studies = estimates_of(studies, outcome.measure)
    except DataError as error:
        raise _of_file(outcome, error) from None
    _check_kind(outcome, studies)
    try:
        return Rows(studies, estimates_of(studies, outcome.measure), said)
    except DataError as error:
        refusals.append(f"Two-stage analyses: {error}")
        return Rows(studies, None, said)


def _check_kind(outcome: Outcome, studies: Data) -> None:
    """Refuse a table that is not of the kind that the outcome names."""
    of_arms = outcome.of_arms()
    if of_arms is not None and studies.columns() != of_arms.table.columns():
        raise DataError(
            f"{outcome.data}: kind = {outcome.kind!r} needs {', '.join(of_arms.table.columns())}; "
            f"the table has {studies.kind}."
        )


def _of_file(outcome: Outcome, error: DataError) -> DataError:
    """Say of which file the problem is, or the problems are."""
    error.table = str(outcome.data)
    several = len(error.problems) > 1 or error.table in str(error)
    return error if several else DataError(f"{outcome.data}: {error}")


def by_quantiles(outcome: Outcome, data: Data) -> bool:
    """Whether any arm enters the model by its quantiles."""
    if outcome.kind != "continuous":
        return False
    means = need(data, ContinuousStudies, "quantiles are of arms")
    return any(takes_quantiles(means, arm, outcome.distribution).any() for arm in means.arms)
