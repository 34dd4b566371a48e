"""Priors of correlation matrices, and mixtures of two priors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

from ..errors import ModelError
from ..ways import shown
from .laws import Law, mixed
from .prior import Prior, spell
from .source import Source


@final
@dataclass(frozen=True, slots=True, repr=False)
class LKJ(Prior):
    """Prior of the correlation matrix of several outcomes, density as its determinant to eta - 1.

    For two outcomes (1 + rho)/2 is Beta(eta, eta). It is no prior of a single number otherwise, so
    it has no spelling in a file.

    Parameters
    ----------
    eta : float
        Positive: 1 makes all matrices alike, more prefers small correlations.

    References
    ----------
    Lewandowski D, Kurowicka D, Joe H (2009). J Multivar Anal 100:1989-2001.

    Examples
    --------
    >>> LKJ(2)
    LKJ(2)
    """

    eta: float

    def __post_init__(self) -> None:
        self._check("eta")

    @property
    def support(self) -> tuple[float, float]:
        """From -1 to 1, each correlation."""
        return -1.0, 1.0

    def _law(self) -> Law:
        raise ModelError(
            f"{shown(self)} is a prior of whole correlation matrices and has no interval of "
            "its own; "
            f"with two outcomes (1 + rho)/2 is Beta({self.eta:g}, {self.eta:g})."
        )


@final
@dataclass(frozen=True, slots=True, repr=False)
class Mixture(Prior):
    """Mixture of two priors, e.g. an informative one and a vague one that makes it robust.

    Parameters
    ----------
    weight : float
        Prior probability of the first, between 0 and 1.
    first, second : Prior
        Proper, and not mixtures themselves.

    Examples
    --------
    >>> from bayesmeta.priors import Normal
    >>> Mixture(0.8, Normal(-0.3, 0.2), Normal(0, 2))
    Mixture(0.8, Normal(-0.3, 0.2), Normal(0, 2))
    """

    weight: float
    first: Prior
    second: Prior

    def __post_init__(self) -> None:
        for name, part in (("first", self.first), ("second", self.second)):
            if not isinstance(part, Prior) or isinstance(part, Mixture | LKJ) or not part.proper:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ModelError(
                    f"Mixture: {name} must be a proper prior such as Normal(0, 2), and no "
                    f"Mixture itself, got {shown(part)}."
                )
        self._check_number("weight", positive=True)
        if not self.weight < 1:
            raise ModelError(f"Mixture: weight must lie between 0 and 1, got {shown(self.weight)}.")

    @property
    def parts(self) -> tuple[tuple[float, Prior], ...]:
        """The two weights and priors."""
        return (self.weight, self.first), (1 - self.weight, self.second)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where its two priors were published."""
        return (*self.first.sources, *self.second.sources)

    @property
    def by_hand(self) -> "Mixture":
        """The same mixture of priors without their sources."""
        return Mixture(self.weight, self.first.by_hand, self.second.by_hand)

    @property
    def numbers(self) -> Mapping[str, float]:
        """The weight and the parameters of both, e.g. ``weight``, ``first_mean``, ``first_sd``."""
        return {
            "weight": self.weight,
            **{f"first_{name}": value for name, value in self.first.numbers.items()},
            **{f"second_{name}": value for name, value in self.second.numbers.items()},
        }

    @property
    def support(self) -> tuple[float, float]:
        """The smallest interval that holds both supports."""
        (low, high), (other_low, other_high) = self.first.support, self.second.support
        return min(low, other_low), max(high, other_high)

    def _spelled(self, write: Callable[[float], str] | None = None) -> str:
        parts = [repr(one) if write is None else one._spelled(write) for _, one in self.parts]
        return f"Mixture({', '.join([(write or spell)(self.weight), *parts])})"

    def _law(self) -> Law:
        return mixed([(weight, part._law()) for weight, part in self.parts])
