"""The frequentist estimates a reader expects beside a posterior."""

from .arrays.counts import MANTEL_HAENSZEL, mantel_haenszel_rd, peto
from .arrays.inverse_variance import Pooled, i2_from_q, pool_common, pool_random
from .arrays.tau2 import Tau2, cochran_q
from .conventions.convention import Convention, estimates_by, pool
from .conventions.presets import PROGRAMS, preset
from .fit import FrequentistFit, IntervalName, Spread, critical
from .left_out import cumulative, influence, leave_one_out
from .likelihood.glmm import glmm
from .pooling.effects import common_effect, random_effects
from .pooling.many import random_effects_many
from .pooling.of_counts import Centre
from .pooling.one import narrow_prediction
from .pooling.tau2_interval import tau2_interval
from .small_study.counts import harbord, peters
from .small_study.pet_peese import PetPeese, pet_peese
from .small_study.regressions import egger, small_study_tests
from .small_study.result import SmallStudyTest
from .small_study.trim_and_fill import TrimAndFill, trim_and_fill

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
