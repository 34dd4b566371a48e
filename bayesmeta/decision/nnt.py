"""The number needed to treat, in words."""

import math

import numpy as np

from ..summaries import Better


def number_needed(median: float, lower: float, upper: float, *, better: Better) -> str:
    """Say how many are treated for one more with a benefit or a harm, with its interval.

    It is one over the difference in risk. Where the interval of the difference holds zero, that of
    the number goes through infinity, and both of its ends are named. It has no mean.

    Parameters
    ----------
    median, lower, upper : float
        Of the difference in risk, treatment less control.
    better : {"lower", "higher"}
        Whether fewer or more events are a benefit.

    Returns
    -------
    str
        Numbers rounded up to whole ones. NNTB: for one more benefit; NNTH: for one more harm.

    References
    ----------
    Altman DG (1998). Confidence intervals for the number needed to treat. BMJ 317:1309-1312.

    Examples
    --------
    >>> number_needed(-0.05, -0.08, 0.012, better="lower")
    'NNTB 20, from NNTB 13 through ∞ to NNTH 84'
    """
    benefit = np.array([median, lower, upper]) * (-1 if better == "lower" else 1)
    middle, low, high = benefit[0], min(benefit[1:]), max(benefit[1:])
    if low < 0 < high:
        ends = f"from {_one(high)} through ∞ to {_one(low)}"
    elif low >= 0:
        ends = f"from {_one(high)} to {_one(low)}"
    else:
        ends = f"from {_one(low)} to {_one(high)}"
    return f"{_one(middle)}, {ends}"


def _one(benefit: float) -> str:
    if benefit == 0:
        return "∞"
    word = "NNTB" if benefit > 0 else "NNTH"
    number = 1 / abs(benefit)
    return f"{word} {math.ceil(round(number, 9)):,}" if math.isfinite(number) else "∞"
