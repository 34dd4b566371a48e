"""Risks of two arms from effect and baseline: written apart from the PyMC form."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ..errors import ModelError

type Array = NDArray[np.float64]


def risks(theta: Array, baseline: Array, link: str) -> tuple[Array, Array]:
    """Risks of treatment and control from the study effects and baselines.

    Written apart from the PyMC form: the odds product is solved as a quadratic for the risk, here
    in its other root form, so that the two check each other.

    Parameters
    ----------
    theta, baseline : ndarray, any shape
        Log OR, log RR or atanh(RD), and the midpoint logit (in 0/1 coding the control arm's, for
        RR and RD half the log odds product).
    link : {"OR half", "OR zero_one", "RR", "RD"}

    Returns
    -------
    tuple of ndarray
        Treatment and control risks, between 0 and 1.

    References
    ----------
    Richardson TS, Robins JM, Wang L (2017). JASA 112:1121-1130.
    """
    if link not in _RISKS:
        raise ModelError(f"risks are defined for {', '.join(_RISKS)}, not {link!r}.")
    return _RISKS[link](theta, baseline)


def _ratio_risks(theta: Array, baseline: Array) -> tuple[Array, Array]:
    ratio = np.exp(-np.abs(theta))  # of the smaller to the larger risk
    product = np.exp(-2 * np.maximum(baseline, -350.0))
    root = np.sqrt((1 - ratio) ** 2 + 4 * ratio * product)
    larger = 2 / (1 + ratio + root)
    smaller = ratio * larger
    return np.where(theta < 0, smaller, larger), np.where(theta < 0, larger, smaller)


def _difference_risks(theta: Array, baseline: Array) -> tuple[Array, Array]:
    """From the mean m of the two risks: with c = coth(2 beta), m solves a quadratic in 2m - 1.

    p1 p0 / ((1-p1)(1-p0)) = exp(2 beta), p1 - p0 = d: t = 2m - 1 satisfies
    t² - 2 c t + 1 - d² = 0, whose root within ±1 is (1 - d²) / (c ± √(c² - 1 + d²)).
    """
    difference = np.tanh(theta)
    tanh = np.tanh(baseline)
    rest = 1 - difference**2
    t = rest * tanh / (1 + np.sqrt(np.maximum(1 - rest * tanh**2, 0.0)))
    return (1 + t + difference) / 2, (1 + t - difference) / 2


_RISKS: Mapping[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "OR half": lambda theta, beta: (expit(beta + theta / 2), expit(beta - theta / 2)),
    "OR zero_one": lambda theta, beta: (expit(beta + theta), expit(beta)),
    "RR": _ratio_risks,
    "RD": _difference_risks,
}
