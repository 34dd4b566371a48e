"""One specification to every result, in order."""

from .models import models_of
from .psa import psa_of
from .published import unit_information
from .runs import run
from .second import held_to
from .tables import single_arms, table_baseline

__all__ = [
    "held_to",
    "models_of",
    "psa_of",
    "run",
    "single_arms",
    "table_baseline",
    "unit_information",
]
