"""One covariate as the columns that it becomes: a number, levels, splines or polynomials."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from ..arguments import as_text, number
from ..errors import ModelError
from ..studies import Covariate
from ..ways import shown
from ._formula import Factor

type Floats = NDArray[np.float64]

DEGREE = 3  # of the splines
NOT_KNOWN = ("na", "n/a", "nan", "<na>")  # in a column of words, in small letters; blank too


class Columns(Protocol):
    """What a covariate becomes: m columns, made of its values."""

    @property
    def variable(self) -> str:
        """The covariate."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        ...

    @property
    def mean(self) -> Floats:
        """Entries of the columns (m,) at the mean; of levels, each counted once."""
        ...

    @property
    def example(self) -> str:
        """A value, as a message writes it."""
        ...

    def at(self, value: object) -> Floats:
        """Entries of the columns (m,) at one value, as a person gives it."""
        ...

    def of(self, column: Covariate) -> Floats:
        """Columns of several studies, (k, m)."""
        ...


@final
@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A number as it is, less its centre and by its scale."""

    variable: str
    centre: float
    scale: float
    middle: float  # mean of the rows used, which is the centre where there is a constant

    @property
    def names(self) -> tuple[str, ...]:
        """The name of the covariate."""
        return (self.variable,)

    @property
    def mean(self) -> Floats:
        """Zero where it is centred."""
        return self.at(self.middle)

    @property
    def example(self) -> str:
        """The mean."""
        return f"{self.middle:.4g}"

    def at(self, value: object) -> Floats:
        """Centred and scaled."""
        return np.array([(_finite(value, self.variable) - self.centre) / self.scale])

    def of(self, column: Covariate) -> Floats:
        """Centred and scaled."""
        return (np.asarray(column, dtype=np.float64)[:, None] - self.centre) / self.scale


@final
@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """A factor: one column per level, or orthonormal differences from their mean."""

    variable: str
    levels: tuple[str, ...]
    coding: Floats  # (levels, m)

    @property
    def names(self) -> tuple[str, ...]:
        """The levels in brackets; differences are numbered, for they belong to no one level."""
        m = self.coding.shape[1]
        inside = self.levels if m == len(self.levels) else [f"contrast {i + 1}" for i in range(m)]
        return tuple(f"{self.variable}[{one}]" for one in inside)

    @property
    def mean(self) -> Floats:
        """Each level counted once, however many studies it has."""
        return self.coding.mean(axis=0)

    @property
    def example(self) -> str:
        """The first level."""
        return shown(self.levels[0])

    def at(self, value: object) -> Floats:
        """The row of one level."""
        name = level_name(value)
        if name not in self.levels:
            raise ModelError(
                f"{self.variable} has no level {shown(value)}; its levels are "
                f"{', '.join(map(shown, self.levels))}."
            )
        return self.coding[self.levels.index(name)]

    def of(self, column: Covariate) -> Floats:
        """The row of each study's level."""
        return self.coding[[self.levels.index(level_name(one)) for one in column]]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A number as splines or orthogonal polynomials, within the range of the studies.

    Splines are cubic B-splines with knots at quantiles (de Boor 1978), without the first, less
    their means where there is a constant. Polynomials are orthonormal over the rows used.
    """

    factor: Factor
    low: float
    high: float
    knots: Floats  # of splines
    turn: Floats  # from powers 1.. of the number on [-1, 1] to orthonormal polynomials, (m, m)
    shift: Floats  # (m,)
    middle: float  # mean of the rows used

    @property
    def variable(self) -> str:
        """The covariate."""
        return self.factor.variable

    @property
    def names(self) -> tuple[str, ...]:
        """The call, numbered."""
        return tuple(f"{self.factor}[{i + 1}]" for i in range(self.factor.number))

    @property
    def mean(self) -> Floats:
        """At the mean of the number."""
        return self.at(self.middle)

    @property
    def example(self) -> str:
        """The mean."""
        return f"{self.middle:.4g}"

    def at(self, value: object) -> Floats:
        """Its curve there, which no study says anything of outside their range."""
        x = _finite(value, self.factor.variable)
        if not self.low <= x <= self.high:
            raise ModelError(
                f"{self.factor.variable} = {x:g} lies outside the studies' range, {self.low:g} to "
                f"{self.high:g}, where {self.factor} says nothing; ask for a place within it."
            )
        return self.of(np.array([x]))[0]

    def of(self, column: Covariate) -> Floats:
        """The basis of each study, shifted."""
        return self._raw(np.asarray(column, dtype=np.float64)) - self.shift

    def _raw(self, x: Floats) -> Floats:
        if self.factor.function == "poly":
            return powers(x, self.low, self.high, self.factor.number) @ self.turn
        from scipy.interpolate import BSpline

        return BSpline.design_matrix(x, self.knots, DEGREE).toarray()[:, 1:]


def contrasts(levels: int) -> Floats:
    """Orthonormal columns that sum to zero: differences of levels from their mean.

    Under independent normal priors of one SD s for the columns every level has the prior variance
    ``s² (levels - 1) / levels`` and no level is a reference (Rouder et al. 2012, Journal of
    Mathematical Psychology 56:356, equation 7; RoBMA 4 does likewise).

    Parameters
    ----------
    levels : int
        At least 2.

    Returns
    -------
    ndarray, shape (levels, levels - 1)
        Column j has level j + 1 against the mean of those before it.
    """
    table = np.zeros((levels, levels - 1))
    for j in range(1, levels):
        table[:j, j - 1] = -1
        table[j, j - 1] = j
    return table / np.linalg.norm(table, axis=0)


def level_name(value: object) -> str:
    """A level as it is written: numbers without needless digits."""
    found = np.asarray(value)
    return (
        f"{found.item():.15g}"
        if found.dtype.kind in "fiu" and not found.ndim
        else as_text(value).strip()
    )


def is_known(column: Covariate) -> NDArray[np.bool_]:
    """Which studies say anything in this column."""
    if is_number(column):
        return np.isfinite(np.asarray(column, dtype=np.float64))
    return np.array([one.casefold() not in ("", *NOT_KNOWN) for one in map(str, column)], bool)


def is_number(column: Covariate) -> bool:
    """Whether a column holds numbers, not words."""
    return np.asarray(column).dtype.kind in "fiu"


def is_levels(factor: Factor, column: Covariate) -> bool:
    """Whether a covariate enters as a factor: words, or ``C(x)``."""
    return factor.function == "C" or not (factor.function or is_number(column))


def columns_of(
    factor: Factor,
    column: Covariate,
    *,
    whole: bool,
    centred: bool,
    scaled: bool,
    apart: bool = True,
) -> Columns:
    """Make the columns of one covariate over the rows used.

    Parameters
    ----------
    factor : Factor
    column : array of float, or tuple of str
        Rows used, none of them missing.
    whole : bool
        Of levels: one column each, not differences from their mean.
    centred, scaled : bool
        Of numbers: less the mean; by the SD.
    apart : bool
        Refuse a column that does not vary; else a number is one of zeros, and a factor of one level
        has that, or no differences.

    Raises
    ------
    ModelError
        If the column does not vary and must, or holds words where numbers are needed.
    """
    distinct = sorted(set(np.asarray(column).tolist()))
    alike = len(distinct) < 2
    if alike and apart:
        raise ModelError(
            f"{shown(factor.variable)} is {level_name(distinct[0])} in all studies used, so that "
            "nothing can be learnt from it; leave it out of the formula."
        )
    if is_levels(factor, column):
        count = len(distinct)
        coding = np.eye(count) if whole else contrasts(count)
        return Levels(factor.variable, tuple(map(level_name, distinct)), coding)
    if not is_number(column):
        raise ModelError(
            f"{shown(factor.variable)} holds words, of which {factor} cannot be made; write "
            f"{Factor(factor.variable)} for a mean per level."
        )
    x = np.asarray(column, dtype=np.float64)
    if factor.function:
        return _curve(factor, x, distinct, centred=centred)
    if alike and scaled:
        raise ModelError(
            f"{shown(factor.variable)} is {level_name(distinct[0])} in all studies used and has no "
            "standard deviation to be divided by; leave scale out, or the covariate."
        )
    middle = float(x[0] if alike else x.mean())  # a mean of the same may be off by rounding
    centre, scale = middle if centred else 0.0, float(x.std(ddof=1)) if scaled else 1.0
    return Line(factor.variable, centre, scale, middle)


def _curve(factor: Factor, x: Floats, distinct: Sequence[float], *, centred: bool) -> Curve:
    number, low, high = factor.number, float(distinct[0]), float(distinct[-1])
    if len(distinct) <= number:
        many = f"{len(distinct)} values" if len(distinct) > 1 else "one value"
        fewer = f"a number below {len(distinct)}, or " if len(distinct) > 1 else ""
        raise ModelError(
            f"{shown(factor.variable)} has {many}, too few for {factor}; take "
            f"{fewer}{Factor(factor.variable)} as it is."
        )
    inner = np.quantile(x, np.linspace(0, 1, number - DEGREE + 2)[1:-1]) if number > DEGREE else []
    ends = DEGREE + 1
    knots = np.concatenate([np.full(ends, low), inner, np.full(ends, high)])
    turn, shift = np.eye(number), np.zeros(number)
    if factor.function == "poly":
        table = np.column_stack([np.ones(len(x)), powers(x, low, high, number)])
        triangle = np.linalg.qr(table, mode="r")
        signed = triangle * np.sign(np.diag(triangle))[:, None]
        inverse = np.linalg.inv(signed)
        turn, shift = inverse[1:, 1:], -inverse[0, 1:]
    plain = Curve(factor, low, high, knots, turn, shift, float(x.mean()))
    if factor.function == "poly" or not centred:
        return plain
    return Curve(factor, low, high, knots, turn, plain.of(x).mean(axis=0), float(x.mean()))


def powers(x: Floats, low: float, high: float, degree: int) -> Floats:
    """Powers 1 to `degree` of a number brought to [-1, 1], (k, degree)."""
    inside = (2 * x - low - high) / (high - low)
    return inside[:, None] ** np.arange(1, degree + 1)


def _finite(value: object, name: str) -> float:
    found = number(value, name)
    if not np.isfinite(found):
        raise ModelError(f"{name} must be a finite number, got {shown(value)}.")
    return found
