"""What if the prior, the model or a trial were different: the table of scenarios.

A *change* is one decision made otherwise, a model and data; a *variation* is what its fit says, on
the scale of the base case; `Scenarios` holds them beside it and says where its conclusion stands.
"""

from ._changes import Change, Kind, NotMade
from ._make import scenarios
from ._table import Scenarios, Variation

__all__ = ["Change", "Kind", "NotMade", "Scenarios", "Variation", "scenarios"]
