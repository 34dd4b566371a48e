"""A distribution as it is stated, on the scale where it is smooth and unbounded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..effects import Measure
from ..posterior import Marginal
from ..priors import Prior, log_density

type Array = NDArray[np.float64]

TAIL = 1e-13  # of a distribution, at either end, which integrals over it leave out
NODES = 801
SLOPES: Mapping[str, Callable[[Array], Array]] = {  # of what people read in the scale of a law
    "identity": np.ones_like,
    "log": lambda value: value,
    "logit": lambda value: value * (1 - value),
}


@final
@dataclass(frozen=True, slots=True)
class OfPrior(Marginal):
    """A distribution that is stated on one scale, on another one.

    Attributes
    ----------
    prior : Prior
    scale : Measure
        From the scale that the prior is stated on, to this one.
    """

    prior: Prior
    scale: Measure

    def mean(self) -> float:
        """Return the mean, by the trapezoidal rule."""
        return self._moment(1)

    def sd(self) -> float:
        """Return the standard deviation, by the trapezoidal rule."""
        return float(np.sqrt(self._moment(2) - self._moment(1) ** 2))

    def _moment(self, power: int) -> float:
        low, high = self._quantile(np.array([TAIL, 1 - TAIL]))
        at = np.linspace(low, high, NODES)
        weights = self._pdf(at)
        return float(weights @ at**power / weights.sum())

    def _quantile(self, q: Array) -> Array:
        return self.scale.analysed(self.prior.quantile(q))

    def _cdf(self, x: Array) -> Array:
        return np.asarray(self.prior.cdf(self.scale.natural(x)))

    def _pdf(self, x: Array) -> Array:
        value = self.scale.natural(x)
        return np.exp(log_density(self.prior, value)) * SLOPES[self.scale.link](value)
