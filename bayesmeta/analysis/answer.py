"""What the answer of a specification would be fitted with."""

from collections.abc import Mapping
from typing import NamedTuple

from ..model import Data, Model
from ..results.keys import FitKey
from ..specification import Outcome, Source
from ..ways import SPECIFICATION, speaking
from .models import fits_of, models_of
from .tables import data_of, quoted_nowhere, select, table_of


class Question(NamedTuple):
    """The model and the data of an answer."""

    model: Model
    data: Data


def read_for_models(source: Source, outcome: Outcome) -> Mapping[FitKey, Data]:
    """What each model of an outcome is fitted to in its first scenario; nothing is fitted.

    Of those that can be made: a model of estimates has none where no estimates can be.
    """
    folder = source.path.parent
    with speaking(SPECIFICATION):
        table = table_of(outcome, folder)
        with quoted_nowhere(outcome, folder):
            rows = data_of(outcome, table, select(table, outcome, outcome.scenario[0]), [])
            fits = fits_of(models_of(outcome), rows.studies, rows.effects)
            return {key: model.complete(data) for key, model, data in fits}


def question_of(source: Source) -> Question:
    """Read what the first outcome, which has a table, is answered from; nothing is fitted."""
    outcome = source.specification.outcome[0]
    with speaking(SPECIFICATION):
        table = table_of(outcome, source.path.parent)
        with quoted_nowhere(outcome, source.path.parent):
            rows = data_of(outcome, table, select(table, outcome, outcome.scenario[0]), [])
    return Question(next(iter(models_of(outcome).values())), rows.studies)
