"""Tables as people have them: files into cells, cells into numbers, names into ours.

It knows names of columns and nothing of studies: what a row may hold is checked above.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._cells import Cells, composite, refuse_composites, split_cells
from ._file import Sheet, read_sheet
from ._names import Named, named
from ._numbers import MISSING_WORDS, is_missing_word, plain_numbers, read_number
from ._parquet import need_pyarrow
from ._sets import NUMBERS, TEXTS, WHOLE

if TYPE_CHECKING:
    import pandas as pd


def plainly(frame: "pd.DataFrame", columns: Mapping[str, str] | None) -> "pd.DataFrame":
    """Bring a frame under our names, its printed numbers as plain ones."""
    found = named(frame, columns=columns).frame
    return plain_numbers(found, NUMBERS, texts=TEXTS, whole=WHOLE)[0]


__all__ = [
    "MISSING_WORDS",
    "NUMBERS",
    "TEXTS",
    "WHOLE",
    "Cells",
    "Named",
    "Sheet",
    "composite",
    "is_missing_word",
    "named",
    "need_pyarrow",
    "plain_numbers",
    "plainly",
    "read_number",
    "read_sheet",
    "refuse_composites",
    "split_cells",
]
