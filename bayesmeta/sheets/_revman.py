"""Exports of RevMan: data and results side by side, and in RevMan 5 totals among the studies."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ._sets import EXPORTS, SIDES, Found, NameSet
from ._words import blank_in, key, numbers_of

if TYPE_CHECKING:
    import pandas as pd

    from ._matching import Match

type Columns = "dict[str, pd.Series]"

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
    return any(bool((np.nan_to_num(numbers_of(found.column(p))) != 0).any()) for p in telling)


def without_totals(columns: Columns, found: "Match") -> tuple[Columns, tuple[str, ...]]:
    """Leave out the rows of comparisons, outcomes and subgroups, and say how many.

    An outcome of counts has zeros for its means, and one of means for its events: they are no
    figures and become blank.
    """
    by_key = {key(name): column for name, column in columns.items()}
    if "RevMan 5" not in {one.source for one in found.sets} or "outcomenumber" not in by_key:
        return columns, ()
    totals = _totals(by_key)
    columns = {name: column.loc[~totals] for name, column in columns.items()}
    _blank_zeros(columns)
    count = int(totals.sum())
    return columns, ((f"{count} rows of RevMan 5 with totals left out",) if count else ())


def _totals(by_key: "dict[str, pd.Series]") -> NDArray[np.bool_]:
    outcome = numbers_of(by_key["outcomenumber"])
    totals = outcome == 0
    if "datatype" in by_key:
        return totals | ~blank_in(by_key["datatype"])
    comparison = numbers_of(by_key.get("comparisonnumber", by_key["outcomenumber"]))
    pairs = zip(comparison, outcome, strict=True)
    seen: set[tuple[float, float]] = set()
    first = np.array([not (pair in seen or seen.add(pair)) for pair in pairs], dtype=bool)
    return totals | first


def _blank_zeros(columns: Columns) -> None:
    means = [f"{name}{side}" for side in SIDES for name in ("mean", "sd")]
    events = [f"events{side}" for side in SIDES]
    if not {*means, *events} <= columns.keys():
        return
    of_means = np.any([np.nan_to_num(numbers_of(columns[name])) != 0 for name in means], axis=0)
    for names, where in ((means, ~of_means), (events, of_means)):
        for name in names:
            columns[name] = columns[name].astype(object).where(np.logical_not(where), None)
