"""What an estimate says of mean and spread, its own effect integrated out, in closed form."""

import numpy as np
from numpy.typing import NDArray

from ...priors import LOG_2PI

type Array = NDArray[np.float64]


def log_normal(y: Array, mean: Array | float, scale: Array) -> Array:
    """Log density of estimates about a mean, in a common shape."""
    return -0.5 * ((y - mean) / scale) ** 2 - np.log(scale) - 0.5 * LOG_2PI
