"""The work of a batch: tasks cut, handed to an executor, and fitted."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines import (
    BATCH_TOLERANCE,
    NUTS,
    BatchFit,
    Engine,
    capability,
    default_engine,
    fit,
    padded_k,
    prepare,
)
from ..errors import DataError, ModelError
from ..machine.forks import ForkedError
from ..machine.threads import Threads
from ..model import Model
from ..studies import rows_of
from .answers import in_order, numbers_alone, numbers_of
from .covariates import CAUTION, LEFT_OUT
from .grouped import COUNTED, Grouped, data_of

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]
type Table = dict[str, NDArray]

STUDIES_AT_ONCE = 2**18  # padding included, in one task
ALONE_AT_ONCE = 16  # groups in one task, where each is fitted by itself
WAITING = 64  # tasks handed to an executor ahead of their results

MANY = "Quadrature(), many at once"
WORDS = {"engine": MANY, CAUTION: "", "problem": ""}  # columns of them, where many are fitted


class Settings(NamedTuple):
    """What all groups share."""

    model: Model
    engine: Engine | None
    prob: float
    quantiles: bool

    @property
    def many(self) -> BatchFit | None:
        """What fits many groups at once, if anything may."""
        return capability(self.model).many if self.engine is None else None


def cores() -> int:
    """Return how many processors there are."""
    return os.cpu_count() or 1


@contextmanager
def local(settings: Settings) -> Generator[Executor]:
    """Threads of this process, one for each processor."""
    if isinstance(settings.engine or default_engine(settings.model), NUTS):
        prepare()  # before there are threads
    with Threads(cores()) as threads:
        yield threads


def gathered(
    grouped: Grouped,
    settings: Settings,
    found: Iterable[tuple[NDArray[np.intp], Table]],
    progress: Callable[[int, int], object] | None = None,
) -> "pd.DataFrame":
    """Put the answers of tasks where their groups stand; one row for each group."""
    import pandas as pd

    groups = len(grouped.k)
    fixed = numbers_of(settings.model.location)
    table: Table = {name: np.full(groups, np.nan) for name in fixed}
    words = {name: np.full(groups, "", dtype=object) for name in WORDS}
    words["problem"] = grouped.problem.copy()
    done = int((grouped.problem != "").sum())
    for part, result in found:
        for name, values in result.items():
            column = words if name in words else table
            column.setdefault(name, np.full(groups, np.nan))[part] = values
        done += len(part)
        if progress is not None:
            progress(done, groups)
    counted = {name: getattr(grouped, name) for name in COUNTED}
    if grouped.lacking is not None:
        counted[LEFT_OUT] = grouped.lacking
    if not any(words[CAUTION]):  # most have none
        words.pop(CAUTION)
    numbers = pd.DataFrame({**counted, **in_order(table, fixed), **words}, copy=False)
    frame = pd.concat([grouped.labels, numbers], axis=1)
    frame.attrs["model"] = repr(settings.model)
    return frame


def tasks_of(
    grouped: Grouped, settings: Settings, *, workers: int
) -> Iterator[tuple[NDArray[np.intp], Mapping[str, Array]]]:
    """Cut the groups into tasks, those of one padded size together; columns as they are needed."""
    rows = np.flatnonzero(grouped.problem == "")
    many = settings.many is not None
    sizes = np.array([padded_k(int(k)) for k in range(int(grouped.k.max(initial=1)) + 1)])
    padded = sizes[grouped.k[rows]]
    for size in np.unique(padded):
        here = rows[padded == size]
        most = max(1, STUDIES_AT_ONCE // int(size)) if many else ALONE_AT_ONCE
        share = max(1, min(most, -(-len(here) // workers)))
        for i in range(0, len(here), share):
            part = here[i : i + share]
            yield part, grouped.padded(part, fewest=int(size))


def results[Key, Given, Found](
    executor: Executor,
    function: Callable[[Given], Found],
    tasks: Iterator[tuple[Key, Given]],
) -> Generator[tuple[Key, Found]]:
    """Keep an executor busy, with no more than a few tasks in memory; as they are finished."""
    running: dict[Future[Found], Key] = {}
    try:
        while True:
            for key, given in islice(tasks, WAITING - len(running)):
                running[executor.submit(function, given)] = key
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:
        for future in running:
            future.cancel()


def fit_task(settings: Settings, columns: Mapping[str, Array]) -> Table:
    """Fit some groups: many at a time where that serves, the rest one by one.

    `columns` have shape (n, k); the result has one array of shape (n,) per column of the table.
    """
    n = len(next(iter(columns.values())))
    table: Table = {name: np.full(n, np.nan) for name in numbers_of(settings.model.location)}
    table |= {name: np.full(n, said, dtype=object) for name, said in WORDS.items()}
    if settings.many is not None:
        table |= settings.many(columns, prob=settings.prob, quantiles=settings.quantiles)
    settled = table.pop("settled", table["error"] <= BATCH_TOLERANCE)
    for i in np.flatnonzero(~settled):
        one = {name: values[i] for name, values in columns.items()}
        alone = _alone(one, settings)
        for name in (*table, *alone):
            column = table.setdefault(name, np.full(n, np.nan))
            column[i] = alone.get(name, np.nan)
    return table


def _alone(columns: Mapping[str, Array], settings: Settings) -> dict[str, float | str]:
    """Fit one group by itself, as `fit` does."""
    try:
        with rows_of("the group"):
            posterior = fit(settings.model, data_of(settings.model, columns), settings.engine)
    except ForkedError:
        raise  # not about this group
    except (DataError, ModelError) as error:
        return {"engine": "", CAUTION: "", "problem": str(error)}
    failures = "; ".join(map(str, posterior.diagnostics.failures))
    words = {
        "engine": posterior.engine,
        CAUTION: " ".join(posterior.model.location.untold(posterior.data)),
        "problem": f"Not sound: {failures}." if failures else "",
    }
    return {**numbers_alone(posterior, settings.prob, quantiles=settings.quantiles), **words}
