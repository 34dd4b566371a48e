"""Means and SDs of arms that report quantiles, and whether their samples look skewed."""

from .convert import convert_quantiles
from .skewness import skewness_caution, skewness_test

__all__ = ["convert_quantiles", "skewness_caution", "skewness_test"]
