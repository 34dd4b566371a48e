"""The parts of an outcome: scenarios, and published figures."""

from typing import Annotated, Self, final

from pydantic import model_validator

from ..effects import MEASURES, effect_sizes
from ..errors import BayesmetaError
from ..studies import Published
from ..ways import shown
from ._block import AnyCase, Block, Count, Figure, Names, PriorText, Title


@final
class Scenario(Block):
    """Which rows of the table an analysis uses.

    Attributes
    ----------
    name : str
    variant : str
        The reading of each study to use.
    replace : mapping of str to str
        Studies that use another reading instead.
    only : list of str
        If given, the studies to keep.
    where : mapping of str to str or list of str
        If given, values that a column must have.
    drop : mapping of str to str
        Studies to leave out, and why.
    note : str
        What the scenario is for.
    """

    name: Title
    variant: str = "main"
    replace: dict[str, str] = {}
    only: Names = []
    where: dict[str, Names] = {}
    drop: dict[str, str] = {}
    note: str = ""


@final
class PublishedFigure(Block):
    """A published estimate, and what to do with it.

    Attributes
    ----------
    label : str
    figures
        As in :class:`Published`.
    compare_with : str
        The scenario it stands beside; the first one if empty; ``"none"`` for no comparison.
    alone : bool
        Whether to analyse it by itself, as the one study of a common-effect model.
    prior : Prior or None
        Of mu for that; the unit-information prior, its SD rounded to four significant digits, if
        `n` is given and no prior is.
    why : str
        Reason for the prior.
    """

    label: Title
    measure: Annotated[str, AnyCase] = ""
    estimate: Figure = ""
    lower: Figure = ""
    upper: Figure = ""
    prob: float = 0.95
    p: Figure = ""
    p_heterogeneity: Figure = ""
    i2: Figure = ""
    k: Count | None = None
    n: Count | None = None
    method: str = ""
    verdict: str = ""
    citation: str = ""
    compare_with: str = ""
    alone: bool = False
    prior: PriorText | None = None
    why: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            figure = self.published
        except BayesmetaError as error:
            raise ValueError(str(error)) from None
        if self.measure and self.measure not in MEASURES:
            raise ValueError(f"measure {shown(self.measure)} is not one of {', '.join(MEASURES)}.")
        if self.alone and not (figure.has_interval and self.measure):
            raise ValueError("alone = true needs measure, estimate, lower and upper.")
        if self.alone and self.prior is None and self.n is None:
            raise ValueError("alone = true needs a prior, or n for a unit-information prior.")
        if self.alone:
            self.check_usable()
        return self

    @property
    def published(self) -> Published:
        """The figures as a value."""
        return Published(**{name: getattr(self, name) for name in Published.__dataclass_fields__})

    def check_usable(self) -> None:
        """Refuse a figure that has no standard error to match."""
        try:
            effect_sizes(self.published)
        except BayesmetaError as error:
            raise ValueError(f"published {shown(self.label)}: {error}") from None
