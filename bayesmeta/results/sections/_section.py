"""A table as a value: its name, what it is headed, its figures and how each column is shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ..tables import Kind

if TYPE_CHECKING:
    import pandas as pd

type Values = Mapping[str, Any]

LABEL = "label"  # under which a row holds what it is called


@final
@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as text.

    Attributes
    ----------
    text : str
    below : sequence of str
        What stands beneath it in small letters, line by line.
    aside : str
        What stands behind it in small letters.
    link : str
        The address it leads to; empty for none.
    """

    text: str
    below: Sequence[str] = ()
    aside: str = ""
    link: str = ""


@final
@dataclass(frozen=True, slots=True)
class Column:
    """How a section shows one of its columns.

    Attributes
    ----------
    key : str
    head : str
    cell : callable
        From the figures of a row, by column of the table, to the cell.
    short : str
        The head where there is little room; ``""`` for the same.
    right : bool
        Whether cells are set to the right.
    """

    key: str
    head: str
    cell: Callable[[Values], Cell]
    short: str = ""
    right: bool = False


class Row(NamedTuple):
    """One row of a section: its cells in the order of the columns, and what it is."""

    cells: Sequence[Cell]
    kind: Kind | None = None
    sound: bool = True


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """One table of a run, for whoever shows it.

    Attributes
    ----------
    name : str
        The key it is asked for by.
    title : str
    table : DataFrame
        The figures, unrounded.
    columns : tuple of Column
    note, lead : str
        What a reader of the table should know, below and above it.
    marked : bool
        Whether the columns ``kind`` and ``sound`` of the table say what a row is.
    """

    name: str
    title: str
    table: "pd.DataFrame"
    columns: tuple[Column, ...]
    note: str = ""
    lead: str = ""
    marked: bool = False

    @property
    def rows(self) -> Iterator[Row]:
        """The rows as they are shown."""
        for values in records(self.table):
            kind, sound = (values.get("kind"), values["sound"]) if self.marked else (None, True)
            yield Row([column.cell(values) for column in self.columns], kind, bool(sound))

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads of the columns."""
        return tuple(column.head for column in self.columns)

    @property
    def texts(self) -> list[list[str]]:
        """The cells of every row as text alone."""
        return [[cell.text for cell in row.cells] for row in self.rows]


def records(table: "pd.DataFrame") -> Iterator[Values]:
    """The rows of a table by column, their label among them."""
    names = [LABEL, *map(str, table.columns)]
    for label, *values in table.itertuples(name=None):
        yield dict(zip(names, (str(label), *values), strict=True))
