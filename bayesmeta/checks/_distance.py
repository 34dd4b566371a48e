"""How far two distributions of one number lie apart: the cumulative Jensen-Shannon distance."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

type Array = NDArray[np.float64]


def distance(first: Array, second: Array, weight: Array) -> float:
    """Return the distance of two distributions from their distribution functions.

    That of the distributions or of their mirror images, whichever is larger, as a share of its
    upper bound, so that it lies between 0 and 1 and knows no unit.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
        Probabilities below each of some points.
    weight : ndarray, shape (n,)
        Of these points in an integral over the range that counts.

    References
    ----------
    Nguyen HV, Vreeken J (2015). Non-parametric Jensen-Shannon divergence. ECML PKDD, LNCS 9285.
    Kallioinen N, Paananen T, Bürkner PC, Vehtari A (2024). Stat Comput 34:57, section 2.
    """
    mirrored = _divergence(1 - first, 1 - second, weight)
    return float(np.sqrt(max(_divergence(first, second, weight), mirrored, 0.0)))


def _divergence(p: Array, q: Array, weight: Array) -> float:
    """Both directions together, in bits; their linear terms cancel."""
    p, q = np.clip(p, 0.0, 1.0), np.clip(q, 0.0, 1.0)
    middle = np.where(p + q > 0, 0.5 * (p + q), 1.0)
    each = xlogy(p, p / middle) + xlogy(q, q / middle)
    return float(weight @ each / np.log(2) / (weight @ (p + q)))
