"""Weighted least squares with covariates, and estimators of tau² beside them.

One table, many values of tau² at once: t is (m,), y and v are (k,), the design x is (k, p) of full
rank with k > p.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .tau2 import PER_DECADE, Likelihood, Tau2

type Array = NDArray[np.float64]


class Regression(NamedTuple):
    """Fits with weights 1/(v + t), at m values of t.

    `coefficients` (m, p), their `covariance` (m, p, p) with the weights taken as known, `weight`,
    `residual` and `hat`, the pull of each estimate on its own fitted value, (m, k), and `log_det`
    of x'wx, (m,).
    """

    coefficients: Array
    covariance: Array
    weight: Array
    residual: Array
    hat: Array
    log_det: Array

    @property
    def q(self) -> Array:
        """Weighted sum of squares of the residuals, (m,)."""
        return (self.weight * self.residual**2).sum(axis=-1)

    @property
    def free(self) -> Array:
        """Trace of w − wx(x'wx)⁻¹x'w, the weight that the coefficients leave, (m,)."""
        return (self.weight * (1 - self.hat)).sum(axis=-1)


def regress(t: Array, y: Array, x: Array, v: Array) -> Regression:
    """Fit by the QR decomposition of the weighted design, which squares no condition number."""
    weight = 1 / (v + np.asarray(t)[:, None])
    root = np.sqrt(weight)
    turned, triangle = np.linalg.qr(root[:, :, None] * x)
    inverse = np.linalg.inv(triangle)
    coefficients = (inverse @ (turned.mT @ (root * y)[:, :, None]))[:, :, 0]
    return Regression(
        coefficients=coefficients,
        covariance=inverse @ inverse.mT,
        weight=weight,
        residual=y - coefficients @ x.T,
        hat=(turned**2).sum(axis=-1),
        log_det=2 * np.log(np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))).sum(axis=-1),
    )


def _plain(y: Array, x: Array) -> Regression:
    """Fit without weights."""
    return regress(np.zeros(1), y, x, np.ones_like(y))


def _dersimonian_laird(y: Array, x: Array, v: Array) -> float:
    fit = regress(np.zeros(1), y, x, v)
    return max(0.0, float((fit.q[0] - _df(x)) / fit.free[0]))


def _hedges(y: Array, x: Array, v: Array) -> float:
    fit = _plain(y, x)
    return max(0.0, float((fit.q[0] - (1 - fit.hat[0]) @ v) / _df(x)))


def _hunter_schmidt(y: Array, x: Array, v: Array) -> float:
    fit = regress(np.zeros(1), y, x, v)
    return max(0.0, float((fit.q[0] - y.size) / fit.weight.sum()))


def _sidik_jonkman(y: Array, x: Array, v: Array) -> float:
    first = y.var(keepdims=True)
    return float(first[0] * regress(first, y, x, v).q[0] / _df(x)) if first[0] > 0 else 0.0


def q_root(y: Array, x: Array, v: Array, level: float) -> float:
    """The tau² at which Q, which falls with it, is `level`; zero where it never is."""
    from scipy.optimize import brentq

    def excess(t: float) -> float:
        return float(regress(np.array([t]), y, x, v).q[0]) - level

    if excess(0.0) <= 0:
        return 0.0
    end = float(_plain(y, x).q[0]) / level  # there Q is below the level, for every v is above zero
    return float(brentq(excess, 0.0, end, xtol=1e-15 * end, rtol=1e-14))  # pyright: ignore[reportArgumentType]


def _paule_mandel(y: Array, x: Array, v: Array) -> float:
    return q_root(y, x, v, _df(x))


def _likeliest(y: Array, x: Array, v: Array, kind: Likelihood) -> float:
    """The highest of tau² = 0 and all peaks of the likelihood.

    At a peak Σw²r² = Σw(1 − h) (ML: Σw), and Σwr² is at most the largest w times the sum S of
    squares about the unweighted fit; so tau² <= S/(k − p) + max v.
    """
    from scipy.optimize import brentq

    first, last = 0.01 * v.min(), float(_plain(y, x).q[0]) / _df(x) + v.max()
    points = int(PER_DECADE * np.log10(last / first)) + 3
    grid = np.append(0.0, np.geomspace(first, 1.01 * last, points))
    slope = _score(grid, y, x, v, kind)

    def rise(t: float) -> float:
        return float(_score(np.array([t]), y, x, v, kind)[0])

    falls = np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0))
    peaks = [brentq(rise, grid[i], grid[i + 1], xtol=1e-16 * last, rtol=1e-14) for i in falls]  # pyright: ignore[reportArgumentType]
    places = np.array([0.0, *peaks], dtype=np.float64)
    return float(places[np.argmin(deviance(places, y, x, v, kind))])


def _score(t: Array, y: Array, x: Array, v: Array, kind: Likelihood) -> Array:
    """Twice the derivative of the log (restricted) likelihood by tau²."""
    fit = regress(t, y, x, v)
    lost = fit.free if kind == "REML" else fit.weight.sum(axis=-1)
    return ((fit.weight * fit.residual) ** 2).sum(axis=-1) - lost


def deviance(t: Array, y: Array, x: Array, v: Array, kind: Likelihood) -> Array:
    """Minus twice the log (restricted) likelihood of tau², up to a constant; shape (m,)."""
    fit = regress(t, y, x, v)
    value = fit.q - np.log(fit.weight).sum(axis=-1)
    return value + fit.log_det if kind == "REML" else value


def _df(x: Array) -> int:
    return x.shape[0] - x.shape[1]


ESTIMATORS: Mapping[Tau2, Callable[[Array, Array, Array], float]] = {
    "REML": partial(_likeliest, kind="REML"),
    "DL": _dersimonian_laird,
    "PM": _paule_mandel,
    "ML": partial(_likeliest, kind="ML"),
    "HS": _hunter_schmidt,
    "HE": _hedges,
    "SJ": _sidik_jonkman,
    "EB": _paule_mandel,
}
