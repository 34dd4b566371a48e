"""Many meta-analyses of one model: tables in, one row each out.

A long table is sorted by group and all its rows are checked together; only doubtful groups go
through the constructors, for their sentence. Chunks go to an executor.
"""

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engines import BATCH_TOLERANCE, BatchFit, Engine, capability, default_engine, fit, padded_k
from ..errors import DataError, ModelError
from ..model import Model
from ..posterior import Marginal, Posterior
from ..studies import check_prob
from ._grouped import Grouped, data_of, from_arrays, from_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fit_many"]

type Array = NDArray[np.float64]
type Table = dict[str, NDArray]
type Task = tuple[NDArray[np.intp], Mapping[str, Array]]

STUDIES_AT_ONCE = 2**18  # padding included, in one task
ALONE_AT_ONCE = 16  # groups in one task, where each is fitted by itself
WAITING = 64  # tasks handed to an executor ahead of their results

MANY = "Quadrature(), many at once"
NUMBERS = (
    *("mu_mean", "mu_sd", "mu_median", "mu_lower", "mu_upper", "prob_below_null"),
    *("tau_mean", "tau_median", "tau_lower", "tau_upper", "new_lower", "new_upper"),
    *("log_marginal_likelihood", "error"),
)


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


def fit_many(
    model: Model,
    tables: "pd.DataFrame | Mapping[str, ArrayLike]",
    *,
    by: str | Sequence[str] | None = None,
    engine: Engine | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    prob: float = 0.95,
    quantiles: bool = True,
    measure: str | None = None,
) -> "pd.DataFrame":
    """Fit one model to many data sets.

    A data set that cannot be fitted does not stop the others: its numbers are NaN, and the column
    ``problem`` says why.

    Parameters
    ----------
    model : Model
        What to fit; fully specified, priors included.
    tables : DataFrame or mapping of str to array_like, shape (batch, k)
        A table in long form, one row per study, with the columns ``y`` and ``se``, or for models
        of counts those of the studies they take (``events_treatment``, ``n_treatment``, ...;
        ``events`` and ``time``), and optionally ``study``; or arrays of those names, where NaN in
        all of them marks that there is no study.
    by : str or sequence of str
        The columns that name a group; not for arrays.
    engine : Engine, optional
        How to fit each group by itself. By default normal models and counts are integrated many
        at a time, with the answers of ``Quadrature()``; models without an exact engine are sampled
        many at a time, and what neither does is fitted group by group as `fit` would.
    executor : concurrent.futures.Executor, optional
        What runs the work, in chunks; anything with ``submit``. By default a thread for each core.
    progress : callable, optional
        Called with the groups done and the groups in all after each chunk.
    prob : float
        Probability of the central intervals.
    quantiles : bool
        Whether to give medians and intervals. Without them it is several times faster.
    measure : str, optional
        Where each table has to be made into effect sizes first, of what measure: ``"OR"`` or
        ``"RR"`` of counts, any of ``estimate``, ``lower``, ``upper``.

    Returns
    -------
    DataFrame
        One row per group, in the order of their first rows: the columns of `by`, ``k``,
        ``mu_mean``, ``mu_sd``, ``mu_median``, ``mu_lower``, ``mu_upper``, ``prob_below_null``
        (P(mu < 0)), ``tau_mean``, ``tau_median``, ``tau_lower``, ``tau_upper``, ``new_lower``,
        ``new_upper`` (the effect in a new study), ``log_marginal_likelihood``, ``error`` (of the
        integration, in posterior standard deviations), ``engine`` and ``problem``.
        ``attrs["model"]`` states the model with its priors and coding.

    Raises
    ------
    DataError
        If the tables as a whole cannot be read: a column is missing, or there are no rows.

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> table = pd.DataFrame(
    ...     {"outcome": ["death", "death", "death", "pain", "pain"],
    ...      "y": [-0.4, 0.1, -0.3, 0.2, 0.5], "se": [0.2, 0.3, 0.4, 0.3, 0.2]})
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> bm.fit_many(model, table, by="outcome")[["outcome", "k", "mu_median"]].round(3)
      outcome  k  mu_median
    0   death  3     -0.228
    1    pain  2      0.380
    """
    check_prob(prob)
    if not isinstance(model, Model):
        raise ModelError(f"fit_many takes a model first, e.g. NormalNormal(...); got {model!r}.")
    if not isinstance(engine, Engine | None):
        raise ModelError(f"engine is Quadrature() or NUTS(seed=...), not {engine!r}.")
    grouped = _read(model, tables, by, measure)
    rows = np.flatnonzero(grouped.problem == "")
    settings = Settings(model, engine, prob, quantiles)
    tasks = _tasks(grouped, rows, many=settings.many is not None)
    table = _empty(grouped)
    done = len(grouped.k) - len(rows)
    with ExitStack() as stack:
        if executor is None:
            _prepare(model, engine)
            executor = stack.enter_context(ThreadPoolExecutor(max_workers=_cores()))
        results = stack.enter_context(closing(_results(executor, tasks, settings)))
        for part, result in results:
            for name, values in result.items():
                table[name][part] = values
            done += len(part)
            if progress is not None:
                progress(done, len(grouped.k))
    frame = _frame(grouped, table)
    frame.attrs["model"] = repr(model)
    return frame


def _read(
    model: Model,
    tables: "pd.DataFrame | Mapping[str, ArrayLike]",
    by: str | Sequence[str] | None,
    measure: str | None,
) -> Grouped:
    own = model.likelihood.measure
    if measure is not None and own not in ("GEN", measure):
        raise DataError(f"{model.name} is about {own}; leave measure={measure!r} out.")
    if isinstance(tables, Mapping):
        if by is not None or measure is not None:
            raise DataError(
                "by and measure are for tables; arrays have their groups along axis 0 and hold "
                "what the model takes."
            )
        return from_arrays(tables, model)
    if not hasattr(tables, "columns"):
        raise DataError(f"fit_many takes a table (DataFrame) or arrays by name, got {tables!r}.")
    if by is None or not len(by):
        raise DataError("by must name the column that tells the groups of the table apart.")
    return from_frame(tables, model, by=by, measure=measure)


def _cores() -> int:
    return os.cpu_count() or 1


def _prepare(model: Model, engine: Engine | None) -> None:
    """Import what the threads will need before there are threads."""
    from ..engines import NUTS, prepare

    if isinstance(engine or default_engine(model), NUTS):
        prepare()


def _tasks(grouped: Grouped, rows: NDArray[np.intp], *, many: bool) -> Iterator[Task]:
    """Cut the groups into chunks, those of one padded size together; columns as they are needed."""
    sizes = np.array([padded_k(int(k)) for k in range(int(grouped.k.max(initial=1)) + 1)])
    padded = sizes[grouped.k[rows]]
    for size in np.unique(padded):
        here = rows[padded == size]
        most = max(1, STUDIES_AT_ONCE // int(size)) if many else ALONE_AT_ONCE
        share = max(1, min(most, -(-len(here) // _cores())))
        for i in range(0, len(here), share):
            part = here[i : i + share]
            yield part, grouped.padded(part, fewest=int(size))


def _results(
    executor: Executor, tasks: Iterator[Task], settings: Settings
) -> Generator[tuple[NDArray[np.intp], Table]]:
    """Keep an executor busy, with no more than a few chunks in memory."""
    running: dict[Future[Table], NDArray[np.intp]] = {}
    try:
        while True:
            for part, columns in islice(tasks, WAITING - len(running)):
                running[executor.submit(fit_chunk, columns, settings)] = part
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:
        for future in running:
            future.cancel()


def fit_chunk(columns: Mapping[str, Array], settings: Settings) -> Table:
    """Fit some groups: many at a time where that serves, the rest one by one.

    `columns` have shape (n, k); the result has one array of shape (n,) per column of the table.
    """
    n = len(next(iter(columns.values())))
    table: Table = {name: np.full(n, np.nan) for name in NUMBERS}
    table |= {"engine": np.full(n, MANY, dtype=object), "problem": np.full(n, "", dtype=object)}
    if settings.many is not None:
        table |= settings.many(columns, prob=settings.prob, quantiles=settings.quantiles)
    settled = table.pop("settled", table["error"] <= BATCH_TOLERANCE)
    for i in np.flatnonzero(~settled):
        one = {name: values[i] for name, values in columns.items()}
        for name, value in _alone(one, settings).items():
            table[name][i] = value
    return table


def _alone(columns: Mapping[str, Array], settings: Settings) -> dict[str, float | str]:
    """Fit one group by itself, as `fit` does."""
    nothing = dict.fromkeys(NUMBERS, np.nan)
    try:
        posterior = fit(settings.model, data_of(settings.model, columns), settings.engine)
    except (DataError, ModelError) as error:
        return {**nothing, "engine": "", "problem": str(error)}
    failures = "; ".join(map(str, posterior.diagnostics.failures))
    words = {"engine": posterior.engine, "problem": f"Not sound: {failures}." if failures else ""}
    moments = {
        "mu_mean": posterior.at().mean(),
        "mu_sd": posterior.at().sd(),
        "prob_below_null": posterior.at().cdf(0.0),
        "log_marginal_likelihood": posterior.log_marginal_likelihood,
        "error": _error(posterior),
    }
    if "tau" in posterior.marginals:
        moments["tau_mean"] = posterior["tau"].mean()
    found = {name: np.nan if value is None else value for name, value in moments.items()}
    quantiles = _quantiles(posterior, settings.prob) if settings.quantiles else {}
    return {**nothing, **found, **quantiles, **words}


def _error(posterior: Posterior) -> float:
    checks = posterior.diagnostics.checks
    return next((c.value for c in checks if c.name == "quadrature error"), np.nan)


def _quantiles(posterior: Posterior, prob: float) -> dict[str, float]:
    found: dict[str, float] = {}
    for short, name in (("mu", "mu"), ("tau", "tau"), ("new", "theta_new")):
        if name in posterior.marginals:
            marginal = posterior.marginals[name]
            assert isinstance(marginal, Marginal)
            found[f"{short}_lower"], found[f"{short}_upper"] = marginal.interval(prob)
            found[f"{short}_median"] = marginal.quantile(0.5)
    found.pop("new_median", None)
    return found


def _empty(grouped: Grouped) -> Table:
    groups = len(grouped.k)
    return {
        **{name: np.full(groups, np.nan) for name in NUMBERS},
        "engine": np.full(groups, "", dtype=object),
        "problem": grouped.problem.copy(),
    }


def _frame(grouped: Grouped, table: Table) -> "pd.DataFrame":
    import pandas as pd

    numbers = pd.DataFrame({"k": grouped.k, **table}, copy=False)
    return pd.concat([grouped.labels, numbers], axis=1)
