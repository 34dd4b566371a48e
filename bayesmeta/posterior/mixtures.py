"""Marginal posteriors that are mixtures of normals, whole or truncated."""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import ndtr, ndtri, owens_t

from .inversion import invert
from .marginals import Array, Marginal

SQRT_2PI = float(np.sqrt(2 * np.pi))
NEARLY_ALL = np.array([1e-3, 1 - 1e-3])  # the probabilities between which a mode is looked for


@final
@dataclass(frozen=True, slots=True)
class NormalMixture(Marginal):
    """A finite mixture of normals: what quadrature over tau gives for mu and theta.

    Attributes
    ----------
    weights, means, sds : ndarray, shape (m,)
        Weights sum to 1.
    moments : int
        How many moments exist: 0, 1, or 2 for "two or more".
    """

    weights: Array
    means: Array
    sds: Array
    moments: int = 2

    def mean(self) -> float:
        """Return the posterior mean."""
        return float(self.weights @ self.means) if self.moments >= 1 else np.nan

    def sd(self) -> float:
        """Return the posterior standard deviation."""
        if self.moments < 2:
            return np.nan
        centre = self.weights @ self.means
        return float(np.sqrt(self.weights @ (self.sds**2 + (self.means - centre) ** 2)))

    def _cdf(self, x: Array) -> Array:
        return ndtr((x[:, None] - self.means) / self.sds) @ self.weights

    def _pdf(self, x: Array) -> Array:
        z = (x[:, None] - self.means) / self.sds
        return np.exp(-0.5 * z**2) @ (self.weights / self.sds) / SQRT_2PI

    def _quantile(self, q: Array) -> Array:
        each = self.means + self.sds * ndtri(q)[:, None]
        return invert(self._cdf, self._pdf, q, each.min(axis=1), each.max(axis=1))

    def _places(self) -> Array:
        return np.append(self.means, between(*self._quantile(NEARLY_ALL)))


@final
@dataclass(frozen=True, slots=True)
class TruncatedMixture(Marginal):
    """A mixture of ``shift + slope * m + noise`` with m a truncated normal.

    What quadrature over tau gives where the prior of mu has ends: Uniform, HalfNormal, HalfCauchy.

    Attributes
    ----------
    weights, means, sds : ndarray, shape (m,)
        Of the components; mean and sd of m before truncation.
    low, high : float
        Ends of the support of m.
    shift, slope, noise : ndarray, shape (m,)
        `noise` is a standard deviation. With slope 1 and neither shift nor noise the value is m.

    References
    ----------
    Owen DB (1956). Ann Math Statist 27:1075-1090 (the bivariate normal integral).
    """

    weights: Array
    means: Array
    sds: Array
    low: float
    high: float
    shift: Array
    slope: Array
    noise: Array
    moments: int = 2

    def mean(self) -> float:
        """Return the posterior mean."""
        return float(self.weights @ self._component_moments()[0]) if self.moments >= 1 else np.nan

    def sd(self) -> float:
        """Return the posterior standard deviation."""
        if self.moments < 2:
            return np.nan
        mean, variance = self._component_moments()
        centre = self.weights @ mean
        return float(np.sqrt(self.weights @ (variance + (mean - centre) ** 2)))

    def _ends(self) -> tuple[Array, Array, Array]:
        a, b = (self.low - self.means) / self.sds, (self.high - self.means) / self.sds
        return a, b, normal_between(a, b)

    def _component_moments(self) -> tuple[Array, Array]:
        a, b, held = self._ends()
        at_a, at_b = (np.exp(-0.5 * z**2) / SQRT_2PI / held for z in (a, b))
        z_at = [np.where(np.isfinite(z), z, 0.0) * f for z, f in ((a, at_a), (b, at_b))]
        mean = self.means + self.sds * (at_a - at_b)
        variance = self.sds**2 * (1 + z_at[0] - z_at[1] - (at_a - at_b) ** 2)
        return self.shift + self.slope * mean, self.slope**2 * variance + self.noise**2

    def _cdf(self, x: Array) -> Array:
        a, b, held = self._ends()
        total = np.hypot(self.slope * self.sds, self.noise)
        z = (x[:, None] - self.shift - self.slope * self.means) / total
        if not self.noise.any():  # mu itself: exact in the tails, and cheap
            return (normal_between(a, np.clip(z, a, b)) / held) @ self.weights
        rho = self.slope * self.sds / total
        inside = _below_both(z, b, rho) - _below_both(z, a, rho)
        return np.clip((inside / held) @ self.weights, 0.0, 1.0)

    def _pdf(self, x: Array) -> Array:
        a, b, held = self._ends()
        total = np.hypot(self.slope * self.sds, self.noise)
        z = (x[:, None] - self.shift - self.slope * self.means) / total
        rho = self.slope * self.sds / total
        left = self.noise / total
        with np.errstate(divide="ignore", invalid="ignore"):
            upper, lower = (  # without noise an end itself is inside: 0/0 there
                np.nan_to_num((end - rho * z) / left, nan=within)
                for end, within in ((b, np.inf), (a, -np.inf))
            )
        density = np.exp(-0.5 * z**2) / SQRT_2PI / total
        return (density * normal_between(lower, upper) / held) @ self.weights

    def _quantile(self, q: Array) -> Array:
        ends = [np.clip(self.means + s * 40 * self.sds, self.low, self.high) for s in (-1, 1)]
        low, high = (
            self.shift + self.slope * end + s * 40 * self.noise
            for end, s in zip(ends, (-1, 1), strict=True)
        )
        low, high = np.full_like(q, low.min()), np.full_like(q, high.max())
        return invert(self._cdf, self._pdf, q, low, high, start=self._rough_quantile(q))

    def _places(self) -> Array:
        inside = between(*self._quantile(NEARLY_ALL))
        if self.noise.any():
            return inside
        ends = self.shift.mean() + self.slope.mean() * np.array([self.low, self.high])
        return np.append(inside, ends[np.isfinite(ends)])

    def _rough_quantile(self, q: Array) -> Array:
        """Quantiles of a mixture of normals of the same moments: near, and without Owen's T."""
        with np.errstate(all="ignore"):
            mean, variance = self._component_moments()
        known = np.isfinite(mean) & (variance > 0)
        if not known.any():
            return np.full_like(q, np.nan)
        weights = self.weights[known] / self.weights[known].sum()
        return NormalMixture(weights, mean[known], np.sqrt(variance[known]))._quantile(q)


def between(low: float, high: float) -> Array:
    """Even places from `low` to `high`, (257,)."""
    return np.linspace(low, high, 257)


def normal_between(low: Array, high: Array) -> Array:
    """P(low < Z < high) for a standard normal, without cancellation in either tail."""
    flip = low > 0
    return ndtr(np.where(flip, -low, high)) - ndtr(np.where(flip, -high, low))


def _below_both(h: Array, k: Array, rho: Array) -> Array:
    """As ``bivariate_normal``, without its work where no `k` is finite."""
    if np.isposinf(k).all():
        return ndtr(h)
    return np.zeros_like(h) if np.isneginf(k).all() else bivariate_normal(h, k, rho)


def bivariate_normal(h: Array, k: Array, rho: Array) -> Array:
    """P(X < h, Y < k) for standard normals with correlation `rho` (Owen 1956)."""
    h, k = (np.where(z == 0, 1e-300, z) for z in (h, k))
    finite = np.clip(k, -1e10, 1e10)
    left = np.sqrt(np.maximum((1 - rho) * (1 + rho), 1e-30))
    both = 0.5 * (ndtr(h) + ndtr(finite)) - 0.5 * (h * finite < 0)
    with np.errstate(over="ignore"):
        both -= owens_t(h, (finite - rho * h) / (h * left))
        both -= owens_t(finite, (h - rho * finite) / (finite * left))
    return np.where(np.isposinf(k), ndtr(h), np.where(np.isneginf(k), 0.0, both))
