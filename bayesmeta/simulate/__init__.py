"""Parameters and data drawn from a model, in NumPy alone."""

from ._parameters import new_effects, parameters
from ._priors import prior_draws
from ._risks import risks
from ._tables import arm_figures, replicate

__all__ = ["arm_figures", "new_effects", "parameters", "prior_draws", "replicate", "risks"]
