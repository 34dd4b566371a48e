"""Words into a model and its data: a measure, a likelihood, priors, the columns of a table.

Specifications and the command line ask in the same words, and what goes together is decided here
once. What is said where something does not is the door's own, for it names a flag or a key.
"""

from ._data import Table, estimates_of, kind_of, read
from ._likelihoods import Door, Likelihood, check_priors, likelihood_for, two_stage
from ._words import Words, degrees_of_freedom

__all__ = [
    "Door",
    "Likelihood",
    "Table",
    "Words",
    "check_priors",
    "degrees_of_freedom",
    "estimates_of",
    "kind_of",
    "likelihood_for",
    "read",
    "two_stage",
]
