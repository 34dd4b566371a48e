"""The frequentist estimates a reader expects beside a posterior."""

from ._conventions import Convention, estimates_by, pool
from ._counts import MANTEL_HAENSZEL, mantel_haenszel_rd, peto
from ._fit import FrequentistFit, IntervalName, Spread, critical
from ._glmm import glmm
from ._influence import cumulative, influence, leave_one_out
from ._inverse_variance import Pooled, i2_from_q, pool_common, pool_random
from ._many import random_effects_many
from ._of_counts import Centre
from ._one import narrow_prediction
from ._pet_peese import PetPeese, pet_peese
from ._pooling import common_effect, random_effects
from ._presets import PROGRAMS, preset
from ._small_study import egger, small_study_tests
from ._small_study_counts import harbord, peters
from ._small_study_result import SmallStudyTest
from ._tau2 import Tau2, cochran_q
from ._tau2_interval import tau2_interval
from ._trim_and_fill import TrimAndFill, trim_and_fill

__all__ = [
    "MANTEL_HAENSZEL",
    "PROGRAMS",
    "Centre",
    "Convention",
    "FrequentistFit",
    "IntervalName",
    "PetPeese",
    "Pooled",
    "SmallStudyTest",
    "Spread",
    "Tau2",
    "TrimAndFill",
    "cochran_q",
    "common_effect",
    "critical",
    "cumulative",
    "egger",
    "estimates_by",
    "glmm",
    "harbord",
    "i2_from_q",
    "influence",
    "leave_one_out",
    "mantel_haenszel_rd",
    "narrow_prediction",
    "pet_peese",
    "peters",
    "peto",
    "pool",
    "pool_common",
    "pool_random",
    "preset",
    "random_effects",
    "random_effects_many",
    "small_study_tests",
    "tau2_interval",
    "trim_and_fill",
]
