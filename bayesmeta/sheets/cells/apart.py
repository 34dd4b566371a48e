"""Cells that hold several figures, taken apart where the column says what they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ...ways import shown, way
from ..figures.marks import read_printed
from ..figures.words import is_missing, key
from ..names.matching import match
from ..names.measures import fits, refuse_other
from .forms import FORMS, LIMITS, Texts, form_named, read_cell
from .taken import Asked, Taken, parts_of, refused, studies_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cells", "split_cells"]


@final
@dataclass(frozen=True, slots=True)
class Cells:
    """A table with one figure in each cell.

    Attributes
    ----------
    frame : DataFrame
        The columns that were taken apart stand under our names, as texts as they are printed: what
        their marks mean is for `plain_numbers` to decide, then for `check_cells` to hold together.
    said : tuple of str
        What was read as what.
    measure : str or None
        The measure that a column's name states.
    taken : tuple of Taken
        The columns that were taken apart.
    """

    frame: "pd.DataFrame"
    said: tuple[str, ...] = ()
    measure: str | None = None
    taken: tuple[Taken, ...] = ()

    @property
    def level(self) -> float | None:
        """The level of the intervals that a column's name or cells state."""
        return next((one.level for one in self.taken if one.level is not None), None)

    @property
    def heads(self) -> Mapping[str, str]:
        """By our names, the columns that they were taken from."""
        return {
            f"{part}{one.asked.side}": one.asked.head
            for one in self.taken
            for part in parts_of(one.asked.form, one.figures)
        }


def split_cells(
    frame: "pd.DataFrame",
    *,
    cells: Mapping[str, str] | None = None,
    measure: str | None = None,
) -> Cells:
    """Take cells with several figures apart, where the column says what they are.

    Parameters
    ----------
    frame : DataFrame
        Of any cells, before its columns have our names.
    cells : mapping of str to str, optional
        By column, the form of its cells and, where there is one, the arm:
        ``{"Deaths, drug": "events/n treatment"}``. A column whose name is a form needs none:
        ``n/N control``, ``mean (SD) treatment``, ``HR (95% CI)``.
    measure : str, optional
        The measure asked for, which a column may not contradict.

    Returns
    -------
    Cells

    Raises
    ------
    DataError
        If `cells` names what is not there, or a cell does not fit its form.

    Examples
    --------
    >>> import pandas as pd
    >>> trials = pd.DataFrame({"study": ["A"], "HR (95% CI)": ["0·76 (0·60–0·96)"]})
    >>> found = split_cells(trials)
    >>> found.frame.iloc[0].to_dict()
    {'study': 'A', 'estimate': '0·76', 'lower': '0·60', 'upper': '0·96'}
    >>> found.said, found.measure, found.level
    (("'HR (95% CI)' read as estimate (lower-upper)",), 'HR', 0.95)
    """
    heads = [str(name) for name in frame.columns]
    asked = [*_given(heads, cells or {}), *_by_name(heads, cells or {})]
    asked += _by_content(frame, heads, asked)
    others = [one for one in asked if not fits(one.measure, measure)]
    if len(others) == len(asked) > 0 and not match(frame, heads, {}, None).has_arms:
        refuse_other(others[0].head, others[0].measure, measure)
    asked = [one for one in asked if one not in others]
    if not asked:
        return Cells(frame)
    rows = np.ones(len(frame), dtype=bool)
    taken = _all_taken(frame, asked, rows, heads)
    made = _columns_of(taken, [head for i, head in enumerate(heads) if i not in _places(asked)])
    rest = frame.iloc[:, [i for i in range(len(heads)) if i not in _places(asked)]]
    stated = next((one.measure for one in asked if one.measure), None)
    return Cells(rest.assign(**made), tuple(map(_said, asked)), stated, taken)


def _places(asked: Sequence[Asked]) -> set[int]:
    return {one.place for one in asked}


def _all_taken(
    frame: "pd.DataFrame", asked: Sequence[Asked], rows: NDArray[np.bool_], heads: Sequence[str]
) -> tuple[Taken, ...]:
    """Take all columns apart, or refuse the cells of all that do not fit."""
    study = studies_of(frame, heads)
    taken, problems = [], []
    for one in asked:
        found, wrong = _taken_apart(frame.iloc[:, one.place], one, rows, study)
        taken.append(found)
        if wrong:
            problems.append(refused(found, wrong))
    if problems:
        raise DataError(*problems)
    return tuple(taken)


def _columns_of(taken: Sequence[Taken], others: Sequence[str]) -> "dict[str, pd.Series]":
    """The columns made of those taken apart, none of which may stand in another column too."""
    import pandas as pd

    have = {key(head) for head in others}
    made: dict[str, pd.Series] = {}
    problems = []
    for one in taken:
        for part in parts_of(one.asked.form, one.figures):
            ours = f"{part}{one.asked.side}"
            if ours in made or key(ours) in have:
                problems.append(
                    f"Column {shown(one.asked.head)} holds {ours}, which stands in another "
                    "column too; "
                    "keep one of them."
                )
            cells = [_part_of(*row, part) for row in zip(one.cells, one.figures, strict=True)]
            made[ours] = pd.Series(cells, index=one.cells.index, dtype=object)
    if problems:
        raise DataError(*problems)
    return made


def _part_of(cell: object, figures: Texts, part: str) -> object:
    """A figure of a cell as printed; a word that says that there is none stays."""
    said = cell if not figures and isinstance(cell, str) and is_missing(cell) else None
    return figures.get(part, said if said and said.strip() else None)


def _said(one: Asked) -> str:
    arm = f" of {one.side.removeprefix('_')}" if one.side else ""
    return f"{shown(one.head)} read as {one.form.name}{arm}"


def _given(heads: Sequence[str], cells: Mapping[str, str]) -> list[Asked]:
    asked = []
    for column, text in cells.items():
        found = form_named(text)
        if found is None:
            raise DataError(
                f"{shown(text)} is no form of cells ({way('cells', column)}); write one of "
                f"{', '.join(form.name for form in FORMS)}, and treatment or control after it "
                "where it is of one arm."
            )
        place = _place(heads, column)
        asked.append(Asked(place, heads[place], *found))
    return asked


def _place(heads: Sequence[str], column: str) -> int:
    exact = [i for i, head in enumerate(heads) if head == column]
    places = exact or [i for i, head in enumerate(heads) if key(head) == key(column)]
    if len(places) == 1:
        return places[0]
    if places:
        raise DataError(f"The table has more than one column {shown(column)}; keep one of them.")
    raise DataError(
        f"The table has no column {shown(column)} ({way('cells', column)}); it has "
        f"{', '.join(heads)}."
    )


def _by_name(heads: Sequence[str], cells: Mapping[str, str]) -> list[Asked]:
    """Columns whose own name is a form, unless what they hold has columns of its own."""
    given = {key(name) for name in cells}
    have = {key(head) for head in heads}
    asked = []
    for place, head in enumerate(heads):
        found = form_named(head) if key(head) not in given else None
        if found is None:
            continue
        form, side, measure = found
        if not have.intersection(key(f"{part}{side}") for part in form.parts):
            asked.append(Asked(place, head, form, side, measure))
    return asked


INTERVALS = ("ci", "cri", "ic", "confint", "confidenceinterval", "credibleinterval", "interval")


def _by_content(frame: "pd.DataFrame", heads: Sequence[str], asked: Sequence[Asked]) -> list[Asked]:
    """A column named for an interval of which every filled cell holds two limits."""
    have = {key(head) for head in heads}
    if any(one.form is LIMITS for one in asked) or have & {"lower", "upper"}:
        return []
    found = []
    for place, head in enumerate(heads):
        if key(head) not in INTERVALS or place in _places(asked):
            continue
        texts = [str(cell).strip() for cell in frame.iloc[:, place] if not is_missing(cell)]
        if texts and all(_is_interval(text) for text in texts):
            found.append(Asked(place, head, LIMITS, "", ""))
    return found[:1]


def _is_interval(text: str) -> bool:
    """Whether a text is two limits and can be no single number, such as one with a comma."""
    return read_printed(text) is None and not isinstance(read_cell(LIMITS, text), str)


def _taken_apart(
    column: "pd.Series", one: Asked, rows: NDArray[np.bool_], study: Sequence[str] | None
) -> tuple[Taken, dict[int, str]]:
    """Read the cells of a column, and say what is wrong with which."""
    texts = ["" if is_missing(cell) else str(cell).strip() for cell in column]
    read = {text: read_cell(one.form, text) for text in dict.fromkeys(texts) if text}
    found = [read.get(text, {}) for text in texts]
    wrong = {i: cell for i, cell in enumerate(found) if isinstance(cell, str) and rows[i]}
    figures = tuple({} if isinstance(cell, str) else cell for cell in found)
    names = None if study is None else tuple(study)
    return Taken(asked=one, cells=column, figures=figures, checked=rows, study=names), wrong
