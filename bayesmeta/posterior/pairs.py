"""Two figures of which each implies the other, and whether they agree."""

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    import pandas as pd

MOST_DIGITS = 15


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two figures of which each implies the other, or a bound on it.

    Attributes
    ----------
    rule : str
        Which implication.
    where : str
        The parameter, or the place in a run.
    first, second : str
        What the two figures are.
    one, other : float
        The figures; two that are both missing (NaN) agree.
    tolerance : float
        How far `one` may lie from `other`, or above it.
    why : str
        Reason of the tolerance.
    at_most : bool
        Whether `other` is only a bound, the most that `one` may be.
    """

    rule: str
    where: str
    first: str
    one: float
    second: str
    other: float
    tolerance: float
    why: str
    at_most: bool = False

    @property
    def agrees(self) -> bool:
        """Whether the figures go together."""
        if self.one == self.other or (isnan(self.one) and isnan(self.other)):
            return True
        apart = self.one - self.other if self.at_most else abs(self.one - self.other)
        return bool(apart <= self.tolerance)

    def __str__(self) -> str:
        one, other = _told_apart(self.one, self.other)
        verb = "exceeds" if self.at_most else "contradicts"
        return f"{self.where}: {self.first}, {one}, {verb} {self.second}, {other}"


@final
@dataclass(frozen=True, slots=True)
class Coherence:
    """Which figures were held against one another, and which contradict.

    Attributes
    ----------
    pairs : tuple of Pair
    """

    pairs: tuple[Pair, ...] = ()

    @property
    def contradictions(self) -> tuple[Pair, ...]:
        """The pairs that do not agree."""
        return tuple(one for one in self.pairs if not one.agrees)

    @property
    def passed(self) -> bool:
        """Whether no figure contradicts another."""
        return not self.contradictions

    def __add__(self, other: "Coherence") -> "Coherence":
        return Coherence(self.pairs + other.pairs)

    def table(self) -> "pd.DataFrame":
        """Return one row per pair."""
        import pandas as pd

        columns = list(Pair.__dataclass_fields__)
        rows = [[getattr(one, name) for name in columns] for one in self.pairs]
        table = pd.DataFrame(rows, columns=columns)
        return table.assign(agrees=[one.agrees for one in self.pairs])

    @property
    def in_short(self) -> str:
        """How many were held, and how many contradict."""
        wrong = len(self.contradictions)
        verdict = (
            f"{wrong:,} contradict" + ("" if wrong > 1 else "s") if wrong else "none contradicts"
        )
        pairs = "pair" if len(self.pairs) == 1 else "pairs"
        return f"{len(self.pairs):,} {pairs} of figures held against one another: {verdict}."

    def __str__(self) -> str:
        return " ".join((self.in_short, *(f"{one}." for one in self.contradictions)))


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Both with four digits, or as many as it takes to see the difference."""
    for digits in range(4, MOST_DIGITS):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(one), repr(other)
