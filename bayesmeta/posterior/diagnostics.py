"""Where an engine summed, and every numerical check of a fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ._figures import beside
from .marginals import Array


@final
@dataclass(frozen=True, slots=True)
class Nodes:
    """Values of the parameters that all studies share, and their posterior probabilities.

    Attributes
    ----------
    values : mapping of str to ndarray, each (n,); coefficients (n, p)
    mass : ndarray, shape (n,)
        Sums to 1.
    edge : ndarray of bool, shape (n,), or None
        Nodes beyond which nothing was summed; None where the grid itself shows them.
    """

    values: Mapping[str, Array]
    mass: Array
    edge: NDArray[np.bool_] | None = None

    @classmethod
    def on_grid(cls, axes: Mapping[str, Array], mass: Array) -> "Nodes":
        """Lay out the nodes of a product of axes, of which the last runs fastest.

        Parameters
        ----------
        axes : mapping of str to ndarray, each (m,)
        mass : ndarray, in their order
        """
        each = np.meshgrid(*axes.values(), indexing="ij")
        return cls(dict(zip(axes, (one.ravel() for one in each), strict=True)), mass.ravel())


@final
@dataclass(frozen=True, slots=True)
class Check:
    """One numerical check of a fit: what was measured, and the limit it must keep.

    Attributes
    ----------
    name : str
        E.g. ``"R-hat"``.
    where : str
        The parameter with the worst value.
    value, limit : float
    at_most : bool
        Whether `limit` is an upper limit; else a lower one.
    """

    name: str
    where: str
    value: float
    limit: float
    at_most: bool

    @property
    def passed(self) -> bool:
        """Whether the value keeps the limit; NaN does not."""
        return bool(self.value <= self.limit if self.at_most else self.value >= self.limit)

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        at = f" ({self.where})" if self.where else ""
        value = beside(self.value, self.limit)
        return f"{self.name}{at} {value}, must be {sign} {self.limit:g}"


@final
@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Every numerical check of one fit.

    Attributes
    ----------
    first : tuple of Check
        Of the fit itself.
    attempts : int
        1, or 2 if the first attempt failed a check and a stricter one was made.
    later : callable or None
        ``()`` to checks of what is computed when it is asked for, such as study effects.
    new : callable or None
        ``()`` to that of the effect in a new study, likewise, where it can be had without them.
    """

    first: tuple[Check, ...]
    attempts: int = 1
    later: Callable[[], tuple[Check, ...]] | None = None
    new: Callable[[], Check] | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of them: a gate covers every number that the fit hands out."""
        of_new = (self.new(),) if self.new else ()
        return self.first + of_new + (self.later() if self.later else ())

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def passed_first(self) -> bool:
        """Whether those of the fit itself passed: enough for what mu and tau alone give."""
        return all(check.passed for check in self.first)

    @property
    def passed_new(self) -> bool:
        """Whether those of mu, tau and the effect in a new study passed."""
        return self.passed_first and self.new().passed if self.new else self.passed

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)
