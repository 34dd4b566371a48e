"""The data of a scenario: the studies, and the estimates made of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..effects import EffectSizes, convert_quantiles, effect_sizes
from ..errors import ColumnError, DataError
from ..files import read_table
from ..model import Model
from ..specification import Outcome
from ..studies import ContinuousStudies, Key, Studies, takes_quantiles
from .models import of_counts

if TYPE_CHECKING:
    import pandas as pd


def read(outcome: Outcome, folder: Path) -> "pd.DataFrame":
    """The table of an outcome, every cell as text."""
    assert outcome.data is not None
    return read_table(folder / outcome.data)


def data_of(
    outcome: Outcome,
    frame: "pd.DataFrame",
    exclude: Mapping[Key, str],
    refusals: list[str],
) -> tuple[Studies | ContinuousStudies | EffectSizes, EffectSizes | None]:
    """The studies, and the estimates made of them (None where nothing can be estimated)."""
    columns: Mapping[str, str] = {**outcome.columns}
    try:
        if outcome.kind == "estimates":
            made = EffectSizes.from_frame(
                frame,
                columns=columns,
                measure=outcome.measure,
                prob=outcome.level,
                exclude=exclude,
            )
            return made, made
        studies = _table_of(outcome).from_frame(frame, columns=columns, exclude=exclude)
    except ColumnError as error:
        raise DataError(
            f"{outcome.data}: {error.lacks} Rename it, or say which column to use under "
            f'[outcome.columns]: {error.ours} = "...".'
        ) from None
    except DataError as error:
        raise DataError(f"{outcome.data}: {error}") from None
    try:
        return studies, _estimates(studies, outcome.measure)
    except DataError as error:
        refusals.append(f"Two-stage analyses: {error}")
        return studies, None


def _estimates(studies: Studies | ContinuousStudies, measure: str) -> EffectSizes:
    """Estimates of the studies; of quantiles after their conversion, which ``how`` names."""
    if isinstance(studies, ContinuousStudies):
        studies = convert_quantiles(studies)
    return effect_sizes(studies, measure=measure)


def _table_of(outcome: Outcome) -> type[Studies | ContinuousStudies]:
    if outcome.kind == "continuous":
        return ContinuousStudies
    takes = of_counts(outcome).takes
    assert issubclass(takes, Studies)
    return takes


def by_quantiles(model: Model, data: ContinuousStudies) -> bool:
    """Whether any arm enters the model by its quantiles."""
    arms: str = getattr(model, "arms", "normal")
    return any(takes_quantiles(data, arm, arms).any() for arm in data.arms)
