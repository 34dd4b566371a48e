"""The posterior of tau as a series in a mapped variable."""

from dataclasses import dataclass
from typing import final

import numpy as np

from .inversion import invert
from .marginals import Array, Marginal

FARTHEST = 300.0  # of log tau from the middle: squares of tau are floats yet


@final
@dataclass(frozen=True, slots=True)
class TauDensity(Marginal):
    """The posterior of tau as a Chebyshev series in a mapped variable.

    ``tau = low + scale ((1 + u) / (1 - u)) ** lower`` with u running over [-1, end]; or, where the
    density reaches over many powers of ten, ``tau = scale exp(wide u / (1 - u²))``.

    Attributes
    ----------
    low, scale, end : float
        The map; ``end`` is 1 where tau has no upper bound.
    density : ndarray, shape (n,)
        Chebyshev coefficients of the density in x, where
        ``u = -1 + (end + 1) (1 - ((1 - x) / 2) ** upper)``.
    raw : ndarray, shape (2,)
        First two moments.
    moments : int
        How many of them exist.
    lower, upper : float
        Powers of the map; above 1 where the density has a pole at that end.
    wide : float
        Unit of log tau in the second map; 0 for the first.
    """

    low: float
    scale: float
    end: float
    density: Array
    raw: Array
    moments: int = 2
    lower: float = 1.0
    upper: float = 1.0
    wide: float = 0.0

    def mean(self) -> float:
        """Return the posterior mean."""
        return float(self.raw[0]) if self.moments >= 1 else np.nan

    def sd(self) -> float:
        """Return the posterior standard deviation."""
        variance = max(self.raw[1] - self.raw[0] ** 2, 0.0)
        return float(np.sqrt(variance)) if self.moments >= 2 else np.nan

    @property
    def _place(self) -> tuple[float, ...]:
        return self.low, self.scale, self.end, self.lower, self.upper, self.wide

    def _x(self, tau: Array) -> Array:
        return x_of(tau, *self._place)

    def _tau(self, x: Array) -> Array:
        return tau_of(x, *self._place)[0]

    def nodes(self) -> tuple[Array, Array]:
        """Quadrature nodes of tau and the posterior probability at each, shape (n,).

        Chebyshev nodes with Fejér's weights: a smooth function of tau summed over them with these
        probabilities is its posterior mean.
        """
        n = self.density.size
        angle = np.pi * (np.arange(n) + 0.5) / n
        order = 2 * np.arange(1, n // 2 + 1)
        weight = 2 / n * (1 - 2 * np.cos(np.outer(angle, order)) @ (1 / (order**2.0 - 1)))
        x = np.cos(angle)
        return self._tau(x), weight * self._in_x(x)[1]

    def _in_x(self, x: Array) -> tuple[Array, Array]:
        """Distribution function and density in x."""
        integral = _integral(self.density)
        both = np.zeros((2, integral.size))
        both[0], both[1, :-1] = integral, self.density
        cdf, density = _series(both, x)
        return np.clip(cdf, 0.0, 1.0), np.maximum(density, 0.0)

    def _cdf(self, x: Array) -> Array:
        return np.where(x < self.low, 0.0, self._in_x(self._x(x))[0])

    def _pdf(self, x: Array) -> Array:
        at = self._x(x)
        top = float(self._tau(np.array([1.0]))[0]) if self.end < 1 else np.inf
        with np.errstate(divide="ignore", invalid="ignore"):  # infinite at a pole, 0 far out
            found = self._in_x(at)[1] / tau_of(at, *self._place)[1]
        found = np.where(np.isinf(x), 0.0, found)
        return np.where((x < self.low) | (x > top), 0.0, found)

    def _quantile(self, q: Array) -> Array:
        ends = np.full_like(q, -1.0), np.full_like(q, 1.0)
        return self._tau(invert(lambda x: self._in_x(x)[0], lambda x: self._in_x(x)[1], q, *ends))

    def _places(self) -> Array:
        angle = np.pi * np.arange(2 * self.density.size + 1) / (2 * self.density.size)
        places = self._tau(np.cos(angle))
        return places[np.isfinite(places)]

    def _lower_end(self) -> float:
        return self.low


def tau_of(
    x: Array,
    low: float,
    scale: float,
    end: float,
    lower: float,
    upper: float,
    wide: float = 0.0,
) -> tuple[Array, Array]:
    """Map of ``TauDensity``: tau at x, and its derivative."""
    if wide:
        return _far_and_near(x, scale, end, wide)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = (1 - x) / 2
        u = -1 + (end + 1) * (1 - left**upper)
        ratio = (1 + u) / (1 - u)
        slope = (end + 1) * upper / 2 * left ** (upper - 1) * 2 / (1 - u) ** 2
        return low + scale * ratio**lower, scale * lower * ratio ** (lower - 1) * slope


def _far_and_near(x: Array, scale: float, end: float, wide: float) -> tuple[Array, Array]:
    """The map by exponentials; nothing is left where no float is."""
    u = -1 + (end + 1) * (x + 1) / 2
    with np.errstate(divide="ignore", over="ignore"):
        log_ratio = wide * u / (1 - u**2)
        slope = wide * (1 + u**2) / (1 - u**2) ** 2 * (end + 1) / 2
    tau = scale * np.exp(np.clip(log_ratio, -FARTHEST, FARTHEST))
    return tau, np.where(np.abs(log_ratio) < FARTHEST, tau * slope, 0.0)


def x_of(
    tau: Array,
    low: float,
    scale: float,
    end: float,
    lower: float,
    upper: float,
    wide: float = 0.0,
) -> Array:
    """Inverse of ``tau_of``: what lies beyond the ends comes to the ends."""
    if wide:
        with np.errstate(divide="ignore"):
            ratio = np.clip(np.log(tau / scale), -FARTHEST, FARTHEST) / wide
        u = 2 * ratio / (1 + np.sqrt(1 + 4 * ratio**2))
        return np.clip(2 * (u + 1) / (end + 1) - 1, -1.0, 1.0)
    t = (np.maximum(tau - low, 0.0) / scale) ** (1 / lower)
    with np.errstate(invalid="ignore"):
        left = np.where(np.isinf(t), 0.0, 1 - 2 * t / (t + 1) / (end + 1))
    return 1 - 2 * np.clip(left, 0.0, 1.0) ** (1 / upper)


def _integral(series: Array) -> Array:
    """Chebyshev coefficients of the integral from -1 of a series."""
    n = series.size
    order = np.arange(1, n + 1)
    padded = np.concatenate((series, (0.0, 0.0)))
    before = padded[:n] * np.where(order == 1, 2.0, 1.0)
    rest = (before - padded[2:]) / (2 * order)
    return np.concatenate(([-(rest * (-1.0) ** order).sum()], rest))


def _series(coefficients: Array, x: Array) -> Array:
    """Values of several Chebyshev series, (m, n), at points (p,): (m, p)."""
    if x.size * coefficients.shape[1] > 20_000:  # Clenshaw's recurrence needs no table
        return np.polynomial.chebyshev.chebval(x, coefficients.T)  # pyright: ignore[reportReturnType]
    return coefficients @ np.cos(np.outer(np.arange(coefficients.shape[1]), np.arccos(x)))
