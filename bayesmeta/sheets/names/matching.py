"""Which column of a table is which of ours."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ColumnError, DataError
from ...ways import shown
from ..figures.words import blank_in, key
from .measures import DIFFERENCES, RATIOS, fits, refuse_other
from .revman import exported
from .sets import (
    ARM,
    ESTIMATES,
    OUR_KEYS,
    OURS,
    SIDES,
    STUDY,
    Found,
    NameSet,
    all_sets,
)
from .settled import Match

if TYPE_CHECKING:
    import pandas as pd


def match(
    frame: "pd.DataFrame", heads: Sequence[str], given: Mapping[str, int], asked: str | None
) -> Match:
    """Find our names among a table's columns."""
    found = Match(frame, asked, tuple(heads), dict(given), given=tuple(given))
    found.index()
    exports = exported(found)
    _exact(found)
    _study(found)
    _read(found, exports)
    _spelled(found)
    return found


def _exact(found: Match) -> None:
    for ours in OURS:
        places = [p for p in found.free([key(ours)]) if found.heads[p] == ours]
        if len(places) > 1:
            raise DataError(f"The table has more than one column {shown(ours)}; keep one of them.")
        if places and ours not in found.places:
            found.claim(ours, places)


def _study(found: Match) -> None:
    for keys in (("study",), *STUDY):
        places = [p for p in found.free(keys) if p not in found.places.values()]
        if "study" not in found.places and places:
            found.claim("study", places)


def _spelled(found: Match) -> None:
    """Claim what is ours but for case and blanks, where nothing else has."""
    for one, ours in OUR_KEYS.items():
        places = [p for p in found.free([one]) if p not in found.places.values()]
        if places and ours not in found.places:
            found.claim(ours, places)
        elif places and ours not in found.given and _same_name(found, ours, one):
            found.claim(ours, [found.places[ours], *places])


def _same_name(found: Match, ours: str, one: str) -> bool:
    """Whether what is settled has the name of another column, but for case and blanks."""
    return key(found.heads[found.places[ours]]) == one


def _read(found: Match, exports: list[tuple[NameSet, Found]]) -> None:
    """Read the complete sets: two arms, then estimates, then single arms."""
    of_exports = {id(one) for one, _ in exports}
    whole = [*exports, *((one, w) for one in all_sets() if (w := found.find(one)) is not None)]
    whole.sort(key=lambda pair: _order(pair[0]))
    whole = _asked_alone(found, whole)
    for one, where in whole:
        if id(one) in of_exports or _wanted(found, one, where):
            _accept(found, one, where)
    if not found.has_arms:
        _arm(found)


def _order(one: NameSet) -> tuple[int, int]:
    """Two arms before estimates before single arms; of estimates, y with its error first."""
    if one.rank != ESTIMATES:
        return (0 if one.two_arms else 2), one.rank
    return 1, 2 if one.on_log_scale else 0 if "y" in one.needs else 1


def _asked_alone(found: Match, whole: list[tuple[NameSet, Found]]) -> list[tuple[NameSet, Found]]:
    """Of several measures, leave those not asked for; beside the figures of arms, leave all."""
    measured = [(one, where) for one, where in whole if one.measure]
    mine = [(one, where) for one, where in measured if one.measure == found.asked]
    arms = found.has_arms or any(one.two_arms for one, _ in whole)
    if len({one.measure for one, _ in measured}) < 2 or not (mine or arms):
        return whole
    theirs = {p for pair in measured if pair not in mine for p in _all(pair[1])}
    sure = [(one, where) for one, where in mine if theirs.isdisjoint(_all(where))]
    if not sure and not arms:
        names = {found.heads[p] for _, where in measured for p in where.get("estimate", ())}
        raise ColumnError(
            f"More than one column could be estimate: {', '.join(map(repr, sorted(names)))}.",
            "estimate",
        )
    return [pair for pair in whole if not pair[0].measure or pair in sure]


def _all(where: Found) -> set[int]:
    return {p for places in where.values() for p in places}


def _wanted(found: Match, one: NameSet, where: Found) -> bool:
    if _order(one)[0] == 2:
        spelled = any(OUR_KEYS.get(key(h), "").endswith(SIDES) for h in found.heads)
        estimates = "y" in found.places or "estimate" in found.places
        return not (found.has_arms or spelled or estimates) and (
            not one.rows_are_arms or _arm_place(found) is not None
        )
    if one.rank != ESTIMATES:
        return True
    return _wanted_estimate(found, one, where)


def _wanted_estimate(found: Match, one: NameSet, where: Found) -> bool:
    other = "estimate" if "y" in one.needs else "y"
    if other in found.places or (one.on_log_scale and "y" in found.places):
        return False
    beside = found.has_arms and not _fills_gaps(found, where)
    if one.alone and beside:
        _leave(found, where, "results of the figures beside them")
        return False
    if not _fits(one, found.asked):
        if beside:
            _leave(found, where, f"of {one.measure}, and {found.asked} is asked for")
            return False
        place = where["y" if "y" in where else "estimate"][0]
        refuse_other(found.heads[place], one.measure, found.asked)
    return not one.on_log_scale or _wanted_log(found, one, where, beside=beside)


def _leave(found: Match, where: Found, why: str) -> None:
    names = ", ".join(found.heads[places[0]] for places in where.values())
    found.left.append(f"{names} left as they are: {why}")


def _wanted_log(found: Match, one: NameSet, where: Found, *, beside: bool) -> bool:
    """Whether an estimate with an interval on the analysis scale can be read."""
    if beside:
        return False
    if not one.measure and found.asked in DIFFERENCES:
        return True
    if not one.measure and found.asked not in RATIOS:
        return False
    names = ", ".join(found.heads[places[0]] for places in where.values())
    raise DataError(
        f"The columns {names} are on the log scale, where an interval is not read; give the "
        "standard error of the logarithm beside it, or the ratio with its limits as estimate, "
        "lower and upper."
    )


def _fills_gaps(found: Match, where: Found) -> bool:
    """Whether a row has these figures and lacks some of its arms'."""
    full = np.ones(len(found.frame), dtype=bool)
    for places in where.values():
        full &= ~blank_in(found.column(places[0]))
    gaps = np.zeros(len(found.frame), dtype=bool)
    for ours, place in found.places.items():
        if ours.endswith(SIDES):
            gaps |= blank_in(found.column(place))
    return bool((full & gaps).any())


def _fits(one: NameSet, asked: str | None) -> bool:
    return fits(one.measure, asked) or (asked == "GEN" and "y" in one.needs)


def _accept(found: Match, one: NameSet, where: Found) -> None:
    if one.on_log_scale:
        where = {("estimate" if ours == "y" else ours): p for ours, p in where.items()}
    at = found.clash(where)
    if at is None:
        new = [ours for ours in where if ours not in found.places]
        for ours in new:
            found.claim(ours, where[ours], one)
        if new:
            found.sets.append(one)
        return
    other = found.owner(at)
    if other is not None and other.rank == one.rank and other.two_arms == one.two_arms:
        raise ColumnError(_two_ways(found, at, other, one, where), at)


def _two_ways(found: Match, ours: str, first: NameSet, second: NameSet, where: Found) -> str:
    mine = found.heads[found.places[ours]] if ours in found.places else ""
    names = sorted({mine, *(found.heads[p] for p in where[ours])} - {""})
    sources = sorted({one.source for one in (first, second)} - {""})
    of = f" (names of {' and of '.join(sources)})" if sources else ""
    return f"More than one column could be {ours}: {', '.join(map(repr, names))}{of}."


def _arm_place(found: Match) -> int | None:
    """The column that names the arm, where studies have several rows."""
    if "study" not in found.places or not found.column(found.places["study"]).duplicated().any():
        return None
    if "arm" in found.places:
        return found.places["arm"]
    for word in ARM:
        places = [p for p in found.free([word]) if p not in found.places.values()]
        if places:
            return places[0]
    return None


def _arm(found: Match) -> None:
    of_rows = {"events", "mean", "median"} & found.places.keys()
    place = _arm_place(found) if of_rows else None
    if place is not None and "arm" not in found.places:
        found.claim("arm", [place])
