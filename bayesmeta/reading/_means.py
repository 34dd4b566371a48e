"""Means per arm in the forms that papers have: SDs, standard errors, widths, changes."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from ..effects import change_from_baseline
from ..errors import DataError
from ..studies import ContinuousStudies, join_how, name_rows, read_numbers
from ..ways import way
from ._asked import Reading
from ._columns import ARMS, all_filled, filled

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]
type Derived = tuple[NDArray[np.bool_], Mapping[str, Array], str]


def read_means(frame: "pd.DataFrame", reading: Reading) -> ContinuousStudies:
    """Read arms, or changes from baseline; what is derived of other figures says how."""
    if any(filled(frame, f"mean_baseline{arm}").any() for arm in ARMS):
        if not reading.final_values:
            return _changes(frame, reading)
        own = {f"{name}{arm}" for name in ("mean_baseline", "sd_baseline") for arm in ARMS}
        frame = frame.drop(columns=[name for name in frame if str(name) in own])
    return ContinuousStudies.from_frame(_with_sds(frame, reading))


def _changes(frame: "pd.DataFrame", reading: Reading) -> ContinuousStudies:
    own = all(filled(frame, f"sd_change{arm}").all() for arm in ARMS)
    if reading.correlation is None and not own and not filled(frame, "correlation").any():
        raise DataError(
            "The table has baseline and final values: say what is analysed. Changes from baseline "
            "need the correlation of the two, e.g. "
            f"{way('correlation', 0.5)} (try several); final values alone: {way('final')}."
        )
    return change_from_baseline(frame, correlation=reading.correlation)


def _with_sds(frame: "pd.DataFrame", reading: Reading) -> "pd.DataFrame":
    """SDs where a standard error or the width of the quartiles stands for them."""
    how = [frame["how"].fillna("").astype(str).tolist()] if "how" in frame else []
    study, used = [str(name) for name in frame["study"]], list[str]()
    for arm in ARMS:
        for derive in _MADE_OF:
            found = derive(frame, arm, study, reading)
            if found is None:
                continue
            rows, made, words = found
            frame = frame.assign(
                **{name: _put(frame, name, rows, values) for name, values in made.items()}
            )
            how.append([f"{arm[1:]}: {words}" if row else "" for row in rows])
            used += [f"{name}{arm}" for name in _MADE_OF[derive]]
    frame = frame.drop(columns=[name for name in used if name in frame])
    return frame.assign(how=join_how(*how)) if how else frame


def _from_error(
    frame: "pd.DataFrame", arm: str, study: Sequence[str], reading: Reading
) -> Derived | None:
    rows = ~filled(frame, f"sd{arm}") & all_filled(frame, (f"mean{arm}", f"se{arm}", f"n{arm}"))
    if not rows.any():
        return None
    se, n = (_numbers(frame, f"{name}{arm}", rows, study) for name in ("se", "n"))
    return rows, {f"sd{arm}": se * np.sqrt(n)}, "SD from the standard error of the mean"


def _from_interval(
    frame: "pd.DataFrame", arm: str, study: Sequence[str], reading: Reading
) -> Derived | None:
    """SDs of intervals of means, by t with n - 1 degrees of freedom (Handbook 6.5.2.2)."""
    limits = (f"lower_mean{arm}", f"upper_mean{arm}")
    rows = ~filled(frame, f"sd{arm}") & all_filled(frame, (f"mean{arm}", *limits, f"n{arm}"))
    if not rows.any():
        return None
    low, high, n = (_numbers(frame, name, rows, study) for name in (*limits, f"n{arm}"))
    mean = _numbers(frame, f"mean{arm}", rows, study)
    bad = rows & ~((low < mean) & (mean < high) & (n >= 2))
    if bad.any():
        raise DataError(
            f"mean{arm} must lie between {limits[0]} and {limits[1]}, of 2 patients or more; check "
            f"{name_rows(study, bad)}."
        )
    quantile = stdtrit(np.maximum(n, 2) - 1, (1 + reading.prob) / 2)
    words = f"SD from the {100 * reading.prob:g}% interval of the mean, by t"
    return rows, {f"sd{arm}": np.sqrt(n) * (high - low) / (2 * quantile)}, words


def _from_width(
    frame: "pd.DataFrame", arm: str, study: Sequence[str], reading: Reading
) -> Derived | None:
    """A mean and an SD of the median and the width of the quartiles (Wan 2014, as if normal)."""
    rows = all_filled(frame, (f"median{arm}", f"iqr{arm}", f"n{arm}"))
    for name in ("mean", "sd", "q1", "q3"):
        rows &= ~filled(frame, f"{name}{arm}")
    if not rows.any():
        return None
    width, n, median = (_numbers(frame, f"{x}{arm}", rows, study) for x in ("iqr", "n", "median"))
    bad = rows & ~(width > 0)
    if bad.any():
        raise DataError(
            f"iqr{arm}, the width of the quartiles, must be positive; check "
            f"{name_rows(study, bad)}."
        )
    sd = width / (2 * ndtri((0.75 * n - 0.125) / (n + 0.25)))
    words = "SD from the width of the quartiles (Wan 2014), mean taken to be the median"
    return rows, {f"sd{arm}": sd, f"mean{arm}": median}, words


# What an SD is made of, and by what.
_MADE_OF: "Mapping[Callable[..., Derived | None], tuple[str, ...]]" = {
    _from_error: ("se",),
    _from_interval: ("lower_mean", "upper_mean"),
    _from_width: ("iqr",),
}


def _numbers(
    frame: "pd.DataFrame", name: str, rows: NDArray[np.bool_], study: Sequence[str]
) -> Array:
    """A column as floats in some rows, NaN in the others."""
    found = np.full(len(frame), np.nan)
    found[rows] = read_numbers(frame.loc[rows, name], name, study, rows)  # pyright: ignore[reportArgumentType]
    return found


def _put(frame: "pd.DataFrame", name: str, rows: NDArray[np.bool_], values: Array) -> list[object]:
    """The cells of a column, with values in place of some rows."""
    cells = list(frame[name]) if name in frame else [np.nan] * len(frame)
    return [values[i] if rows[i] else cell for i, cell in enumerate(cells)]
