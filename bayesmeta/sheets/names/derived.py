"""Columns that follow from others: patients from non-events, errors from variances."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..figures.words import blank_in, column_of, numbers_of, unread_in
from .names import Named
from .revman import without_totals
from .sets import SIDES

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]
type Columns = "dict[str, pd.Series]"


def derived(frame: "pd.DataFrame", found: Named) -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """Add what follows from columns, in place of what it follows from.

    Parameters
    ----------
    frame : DataFrame
        That of `found`, its printed numbers as plain ones.
    found : Named

    Returns
    -------
    frame : DataFrame
        Its index tells which rows are left: totals of RevMan 5 are left out.
    said : tuple of str
        What was made of what.

    Notes
    -----
    A cell that is no number stays a text that says how it was used, for those who read numbers to
    refuse by its row; so does one that contradicts what it follows from.
    """
    said: list[str] = []
    if "RevMan 5" in found.sources:
        frame, totals = without_totals(frame)
        said += totals
    heads = found.heads
    before = {ours: column_of(frame, ours) for ours in heads if ours in frame}
    columns = dict(before)
    for side in (*SIDES, ""):
        _patients(columns, heads, said, side)
        _root(columns, heads, said, f"sd{side}", f"var{side}")
    if "y" in columns or "estimate" in columns:
        _root(columns, heads, said, "se", "variance")
    elif "mean" in columns:
        _root(columns, heads, said, "sd", "variance")
    _peto(columns, heads, said)
    new = {ours: one for ours, one in columns.items() if one is not before.get(ours)}
    gone = [ours for ours in before if ours not in columns]
    if new or gone:
        frame = frame.drop(columns=gone).assign(**new)
    return frame, tuple(said)


def _patients(columns: Columns, theirs: Mapping[str, str], said: list[str], side: str) -> None:
    events, others, n = (f"{name}{side}" for name in ("events", "nonevents", "n"))
    if events not in columns or others not in columns:
        return
    parts = numbers_of(columns[events]), numbers_of(columns[others])
    total = parts[0] + parts[1]
    unread = unread_in(columns[others], parts[1])
    cells = columns[events], columns[others]
    made = _with_texts(
        total, unread, lambda i: f"{cells[0].iloc[i]} + {cells[1].iloc[i]}", cells[1]
    )
    if n in columns:
        made = _agreed(columns[n], made, total, theirs.get(n, n))
    columns[n] = made
    del columns[others]
    said.append(f"{n} from {theirs.get(events, events)} + {theirs.get(others, others)}")


def _agreed(printed: "pd.Series", made: "pd.Series", total: Array, name: str) -> "pd.Series":
    """Fill gaps of a printed column; where the two differ, a text that says so."""
    n = numbers_of(printed)
    differ = ~np.isnan(n) & ~np.isnan(total) & (n != total)
    cells = printed.astype(object).where(~blank_in(printed), made.astype(object))
    for i in np.flatnonzero(differ):
        cells.iloc[i] = f"{printed.iloc[i]} in {name}, but {total[i]:g} by events and non-events"
    return cells


def _root(
    columns: Columns, theirs: Mapping[str, str], said: list[str], ours: str, source: str
) -> None:
    if source not in columns:
        return
    variance = columns.pop(source)
    values = numbers_of(variance)
    unread = unread_in(variance, values) | (values < 0)
    root = np.sqrt(np.where(unread, np.nan, values))
    made = _with_texts(root, unread, lambda i: f"square root of {variance.iloc[i]}", variance)
    used = ~blank_in(variance)
    if ours in columns:
        own = columns[ours]
        used &= blank_in(own)
        made = own.astype(object).where(~blank_in(own), made.astype(object))
        for i in np.flatnonzero(_roots_differ(own, variance)):
            made.iloc[i] = f"{own.iloc[i]} ≠ √{variance.iloc[i]}"
    columns[ours] = made
    if used.any():
        said.append(f"{ours} as the square root of {theirs.get(source, source)}")


def _roots_differ(error: "pd.Series", variance: "pd.Series") -> NDArray[np.bool_]:
    """Rows in which an error is not the root of its variance to the rounding of both, (rows,)."""
    low, high = _rounded(error)
    least, most = (np.sqrt(np.maximum(one, 0)) for one in _rounded(variance))
    return (high < least) | (low > most)


def _rounded(column: "pd.Series") -> tuple[Array, Array]:
    """Between which numbers a printed one was rounded, NaN where there is none."""
    values = numbers_of(column)
    half = np.array([0.5 * 10.0 ** -_decimals(str(cell)) for cell in column])
    half += 1e-9 * half + 1e-12 * np.abs(values)  # what floats lose
    return values - half, values + half


def _decimals(text: str) -> int:
    digits, _, exponent = text.lower().partition("e")
    power = int(exponent) if exponent.lstrip("+-").isdecimal() else 0
    return len(digits.partition(".")[2]) - power


def _peto(columns: Columns, theirs: Mapping[str, str], said: list[str]) -> None:
    """Peto's estimate, observed minus expected over its variance."""
    if not {"o_minus_e", "v_of_o_minus_e"} <= columns.keys():
        return
    difference, variance = columns.pop("o_minus_e"), columns.pop("v_of_o_minus_e")
    z, v = numbers_of(difference), numbers_of(variance)
    unread = unread_in(variance, v) | (v <= 0)
    v = np.where(v > 0, v, np.nan)
    columns["y"] = _with_texts(z / v, np.zeros(len(v), bool), str, difference)
    columns["se"] = _with_texts(
        1 / np.sqrt(v), unread, lambda i: f"1/√ of {variance.iloc[i]}", variance
    )
    names = (theirs.get(one, one) for one in ("o_minus_e", "v_of_o_minus_e"))
    said.append("y and se by Peto's method from {} and {}".format(*names))


def _with_texts(
    values: Array, where: NDArray[np.bool_], text: Callable[[int], str], like: "pd.Series"
) -> "pd.Series":
    import pandas as pd

    made = pd.Series(values, index=like.index)
    if where.any():
        made = made.astype(object)
        made[made.isna()] = None
        for i in np.flatnonzero(where):
            made.iloc[i] = text(int(i))
    return made
