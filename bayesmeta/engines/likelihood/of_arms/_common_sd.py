"""Studies whose two arms share one SD: the standardised difference of means."""

import numpy as np
from numpy.typing import NDArray

from ....priors import Normal, Prior, log_density
from ._shape import Shape, peaks_of
from .arms import Arm, integrated, log_likelihood_of, log_prior_of_sd

type Array = NDArray[np.float64]


def standardised(treatment: Arm, control: Arm, shape: Shape, theta: Array) -> Array:
    """One SD for both arms, means and SDs reported: integrated over its log alone."""
    n1, n0 = treatment.n, control.n
    df, share = n1 + n0 - 2, n1 * n0 / (n1 + n0)
    y = treatment.mean - control.mean
    squares = (n1 - 1) * treatment.sd**2 + (n0 - 1) * control.sd**2

    def joint(theta: Array, log_sd: Array) -> Array:
        precision = np.exp(-2 * log_sd)
        log_l = -0.5 * share * (y * np.exp(-log_sd) - theta) ** 2
        log_l = log_l - 0.5 * squares * precision - (df + 1) * log_sd
        log_l = log_l + _of_middle(treatment, control, shape.baseline, theta, log_sd)
        return log_l + log_prior_of_sd(shape.log_sd, log_sd)

    a = share * y**2 + squares
    root = share * y * theta  # the mode solves a g² - root g = df + 1 for g = 1 / sd
    g = (root + np.sqrt(root**2 + 4 * a * (df + 1))) / (2 * a)
    return integrated(joint, theta, -np.log(g), shape.spacing)


def _of_middle(
    treatment: Arm, control: Arm, prior: Prior | None, theta: Array, log_sd: Array
) -> Array:
    """Log likelihood of the mean of all patients: normal about the baseline, as its prior is."""
    if prior is None:
        return np.zeros_like(log_sd)
    assert isinstance(prior, Normal)
    n1, n0 = treatment.n, control.n
    mean = (n1 * treatment.mean + n0 * control.mean) / (n1 + n0)
    variance = prior.sd**2 + np.exp(2 * log_sd) / (n1 + n0)
    shift = theta * np.exp(log_sd) * (n1 - n0) / (n1 + n0) / 2
    return -0.5 * ((mean - shift - prior.mean) ** 2 / variance + np.log(variance))


def standardised_arms(treatment: Arm, control: Arm, shape: Shape, theta: Array) -> Array:
    """One SD for both arms, of which at least one reports quantiles."""
    sides = [log_likelihood_of(arm) for arm in (treatment, control)]
    n = treatment.n + control.n
    start = 0.5 * np.log((treatment.n * treatment.sd**2 + control.n * control.sd**2) / n)

    def joint(theta: Array, log_sd: Array) -> Array:
        sd, shape_ = np.exp(log_sd), np.broadcast_shapes(theta.shape, log_sd.shape)
        flat = [np.broadcast_to(one, shape_).ravel() for one in (theta, log_sd, sd)]
        return _over_baseline(treatment, control, shape, sides, *flat).reshape(shape_)

    return integrated(joint, theta, np.full_like(theta, start), 2 * shape.spacing)


def _over_baseline(
    treatment: Arm, control: Arm, shape: Shape, sides: list, theta: Array, log_sd: Array, sd: Array
) -> Array:
    """Log of both arms' likelihood given theta and the SD, the baseline integrated out, (n,).

    Given the SD each arm is nearly normal in its mean: nodes are those of the normal.
    """
    shift = theta * sd / 2
    n1, n0 = treatment.n, control.n
    middle = (n1 * (treatment.mean - shift) + n0 * (control.mean + shift)) / (n1 + n0)
    unit = sd / (n1 + n0) ** 0.5

    def joint(rows: NDArray[np.intp], w: Array) -> Array:
        """Of the baseline in units of its own."""
        b = middle[rows] + unit[rows] * w
        each = sides[0](b + shift[rows], log_sd[rows]) + sides[1](b - shift[rows], log_sd[rows])
        return each if shape.baseline is None else each + log_density(shape.baseline, b)

    rows = np.arange(theta.size)
    start = np.zeros_like(theta)
    for at, scale in peaks_of(shape.baseline):
        between = (at - middle) / unit / (1 + (scale / unit) ** 2)
        start = np.where(joint(rows, between) > joint(rows, start), between, start)
    found = integrated(joint, rows, start, 0.2, in_order=False)  # pyright: ignore[reportArgumentType]
    return found + np.log(unit) + log_prior_of_sd(shape.log_sd, log_sd)
