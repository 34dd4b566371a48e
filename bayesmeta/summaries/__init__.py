"""From posteriors to numbers and rows; what tables and figures are made of."""

from ._along_tau import JointRows, joint_rows, shrinkage_rows
from ._covariates import BubbleRows, bubble_rows, coefficient_rows, group_rows, groups_of
from ._densities import DensityRows, density_rows
from ._drawn import drawn_rows
from ._forest import (
    ForestRow,
    forest_rows,
    heterogeneity_rows,
    prediction_label,
    rows_table,
    study_effects,
)
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
from ._points import (
    PointRow,
    Points,
    baujat_rows,
    funnel_rows,
    influence_table,
    labbe_rows,
    radial_rows,
)
from ._priors import prior_interval
from ._refits import Refits, cumulative_rows, leave_one_out_rows

__all__ = [
    "Better",
    "BubbleRows",
    "DensityRows",
    "ForestRow",
    "JointRows",
    "PointRow",
    "Points",
    "Refits",
    "Scale",
    "baujat_rows",
    "bubble_rows",
    "coefficient_rows",
    "cumulative_rows",
    "density_rows",
    "describe",
    "drawn_rows",
    "forest_rows",
    "funnel_rows",
    "group_rows",
    "groups_of",
    "heterogeneity_rows",
    "influence_table",
    "joint_rows",
    "labbe_rows",
    "leave_one_out_rows",
    "measure_of",
    "parameters",
    "percent",
    "prediction_label",
    "prior_interval",
    "prior_posterior",
    "prob_benefit",
    "radial_rows",
    "rows_table",
    "scale_of",
    "shrinkage_rows",
    "study_effects",
    "summary",
]
