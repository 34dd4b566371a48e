"""Uniform numbers for draws: each alone is random, all together they lie evenly."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...posterior import Marginal
from ...posterior.inversion import tabled

type Array = NDArray[np.float64]
type Bits = NDArray[np.uint32]

MOST = 21_201  # columns that Sobol's sequence has; beyond, numbers are independent
SMALLEST = 2.0**-32
BITS = 30
_POWERS = 2 ** np.arange(BITS, dtype=np.uint32)
_PASCAL = [[(j & i) == i for j in range(BITS)] for i in range(BITS)]  # binomials, modulo 2
# The first two columns of the sequence before they are scrambled: directions are columns of bits,
# the highest first. Those of the second are binomial coefficients, j over i, modulo 2.
FIRST = np.array([np.eye(BITS), _PASCAL], dtype=np.uint32)


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
    rng = np.random.default_rng(seed)
    net = _few if columns <= len(FIRST) else _many
    points = net(min(columns, MOST), int(np.ceil(np.log2(max(n, 1)))), rng)[:n]
    if columns > MOST:
        points = np.hstack([points, rng.uniform(size=(n, columns - MOST))])
    return np.clip(rng.permutation(points), SMALLEST, 1 - SMALLEST)


def _many(columns: int, power: int, rng: np.random.Generator) -> Array:
    from scipy.stats import qmc

    return qmc.Sobol(columns, rng=rng).random_base2(power)


def _few(columns: int, power: int, rng: np.random.Generator) -> Array:
    """The same numbers, without a library that takes longer to load than draws to make.

    Directions are scrambled by random lower triangular matrices, and the points, in the order of
    Gray's code, shifted by random bits (Matousek J 1998. J Complexity 14:527-556).
    """
    (own,) = rng.spawn(1)
    bits = own.integers(2, size=(columns, BITS), dtype=np.uint32)
    lower = np.tril(own.integers(2, size=(columns, BITS, BITS), dtype=np.uint32))
    lower[:, range(BITS), range(BITS)] = 1
    shift = bits @ _POWERS
    found = [_points(shift[d], lower[d] @ FIRST[d] % 2, power) for d in range(columns)]
    return np.ldexp(np.stack(found, axis=1).astype(np.float64), -BITS)


def _points(shift: np.uint32, directions: Bits, power: int) -> Bits:
    """Whole numbers of one column, (2^power,); each direction, (bits,), is a column, high first."""
    points = np.array([shift], dtype=np.uint32)
    for direction in (_POWERS[::-1] @ directions)[:power]:
        points = np.concatenate([points, points[::-1] ^ direction])
    return points


def draw_one(mu: Marginal, n: int | None, seed: int) -> Mapping[str, Array]:
    """Draw mu alone, where it is all there is: by inversion at even points, (1, n)."""
    return {"mu": mu.quantile(even(n or 4000, 1, seed)[:, 0])[None]}


def share_one(mu: Marginal, n: int, seed: int) -> Mapping[str, Array]:
    """Draw mu alone, (n,), by its quantiles from a table."""
    return {"mu": tabled(mu.quantile, even(n, 1, seed)[:, 0])}
