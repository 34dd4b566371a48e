"""Published numbers into priors: what is of tau² becomes a prior of tau."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..families import HalfNormal, InverseGamma, LogNormal, LogStudentT, Normal, StudentT
from ..prior import Prior

RHODES_DF = 5

type Made = Callable[[float, Sequence[float]], Prior]


class Family(NamedTuple):
    """A family of the library: what it is called in words, and how its numbers make a prior."""

    words: str
    made: Made


def words_of(family: str) -> str:
    """What a family is called, and what its numbers are."""
    return _LAWS[family].words


def law_of(family: str, on: str, numbers: Sequence[float]) -> Prior:
    """Make the prior that a row of the library stands for.

    Parameters
    ----------
    family : str
        The name of its class.
    on : {"tau2", "tau", "mu"}
        Log tau is half of log tau², so that location and scale of its logarithm are halved.
    numbers : sequence of float
        As published.
    """
    return _LAWS[family].made(2.0 if on == "tau2" else 1.0, numbers)


def _log_normal(part: float, numbers: Sequence[float]) -> Prior:
    mean, sd = numbers
    return LogNormal(mean / part, sd / part)


def _log_student_t(part: float, numbers: Sequence[float]) -> Prior:
    mean, scale = numbers
    return LogStudentT(RHODES_DF, mean / part, scale / part)


def _student_t(part: float, numbers: Sequence[float]) -> Prior:
    scale, df = numbers
    return StudentT(df, 0, scale)


_LAWS: Mapping[str, Family] = {
    family.__name__: Family(words, made)
    for family, words, made in (
        (LogNormal, "log-normal", _log_normal),
        (LogStudentT, f"log-Student-t with {RHODES_DF} df", _log_student_t),
        (HalfNormal, "half-normal", lambda _, numbers: HalfNormal(*numbers)),
        (InverseGamma, "inverse-gamma", lambda _, numbers: InverseGamma(*numbers)),
        (StudentT, "Student-t about 0 (scale, df)", _student_t),
        (Normal, "normal about 0 (SD)", lambda _, numbers: Normal(0, *numbers)),
    )
}
