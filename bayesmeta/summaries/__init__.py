"""From posteriors to numbers and rows; what tables and figures are made of."""

from ._densities import DensityRows, density_rows
from ._forest import ForestRow, forest_rows, rows_table, study_effects
from ._moved import prior_posterior
from ._numbers import (
    Better,
    Scale,
    describe,
    measure_of,
    parameters,
    percent,
    prob_benefit,
    scale_of,
    summary,
)
from ._priors import prior_interval

__all__ = [
    "Better",
    "DensityRows",
    "ForestRow",
    "Scale",
    "density_rows",
    "describe",
    "forest_rows",
    "measure_of",
    "parameters",
    "percent",
    "prior_interval",
    "prior_posterior",
    "prob_benefit",
    "rows_table",
    "scale_of",
    "study_effects",
    "summary",
]
