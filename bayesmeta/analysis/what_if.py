"""What the answer would be if one decision had been made otherwise: the scenario table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..decision import AbsoluteEffects
from ..effects import EffectSizes
from ..errors import BayesmetaError, DataError
from ..model import Data
from ..posterior import Posterior
from ..reading import Opened, row_names
from ..results import ScenarioResult
from ..specification import Outcome, Scenario, Specification
from ..studies import Key
from ..variations import Kind, NotMade, Scenarios, scenarios
from .progress import Progress
from .tables.data import data_of
from .tables.selection import select

VERIFIED = ("confidence", "verified")  # a column, and what it says of rows that were checked


def what_if(
    spec: Specification,
    outcome: Outcome,
    found: Sequence[ScenarioResult],
    table: Opened,
    people: AbsoluteEffects | None,
    progress: Progress,
) -> Scenarios:
    """The scenario table of the answer: decisions of the model, and every reading of the rows."""
    main = found[0].answer
    progress(outcome.title, "scenarios: priors, likelihoods, readings, trials left out")
    rows: dict[str, Data | Posterior] = {one.name: one.answer for one in found[1:]}
    not_made: list[NotMade] = []
    for name, read in _readings(outcome, table, found[0].data.study):
        try:
            data = _data(outcome, table, read, main)
        except BayesmetaError as error:
            not_made.append(NotMade(Kind.ROWS, name, str(error).rstrip(".")))
        else:
            rows[name] = data
    made = scenarios(
        main,
        better=None if outcome.by_covariates else outcome.better,
        baseline=None if people is None else people.middle.known,
        per=None if people is None else people.per,
        time=outcome.time,
        unit=outcome.unit,
        sd=outcome.sd,
        prob=spec.prob,
        further=rows,
    )
    return replace(made, not_made=(*made.not_made, *not_made))


def _data(outcome: Outcome, table: Opened, left_out: Mapping[Key, str], main: Posterior) -> Data:
    """What the model of the answer takes, of another reading of the rows."""
    refused: list[str] = []
    rows = data_of(outcome, table, left_out, refused)
    data = rows.effects if main.model.takes is EffectSizes else rows.studies
    if data is None:
        raise DataError(refused[0])
    main.model.check_data(data)
    return data


def _readings(
    outcome: Outcome, table: Opened, studies: Sequence[str]
) -> Iterator[tuple[str, Mapping[Key, str]]]:
    """Rows left out by other readings of a study, or of verified rows, that no scenario has."""
    known = [select(table, outcome, one).keys() for one in outcome.scenario]
    for one in _other_selections(outcome, table, studies):
        left_out = select(table, outcome, one)
        if left_out.keys() not in known and len(left_out) < len(table.frame):
            yield one.name, left_out


def _other_selections(
    outcome: Outcome, table: Opened, studies: Sequence[str]
) -> Iterator[Scenario]:
    main = outcome.scenario[0]
    names = row_names(table.frame)
    for i, variant in names.variant.items():
        study = names.study[i]
        if study in studies and variant != main.replace.get(study, main.variant):
            changed = {**main.replace, study: variant}
            yield main.model_copy(update={"name": f"{study}: {variant}", "replace": changed})
    column, checked = VERIFIED
    if column not in table.frame:
        return
    sure = [str(cell).strip().casefold() == checked for cell in table.frame[column]]
    spelled = sorted(
        {str(cell) for cell, yes in zip(table.frame[column], sure, strict=True) if yes}
    )
    if not spelled:
        return
    readings: dict[str, list[str]] = {}  # verified ones of each study
    for i, yes in zip(names.variant, sure, strict=True):
        if yes and names.study[i] in studies:
            readings.setdefault(names.study[i], []).append(names.variant[i])
    wanted = {study: main.replace.get(study, main.variant) for study in readings}
    instead = {name: rows[0] for name, rows in readings.items() if wanted[name] not in rows}
    changed = {"where": {**main.where, column: spelled}, "replace": {**main.replace, **instead}}
    yield main.model_copy(update={"name": "verified rows only", **changed})
