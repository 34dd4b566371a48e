"""Integrals over panels of Gauss-Legendre nodes, with what lies below each of the nodes."""

from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander
from numpy.typing import NDArray

type Array = NDArray[np.float64]

ORDER = 6
X, WEIGHT = leggauss(ORDER)


def _integrals() -> Array:
    """Integrals from -1 to each node of the polynomials that are 1 at one node, 0 at the others."""
    of = legvander(X, ORDER)
    each = [(of[:, n + 1] - of[:, n - 1]) / (2 * n + 1) for n in range(1, ORDER)]
    return np.column_stack([X + 1, *each]) @ np.linalg.inv(of[:, :ORDER])


BELOW = _integrals()


class Panels(NamedTuple):
    """Nodes of a parameter between edges.

    Attributes
    ----------
    edges : ndarray, shape (p + 1,)
    x, weight : ndarray, shape (n,)
    """

    edges: Array
    x: Array
    weight: Array

    @classmethod
    def between(cls, edges: Array) -> "Panels":
        """Lay nodes between edges, of which those that are equal count once."""
        edges = np.unique(edges)
        half, middle = 0.5 * np.diff(edges)[:, None], 0.5 * (edges[1:] + edges[:-1])[:, None]
        return cls(edges, (middle + half * X).ravel(), (half * WEIGHT).ravel())

    def cdf(self, mass: Array) -> Array:
        """Probability below each node, (n,), from the probability of each node, (n,)."""
        each = mass.reshape(-1, ORDER)
        below = np.concatenate([[0.0], np.cumsum(each.sum(axis=1))[:-1]])
        return (below[:, None] + each / WEIGHT @ BELOW.T).ravel()

    def within(self, low: float, high: float) -> Array:
        """Weights of the nodes between two edges, 0 elsewhere, (n,)."""
        return np.where((self.x > low) & (self.x < high), self.weight, 0.0)
