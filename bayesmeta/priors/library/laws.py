"""Published numbers into priors: what is of tau² becomes a prior of tau."""

from collections.abc import Callable, Mapping, Sequence

from ..families import HalfNormal, InverseGamma, LogNormal, LogStudentT, Normal, StudentT
from ..prior import Prior

RHODES_DF = 5

type Made = Callable[[float, Sequence[float]], Prior]


def law_of(family: str, on: str, numbers: Sequence[float]) -> Prior:
    """Make the prior that a row of the library stands for.

    Parameters
    ----------
    family : str
        As the library names it.
    on : {"tau2", "tau", "mu"}
        Log tau is half of log tau², so that location and scale of its logarithm are halved.
    numbers : sequence of float
        As published.
    """
    return _LAWS[family](2.0 if on == "tau2" else 1.0, numbers)


def _log_normal(part: float, numbers: Sequence[float]) -> Prior:
    mean, sd = numbers
    return LogNormal(mean / part, sd / part)


def _log_student_t(part: float, numbers: Sequence[float]) -> Prior:
    mean, scale = numbers
    return LogStudentT(RHODES_DF, mean / part, scale / part)


_LAWS: Mapping[str, Made] = {
    "log-normal": _log_normal,
    f"log-Student-t with {RHODES_DF} df": _log_student_t,
    "half-normal": lambda _, numbers: HalfNormal(*numbers),
    "inverse-gamma": lambda _, numbers: InverseGamma(*numbers),
    "Student-t about 0 (scale, df)": lambda _, numbers: StudentT(numbers[1], 0, numbers[0]),
    "normal about 0 (SD)": lambda _, numbers: Normal(0, *numbers),
}
