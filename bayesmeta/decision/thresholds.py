"""At which benefits their probabilities are told, and how likely each is."""

import numpy as np
from numpy.typing import NDArray

from ..posterior import Marginal
from ..summaries import Better

type Array = NDArray[np.float64]

FEWEST = 40  # steps from one end to the other
_STEPS = (1, 2, 5)


def at_least(change: Marginal, benefit: Array, better: Better) -> Array:
    """Probability of a difference on the better side of at least so much, (n,)."""
    return change.cdf(-benefit) if better == "lower" else 1 - change.cdf(benefit)


def round_thresholds(low: float, high: float) -> Array:
    """Round numbers in even steps from the first below `low` to the first above `high`, (n,).

    Zero is one of them wherever they reach it.

    Parameters
    ----------
    low, high : float
    """
    span = max(high - low, 1e-12 * max(abs(low), abs(high), 1e-288))
    power = int(np.floor(np.log10(span / FEWEST)))
    step = max((one for one in _STEPS if one * 10.0**power * FEWEST <= span), default=1)
    unit = step * 10.0**power
    count = np.arange(np.floor(low / unit), np.ceil(high / unit) + 1) * step
    return count * 10.0**power if power >= 0 else count / 10.0**-power
