"""Tables as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    import pandas as pd


@final
@dataclass(frozen=True, slots=True)
class Grid:
    """A table as text: headings and rows."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def plain_grid(table: "pd.DataFrame | None", *, index: bool = True) -> Grid | None:
    """The cells as they are."""
    if table is None:
        return None
    shown = table.reset_index() if index else table
    rows = [tuple(str(cell) for cell in row) for row in shown.itertuples(index=False)]
    return Grid(tuple(map(str, shown.columns)), rows)
