"""Marginal posteriors known through draws."""

from dataclasses import dataclass
from typing import final

import numpy as np

from .marginals import Array, Marginal


@final
@dataclass(frozen=True, slots=True)
class Draws(Marginal):
    """A posterior known through draws.

    Attributes
    ----------
    values : ndarray, shape (chains, draws)
    moments : int
        How many moments the posterior has; draws alone cannot tell.
    low : float
        End of the support, where the density is reflected instead of smeared beyond.
    """

    values: Array
    moments: int = 2
    low: float = -np.inf

    def mean(self) -> float:
        """Return the mean of the draws."""
        return float(self.values.mean()) if self.moments >= 1 else np.nan

    def sd(self) -> float:
        """Return the standard deviation of the draws."""
        return float(self.values.std(ddof=1)) if self.moments >= 2 else np.nan

    def mode(self) -> float:
        """Return the peak of a kernel density; of draws that are all alike, that number."""
        first = float(self.values.flat[0])
        return first if (self.values == first).all() else super(Draws, self).mode()

    def _quantile(self, q: Array) -> Array:
        return np.quantile(self.values, q)

    def _cdf(self, x: Array) -> Array:
        ordered = np.sort(self.values, axis=None)
        return np.searchsorted(ordered, x, side="right") / ordered.size

    def _pdf(self, x: Array) -> Array:
        from scipy.stats import gaussian_kde

        smooth = gaussian_kde(self.values.ravel())
        if np.isinf(self.low):
            return smooth(x)
        return np.where(x < self.low, 0.0, smooth(x) + smooth(2 * self.low - x))

    def _lower_end(self) -> float:
        return self.low if np.isfinite(self.low) else float(self.values.min())

    def _shortest(self, prob: float) -> tuple[float, float]:
        ordered = np.sort(self.values, axis=None)
        held = int(np.ceil(prob * ordered.size))
        start = int(np.argmin(ordered[held - 1 :] - ordered[: ordered.size - held + 1]))
        return float(ordered[start]), float(ordered[start + held - 1])
