"""The same counts under another measure: which model that is, and its fit."""

from collections.abc import Mapping
from dataclasses import replace
from functools import singledispatch

import numpy as np

from ..engines import capability
from ..engines import fit as fit_model
from ..errors import ModelError
from ..model import BinomialNormal, Data, Model, default_model, made_for_another
from ..posterior import Posterior
from ..studies import BinaryStudies
from ..summaries import measure_of
from ..ways import way

OTHER: Mapping[str, str] = {"RR": "OR", "OR": "RR"}


def refitted(posterior: Posterior, measure: str) -> Posterior:
    """Fit another measure to the counts of a posterior.

    Raises
    ------
    ModelError
        If it is of estimates, or no model of that measure belongs to its own.
    """
    if not holds_counts(posterior):
        raise ModelError(f"{measure} takes a table of counts and {way('counts')}.")
    return fit_model(model_under(posterior.model, posterior.data, measure), posterior.data)


def holds_counts(posterior: Posterior) -> bool:
    """Whether its data are patients with and without events."""
    return posterior.data.discrete and posterior.data.size == "n"


def beside_of(posterior: Posterior) -> str | None:
    """The ratio that an exact fit can set beside that of a posterior, if there is one."""
    other = OTHER.get(measure_of(posterior))
    return None if other is None or why_alone(posterior) else other


def why_alone(posterior: Posterior) -> str:
    """Why no exact fit sets the other ratio beside an OR or RR; empty where one does."""
    measure = OTHER[measure_of(posterior)]
    if not holds_counts(posterior):
        return f"that takes a table of counts and {way('counts')}"
    try:
        model = model_under(posterior.model, posterior.data, measure)
        return elsewhere(model, posterior.data) or capability(model).why_not
    except ModelError as error:
        return str(error).rstrip(".")


def elsewhere(model: Model, data: Data) -> str:
    """Which published priors of a model were made for another measure; empty where none was."""
    found = made_for_another(model.priors, model.scale(data))
    return " and ".join(
        f"{source.spelling} of {name} was published for {source.record.scale}"
        for name, source in found
    )


@singledispatch
def model_under(model: Model, data: Data, measure: str) -> Model:
    """The model of a measure that is nearest to one of another measure of the same counts.

    Parameters
    ----------
    model : Model
    data : Data
    measure : {"OR", "RR"}

    Raises
    ------
    ModelError
    """
    raise ModelError(f"Which model of {measure} belongs to {model.name} is not known.")


@model_under.register
def _(model: BinomialNormal, data: Data, measure: str) -> Model:
    """Priors of a log ratio stay; those of a risk difference are on another scale."""
    if model.measure in OTHER:
        return replace(model, measure=measure, coding="half")
    return default_model(data)


def pooled_control_risk(studies: BinaryStudies) -> float:
    """Events over patients, all control arms together; NaN without events or non-events."""
    risk = float(studies.events_control.sum() / studies.n_control.sum())
    return risk if 0 < risk < 1 else np.nan
