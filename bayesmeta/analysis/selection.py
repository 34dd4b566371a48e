"""Which rows of a table a scenario uses, and why it leaves the others out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import DataError
from ..specification import Outcome, Scenario
from ..studies import MAIN, Key

if TYPE_CHECKING:
    import pandas as pd


def select(frame: "pd.DataFrame", outcome: Outcome, scenario: Scenario) -> Mapping[Key, str]:
    """Rows of the table a scenario leaves out, with the reason, by (study, variant)."""
    named = outcome.columns
    study_column = named.get("study", "study")
    variant_column = named.get("variant", "variant")
    for column in (study_column, *scenario.where):
        if column not in frame:
            raise DataError(
                f"{outcome.data}: the table has no column {column!r}; it has {', '.join(frame)}."
            )
    studies = frame[study_column].astype(str)
    variants = frame.get(variant_column, studies.map(lambda _: MAIN)).fillna(MAIN).astype(str)  # pyright: ignore[reportOptionalMemberAccess]
    _check_names(outcome, scenario, set(studies), set(zip(studies, variants, strict=True)))
    reasons: dict[Key, str] = {}
    for position, key in enumerate(zip(studies, variants, strict=True)):
        reason = _reason(key, frame.iloc[position], scenario)
        if reason is not None:
            reasons[key] = reason
    return reasons


def _reason(key: tuple[str, str], row: "pd.Series", scenario: Scenario) -> str | None:
    study, variant = key
    wanted = scenario.replace.get(study, scenario.variant)
    if study in scenario.drop:
        return scenario.drop[study]
    if scenario.only and study not in scenario.only:
        return f"not in “{scenario.name}”"
    if variant != wanted:
        return f"row “{variant}”, not the reading used"
    for column, values in scenario.where.items():
        if str(row[column]) not in values:
            return f"{column} is {row[column]}"
    return None


def _check_names(
    outcome: Outcome, scenario: Scenario, studies: set[str], keys: set[tuple[str, str]]
) -> None:
    """Every study and reading a scenario names must be a row."""
    unknown = [name for name in (*scenario.only, *scenario.drop) if name not in studies]
    unknown += [
        f"{key} as {value!r}" for key, value in scenario.replace.items() if (key, value) not in keys
    ]
    if unknown:
        raise DataError(
            f"{outcome.name}, scenario {scenario.name!r} names {unknown[0]}, which is not a row of "
            "the table; check the spelling."
        )
