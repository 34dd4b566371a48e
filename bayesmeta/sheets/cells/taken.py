"""Columns of cells with several figures that were taken apart, and whether these agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ...ways import shown, way
from ..figures.words import column_of, key, numbers_of, rows_in_words
from ..names.measures import level_of
from ..names.sets import STUDY, spelled
from .forms import Form, Texts, contradiction

if TYPE_CHECKING:
    import pandas as pd


@final
@dataclass(frozen=True, slots=True)
class Asked:
    """A column that holds several figures, and what says so."""

    place: int
    head: str
    form: Form
    side: str
    measure: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A column that was taken apart.

    Attributes
    ----------
    asked : Asked
    cells : Series of str
        As they were.
    figures : tuple of mapping
        Of each row, as printed.
    checked : ndarray of bool
        Rows that are read.
    study : tuple of str or None
        Names of the rows.
    """

    asked: Asked
    cells: "pd.Series"
    figures: tuple[Texts, ...]
    checked: NDArray[np.bool_]
    study: tuple[str, ...] | None

    @property
    def level(self) -> float | None:
        """The level of the interval that the column's name or a cell states."""
        own = any("level" in one for one in self.figures)
        return 0.95 if own else level_of(self.asked.head)


def parts_of(form: Form, figures: Sequence[Texts]) -> list[str]:
    """The parts of a form that its cells have, without the arm."""
    parts = dict.fromkeys(part for row in figures for part in row)
    return [part for part in parts if part not in ("percent", "level")] or list(form.parts)


def check_cells(taken: Sequence[Taken], frame: "pd.DataFrame", names: Mapping[str, str]) -> None:
    """Hold the figures of each cell together, once they are plain numbers.

    Parameters
    ----------
    taken : sequence of Taken
    frame : DataFrame
        Under our names, with plain numbers; it may lack rows, which its index tells.
    names : mapping of str to str
        Our names of columns to those that `split_cells` gave.

    Raises
    ------
    DataError
        If limits do not hold their estimate, or a percentage is of another number of patients.
    """
    ours = {theirs: name for name, theirs in names.items()}
    wrong = [(one, _contradictions(one, frame, ours)) for one in taken]
    problems = [refused(one, found) for one, found in wrong if found]
    if problems:
        raise DataError(*problems)


def _contradictions(
    one: Taken, frame: "pd.DataFrame", ours: Mapping[str, str]
) -> Mapping[int, str]:
    values = {
        part: dict(zip(frame.index, numbers_of(column_of(frame, name)).tolist(), strict=True))
        for part, name in _names_of(one.asked, [str(name) for name in frame.columns], ours)
    }
    found = {}
    for i, label in enumerate(one.cells.index):
        figures = one.figures[i]
        if not (figures and one.checked[i] and label in frame.index):
            continue
        form = _form_of(one.asked.form, figures)
        row = {part: column[label] for part, column in values.items()}
        if said := contradiction(form, row, figures.get("percent", "")):
            found[i] = said
    return found


def _names_of(asked: Asked, heads: Sequence[str], ours: Mapping[str, str]) -> list[tuple[str, str]]:
    """The parts of a form and the columns that hold them; patients may stand in another's."""
    form, side = asked.form, asked.side
    parts = dict.fromkeys((*form.parts, *(form.other.parts if form.other else ()), "n"))
    names = {part: ours.get(f"{part}{side}", f"{part}{side}") for part in parts}
    if names["n"] not in heads:
        names["n"] = next((head for head in heads if key(head) in spelled("n", side)), "")
    return [(part, name) for part, name in names.items() if name in heads]


def _form_of(form: Form, figures: Texts) -> Form:
    """The form that a cell has, of those that its column may have."""
    other = form.other
    return form if other is None or set(form.parts) <= figures.keys() else other


def refused(taken: Taken, wrong: Mapping[int, str]) -> str:
    """Say which cells of a column are wrong, and how."""
    first, *others = wrong
    form = taken.asked.form
    also = f" So with {rows_in_words(taken.study, others)}." if others else ""
    name = "its study" if taken.study is None else taken.study[first]
    text = str(taken.cells.iloc[first]).strip()
    return (
        f"{shown(taken.asked.head)}, read as {form.name}: {rows_in_words(taken.study, [first])} "
        f"{shown(text[:40])} {wrong[first]}.{also} Write e.g. {form.example}, leave the cell "
        "blank, or "
        f"exclude the row: {way('exclude', name)}."
    )


def studies_of(frame: "pd.DataFrame", heads: Sequence[str]) -> list[str] | None:
    """Names of the rows, before their column has ours."""
    for keys in (("study",), *STUDY):
        for place, head in enumerate(heads):
            if key(head) in keys:
                return [str(cell) for cell in frame.iloc[:, place]]
    return None
