"""Which columns of a table are settled, and which are free."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from ...errors import ColumnError
from ..figures.words import key
from .sets import SIDES, Found, NameSet

if TYPE_CHECKING:
    import pandas as pd


@final
@dataclass(slots=True)
class Match:
    """Columns that are settled, and those that are free.

    Attributes
    ----------
    frame : DataFrame
    asked : str or None
        The measure asked for.
    heads : tuple of str
        Names of the columns.
    places : dict of int by str
        The column of each of our names.
    sets : list of NameSet
        The complete sets that were read.
    given : tuple of str
        Our names that the caller placed.
    left : list of str
        What was recognised and left, in words.
    """

    frame: "pd.DataFrame"
    asked: str | None
    heads: tuple[str, ...]
    places: dict[str, int]
    sets: list[NameSet] = field(default_factory=list)
    given: tuple[str, ...] = ()
    left: list[str] = field(default_factory=list)
    _by_key: dict[str, list[int]] = field(default_factory=dict)
    _owner: dict[str, NameSet] = field(default_factory=dict)

    def column(self, place: int) -> "pd.Series":
        """A column by its place."""
        return self.frame.iloc[:, place]

    @property
    def has_arms(self) -> bool:
        """Whether a column is of one of two arms."""
        return any(ours.endswith(SIDES) for ours in self.places)

    def owner(self, ours: str) -> NameSet | None:
        """The set through which a name of ours was found."""
        return self._owner.get(ours)

    def index(self) -> None:
        """Sort the columns that nobody has placed by their keys."""
        for place, head in enumerate(self.heads):
            if place not in self.places.values():
                self._by_key.setdefault(key(head), []).append(place)

    def hide(self, keys: Iterable[str]) -> None:
        """Keep columns out: results that an export prints beside its data."""
        for one in keys:
            self._by_key.pop(one, None)

    def free(self, keys: Iterable[str], ours: str = "") -> list[int]:
        """Columns of any of these keys; those spelled as ours alone, where there are some."""
        places = [p for one in keys for p in self._by_key.get(one, ())]
        for test in (ours, key(ours)):
            own = [p for p in places if test in (self.heads[p], key(self.heads[p]))]
            if ours and own:
                return sorted(own)
        return sorted(places)

    def find(self, one: NameSet) -> Found | None:
        """Find the columns of a set, or nothing unless all are there."""
        found: dict[str, Sequence[int]] = {}
        for ours, keys in one.needs.items():
            where = [self.places[ours]] if ours in self.given else self.free(keys, ours)
            if not where or (
                ours in self.given and one.measure and not self._is_called(ours, keys)
            ):
                return None
            found[ours] = where
        named = sum(ours not in self.given for ours in found)
        return found if named >= (2 if one.source else 1) else None

    def _is_called(self, ours: str, keys: Iterable[str]) -> bool:
        """Whether the column that the caller placed has a name of the set itself."""
        return key(self.heads[self.places[ours]]) in keys

    def claim(self, ours: str, places: Sequence[int], owner: NameSet | None = None) -> None:
        """Settle a name of ours, or say that several columns could be it."""
        if len(places) > 1:
            names = ", ".join(sorted(repr(self.heads[p]) for p in places))
            raise ColumnError(f"More than one column could be {ours}: {names}.", ours)
        self.places[ours] = places[0]
        if owner is not None:
            self._owner[ours] = owner

    def clash(self, found: Found) -> str | None:
        """Name the first of our names at which a set contradicts what is settled."""
        taken = {place: ours for ours, place in self.places.items()}
        for ours, where in found.items():
            if ours in self.places and self.places[ours] not in where:
                return ours
            if ours not in self.places and all(taken.get(p, ours) != ours for p in where):
                return ours
        return None
