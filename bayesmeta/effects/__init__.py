"""Effect sizes: studies in, estimates and standard errors on the analysis scale out."""

from ._counts import MEASURES_OF, ZeroCells, adjusted_cells, cells, informative
from ._make import DoubleZero, effect_sizes
from ._measures import ATANH_RD, MEASURES, Link, Measure, measure_named
from ._printed import printed_values
from ._sizes import EffectSizes

__all__ = [
    "ATANH_RD",
    "MEASURES",
    "MEASURES_OF",
    "DoubleZero",
    "EffectSizes",
    "Link",
    "Measure",
    "ZeroCells",
    "adjusted_cells",
    "cells",
    "effect_sizes",
    "informative",
    "measure_named",
    "printed_values",
]
