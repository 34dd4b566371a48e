"""Many meta-analyses of one model: tables in, one row each out.

A long table is sorted by group and all its rows are checked together; only doubtful groups go
through the constructors, for their sentence. Chunks go to an executor.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from ..arguments import check_switch
from ..effects import measure_named
from ..engines import Engine
from ..errors import ModelError
from ..model import Model
from ..studies import check_prob
from ..ways import shown, speaking
from .file import FrameTable, Progress, counted_in, fit_file, open_table
from .grouped import in_whose_words, read_groups
from .kept import made_with
from .parquet import ParquetTable
from .tasks import Settings, cores, fit_task, gathered, local, results, tasks_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FrameTable",
    "ParquetTable",
    "Progress",
    "counted_in",
    "fit_file",
    "fit_many",
    "made_with",
    "open_table",
]


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
        all of them marks that there is no study. Covariates of the model are further columns, or
        arrays of numbers; a study that lacks one is left out.
    by : str or sequence of str
        The columns that name a group; not for arrays.
    engine : Engine, optional
        How to fit each group by itself. By default normal models and counts are integrated many
        at a time, with the answers of ``Quadrature()``; models without an exact engine are sampled
        many at a time, and what neither does is fitted group by group as `fit` would. Effects by
        covariates are integrated many at a time where the model is normal, with normal priors of
        at most six coefficients of numbers, and else group by group.
    executor : concurrent.futures.Executor, optional
        What runs the work, in chunks; anything with ``submit``. By default a thread for each core.
        Processes are spawned, for JAX waits for ever in one that was forked after its use:
        ``ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))``.
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
        One row per group, in the order of their first rows: the columns of `by`, ``k``
        (studies that are analysed; rows, of a group that is not), ``k_left_out`` (other
        readings of them), ``k_dropped`` (more that two stages have no use for),
        ``k_added`` (to whose cells ½ was added), ``mu_mean``,
        ``mu_sd``, ``mu_median``, ``mu_lower``, ``mu_upper``, ``prob_below_null``
        (P(mu < 0)), ``tau_mean``, ``tau_median``, ``tau_lower``, ``tau_upper``, ``new_lower``,
        ``new_upper`` (the effect in a new study), ``log_marginal_likelihood``, ``error`` (of the
        integration, in posterior standard deviations), ``engine`` and ``problem``. Of a model
        with covariates, instead of what is said of mu and a new study: ``left_out`` (studies
        without a covariate, and which), for each coefficient, such as ``latitude``,
        ``latitude_mean``, ``_sd``, ``_below_null``, ``_median``, ``_lower``, ``_upper``, NaN
        where a group does not have it, and ``latitude_centre`` (what was taken off the covariate
        in this group, so that the intercept is the effect there; with ``scale=True`` also
        ``latitude_scale``); and ``caution``, if some group has one: which coefficients its studies
        do not tell, such as that of a covariate which is the same in all.
        ``attrs["model"]`` states the model with its priors and coding.

    Raises
    ------
    DataError
        If the tables as a whole cannot be read: a column is missing, or there are no rows; or if
        a name is that of a column of the result.
    ModelError
        If a process of the executor was forked after JAX was used, and would wait for ever.

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
        raise ModelError(
            f"fit_many takes a model first, e.g. NormalNormal(...); got {shown(model)}."
        )
    if not isinstance(engine, Engine | None):
        raise ModelError(f"engine is Quadrature() or NUTS(seed=...), not {shown(engine)}.")
    check_switch(quantiles, "quantiles")
    if executor is not None and not hasattr(executor, "submit"):
        raise ModelError(f"executor is one of concurrent.futures, got {shown(executor)}.")
    with speaking(in_whose_words()):
        grouped = read_groups(model, tables, by=by, measure=measure)
    model.check_scale(measure_named(measure or "GEN").name)
    settings = Settings(model, engine, prob, quantiles)
    with local(settings) if executor is None else nullcontext(executor) as runs:
        tasks = tasks_of(grouped, settings, workers=cores())
        with closing(results(runs, partial(fit_task, settings), tasks)) as found:
            return gathered(grouped, settings, found, progress)
