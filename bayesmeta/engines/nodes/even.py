"""Uniform numbers for draws: each alone is random, all together they lie evenly."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...posterior import Marginal

type Array = NDArray[np.float64]

MOST = 21_201  # columns that Sobol's sequence has; beyond, numbers are independent
SMALLEST = 2.0**-32


def even(n: int, columns: int, seed: int) -> Array:
    """Return n points in the unit cube, scrambled Sobol points in random order.

    Every point by itself is uniform, so means over them are unbiased; that they share the cube
    among them makes these means vary less than those of independent points. The order is random,
    so that any part of them is a sample too.

    Parameters
    ----------
    n, columns : int
    seed : int

    Returns
    -------
    ndarray, shape (n, columns)
        Strictly between 0 and 1.

    References
    ----------
    Owen AB (1998). J Complexity 14:466-489 (scrambled nets).
    """
    from scipy.stats import qmc

    rng = np.random.default_rng(seed)
    net = qmc.Sobol(min(columns, MOST), rng=rng)
    points = net.random_base2(int(np.ceil(np.log2(max(n, 1)))))[:n]
    if columns > MOST:
        points = np.hstack([points, rng.uniform(size=(n, columns - MOST))])
    return np.clip(rng.permutation(points), SMALLEST, 1 - SMALLEST)


def draw_one(mu: Marginal, n: int | None, seed: int) -> Mapping[str, Array]:
    """Draw mu alone, where it is all there is: by inversion at even points, (1, n)."""
    return {"mu": mu.quantile(even(n or 4000, 1, seed)[:, 0])[None]}
