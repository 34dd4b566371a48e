"""Prior distributions, as data.

A prior knows its numbers and nothing of PyMC or JAX; engines read it through
``functools.singledispatch``. There is one spelling everywhere: ``HalfNormal(0.5)`` is Python, the
``repr``, the TOML value, the command-line argument and the line in the report.
"""

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

__all__ = [
    "LKJ",
    "Beta",
    "Exponential",
    "Flat",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "HalfT",
    "InverseGamma",
    "Jeffreys",
    "LogNormal",
    "Mixture",
    "Normal",
    "Prior",
    "StudentT",
    "Uniform",
    "log_density",
    "parse_prior",
]

type Array = NDArray[np.float64]

LOG_2PI = math.log(2 * math.pi)
LONGEST = 300  # characters of a spelling: a mixture with every digit has 260


class Prior:
    """Base of all priors. Subclasses are final."""

    __slots__ = ()
    positive_only: ClassVar[bool] = False
    proper: ClassVar[bool] = True  # whether the density has a finite integral

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
        for name in self.numbers:
            self._check_number(name, positive=name in positive)

    def _check_number(self, name: str, *, positive: bool) -> None:
        family, value = type(self).__name__, getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Real):
            raise ModelError(f"{family}: {name} must be a number, got {value!r}.")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ModelError(f"{family}: {name} must be finite, got {value!r}.")
        if positive and not number > 0:
            raise ModelError(f"{family}: {name} must be positive, got {value!r}.")
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


@final
@dataclass(frozen=True, slots=True, repr=False)
class HalfT(Prior):
    """Half-Student-t prior, for the between-study standard deviation.

    Parameters
    ----------
    df : float
        Degrees of freedom, positive: 1 is the half-Cauchy, many the half-normal.
    scale : float
        Scale of the Student-t before folding, positive.
    """

    df: float
    scale: float
    positive_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check("df", "scale")


@final
@dataclass(frozen=True, slots=True, repr=False)
class Exponential(Prior):
    """Exponential prior, for the between-study standard deviation.

    Parameters
    ----------
    rate : float
        One over the mean, positive.
    """

    rate: float
    positive_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check("rate")


@final
@dataclass(frozen=True, slots=True, repr=False)
class Gamma(Prior):
    """Gamma prior, for the between-study standard deviation.

    Parameters
    ----------
    shape, rate : float
        Positive; the mean is ``shape / rate``.
    """

    shape: float
    rate: float
    positive_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check("shape", "rate")


@final
@dataclass(frozen=True, slots=True, repr=False)
class InverseGamma(Prior):
    """Inverse-gamma prior, for the between-study standard deviation (not for its square).

    Parameters
    ----------
    shape, scale : float
        Positive; the mode is ``scale / (shape + 1)``.
    """

    shape: float
    scale: float
    positive_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check("shape", "scale")


@final
@dataclass(frozen=True, slots=True, repr=False)
class Beta(Prior):
    """Beta prior, on the interval from 0 to 1.

    Parameters
    ----------
    a, b : float
        Positive; the mean is ``a / (a + b)``.
    """

    a: float
    b: float

    def __post_init__(self) -> None:
        self._check("a", "b")

    @property
    def support(self) -> tuple[float, float]:
        """From 0 to 1."""
        return 0.0, 1.0


@final
@dataclass(frozen=True, slots=True, repr=False)
class Flat(Prior):
    """Flat prior, density 1 everywhere: on the real line for mu, from 0 upwards for tau.

    It is improper: with too few studies there is no posterior, and never a marginal likelihood.
    """

    proper: ClassVar[bool] = False


@final
@dataclass(frozen=True, slots=True, repr=False)
class Jeffreys(Prior):
    """Jeffreys' prior of the between-study standard deviation, for the normal-normal model.

    Its density is the square root of the sum of ``(tau / (se**2 + tau**2))**2`` over the studies.
    It depends on the data through their standard errors, and it is improper.

    References
    ----------
    Röver C (2020). J Stat Softw 93(6):1-51, section 2.2.
    """

    positive_only: ClassVar[bool] = True
    proper: ClassVar[bool] = False


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
                    f"Mixture itself, got {part!r}."
                )
        self._check_number("weight", positive=True)
        if not self.weight < 1:
            raise ModelError(f"Mixture: weight must lie between 0 and 1, got {self.weight!r}.")

    @property
    def parts(self) -> tuple[tuple[float, Prior], ...]:
        """The two weights and priors."""
        return (self.weight, self.first), (1 - self.weight, self.second)

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

    def __repr__(self) -> str:
        return f"Mixture({_spell(self.weight)}, {self.first!r}, {self.second!r})"


FAMILIES: Mapping[str, type[Prior]] = {
    family.__name__: family
    for family in (
        Normal,
        StudentT,
        HalfNormal,
        HalfCauchy,
        HalfT,
        LogNormal,
        Exponential,
        Gamma,
        InverseGamma,
        Uniform,
        Beta,
        Mixture,
        Flat,
        Jeffreys,
    )
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
    >>> parse_prior("Mixture(weight=0.8, first=Normal(-0.3, 0.2), second=Normal(0, 2))")
    Mixture(0.8, Normal(-0.3, 0.2), Normal(0, 2))
    """
    return _read(_parse(text), text)


@singledispatch
def log_density(prior: Prior, x: Array) -> Array:
    """Return the log density of a prior.

    Parameters
    ----------
    prior : Prior
    x : ndarray, any shape
        Points within the support; at the ends of it -inf and inf are possible.

    Returns
    -------
    ndarray, the shape of `x`

    Raises
    ------
    ModelError
        For ``Jeffreys()``: see `log_density_of_tau`.
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
    log_x = _log(x)
    inside = np.where(np.isfinite(log_x), log_x, 0.0)
    value = _normal(Normal(prior.mean, prior.sd), inside) - inside
    return np.where(np.isfinite(log_x), value, -np.inf)


@log_density.register
def _uniform(prior: Uniform, x: Array) -> Array:
    return np.full_like(x, -np.log(prior.high - prior.low))


@log_density.register
def _half_t(prior: HalfT, x: Array) -> Array:
    folded = np.log(2) + _student_t(StudentT(prior.df, 0, prior.scale), x)
    return _within(prior, x, folded)


@log_density.register
def _exponential(prior: Exponential, x: Array) -> Array:
    return _within(prior, x, np.log(prior.rate) - prior.rate * x)


@log_density.register
def _gamma(prior: Gamma, x: Array) -> Array:
    z = prior.rate * np.maximum(x, 0.0)
    value = _times(prior.shape - 1, _log(z)) - z - math.lgamma(prior.shape) + np.log(prior.rate)
    return _within(prior, x, value)


@log_density.register
def _inverse_gamma(prior: InverseGamma, x: Array) -> Array:
    z = np.where(x > 0, x, 1.0) / prior.scale
    with np.errstate(over="ignore"):
        inverse = 1 / z
    value = -(prior.shape + 1) * np.log(z) - inverse - math.lgamma(prior.shape)
    return np.where(x > 0, value - np.log(prior.scale), -np.inf)


@log_density.register
def _beta(prior: Beta, x: Array) -> Array:
    inside, a, b = np.clip(x, 0.0, 1.0), prior.a, prior.b
    constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    value = constant + _times(a - 1, _log(inside)) + _times(b - 1, _log(1 - inside))
    return _within(prior, x, value)


@log_density.register
def _flat(_: Flat, x: Array) -> Array:
    return np.zeros_like(x)


@log_density.register
def _jeffreys(prior: Jeffreys, _: Array) -> Array:
    raise ModelError(
        f"The density of {prior!r} depends on the standard errors of the studies; only the exact "
        "engine for NormalNormal takes it."
    )


@log_density.register
def _mixture(prior: Mixture, x: Array) -> Array:
    first, second = (
        np.log(weight) + _within(part, x, log_density(part, np.clip(x, *part.support)))
        for weight, part in prior.parts
    )
    return np.logaddexp(first, second)


def log_density_of_tau(prior: Prior, tau: Array, se: Array) -> Array:
    """Return the log density of a prior of tau, `Jeffreys` included.

    Parameters
    ----------
    prior : Prior
    tau : ndarray, any shape
        Not negative.
    se : ndarray, shape (k,)
        Standard errors of the studies.

    Returns
    -------
    ndarray, the shape of `tau`
    """
    if not isinstance(prior, Jeffreys):
        return log_density(prior, tau)
    return 0.5 * _log(((tau[..., None] / (se**2 + tau[..., None] ** 2)) ** 2).sum(axis=-1))


def _log(x: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(x)


def _times(factor: float, log_x: Array) -> Array:
    """`factor` times `log_x`, zero if the factor is, though the logarithm be infinite."""
    return factor * log_x if factor else np.zeros_like(log_x)


def _within(prior: Prior, x: Array, value: Array) -> Array:
    low, high = prior.support
    return np.where((x < low) | (x > high), -np.inf, value)


def _parse(text: str) -> ast.expr:
    if not isinstance(text, str) or len(text) > LONGEST:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _not_a_prior(text)
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _not_a_prior(text) from None


def _read(node: ast.expr, text: str) -> Prior:
    """Make the prior that a call in the syntax tree spells; priors inside it likewise."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise _not_a_prior(text)
    name = _family(node.func.id)
    args = [_argument(one, text) for one in node.args]
    named = {str(one.arg): _argument(one.value, text) for one in node.keywords}
    if name in _HALVES and len(args) == 2 and not named and _is_zero(args[0]):
        args = args[1:]  # as others write it, where it is cut off first
    try:
        return FAMILIES[name](*args, **named)
    except TypeError:
        wanted = ", ".join(field.name for field in fields(FAMILIES[name]))  # pyright: ignore[reportArgumentType]
        raise ModelError(f"{text!r}: {name} takes {wanted or 'no numbers'}.") from None


_HALVES = ("HalfNormal", "HalfCauchy")
_OTHER_NAMES: Mapping[str, str] = {  # without marks, in small letters
    "invgamma": "InverseGamma(shape, scale)",
    "igamma": "InverseGamma(shape, scale)",
    "halft": "HalfT(df, scale)",
    "halfstudent": "HalfT(df, scale)",
    "halfstudentt": "HalfT(df, scale)",
    "cauchy": "HalfCauchy(scale), or StudentT(1, mean, scale)",
    "student": "StudentT(df, mean, scale)",
    "t": "StudentT(df, mean, scale)",
    "norm": "Normal(mean, sd)",
    "gaussian": "Normal(mean, sd)",
    "halfnorm": "HalfNormal(scale)",
    "lnorm": "LogNormal(mean, sd)",
    "unif": "Uniform(low, high)",
    "exp": "Exponential(rate)",
}


def _family(given: str) -> str:
    """The family that a name is, whatever its case and underscores; else what it may be."""
    plain = given.replace("_", "").casefold()
    found = next((name for name in FAMILIES if name.casefold() == plain), None)
    if found is not None:
        return found
    meant = _OTHER_NAMES.get(plain)
    hint = f" Did you mean {meant}?" if meant else ""
    raise ModelError(f"{given!r} is not a prior; there are {', '.join(FAMILIES)}.{hint}")


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


def _argument(node: ast.expr, text: str) -> object:
    if isinstance(node, ast.Call):
        return _read(node, text)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _not_a_prior(text) from None


def _not_a_prior(text: object) -> ModelError:
    return ModelError(f"{text!r} is not a prior; write it like 'HalfNormal(0.5)'.")


def _spell(number: float) -> str:
    return repr(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def __dir__() -> list[str]:
    """List the families, and what reads and evaluates them."""
    return list(__all__)
