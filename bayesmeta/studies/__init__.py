"""Tables of studies and published estimates, checked once at the door.

``table.Table`` reads a frame, leaves rows out with a reason and keeps some of the studies, once for
all tables, from what each class declares: ``columns()``, ``arrays()`` (fields with an entry per
study), ``texts``. What a reader must know of a table it asks, never its class: ``result``,
``provenance``, ``in_words(i)``; what works on one kind alone gets it from ``need``.

A column that is not read is a covariate: numbers, or texts that name groups. It goes with its study
through ``keep`` and all that makes estimates into ``posterior.data``, and as ``constant_data`` into
files. Where rows of one study are merged or split, a column stays that says one thing of the whole
study.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from ._account import MADE_HERE, Account, Origin, counted
from ._continuous import QUANTILES, ContinuousStudies, join_how
from ._covariates import Covariate, Covariates, agreed, read_covariates, take
from ._door import (
    MAIN,
    REPEATED,
    Excluded,
    Key,
    apart,
    check_names,
    check_prob,
    is_blank,
    read_names,
    read_number,
    read_numbers,
    read_only,
    rename_columns,
    repeated_in_words,
    repeated_names,
)
from ._modelled import with_covariates
from ._problems import Problems, leave_out, name_rows, rows_of
from ._published import Published, decimals_of
from ._quantiles import positions
from ._rough import rough_arms, takes_quantiles
from ._selection import Rows, select_studies
from ._units import one_unit
from .table import Kept, Table, need, read_rows

__all__ = [
    "MADE_HERE",
    "MAIN",
    "QUANTILES",
    "REPEATED",
    "Account",
    "BinaryStudies",
    "ContinuousStudies",
    "Covariate",
    "Covariates",
    "Excluded",
    "IncidenceStudies",
    "Kept",
    "Key",
    "Origin",
    "PersonTimeStudies",
    "Problems",
    "ProportionStudies",
    "Published",
    "Rows",
    "Studies",
    "Table",
    "agreed",
    "apart",
    "check_names",
    "check_prob",
    "counted",
    "decimals_of",
    "is_blank",
    "join_how",
    "leave_out",
    "name_rows",
    "need",
    "one_unit",
    "positions",
    "read_covariates",
    "read_names",
    "read_number",
    "read_numbers",
    "read_only",
    "read_rows",
    "rename_columns",
    "repeated_in_words",
    "repeated_names",
    "rough_arms",
    "rows_of",
    "select_studies",
    "take",
    "takes_quantiles",
    "with_covariates",
]

type Array = NDArray[np.float64]


class Studies(Table):
    """Base of all tables of counts. Subclasses are final.

    Attributes
    ----------
    arms : tuple of str
        Suffixes of the columns, ``"_treatment"`` and ``"_control"``; ``""`` for a single arm.
    size : {"n", "time"}
        What events are counted out of: patients, or person-time.
    """

    __slots__ = ()
    kind: ClassVar[str] = "counts"
    arms: ClassVar[tuple[str, ...]] = ("_treatment", "_control")
    size: ClassVar[str] = "n"
    discrete: ClassVar[bool] = True

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the columns with numbers, arm by arm."""
        return tuple(f"{name}{arm}" for arm in cls.arms for name in ("events", cls.size))

    @property
    def result(self) -> str:
        """Name of what a study finds and a model predicts: events, of two arms of treatment."""
        return self.columns()[0]

    @property
    def double_zero(self) -> NDArray[np.bool_]:
        """Studies without an event in any arm, shape (k,)."""
        events = [getattr(self, f"events{arm}") for arm in self.arms]
        return np.all([each == 0 for each in events], axis=0)

    @property
    def all_events(self) -> NDArray[np.bool_]:
        """Studies in which every patient of every arm has the event, shape (k,)."""
        if self.size != "n":
            return np.zeros(self.k, dtype=bool)
        arms = [getattr(self, f"events{arm}") == getattr(self, f"n{arm}") for arm in self.arms]
        return np.all(arms, axis=0)

    def _arm_in_words(self, i: int, arm: str) -> str:
        events, size = (getattr(self, f"{name}{arm}")[i] for name in ("events", self.size))
        return f"{events:.0f}/{size:.10g}"

    def _check(self, problems: Problems) -> None:
        for column in self.columns():
            check = _check_times if column.startswith("time") else _check_counts
            self._put(column, check(self, column, problems))
        for arm in self.arms:
            _check_arm(self, arm, problems)


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
    covariates : mapping of str to ndarray or tuple of str
        What else the table says of each study, by column: numbers (NaN where blank), or, where a
        cell is no number, texts (``""`` where blank).
    origin : Origin
        How the table came about; `account` says it with the rest.

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
    covariates: Mapping[str, Covariate] = field(
        default_factory=Covariates, repr=False, compare=False
    )
    origin: Origin = field(default=MADE_HERE, repr=False, compare=False)
    measures: ClassVar[tuple[str, ...]] = ("OR", "RR", "RD")


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
    variant, excluded, covariates, origin
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
    covariates: Mapping[str, Covariate] = field(
        default_factory=Covariates, repr=False, compare=False
    )
    origin: Origin = field(default=MADE_HERE, repr=False, compare=False)
    measures: ClassVar[tuple[str, ...]] = ("IRR",)
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
    variant, excluded, covariates, origin
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
    covariates: Mapping[str, Covariate] = field(
        default_factory=Covariates, repr=False, compare=False
    )
    origin: Origin = field(default=MADE_HERE, repr=False, compare=False)
    measures: ClassVar[tuple[str, ...]] = ("PLO",)
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
    variant, excluded, covariates, origin
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
    covariates: Mapping[str, Covariate] = field(
        default_factory=Covariates, repr=False, compare=False
    )
    origin: Origin = field(default=MADE_HERE, repr=False, compare=False)
    measures: ClassVar[tuple[str, ...]] = ("IRLN",)
    arms: ClassVar[tuple[str, ...]] = ("",)
    size: ClassVar[str] = "time"


def _column(table: Studies, column: str, problems: Problems) -> Array:
    values = table.column(column)
    problems.refuse(
        ~np.isfinite(values),
        f"{column} is missing or not finite for {{rows}}; give the number, or {{out}}.",
        column,
    )
    return values


def _check_counts(table: Studies, column: str, problems: Problems) -> Array:
    values = _column(table, column, problems)
    wrong = (values < 0) | (values != np.floor(values)) | (values > 2**53)
    wrong &= ~problems.known(column)
    if wrong.any():
        problems.refuse(
            wrong,
            f"{column} must be a whole number, 0 or more; check {{rows}} "
            f"(e.g. {values[wrong][0]:g}), or {{out}}.",
            column,
        )
    return values


def _check_times(table: Studies, column: str, problems: Problems) -> Array:
    values = _column(table, column, problems)
    problems.refuse(
        (values < 1e-50) | (values > 1e50),
        f"{column} must be a positive person-time; check {{rows}}, or {{out}}.",
        column,
    )
    return values


def _check_arm(table: Studies, arm: str, problems: Problems) -> None:
    """Patients outnumber events; person-time has no such limit."""
    if table.size != "n":
        return
    events, n = getattr(table, f"events{arm}"), getattr(table, f"n{arm}")
    problems.refuse(n < 1, f"n{arm} must be at least 1; check {{rows}}, or {{out}}.", f"n{arm}")
    problems.refuse(
        events > n,
        f"events{arm} exceeds n{arm} for {{rows}}; events are patients with an event and cannot "
        "outnumber the arm. Check both, or {out}.",
        f"events{arm}",
        f"n{arm}",
    )
