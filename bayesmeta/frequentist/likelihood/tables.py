"""What 2 by 2 tables say of their log odds ratios: two likelihoods with their derivatives."""

from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, log_expit, xlogy

type Array = NDArray[np.float64]


class Terms(NamedTuple):
    """Log likelihoods of studies and their derivatives in the effect and the intercept."""

    value: Array
    theta: Array
    alpha: Array
    theta2: Array
    cross: Array
    alpha2: Array


@final
class BinomialArms:
    """Both arms binomial; logits alpha + theta/2 of treatment and alpha − theta/2 of control."""

    def __init__(self, a: Array, b: Array, c: Array, d: Array) -> None:
        self.cells = a, b, c, d
        self._choose = (_log_choose(a + b, a) + _log_choose(c + d, c))[:, None]

    def start(self) -> Array:
        """Intercepts to begin at: the logits of the share of events in both arms."""
        a, b, c, d = self.cells
        return np.log((a + c) / (b + d))

    def saturated(self) -> float:
        """Log likelihood where each study has its own best effect."""
        a, b, c, d = self.cells
        best = [xlogy(x, x / n) for x, n in ((a, a + b), (b, a + b), (c, c + d), (d, c + d))]
        return float(self._choose.sum() + np.sum(best))

    def terms(self, theta: Array, alpha: Array) -> Terms:
        """Log likelihoods at effects (k, n) and intercepts (k, 1)."""
        a, b, c, d = (cell[:, None] for cell in self.cells)
        one, two = alpha + theta / 2, alpha - theta / 2
        p1, p2 = expit(one), expit(two)
        r1, r2 = a - (a + b) * p1, c - (c + d) * p2
        v1, v2 = (a + b) * p1 * expit(-one), (c + d) * p2 * expit(-two)
        value = a * log_expit(one) + b * log_expit(-one) + c * log_expit(two) + d * log_expit(-two)
        return Terms(
            self._choose + value,
            (r1 - r2) / 2,
            r1 + r2,
            -(v1 + v2) / 4,
            -(v1 - v2) / 2,
            -(v1 + v2),
        )


@final
class Hypergeometric:
    """Events of treatment given the events of both arms: non-central hypergeometric.

    Sums over thousands of possible tables are made once, on a grid of theta, and interpolated by
    the quintic polynomials that keep value, slope and curvature at the grid's points. The log of
    such a sum is as smooth as a sum of logits, whatever its size: with arms of 88,000 the value is
    off by 1e-8 and estimates by 1e-8 standard errors.
    Beyond the grid, at odds ratios of e^40, one table is left and the log likelihood is a line.
    """

    _GRID = np.linspace(-40.0, 40.0, 801)

    def __init__(self, a: Array, b: Array, c: Array, d: Array) -> None:
        self.cells = a, b, c, d
        knots = [_surprise(*table, self._GRID) for table in zip(a, b, c, d, strict=True)]
        value, slope, curve = (np.array(rows) for rows in zip(*knots, strict=True))
        self._pieces = _quintics(value, slope, curve, self._GRID[1] - self._GRID[0])

    def start(self) -> Array:
        """Intercepts that are not there."""
        return np.zeros(self.cells[0].size)

    def saturated(self) -> float:
        """Log likelihood where each study has its own best effect; 0 where that is infinite."""
        finite = np.min(self.cells, axis=0) > 0
        a, b, c, d = (np.where(finite, cell, 1.0) for cell in self.cells)
        theta, none = np.log(a * d / (b * c))[:, None], np.zeros((a.size, 1))
        for _ in range(20):
            f = self.terms(theta, none)
            theta = theta - np.where(finite[:, None], np.clip(f.theta / f.theta2, -1, 1), 0.0)
        return float(self.terms(theta, none).value[finite].sum())

    def terms(self, theta: Array, alpha: Array) -> Terms:
        """Log likelihoods at effects (k, n); a parabola stands in for the intercept's part."""
        inside = np.clip(theta, self._GRID[0], self._GRID[-1])
        step = self._GRID[1] - self._GRID[0]
        cell = np.minimum(((inside - self._GRID[0]) / step).astype(int), self._GRID.size - 2)
        t = (inside - self._GRID[cell]) / step
        c0, c1, c2, c3, c4, c5 = self._pieces[:, np.arange(theta.shape[0])[:, None], cell]
        value = c0 + t * (c1 + t * (c2 + t * (c3 + t * (c4 + t * c5))))
        slope = (c1 + t * (2 * c2 + t * (3 * c3 + t * (4 * c4 + t * 5 * c5)))) / step
        curve = (2 * c2 + t * (6 * c3 + t * (12 * c4 + t * 20 * c5))) / step**2
        zero = np.zeros_like(theta)
        return Terms(
            -(value + slope * (theta - inside)) - alpha**2 / 2,
            -slope,
            zero - alpha,
            np.where(theta == inside, -curve, 0.0),
            zero,
            zero - 1,
        )


def _surprise(a: float, b: float, c: float, d: float, theta: Array) -> tuple[Array, Array, Array]:
    """−log P(a | margins, theta), its slope and its curvature; each (n,)."""
    n1, n2, m = a + b, c + d, a + c
    x = np.arange(max(0.0, m - n2), min(n1, m) + 1)
    log = _log_choose(n1, x) + _log_choose(n2, m - x)
    log -= log[int(a - x[0])]
    # A sum of independent Bernoullis, of which this is one, has its mass within this of the mode.
    half = int(40 + 6 * np.sqrt(x.size))
    mode = np.searchsorted(-np.diff(log), theta)
    near = np.arange(min(2 * half + 1, x.size))
    index = np.clip(mode - half, 0, x.size - near.size)[:, None] + near
    off = x[index] - a
    terms = log[index] + off * theta[:, None]
    top = terms.max(axis=1)
    weight = np.exp(terms - top[:, None])
    total = weight.sum(axis=1)
    mean = (weight * off).sum(axis=1) / total
    return (
        top + np.log(total),
        mean,
        (weight * (off - mean[:, None]) ** 2).sum(axis=1) / total,
    )


def _quintics(value: Array, slope: Array, curve: Array, step: float) -> Array:
    """Coefficients between neighbouring points, in units of their distance; (6, k, n − 1)."""
    f, d, s = value, slope * step, curve * step**2 / 2
    f0, d0, s0 = f[:, :-1], d[:, :-1], s[:, :-1]
    rise = f[:, 1:] - f0 - d0 - s0
    bend = d[:, 1:] - d0 - 2 * s0
    twist = s[:, 1:] - s0
    return np.stack(
        [
            f0,
            d0,
            s0,
            10 * rise - 4 * bend + twist,
            -15 * rise + 7 * bend - 2 * twist,
            6 * rise - 3 * bend + twist,
        ]
    )


def _log_choose(n: Array | float, x: Array) -> Array:
    return gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
