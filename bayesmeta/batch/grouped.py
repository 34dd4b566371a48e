"""Many tables at once: sorted by group, checked at the door, the bad ones named."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import as_text, is_iterable
from ..effects import EffectSizes, measure_named
from ..errors import ColumnError, DataError
from ..model import Data, Model
from ..reading import (
    Opened,
    Reading,
    estimates_of,
    kind_of,
    main_rows,
    of_clusters,
    one_table,
    read,
    understood,
)
from ..studies import BinaryStudies, is_blank, rows_of
from ..ways import PYTHON, TABLES, Interface, interface_in_use, shown, way
from .answers import NUMBERS
from .covariates import check_names, complete, covariates_of, joined, told_of
from .rows import named, numbers_of, sound, with_names

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]
type Make = Callable[["pd.DataFrame"], Data]

AS_IT_IS = Reading()
ESTIMATES = EffectSizes.columns()
COUNTS = BinaryStudies.columns()
PRINTED = (("estimate", "lower", "upper"), ("estimate", "se"))
COUNTED = ("k", "k_left_out", "k_dropped", "k_added")  # of a group's studies
TAKEN = (*COUNTED, *NUMBERS, "engine", "problem")  # columns of the result


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """The studies of many meta-analyses, those of one group side by side.

    Attributes
    ----------
    labels : DataFrame
        One row per group: what names it.
    columns : mapping of str to ndarray, shape (n,)
        The numbers of all studies, and their covariates if the model reads some.
    start, k : ndarray of int, shape (groups,)
        Where a group's studies begin, and how many it has.
    k_left_out, k_dropped, k_added : ndarray of int, shape (groups,)
        How many more are other readings, or are dropped by analyses in two stages, and to the cells
        of how many something is added for them.
    problem : ndarray of str, shape (groups,)
        Why a group cannot be fitted; empty where it can.
    lacking : ndarray of str, shape (groups,), or None
        Studies that are left out because a covariate is not known; None if the model reads none.
    """

    labels: "pd.DataFrame"
    columns: Mapping[str, Array]
    start: NDArray[np.intp]
    k: NDArray[np.intp]
    k_left_out: NDArray[np.intp]
    k_dropped: NDArray[np.intp]
    k_added: NDArray[np.intp]
    problem: NDArray[np.object_]
    lacking: NDArray[np.object_] | None = None

    def padded(self, rows: NDArray[np.intp], *, fewest: int = 1) -> Mapping[str, Array]:
        """Columns of some groups, shape (len(rows), k); NaN where a group has no more studies."""
        k = self.k[rows]
        place = np.arange(max(fewest, int(k.max())))
        present = place < k[:, None]
        at = np.where(present, self.start[rows][:, None] + place, 0)
        return {
            name: np.where(present, values[at], np.nan) for name, values in self.columns.items()
        }


def in_whose_words() -> Interface:
    """Return what ways out of a batch are written for: in Python, those of tables in hand."""
    here = interface_in_use()
    return TABLES if here is PYTHON else here


def data_of(model: Model, columns: Mapping[str, Array]) -> Data:
    """One group's data from its padded columns, each of shape (k,); studies are numbered."""
    present = ~np.isnan(columns[columns_of(model)[0]])
    kept = {name: values[present] for name, values in columns.items()}
    told = {name: kept.pop(name) for name in model.location.variables}
    study = tuple(map(str, range(1, int(present.sum()) + 1)))
    return model.takes(study=study, covariates=told, **kept)  # pyright: ignore[reportArgumentType, reportCallIssue]


def columns_of(model: Model) -> tuple[str, ...]:
    """Names of the columns that a model needs."""
    return model.takes.columns()


def read_groups(
    model: Model,
    tables: "pd.DataFrame | Mapping[str, ArrayLike]",
    *,
    by: str | Sequence[str] | None,
    measure: str | None,
) -> Grouped:
    """Read what `fit_many` takes: a table in long form, or arrays."""
    if isinstance(tables, Mapping):
        if by is not None or measure is not None:
            raise DataError(
                "by and measure are for tables; arrays have their groups along axis 0 and hold "
                "what the model takes."
            )
        return from_arrays(tables, model)
    if not hasattr(tables, "iloc") or not hasattr(tables, "columns"):
        raise DataError(
            f"fit_many takes a table (DataFrame) or arrays by name, got {shown(tables)}."
        )
    keys = [by] if isinstance(by, str) else _names(by)
    if not keys:
        raise DataError(
            f"Name the column that tells the groups of the table apart: {way('by', 'COLUMN')}."
        )
    if measure is not None:
        measure = measure_named(measure).name
    frame = understood(tables, AS_IT_IS, measure=measure, apart=keys).frame
    return from_frame(frame, model, by=keys, measure=measure)


def _names(by: object) -> list[str]:
    """Names of columns; none where there are none to go through."""
    return [as_text(one) for one in by] if is_iterable(by) else []  # pyright: ignore[reportGeneralTypeIssues]


def from_arrays(arrays: Mapping[str, ArrayLike], model: Model) -> Grouped:
    """Read ``{"y": (batch, k), "se": (batch, k)}``, or counts alike; NaN in all is no study."""
    import pandas as pd

    numbers, variables = columns_of(model), model.location.variables
    names = (*numbers, *variables)
    if set(arrays) != set(names):
        raise DataError(
            f"{model.name} needs arrays named {', '.join(names)}; "
            f"got {', '.join(map(str, arrays))}."
        )
    try:
        table = {name: np.asarray(arrays[name], dtype=np.float64) for name in names}
    except (TypeError, ValueError, ArithmeticError):
        raise DataError(
            f"Each of {', '.join(names)} must be an array of numbers of shape (batch, k), with NaN "
            "where a group has fewer studies."
        ) from None
    shape = table[names[0]].shape
    if len(shape) != 2 or 0 in shape or any(each.shape != shape for each in table.values()):
        raise DataError(
            "Each array must have the same shape (batch, k), neither of them 0; got "
            + ", ".join(f"{name} {each.shape}" for name, each in table.items())
            + "."
        )
    present = ~np.all([np.isnan(table[name]) for name in numbers], axis=0)
    k = present.sum(axis=1)
    flat = {name: each[present] for name, each in table.items()}
    frame = pd.DataFrame(flat, copy=False)
    codes = np.repeat(np.arange(shape[0]), k)
    check_names((), variables)
    labels, make = pd.DataFrame(index=range(shape[0])), _maker(model, None, AS_IT_IS)
    columns = {name: flat[name] for name in numbers}
    return _checked(frame, codes, labels, k, columns, variables, make)


def from_frame(
    frame: "pd.DataFrame",
    model: Model,
    *,
    by: str | Sequence[str],
    measure: str | None,
    reading: Reading = AS_IT_IS,
    of: str = "the group",
) -> Grouped:
    """Read a table in long form, one row per study.

    Messages count the rows of `of`; of ``""``, the file, by the index of the frame.
    """
    names = columns_of(model)
    keys = [by] if isinstance(by, str) else _names(by)
    have = [str(name) for name in frame.columns]
    check_columns(have, keys, model, measure)
    if frame.empty:
        raise DataError("The table has no rows to analyse; it needs one row per study.")
    frame = frame.set_axis(have, axis=1)
    codes = frame.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    order = np.argsort(codes, kind="stable")
    k = np.bincount(codes)
    start = np.cumsum(k) - k
    labels = frame[keys].iloc[order[start]].reset_index(drop=True)
    direct = all(name in have for name in names) and not of_clusters(have, reading)
    make = _maker(model, measure, reading, of)
    wanted = frame.drop(columns=keys).iloc[order]
    columns = {name: numbers_of(wanted[name]) for name in (names if direct else ())}
    variables = model.location.variables
    return _checked(wanted, codes[order], labels, k, columns, variables, make)


def asking_for_names(grouped: Grouped) -> Grouped:
    """Ask for the name of a group of a file that has none, which may be several."""
    problem = grouped.problem.copy()
    for name in grouped.labels:
        for i in np.flatnonzero([is_blank(cell) for cell in grouped.labels[name]]):
            problem[i] = f"{name} is blank in these rows: name their group, or drop the rows."
    return replace(grouped, problem=problem)


def check_columns(
    have: Sequence[str], keys: Sequence[str], model: Model, measure: str | None
) -> None:
    """Refuse a table that has not, or twice, what a model needs of it."""
    own = model.likelihood.measure
    if measure is not None and own not in ("GEN", measure):
        raise DataError(f"{model.name} is about {own}; leave {way('measure', measure)} out.")
    if measure is not None:
        measure_named(measure)
    estimates = columns_of(model) == ESTIMATES
    if estimates and "events_treatment" in have and "y" not in have and measure is None:
        raise DataError(
            f"{model.name} needs estimates (y, se) and the table has counts: make effect sizes "
            f"first, {way('measure', 'OR')} or {way('measure', 'RR')}, or fit the counts: "
            f"{way('counts')}."
        )
    variables = model.location.variables
    needed = (*_needed(have, model), *variables)
    _check_keys(keys, needed)
    check_names(keys, variables)
    lacking = [name for name in (*keys, *needed) if name not in have]
    if lacking:
        raise _lacks(lacking, keys, have)
    twice = [name for name in (*keys, *needed) if have.count(name) > 1]
    if twice:
        raise DataError(f"The table has more than one column {shown(twice[0])}; keep one of them.")


def _lacks(lacking: Sequence[str], keys: Sequence[str], have: Sequence[str]) -> DataError:
    """Say which column is not there, and what would do."""
    first = lacking[0]
    named = "columns" if len(lacking) > 1 else "column"
    said = f"The table has no {named} {', '.join(map(repr, lacking))}; it has {', '.join(have)}."
    if first in keys:
        return DataError(
            f"{said} Name the column that tells the groups apart: {way('by', 'COLUMN')}."
        )
    return ColumnError(said, first)


def _check_keys(keys: Sequence[str], needed: Sequence[str]) -> None:
    for name in keys:
        if keys.count(name) > 1:
            raise DataError(f"Groups are named by {shown(name)} twice; name each column once.")
        if name in needed:
            raise DataError(
                f"{shown(name)} is a column that the model reads; group by another one."
            )
        if name in TAKEN:
            raise DataError(f"{shown(name)} is a column of the result; rename it in the table.")


def _needed(have: Sequence[str], model: Model) -> tuple[str, ...]:
    """Columns to read: what the model takes, or what it is made from; none if groups decide."""
    kind = kind_of(have)
    if "arm" in have or not {kind} <= {EffectSizes, BinaryStudies, model.takes}:
        return ()
    if model.takes is not EffectSizes:
        return columns_of(model)
    if "estimate" in have and {"p", "t_statistic"} & set(have):
        return ("estimate",)
    forms = (ESTIMATES, COUNTS, *PRINTED)
    whole = next((names for names in forms if set(names) <= set(have)), None)
    return whole or max(forms, key=lambda names: len(set(names) & set(have)))


def _maker(model: Model, measure: str | None, reading: Reading, of: str = "the group") -> Make:
    """Return what reads one group: as a table of its own, which says what is wrong with it."""
    of_arms = model.takes is not EffectSizes
    wanted = measure or (model.likelihood.measure if of_arms else "")

    def make(part: "pd.DataFrame") -> Data:
        rows = part.reset_index(drop=True) if of else part
        with rows_of(of):
            opened = main_rows(one_table(Opened(frame=rows), reading))
            data = read(opened, wanted, reading, of_arms=of_arms)
            return data if of_arms else estimates_of(data, wanted)

    return make


def _checked(
    frame: "pd.DataFrame",
    codes: NDArray[np.intp],
    labels: "pd.DataFrame",
    k: NDArray[np.intp],
    columns: Mapping[str, Array],
    variables: Sequence[str],
    make: Make,
) -> Grouped:
    """Check all groups at once where the columns are at hand; only doubtful ones one by one.

    `frame` is sorted by group; `columns` are its numbers, none of them if each group's have to be
    made. `variables` are the covariates that are read.
    """
    doubtful = np.ones(len(k), dtype=bool)
    if columns:
        usable = sound(columns) & named(frame, codes)
        doubtful = (np.bincount(codes[~usable], minlength=len(k)) > 0) | (k == 0)
        columns = {**columns, **covariates_of(frame, codes, variables)}  # pyright: ignore[reportAssignmentType]
    problem = np.full(len(k), "", dtype=object)
    start = np.cumsum(k) - k
    made: dict[int, tuple[Data, Mapping[str, Array]]] = {}
    for i in np.flatnonzero(doubtful):
        try:
            data = make(with_names(frame.iloc[start[i] : start[i] + k[i]]))
            made[int(i)] = data, _columns_of(data, variables)
        except DataError as error:
            problem[i] = str(error)
    return complete(_merged(labels, columns, start, k, problem, made), variables)


def _columns_of(data: Data, variables: Sequence[str]) -> Mapping[str, Array]:
    numbers = {name: getattr(data, name) for name in type(data).columns()}
    return {**numbers, **told_of(data, variables)}


def _merged(
    labels: "pd.DataFrame",
    columns: Mapping[str, Array],
    start: NDArray[np.intp],
    k: NDArray[np.intp],
    problem: NDArray[np.object_],
    made: Mapping[int, tuple[Data, Mapping[str, Array]]],
) -> Grouped:
    """Append the groups that were read one by one behind the others' columns."""
    left, dropped, added = (np.zeros_like(k) for _ in range(3))
    whole = Grouped(
        labels=labels,
        columns=columns,
        start=start,
        k=k,
        k_left_out=left,
        k_dropped=dropped,
        k_added=added,
        problem=problem,
    )
    if not made:
        return whole
    names = tuple(columns) or tuple(next(iter(made.values()))[1])
    start, k = start.copy(), k.copy()
    end = len(columns[names[0]]) if columns else 0
    for i, (data, _) in made.items():
        start[i], k[i] = end, data.k
        account = data.account
        left[i], dropped[i] = len(account.left_out), len(account.dropped)
        added[i] = len(account.added)
        end += data.k
    parts = [*([columns] if columns else []), *(own for _, own in made.values())]
    whole_of = {name: joined([one[name] for one in parts]) for name in names}
    return replace(whole, columns=whole_of, start=start, k=k)  # pyright: ignore[reportArgumentType]
