"""Intervals of priors, also where there is none."""

import numpy as np

from ..priors import Prior
from ..studies import check_prob


def prior_interval(prior: Prior, prob: float = 0.95) -> tuple[float, float]:
    """Central interval of a prior, on its own scale; NaN for an improper one, which has none.

    Raises
    ------
    ModelError
        For a prior of more than one number.
    """
    check_prob(prob)
    return prior.interval(prob) if prior.proper else (np.nan, np.nan)
