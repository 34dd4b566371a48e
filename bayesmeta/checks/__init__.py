"""Whether a model makes data like those observed, predicts what it has not seen, and is sound."""

from ._check import Checks, check
from ._deviance import Deviance, deviance
from ._loo import LOO, loo
from ._predictive import ArmCheck, PredictiveCheck, posterior_predictive
from ._prior import PriorPredictive, prior_predictive
from ._stacking import compare_loo
from ._statistics import Statistic
from ._trust import Trust, Verdict, trust

__all__ = [
    "LOO",
    "ArmCheck",
    "Checks",
    "Deviance",
    "PredictiveCheck",
    "PriorPredictive",
    "Statistic",
    "Trust",
    "Verdict",
    "check",
    "compare_loo",
    "deviance",
    "loo",
    "posterior_predictive",
    "prior_predictive",
    "trust",
]
