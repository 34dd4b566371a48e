"""Prior distributions, as data.

A prior knows its numbers and nothing of PyMC or JAX; engines read it through
``functools.singledispatch``. There is one spelling everywhere: ``HalfNormal(0.5)`` is Python, the
``repr``, the TOML value, the command-line argument and the line in the report.
"""

# values come from files and callers without types: the checks are needed:
# pyright: reportUnnecessaryIsInstance=false

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import singledispatch
from numbers import Real
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError

type Array = NDArray[np.float64]

LOG_2PI = math.log(2 * math.pi)


class Prior:
    """Base of all priors. Subclasses are final."""

    __slots__ = ()
    positive_only: ClassVar[bool] = False

    @property
    def numbers(self) -> Mapping[str, float]:
        """The parameters by name, in the order of the signature."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # pyright: ignore[reportArgumentType]

    @property
    def support(self) -> tuple[float, float]:
        """The interval outside which the density is zero."""
        return (0.0, math.inf) if self.positive_only else (-math.inf, math.inf)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(_spell, self.numbers.values()))})"

    def _check(self, *positive: str) -> None:
        """Make the numbers floats; refuse what is not finite or not positive."""
        for name, value in self.numbers.items():
            if isinstance(value, bool) or not isinstance(value, Real):
                raise ModelError(f"{type(self).__name__}: {name} must be a number, got {value!r}.")
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if not math.isfinite(number):
                raise ModelError(f"{type(self).__name__}: {name} must be finite, got {value!r}.")
            if name in positive and not number > 0:
                raise ModelError(f"{type(self).__name__}: {name} must be positive, got {value!r}.")
            object.__setattr__(self, name, number)


@final
@dataclass(frozen=True, slots=True, repr=False)
class Normal(Prior):
    """Normal prior, for the overall effect.

    Parameters
    ----------
    mean : float
        Location, on the analysis scale of the measure.
    sd : float
        Standard deviation, positive.

    Examples
    --------
    >>> Normal(0, 2)
    Normal(0, 2)
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        self._check("sd")


@final
@dataclass(frozen=True, slots=True, repr=False)
class StudentT(Prior):
    """Student-t prior, for the overall effect: heavier tails than the normal.

    Parameters
    ----------
    df : float
        Degrees of freedom, positive.
    mean : float
        Location, on the analysis scale of the measure.
    scale : float
        Scale, positive; not the standard deviation.
    """

    df: float
    mean: float
    scale: float

    def __post_init__(self) -> None:
        self._check("df", "scale")


@final
@dataclass(frozen=True, slots=True, repr=False)
class HalfNormal(Prior):
    """Half-normal prior, for the between-study standard deviation.

    Parameters
    ----------
    scale : float
        Standard deviation of the normal before folding, positive.
    """

    scale: float
    positive_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check("scale")


@final
@dataclass(frozen=True, slots=True, repr=False)
class HalfCauchy(Prior):
    """Half-Cauchy prior, for the between-study standard deviation: no mean, a heavy tail.

    Parameters
    ----------
    scale : float
        Median, positive.
    """

    scale: float
    positive_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check("scale")


@final
@dataclass(frozen=True, slots=True, repr=False)
class LogNormal(Prior):
    """Log-normal prior, for the between-study standard deviation.

    Parameters
    ----------
    mean : float
        Mean of the logarithm. A published prior on tau² has twice this.
    sd : float
        Standard deviation of the logarithm, positive. A published prior on tau² has twice this.
    """

    mean: float
    sd: float
    positive_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check("sd")


@final
@dataclass(frozen=True, slots=True, repr=False)
class Uniform(Prior):
    """Uniform prior on an interval.

    Parameters
    ----------
    low, high : float
        Ends of the interval, ``low < high``.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        self._check()
        if not self.low < self.high:
            raise ModelError(f"Uniform: low must be below high, got {self!r}.")

    @property
    def support(self) -> tuple[float, float]:
        """The interval itself."""
        return self.low, self.high


FAMILIES: Mapping[str, type[Prior]] = {
    family.__name__: family
    for family in (Normal, StudentT, HalfNormal, HalfCauchy, LogNormal, Uniform)
}


def parse_prior(text: str) -> Prior:
    """Read a prior from its own spelling.

    Parameters
    ----------
    text : str
        E.g. ``"HalfNormal(0.5)"`` or ``"Normal(mean=0, sd=2)"``. Nothing is executed.

    Returns
    -------
    Prior

    Raises
    ------
    ModelError
        If the text is not a prior, with what would be.

    Examples
    --------
    >>> parse_prior("StudentT(3, 0, 1)")
    StudentT(3, 0, 1)
    """
    name, args, named = _parse_call(text)
    if name not in FAMILIES:
        raise ModelError(f"{name!r} is not a prior; there are {', '.join(FAMILIES)}.")
    try:
        return FAMILIES[name](*args, **named)
    except TypeError:
        wanted = ", ".join(field.name for field in fields(FAMILIES[name]))  # pyright: ignore[reportArgumentType]
        raise ModelError(f"{text!r}: {name} takes {wanted}.") from None


@singledispatch
def log_density(prior: Prior, x: Array) -> Array:
    """Return the log density of a prior.

    Parameters
    ----------
    prior : Prior
    x : ndarray, any shape
        Points within the support; at the ends of it -inf is possible.

    Returns
    -------
    ndarray, the shape of `x`
    """
    raise ModelError(f"There is no density for {prior!r}.")


@log_density.register
def _normal(prior: Normal, x: Array) -> Array:
    return -0.5 * ((x - prior.mean) / prior.sd) ** 2 - np.log(prior.sd) - 0.5 * LOG_2PI


@log_density.register
def _student_t(prior: StudentT, x: Array) -> Array:
    df, z = prior.df, (x - prior.mean) / prior.scale
    constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * np.log(df * np.pi)
    return constant - np.log(prior.scale) - (df + 1) / 2 * np.log1p(z**2 / df)


@log_density.register
def _half_normal(prior: HalfNormal, x: Array) -> Array:
    return np.log(2) + _normal(Normal(0, prior.scale), x)


@log_density.register
def _half_cauchy(prior: HalfCauchy, x: Array) -> Array:
    return np.log(2 / np.pi) - np.log(prior.scale) - np.log1p((x / prior.scale) ** 2)


@log_density.register
def _log_normal(prior: LogNormal, x: Array) -> Array:
    with np.errstate(divide="ignore"):
        log_x = np.log(x)
    inside = np.where(np.isfinite(log_x), log_x, 0.0)
    value = _normal(Normal(prior.mean, prior.sd), inside) - inside
    return np.where(np.isfinite(log_x), value, -np.inf)


@log_density.register
def _uniform(prior: Uniform, x: Array) -> Array:
    return np.full_like(x, -np.log(prior.high - prior.low))


def _parse_call(text: str) -> tuple[str, list[float], dict[str, float]]:
    wrong = ModelError(f"{text!r} is not a prior; write it like 'HalfNormal(0.5)'.")
    if not isinstance(text, str) or len(text) > 200:
        raise wrong
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)):
            raise wrong
        args = [ast.literal_eval(node) for node in tree.args]
        named = {str(node.arg): ast.literal_eval(node.value) for node in tree.keywords}
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise wrong from None
    return tree.func.id, args, named


def _spell(number: float) -> str:
    return repr(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)
