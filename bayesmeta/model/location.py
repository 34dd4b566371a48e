"""The second part of a model: where the studies' effects are expected, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from ..errors import ModelError
from ..priors import Prior


class Location:
    """Base of all locations. Subclasses are final, frozen values.

    Attributes
    ----------
    name : str
        Name of the parameter that is the expected effect.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """Name of the parameter that is the expected effect, or the vector of them."""
        raise NotImplementedError

    def entry(self, where: Mapping[str, object]) -> str | None:
        """Which entry of that vector the effect at a place is; None where it is no vector.

        Raises
        ------
        ModelError
            If the location has no such place.
        """
        raise NotImplementedError


@final
@dataclass(frozen=True, slots=True)
class Overall(Location):
    """One expected effect for all studies, with its prior."""

    mu: Prior

    @property
    def name(self) -> str:
        """``"mu"``."""
        return "mu"

    def entry(self, where: Mapping[str, object]) -> None:
        """None: it is the same everywhere."""
        if where:
            raise ModelError(
                f"The model has one overall effect and no {', '.join(where)}; leave it out of at()."
            )


@final
@dataclass(frozen=True, slots=True)
class EachOutcome(Location):
    """An expected effect for each of several outcomes: one prior for all, or by outcome."""

    mu: Prior | Mapping[str, Prior]

    @property
    def name(self) -> str:
        """``"mu"``."""
        return "mu"

    def entry(self, where: Mapping[str, object]) -> str:
        """The outcome that is named."""
        if set(where) != {"outcome"}:
            raise ModelError('Effects of several outcomes are asked for by name: at(outcome="PD").')
        return str(where["outcome"])
