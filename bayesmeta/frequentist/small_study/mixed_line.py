"""A straight line through estimates that differ by more than chance: mixed-effects regression."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..arrays.regression import ESTIMATORS, regress
from ..fit import IntervalName
from .weighted_line import WeightedLine, check_slope, dispersion_of

type Array = NDArray[np.float64]
type Tau2OfLine = Literal["REML", "ML", "DL", "PM", "EB", "HE", "SJ"]

OF_LINE: tuple[Tau2OfLine, ...] = ("REML", "ML", "DL", "PM", "EB", "HE", "SJ")


def mixed_line(
    what: str,
    study: tuple[str, ...],
    y: Array,
    x: Array,
    v: Array,
    *,
    tau2: Tau2OfLine | None,
    interval: IntervalName,
    prob: float,
) -> WeightedLine:
    """Regress `y` on `x` with weights 1/(v + tau²); tau2 None is a tau² of zero.

    `interval` is Wald, normal; HKSJ, t with the dispersion of the residuals; or that dispersion
    where it is above 1.
    """
    check_slope(what, study, x)
    design = np.column_stack([np.ones_like(x), x])
    between = 0.0 if tau2 is None else ESTIMATORS[tau2](y, design, v)
    line = regress(np.array([between]), y, design, v)
    dispersion, df = 1.0, np.inf
    if interval != "Wald":
        dispersion = dispersion_of(what, y, line.residual[0], line.weight[0])
        dispersion = max(dispersion, 1.0) if interval == "HKSJ truncated" else dispersion
        df = float(y.size - 2)
    errors = np.sqrt(dispersion * np.diag(line.covariance[0]))
    return WeightedLine(
        estimate=float(line.coefficients[0, 0]),
        se=float(errors[0]),
        slope=float(line.coefficients[0, 1]),
        slope_se=float(errors[1]),
        df=df,
        prob=prob,
        k=y.size,
    )
