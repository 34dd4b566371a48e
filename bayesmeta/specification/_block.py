"""What every table of a specification is, and the values in it."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, field_validator

from ..errors import BayesmetaError
from ..priors import Prior, parse_prior

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Block(BaseModel):
    """A table of the file: unknown keys are errors, ``true`` is no number and ``"1"`` neither."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: object) -> object:
        if isinstance(value, str) and _CONTROL.search(value):
            raise ValueError("it has a control character, which no file can show; remove it.")
        return value


def _prior(value: object) -> Prior:
    if isinstance(value, Prior):
        return value
    try:
        return parse_prior(str(value))
    except BayesmetaError as error:
        raise ValueError(str(error)) from None


def _df(value: object) -> float | Prior:
    if isinstance(value, str | Prior):
        return _prior(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"write a number, or a prior such as 'Gamma(2, 0.1)'; got {value!r}")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _printed(value: object) -> object:
    if isinstance(value, str):
        return value
    raise ValueError(f'write the figure in quotes, as printed, e.g. "0.60"; got {value!r}')


type PriorText = Annotated[Prior, BeforeValidator(_prior)]
type DegreesOfFreedom = Annotated[float | Prior, PlainValidator(_df)]
type Names = Annotated[list[str], BeforeValidator(_listed)]
type Figure = Annotated[str, BeforeValidator(_printed)]
type Title = Annotated[str, Field(min_length=1)]
type Count = Annotated[int, Field(ge=1, le=10**9)]
type Column = Literal[
    "study", "variant", "events_treatment", "n_treatment", "events_control", "n_control",
    "time_treatment", "time_control",
    "y", "se", "estimate", "lower", "upper", "unit",
    "mean_treatment", "sd_treatment", "min_treatment", "q1_treatment", "median_treatment",
    "q3_treatment", "max_treatment",
    "mean_control", "sd_control", "min_control", "q1_control", "median_control",
    "q3_control", "max_control",
]  # fmt: skip


def unique(what: str, names: Sequence[str]) -> None:
    """Refuse a name that stands twice."""
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ValueError(f"{what} {repeated[0]!r} stands twice; give each its own name.")
