"""Cells with several figures that nothing explains."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DataError
from ...ways import shown, way
from ..figures.words import column_of, rows_in_words
from ..names.sets import SIDES
from .forms import composite
from .taken import studies_of

if TYPE_CHECKING:
    import pandas as pd

_SEVERAL = r"[/±(\[+]|\bof\b"


def refuse_composites(
    frame: "pd.DataFrame", numbers: Sequence[str], *, heads: Mapping[str, str] | None = None
) -> None:
    """Refuse columns of numbers whose cells hold several figures.

    Parameters
    ----------
    frame : DataFrame
        Under our names.
    numbers : sequence of str
        The columns that are to be read as numbers.
    heads : mapping of str to str, optional
        By our names, the columns as they stand in the file; see `Named`.

    Raises
    ------
    DataError
        Naming each such column, its rows, a cell, and what its cells may be.
    """
    theirs = heads or {}
    wanted = set(numbers)
    found = [
        _composite(frame, name, theirs.get(name, name))
        for name in map(str, frame.columns)
        if name in wanted
    ]
    if problems := [one for one in found if one]:
        raise DataError(*problems)


def _composite(frame: "pd.DataFrame", name: str, head: str) -> str:
    import pandas as pd

    column = column_of(frame, name)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return ""
    texts = column.astype(str).str.strip()
    suspect = np.flatnonzero(texts.str.contains(_SEVERAL, regex=True).to_numpy(dtype=bool))
    found = {int(i): said for i in suspect if (said := composite(texts.iloc[i])) is not None}
    if not found:
        return ""
    study = studies_of(frame, [str(one) for one in frame.columns])
    first = next(iter(found))
    arm = next((f" {side[1:]}" for side in SIDES if name.endswith(side)), "")
    called = name if head == name else f"{shown(head)} ({name})"
    return (
        f"{called} holds several figures in one cell, {shown(texts.iloc[first][:40])}; check "
        f"{rows_in_words(study, list(found))}. Say what they are with {way('cells', head)}, the "
        f"dots being {found[first]}{f', and{arm} after it' if arm else ''}."
    )
