"""Where effects are expected and how they scatter: priors, or tables where covariates say it."""

from collections.abc import Mapping
from typing import Annotated, Self, final

from pydantic import AfterValidator, Discriminator, PlainValidator, Tag, model_validator

from ..errors import BayesmetaError
from ..model import ByGroup, Linear, Location
from ..priors import Prior
from ..ways import shown
from ._block import Block, PriorText, prior_of

PRIOR, TABLE = "(prior)", "(table)"  # no keys of the file, though pydantic names them as places
LINE = ("intercept", "slopes", "centre", "scale")


def _slopes(value: object) -> Prior | Mapping[str, Prior]:
    if isinstance(value, dict):
        return {str(name): prior_of(one) for name, one in value.items()}
    return prior_of(value)


@final
class Mu(Block):
    """A formula of covariates, or the column whose groups have an effect each.

    Attributes
    ----------
    formula : str or None
        Of columns of the table, e.g. ``"latitude + C(allocation)"``.
    intercept : Prior or None
        Of the intercept, or of each level of a factor alone.
    slopes : Prior, mapping of str to Prior, or None
        Of the other coefficients: one for all, or by covariate.
    centre, scale : bool
        Of numbers: whether they are centred at their mean, and divided by their SD.
    by : str or None
        The column of groups.
    prior : Prior or None
        Of each group's effect.
    """

    formula: str | None = None
    intercept: PriorText | None = None
    slopes: Annotated[Prior | dict[str, Prior] | None, PlainValidator(_slopes)] = None
    centre: bool = True
    scale: bool = False
    by: str | None = None
    prior: PriorText | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self.located()
        return self

    def located(self) -> Location:
        """The location it says.

        Raises
        ------
        ValueError
            If it says none, or two, or the formula cannot be read.
        """
        try:
            return self._by_group() if self.formula is None else self._linear(self.formula)
        except BayesmetaError as error:
            raise ValueError(str(error)) from None

    def _linear(self, formula: str) -> Location:
        if self.by is not None or self.prior is not None:
            raise ValueError("it has a formula with intercept and slopes, or by with prior.")
        if self.intercept is None:
            raise ValueError(
                "a formula needs the prior of its intercept, e.g. intercept = 'Normal(0, 2)'."
            )
        return Linear(
            formula,
            intercept=self.intercept,
            slopes=self.slopes,
            centre=self.centre,
            scale=self.scale,
        )

    def _by_group(self) -> Location:
        if self.by is None or self.prior is None:
            raise ValueError(
                "it is a prior, or a table: { formula = 'latitude', intercept = 'Normal(0, 2)', "
                "slopes = 'Normal(0, 2)' }, or { by = 'severity', prior = 'Normal(0, 2)' }."
            )
        strange = [name for name in LINE if name in self.model_fields_set]
        if strange:
            raise ValueError(f"{shown(strange[0])} is for a formula; leave it out beside by.")
        return ByGroup(self.by, self.prior)


@final
class Tau(Block):
    """The column whose groups have a tau each, beside an effect each.

    Attributes
    ----------
    by : str
    prior : Prior
        Of each group's tau.
    """

    by: str
    prior: PriorText

    def located(self) -> ByGroup:
        """The groups with their prior.

        Raises
        ------
        ValueError
            If the column has no name.
        """
        try:
            return ByGroup(self.by, self.prior)
        except BayesmetaError as error:
            raise ValueError(str(error)) from None


def _kind(value: object) -> str:
    return TABLE if isinstance(value, dict) else PRIOR


type Scale = Annotated[
    Annotated[PriorText, Tag(PRIOR)] | Annotated[Tau, AfterValidator(Tau.located), Tag(TABLE)],
    Discriminator(_kind),
]
type Expected = Annotated[
    Annotated[PriorText, Tag(PRIOR)] | Annotated[Mu, AfterValidator(Mu.located), Tag(TABLE)],
    Discriminator(_kind),
]
