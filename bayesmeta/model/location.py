"""The second part of a model: where the studies' effects are expected, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..priors import Prior
from ..studies import Table
from ._priors import check_mu

type Array = NDArray[np.float64]


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

    @property
    def variables(self) -> tuple[str, ...]:
        """Covariates that it reads; one overall effect needs none."""
        return ()

    @property
    def spelled(self) -> Mapping[str, object]:
        """The arguments of a model that say it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # pyright: ignore[reportArgumentType]

    @property
    def overall(self) -> Prior:
        """Prior of the one effect that all studies are expected to have.

        Raises
        ------
        ModelError
            If they are expected to have several.
        """
        raise ModelError("Several effects have no common prior.")

    @property
    def priors(self) -> Mapping[str, Prior]:
        """Priors by what people call them."""
        raise NotImplementedError

    def check(self) -> None:
        """Refuse priors that are none of effects.

        Raises
        ------
        ModelError
        """

    @property
    def in_words(self) -> str:
        """What the priors alone do not say: the covariates, if there are any."""
        return ""

    @property
    def has_slopes(self) -> bool:
        """Whether some of its priors are of slopes: else all are of effects."""
        return False

    def numbered(self, data: Table) -> "Location":
        """Return it as a program is made of it: what data give names to has numbers."""
        return self

    def entries(self, data: Table) -> tuple[str, ...]:
        """Names of the entries of the vector, where it is one and the data name them."""
        return ()

    def differences(self, data: Table) -> tuple[str, ...]:
        """Names of the entries that are no effects but differences of effects."""
        return ()

    def untold(self, data: Table) -> tuple[str, ...]:
        """Sentences on what of it these data say nothing of."""
        return ()

    def check_told(self, data: Table) -> None:
        """Refuse flat priors of what these data do not tell by themselves.

        Raises
        ------
        ModelError
        """

    def columns(self, data: Table) -> Mapping[str, Array]:
        """What programs need of the data beside the numbers: (p, k) each."""
        return {}

    def expected(self, data: Table, draws: Mapping[str, Array]) -> Array:
        """Where the studies' effects are expected, (..., k), or (..., 1) for all of them.

        Parameters
        ----------
        data : Table
        draws : mapping of str to ndarray, (...) or (..., p)
            Of the parameter that is called ``name``.
        """
        return draws[self.name][..., None]

    def kept(self, data: Table) -> "Location":
        """Return it as these data make it, whatever studies it is then asked about."""
        return self

    def complete(self, data: Table) -> Table:
        """Return the studies of which it says where their effects are expected.

        Raises
        ------
        ModelError
            If the data do not have what it asks for.
        """
        return data

    def row(self, data: Table, where: Mapping[str, object]) -> Array | None:
        """What coefficients are multiplied by at a place, (p,); None where there are none.

        Raises
        ------
        ModelError
            If a place is not told in full, or is none of those that the data tell apart.
        """
        return None

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

    @property
    def overall(self) -> Prior:
        """That of mu."""
        return self.mu

    @property
    def priors(self) -> Mapping[str, Prior]:
        """That of mu."""
        return {"mu": self.mu}

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


def located(mu: Prior | Location) -> Location:
    """The location that the field ``mu`` of a model says."""
    return mu if isinstance(mu, Location) else Overall(mu)


def check_location(mu: object) -> None:
    """Refuse what is neither a prior of one effect nor a location of several.

    Raises
    ------
    ModelError
    """
    if isinstance(mu, Location):
        mu.check()
    else:
        check_mu(mu)
