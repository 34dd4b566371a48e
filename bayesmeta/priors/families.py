"""Families of priors of one number."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from scipy import special

from ..errors import ModelError
from ..ways import shown
from .laws import Law, moved, positive
from .prior import Prior


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

    def _law(self) -> Law:
        return moved(Law(special.ndtr, special.ndtri), self.mean, self.sd)


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

    def _law(self) -> Law:
        t = Law(lambda x: special.stdtr(self.df, x), lambda q: special.stdtrit(self.df, q))
        return moved(t, self.mean, self.scale)


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

    def _law(self) -> Law:
        return positive(
            lambda x: special.erf(x / self.scale / 2**0.5),
            lambda q: self.scale * special.ndtri((1 + q) / 2),
        )


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

    def _law(self) -> Law:
        return positive(
            lambda x: 2 / np.pi * np.arctan(x / self.scale),
            lambda q: self.scale * np.tan(np.pi / 2 * q),
        )


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

    def _law(self) -> Law:
        return positive(
            lambda x: special.ndtr((np.log(x) - self.mean) / self.sd),
            lambda q: np.exp(self.mean + self.sd * special.ndtri(q)),
        )


@final
@dataclass(frozen=True, slots=True, repr=False)
class LogStudentT(Prior):
    """Prior whose logarithm is Student-t, for the between-study standard deviation.

    Both tails are heavy: it has no mean, and mass near zero at every power of ten.

    Parameters
    ----------
    df : float
        Degrees of freedom, positive.
    mean : float
        Location of the logarithm. A published prior on tau² has twice this.
    scale : float
        Scale of the logarithm, positive. A published prior on tau² has twice this.

    References
    ----------
    Rhodes KM, Turner RM, Higgins JPT (2015). J Clin Epidemiol 68:52-60.
    """

    df: float
    mean: float
    scale: float
    positive_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check("df", "scale")

    def _law(self) -> Law:
        return positive(
            lambda x: special.stdtr(self.df, (np.log(x) - self.mean) / self.scale),
            lambda q: np.exp(self.mean + self.scale * special.stdtrit(self.df, q)),
        )


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
            raise ModelError(f"Uniform: low must be below high, got {shown(self)}.")

    @property
    def support(self) -> tuple[float, float]:
        """The interval itself."""
        return self.low, self.high

    def _law(self) -> Law:
        width = self.high - self.low
        return Law(
            lambda x: min(max((x - self.low) / width, 0.0), 1.0), lambda q: self.low + q * width
        )


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

    def _law(self) -> Law:
        return positive(
            lambda x: 2 * special.stdtr(self.df, x / self.scale) - 1,
            lambda q: self.scale * special.stdtrit(self.df, (1 + q) / 2),
        )


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

    def _law(self) -> Law:
        return positive(lambda x: -np.expm1(-self.rate * x), lambda q: -np.log1p(-q) / self.rate)


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

    def _law(self) -> Law:
        return positive(
            lambda x: special.gammainc(self.shape, self.rate * x),
            lambda q: special.gammaincinv(self.shape, q) / self.rate,
        )


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

    def _law(self) -> Law:
        return positive(
            lambda x: special.gammaincc(self.shape, self.scale / x),
            lambda q: self.scale / special.gammainccinv(self.shape, q),
        )


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

    def _law(self) -> Law:
        return Law(
            lambda x: special.betainc(self.a, self.b, min(max(x, 0.0), 1.0)),
            lambda q: special.betaincinv(self.a, self.b, q),
        )


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
