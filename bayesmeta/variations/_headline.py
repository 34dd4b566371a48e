"""What every row of a scenario table is about: the overall effect, or one coefficient."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import final

import numpy as np

from ..effects import MEASURES, Measure
from ..errors import ModelError
from ..model import Location, Overall, Predictor
from ..moderators import asked
from ..posterior import Array, Marginal, Posterior
from ..summaries import scale_of
from ..ways import shown
from ._told import Told


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What the rows are about.

    Attributes
    ----------
    told : Told
        The scale of the table.
    scale : Measure
        Of the effects of the base case, of which coefficients are.
    of : str
        Which coefficient or difference; ``""`` of the overall effect.
    words : str
        The same in words, with its measure, on the analysis scale.
    called : str
        On the scale that people read.
    compares : bool
        Whether zero is no effect or no difference.
    asked : str, mapping or None
        How `of` was asked for.
    told_of : bool
        Whether any study of the base case tells of it.
    """

    told: Told
    scale: Measure
    of: str = ""
    words: str = ""
    called: str = ""
    compares: bool
    asked: str | Mapping[str, object] | None = None
    told_of: bool = True

    def marginal(self, posterior: Posterior) -> Marginal:
        """Its posterior in a fit.

        Raises
        ------
        ModelError
            If the fit has no such coefficient, or on another scale.
        """
        if not self.of:
            return posterior.at()
        other = scale_of(posterior)
        if other != self.scale:
            raise ModelError(
                f"{self.of} is of the {self.scale.analysis_called}, and there it is of the "
                f"{other.analysis_called}"
            )
        return asked(posterior, self.asked or self.of).marginal

    def new(self, posterior: Posterior) -> Marginal | None:
        """That of a new study; a slope or a difference has none."""
        if self.of:
            return None
        return posterior.at(new=posterior.model.between.new is not None)

    def ends(self, posterior: Posterior, ends: Array) -> Array:
        """Ends of it on the analysis scale of the table."""
        return ends if self.of else self.told.of(posterior, ends)

    def note(self, posterior: Posterior) -> str:
        """Of what the studies of this row say nothing."""
        return " ".join(posterior.model.location.untold(posterior.data))


@singledispatch
def headline(
    location: Location, posterior: Posterior, told: Told, of: str | Mapping[str, object] | None
) -> Headline:
    """Return what the rows of a fit are about.

    Raises
    ------
    ModelError
        If there is no one thing, or none of this name.
    """
    raise ModelError(f"No scenarios are told of the location {type(location).__name__}.")


@headline.register
def _(
    location: Overall, posterior: Posterior, told: Told, of: str | Mapping[str, object] | None
) -> Headline:
    if of is not None:
        raise ModelError(
            f"of={shown(of)} names a coefficient or a place; this model has one overall effect."
        )
    return Headline(told=told, scale=scale_of(posterior), compares=told.measure.comparative)


@headline.register
def _(
    location: Predictor, posterior: Posterior, told: Told, of: str | Mapping[str, object] | None
) -> Headline:
    one, scale = asked(posterior, of), scale_of(posterior)
    named = of if isinstance(of, str) else one.name
    name = f"{one.by}: {one.name}" if one.by else named
    difference = bool(one.by or one.per or name in location.differences(posterior.data))
    within = scale if scale.link == "log" or not difference else MEASURES["GEN"]
    log = within.link == "log"
    if one.per:
        words, called = (f"{scale.analysis_called} per {one.per}", f"factor on the {scale.called}")
        called = f"{called} per {one.per}" if log else words
    else:
        words = f"{scale.analysis_called}, {name}"
        kind = f"ratio of {scale.called}s" if difference else scale.called
        called = f"{kind}, {name}" if log or not difference else words
    compares = difference or scale.comparative
    own = Told(measure=within, unit=told.unit)
    return Headline(
        told=own,
        scale=scale,
        of=name,
        words=words,
        called=called,
        compares=compares,
        asked=of,
        told_of=one.told,
    )


def ends_of(marginal: Marginal | None, prob: float) -> Array:
    """Median and both ends; NaN of none."""
    if marginal is None:
        return np.full(3, np.nan)
    return marginal.quantile([0.5, (1 - prob) / 2, (1 + prob) / 2])
