"""Quantiles of samples: where they lie among the sorted values, and draws of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ..arguments import is_among
from ..errors import DataError
from ..ways import shown

TYPES = (6, 7)


def positions(n: ArrayLike, p: ArrayLike, kind: int = 7) -> NDArray[np.float64]:
    """Positions of sample quantiles among the sorted values 1, ..., n; between two, interpolated.

    Parameters
    ----------
    n : array_like
        Sizes of the samples.
    p : array_like
        Probabilities from 0 (the minimum) to 1 (the maximum); broadcast against `n`.
    kind : {7, 6}
        Definition in the numbering of Hyndman and Fan: 7 of R, NumPy and Excel, 6 of SPSS and
        Minitab.

    Returns
    -------
    ndarray

    References
    ----------
    Hyndman RJ, Fan Y (1996). The American Statistician 50:361-365.

    Examples
    --------
    >>> positions(30, [0, 0.25, 0.5, 0.75, 1])
    array([ 1.  ,  8.25, 15.5 , 22.75, 30.  ])
    >>> positions(30, [0, 0.25, 0.5, 0.75, 1], 6)
    array([ 1.  ,  7.75, 15.5 , 23.25, 30.  ])
    """
    if not is_among(kind, TYPES):
        raise DataError(
            f"kind must be 6 or 7, the definition of a sample quantile; not {shown(kind)}."
        )
    n, p = np.asarray(n, dtype=float), np.asarray(p, dtype=float)
    if kind == 7:
        return (n - 1) * p + 1
    return np.clip((n + 1) * p, 1.0, n)


def draw_quantiles(
    mu: float,
    sigma: float,
    n: int,
    p: ArrayLike,
    kind: int = 7,
    *,
    rng: np.random.Generator,
    size: int | None = None,
) -> NDArray[np.float64]:
    """Draw the quantiles of normal samples without drawing the samples.

    Only the order statistics that the quantiles need are drawn: of uniform values, they are sums
    of the parts of a Dirichlet vector.

    Parameters
    ----------
    mu, sigma : float
        Mean and SD of the observations.
    n : int
        Size of each sample.
    p : array_like, shape (m,)
        Probabilities of the quantiles, in ascending order.
    kind : {7, 6}
        Definition of a sample quantile.
    rng : Generator
    size : int, optional
        Number of samples.

    Returns
    -------
    ndarray, shape (size, m), or (m,)

    References
    ----------
    David HA, Nagaraja HN (2003). Order Statistics. 3rd ed. Wiley, section 2.5.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> draw_quantiles(10.0, 2.0, 100_000, [0.25, 0.5, 0.75], rng=rng).round(1)
    array([ 8.7, 10. , 11.3])
    """
    at = positions(n, p, kind)
    rank, share = np.floor(at), at - np.floor(at)
    ranks = np.unique(np.concatenate([rank, np.ceil(at)]))
    shape = np.diff(ranks, prepend=0.0, append=n + 1.0)
    parts = rng.gamma(shape, size=(1 if size is None else size, shape.size))
    below = np.cumsum(parts, axis=-1)[..., :-1]
    above = np.cumsum(parts[..., ::-1], axis=-1)[..., -2::-1]
    total = parts.sum(axis=-1, keepdims=True)
    z = np.where(below < above, ndtri(below / total), -ndtri(above / total))
    low, high = (z[..., np.searchsorted(ranks, each)] for each in (rank, np.ceil(at)))
    drawn = mu + sigma * ((1 - share) * low + share * high)
    return drawn[0] if size is None else drawn
