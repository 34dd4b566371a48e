"""The mode of a density."""

import numpy as np

from .inversion import Array, Function


def highest(density: Function, places: Array) -> float:
    """Where a density is largest: at one of the places, or between the best one's neighbours.

    Parameters
    ----------
    density : callable
        Of an array of shape (n,); may be infinite at a pole, which is then the mode.
    places : ndarray, shape (n,)
        So close that the density has one peak between neighbours, with the ends of its support.

    Returns
    -------
    float
        Good to the square root of rounding, beside the distance of the places; an end itself
        where the density falls from there.
    """
    from scipy.optimize import minimize_scalar

    x = np.unique(places)
    height = np.nan_to_num(density(x), nan=0.0, posinf=np.inf)
    best = int(np.argmax(height))
    if np.isinf(height[best]):
        return float(x[best])
    ends = float(x[max(best - 1, 0)]), float(x[min(best + 1, x.size - 1)])
    options = {"xatol": 1e-9 * (ends[1] - ends[0])}
    found = minimize_scalar(
        lambda at: -density(np.array([at]))[0], bounds=ends, method="bounded", options=options
    )
    at = float(found.x)  # pyright: ignore[reportAttributeAccessIssue]
    return at if density(np.array([at]))[0] > height[best] * (1 + 1e-14) else float(x[best])
