"""Means and SDs made of medians, quartiles and ranges."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ...arguments import is_among
from ...errors import DataError
from ...studies import QUANTILES, ContinuousStudies, join_how, leave_out, name_rows, need
from ...ways import way
from .distributions import FAMILIES, quantile_estimate
from .skewness import FEWEST, SCENARIOS, scenarios, skewness

type Array = NDArray[np.float64]
type Method = Literal["formulas", "QE"]
type Told = tuple[str, str, str]  # where the mean, the SD, and both come from
type Made = tuple[Array, Array, list[Told]]

MIN, Q1, MEDIAN, Q3, MAX = range(len(QUANTILES))
FROM = {"S1": "median and range", "S2": "median and quartiles", "S3": "the five-number summary"}
ITS_FOUR = "its range and quartiles"
ESTIMATION = "quantile estimation (McGrath 2020)"
SD_BY = {"S1": "Wan 2014", "S2": "Wan 2014", "S3": "Shi 2020"}
RUNAWAY = 20.0  # SDs in spans of the quantiles: a fitted tail that nothing holds
SKEWED = tuple(f"{name} fits best" for name in FAMILIES)


def convert_quantiles(
    studies: ContinuousStudies, *, method: Method = "formulas"
) -> ContinuousStudies:
    """Give arms that report quantiles a mean and an SD; leave the others as they are.

    Parameters
    ----------
    studies : ContinuousStudies
        Arms without a mean and an SD need median and range, median and quartiles, or all five, and
        5 patients or more. A printed mean, or a printed SD, is kept.
    method : {"formulas", "QE"}
        ``"formulas"``: means by Luo 2018 and SDs by Wan 2014 (Shi 2020 for all five), for normal
        samples. ``"QE"``: mean and SD of the normal, log-normal, gamma or Weibull distribution
        whose quantiles lie closest to the printed ones, by least squares; among them only the
        normal where a quantile is negative, and 0 is read as 0.01. (The beta distribution, which
        the method has for single groups, is not for a comparison of two.)

    Returns
    -------
    ContinuousStudies
        `how` says for each study which arms were converted and by what, and where Shi's test calls
        the sample skewed (:func:`skewness_test`).

    Raises
    ------
    DataError
        If an arm reports another set of quantiles, too few patients or quantiles that coincide.

    Notes
    -----
    A converted mean is less precise than SD/√n says (McGrath 2023). Counting the affected studies
    and reporting the result without them is asked for by the Cochrane Handbook, section 6.5.2.5.

    References
    ----------
    Luo D, Wan X, Liu J, Tong T (2018). Stat Methods Med Res 27:1785-1805.
    Wan X, Wang W, Liu J, Tong T (2014). BMC Med Res Methodol 14:135.
    Shi J, Luo D, Weng H, et al. (2020). Res Synth Methods 11:641-654.
    McGrath S, Zhao X, Steele R, et al. (2020). Stat Methods Med Res 29:2520-2537.
    McGrath S, Katzenschlager S, Zimmer AJ, et al. (2023). Stat Methods Med Res 32:373-388.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> stay = bm.ContinuousStudies(
    ...     study=["A"], n_treatment=[20], q1_treatment=[4], median_treatment=[6],
    ...     q3_treatment=[10], n_control=[22], mean_control=[9.1], sd_control=[4.9])
    >>> converted = bm.convert_quantiles(stay)
    >>> converted.mean_treatment.round(3).tolist(), converted.sd_treatment.round(3).tolist()
    ([6.72], [4.787])
    >>> converted.how
    ('treatment: mean by Luo 2018, SD by Wan 2014, from median and quartiles',)
    """
    need(studies, ContinuousStudies, "convert_quantiles works on arms with quantiles")
    if not is_among(method, _MAKERS):
        raise DataError(f"method is {' or '.join(map(repr, get_args(Method.__value__)))}.")
    changed, how = {}, [studies.how]
    for arm in studies.arms:
        rows = ~studies.has_moments(arm)
        cells = _cells(studies, arm, method)
        _check_set(studies, arm, rows & (scenarios(cells) == ""))
        _check_size(studies, arm, rows)
        _check_width(studies, arm, rows, cells)
        made = _MAKERS[method](cells, getattr(studies, f"n{arm}"), rows)
        mean, sd, told = _possible(studies, arm, made)
        changed[f"mean{arm}"] = _printed_or(getattr(studies, f"mean{arm}"), mean)
        changed[f"sd{arm}"] = _printed_or(getattr(studies, f"sd{arm}"), sd)
        how.append(_words(studies, arm, rows, told))
    return replace(studies, **changed, how=join_how(*how))


def _cells(studies: ContinuousStudies, arm: str, method: Method) -> Array:
    """The quantiles, (k, 5); the formulas' SDs need no median, so that a mean may stand in."""
    cells = studies.quantiles(arm)
    if method == "formulas":
        cells[:, MEDIAN] = _printed_or(cells[:, MEDIAN], getattr(studies, f"mean{arm}"))
    return cells


def _printed_or(printed: Array, made: Array) -> Array:
    return np.where(np.isfinite(printed), printed, made)


def _check_set(studies: ContinuousStudies, arm: str, other: NDArray[np.bool_]) -> None:
    if other.any():
        raise DataError(
            f"The {arm[1:]} arm of {name_rows(studies.study, other)} has neither median and range "
            "nor median and quartiles, from which a mean and an SD could be made; give them, or "
            f"{way('arms')}, which takes any two quantiles as they are."
        )


def _check_size(studies: ContinuousStudies, arm: str, rows: NDArray[np.bool_]) -> None:
    few = rows & (getattr(studies, f"n{arm}") < FEWEST)
    if few.any():
        raise DataError(
            f"The {arm[1:]} arm of {name_rows(studies.study, few)} has fewer than {FEWEST} "
            f"patients, too few to make a mean and an SD of quantiles; {way('arms')}, which "
            f"takes them as they are, or {leave_out(studies.study, few)}."
        )


def _check_width(
    studies: ContinuousStudies, arm: str, rows: NDArray[np.bool_], cells: Array
) -> None:
    quartiles_only = scenarios(cells) == "S2"
    low = np.where(quartiles_only, cells[:, Q1], cells[:, MIN])
    high = np.where(quartiles_only, cells[:, Q3], cells[:, MAX])
    flat = rows & (high - low <= np.finfo(float).eps * np.abs(high))
    if flat.any():
        raise DataError(
            f"The quantiles of {name_rows(studies.study, flat)} coincide in the {arm[1:]} arm, so "
            f"that no SD can be made of them; give the SD, or {leave_out(studies.study, flat)}."
        )


def _words(
    studies: ContinuousStudies, arm: str, rows: NDArray[np.bool_], told: list[Told]
) -> tuple[str, ...]:
    """What was done to an arm of each study, and where it is advised against."""
    statistic, critical = skewness(studies, arm)
    median = getattr(studies, f"median{arm}")
    printed = [np.isfinite(getattr(studies, f"{name}{arm}")) for name in ("mean", "sd")]
    texts = []
    for i in range(studies.k):
        text = f"{arm[1:]}: {_made_of(told[i], printed[0][i], printed[1][i])}" if rows[i] else ""
        if np.isnan(median[i]):
            text = text.replace("median and", "its").replace("the five-number summary", ITS_FOUR)
        if rows[i] and statistic[i] > critical[i] and not told[i][2].endswith(SKEWED):
            text += (
                f"; skewed by Shi's test ({statistic[i]:.2g} against {critical[i]:.2g}): "
                "conversion not advised"
            )
        texts.append(text)
    return tuple(texts)


def _made_of(told: Told, mean_printed: np.bool_, sd_printed: np.bool_) -> str:
    mean_by, sd_by, source = told
    if mean_by == sd_by and not (mean_printed or sd_printed):
        return f"mean and SD by {mean_by}, {source}"
    mean = "mean as printed" if mean_printed else f"mean by {mean_by}"
    sd = "SD as printed" if sd_printed else f"SD by {sd_by}"
    return f"{mean}, {sd}, {source}"


def _possible(studies: ContinuousStudies, arm: str, made: Made) -> Made:
    """Bring estimates to what a sample within the printed range can have."""
    mean, sd, told = made
    low, high, n = (getattr(studies, f"{name}{arm}") for name in ("min", "max", "n"))
    widest = (high - low) / 2 * np.sqrt(n / (n - 1))
    told = [
        (mean_by, f"{sd_by}, limited to the largest within the range" if cut else sd_by, source)
        for (mean_by, sd_by, source), cut in zip(told, sd > widest, strict=True)
    ]
    return np.fmin(np.fmax(mean, low), high), np.fmin(sd, widest), told


def _by_formulas(cells: Array, n: Array, rows: NDArray[np.bool_]) -> Made:
    low, q1, median, q3, high = cells.T
    kinds = scenarios(cells)
    middle, centre = (low + high) / 2, (q1 + q3) / 2
    xi = 2 * ndtri((n - 0.375) / (n + 0.25))
    eta = 2 * ndtri((0.75 * n - 0.125) / (n + 0.25))
    w1, w2 = 4 / (4 + n**0.75), 0.7 + 0.39 / n  # Luo 2018
    v1, v2 = 2.2 / (2.2 + n**0.75), 0.7 - 0.72 / n**0.55  # Luo 2018, all five
    w3 = 1 / (1 + 0.07 * n**0.6)  # Shi 2020
    means = {
        "S1": w1 * middle + (1 - w1) * median,
        "S2": w2 * centre + (1 - w2) * median,
        "S3": v1 * middle + v2 * centre + (1 - v1 - v2) * median,
    }
    sds = {
        "S1": (high - low) / xi,  # Wan 2014
        "S2": (q3 - q1) / eta,  # Wan 2014
        "S3": w3 * (high - low) / xi + (1 - w3) * (q3 - q1) / eta,
    }
    mean = np.select([kinds == one for one in means], list(means.values()), np.nan)
    sd = np.select([kinds == one for one in sds], list(sds.values()), np.nan)
    return mean, sd, [("Luo 2018", SD_BY.get(kind, ""), f"from {FROM.get(kind)}") for kind in kinds]


def _by_estimation(cells: Array, n: Array, rows: NDArray[np.bool_]) -> Made:
    mean, sd = np.full((2, len(n)), np.nan)
    told = [("", "", "")] * len(n)
    kinds = scenarios(cells)
    for i in np.flatnonzero(rows):
        names = SCENARIOS[kinds[i]]
        tail = max(1 / n[i], 1e-12)  # any rarer is probability 0 to the quantile functions
        at = {"min": tail, "q1": 0.25, "median": 0.5, "q3": 0.75, "max": 1 - tail}
        shown = cells[i, [QUANTILES.index(name) for name in names]]
        mean[i], sd[i], best = quantile_estimate(shown, np.array([at[name] for name in names]))
        told[i] = (ESTIMATION, ESTIMATION, f"from {FROM[kinds[i]]}, {best} fits best")
    known = np.isfinite(cells)
    span = np.where(known, cells, -np.inf).max(axis=1) - np.where(known, cells, np.inf).min(axis=1)
    runaway = rows & (sd > RUNAWAY * span)
    if runaway.any():
        plain = _by_formulas(cells, n, runaway)
        mean, sd = np.where(runaway, plain[0], mean), np.where(runaway, plain[1], sd)
        told = [plain[2][i] if runaway[i] else one for i, one in enumerate(told)]
    return mean, sd, told


_MAKERS: Mapping[str, Callable[[Array, Array, NDArray[np.bool_]], Made]] = {
    "formulas": _by_formulas,
    "QE": _by_estimation,
}
