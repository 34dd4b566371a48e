"""Words into a model: a measure, a likelihood, priors.

Specifications and the command line ask in the same words, and what goes together is decided here
once. What is said where something does not is the door's own, for it names a flag or a key.
"""

from ._likelihoods import Door, Likelihood, check_priors, likelihood_for, two_stage
from ._words import Words, baselines_of, degrees_of_freedom

__all__ = [
    "Door",
    "Likelihood",
    "Words",
    "baselines_of",
    "check_priors",
    "degrees_of_freedom",
    "likelihood_for",
    "two_stage",
]
