"""Cells that hold several figures, taken apart where the column says what they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..ways import way
from ._forms import FORMS, SHARE, Form, Texts, composite, form_named, read_cell, share_wrong
from ._matching import match
from ._measures import fits, refuse_other
from ._sets import SIDES, STUDY, spelled
from ._words import is_missing, key, numbers_of, rows_in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cells", "composite", "refuse_composites", "split_cells"]

_SEVERAL = r"[/±(\[+]|\bof\b"


@final
@dataclass(frozen=True, slots=True)
class Cells:
    """A table with one figure in each cell.

    Attributes
    ----------
    frame : DataFrame
        The columns that were taken apart stand under our names, as texts with the printed decimals.
    said : tuple of str
        What was read as what.
    measure : str or None
        The measure that a column's name states.
    """

    frame: "pd.DataFrame"
    said: tuple[str, ...] = ()
    measure: str | None = None


@final
@dataclass(frozen=True, slots=True)
class _Asked:
    """A column that holds several figures, and what says so."""

    place: int
    head: str
    form: Form
    side: str
    measure: str


def split_cells(
    frame: "pd.DataFrame",
    *,
    cells: Mapping[str, str] | None = None,
    measure: str | None = None,
    kept: NDArray[np.bool_] | None = None,
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
    kept : ndarray of bool, optional
        Rows that are read; the others may hold anything.

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
    {'study': 'A', 'estimate': '0.76', 'lower': '0.60', 'upper': '0.96'}
    >>> found.said, found.measure
    (("'HR (95% CI)' read as estimate (lower-upper)",), 'HR')
    """
    heads = [str(name) for name in frame.columns]
    asked = [*_given(heads, cells or {}), *_by_name(heads, cells or {})]
    others = [one for one in asked if not fits(one.measure, measure)]
    if others and not match(frame, heads, {}, None).has_arms:
        refuse_other(others[0].head, others[0].measure, measure)
    asked = [one for one in asked if one not in others]
    if not asked:
        return Cells(frame)
    rows = np.ones(len(frame), dtype=bool) if kept is None else kept
    made: dict[str, pd.Series] = {}
    for one in asked:
        for ours, column in _taken_apart(frame, one, rows, heads).items():
            if ours in made or ours in heads:
                raise DataError(
                    f"Column {one.head!r} holds {ours}, which stands in another column too; keep "
                    "one of them."
                )
            made[ours] = column
    places = {one.place for one in asked}
    rest = frame.iloc[:, [i for i in range(len(heads)) if i not in places]]
    said = tuple(_said(one) for one in asked)
    return Cells(rest.assign(**made), said, next((m.measure for m in asked if m.measure), None))


def _said(one: _Asked) -> str:
    arm = f" of {one.side.removeprefix('_')}" if one.side else ""
    return f"{one.head!r} read as {one.form.name}{arm}"


def _given(heads: Sequence[str], cells: Mapping[str, str]) -> list[_Asked]:
    asked = []
    for column, text in cells.items():
        found = form_named(text)
        if found is None:
            raise DataError(
                f"{text!r} is no form of cells ({way('cells', column)}); write one of "
                f"{', '.join(form.name for form in FORMS)}, and treatment or control after it "
                "where it is of one arm."
            )
        place = _place(heads, column)
        asked.append(_Asked(place, heads[place], *found))
    return asked


def _place(heads: Sequence[str], column: str) -> int:
    exact = [i for i, head in enumerate(heads) if head == column]
    places = exact or [i for i, head in enumerate(heads) if key(head) == key(column)]
    if len(places) == 1:
        return places[0]
    if places:
        raise DataError(f"The table has more than one column {column!r}; keep one of them.")
    raise DataError(
        f"The table has no column {column!r} ({way('cells', column)}); it has {', '.join(heads)}."
    )


def _by_name(heads: Sequence[str], cells: Mapping[str, str]) -> list[_Asked]:
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
            asked.append(_Asked(place, head, form, side, measure))
    return asked


def _taken_apart(
    frame: "pd.DataFrame", one: _Asked, rows: NDArray[np.bool_], heads: Sequence[str]
) -> "dict[str, pd.Series]":
    import pandas as pd

    column = frame.iloc[:, one.place]
    texts = ["" if is_missing(cell) else str(cell).strip() for cell in column]
    read = {text: read_cell(one.form, text) for text in dict.fromkeys(texts) if text}
    n = _patients(frame, one, heads)
    found: list[Texts] = []
    wrong: dict[int, str] = {}
    for i, text in enumerate(texts):
        texts_of = read.get(text, {})
        if not isinstance(texts_of, str) and n is not None:
            texts_of = (text and share_wrong(texts_of, n[i])) or texts_of
        if isinstance(texts_of, str) and rows[i]:
            wrong[i] = texts_of
        found.append({} if isinstance(texts_of, str) else texts_of)
    if wrong:
        raise DataError(_refused(frame, one, heads, wrong, texts))
    parts = dict.fromkeys(
        part for texts_of in read.values() if not isinstance(texts_of, str) for part in texts_of
    )
    wanted = [part for part in parts if part != "percent"] or list(one.form.parts)
    return {
        f"{part}{one.side}": pd.Series(
            [cell.get(part) for cell in found], index=frame.index, dtype=object
        )
        for part in wanted
    }


def _patients(
    frame: "pd.DataFrame", one: _Asked, heads: Sequence[str]
) -> NDArray[np.float64] | None:
    """Patients of the arm by another column, for events with their percentage."""
    if one.form is not SHARE:
        return None
    keys = spelled("n", one.side)
    places = [i for i, head in enumerate(heads) if key(head) in keys]
    return numbers_of(frame.iloc[:, places[0]]) if len(places) == 1 else None


def _refused(
    frame: "pd.DataFrame",
    one: _Asked,
    heads: Sequence[str],
    wrong: Mapping[int, str],
    texts: Sequence[str],
) -> str:
    first = next(iter(wrong))
    others = [i for i in wrong if i != first]
    also = f" So with {_rows(frame, heads, others)}." if others else ""
    return (
        f"{one.head!r}, read as {one.form.name}: {_rows(frame, heads, [first])} "
        f"{texts[first][:40]!r} {wrong[first]}.{also} Write e.g. {one.form.example}, leave the "
        f"cell blank, or exclude the row: {way('exclude', _name(frame, heads, first))}."
    )


def _rows(frame: "pd.DataFrame", heads: Sequence[str], rows: Sequence[int]) -> str:
    names = _studies(frame, heads)
    return rows_in_words(names, rows)


def _name(frame: "pd.DataFrame", heads: Sequence[str], row: int) -> str:
    names = _studies(frame, heads)
    return "its study" if names is None else names[row]


def _studies(frame: "pd.DataFrame", heads: Sequence[str]) -> list[str] | None:
    for keys in (("study",), *STUDY):
        for place, head in enumerate(heads):
            if key(head) in keys:
                return [str(cell) for cell in frame.iloc[:, place]]
    return None


def refuse_composites(frame: "pd.DataFrame", numbers: Sequence[str]) -> None:
    """Refuse columns of numbers whose cells hold several figures.

    Parameters
    ----------
    frame : DataFrame
        Under our names.
    numbers : sequence of str
        The columns that are to be read as numbers.

    Raises
    ------
    DataError
        Naming the first such column, its rows, a cell, and what its cells may be.
    """
    for name in numbers:
        if name in frame:
            _refuse_composite(frame, name)


def _refuse_composite(frame: "pd.DataFrame", name: str) -> None:
    import pandas as pd

    column = frame[name]
    if pd.api.types.is_numeric_dtype(column.dtype):
        return
    texts = column.astype(str).str.strip()
    suspect = np.flatnonzero(texts.str.contains(_SEVERAL, regex=True).to_numpy(dtype=bool))
    found = {int(i): said for i in suspect if (said := composite(texts.iloc[i])) is not None}
    if not found:
        return
    heads = [str(head) for head in frame.columns]
    first = next(iter(found))
    arm = next((f" {side[1:]}" for side in SIDES if name.endswith(side)), "")
    raise DataError(
        f"{name} holds several figures in one cell, {texts.iloc[first][:40]!r}; check "
        f"{_rows(frame, heads, list(found))}. Say what they are with {way('cells', name)}, the "
        f"dots being {found[first]}{f', and{arm} after it' if arm else ''}."
    )
