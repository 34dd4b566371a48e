"""The frequentist estimates a reader expects beside a posterior.

``arrays`` pools on arrays with the studies first, (k, n) for n tables, and a presence of 0 or 1; a
single fit is n = 1. Likelihoods of tau² are searched for every peak: the score on a grid in log
tau² that ends beyond the last possible peak, four points a decade, each fall through zero polished
by bracketing, the highest peak against zero. Fisher scoring stops early or goes round, as a test
shows.

A ``Convention`` is everything that decides a pooled number; ``preset`` writes a program's defaults
down as one. ``conventions`` follows one for many selections of studies at once on the same arrays,
and ``pool`` is one table of it, with its words and refusals.
"""

from .arrays.counts import MANTEL_HAENSZEL
from .arrays.inverse_variance import pool_random
from .arrays.tau2 import Tau2
from .conventions.convention import Convention
from .conventions.inputs import cells_of_tables, estimates_of_tables
from .conventions.many import Answers, pool_many
from .conventions.pool import pool
from .conventions.presets import PROGRAMS, preset
from .conventions.selections import Selections
from .fit import INTERVALS, FrequentistFit, IntervalName, Maximum, Spread, critical
from .left_out import cumulative, influence, leave_one_out, ordered
from .likelihood.glmm import glmm
from .pooling.effects import common_effect, random_effects
from .pooling.many import random_effects_many
from .pooling.one import narrow_prediction
from .pooling.tau2_interval import tau2_interval
from .regression.influence import regression_influence
from .regression.meta_regression import meta_regression
from .regression.permutation import PermutationTest, permutation_test
from .regression.result import MetaRegression
from .regression.subgroups import Subgroups, subgroups
from .small_study.counts import harbord, peters
from .small_study.pet_peese import PetPeese, pet_peese
from .small_study.regressions import egger, regression_test, small_study_tests
from .small_study.result import SmallStudyTest
from .small_study.trim_and_fill import TrimAndFill, trim_and_fill

__all__ = [
    "INTERVALS",
    "MANTEL_HAENSZEL",
    "PROGRAMS",
    "Answers",
    "Convention",
    "FrequentistFit",
    "IntervalName",
    "Maximum",
    "MetaRegression",
    "PermutationTest",
    "PetPeese",
    "Selections",
    "SmallStudyTest",
    "Spread",
    "Subgroups",
    "Tau2",
    "TrimAndFill",
    "cells_of_tables",
    "common_effect",
    "critical",
    "cumulative",
    "egger",
    "estimates_of_tables",
    "glmm",
    "harbord",
    "influence",
    "leave_one_out",
    "meta_regression",
    "narrow_prediction",
    "ordered",
    "permutation_test",
    "pet_peese",
    "peters",
    "pool",
    "pool_many",
    "pool_random",
    "preset",
    "random_effects",
    "random_effects_many",
    "regression_influence",
    "regression_test",
    "small_study_tests",
    "subgroups",
    "tau2_interval",
    "trim_and_fill",
]
_FOR_OTHER_ROOMS = {
    *("INTERVALS", "MANTEL_HAENSZEL", "PROGRAMS", "Answers", "IntervalName", "Selections"),
    *("Maximum", "Spread", "Tau2", "cells_of_tables", "critical", "estimates_of_tables"),
    *("narrow_prediction", "ordered", "pool_many", "pool_random"),
}


def __dir__() -> list[str]:
    """List what takes tables and estimates, and what it returns."""
    return [name for name in __all__ if name not in _FOR_OTHER_ROOMS]
