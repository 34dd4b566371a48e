"""Covariates on the command line: the options that say them, and what is printed of them."""

from .told import cautions_beside, moderators_of, show, to_dict
from .typed import Moderated, of_moderators

__all__ = [
    "Moderated",
    "cautions_beside",
    "moderators_of",
    "of_moderators",
    "show",
    "to_dict",
]
