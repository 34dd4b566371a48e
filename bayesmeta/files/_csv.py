"""CSV in which no text is taken for a formula by a spreadsheet."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# What spreadsheets take for the start of a formula, also behind blanks and in its wide form.
_FORMULA = re.compile(r"[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def to_csv(
    table: "pd.DataFrame", *, index: bool = True, header: bool = True, raw_text: bool = False
) -> str:
    """Write a table as CSV.

    A text that a spreadsheet would take for a formula, in a cell, a head or a label, gets an
    apostrophe in front, unless it is a plain number.

    Parameters
    ----------
    table : DataFrame
    index, header : bool
        Whether labels and heads are written.
    raw_text : bool
        Whether texts are written as they are.

    Returns
    -------
    str

    References
    ----------
    OWASP, CSV Injection (which characters begin a formula).
    """
    shown = table if raw_text else _guarded(table)
    return shown.to_csv(index=index, header=header, lineterminator="\n")


def _guarded(table: "pd.DataFrame") -> "pd.DataFrame":
    texts = [i for i, kind in enumerate(table.dtypes) if kind.kind not in "biufcmM"]
    shown = table.copy()
    for i in texts:
        shown.isetitem(i, table.iloc[:, i].map(_guard, na_action="ignore"))
    shown.columns = shown.columns.map(_guard)
    shown.index = shown.index.map(_guard).rename(_guard(table.index.name))
    return shown


def _guard[Cell](cell: Cell) -> Cell | str:
    if not isinstance(cell, str) or not _FORMULA.match(cell) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
