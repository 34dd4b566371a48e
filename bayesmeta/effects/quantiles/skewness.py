"""Whether quantiles and a sample size betray a skewed sample."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...studies import QUANTILES, ContinuousStudies, need

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

FEWEST = 5  # patients: below it neither the test nor the conversions were made
SCENARIOS: Mapping[str, tuple[str, ...]] = {  # the fullest last
    "S1": ("min", "median", "max"),
    "S2": ("q1", "median", "q3"),
    "S3": QUANTILES,
}


def skewness_test(studies: ContinuousStudies) -> "pd.DataFrame":
    """Test each arm that reports quantiles for skewness.

    The conversions of quantiles to a mean and an SD suppose a normal sample; an arm that this test
    calls skewed (at the 5% level) should not be converted by the formulas.

    Parameters
    ----------
    studies : ContinuousStudies

    Returns
    -------
    DataFrame
        One row per arm of 5 patients or more with median and range (scenario ``"S1"``), median and
        quartiles (``"S2"``) or all five (``"S3"``): study, arm, scenario, statistic,
        critical_value, skewed.

    References
    ----------
    Shi J, Luo D, Wan X, et al. (2023). Detecting the skewness of data from the five-number summary
    and its application in meta-analysis. Stat Methods Med Res 32:1338-1360.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> stay = bm.ContinuousStudies(
    ...     study=["A"], n_treatment=[60], q1_treatment=[4], median_treatment=[5],
    ...     q3_treatment=[11], n_control=[58], mean_control=[9.1], sd_control=[6.0])
    >>> bm.skewness_test(stay)[["arm", "statistic", "critical_value", "skewed"]].round(2)
             arm  statistic  critical_value  skewed
    0  treatment       0.71            0.34    True
    """
    import pandas as pd

    need(studies, ContinuousStudies, "the test of skewness is for arms with quantiles")
    rows = []
    for arm in studies.arms:
        kinds = scenarios(studies.quantiles(arm))
        statistic, critical = skewness(studies, arm)
        rows += [
            (i, studies.study[i], arm[1:], kinds[i], statistic[i], critical[i])
            for i in np.flatnonzero(np.isfinite(statistic))
        ]
    names = ["row", "study", "arm", "scenario", "statistic", "critical_value"]
    table = pd.DataFrame(rows, columns=names).sort_values("row", kind="stable", ignore_index=True)
    table = table.astype({"statistic": float, "critical_value": float})
    table["skewed"] = (table["statistic"] > table["critical_value"]).astype(bool)
    return table.drop(columns="row")


def skewness_caution(studies: ContinuousStudies) -> str:
    """Say for which arms a conversion of quantiles is advised against; ``""`` for none.

    Parameters
    ----------
    studies : ContinuousStudies
        Arms with a mean and an SD need no conversion and are not named.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> stay = bm.ContinuousStudies(
    ...     study=["A"], n_treatment=[60], q1_treatment=[4], median_treatment=[5],
    ...     q3_treatment=[11], n_control=[58], mean_control=[9.1], sd_control=[6.0])
    >>> bm.skewness_caution(stay)[:52]
    'The quantiles of A (treatment) are those of a skewed'
    """
    need(studies, ContinuousStudies, "the test of skewness is for arms with quantiles")
    bare = {
        (name, arm[1:])
        for arm in studies.arms
        for name, has in zip(studies.study, studies.has_moments(arm), strict=True)
        if not has
    }
    found = skewness_test(studies)
    pairs = zip(found["study"][found["skewed"]], found["arm"][found["skewed"]], strict=True)
    named = ", ".join(f"{study} ({arm})" for study, arm in pairs if (study, arm) in bare)
    if not named:
        return ""
    return (
        f"The quantiles of {named} are those of a skewed sample by Shi's test: means and SDs made "
        "of them by formulas for normal samples are not to be trusted; use a likelihood that takes "
        'quantiles as they are, method="QE", or the ratio of geometric means.'
    )


def scenarios(quantiles: Array) -> NDArray[np.str_]:
    """Name the set that each row of `quantiles`, (k, 5), has; ``""`` for none of the three."""
    shown = np.isfinite(quantiles)
    found = np.full(len(quantiles), "", dtype="<U2")
    for scenario, names in SCENARIOS.items():
        has = shown[:, [QUANTILES.index(name) for name in names]].all(axis=1)
        found[has] = scenario
    return found


def skewness(studies: ContinuousStudies, arm: str) -> tuple[Array, Array]:
    """Statistics and critical values of an arm, each (k,); NaN where there is no test."""
    low, q1, median, q3, high = studies.quantiles(arm).T
    n = np.where(getattr(studies, f"n{arm}") >= FEWEST, getattr(studies, f"n{arm}"), np.nan)
    outer, inner = _asymmetry(low, median, high), _asymmetry(q1, median, q3)
    root = np.sqrt(n)
    tests = {  # Shi 2023
        "S1": (outer, 1 / np.log(n + 9) + 2.5 / (n + 1)),
        "S2": (inner, 2.65 / root - 6 / n**2),
        "S3": (
            np.maximum(2.65 * np.log(0.6 * n) / root * outer, inner),
            3 / root - 40 / n**3,
        ),
    }
    kinds = scenarios(studies.quantiles(arm))
    statistic, critical = np.full((2, studies.k), np.nan)
    for scenario, (found, limit) in tests.items():
        rows = (kinds == scenario) & np.isfinite(n)
        statistic[rows], critical[rows] = found[rows], limit[rows]
    return statistic, critical


def _asymmetry(low: Array, middle: Array, high: Array) -> Array:
    """How far the middle lies from the centre, as a share of the width; 0 without width."""
    width = high - low
    share = np.abs(low + high - 2 * middle) / np.where(width == 0, 1.0, width)
    return np.where(width == 0, 0.0, share)
