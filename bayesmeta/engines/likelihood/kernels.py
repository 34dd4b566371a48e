"""Densities of the study effects, and means over Student-t ones that nodes do not resolve.

Away from its middle a Student-t density is as smooth as it is far from there, so that nodes see it
however narrow it is. About the middle a rule of its own sees both: its nodes are as dense as the
density is narrow, and further out as dense as the others. A soft border, of which the nodes miss
nothing, stands between the two.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr

from ...priors import LOG_2PI

type Array = NDArray[np.float64]

SOFT = 1.5  # nodes: deviation of the border, wide enough for the trapezoidal rule
BORDER = 9 * SOFT  # nodes from the middle: nothing of the middle is seen from beyond
END = BORDER + 8 * SOFT
DENSE, EVEN = 5.0, 1.0  # nodes of the rule per unit of the logarithm, and per node of the others
ROUNDS = 30  # of Newton's method


def beyond(distance: Array) -> Array:
    """Share of a node that is summed as it is, by its distance from the middle, in nodes."""
    return ndtr((np.abs(distance) - BORDER) / SOFT)


def about(narrowest: float) -> tuple[Array, Array]:
    """The rule about the middle: distances, in nodes, and weights, both (n,).

    Parameters
    ----------
    narrowest : float
        Scale of the narrowest density, in nodes; wider ones are seen as well.
    """
    return _about(float(4.0 ** np.floor(np.log(narrowest) / np.log(4))))


@lru_cache(maxsize=64)
def _about(narrowest: float) -> tuple[Array, Array]:
    last = int(np.ceil(DENSE * np.arcsinh(END / narrowest) + EVEN * END))
    s = np.arange(-last, last + 1, dtype=np.float64)
    distance = np.clip(narrowest * np.sinh(s / DENSE), -END, END)
    for _ in range(ROUNDS):
        off = DENSE * np.arcsinh(distance / narrowest) + EVEN * distance - s
        distance = distance - off / (DENSE / np.hypot(distance, narrowest) + EVEN)
    weight = 1 / (DENSE / np.hypot(distance, narrowest) + EVEN)
    return distance, weight * ndtr((BORDER - np.abs(distance)) / SOFT)


def rule_of_effects(df: Array | float | None) -> tuple[Array, Array]:
    """Trapezoidal nodes and log weights of the standard effect: stretched for Student's t."""
    u = np.arange(-7.2, 7.3, 0.6)
    if df is None:
        return u, log_kernel(u, None) + np.log(0.6)
    u = np.linspace(-8, 8, 641)
    z = np.sinh(u)
    return z, log_kernel(z, df) + np.log(np.cosh(u) * (u[1] - u[0]))


def kernel(z: Array, df: Array | float | None) -> Array:
    """Density of the standard study effect, normal or Student-t."""
    return np.exp(log_kernel(z, df))


def log_kernel(z: Array, df: Array | float | None) -> Array:
    """Log of the same."""
    if df is None:
        return -0.5 * z**2 - 0.5 * LOG_2PI
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    return constant - (df + 1) / 2 * np.log1p(z**2 / df)
