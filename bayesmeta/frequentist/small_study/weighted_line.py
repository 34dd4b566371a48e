"""A weighted straight line: estimates in a measure of how small their studies are."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..fit import critical, two_sided_p

type Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedLine:
    """Estimates as a straight line in a measure of how small their studies are.

    Attributes
    ----------
    estimate, se, lower, upper, p : float
        Height of the line where the predictor is zero, a study of infinite size: with standard
        error, t interval and two-sided p of no effect.
    slope, slope_se, slope_p : float
    df : float
        k − 2.
    prob : float
        Level of the interval.
    k : int
    """

    estimate: float
    se: float
    slope: float
    slope_se: float
    df: float
    prob: float
    k: int

    @property
    def lower(self) -> float:
        """Lower end of the interval of the estimate."""
        return self.estimate - self._half

    @property
    def upper(self) -> float:
        """Upper end of the interval of the estimate."""
        return self.estimate + self._half

    @property
    def p(self) -> float:
        """Two-sided p of no effect in a study of infinite size."""
        return self._p(self.estimate, self.se)

    @property
    def slope_p(self) -> float:
        """Two-sided p of no slope."""
        return self._p(self.slope, self.slope_se)

    def _p(self, value: float, se: float) -> float:
        return float(two_sided_p(*(np.array(number) for number in (value, se, self.df))))

    @property
    def _half(self) -> float:
        return critical(self.prob, self.df) * self.se


def weighted_line(
    what: str, study: tuple[str, ...], y: Array, x: Array, weights: Array, prob: float
) -> WeightedLine:
    """Regress `y` on `x`, the dispersion estimated from the residuals.

    `what` names the analysis where it must be refused.
    """
    check_slope(what, study, x)
    middle, centre, slope, spread = line_of(y, x, weights)
    residual = (y - middle) - slope * (x - centre)
    dispersion = dispersion_of(what, y, residual, weights)
    errors = np.sqrt(dispersion * np.array([1 / weights.sum() + centre**2 / spread, 1 / spread]))
    return WeightedLine(
        estimate=middle - slope * centre,
        se=float(errors[0]),
        slope=slope,
        slope_se=float(errors[1]),
        df=float(len(study) - 2),
        prob=prob,
        k=len(study),
    )


def check_slope(what: str, study: tuple[str, ...], x: Array) -> None:
    """Refuse studies through which no line with a scatter can be laid."""
    k = len(study)
    if k < 3:
        names = f" ({', '.join(study)})" if study else ""
        raise DataError(
            f"{what} fits a line and its scatter, which needs at least 3 studies; there "
            f"{'is' if k == 1 else 'are'} {k}{names}."
        )
    if np.ptp(x) <= 1e-9 * np.abs(x).max():
        raise DataError(
            f"{what} compares small studies with large ones, but these {k} are all equally "
            "precise: there is no slope to estimate."
        )


def dispersion_of(what: str, y: Array, residual: Array, weights: Array) -> float:
    """Mean square of the residuals about a line; one of zero is refused."""
    dispersion = float(weights @ residual**2) / (y.size - 2)
    if dispersion <= 1e-28 * (weights @ y**2):
        raise DataError(
            f"{what} judges the slope by the scatter about the line, but these {y.size} estimates "
            "lie on it exactly; check that they are not copies of each other."
        )
    return dispersion


def line_of(y: Array, x: Array, weights: Array) -> tuple[float, float, float, float]:
    """Weighted means of `y` and `x`, slope, and the weighted sum of squares of `x`."""
    share = weights / weights.sum()
    middle, centre = float(share @ y), float(share @ x)
    away = x - centre
    spread = float(weights @ away**2)
    return middle, centre, float(weights * away @ (y - middle)) / spread, spread
