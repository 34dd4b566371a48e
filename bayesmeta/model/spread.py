"""The third part of a model: how effects lie about where they are expected, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..priors import Prior
from ..studies import Table
from ..ways import shown, way
from ._priors import check_tau
from .location import Location
from .predictor import DESIGN, ByGroup, Coefficients, Predictor

type Array = NDArray[np.float64]


class Spread:
    """Base of all spreads. Subclasses are final, frozen values.

    Attributes
    ----------
    shares : bool
        Whether more than mu and tau is unknown of all studies together.
    in_words : str
        What the priors alone do not say.
    """

    __slots__ = ()

    @property
    def shares(self) -> bool:
        """Whether more than mu and tau is unknown of all studies together."""
        return False

    @property
    def new(self) -> str | None:
        """Name of the effect in a new study, where it is another than the expected one."""
        return "theta_new"

    @property
    def in_words(self) -> str:
        """What the priors alone do not say."""
        return ""

    @property
    def within(self) -> "Spread":
        """That of studies which are expected at one place."""
        return self

    def entries(self, location: Location, data: Table) -> tuple[str, ...]:
        """Names of the entries of tau, where there are several and the data name them."""
        return ()

    def scales(self, location: Location, data: Table, draws: Mapping[str, Array]) -> Array:
        """The tau of each study, (..., k), or (..., 1) for all of them.

        Parameters
        ----------
        location : Location
            Of the same model.
        data : Table
        draws : mapping of str to ndarray, (...) or (..., g)
            Of ``tau``.
        """
        return draws["tau"][..., None]


@final
@dataclass(frozen=True, slots=True)
class NoSpread(Spread):
    """None: one effect for all studies."""

    @property
    def new(self) -> None:
        """None: a new study has the same effect."""
        return


class Scatter(Spread):
    """Base of the spreads that one scale, tau, describes: normal, or Student-t.

    Attributes
    ----------
    tau : Prior
        Of the standard deviation, or of the scale.
    df : float, Prior or None
        Degrees of freedom, where effects are Student-t.
    """

    __slots__ = ()
    tau: Prior
    df: float | Prior | None


@final
@dataclass(frozen=True, slots=True)
class NormalSpread(Scatter):
    """Normal, with the prior of its standard deviation tau."""

    tau: Prior
    df: ClassVar[None] = None  # pyright: ignore[reportIncompatibleVariableOverride]


@final
@dataclass(frozen=True, slots=True)
class StudentTSpread(Scatter):
    """Student-t with scale tau, and degrees of freedom that are known or have a prior."""

    tau: Prior
    df: float | Prior  # pyright: ignore[reportIncompatibleVariableOverride]

    @property
    def shares(self) -> bool:
        """Whether the degrees of freedom are unknown."""
        return isinstance(self.df, Prior)

    @property
    def in_words(self) -> str:
        """The distribution of the effects."""
        known = "unknown" if isinstance(self.df, Prior) else f"{self.df:g}"
        return f"study effects Student-t with {known} degrees of freedom"


@final
@dataclass(frozen=True, slots=True)
class SpreadByGroup(Spread):
    """Normal or Student-t, with a scale of its own in each of the groups that effects have."""

    tau: ByGroup
    df: float | Prior | None

    @property
    def within(self) -> Scatter:
        """That of one group."""
        prior = self.tau.prior
        return NormalSpread(prior) if self.df is None else StudentTSpread(prior, self.df)

    @property
    def in_words(self) -> str:
        """What the priors alone do not say."""
        return "; ".join(filter(None, (f"tau for each {self.tau.by}", self.within.in_words)))

    def check(self, mu: Prior | Location) -> None:
        """Refuse other groups than those of the effects.

        Raises
        ------
        ModelError
        """
        if isinstance(mu, Coefficients):
            return
        terms = mu.terms if isinstance(mu, Predictor) else None
        if terms != self.tau.terms:
            raise ModelError(
                f"A tau for each {shown(self.tau.by)} goes with an effect for each: "
                f"{way('groups', self.tau.by)}, say; or give one prior of tau for all."
            )

    def entries(self, location: Location, data: Table) -> tuple[str, ...]:
        """Names of the groups."""
        assert isinstance(location, Predictor)
        return location.design(data).levels[self.tau.terms.variables[0]]

    def scales(self, location: Location, data: Table, draws: Mapping[str, Array]) -> Array:
        """The tau of each study's group, (..., k)."""
        return draws["tau"] @ location.columns(data)[DESIGN]


@final
@dataclass(frozen=True, slots=True)
class OutlierSpread(Spread):
    """Normal, and for a share of studies wider: SD √(tau² + spread²)."""

    tau: Prior
    share: Prior
    spread: Prior

    @property
    def shares(self) -> bool:
        """Always: share and spread."""
        return True

    @property
    def in_words(self) -> str:
        """The distribution of the effects."""
        return "study effects of which a share, the outliers, have the wider SD √(tau² + spread²)"


@final
@dataclass(frozen=True, slots=True)
class CorrelatedSpread(Spread):
    """Of several outcomes: a standard deviation each, and their correlation."""

    tau: Prior | Mapping[str, Prior]
    rho: Prior

    @property
    def shares(self) -> bool:
        """Always: the correlation."""
        return True


def check_spread(tau: object) -> None:
    """Refuse what is neither a prior of a standard deviation nor one for each group.

    Raises
    ------
    ModelError
    """
    check_tau(tau.prior if isinstance(tau, ByGroup) else tau)
