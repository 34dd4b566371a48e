"""What a specification would analyse: every table read, nothing fitted."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np

from ..errors import BayesmetaError
from ..model import Data
from ..reading import Opened
from ..specification import Outcome, Scenario, Source
from ..studies import Excluded
from ..summaries import describe
from ..ways import SPECIFICATION, speaking
from .data import data_of, table_of
from .models import check_labels, models_of
from .selection import select


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPreview:
    """One scenario before it is analysed.

    Attributes
    ----------
    name : str
    study : tuple of str
        What would be analysed.
    patients : float
        In all; NaN where the table does not say.
    excluded : tuple of Excluded
    notes : tuple of str
        What could not be done.
    """

    name: str
    study: tuple[str, ...]
    patients: float
    excluded: tuple[Excluded, ...]
    notes: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePreview:
    """One outcome before it is analysed.

    Attributes
    ----------
    title, measure : str
    said : tuple of str
        What was guessed or done to read its table.
    models : tuple of str
    scenarios : tuple of ScenarioPreview
    problems : tuple of str
        Why it could not be analysed.
    """

    title: str
    measure: str
    said: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    scenarios: tuple[ScenarioPreview, ...] = ()
    problems: tuple[str, ...] = ()


def preview(source: Source) -> tuple[OutcomePreview, ...]:
    """Read every table of a specification and say what would be analysed."""
    folder = source.path.parent
    with speaking(SPECIFICATION):
        return tuple(_outcome(outcome, folder) for outcome in source.specification.outcome)


def _outcome(outcome: Outcome, folder: Path) -> OutcomePreview:
    start = OutcomePreview(title=outcome.title, measure=outcome.measure)
    try:
        check_labels(outcome)
        models = tuple(describe(model) for model in models_of(outcome).values())
        if outcome.data is None:
            return start
        table = table_of(outcome, folder)
    except BayesmetaError as error:
        return replace(start, problems=_problems(error))
    scenarios: list[ScenarioPreview] = []
    problems: list[str] = []
    for one in outcome.scenario:
        try:
            scenarios.append(_scenario(outcome, table, one))
        except BayesmetaError as error:
            problems += [f"{one.name}: {problem}" for problem in _problems(error)]
    return replace(
        start,
        said=table.said,
        models=models,
        scenarios=tuple(scenarios),
        problems=tuple(problems),
    )


def _problems(error: BayesmetaError) -> tuple[str, ...]:
    return getattr(error, "problems", ()) or (str(error),)


def _scenario(outcome: Outcome, table: Opened, scenario: Scenario) -> ScenarioPreview:
    refusals: list[str] = []
    data, effects, said = data_of(outcome, table, select(table, outcome, scenario), refusals)
    dropped = () if effects is None else effects.excluded[len(data.excluded) :]
    return ScenarioPreview(
        name=scenario.name,
        study=data.study,
        patients=_patients(data),
        excluded=data.excluded,
        notes=(
            *(f"read: {one}" for one in said),
            *refusals,
            *(f"two-stage analyses leave out {one.study}: {one.reason}" for one in dropped),
        ),
    )


def _patients(data: Data) -> float:
    columns = [f"n{arm}" for arm in data.arms]
    known = [data.numbers[name].sum() for name in columns if name in data.numbers]
    return float(np.sum(known)) if known else float("nan")
