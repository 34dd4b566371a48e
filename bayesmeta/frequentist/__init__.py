"""The frequentist estimates a reader expects beside a posterior."""

from ._counts import MANTEL_HAENSZEL
from ._fit import FrequentistFit, IntervalName, Spread, critical
from ._many import random_effects_many
from ._pooling import common_effect, random_effects
from ._tau2_interval import tau2_interval

__all__ = [
    "MANTEL_HAENSZEL",
    "FrequentistFit",
    "IntervalName",
    "Spread",
    "common_effect",
    "critical",
    "random_effects",
    "random_effects_many",
    "tau2_interval",
]
