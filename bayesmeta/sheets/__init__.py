"""Tables as people have them: files into cells, cells into numbers, names into ours.

It knows names of columns and nothing of studies: what a row may hold is checked above.
"""

from .cells.apart import Cells, split_cells
from .cells.composites import refuse_composites
from .cells.forms import composite
from .cells.taken import check_cells
from .figures.marks import FIGURE, Printed, read_printed
from .figures.numbers import decided, plain_numbers, read_number
from .figures.places import number, numbered
from .figures.words import MISSING_WORDS, is_missing_word
from .files.file import Sheet, read_sheet
from .files.parquet import need_pyarrow
from .files.source import check_regular, read_bytes
from .names.derived import derived
from .names.names import Named, named
from .names.revman import is_of_export
from .names.sets import NUMBERS, TEXTS, WHOLE
from .plain import Plain, plain_table, plainly

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
    "check_regular",
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
    "read_bytes",
    "read_number",
    "read_printed",
    "read_sheet",
    "refuse_composites",
    "split_cells",
]
