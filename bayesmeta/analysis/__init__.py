"""One specification to every result, in order."""

from .models import models_of
from .published import unit_information
from .runs import run
from .second import held_to

__all__ = ["held_to", "models_of", "run", "unit_information"]
