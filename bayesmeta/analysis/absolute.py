"""From the answer of an outcome to people: baselines, and what happens with the treatment."""

from pathlib import Path

import numpy as np

from ..decision import (
    MODEL,
    AbsoluteEffects,
    Baseline,
    absolute_effects,
    baseline,
    beside_of,
    kind_for,
    pooled_control_risk,
)
from ..errors import ModelError, SpecError
from ..model import Data
from ..results import ScenarioResult
from ..specification import CONTROL_ARMS, Outcome, Specification, is_table
from ..studies import BinaryStudies, need
from .progress import Progress
from .tables import single_arms, table_baseline, unquoted

OF_RISKS = ("OR", "RR")  # what the control arms' risk turns into the risk with treatment


def absolute(
    spec: Specification,
    outcome: Outcome,
    main: ScenarioResult,
    folder: Path,
    progress: Progress,
) -> tuple[AbsoluteEffects | None, str]:
    """Absolute effects at the baselines that are stated, and where these come from.

    Without any, of an OR or RR of counts, at the risk in all control arms together.
    """
    if outcome.better is None:
        return None, ""
    bases: dict[str, object] = {
        name: stated_baseline(one, outcome, main.data, folder)
        for name, one in outcome.baselines.items()
    }
    origin = outcome.baseline_source
    if not bases:
        known = _control_risk(outcome, main)
        if known is None:
            return None, ""
        bases = {"": known}
        origin = known.said
    progress(outcome.title, "absolute effects")
    found = absolute_effects(
        main.answer,
        baseline=bases,
        better=outcome.better,
        prob=spec.prob,
        per=outcome.per,
        threshold=outcome.threshold,
        time=outcome.time,
        unit=outcome.unit,
        sd=outcome.sd,
        beside=beside_of(main.answer),
    )
    return found.sound, origin


def _control_risk(outcome: Outcome, main: ScenarioResult) -> Baseline | None:
    """The risk that is stated, or that of all control arms; None where there is none."""
    if outcome.measure not in OF_RISKS or outcome.measure not in main.data.measures:
        return None
    counts = need(main.data, BinaryStudies, "a control risk is of patients with and without events")
    risk = outcome.control_risk or pooled_control_risk(counts)
    if not np.isfinite(risk):
        return None
    origin = "given by the specification" if outcome.control_risk else "all control arms together"
    return baseline(risk, said=origin)


def stated_baseline(
    stated: float | str, outcome: Outcome, data: Data, folder: Path, *, said: str = ""
) -> Baseline | str:
    """What an outcome states of its baseline; of its control arms, what the data say.

    Parameters
    ----------
    stated : float or str
        A number, a distribution, the control arms, a table of single arms, or the model itself,
        which is left for the fit.
    outcome : Outcome
    data : Data
    folder : Path
        Where the paths of tables begin.
    said : str
        What it is called.

    Raises
    ------
    SpecError
        If the data have no control arms.
    FileError, DataError
        If a table cannot be used.
    """
    kind = kind_for(outcome.measure, outcome.time)
    if stated == MODEL:
        return MODEL
    if is_table(stated):
        with unquoted(Path(str(stated)), folder):
            return table_baseline(folder / str(stated), kind, said=f"{said}: " if said else "")
    if stated != CONTROL_ARMS:
        return baseline(stated, kind=kind, said=said)
    try:
        return baseline(data, said=said)
    except ModelError:
        raise _no_control_arms(outcome) from None


def check_stated(outcome: Outcome, folder: Path) -> None:
    """Refuse baselines that the tables they stand for do not give, before anything is fitted.

    Raises
    ------
    SpecError, FileError, DataError
        As `stated_baseline`.
    """
    kind = kind_for(outcome.measure, outcome.time)
    for stated in outcome.baselines.values():
        if is_table(stated):
            with unquoted(Path(str(stated)), folder):
                single_arms(folder / str(stated), kind)
        elif stated == CONTROL_ARMS and not _has_control_arms(outcome):
            raise _no_control_arms(outcome)


def _has_control_arms(outcome: Outcome) -> bool:
    of = outcome.of_arms()
    return of is not None and of.table.discrete and len(of.table.arms) > 1


def _no_control_arms(outcome: Outcome) -> SpecError:
    return SpecError(
        f"{outcome.name}: baseline_risk = {CONTROL_ARMS!r} needs a table of events per arm; "
        "state a number or a distribution, or the low, middle and high ones."
    )
