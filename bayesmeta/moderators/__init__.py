"""What a fit with covariates says of them: coefficients, groups, their differences, places.

Beside it stand the same model without covariates on the same studies, whose tau says how much the
covariates explain, and the frequentist regression and tests between groups.
"""

from ._cautions import PER_COVARIATE
from ._contrast import Contrast, asked
from ._frequentist import Frequentist
from ._moderators import Moderators, moderators

__all__ = ["PER_COVARIATE", "Contrast", "Frequentist", "Moderators", "asked", "moderators"]
