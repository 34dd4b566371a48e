"""Tables of studies and published estimates, checked once at the door."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false
# pyright: reportAttributeAccessIssue=false

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._continuous import QUANTILES, ContinuousStudies, join_how
from ._door import (
    MAIN,
    Excluded,
    Key,
    check_names,
    check_prob,
    name_rows,
    read_names,
    read_numbers,
    read_only,
    rename_columns,
    select_rows,
)
from ._published import Published, decimals_of
from ._quantiles import positions
from ._rough import rough_arms, takes_quantiles
from ._selection import Rows, select_studies
from ._units import one_unit

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MAIN",
    "QUANTILES",
    "BinaryStudies",
    "ContinuousStudies",
    "Excluded",
    "IncidenceStudies",
    "Key",
    "PersonTimeStudies",
    "ProportionStudies",
    "Published",
    "Rows",
    "Studies",
    "check_names",
    "check_prob",
    "decimals_of",
    "join_how",
    "name_rows",
    "one_unit",
    "positions",
    "read_names",
    "read_numbers",
    "read_only",
    "rename_columns",
    "rough_arms",
    "select_rows",
    "select_studies",
    "takes_quantiles",
]

type Array = NDArray[np.float64]


class Studies:
    """Base of all tables of counts. Subclasses are final.

    Attributes
    ----------
    arms : tuple of str
        Suffixes of the columns, ``"_treatment"`` and ``"_control"``; ``""`` for a single arm.
    size : {"n", "time"}
        What events are counted out of: patients, or person-time.
    """

    __slots__ = ()
    arms: ClassVar[tuple[str, ...]] = ("_treatment", "_control")
    size: ClassVar[str] = "n"

    study: tuple[str, ...]
    variant: tuple[str, ...]
    excluded: tuple[Excluded, ...]

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the columns with numbers, arm by arm."""
        return tuple(f"{name}{arm}" for arm in cls.arms for name in ("events", cls.size))

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.study)

    @property
    def numbers(self) -> Mapping[str, Array]:
        """The columns by name, each (k,)."""
        return {name: getattr(self, name) for name in self.columns()}

    @property
    def double_zero(self) -> NDArray[np.bool_]:
        """Studies without an event in any arm, shape (k,)."""
        events = [getattr(self, f"events{arm}") for arm in self.arms]
        return np.all([each == 0 for each in events], axis=0)

    def keep(self, rows: Rows) -> Self:
        """Return the studies that `rows` names, or where it is true, in the order of the table.

        Parameters
        ----------
        rows : names, or array-like of bool, shape (k,)

        Raises
        ------
        DataError
            For anything else, positions among them, and where no study is left.
        """
        where = select_studies(self.study, rows)
        return replace(
            self,  # pyright: ignore[reportArgumentType]
            study=tuple(self.study[i] for i in where),
            variant=tuple(self.variant[i] for i in where),
            **{name: values[where] for name, values in self.numbers.items()},
        )

    @classmethod
    def from_frame(
        cls,
        frame: "pd.DataFrame",
        *,
        columns: Mapping[str, str] | None = None,
        exclude: "Mapping[Key, str] | None" = None,
    ) -> Self:
        """Read studies from a table.

        Parameters
        ----------
        frame : DataFrame
            One row per study and variant, with the attributes as columns; optionally a column
            ``variant``.
        columns : mapping of str to str, optional
            Where the table uses other names: ours to the table's, e.g.
            ``{"events_treatment": "ai"}``.
        exclude : mapping, optional
            Rows to leave out and the reason: a study's name (all its rows) or a pair
            ``(study, variant)``. Excluded rows may have gaps.

        Returns
        -------
        Studies
            Of this class.

        Raises
        ------
        DataError
            If a column is missing, or a row that is kept cannot be used.
        """
        names = cls.columns()
        table = rename_columns(frame, columns or {}, required=("study", *names))
        study, variant, kept, excluded = select_rows(table, exclude)
        return cls(
            study=tuple(np.asarray(study, dtype=object)[kept]),  # pyright: ignore[reportCallIssue]
            variant=tuple(np.asarray(variant, dtype=object)[kept]),  # pyright: ignore[reportCallIssue]
            excluded=excluded,  # pyright: ignore[reportCallIssue]
            **{name: read_numbers(table[name][kept], name, study, kept) for name in names},
        )

    def __post_init__(self) -> None:
        object.__setattr__(self, "study", read_names(self.study))
        variant = tuple(self.variant) or (MAIN,) * len(self.study)
        object.__setattr__(self, "variant", variant)
        check_names(self.study)
        if len(variant) != self.k:
            raise DataError(f"variant has {len(variant)} entries for {self.k} studies.")
        for column in self.columns():
            check = _times if column.startswith("time") else _counts
            object.__setattr__(self, column, check(self, column))
        for arm in self.arms:
            _check_arm(self, arm)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryStudies(Studies):
    """Events and patients per arm, one row per study.

    Attributes
    ----------
    study : tuple of str, length k
        Names, unique.
    events_treatment, n_treatment, events_control, n_control : ndarray of float, shape (k,)
        Whole numbers held as floats; events lie between 0 and n, n is at least 1.
    variant : tuple of str, length k
        Which reading of the study the row is; ``"main"`` where the table does not say.
    excluded : tuple of Excluded
        Rows of the table that are left out, with the reason.

    Raises
    ------
    DataError
        If a name repeats or a count is missing, negative, fractional, or above its n. The
        message names the rows.

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> frame = pd.DataFrame(
    ...     {"study": ["Shu", "Zhu"], "events_treatment": [0, 0], "n_treatment": [12, 29],
    ...      "events_control": [3, 2], "n_control": [29, 29]})
    >>> bm.BinaryStudies.from_frame(frame).k
    2
    """

    study: tuple[str, ...]
    events_treatment: Array
    n_treatment: Array
    events_control: Array
    n_control: Array
    variant: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonTimeStudies(Studies):
    """Events and person-time per arm, one row per study.

    Attributes
    ----------
    study : tuple of str, length k
    events_treatment, events_control : ndarray of float, shape (k,)
        Whole numbers, 0 or more.
    time_treatment, time_control : ndarray of float, shape (k,)
        Person-time at risk, positive, in one unit for both arms.
    variant, excluded
        As for :class:`BinaryStudies`.

    Raises
    ------
    DataError
        If a name repeats, a count is not a whole number or a time is not positive.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.PersonTimeStudies(study=["A"], events_treatment=[3], time_treatment=[120.5],
    ...                      events_control=[7], time_control=[118.0]).k
    1
    """

    study: tuple[str, ...]
    events_treatment: Array
    time_treatment: Array
    events_control: Array
    time_control: Array
    variant: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    size: ClassVar[str] = "time"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionStudies(Studies):
    """Events and patients of single-arm studies, one row per study.

    Attributes
    ----------
    study : tuple of str, length k
    events, n : ndarray of float, shape (k,)
        Whole numbers; events lie between 0 and n, n is at least 1.
    variant, excluded
        As for :class:`BinaryStudies`.

    Raises
    ------
    DataError
        If a name repeats or a count cannot be one.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.ProportionStudies(study=["A", "B"], events=[3, 0], n=[40, 25]).k
    2
    """

    study: tuple[str, ...]
    events: Array
    n: Array
    variant: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    arms: ClassVar[tuple[str, ...]] = ("",)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IncidenceStudies(Studies):
    """Events and person-time of single-arm studies, one row per study.

    Attributes
    ----------
    study : tuple of str, length k
    events : ndarray of float, shape (k,)
        Whole numbers, 0 or more.
    time : ndarray of float, shape (k,)
        Person-time at risk, positive.
    variant, excluded
        As for :class:`BinaryStudies`.

    Raises
    ------
    DataError
        If a name repeats, a count is not a whole number or a time is not positive.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.IncidenceStudies(study=["A", "B"], events=[3, 0], time=[410.0, 92.5]).k
    2
    """

    study: tuple[str, ...]
    events: Array
    time: Array
    variant: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    arms: ClassVar[tuple[str, ...]] = ("",)
    size: ClassVar[str] = "time"


def _column(table: Studies, column: str) -> Array:
    values = read_only(getattr(table, column))
    if values.shape != (table.k,):
        raise DataError(f"{column} must have one entry per study, {table.k} in all.")
    missing = ~np.isfinite(values)
    if missing.any():
        raise DataError(
            f"{column} is missing or not finite for {name_rows(table.study, missing)}; "
            "give the number or exclude the row with a reason."
        )
    return values


def _counts(table: Studies, column: str) -> Array:
    values = _column(table, column)
    wrong = (values < 0) | (values != np.floor(values)) | (values > 2**53)
    if wrong.any():
        raise DataError(
            f"{column} must be a whole number, 0 or more; "
            f"check {name_rows(table.study, wrong)} (e.g. {values[wrong][0]:g})."
        )
    return values


def _times(table: Studies, column: str) -> Array:
    values = _column(table, column)
    wrong = (values < 1e-50) | (values > 1e50)
    if wrong.any():
        raise DataError(
            f"{column} must be a positive person-time; check {name_rows(table.study, wrong)}, "
            "or exclude the row with a reason."
        )
    return values


def _check_arm(table: Studies, arm: str) -> None:
    """Patients outnumber events; person-time has no such limit."""
    if table.size != "n":
        return
    events, n = getattr(table, f"events{arm}"), getattr(table, f"n{arm}")
    if (n < 1).any():
        raise DataError(
            f"n{arm} must be at least 1; check {name_rows(table.study, n < 1)}, "
            "or exclude the row with a reason."
        )
    if (events > n).any():
        raise DataError(
            f"events{arm} exceeds n{arm} for {name_rows(table.study, events > n)}; "
            "events are patients with an event and cannot outnumber the arm."
        )
