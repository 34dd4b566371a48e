"""A table of whatever shape, and what is said of it, into studies or estimates.

``Reading`` holds what is said; ``open_table`` makes one row per study under our names of columns;
``read`` makes data of them, each row in its own form. The command line, specifications and Python
come in here alike.
"""

from ._asked import Reading
from ._forms import FORMS, Data, Form, estimates_of, forms_of, kind_of, of_clusters
from ._open import (
    Opened,
    main_rows,
    one_table,
    open_table,
    rows_of,
    understood,
    variants_of,
    without,
)
from ._read import Found, read, read_studies

__all__ = [
    "FORMS",
    "Data",
    "Form",
    "Found",
    "Opened",
    "Reading",
    "estimates_of",
    "forms_of",
    "kind_of",
    "main_rows",
    "of_clusters",
    "one_table",
    "open_table",
    "read",
    "read_studies",
    "rows_of",
    "understood",
    "variants_of",
    "without",
]
