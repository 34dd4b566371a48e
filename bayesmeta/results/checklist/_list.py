"""The whole list, held against a run."""

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from .. import Results
from ._found import Found, Status
from ._items import ITEMS, Item

if TYPE_CHECKING:
    import pandas as pd


class Checklist(NamedTuple):
    """Every item, and what a run has of it."""

    lines: tuple[tuple[Item, Found], ...]

    @property
    def met(self) -> int:
        """How many items are met."""
        return sum(found.status is Status.MET for _, found in self.lines)

    @property
    def in_short(self) -> str:
        """How many items are met, and what became of the others."""
        count = Counter(found.status for _, found in self.lines)
        others = [f"{count[one]} {one}" for one in Status if one is not Status.MET and count[one]]
        first = f"{self.met} of {len(self.lines)} items are met by what this run stores"
        return f"{first}{'; ' * bool(others)}{', '.join(others)}."

    def table(self) -> "pd.DataFrame":
        """Return one row per item, by its number: item, asked by, status, evidence, place."""
        import pandas as pd

        return pd.DataFrame(
            {
                "item": [item.words for item, _ in self.lines],
                "asked_by": [item.asked_by for item, _ in self.lines],
                "status": [str(found.status) for _, found in self.lines],
                "evidence": [found.said for _, found in self.lines],
                "place": [found.place for _, found in self.lines],
            },
            index=pd.Index([item.number for item, _ in self.lines], name="number"),
        )


def checklist(run: Results) -> Checklist:
    """Hold every item against a run.

    Parameters
    ----------
    run : Results
    """
    return Checklist(tuple((item, item.find(run)) for item in ITEMS))
