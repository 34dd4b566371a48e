"""Ratios that were typed where their logarithms belong."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ..effects import EffectSizes, measure_named
from ..ways import way
from .doubt import Doubt
from .estimates import predicted
from .far import FEWEST

type Array = NDArray[np.float64]

TIMES = 5.0  # as likely as ratios, for a whole column
TIMES_ALONE = 50.0  # for one row, of which there are many
LOG_RATIO = 0.5  # SD of log ratios that people study, for either reading
TAU = np.linspace(0.01, 2.0, 60)
LOG_PRIOR = -0.5 * (TAU / 0.4) ** 2 - logsumexp(-0.5 * (TAU / 0.4) ** 2)  # HalfNormal(0.4)


def ratios_as_logs(data: EffectSizes, measure: str | None) -> Iterator[Doubt]:
    """Doubt estimates of a ratio that are likelier ratios than logarithms.

    Both readings of the whole column are given mu ~ Normal(0, 0.5) and tau ~ HalfNormal(0.4) on
    the log scale, and se as that of the logarithm or of the ratio; of one row, what the others
    predict. Ratios that all lie well below 1 are logarithms of harm as well, and are not told.
    Estimates that were read as ratios, or made of counts, are logarithms for certain.
    """
    kind = measure_named(data.measure)
    if not (kind.log and kind.comparative) or data.k < FEWEST or not data.as_given:
        return
    if as_ratios(data.y, data.se) > np.log(TIMES):
        yield _whole(data)
        return
    for i in np.flatnonzero(data.y > 0):
        if data.k > FEWEST and one_as_ratio(data.y, data.se, int(i)) > np.log(TIMES_ALONE):
            yield _alone(data, int(i))


def as_ratios(y: Array, se: Array) -> float:
    """Log of how many times likelier the estimates are as ratios than as logs."""
    if (y <= 0).any():
        return -np.inf
    jacobian = -np.log(y).sum()
    ratios = max(_log_evidence(np.log(y), error) for error in (se, se / y))
    return float(ratios + jacobian - _log_evidence(y, se))


def _log_evidence(y: Array, se: Array) -> float:
    """Log marginal likelihood of the normal model, mu integrated out and tau by quadrature."""
    v = se**2 + TAU[:, None] ** 2
    precision, pull = (1 / v).sum(axis=1) + LOG_RATIO**-2, (y / v).sum(axis=1)
    fit = pull**2 / precision - (y**2 / v).sum(axis=1) - np.log(2 * np.pi * v).sum(axis=1)
    return float(logsumexp((fit - np.log(precision * LOG_RATIO**2)) / 2 + LOG_PRIOR))


def one_as_ratio(y: Array, se: Array, i: int) -> float:
    """The same of one row, given what the others predict."""
    others = np.arange(y.size) != i
    mean, v = predicted(y[others], se[others])
    log = np.log(y[i])
    return float(((y[i] - mean) ** 2 - (log - mean) ** 2) / (2 * (v + se[i] ** 2)) - log)


def _whole(data: EffectSizes) -> Doubt:
    low, high = data.y.min(), data.y.max()
    least, most = measure_named(data.measure).natural([low, high])
    return Doubt(
        "ratios_as_logs",
        data.study,
        f"y of {data.measure} are logarithms, and {low:.3g} to {high:.3g}, all above zero, look "
        f"like ratios ({least:.3g} to {most:.3g} if they are logarithms): if they "
        f"are ratios, their column is {way('columns', 'estimate')}.",
    )


def _alone(data: EffectSizes, i: int) -> Doubt:
    name, y = data.study[i], data.y[i]
    return Doubt(
        "ratios_as_logs",
        (name,),
        f"{name}: y {y:.3g} lies far from the other logarithms of {data.measure}, and as a ratio "
        f"it would lie among them: if it is one, give its logarithm, {np.log(y):.3g}.",
    )
