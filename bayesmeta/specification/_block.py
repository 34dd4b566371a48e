"""What every table of a specification is, and the values in it."""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    field_validator,
)

from ..effects import measure_meant, measure_named
from ..errors import BayesmetaError
from ..model import Exchangeable
from ..priors import Prior, parse_prior
from ..sheets import NUMBERS, TEXTS
from ..ways import shown
from ..wording import baselines_of

DEVICES = {"con", "prn", "aux", "nul", *(f"{one}{i}" for one in ("com", "lpt") for i in range(10))}
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


def prior_of(value: object) -> Prior:
    """A prior as it is spelled.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(value, Prior):
        return value
    try:
        return parse_prior(str(value))
    except BayesmetaError as error:
        raise ValueError(str(error)) from None


def _baselines(value: object) -> Prior | Exchangeable:
    if isinstance(value, Prior | Exchangeable):
        return value
    try:
        return baselines_of(str(value))
    except BayesmetaError as error:
        raise ValueError(str(error)) from None


def _df(value: object) -> float | Prior:
    if isinstance(value, str | Prior):
        return prior_of(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"write a number, or a prior such as 'Gamma(2, 0.1)'; got {shown(value)}")


def _measure(value: object) -> object:
    """A measure by its own name, in letters of whatever case it was written."""
    meant = measure_meant(value) if isinstance(value, str) else None
    if meant is None:
        return value
    try:
        return measure_named(str(value)).name
    except BayesmetaError as error:
        raise ValueError(str(error).removeprefix("measure ")) from None


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _printed(value: object) -> object:
    if isinstance(value, str):
        return value
    raise ValueError(f'write the figure in quotes, as printed, e.g. "0.60"; got {shown(value)}')


def _allowed(name: str) -> str:
    if name in DEVICES:
        raise ValueError(f"no folder can be called {shown(name)} on Windows; choose another name")
    return name


def _known(name: str) -> str:
    if name in NUMBERS or name in TEXTS:
        return name
    raise ValueError(f"known are {', '.join(map(repr, sorted(NUMBERS | TEXTS)))}")


type FolderName = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$"), AfterValidator(_allowed)
]
type PriorText = Annotated[Prior, BeforeValidator(prior_of)]
type BaselinesText = Annotated[Prior | Exchangeable, PlainValidator(_baselines)]
type DegreesOfFreedom = Annotated[float | Prior, PlainValidator(_df)]
AnyCase = BeforeValidator(_measure)  # of the name of a measure
type Names = Annotated[list[str], BeforeValidator(_listed)]
type Figure = Annotated[str, BeforeValidator(_printed)]
type Title = Annotated[str, Field(min_length=1)]
type Count = Annotated[int, Field(ge=1, le=10**9)]
type Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
type Column = Annotated[str, AfterValidator(_known)]


def unique(what: str, names: Sequence[str]) -> None:
    """Refuse a name that stands twice."""
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ValueError(f"{what} {shown(repeated[0])} stands twice; give each its own name.")
