"""Columns under our names, whatever program or person named them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, final

import numpy as np

from ..errors import DataError
from ..ways import way
from ._derived import with_derived
from ._matching import Match, match
from ._measures import RATIOS
from ._revman import without_totals
from ._sets import OURS
from ._words import blank_in, key

if TYPE_CHECKING:
    import pandas as pd


@final
@dataclass(frozen=True, slots=True)
class Named:
    """A table under our names.

    Attributes
    ----------
    frame : DataFrame
        With our names; what matched nothing keeps its name and its cells.
    said : tuple of str
        What was matched by more than its spelling, and what was made of columns.
    measure : str or None
        The measure that a column's name states.
    """

    frame: "pd.DataFrame"
    said: tuple[str, ...] = ()
    measure: str | None = None


def named(
    frame: "pd.DataFrame",
    *,
    columns: Mapping[str, str] | None = None,
    measure: str | None = None,
) -> Named:
    """Bring the columns of a table under our names.

    Parameters
    ----------
    frame : DataFrame
        Of any cells.
    columns : mapping of str to str, optional
        Our names to the table's, for what is not found or found wrongly.
    measure : str, optional
        The measure asked for, which the names may not contradict.

    Returns
    -------
    Named

    Raises
    ------
    DataError
        If `columns` names what is not there, several columns could be one of ours, or a column
        states another measure.

    Notes
    -----
    A name of ours is found without regard to case, blanks, underscores and hyphens. Other names are
    found in complete sets alone (``ai``, ``n1i``, ``ci``, ``n2i``; ``HR``, ``LCI``, ``UCI``): a
    single one of an incomplete set means nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> trials = pd.DataFrame(
    ...     {"Trial": ["A"], "ai": ["12"], "bi": ["28"], "ci": ["18"], "di": ["22"]})
    >>> found = named(trials)
    >>> found.frame.iloc[0].to_dict()  # doctest: +NORMALIZE_WHITESPACE
    {'study': 'A', 'events_treatment': '12', 'events_control': '18',
     'n_treatment': 40.0, 'n_control': 40.0}
    >>> found.said
    ('Trial as study; columns of metafor: ai, bi, ci, di', 'n_treatment from ai + bi', \
'n_control from ci + di')
    """
    heads = [str(name) for name in frame.columns]
    given = _given(heads, columns or {})
    found = match(frame, heads, given, measure)
    stated = _stated(found)
    if _nothing_to_do(found):
        return Named(frame, tuple(dict.fromkeys(found.left)), stated)
    made, said = _made(found)
    return Named(made, said, stated)


def _nothing_to_do(found: Match) -> bool:
    same = all(found.heads[place] == ours for ours, place in found.places.items())
    from_others = ("nonevents", "var_", "variance", "o_minus_e")
    return same and not any(ours.startswith(from_others) for ours in found.places)


def _given(heads: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Places of the columns that the caller named."""
    unknown = [ours for ours in columns if ours not in OURS]
    if unknown:
        near = get_close_matches(unknown[0], OURS, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"e.g. {way('columns', 'study')}."
        raise DataError(
            f"{way('columns', unknown[0])} is none of the columns that are read; {hint}"
        )
    given = {ours: _place(heads, ours, str(theirs)) for ours, theirs in columns.items()}
    for ours, place in given.items():
        twice = [one for one in given if given[one] == place and one != ours]
        if twice:
            raise DataError(
                f"Column {heads[place]!r} is named for {ours} and for {twice[0]}; it can be one "
                f"of them: {way('columns', ours)}."
            )
    return given


def _place(heads: Sequence[str], ours: str, theirs: str) -> int:
    for places in (
        [i for i, head in enumerate(heads) if head == theirs],
        [i for i, head in enumerate(heads) if key(head) == key(theirs)],
    ):
        if len(places) > 1:
            raise DataError(f"The table has more than one column {theirs!r}; keep one of them.")
        if places:
            return places[0]
    raise DataError(
        f"The table has no column {theirs!r} (for {ours}); it has {', '.join(heads)}. Name one of "
        f"them with {way('columns', ours)}."
    )


def _stated(found: Match) -> str | None:
    owners = [found.owner(ours) for ours in ("estimate", "y")]
    return next((one.measure for one in owners if one is not None and one.measure), None)


def _made(found: Match) -> "tuple[pd.DataFrame, tuple[str, ...]]":
    import pandas as pd

    theirs = {ours: found.heads[place] for ours, place in found.places.items()}
    ours_at = {place: ours for ours, place in found.places.items()}
    names = _apart(found.heads, ours_at)
    columns = {name: found.column(i) for i, name in enumerate(names)}
    said = [one for one in (_matched(found, theirs),) if one]
    said += dict.fromkeys(found.left)
    said += _interval_first(found, columns, theirs)
    columns, of_arms = without_totals(columns, found)
    columns, derived = with_derived(columns, theirs)
    return pd.DataFrame(columns), (*said, *of_arms, *derived)


def _apart(heads: Sequence[str], ours_at: Mapping[int, str]) -> list[str]:
    """The new names, in the old order; a name that is ours and another column's is numbered."""
    taken = {*OURS, *ours_at.values()}
    names = []
    for i, head in enumerate(heads):
        name, count = ours_at.get(i, head), 1
        while i not in ours_at and name in taken:
            count += 1
            name = f"{head} ({count})"
        taken.add(name)
        names.append(name)
    return names


def _matched(found: Match, theirs: Mapping[str, str]) -> str:
    """One line of what was matched by more than its spelling."""
    other = {ours: one for ours, one in theirs.items() if key(one) != key(ours)}
    order = sorted(other, key=lambda ours: found.places[ours])
    other = {ours: other[ours] for ours in order if ours not in found.given}
    parts = [f"{other[ours]} as {ours}" for ours in ("study", "arm") if ours in other]
    for source in dict.fromkeys(one.source for one in found.sets):
        mine = [ours for ours in other if _source(found, ours) == source]
        if source and mine:
            parts.append(f"columns of {source}: {', '.join(other[ours] for ours in mine)}")
        else:
            parts += [f"{other[ours]} as {ours}" for ours in mine]
    return "; ".join(parts)


def _source(found: Match, ours: str) -> str | None:
    owner = found.owner(ours)
    return None if owner is None else owner.source


def _interval_first(
    found: Match, columns: "dict[str, pd.Series]", theirs: Mapping[str, str]
) -> list[str]:
    """Keep a ratio's SE where there is no interval: it may be of the ratio, not of its log."""
    owner = found.owner("estimate")
    if owner is None or "se" not in theirs or "se" in found.given:
        return []
    if not (owner.measure in RATIOS or found.asked in RATIOS):
        return []
    if not {"lower", "upper"} <= theirs.keys():
        return [f"{theirs['se']} read as the standard error of log {theirs['estimate']}"]
    full = ~blank_in(columns["lower"]) & ~blank_in(columns["upper"])
    columns["se"] = columns["se"].astype(object).where(np.logical_not(full), None)
    return [f"{theirs['se']} read only where there is no interval"]
