"""Tables as people have them: files into cells, cells into numbers, names into ours.

It knows names of columns and nothing of studies: what a row may hold is checked above.
"""

from ._cells import Cells, split_cells
from ._composites import refuse_composites
from ._derived import derived
from ._file import Sheet, read_sheet
from ._forms import composite
from ._marks import FIGURE, Printed, read_printed
from ._names import Named, named
from ._numbers import decided, plain_numbers, read_number
from ._parquet import need_pyarrow
from ._places import number, numbered
from ._plain import Plain, plain_table, plainly
from ._revman import is_of_export
from ._sets import NUMBERS, TEXTS, WHOLE
from ._taken import check_cells
from ._words import MISSING_WORDS, is_missing_word

__all__ = [
    "FIGURE",
    "MISSING_WORDS",
    "NUMBERS",
    "TEXTS",
    "WHOLE",
    "Cells",
    "Named",
    "Plain",
    "Printed",
    "Sheet",
    "check_cells",
    "composite",
    "decided",
    "derived",
    "is_missing_word",
    "is_of_export",
    "named",
    "need_pyarrow",
    "number",
    "numbered",
    "plain_numbers",
    "plain_table",
    "plainly",
    "read_number",
    "read_printed",
    "read_sheet",
    "refuse_composites",
    "split_cells",
]
