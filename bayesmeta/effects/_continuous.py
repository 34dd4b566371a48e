"""Estimates and their variances from means and SDs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from ..errors import DataError
from ..studies import ContinuousStudies, leave_out, name_rows
from ..ways import way

type Array = NDArray[np.float64]
type Estimates = tuple[Array, Array]
type Arm = tuple[Array, Array, Array]
type SMD = Literal["exact", "RevMan"]


def estimates(
    studies: ContinuousStudies,
    measure: str,
    *,
    bias_correction: bool = False,
    smd: SMD = "exact",
) -> Estimates:
    """Estimates and variances, each (k,), of studies whose arms all have a mean and an SD."""
    arms = [_arm(studies, arm) for arm in studies.arms]
    if measure in ("ROM", "RGM"):
        _check_positive(studies, measure)
    if measure == "MD":
        check_one_unit(studies.unit)
    of = _standardised_revman if measure == "SMD" and smd == "RevMan" else _ESTIMATES[measure]
    y, variance = of(*arms)
    if bias_correction:
        relative = [sd**2 / (n * mean**2) for mean, sd, n in arms]
        y = y + 0.5 * (relative[0] - relative[1])
    return y, variance


def hedges_j(df: Array) -> Array:
    """Exact factor that makes a standardised mean difference unbiased (Hedges 1981)."""
    return np.exp(gammaln(df / 2) - 0.5 * np.log(df / 2) - gammaln((df - 1) / 2))


def pooled_sd(treatment: Arm, control: Arm) -> Array:
    """SD within arms, both together, (k,)."""
    (_, s1, n1), (_, s0, n0) = treatment, control
    return np.sqrt(((n1 - 1) * s1**2 + (n0 - 1) * s0**2) / (n1 + n0 - 2))


def _arm(studies: ContinuousStudies, arm: str) -> Arm:
    unknown = studies.has_pair(arm)
    if unknown.any():
        raise DataError(
            f"{name_rows(studies.study, unknown)} has no SD of the change in the {arm[1:]} arm; "
            f"{way('pair')}."
        )
    lacking = ~studies.has_moments(arm)
    if lacking.any():
        raise DataError(
            f"{name_rows(studies.study, lacking)} has quantiles and no mean with SD in the "
            f"{arm[1:]} arm; {way('moments')}, or {way('arms')}, which takes quantiles as they are."
        )
    mean, sd, n = (getattr(studies, f"{name}{arm}") for name in ("mean", "sd", "n"))
    return mean, sd, n


def _check_positive(studies: ContinuousStudies, measure: str) -> None:
    for arm in studies.arms:
        mean = getattr(studies, f"mean{arm}")
        if (mean <= 0).any():
            raise DataError(
                f"{measure} needs positive means, and mean{arm} is not for "
                f"{name_rows(studies.study, mean <= 0)}; use MD or SMD, or "
                f"{leave_out(studies.study, mean <= 0)}."
            )


def check_one_unit(unit: Sequence[str]) -> None:
    """Refuse a mean difference of figures in several units; ``""`` goes with any."""
    units = sorted({one for one in unit if one})
    if len(units) > 1:
        raise DataError(
            f"A mean difference needs one unit, and unit has {', '.join(map(repr, units[:5]))}; "
            "convert the figures to one of them, or use SMD or ROM, which have no unit."
        )


def _mean_difference(treatment: Arm, control: Arm) -> Estimates:
    (m1, s1, n1), (m0, s0, n0) = treatment, control
    return m1 - m0, s1**2 / n1 + s0**2 / n0


def _standardised(treatment: Arm, control: Arm) -> Estimates:
    (m1, _, n1), (m0, _, n0) = treatment, control
    j = hedges_j(n1 + n0 - 2)
    g = j * (m1 - m0) / pooled_sd(treatment, control)
    return g, 1 / n1 + 1 / n0 + g**2 / (2 * (n1 + n0))


def _standardised_revman(treatment: Arm, control: Arm) -> Estimates:
    (m1, _, n1), (m0, _, n0) = treatment, control
    n = n1 + n0
    g = (1 - 3 / (4 * n - 9)) * (m1 - m0) / pooled_sd(treatment, control)
    return g, n / (n1 * n0) + g**2 / (2 * (n - 3.94))


def _ratio_of_means(treatment: Arm, control: Arm) -> Estimates:
    (m1, s1, n1), (m0, s0, n0) = treatment, control
    return np.log(m1 / m0), s1**2 / (n1 * m1**2) + s0**2 / (n0 * m0**2)


def _ratio_of_geometric_means(treatment: Arm, control: Arm) -> Estimates:
    y, variance = 0.0, 0.0
    for sign, (mean, sd, n) in ((1, treatment), (-1, control)):
        log_variance = np.log1p((sd / mean) ** 2)
        y = y + sign * (np.log(mean) - 0.5 * log_variance)
        variance = variance + log_variance / n
    return np.asarray(y), np.asarray(variance)


_ESTIMATES: Mapping[str, Callable[[Arm, Arm], Estimates]] = {
    "MD": _mean_difference,
    "SMD": _standardised,
    "ROM": _ratio_of_means,
    "RGM": _ratio_of_geometric_means,
}


def arm_estimates(measure: str, arms: str, treatment: Arm, control: Arm) -> Estimates:
    """Estimates and standard errors from arms on the scale on which patients are normal.

    Parameters
    ----------
    measure : {"MD", "SMD", "ROM", "RGM"}
    arms : {"normal", "lognormal"}
        Log-normal arms bring means and SDs of logs. A ratio of normal arms with a mean near zero
        or below is taken at a tenth of a standard error.
    treatment, control : tuple of ndarray
        Mean, SD and n, of one shape.
    """
    (m1, s1, n1), (m0, s0, n0) = treatment, control
    if measure == "ROM" and arms == "normal":
        m1, m0 = (np.maximum(m, 0.1 * s / np.sqrt(n)) for m, s, n in (treatment, control))
        y, variance = _ratio_of_means((m1, s1, n1), (m0, s0, n0))
        return y, np.minimum(np.sqrt(variance), 2.0)
    if measure == "ROM":
        sides = [(m + s**2 / 2, s * np.sqrt(1 + s**2 / 2), n) for m, s, n in (treatment, control)]
        treatment, control = sides
    y, variance = (_standardised if measure == "SMD" else _mean_difference)(treatment, control)
    return y, np.sqrt(variance)
