"""The data of a scenario: the studies, and the estimates made of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..effects import EffectSizes
from ..errors import ColumnError, DataError
from ..files import read_table
from ..model import Data
from ..specification import Outcome
from ..studies import ContinuousStudies, Key, need, takes_quantiles
from ..wording import Table, estimates_of, read

if TYPE_CHECKING:
    import pandas as pd


def frame_of(outcome: Outcome, folder: Path) -> "pd.DataFrame":
    """The table of an outcome, every cell as text."""
    assert outcome.data is not None
    return read_table(folder / outcome.data)


def data_of(
    outcome: Outcome,
    frame: "pd.DataFrame",
    exclude: Mapping[Key, str],
    refusals: list[str],
) -> tuple[Table, EffectSizes | None]:
    """The studies, and the estimates made of them (None where nothing can be estimated)."""
    studies = _read(outcome, frame, exclude)
    try:
        return studies, estimates_of(studies, outcome.measure)
    except DataError as error:
        refusals.append(f"Two-stage analyses: {error}")
        return studies, None


def _read(outcome: Outcome, frame: "pd.DataFrame", exclude: Mapping[Key, str]) -> Table:
    of_arms = outcome.of_arms()
    try:
        return read(
            frame,
            EffectSizes if of_arms is None else of_arms.table,
            measure=outcome.measure,
            level=outcome.level,
            columns={**outcome.columns},
            exclude=exclude,
        )
    except ColumnError as error:
        raise DataError(
            f"{outcome.data}: {error.lacks} Rename it, or say which column to use under "
            f'[outcome.columns]: {error.ours} = "...".'
        ) from None
    except DataError as error:
        raise DataError(f"{outcome.data}: {error}") from None


def by_quantiles(outcome: Outcome, data: Data) -> bool:
    """Whether any arm enters the model by its quantiles."""
    if outcome.kind != "continuous":
        return False
    means = need(data, ContinuousStudies, "quantiles are of arms")
    return any(takes_quantiles(means, arm, outcome.distribution).any() for arm in means.arms)
