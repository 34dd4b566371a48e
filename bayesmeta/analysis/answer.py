"""What the answer of a specification would be fitted with."""

from typing import NamedTuple

from ..model import Data, Model
from ..specification import Source
from ..ways import SPECIFICATION, speaking
from .models import models_of
from .tables import data_of, quoted_nowhere, select, table_of


class Question(NamedTuple):
    """The model and the data of an answer."""

    model: Model
    data: Data


def question_of(source: Source) -> Question:
    """Read what the first outcome, which has a table, is answered from; nothing is fitted."""
    outcome = source.specification.outcome[0]
    with speaking(SPECIFICATION):
        table = table_of(outcome, source.path.parent)
        with quoted_nowhere(outcome, source.path.parent):
            rows = data_of(outcome, table, select(table, outcome, outcome.scenario[0]), [])
    return Question(next(iter(models_of(outcome).values())), rows.studies)
