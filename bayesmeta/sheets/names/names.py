"""Columns under our names, whatever program or person named them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, final

import numpy as np

from ...arguments import as_text, check_frame, check_mapping, is_among
from ...errors import DataError
from ...ways import shown, way
from ..figures.words import blank_in, column_of, key
from .matching import match
from .measures import RATIOS, level_of
from .sets import OURS
from .settled import Match

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
        What was matched by more than its spelling.
    measure : str or None
        The measure that a column's name states.
    heads : mapping of str to str
        By our names, the columns as they stand in the table that was given.
    sources : frozenset of str
        The programs whose names were read.
    """

    frame: "pd.DataFrame"
    said: tuple[str, ...] = ()
    measure: str | None = None
    heads: Mapping[str, str] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()

    @property
    def level(self) -> float | None:
        """The level of the intervals that the names of their columns state."""
        return level_of(*(self.heads.get(one, "") for one in ("lower", "upper")))


def named(
    frame: "pd.DataFrame",
    *,
    columns: Mapping[str, str] | None = None,
    measure: str | None = None,
    stated: str | None = None,
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
    stated : str, optional
        The measure that is stated elsewhere, as by a column that was taken apart.

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
    single one of an incomplete set means nothing. What follows from columns, as patients from
    non-events, is made once their cells are numbers; see `derived`.

    Examples
    --------
    >>> import pandas as pd
    >>> trials = pd.DataFrame(
    ...     {"Trial": ["A"], "ai": ["12"], "bi": ["28"], "ci": ["18"], "di": ["22"]})
    >>> found = named(trials)
    >>> found.frame.iloc[0].to_dict()  # doctest: +NORMALIZE_WHITESPACE
    {'study': 'A', 'events_treatment': '12', 'nonevents_treatment': '28',
     'events_control': '18', 'nonevents_control': '22'}
    >>> found.said
    ('Trial as study; columns of metafor: ai, bi, ci, di',)
    """
    check_frame(frame)
    check_mapping(columns, "columns", "{'study': 'Trial'}")
    heads = [as_text(name) for name in frame.columns]
    given = _given(heads, columns or {})
    found = match(frame, heads, given, measure)
    of_names = _stated(found)
    ratio = not {of_names, stated, measure}.isdisjoint(RATIOS)
    columns_, said = _made(found, ratio=ratio)
    return Named(
        columns_,
        said,
        of_names,
        {ours: heads[place] for ours, place in found.places.items()},
        frozenset(one.source for one in found.sets),
    )


def _given(heads: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Places of the columns that the caller named."""
    unknown = [as_text(ours) for ours in columns if not is_among(ours, OURS)]
    if unknown:
        near = get_close_matches(unknown[0], OURS, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"e.g. {way('columns', 'study')}."
        raise DataError(
            f"{way('columns', unknown[0])} is none of the columns that are read; {hint}"
        )
    given = {ours: _place(heads, ours, as_text(theirs)) for ours, theirs in columns.items()}
    for ours, place in given.items():
        twice = [one for one in given if given[one] == place and one != ours]
        if twice:
            raise DataError(
                f"Column {shown(heads[place])} is named for {ours} and for {twice[0]}; it can "
                "be one "
                f"of them: {way('columns', ours)}."
            )
    return given


def _place(heads: Sequence[str], ours: str, theirs: str) -> int:
    for places in (
        [i for i, head in enumerate(heads) if head == theirs],
        [i for i, head in enumerate(heads) if key(head) == key(theirs)],
    ):
        if len(places) > 1:
            raise DataError(
                f"The table has more than one column {shown(theirs)}; keep one of them."
            )
        if places:
            return places[0]
    raise DataError(
        f"The table has no column {shown(theirs)} (for {ours}); it has {', '.join(heads)}. "
        "Name one of "
        f"them with {way('columns', ours)}."
    )


def _stated(found: Match) -> str | None:
    owners = [found.owner(ours) for ours in ("estimate", "y")]
    return next((one.measure for one in owners if one is not None and one.measure), None)


def _made(found: Match, *, ratio: bool) -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """The table under our names; the one given where it stands under them already."""
    theirs = {ours: found.heads[place] for ours, place in found.places.items()}
    frame = found.frame
    if any(ours != head for ours, head in theirs.items()):
        ours_at = {place: ours for ours, place in found.places.items()}
        frame = frame.set_axis(_apart(found.heads, ours_at), axis=1)
    said = [one for one in (_matched(found, theirs),) if one]
    said += dict.fromkeys(found.left)
    if ratio:
        frame, of_errors = _interval_first(frame, theirs)
        said += of_errors
    return frame, tuple(said)


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
    frame: "pd.DataFrame", theirs: Mapping[str, str]
) -> "tuple[pd.DataFrame, list[str]]":
    """Keep a ratio's SE where there is no interval: it may be of the ratio, not of its log."""
    if not {"estimate", "se"} <= theirs.keys():
        return frame, []
    ratios = ~blank_in(column_of(frame, "estimate"))
    if "y" in theirs:  # whose own standard error it is
        ratios &= blank_in(column_of(frame, "y"))
    if not {"lower", "upper"} <= theirs.keys():
        log = f"{theirs['se']} read as the standard error of log {theirs['estimate']}"
        return frame, [log] if "y" not in theirs else []
    full = ratios & ~blank_in(column_of(frame, "lower")) & ~blank_in(column_of(frame, "upper"))
    if not (full & ~blank_in(column_of(frame, "se"))).any():
        return frame, []
    kept = frame["se"].astype(object).where(np.logical_not(full), None)
    return frame.assign(se=kept), [f"{theirs['se']} read only where there is no interval"]
