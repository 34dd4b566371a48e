"""Quantile estimation: the distribution whose quantiles lie closest to the printed ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma, gammaincinv, ndtri

type Array = NDArray[np.float64]

NEARLY_ZERO = 0.01  # stands for a quantile of 0, which no positive distribution reaches
STEPS = 80


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """A positive distribution at scale 1, by its one shape."""

    quantiles: Callable[[float, Array], Array]
    moments: Callable[[float], tuple[float, float]]
    shapes: tuple[float, float]


def _log_normal(sigma: float) -> tuple[float, float]:
    mean = np.exp(sigma**2 / 2)
    return mean, mean * np.sqrt(np.expm1(sigma**2))


def _weibull(shape: float) -> tuple[float, float]:
    mean = gamma(1 + 1 / shape)
    return mean, np.sqrt(gamma(1 + 2 / shape) - mean**2)


FAMILIES: Mapping[str, _Family] = {
    "log-normal": _Family(
        quantiles=lambda shape, p: np.exp(shape * ndtri(p)),
        moments=_log_normal,
        shapes=(1e-3, 8.0),
    ),
    "gamma": _Family(
        quantiles=lambda shape, p: gammaincinv(shape, p),
        moments=lambda shape: (shape, np.sqrt(shape)),
        shapes=(1e-2, 1e5),
    ),
    "Weibull": _Family(
        quantiles=lambda shape, p: (-np.log1p(-p)) ** (1 / shape),
        moments=_weibull,
        shapes=(0.05, 500.0),
    ),
}


def quantile_estimate(cells: Array, p: Array) -> tuple[float, float, str]:
    """Mean, SD and name of the distribution closest to `cells`, its quantiles at `p`.

    By least squares of quantiles; among the normal alone where a quantile is negative.
    """
    found = [_normal(cells, p)]
    if cells[0] >= 0:
        positive = np.where(cells > 0, cells, min(NEARLY_ZERO, cells[cells > 0].min() / 2))
        found += [_positive(positive, p, name, family) for name, family in FAMILIES.items()]
    _, mean, sd, name = min(found, key=lambda fit: fit[0])
    return float(mean), float(sd), name


def _normal(cells: Array, p: Array) -> tuple[float, float, float, str]:
    z = ndtri(p)  # symmetric about 0, so that intercept and slope separate
    mean, sd = cells.mean(), z @ cells / (z @ z)
    return float(np.sum((cells - mean - sd * z) ** 2)), float(mean), float(sd), "normal"


def _positive(
    cells: Array, p: Array, name: str, family: _Family
) -> tuple[float, float, float, str]:
    """Fit by its shape alone: given that, the best scale is a regression through the origin."""
    from scipy.optimize import minimize_scalar

    unit = cells[-1]

    def scale_and_loss(log_shape: float) -> tuple[float, float]:
        ideal = family.quantiles(float(np.exp(log_shape)), p)
        ideal = ideal / ideal[-1]
        scale = ideal @ (cells / unit) / (ideal @ ideal)
        return scale, float(np.sum((cells / unit - scale * ideal) ** 2))

    def loss(log_shape: float) -> float:
        value = scale_and_loss(log_shape)[1]
        return value if np.isfinite(value) else np.inf

    low, high = family.shapes
    with np.errstate(all="ignore"):
        steps = np.linspace(np.log(low), np.log(high), STEPS)
        best = int(np.argmin([loss(step) for step in steps]))
        ends = steps[max(best - 1, 0)], steps[min(best + 1, STEPS - 1)]
        found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-12})
        at = float(found.x)  # pyright: ignore[reportAttributeAccessIssue]
        shape = float(np.exp(at))
        scale, least = scale_and_loss(at)
        scale = scale * unit / family.quantiles(shape, p)[-1]
        mean, sd = (scale * moment for moment in family.moments(shape))
    usable = np.isfinite(least) and np.isfinite(mean) and np.isfinite(sd) and sd > 0
    return (least * unit**2 if usable else np.inf), mean, sd, name
