"""One specification to every result: outcome after outcome, their second source behind."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING

from .. import engines
from ..implications import hold
from ..model import Data, Model
from ..posterior import Posterior
from ..reading import Opened, RiskOfBias
from ..results import OutcomeResult, Results
from ..results.bias import bias_of
from ..results.tables import outcome_tables
from ..specification import Source, Specification
from ..ways import SPECIFICATION, speaking
from .absolute import check_stated
from .bias import judgements
from .models import check_labels
from .outcomes import outcome_result
from .progress import Progress
from .second import second_source, with_second
from .tables import hashes_of, quoted_nowhere, table_of

if TYPE_CHECKING:
    pass

PROGRAMS = ("bayesmeta", "numpy", "scipy", "jax", "pymc", "blackjax", "arviz", "xarray", "pandas")


@speaking(SPECIFICATION)
def run(source: Source, *, progress: Progress = lambda outcome, step: None) -> Results:
    """Do everything a specification asks for.

    Parameters
    ----------
    source : Source
        From ``load_specification``.
    progress : callable
        Called with the outcome's title and the step about to start.

    Returns
    -------
    Results

    Raises
    ------
    FileError, DataError, ModelError
        If a table cannot be read or used; nothing is returned then.
    """
    with speaking(SPECIFICATION):
        return _run(source, progress)


def _run(source: Source, progress: Progress) -> Results:
    spec = source.specification
    folder = source.path.parent
    for outcome in spec.outcome:
        check_labels(outcome)
        if outcome.data is not None:
            check_stated(outcome, folder)
    hashes = hashes_of(source)
    tables = {
        outcome.name: table_of(outcome, folder)
        for outcome in spec.outcome
        if outcome.data is not None
    }
    bias = judgements(spec, folder, tables)
    outcomes = _outcomes(spec, folder, tables, bias, progress)
    found = Results(
        title=spec.title,
        question=spec.question,
        arms=(spec.arms[0], spec.arms[1]),
        limits=tuple(spec.limits),
        seed=spec.seed,
        prob=spec.prob,
        outcomes=outcomes,
        versions={
            "python": python_version(),
            **{name: metadata.version(name) for name in PROGRAMS},
        },
        hashes=hashes,
        device=engines.device() if any(_sampled(outcome) for outcome in outcomes) else "not used",
        specification=source.text,
        reporting={key: text for key, text in spec.reporting.model_dump().items() if text},
    )
    progress(spec.title, "figures held against one another")
    return hold(found)


def _outcomes(
    spec: Specification,
    folder: Path,
    tables: Mapping[str, Opened],
    bias: Mapping[str, RiskOfBias],
    progress: Progress,
) -> tuple[OutcomeResult, ...]:
    """Integrate outcome after outcome while their second source samples in the background."""
    with ThreadPoolExecutor(max_workers=1) as background:
        try:
            asked = _asked(spec, folder, tables)
            if asked:
                engines.prepare()
            second = {
                name: background.submit(engines.fit, *source) for name, source in asked.items()
            }
            done = []
            for outcome in spec.outcome:
                with quoted_nowhere(outcome, folder):
                    table = tables.get(outcome.name)
                    found = outcome_result(spec, outcome, table, folder, progress)
                    done.append(replace(found, bias=bias_of(found, bias.get(outcome.name))))
            return tuple(_finish(spec, one, second.get(one.name), progress) for one in done)
        finally:
            background.shutdown(wait=False, cancel_futures=True)


def _asked(
    spec: Specification, folder: Path, tables: Mapping[str, Opened]
) -> Mapping[str, tuple[Model, Data, engines.NUTS]]:
    """What the second source fits, by outcome."""
    found = {}
    for outcome in spec.outcome:
        with quoted_nowhere(outcome, folder):
            source = second_source(spec, outcome, tables)
        if source is not None:
            found[outcome.name] = source
    return found


def _finish(
    spec: Specification,
    outcome: OutcomeResult,
    second: "Future[Posterior] | None",
    progress: Progress,
) -> OutcomeResult:
    """Add the second source behind the answer it is held to, and make the tables."""
    if second is not None:
        progress(outcome.title, "NUTS, the second source")
        main, *others = outcome.scenarios
        main = with_second(main, second.result())
        outcome = replace(outcome, scenarios=(main, *others))
    return replace(outcome, tables=outcome_tables(outcome, prob=spec.prob))


def _sampled(outcome: OutcomeResult) -> bool:
    return any(not posterior.exact for posterior in outcome.fits.values())
