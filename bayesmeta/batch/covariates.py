"""Covariates of many tables: read once, studies that lack one left out and named."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..design import is_known
from ..errors import DataError
from ..studies import Covariate, Table, read_covariates
from ..ways import shown

if TYPE_CHECKING:
    import pandas as pd

    from .grouped import Grouped

type Column = NDArray  # of float, or of str

STUDY, LEFT_OUT, CAUTION = "study", "left_out", "caution"
ENDS = ("lower", "median", "upper")
OF_A_COEFFICIENT = tuple(
    f"_{what}" for what in ("mean", "sd", "below_null", *ENDS, "centre", "scale")
)


def covariates_of(
    frame: "pd.DataFrame", codes: NDArray[np.intp], variables: Sequence[str]
) -> dict[str, Column]:
    """Covariates of rows as numbers with gaps, or as words; with the names of the studies.

    `codes`, sorted, say which rows are of one group, where studies without names are numbered.
    """
    if not variables:
        return {}
    found = {name: _column(frame[name], name) for name in variables}  # pyright: ignore[reportArgumentType]
    place = np.arange(len(codes)) - np.searchsorted(codes, codes) + 1
    names = frame.get(STUDY, default=place)
    assert names is not None
    return {**found, STUDY: np.array([str(one) for one in names], dtype=object)}


def _column(column: "pd.Series", name: str) -> Column:
    if column.dtype.kind in "fiu":
        values = column.to_numpy(np.float64, na_value=np.nan)
        if not np.isinf(values).any():
            return values
    return _as_array(read_covariates({name: column}, len(column))[name])


def _as_array(column: Covariate) -> Column:
    array = np.asarray(column)
    return array if array.dtype.kind == "f" else array.astype(object)


def check_names(keys: Sequence[str], variables: Sequence[str]) -> None:
    """Refuse names of groups or covariates that are those of columns of the result."""
    if "tau" in variables:
        raise DataError(
            "A covariate called 'tau' would have the columns of the studies' spread in the result; "
            "rename it in the table."
        )
    first = ("intercept", *variables)
    for name in keys if variables else ():
        if name in (LEFT_OUT, CAUTION) or (
            name.startswith(first) and name.endswith(OF_A_COEFFICIENT)
        ):
            raise DataError(
                f"{shown(name)} may be a column of a regression's result; rename it in the table."
            )


def told_of(data: Table, variables: Sequence[str]) -> dict[str, Column]:
    """Covariates of one table that was read by itself.

    Raises
    ------
    DataError
        If it has not each of them.
    """
    lacking = [name for name in variables if name not in data.covariates]
    if lacking:
        raise DataError(
            f"The studies have no one {shown(lacking[0])} each, by which the model says what to "
            "expect of them; give every row of a study the same."
        )
    found = {name: _as_array(data.covariates[name]) for name in variables}
    return {**found, STUDY: np.array(data.study, dtype=object)} if variables else {}


def joined(parts: Sequence[Column]) -> Column:
    """One column of several; of numbers where all are."""
    whole = [one for one in parts if len(one)]
    words = any(one.dtype.kind != "f" for one in whole)
    if not whole:
        return np.empty(0)
    return np.concatenate([one.astype(object) for one in whole] if words else whole)


def complete(grouped: "Grouped", variables: Sequence[str]) -> "Grouped":
    """Leave out the studies that lack a covariate, and say of each group which and what."""
    if not variables:
        return grouped
    groups = np.flatnonzero(grouped.problem == "")
    owner = np.repeat(groups, grouped.k[groups])
    rows = np.arange(owner.size) - np.repeat(np.cumsum(grouped.k[groups]), grouped.k[groups])
    rows += grouped.start[owner] + grouped.k[owner]
    lacks = {name: ~is_known(grouped.columns[name][rows]) for name in variables}
    gone = np.any([*lacks.values()], axis=0)
    said = np.full(len(grouped.k), "", dtype=object)
    for i in np.flatnonzero(gone):
        what = ", ".join(name for name in variables if lacks[name][i])
        before = f"{said[owner[i]]}; " if said[owner[i]] else ""
        said[owner[i]] = f"{before}{grouped.columns[STUDY][rows[i]]} ({what})"
    kept = {name: each[rows[~gone]] for name, each in grouped.columns.items() if name != STUDY}
    k, problem = grouped.k.copy(), grouped.problem.copy()
    k[groups] = np.bincount(owner[~gone], minlength=len(k))[groups]
    start = np.zeros_like(k)
    start[groups] = np.cumsum(k[groups]) - k[groups]
    for i in groups[k[groups] == 0]:
        problem[i] = (
            f"None of the studies has {' and '.join(map(shown, variables))}; fill in what is "
            "missing, or fit the group without covariates."
        )
    return replace(grouped, columns=kept, start=start, k=k, problem=problem, lacking=said)
