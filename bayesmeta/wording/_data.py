"""Tables as they are read into data, and the estimates made of them."""

from collections.abc import Iterable, Mapping
from functools import singledispatch
from typing import TYPE_CHECKING

from ..effects import EffectSizes, convert_quantiles, effect_sizes
from ..errors import DataError
from ..studies import (
    BinaryStudies,
    ContinuousStudies,
    IncidenceStudies,
    Key,
    PersonTimeStudies,
    ProportionStudies,
    Studies,
)

if TYPE_CHECKING:
    import pandas as pd

type Table = Studies | ContinuousStudies | EffectSizes


def kind_of(columns: Iterable[object]) -> type[Table]:
    """What a table holds, by the names of its columns: counts, means, or else estimates."""
    found = {str(name) for name in columns}
    if "events_treatment" in found:
        return PersonTimeStudies if "time_treatment" in found else BinaryStudies
    if found & {"mean_treatment", "median_treatment", "q1_treatment", "min_treatment"}:
        return ContinuousStudies
    if "events" not in found or found & {"y", "se", "estimate"}:
        return EffectSizes
    return IncidenceStudies if "time" in found else ProportionStudies


def read(
    frame: "pd.DataFrame",
    kind: type[Table],
    *,
    measure: str,
    level: float,
    columns: Mapping[str, str] | None = None,
    exclude: Mapping[Key, str] | None = None,
) -> Table:
    """Read a table of this kind; measure and level are of estimates and their intervals."""
    if kind is EffectSizes:
        return EffectSizes.from_frame(
            frame, columns=columns, measure=measure, prob=level, exclude=exclude
        )
    return kind.from_frame(frame, columns=columns, exclude=exclude)


@singledispatch
def estimates_of(data: Table, measure: str) -> EffectSizes:
    """Estimates of the studies; quantiles are converted to means and SDs first."""
    raise DataError(f"No estimates are made of {type(data).__name__}.")


@estimates_of.register
def _of_counts(data: Studies, measure: str) -> EffectSizes:
    return effect_sizes(data, measure=measure)


@estimates_of.register
def _of_means(data: ContinuousStudies, measure: str) -> EffectSizes:
    return effect_sizes(convert_quantiles(data), measure=measure)


@estimates_of.register
def _as_they_are(data: EffectSizes, measure: str) -> EffectSizes:
    return data
