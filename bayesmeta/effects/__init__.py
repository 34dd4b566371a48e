"""Effect sizes: studies in, estimates and standard errors on the analysis scale out."""

from ._arms import combine_arms, split_control
from ._change import change_from_baseline, derived_correlations
from ._clusters import cluster_effects, design_effects, inflated
from ._continuous import SMD, arm_estimates
from ._counts import (
    MEASURES_OF,
    ZERO_CELLS_OF,
    ZERO_WORDS,
    ZeroCells,
    account_of,
    adjusted_cells,
    cells,
    informative,
)
from ._make import DoubleZero, effect_sizes
from ._measures import ATANH_RD, MEASURES, Link, Measure, measure_meant, measure_named
from ._printed import printed_values
from ._reported import reported_effects
from ._sizes import EffectSizes
from .quantiles import convert_quantiles, skewness_caution, skewness_test

__all__ = [
    "ATANH_RD",
    "MEASURES",
    "MEASURES_OF",
    "SMD",
    "ZERO_CELLS_OF",
    "ZERO_WORDS",
    "DoubleZero",
    "EffectSizes",
    "Link",
    "Measure",
    "ZeroCells",
    "account_of",
    "adjusted_cells",
    "arm_estimates",
    "cells",
    "change_from_baseline",
    "cluster_effects",
    "combine_arms",
    "convert_quantiles",
    "derived_correlations",
    "design_effects",
    "effect_sizes",
    "inflated",
    "informative",
    "measure_meant",
    "measure_named",
    "printed_values",
    "reported_effects",
    "skewness_caution",
    "skewness_test",
    "split_control",
]
