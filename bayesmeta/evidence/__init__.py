"""What the data say for and against no effect and no heterogeneity, and which studies say it."""

from ._curve import BayesFactorCurve, ScaledFactor, bayes_factor_curve
from ._definitions import quartile_definitions
from ._factors import BayesFactor, BayesFactors, bayes_factors
from ._outliers import outliers
from ._weights import mean_weights
from ._widths import width_penalty
from ._zeros import zero_studies
from .conclusion import RULE, Conclusion, concluded, conclusion
from .reverse import ReverseBayes, reverse_bayes
from .tipping import TippingPoint, TippingPoints, tipping_points

__all__ = [
    "RULE",
    "BayesFactor",
    "BayesFactorCurve",
    "BayesFactors",
    "Conclusion",
    "ReverseBayes",
    "ScaledFactor",
    "TippingPoint",
    "TippingPoints",
    "bayes_factor_curve",
    "bayes_factors",
    "concluded",
    "conclusion",
    "mean_weights",
    "outliers",
    "quartile_definitions",
    "reverse_bayes",
    "tipping_points",
    "width_penalty",
    "zero_studies",
]
