"""The third part of a model: how effects lie about where they are expected, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

from ..priors import Prior


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
