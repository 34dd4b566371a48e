"""Marginal posteriors: mean, quantiles, density and probability of one number."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import floats, is_among
from ..errors import ModelError
from ..studies import check_prob
from ..ways import shown
from .peak import highest

type Array = NDArray[np.float64]
type Kind = Literal["central", "shortest"]
type Later = Callable[[], "Marginal | Marginals"]


class Linear(Protocol):
    """What makes the posterior of a combination of coefficients."""

    def __call__(self, row: Array, *, new: bool = False) -> "Marginal":
        """Return it; `row` is (p,); with `new` that of a new study's effect there."""
        ...


PLACES = (np.arange(257) + 0.5) / 257  # probabilities at whose quantiles a mode is looked for


class Marginal(ABC):
    """The posterior of one number, exact or drawn.

    A moment that does not exist is NaN; quantiles always exist.
    """

    __slots__ = ()

    @abstractmethod
    def mean(self) -> float:
        """Return the posterior mean, NaN where it does not exist."""

    @abstractmethod
    def sd(self) -> float:
        """Return the posterior standard deviation, NaN where it does not exist."""

    def mode(self) -> float:
        """Return the place of the highest density, on the analysis scale.

        Of a density with a pole, or that falls from an end of its support, that end. Of draws the
        peak of `pdf`, a Gaussian kernel estimate: its Monte Carlo error is many times that of the
        median.
        """
        return highest(self._pdf, self._places())

    @abstractmethod
    def _quantile(self, q: Array) -> Array:
        """Return quantiles; `q` has shape (n,) and lies within (0, 1)."""

    @abstractmethod
    def _cdf(self, x: Array) -> Array:
        """Return P(value <= x) for `x` of shape (n,)."""

    @abstractmethod
    def _pdf(self, x: Array) -> Array:
        """Return the density at `x` of shape (n,)."""

    @overload
    def quantile(self, q: float) -> float: ...
    @overload
    def quantile(self, q: Sequence[float] | Array) -> Array: ...
    def quantile(self, q: ArrayLike) -> float | Array:
        """Return quantiles.

        Parameters
        ----------
        q : float or array_like
            Probabilities strictly between 0 and 1.

        Raises
        ------
        ModelError
            If a probability is outside (0, 1).
        """
        values = floats(q, "q")
        if not ((values > 0) & (values < 1)).all():
            raise ModelError(f"A quantile needs probabilities between 0 and 1, got {shown(q)}.")
        return _like(values, self._quantile(values.ravel()))

    @overload
    def cdf(self, x: float) -> float: ...
    @overload
    def cdf(self, x: Sequence[float] | Array) -> Array: ...
    def cdf(self, x: ArrayLike) -> float | Array:
        """Return the posterior probability of a value at or below `x`."""
        values = floats(x, "x")
        return _like(values, self._cdf(values.ravel()))

    @overload
    def pdf(self, x: float) -> float: ...
    @overload
    def pdf(self, x: Sequence[float] | Array) -> Array: ...
    def pdf(self, x: ArrayLike) -> float | Array:
        """Return the posterior density at `x`."""
        values = floats(x, "x")
        return _like(values, self._pdf(values.ravel()))

    def _places(self) -> Array:
        """Places between whose neighbours the density has one peak, with the ends of its support.

        (n,); quantiles, where nothing better is known.
        """
        return np.append(self._quantile(PLACES), self._lower_end())

    def interval(self, prob: float = 0.95, *, kind: Kind = "central") -> tuple[float, float]:
        """Return a credible interval.

        Parameters
        ----------
        prob : float
            Its posterior probability.
        kind : {"central", "shortest"}
            Equal tails, or the shortest interval that holds `prob` (R bayesmeta's default), which
            is the region of highest density where the density has one peak. It is shortest on the
            analysis scale alone.
        """
        check_prob(prob)
        if not is_among(kind, ("central", "shortest")):
            raise ModelError(f"kind is 'central' or 'shortest', not {shown(kind)}.")
        if kind == "central":
            lower, upper = self._quantile(np.array([(1 - prob) / 2, (1 + prob) / 2]))
            return float(lower), float(upper)
        return self._shortest(prob)

    def _shortest(self, prob: float) -> tuple[float, float]:
        """Let the lower tail run over [0, 1 - prob] until the width is least."""
        from scipy.optimize import brentq

        tail = (1 - prob) * np.concatenate(([1e-9], np.linspace(0, 1, 65)[1:-1], [1 - 1e-9]))
        width = self._quantile(tail + prob) - self._quantile(tail)
        best = int(np.argmin(width))

        def slope(p: float) -> float:
            lower, upper = self._pdf(self._quantile(np.array([p, p + prob])))
            return float(lower - upper)

        low, high = tail[max(best - 1, 0)], tail[min(best + 1, len(tail) - 1)]
        inside = slope(low) < 0 < slope(high)
        p = brentq(slope, low, high, xtol=1e-13) if inside else tail[best]
        if p <= tail[0]:
            return self._lower_end(), float(self._quantile(np.array([prob]))[0])
        lower, upper = self._quantile(np.array([p, p + prob]))  # pyright: ignore[reportOperatorIssue]
        return float(lower), float(upper)

    def _lower_end(self) -> float:
        return float(self._quantile(np.array([1e-9]))[0])


@final
@dataclass(frozen=True, slots=True)
class Marginals:
    """Marginal posteriors of a vector, one per study; methods give arrays of shape (k,).

    Of several outcomes one per outcome, pair of outcomes, or study and outcome: `of` says which,
    and `study` holds their names.
    """

    study: tuple[str, ...]
    each: tuple[Marginal, ...]
    of: str = "study"

    def __getitem__(self, study: str | int) -> Marginal:
        if isinstance(study, str) and study in self.study:
            return self.each[self.study.index(study)]
        if isinstance(study, int | np.integer) and not isinstance(study, bool):
            number = int(study)
            if -len(self.each) <= number < len(self.each):
                return self.each[number]
        article = "an" if self.of.startswith("o") else "a"
        names = ", ".join(self.study)
        raise ModelError(f"{shown(study)} is not {article} {self.of} of this fit: {names}.")

    def __len__(self) -> int:
        return len(self.each)

    def mean(self) -> Array:
        """Return posterior means, shape (k,)."""
        return np.array([marginal.mean() for marginal in self.each])

    def sd(self) -> Array:
        """Return posterior standard deviations, shape (k,)."""
        return np.array([marginal.sd() for marginal in self.each])

    def mode(self) -> Array:
        """Return the places of the highest densities, shape (k,)."""
        return np.array([marginal.mode() for marginal in self.each])

    def quantile(self, q: float | Sequence[float]) -> Array:
        """Return quantiles, shape (k,) or (k, len(q))."""
        return np.array([marginal.quantile(q) for marginal in self.each])

    def cdf(self, x: float) -> Array:
        """Return the probabilities of values at or below `x`, shape (k,)."""
        return np.array([marginal.cdf(x) for marginal in self.each])

    def interval(self, prob: float = 0.95, *, kind: Kind = "central") -> Array:
        """Return intervals, shape (k, 2)."""
        return np.array([marginal.interval(prob, kind=kind) for marginal in self.each])


@final
class Deferred(Mapping[str, "Marginal | Marginals"]):
    """Marginal posteriors by name; those given as functions are computed when first asked for.

    Parameters
    ----------
    known : mapping of str to Marginal, Marginals or callable
        A callable takes nothing and returns one of the two.
    """

    __slots__ = ("_known",)

    def __init__(self, known: Mapping[str, "Marginal | Marginals | Later"]) -> None:
        self._known = dict(known)

    def __getitem__(self, name: str) -> "Marginal | Marginals":
        value = self._known[name]
        if callable(value):
            value = self._known[name] = value()
        return value

    def computed(self) -> Mapping[str, "Marginal | Marginals"]:
        """Return those that are there already, without computing any."""
        return {name: value for name, value in self._known.items() if not callable(value)}

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"Deferred({', '.join(self._known)})"


def _like(shaped: Array, values: Array) -> float | Array:
    return float(values[0]) if shaped.ndim == 0 else values.reshape(shaped.shape)
