"""Continuous outcomes per arm: means and SDs, or quantiles, as they were reported."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false
# pyright: reportAttributeAccessIssue=false

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._door import (
    MAIN,
    Excluded,
    check_names,
    name_rows,
    read_numbers,
    read_only,
    rename_columns,
    select_rows,
)
from ._published import decimals_of

if TYPE_CHECKING:
    import pandas as pd

    from ._door import Key

type Array = NDArray[np.float64]

ARMS = ("_treatment", "_control")
QUANTILES = ("min", "q1", "median", "q3", "max")
MOMENTS = ("mean", "sd")
LARGEST = 1e50  # of a summary: its square must be a number


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousStudies:
    """Means and SDs, or quantiles, of a continuous outcome per arm, one row per study.

    Arms may be reported in different forms; a form that an arm does not have is NaN. An arm needs
    its mean and SD, or at least two of its quantiles.

    Attributes
    ----------
    study : tuple of str, length k
        Names, unique.
    n_treatment, n_control : ndarray of float, shape (k,)
        Patients, whole numbers, 2 or more.
    mean_treatment, sd_treatment, mean_control, sd_control : ndarray of float, shape (k,)
        Means and sample standard deviations (divisor n - 1), in the unit of the outcome.
    min_treatment, q1_treatment, median_treatment, q3_treatment, max_treatment : ndarray
        Sample quantiles, shape (k,); likewise ``_control``.
    rounding_treatment, rounding_control : ndarray, shape (k, 5)
        Half a unit of the last digit of each quantile: how far the printed figure may lie from
        the true one.
    unit : tuple of str, length k
        Of measurement; ``""`` where the table does not say.
    how : tuple of str, length k
        Where a study's figures were derived rather than printed: how.
    variant, excluded
        As for :class:`BinaryStudies`.

    Raises
    ------
    DataError
        If a name repeats, an arm lacks a form, or its figures cannot belong together: an SD of 0
        beside n > 1, quartiles out of order, a mean outside the range, an SD too large for the
        range. The message names the rows.

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> frame = pd.DataFrame(
    ...     {"study": ["A", "B"], "mean_treatment": [52.0, 41.5], "sd_treatment": [11.2, 9.8],
    ...      "n_treatment": [30, 25], "mean_control": [60.1, 47.0], "sd_control": [12.0, 10.1],
    ...      "n_control": [31, 24]})
    >>> bm.effect_sizes(bm.ContinuousStudies.from_frame(frame), measure="MD").y.round(1).tolist()
    [-8.1, -5.5]
    """

    study: tuple[str, ...]
    n_treatment: Array
    n_control: Array
    mean_treatment: Array | None = None
    sd_treatment: Array | None = None
    min_treatment: Array | None = None
    q1_treatment: Array | None = None
    median_treatment: Array | None = None
    q3_treatment: Array | None = None
    max_treatment: Array | None = None
    mean_control: Array | None = None
    sd_control: Array | None = None
    min_control: Array | None = None
    q1_control: Array | None = None
    median_control: Array | None = None
    q3_control: Array | None = None
    max_control: Array | None = None
    rounding_treatment: Array | None = None
    rounding_control: Array | None = None
    unit: tuple[str, ...] = ()
    how: tuple[str, ...] = ()
    variant: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    arms: ClassVar[tuple[str, ...]] = ARMS

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the columns with numbers, arm by arm."""
        return tuple(f"{name}{arm}" for arm in ARMS for name in (*MOMENTS, *QUANTILES, "n"))

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.study)

    @property
    def numbers(self) -> Mapping[str, Array]:
        """The columns by name, each (k,); NaN where a study does not report one."""
        return {name: getattr(self, name) for name in self.columns()}

    def quantiles(self, arm: str) -> Array:
        """Return the quantiles of an arm, ``"_treatment"`` or ``"_control"``, shape (k, 5)."""
        return np.stack([getattr(self, f"{name}{arm}") for name in QUANTILES], axis=1)

    def has_moments(self, arm: str) -> NDArray[np.bool_]:
        """Where an arm has its mean and SD, shape (k,)."""
        return np.isfinite(getattr(self, f"mean{arm}")) & np.isfinite(getattr(self, f"sd{arm}"))

    def keep(self, rows: NDArray[np.bool_]) -> Self:
        """Return the studies where `rows`, shape (k,), is true."""
        where = np.flatnonzero(rows)
        texts = ("study", "variant", "unit", "how")
        arrays = (*self.columns(), *(f"rounding{arm}" for arm in ARMS))
        return replace(
            self,
            **{name: tuple(getattr(self, name)[i] for i in where) for name in texts},
            **{name: getattr(self, name)[where] for name in arrays},
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
            One row per study and variant. Columns ``study``, ``n_treatment``, ``n_control`` and,
            for each arm, those of the other attributes that are reported; cells may be empty.
            Optionally ``unit`` and ``variant``. Quantiles as text keep their printed decimals,
            numbers have those of their shortest form.
        columns : mapping of str to str, optional
            Our names to the table's.
        exclude : mapping, optional
            As for :meth:`BinaryStudies.from_frame`.

        Returns
        -------
        ContinuousStudies

        Raises
        ------
        DataError
            If a column is missing, or a row that is kept cannot be used.
        """
        given = {**(columns or {})}
        have = {str(name) for name in frame.columns}
        forms = tuple(name for name in cls.columns() if name in have or name in given)
        required = ("study", *dict.fromkeys((*forms, "n_treatment", "n_control")))
        table = rename_columns(frame, given, required=required)
        study, variant, kept, excluded = select_rows(table, exclude or {})
        rows = table[kept]
        return cls(
            study=_chosen(study, kept),
            variant=_chosen(variant, kept),
            excluded=excluded,
            unit=tuple("" if cell != cell else str(cell) for cell in rows["unit"])
            if "unit" in table
            else (),
            **{name: read_numbers(rows[name], name, study, kept) for name in required[1:]},
            **{f"rounding{arm}": _rounding_of(rows, arm) for arm in ARMS},
        )

    def __post_init__(self) -> None:
        object.__setattr__(self, "study", tuple(str(name) for name in self.study))
        check_names(self.study)
        for name, empty in (("variant", MAIN), ("unit", ""), ("how", "")):
            texts = tuple(getattr(self, name)) or (empty,) * self.k
            if len(texts) != self.k:
                raise DataError(f"{name} has {len(texts)} entries for {self.k} studies.")
            object.__setattr__(self, name, texts)
        for column in self.columns():
            object.__setattr__(self, column, _column(self, column))
        for arm in ARMS:
            object.__setattr__(self, f"rounding{arm}", _rounding(self, arm))
            _check_n(self, arm)
            _check_forms(self, arm)
            _check_spread(self, arm)
            _check_order(self, arm)
            _check_range(self, arm)


def _chosen(texts: Sequence[str], kept: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(np.asarray(texts, dtype=object)[kept])


def _column(table: ContinuousStudies, column: str) -> Array:
    values = getattr(table, column)
    values = read_only(np.full(table.k, np.nan) if values is None else values)
    if values.shape != (table.k,):
        raise DataError(f"{column} must have one entry per study, {table.k} in all.")
    wrong = np.isinf(values) | (np.abs(np.nan_to_num(values)) > LARGEST)
    if wrong.any():
        raise DataError(
            f"{column} is not a finite number of usable size for {name_rows(table.study, wrong)}; "
            "give it, leave the cell empty or change the unit."
        )
    return values


def _rounding(table: ContinuousStudies, arm: str) -> Array:
    """Half units of the last digits, as given or by the shortest form of the numbers."""
    values = getattr(table, f"rounding{arm}")
    if values is None:
        cells = table.quantiles(arm)
        values = [[_half_unit(float(cell)) for cell in row] for row in cells]
    found = read_only(np.reshape(np.asarray(values, dtype=np.float64), (-1, len(QUANTILES))))
    if found.shape != (table.k, len(QUANTILES)) or not (np.nan_to_num(found) >= 0).all():
        raise DataError(
            f"rounding{arm} must hold five half-widths, zero or more, for each of "
            f"{table.k} studies."
        )
    return found


def _rounding_of(rows: "pd.DataFrame", arm: str) -> Array:
    found = np.full((len(rows), len(QUANTILES)), np.nan)
    for j, name in enumerate(QUANTILES):
        if f"{name}{arm}" in rows:
            found[:, j] = [_half_unit(cell) for cell in rows[f"{name}{arm}"]]
    return found


def _half_unit(cell: object) -> float:
    """Half a unit of the last digit of a printed figure; NaN for an empty cell."""
    if not isinstance(cell, str):
        if not np.isfinite(float(cell)):
            return np.nan
        cell = repr(float(cell)).removesuffix(".0")
    return 0.5 * 10.0 ** -decimals_of(cell.strip()) if cell.strip() else np.nan


def _check_n(table: ContinuousStudies, arm: str) -> None:
    n = getattr(table, f"n{arm}")
    wrong = ~(n >= 2) | (n != np.floor(n))
    if wrong.any():
        raise DataError(
            f"n{arm} must be a whole number of patients, 2 or more: one patient has no spread; "
            f"check {name_rows(table.study, wrong)}, or exclude the row with a reason."
        )


def _check_forms(table: ContinuousStudies, arm: str) -> None:
    moments, shown = table.has_moments(arm), np.isfinite(table.quantiles(arm)).sum(axis=1)
    bare = ~moments & (shown < 2)
    if bare.any():
        half = np.isfinite(getattr(table, f"mean{arm}")) & bare
        said = "a mean without its SD" if half.any() else "no mean with SD and no two quantiles"
        which = half if half.any() else bare
        raise DataError(
            f"{name_rows(table.study, which)} has {said} in the {arm[1:]} arm; give sd{arm} "
            "(from a standard error: SE × √n), the quartiles or the range, or exclude the row "
            "with a reason."
        )


def _check_spread(table: ContinuousStudies, arm: str) -> None:
    sd = getattr(table, f"sd{arm}")
    wrong = sd <= 0
    if wrong.any():
        raise DataError(
            f"sd{arm} must be positive; check {name_rows(table.study, wrong)}: an SD of 0 among "
            "several patients means that all had one value. Look for a missing figure or a "
            "rounded one, or exclude the row with a reason."
        )


def _check_order(table: ContinuousStudies, arm: str) -> None:
    cells = table.quantiles(arm)
    for j in range(len(QUANTILES)):
        for i in range(j):
            wrong = cells[:, i] > cells[:, j]
            if wrong.any():
                raise DataError(
                    f"{QUANTILES[i]}{arm} exceeds {QUANTILES[j]}{arm} for "
                    f"{name_rows(table.study, wrong)}; check for swapped columns or a typing error."
                )


def _check_range(table: ContinuousStudies, arm: str) -> None:
    mean, sd, n = (getattr(table, f"{name}{arm}") for name in ("mean", "sd", "n"))
    low, high = (getattr(table, f"{name}{arm}") for name in ("min", "max"))
    slack = np.nan_to_num(getattr(table, f"rounding{arm}"))
    outside = (mean < low - slack[:, 0]) | (mean > high + slack[:, -1])
    if outside.any():
        raise DataError(
            f"mean{arm} lies outside min{arm} to max{arm} for {name_rows(table.study, outside)}; "
            "check the columns and the unit."
        )
    widest = (high - low + slack[:, 0] + slack[:, -1]) / 2 * np.sqrt(n / (n - 1))
    too_wide = sd > widest * (1 + 1e-9)
    if too_wide.any():
        raise DataError(
            f"sd{arm} is larger than any sample between min{arm} and max{arm} can have, for "
            f"{name_rows(table.study, too_wide)}; check for a standard error, an SD of another "
            "scale or a typing error."
        )
