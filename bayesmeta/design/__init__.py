"""Formulas into design matrices: which covariates say where the studies' effects are expected.

A formula is read by a grammar of our own and nothing in it is ever evaluated. Numeric covariates
are centred at the mean of the rows used. A factor alone gets a mean per level; beside others it is
coded by orthonormal differences from the mean, so that no level is a reference and all have the
same prior variance.
"""

from ._columns import DEGREE, Columns, Curve, Levels, Line, contrasts, is_known, is_number
from ._formula import Factor, Formula, Term, parse
from ._lines import Lines, lines, names_of_lines
from ._make import design, term_kinds
from ._matrix import Design
from ._told import check_flat, tells, told, untold

__all__ = [
    "DEGREE",
    "Columns",
    "Curve",
    "Design",
    "Factor",
    "Formula",
    "Levels",
    "Line",
    "Lines",
    "Term",
    "check_flat",
    "contrasts",
    "design",
    "is_known",
    "is_number",
    "lines",
    "names_of_lines",
    "parse",
    "tells",
    "term_kinds",
    "told",
    "untold",
]
