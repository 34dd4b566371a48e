"""What all priors are."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from numbers import Real
from typing import ClassVar, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import floats
from ..errors import ModelError
from ..studies import check_prob
from ..ways import shown
from .laws import Law
from .source import Source

type Array = NDArray[np.float64]
LARGEST = 1e150


class Prior:
    """Base of all priors. Subclasses are final.

    One out of the library knows where it was published: see `source`.
    """

    __slots__ = ("_source",)
    positive_only: ClassVar[bool] = False
    proper: ClassVar[bool] = True  # whether the density has a finite integral

    @property
    def numbers(self) -> Mapping[str, float]:
        """The parameters by name, in the order of the signature."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # pyright: ignore[reportArgumentType]

    @property
    def source(self) -> Source | None:
        """Where the prior was published, and what for; None for one written by hand.

        Two priors with the same numbers are equal, wherever they come from; one with other numbers,
        as ``dataclasses.replace`` makes it, has no source.
        """
        return getattr(self, "_source", None)

    @property
    def parts(self) -> tuple[tuple[float, "Prior"], ...]:
        """Weights and priors that it is a mixture of: itself, unless it is a `Mixture`."""
        return ((1.0, self),)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where it, or what it is a mixture of, was published; none where all is by hand."""
        return () if self.source is None else (self.source,)

    @property
    def by_hand(self) -> Self:
        """The same prior without its source: it is spelled by its numbers."""
        return type(self)(*self._values())

    @property
    def in_full(self) -> str:
        """Its spelling, and where that is a key of the library the numbers too."""
        plain = repr(self.by_hand)
        return f"{self!r} = {plain}" if self.sources else plain

    @property
    def rounded(self) -> str:
        """Its numbers to four significant digits, as people read them, whatever its spelling.

        Examples
        --------
        >>> from bayesmeta.priors import HalfNormal
        >>> HalfNormal(0.1 + 0.2).rounded
        'HalfNormal(0.3)'
        """
        return self.by_hand._spelled(lambda number: f"{number:.4g}")

    def published_as(self, source: Source) -> Self:
        """Return the same prior with its source, as the library does."""
        found = self.by_hand
        object.__setattr__(found, "_source", source)
        return found

    @property
    def support(self) -> tuple[float, float]:
        """The interval outside which the density is zero."""
        return (0.0, math.inf) if self.positive_only else (-math.inf, math.inf)

    @overload
    def quantile(self, q: float) -> float: ...
    @overload
    def quantile(self, q: Sequence[float] | Array) -> Array: ...
    def quantile(self, q: ArrayLike) -> float | Array:
        """Return quantiles, on the prior's own scale.

        Parameters
        ----------
        q : float or array_like
            Probabilities strictly between 0 and 1.

        Raises
        ------
        ModelError
            If a probability is outside (0, 1), the prior is improper, or of more than one number.

        Examples
        --------
        >>> from bayesmeta.priors import HalfNormal
        >>> round(HalfNormal(0.5).quantile(0.95), 2)
        0.98
        """
        values, law = floats(q, "q"), self._law()
        if not ((values > 0) & (values < 1)).all():
            raise ModelError(
                f"A quantile needs probabilities strictly between 0 and 1, got {shown(q)}."
            )
        return _each(law.ppf, values)

    @overload
    def cdf(self, x: float) -> float: ...
    @overload
    def cdf(self, x: Sequence[float] | Array) -> Array: ...
    def cdf(self, x: ArrayLike) -> float | Array:
        """Return the prior probability of a value at or below `x`.

        Raises
        ------
        ModelError
            If the prior is improper, or of more than one number.
        """
        return _each(self._law().cdf, floats(x, "x"))

    def interval(self, prob: float = 0.95) -> tuple[float, float]:
        """Return the central interval, on the prior's own scale.

        Parameters
        ----------
        prob : float
            Its prior probability.

        Raises
        ------
        ModelError
            If the prior is improper, or of more than one number.

        Examples
        --------
        >>> from bayesmeta.priors import Uniform
        >>> Uniform(0, 4).interval(0.5)
        (1.0, 3.0)
        """
        check_prob(prob)
        law = self._law()
        return float(law.ppf((1 - prob) / 2)), float(law.ppf((1 + prob) / 2))

    def _law(self) -> Law:
        raise ModelError(f"{shown(self)} is improper: it has no quantiles and no probabilities.")

    def __repr__(self) -> str:
        return self._spelled() if self.source is None else self.source.spelling

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (type(self), self._values(), self.source)

    def _spelled(self, write: Callable[[float], str] | None = None) -> str:
        """Its call, its numbers as `write` has them; exactly where that is not given."""
        return f"{type(self).__name__}({', '.join(map(write or spell, self.numbers.values()))})"

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))  # pyright: ignore[reportArgumentType]

    def _check(self, *positive: str) -> None:
        """Make the numbers floats; refuse what is not finite or not positive."""
        for name in self.numbers:
            self._check_number(name, positive=name in positive)

    def _check_number(self, name: str, *, positive: bool) -> None:
        family, value = type(self).__name__, getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Real):
            raise ModelError(f"{family}: {name} must be a number, got {shown(value)}.")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ModelError(f"{family}: {name} must be finite, got {shown(value)}.")
        if positive and not number > 0:
            raise ModelError(f"{family}: {name} must be positive, got {shown(value)}.")
        if positive and not 1 / LARGEST <= number <= LARGEST:
            raise ModelError(
                f"{family}: {name} is {shown(value)}, whose square no computer holds; change the "
                "unit, or leave it between 1e-150 and 1e150."
            )
        object.__setattr__(self, name, number)


def _restored(
    family: Callable[..., Prior], values: tuple[object, ...], source: Source | None
) -> Prior:
    """A prior out of its parts, as copies and other processes get it."""
    prior = family(*values)
    return prior if source is None else prior.published_as(source)


def spell(number: float) -> str:
    """Write a number as a person would: whole ones without a point."""
    return repr(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def _each(of: Callable[[float], float], values: Array) -> float | Array:
    found = np.array([float(of(float(value))) for value in values.flat])
    return float(found[0]) if values.ndim == 0 else found.reshape(values.shape)
