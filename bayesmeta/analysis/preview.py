"""What a specification would analyse: every table read, nothing fitted."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import final

from ..doubts import plausibility
from ..engines import check_fit
from ..errors import BayesmetaError, ModelError
from ..model import Data, Model, Predictor
from ..reading import Opened
from ..specification import Outcome, Scenario, Source
from ..studies import Excluded
from ..summaries import describe
from ..ways import SPECIFICATION, speaking
from .absolute import check_stated
from .models import check_labels, fits_of, models_of
from .published import check_alone
from .tables import (
    Rows,
    account_beside,
    data_of,
    lies_outside,
    quoted_nowhere,
    select,
    table_of,
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPreview:
    """One scenario before it is analysed.

    Attributes
    ----------
    name : str
    study : tuple of str
        What would be analysed.
    participants : float or None
        In all; None where the table does not say.
    left_out : tuple of Excluded
    notes : tuple of str
        What could not be done.
    """

    name: str
    study: tuple[str, ...]
    participants: float | None
    left_out: tuple[Excluded, ...]
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
    problems = list(_stated_amiss(outcome, folder))
    try:
        models = models_of(outcome)
        start = replace(start, models=tuple(map(describe, models.values())))
        if outcome.data is None:
            return replace(start, problems=tuple(problems))
        table = table_of(outcome, folder)
    except BayesmetaError as error:
        return replace(start, problems=(*problems, *_problems(error)))
    guarded = list(_scales_amiss(models.values(), outcome.measure))
    problems += guarded
    scenarios: list[ScenarioPreview] = []
    for one in outcome.scenario:
        try:
            with quoted_nowhere(outcome, folder):
                rows = data_of(outcome, table, select(table, outcome, one), refusals := [])
                rows = _with_covariates(models.values(), rows)
                scenarios.append(_scenario(outcome, table, one, rows, refusals))
                for _, model, on in () if guarded else fits_of(models, *rows[:2]):
                    check_fit(model, on)
                    complete = model.complete(on)
                    model.numbered(complete)  # refuses a slope without a prior
                    _check_places(model, complete, outcome.at)
        except BayesmetaError as error:
            problems += [f"{one.name}: {problem}" for problem in _problems(error)]
    if problems and lies_outside(outcome.data, folder):
        return replace(start, problems=tuple(problems))
    return replace(
        start,
        said=table.said,
        scenarios=tuple(scenarios),
        problems=tuple(problems),
    )


def _check_places(model: Model, data: Data, places: Iterable[Mapping[str, object]]) -> None:
    """Refuse a place that names what is no covariate of the model, or no level of it."""
    if isinstance(model.location, Predictor):
        made = model.location.design(data)
        for place in places:
            made.near(**place)


def _with_covariates(models: Iterable[Model], rows: Rows) -> Rows:
    """The studies that have all covariates of the models, where these have any."""
    for model in models:
        rows = rows._replace(studies=model.location.complete(rows.studies))
    return rows


def _stated_amiss(outcome: Outcome, folder: Path) -> Iterator[str]:
    """What is wrong with labels, published figures and baselines."""
    asked: list[Callable[[], None]] = [partial(check_labels, outcome)]
    asked += [partial(check_alone, one) for one in outcome.published]
    if outcome.data is not None:
        asked.append(partial(check_stated, outcome, folder))
    for check in asked:
        try:
            check()
        except BayesmetaError as error:
            yield from _problems(error)


def _scales_amiss(models: Iterable[Model], measure: str) -> Iterator[str]:
    """Published priors of another scale, each once, whatever scenarios there are."""
    said: dict[str, None] = {}
    for model in models:
        try:
            model.check_scale(measure)
        except ModelError as error:
            said[str(error)] = None
    yield from said


def _doubts(outcome: Outcome, scenario: Scenario, found: Data) -> tuple[str, ...]:
    """What the main scenario's rows say that is hardly so."""
    if scenario is not outcome.scenario[0]:
        return ()
    return tuple(one.text for one in plausibility(found))


def _problems(error: BayesmetaError) -> tuple[str, ...]:
    return getattr(error, "problems", ()) or (str(error),)


def _scenario(
    outcome: Outcome, table: Opened, scenario: Scenario, rows: Rows, refusals: Sequence[str]
) -> ScenarioPreview:
    data, effects, found = rows
    account = account_beside(data, effects)
    said = account.said[len(table.said) :]
    return ScenarioPreview(
        name=scenario.name,
        study=data.study,
        participants=account.participants,
        left_out=account.left_out,
        notes=(
            *(f"read: {one}" for one in said),
            *refusals,
            *(f"doubt: {one}" for one in _doubts(outcome, scenario, found)),
            *(f"two-stage analyses leave out {one.study}: {one.reason}" for one in account.dropped),
        ),
    )
