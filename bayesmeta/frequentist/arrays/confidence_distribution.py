"""The prediction interval of a confidence distribution of the between-study variance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr

from ...errors import DataError
from ...studies import check_prob

type Array = NDArray[np.float64]

_NOTHING = 40.0  # e^-40 of the mass


def nnf_interval(y: Array, v: Array, prob: float = 0.95) -> tuple[float, float]:
    """Return the prediction interval of Nagashima, Noma and Furukawa, without their bootstrap.

    tau² has the confidence distribution ``H(tau²) = P(Q > q; tau²)``, where q is the observed
    Cochran's Q and Q its variable under tau²; what H has below zero is put at zero. The effect in
    a new study is then ``mu(tau²) + tau Z + SE(tau²) T``, with mu the weighted mean and SE its
    Hartung–Knapp standard error at that tau², Z standard normal and T Student-t with k − 1
    degrees of freedom. The authors draw from this distribution; here it is integrated.

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Estimates and their sampling variances, of three studies or more.
    prob : float
        Level of the interval.

    Returns
    -------
    tuple of float
        Lower and upper end.

    Raises
    ------
    DataError
        For fewer than three studies.

    References
    ----------
    Nagashima K, Noma H, Furukawa TA (2019). Stat Methods Med Res 28:1689-1702.
    Weideman JAC (2006). SIAM J Numer Anal 44:2342-2362 (the contour of the transform of Q).

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmeta.frequentist.arrays.confidence_distribution import nnf_interval
    >>> y, v = np.array([-0.4, 0.1, -0.3, 0.2]), np.array([0.04, 0.09, 0.16, 0.05])
    >>> low, high = nnf_interval(y, v)
    >>> round(low, 3), round(high, 3)
    (-1.205, 1.012)
    """
    from scipy.optimize import brentq

    check_prob(prob)
    if y.size < 3:
        raise DataError(f"A prediction interval needs at least three studies, there are {y.size}.")
    if np.ptp(y) == 0:
        return float(y[0]), float(y[0])
    new = _new_study(y, v)
    low = high = float(new.mean @ new.mass)
    tails, reach = ((1 - prob) / 2, (1 + prob) / 2), np.ptp(y) + np.sqrt(v.max())
    while _below(low, new) > tails[0] or _below(high, new) < tails[1]:
        low, high, reach = low - reach, high + reach, 2 * reach
    lower, upper = (
        brentq(lambda x, p=p: _below(x, new) - p, low, high, xtol=1e-12 * (high - low))
        for p in tails
    )
    return float(lower), float(upper)  # pyright: ignore[reportArgumentType]


class _NewStudy(NamedTuple):
    """The effect in a new study: a mixture of normals, over tau² and over the chi-square of T."""

    mean: Array  # (tau2,)
    sd: Array  # (tau2, chi2)
    mass: Array  # (tau2,)
    share: Array  # (chi2,)


def _below(x: float, new: _NewStudy) -> float:
    return float(new.mass @ ndtr((x - new.mean[:, None]) / new.sd) @ new.share)


def _new_study(y: Array, v: Array) -> _NewStudy:
    tau2, mass = confidence_distribution(y, v)
    w = 1 / (v + tau2[:, None])
    share = w / w.sum(axis=1, keepdims=True)
    mean = share @ y
    variance = (share * (y - mean[:, None]) ** 2).sum(axis=1) / (y.size - 1)
    chi2, weights = _chi_square(y.size - 1)
    sd = np.sqrt(tau2[:, None] + variance[:, None] * (y.size - 1) / chi2)
    return _NewStudy(mean, sd, mass / mass.sum(), weights)


def confidence_distribution(y: Array, v: Array) -> tuple[Array, Array]:
    """Values of tau² and their masses, zero first; a trapezoidal rule in log tau²."""
    w = 1 / v
    q = float(w @ (y - w @ y / w.sum()) ** 2)
    ends = np.log(v.min()) - _NOTHING, np.log(v.max() * max(q, 1)) + 2 * _NOTHING / (y.size - 1)
    step = _step(y.size - 1)
    tau2 = np.concatenate(([0.0], np.exp(np.arange(*ends, step))))
    parts = np.array_split(tau2, 1 + tau2.size * v.size // 10_000)  # what fits in a cache
    below, slope = np.concatenate([q_below(q, v, part) for part in parts], axis=1)
    return tau2, np.concatenate(([1 - below[0]], -slope[1:] * tau2[1:] * step))


def q_below(q: float, v: Array, tau2: Array) -> tuple[Array, Array]:
    """P(Q <= q; tau²) and its derivative in tau², by inversion of the transform of Q.

    ``E exp(−s Q) = [prod(1 + 2 s r) sum(p / (1 + 2 s r))]^(−1/2)`` with r = 1 + tau²/v and p the
    normalised 1/v: the determinant of a quadratic form of normals. It is singular on the negative
    half line only, around which the contour bends.
    """
    w = 1 / v
    p = w / w.sum()
    half = 15 + v.size // 6  # nodes; the others are their conjugates
    angle = (np.arange(half) + 0.5) * np.pi / half
    cot = 1 / np.tan(0.6407 * angle)
    z = 2 * half * (0.5017 * angle * cot - 0.6122 + 0.2645j * angle)
    turn = 0.5017 * (cot - 0.6407 * angle * (1 + cot**2)) + 0.2645j
    weight = 2 * np.exp(z) * turn / (1j * z)  # exp(s q) ds / s, twice for the conjugates
    s2 = (2 * z / q)[:, None]
    factor = 1 + s2 * (1 + tau2[:, None, None] * w)  # (tau2, node, k)
    mixed = (p / factor).sum(axis=-1)
    transform = np.exp(-(np.log(factor).sum(axis=-1) + np.log(mixed)) / 2)
    change = (s2 * w / factor).sum(axis=-1) - (p * s2 * w / factor**2).sum(axis=-1) / mixed
    df = v.size - 1  # Q is at most max(r) times a chi-square: beyond this it has no tail left
    sure = q > (1 + tau2 / v.min()) * (df + 2 * np.sqrt(_NOTHING * df) + 2 * _NOTHING)
    below, slope = (transform @ weight).real, (-transform * change / 2 @ weight).real
    return np.where(sure, 1.0, below), np.where(sure, 0.0, slope)


def _step(df: int) -> float:
    """Of trapezoidal rules in the logarithms of tau² and chi-square, whose SD is √(2/df)."""
    return min(0.25, 0.7 * (2 / df) ** 0.5)


def _chi_square(df: int) -> tuple[Array, Array]:
    """Values and masses of a chi-square; a trapezoidal rule in its logarithm."""
    low = (np.log(2) + gammaln(df / 2 + 1) * 2 / df) - 2 * _NOTHING / df
    high = np.log(df + 20 * np.sqrt(df) + 4 * _NOTHING)
    log = np.arange(low, high, _step(df))
    density = np.exp(df / 2 * log - np.exp(log) / 2 - gammaln(df / 2) - df / 2 * np.log(2))
    return np.exp(log), density / density.sum()
