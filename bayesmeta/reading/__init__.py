"""A table of whatever shape, and what is said of it, into studies or estimates.

``Reading`` holds what is said; ``open_table`` makes one row per study under our names of columns;
``read`` makes data of them, each row in its own form. The command line, specifications and Python
come in here alike.
"""

from ._asked import Reading
from ._bias import RiskOfBias, risk_of_bias
from ._forms import Data, estimates_of, kind_of, of_clusters
from ._open import Opened, main_rows, one_table, open_table, understood, without
from ._read import read, read_studies
from ._rows import is_total, row_names, rows_called, variants_of
from ._tools import Level

__all__ = [
    "Data",
    "Level",
    "Opened",
    "Reading",
    "RiskOfBias",
    "estimates_of",
    "is_total",
    "kind_of",
    "main_rows",
    "of_clusters",
    "one_table",
    "open_table",
    "read",
    "read_studies",
    "risk_of_bias",
    "row_names",
    "rows_called",
    "understood",
    "variants_of",
    "without",
]
