"""The data of a scenario: the studies, and the estimates made of them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ...effects import EffectSizes
from ...errors import DataError
from ...model import Data
from ...reading import Opened, estimates_of, open_table, read, row_names, rows_called, without
from ...sheets import check_regular
from ...specification import Outcome
from ...studies import Account, ContinuousStudies, Key, need, takes_quantiles
from ...ways import shown
from .outside import quoted_nowhere
from .selection import never_used


def table_of(outcome: Outcome, folder: Path) -> Opened:
    """The table of an outcome, its readings and all, under our names of columns."""
    assert outcome.data is not None
    path = folder / outcome.data
    check_regular(path)  # a specification cannot wait for standard input
    with quoted_nowhere(outcome, folder):
        return _opened(outcome, path, never_used(outcome))


def _opened(outcome: Outcome, path: Path, gone: Mapping[str, str]) -> Opened:
    """The table, without the rows that no scenario uses where it cannot be read with them."""
    reading, measure = outcome.reading, outcome.measure
    try:
        table = open_table(path, reading, measure=measure)
    except DataError as error:  # rows that every scenario drops may hold anything
        if not gone:
            raise _of_file(outcome, error) from None
    else:  # else they stand among the sources, but for arms, which are no rows any more
        names = row_names(table.frame)
        gone = {name: why for name, why in gone.items() if not rows_called(name, names)}
        if not gone:
            return table
    try:
        return open_table(path, replace(reading, exclude=gone), measure=measure)
    except DataError as error:
        raise _of_file(outcome, error) from None


class Rows(NamedTuple):
    """The studies, the estimates made of them if any can be, and the table as it was read."""

    studies: Data
    effects: EffectSizes | None
    read: Data


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
        studies = found if of_arms else estimates_of(found, outcome.measure)
    except DataError as error:
        raise _of_file(outcome, error) from None
    _check_kind(outcome, studies)
    try:
        return Rows(studies, estimates_of(studies, outcome.measure), found)
    except DataError as error:
        refusals.append(f"Two-stage analyses: {error}")
        return Rows(studies, None, found)


def account_beside(studies: Data, effects: EffectSizes | None) -> Account:
    """What became of the rows, for the answer and for analyses in two stages beside it."""
    if effects is None or effects is studies:
        return studies.account
    return studies.account.beside(effects.account)


def _check_kind(outcome: Outcome, studies: Data) -> None:
    """Refuse a table that is not of the kind that the outcome names."""
    of_arms = outcome.of_arms()
    if of_arms is not None and studies.columns() != of_arms.table.columns():
        raise DataError(
            f"{outcome.data}: kind = {shown(outcome.kind)} needs "
            f"{', '.join(of_arms.table.columns())}; "
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
