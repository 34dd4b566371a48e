"""Which rows of a table a scenario uses, and why it leaves the others out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...errors import DataError
from ...reading import Opened, row_names, rows_called
from ...sheets import read_number, read_printed
from ...specification import Outcome, Scenario
from ...studies import Key, is_blank
from ...ways import shown, way

if TYPE_CHECKING:
    import pandas as pd


def select(table: Opened, outcome: Outcome, scenario: Scenario) -> Mapping[Key, str]:
    """Rows of the table a scenario leaves out, each by its study and number, with the reason."""
    frame = table.frame
    ours = {theirs: name for name, theirs in outcome.columns.items()}
    where = {ours.get(column, column): values for column, values in scenario.where.items()}
    for column in ("study", *where):
        if column not in frame:
            raise DataError(
                f"{outcome.data}: The table has no column {shown(column)}; it has "
                f"{', '.join(map(str, frame))}. Say which it is: {way('columns', column)}."
            )
    names = row_names(frame)
    dropped = {
        i: reason for name, reason in scenario.drop.items() for i in rows_called(name, names)
    }
    known = {called for i in names.study for called in names.called(i)}
    pairs = {(names.study[i], names.variant[i]) for i in names.study}
    _check_names(outcome, scenario, {*known, *never_used(outcome)}, pairs)
    reasons: dict[Key, str] = {}
    for place, i in enumerate(names.study):
        key = (names.study[i], names.variant[i])
        own = frame.iloc[place]
        reason = dropped[i] if i in dropped else _reason(key, own, scenario, where)
        if reason is not None:
            reasons[f"{names.study[i]} (row {i + 1})"] = reason
    return reasons


def never_used(outcome: Outcome) -> Mapping[str, str]:
    """Rows that every scenario drops, which may hold anything."""
    first, *others = (scenario.drop for scenario in outcome.scenario)
    return {name: why for name, why in first.items() if all(name in drop for drop in others)}


def _reason(
    key: tuple[str, str],
    row: "pd.Series",
    scenario: Scenario,
    where: Mapping[str, Sequence[str]],
) -> str | None:
    study, variant = key
    wanted = scenario.replace.get(study, scenario.variant)
    if scenario.only and study not in scenario.only:
        return f"not in “{scenario.name}”"
    if variant != wanted:
        return f"row “{variant}”, not the reading used"
    for column, values in where.items():
        cell = "" if is_blank(row[column]) else str(row[column])
        if not any(_same(cell, value) for value in values):
            return f"{column} is {cell or 'blank'}"
    return None


def _same(cell: str, value: str) -> bool:
    """Whether a cell is what is asked for, as text or as the number that was printed."""
    if cell == value:
        return True
    asked = read_printed(value)
    number = None if asked is None else read_number(asked.text())
    return number is not None and number == read_number(cell)


def _check_names(
    outcome: Outcome, scenario: Scenario, studies: set[str], keys: set[tuple[str, str]]
) -> None:
    """Every study and reading a scenario names must be a row."""
    unknown = [name for name in (*scenario.only, *scenario.drop) if name not in studies]
    unknown += [
        f"{key} as {shown(value)}"
        for key, value in scenario.replace.items()
        if (key, value) not in keys
    ]
    if unknown:
        raise DataError(
            f"{outcome.name}, scenario {shown(scenario.name)} names {unknown[0]}, which is "
            "not a row of "
            "the table; check the spelling."
        )
