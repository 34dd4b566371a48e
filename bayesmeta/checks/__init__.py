"""Whether a model makes data like those observed, predicts what it has not seen, and is sound."""

from ._check import Checks, check
from ._conflict import Conflict, conflict
from ._deviance import Deviance, deviance
from ._held_out import LOO
from ._loo import loo
from ._predictive import ArmCheck, PredictiveCheck, posterior_predictive
from ._prior import PriorPredictive, prior_predictive
from ._scaling import Leaning, PowerScaling, Sensitivity, power_scaling
from ._stacking import compare_loo
from ._statistics import Statistic
from ._trust import Trust, Verdict, trust

__all__ = [
    "LOO",
    "ArmCheck",
    "Checks",
    "Conflict",
    "Deviance",
    "Leaning",
    "PowerScaling",
    "PredictiveCheck",
    "PriorPredictive",
    "Sensitivity",
    "Statistic",
    "Trust",
    "Verdict",
    "check",
    "compare_loo",
    "conflict",
    "deviance",
    "loo",
    "posterior_predictive",
    "power_scaling",
    "prior_predictive",
    "trust",
]
