"""Exports of RevMan: data and results side by side, and in RevMan 5 totals among the studies."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..figures.words import blank_in, column_of, key, numbers_of, rows_in_words
from .sets import EXPORTS, SIDES, Found, NameSet

if TYPE_CHECKING:
    import pandas as pd

    from .settled import Match

_OUTCOME = ("comparisonnumber", "outcomenumber")
_TELLING = ("events", "sd", "se", "v_of")


def exported(found: "Match") -> list[tuple[NameSet, Found]]:
    """The sets of an export that hold data; its results are kept out."""
    sets = []
    for export, results in EXPORTS.values():
        whole = [(one, where) for one in export if (where := found.find(one)) is not None]
        if any(one.two_arms for one, _ in whole) or any(
            "givse" in one.needs.get("se", ()) for one, _ in whole
        ):
            sets += _with_data(found, whole)
            found.hide(results)
    return sets


def _with_data(found: "Match", whole: list[tuple[NameSet, Found]]) -> list[tuple[NameSet, Found]]:
    filled = [(one, where) for one, where in whole if _filled(found, where)] or whole[:1]
    arms = any(one.two_arms for one, _ in filled)
    return [
        (one, where)
        for one, where in filled
        if one.two_arms or not arms or (found.asked == "HR" and not one.alone)
    ]


def _filled(found: "Match", where: Found) -> bool:
    """Whether the columns that only this kind of data fills hold more than blanks and zeros."""
    telling = [places[0] for ours, places in where.items() if ours.startswith(_TELLING)]
    return any(_has_figures(found.column(place)) for place in telling)


def _has_figures(column: "pd.Series") -> bool:
    return bool(((numbers_of(column) != 0) & ~blank_in(column)).any())


def without_totals(frame: "pd.DataFrame") -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """Leave out the rows of comparisons, outcomes and subgroups, and say which.

    An outcome of counts has zeros for its means, and one of means for its events: they are no
    figures and become blank.

    Raises
    ------
    DataError
        If nothing tells totals from studies.
    """
    by_key = {key(str(name)): frame.iloc[:, i] for i, name in enumerate(frame.columns)}
    if "outcomenumber" not in by_key:
        return frame, ()
    totals = _totals(frame, by_key)
    kept = _with_blank_zeros(frame.loc[~totals])
    rows = np.flatnonzero(totals).tolist()
    names = [str(name) for name in frame["study"]] if "study" in frame else None
    what = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    said = f"{what} of RevMan 5 with totals left out: {rows_in_words(names, rows)}"
    return kept, ((said,) if rows else ())


def is_of_export(head: str) -> bool:
    """Whether a column tells totals of RevMan 5 from studies, whatever else it is used for."""
    return key(head) in ("outcomenumber", "comparisonnumber", "subgroupnumber", "datatype")


def _totals(frame: "pd.DataFrame", by_key: "dict[str, pd.Series]") -> NDArray[np.bool_]:
    outcome = numbers_of(by_key["outcomenumber"])
    totals = outcome == 0
    if "datatype" in by_key:
        return totals | ~blank_in(by_key["datatype"])
    of = [numbers_of(by_key[name]) for name in _OUTCOME if name in by_key]
    subgroup = numbers_of(by_key["subgroupnumber"]) if "subgroupnumber" in by_key else 0 * outcome
    figures, spread = _figures(frame), _spread(frame)
    for groups in ([*of, subgroup], of):  # totals of subgroups, then of outcomes
        for rows in _groups(groups, ~totals):
            first, rest = rows[0], rows[1:]
            is_sum = _is_sum(figures[:, first], figures[:, rest])
            totals[first] |= is_sum and not spread[first]
    if any(len(rows) > 1 and not figures[:, rows].any() for rows in _groups(of, ~totals)):
        raise DataError(
            "Nothing tells totals from studies among these rows of RevMan 5; keep the column "
            "'Data Type', which is blank for studies, or take 'Outcome Number' out."
        )
    return totals


def _spread(frame: "pd.DataFrame") -> NDArray[np.bool_]:
    """Rows with SDs, which totals have not."""
    names = [name for side in SIDES if (name := f"sd{side}") in frame]
    found = [np.nan_to_num(numbers_of(column_of(frame, name))) != 0 for name in names]
    return np.any([np.zeros(len(frame), dtype=bool), *found], axis=0)


def _figures(frame: "pd.DataFrame") -> NDArray[np.float64]:
    """What adds up in totals, (columns, rows): events, patients and observed minus expected."""
    names = [f"{name}{side}" for name in ("events", "n") for side in SIDES]
    names = [name for name in (*names, "o_minus_e", "v_of_o_minus_e") if name in frame]
    columns = [np.nan_to_num(numbers_of(column_of(frame, name))) for name in names]
    return np.array(columns).reshape(len(names), len(frame))


def _groups(by: "Sequence[NDArray[np.float64]]", rows: NDArray[np.bool_]) -> list[list[int]]:
    found: dict[tuple[float, ...], list[int]] = {}
    for i in np.flatnonzero(rows).tolist():
        found.setdefault(tuple(float(one[i]) for one in by), []).append(i)
    return list(found.values())


def _is_sum(total: NDArray[np.float64], parts: NDArray[np.float64]) -> bool:
    return bool(total.any()) and np.allclose(total, parts.sum(axis=1), rtol=1e-9, atol=1e-9)


def _with_blank_zeros(frame: "pd.DataFrame") -> "pd.DataFrame":
    means = [f"{name}{side}" for side in SIDES for name in ("mean", "sd")]
    events = [f"events{side}" for side in SIDES]
    if not {*means, *events} <= {*map(str, frame.columns)}:
        return frame
    of_means = np.any(
        [np.nan_to_num(numbers_of(column_of(frame, name))) != 0 for name in means], axis=0
    )
    blank = {
        name: frame[name].astype(object).where(np.logical_not(where), None)
        for names, where in ((means, ~of_means), (events, of_means))
        for name in names
    }
    return frame.assign(**blank)
