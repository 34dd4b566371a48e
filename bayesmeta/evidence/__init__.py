"""What the data say for and against no effect and no heterogeneity, and which studies say it."""

from ._definitions import quartile_definitions
from ._factors import BayesFactor, BayesFactors, bayes_factors, prior_of_scale
from ._outliers import outliers
from ._weights import mean_weights
from ._widths import width_penalty
from ._zeros import zero_studies

__all__ = [
    "BayesFactor",
    "BayesFactors",
    "bayes_factors",
    "mean_weights",
    "outliers",
    "prior_of_scale",
    "quartile_definitions",
    "width_penalty",
    "zero_studies",
]
