"""How values look in a notebook, which asks them for HTML."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MOST = 40  # rows of a table
_NATURAL, _FOLDED = "_natural", "_mcse"  # ends of names of columns


class Tabled:
    """What has a table shows it in a notebook, beneath its words."""

    __slots__ = ()

    def table(self) -> "pd.DataFrame":
        """Return the figures."""
        raise NotImplementedError

    @property
    def in_words(self) -> str:
        """What the table says, where the class has words for it."""
        return str(self).partition("\n")[0] if type(self).__str__ is not object.__str__ else ""

    def _repr_html_(self) -> str:
        words = [self.in_words] if self.in_words else []
        return f"{paragraphs(words)}{table_to_html(self.table())}"


class Told:
    """What is told in a few lines shows them in a notebook as paragraphs."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return paragraphs(repr(self).splitlines())


class ToldAndTabled(Tabled):
    """What is told in lines and has a table shows the first line, the table and the other lines."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        first, *others = repr(self).splitlines()
        told = [line for line in others if line.strip()]
        shown = table_to_html(self.table())
        return f"{paragraphs([first, 'Analysis scale:'])}{shown}{paragraphs(told)}"


def table_to_html(table: "pd.DataFrame") -> str:
    """A table for reading, and folded beneath it the same with every column and digit.

    An estimate and its interval share a column, ``0.76 [0.60, 0.96]``; where a figure is there on
    two scales the one that people read is shown; standard errors of simulation and columns with
    nothing in them are folded.
    """
    columns = readable(table)
    rows = [
        [str(label), *(cells[i] for cells in columns.values())]
        for i, label in enumerate(table.index[:MOST])
    ]
    more = [f"{len(table) - MOST} more rows in table()"] if len(table) > MOST else []
    shown = f"{rows_to_html([_head(table.index.name), *columns], rows)}{paragraphs(more)}"
    said = [
        [_head(name), *(str(one) for one in table[name].tolist()[:MOST])] for name in table.columns
    ]
    if said == [[head, *cells] for head, cells in columns.items()]:
        return shown
    whole = table.head(MOST).to_html(float_format="{:.4g}".format, na_rep="", border=0)
    return f"{shown}<details><summary>Every column</summary>{whole}</details>"


def readable(table: "pd.DataFrame") -> Mapping[str, Sequence[str]]:
    """Cells for reading, by the head of their column.

    Parameters
    ----------
    table : DataFrame
    """
    names = {str(at).removesuffix(_NATURAL): at for at in table.columns}
    cells = {
        name: [_cell(one, chance=name.startswith("prob_")) for one in table[at].tolist()[:MOST]]
        for name, at in names.items()
        if not name.endswith(_FOLDED)
    }
    found: dict[str, Sequence[str]] = {}
    for name, own in cells.items():
        stem, _, end = name.rpartition("_")
        low = cells.get(f"{stem}_lower".strip("_"))
        high = cells.get(f"{stem}_upper".strip("_"))
        if end not in ("lower", "upper") or low is None or high is None:
            found[_head(name)] = own
        elif end == "upper":
            head = next((one for one in _middles(stem) if one in found), f"{stem} interval".strip())
            middle = found.get(head, [""] * len(own))
            found[_head(head)] = [
                _with_interval(*one) for one in zip(middle, low, high, strict=True)
            ]
    return {head: column for head, column in found.items() if any(column)}


def _middles(stem: str) -> Sequence[str]:
    """What the middle of an interval may be called."""
    ends = ("", "estimate", "median", "mean")
    return [_head(f"{stem}_{end}".strip("_")) for end in ends]


def _with_interval(middle: str, low: str, high: str) -> str:
    return f"{middle} [{low}, {high}]".strip() if low or high else middle


def _head(name: object) -> str:
    return "" if name is None else str(name).replace("_", " ")


def _cell(value: object, *, chance: bool = False) -> str:
    """Two decimals, or two digits of what is small; yes and no; nothing for what is not known."""
    match value:
        case bool() | np.bool_():
            return "yes" if value else "no"
        case int() | float() | np.number():
            return _rounded(float(value), chance=chance and 0 <= value <= 1)  # pyright: ignore[reportArgumentType]
        case None:
            return ""
        case _:
            return "" if type(value).__name__ in ("NAType", "NaTType") else str(value)


def _rounded(value: float, *, chance: bool) -> str:
    if np.isnan(value):
        return ""
    if chance and not 0.001 <= value <= 0.999:  # no probability is rounded to certainty
        return "< 0.001" if value < 0.5 else "> 0.999"
    whole = value == round(value) if np.isfinite(value) else True
    small = 0 < abs(value) < 0.095
    text = f"{value:.2g}" if small else f"{value:.15g}" if whole else f"{value:.2f}"
    if chance and text in ("1.00", "0.00"):
        text = f"{value:.3f}"
    return text.replace("-", "−")


def paragraphs(lines: Iterable[str]) -> str:
    """Each line as a paragraph, whatever letters it has."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def rows_to_html(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts, whose first column names the rows."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        f"{''.join(f'<td>{escape(one)}</td>' for one in others)}</tr>"
        for first, *others in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
