"""Tables of studies and published estimates, checked once at the door."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false
# pyright: reportAttributeAccessIssue=false
# pyright: reportCallIssue=false
# pyright: reportReturnType=false

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, final

import numpy as np
from numpy.typing import NDArray

from .errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    type Key = str | tuple[str, str]

COUNTS = ("events_treatment", "n_treatment", "events_control", "n_control")
MAIN = "main"


@final
@dataclass(frozen=True, slots=True)
class Excluded:
    """A row of the table that the analysis leaves out, and why."""

    study: str
    variant: str
    reason: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryStudies:
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
    events_treatment: NDArray[np.float64]
    n_treatment: NDArray[np.float64]
    events_control: NDArray[np.float64]
    n_control: NDArray[np.float64]
    variant: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "study", tuple(str(name) for name in self.study))
        variant = tuple(self.variant) or (MAIN,) * len(self.study)
        object.__setattr__(self, "variant", variant)
        check_names(self.study)
        if len(variant) != self.k:
            raise DataError(f"variant has {len(variant)} entries for {self.k} studies.")
        for column in COUNTS:
            object.__setattr__(self, column, _counts(self, column))
        for arm in ("treatment", "control"):
            _check_arm(self, arm)

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.study)

    @property
    def double_zero(self) -> NDArray[np.bool_]:
        """Studies without an event in either arm, shape (k,)."""
        return (self.events_treatment == 0) & (self.events_control == 0)

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
            One row per study and variant. Columns ``study``, ``events_treatment``,
            ``n_treatment``, ``events_control``, ``n_control``, and optionally ``variant``.
        columns : mapping of str to str, optional
            Where the table uses other names: ours to the table's, e.g.
            ``{"events_treatment": "ai"}``.
        exclude : mapping, optional
            Rows to leave out and the reason: a study's name (all its rows) or a pair
            ``(study, variant)``. Excluded rows may have gaps.

        Returns
        -------
        BinaryStudies

        Raises
        ------
        DataError
            If a column is missing, or a row that is kept cannot be used.
        """
        table = rename_columns(frame, columns or {}, required=("study", *COUNTS))
        study, variant, kept, excluded = select_rows(table, exclude or {})
        return cls(
            study=tuple(np.asarray(study, dtype=object)[kept]),
            variant=tuple(np.asarray(variant, dtype=object)[kept]),
            excluded=excluded,
            **{name: read_numbers(table[name][kept], name, study, kept) for name in COUNTS},
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A pooled estimate as it was printed.

    Figures are strings because their decimals say how far they were rounded.

    Parameters
    ----------
    measure : str
        The effect measure, e.g. ``"RR"``; ``""`` where none was named.
    estimate, lower, upper : str, optional
        As printed, on the natural scale; ``""`` where not printed.
    prob : float
        Level of the interval.
    p, p_heterogeneity, i2 : str, optional
        As printed; I² in per cent.
    k, n : int or None
        Studies and patients behind this very figure, where printed.
    method : str
        The method in the paper's words.
    verdict : str
        What was said in words where no figure was printed.
    citation : str
        The source.

    Raises
    ------
    DataError
        If a figure is not a number, or the interval does not hold its estimate.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.Published(measure="RR", estimate="0.76", lower="0.60", upper="0.96").decimals
    2
    """

    measure: str = ""
    estimate: str = ""
    lower: str = ""
    upper: str = ""
    prob: float = 0.95
    p: str = ""
    p_heterogeneity: str = ""
    i2: str = ""
    k: int | None = None
    n: int | None = None
    method: str = ""
    verdict: str = ""
    citation: str = ""

    def __post_init__(self) -> None:
        for name in ("estimate", "lower", "upper", "p", "p_heterogeneity", "i2"):
            _check_figure(name, getattr(self, name))
        check_prob(self.prob)
        if self.has_interval and not (
            float(self.lower) <= float(self.estimate) <= float(self.upper)
            and float(self.lower) < float(self.upper)
        ):
            raise DataError(
                f"Published: estimate {self.estimate} does not lie in its interval "
                f"[{self.lower}, {self.upper}]; check the three figures against the paper."
            )

    @property
    def has_interval(self) -> bool:
        """Whether an estimate and both limits were printed."""
        return bool(self.estimate and self.lower and self.upper)

    @property
    def decimals(self) -> int:
        """Decimals printed: the most among the estimate and its limits."""
        return max(decimals_of(text) for text in (self.estimate, self.lower, self.upper))

    def __str__(self) -> str:
        if not self.has_interval:
            return self.verdict or "no figure printed"
        return f"{self.measure} {self.estimate} [{self.lower}, {self.upper}]"


def decimals_of(text: str) -> int:
    """Count the decimals of a printed figure: ``"0.60"`` has two."""
    mantissa, _, exponent = text.lower().partition("e")
    return max(len(mantissa.partition(".")[2]) - int(exponent or 0), 0)


def check_prob(prob: float) -> None:
    """Refuse a level that is not strictly between 0 and 1."""
    if not (isinstance(prob, int | float) and 0 < prob < 1):
        raise DataError(f"prob must lie between 0 and 1, e.g. 0.95; got {prob!r}.")


def read_only(values: object) -> NDArray[np.float64]:
    """Copy `values` into a float array that cannot be written to."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"A column must hold one number per study, got {values!r}.") from None
    array.setflags(write=False)
    return array


def name_rows(study: Sequence[str], bad: NDArray[np.bool_], *, most: int = 5) -> str:
    """List the rows where `bad` is true: ``"Shu (row 1), Zhu (row 6)"``."""
    rows = np.flatnonzero(bad)
    named = ", ".join(f"{study[i]} (row {i + 1})" for i in rows[:most])
    return named + (f" and {len(rows) - most} more" if len(rows) > most else "")


def _check_figure(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise DataError(
            f"Published: {name} must be the printed figure as text, e.g. '0.60'; got {text!r}."
        )
    try:
        finite = not text or np.isfinite(float(text))
    except ValueError:
        finite = False
    if not finite or "_" in text:
        raise DataError(f"Published: {name} is {text!r}, which is not a printed number.")


def check_names(study: Sequence[str]) -> None:
    """Refuse a table without rows, without names, or with a name twice."""
    if not study:
        raise DataError("The table has no rows to analyse; check the file and what is excluded.")
    empty = np.array([not name.strip() or name == "nan" for name in study])
    if empty.any():
        rows = ", ".join(str(i + 1) for i in np.flatnonzero(empty)[:5])
        raise DataError(f"study has no name in row {rows}; give each study a name.")
    repeated = sorted({name for name in study if study.count(name) > 1})
    if repeated:
        raise DataError(
            f"study names must be unique; {', '.join(repeated[:5])} stand in more than one row. "
            "Exclude all but one row of each, or give them different names."
        )


def _counts(table: BinaryStudies, column: str) -> NDArray[np.float64]:
    values = read_only(getattr(table, column))
    if values.shape != (table.k,):
        raise DataError(f"{column} must have one entry per study, {table.k} in all.")
    missing = ~np.isfinite(values)
    if missing.any():
        raise DataError(
            f"{column} is missing or not finite for {name_rows(table.study, missing)}; "
            "give the count or exclude the row with a reason."
        )
    wrong = (values < 0) | (values != np.floor(values)) | (values > 2**53)
    if wrong.any():
        raise DataError(
            f"{column} must be a whole number, 0 or more; "
            f"check {name_rows(table.study, wrong)} (e.g. {values[wrong][0]:g})."
        )
    return values


def _check_arm(table: BinaryStudies, arm: str) -> None:
    events, n = getattr(table, f"events_{arm}"), getattr(table, f"n_{arm}")
    if (n < 1).any():
        raise DataError(
            f"n_{arm} must be at least 1; check {name_rows(table.study, n < 1)}, "
            "or exclude the row with a reason."
        )
    if (events > n).any():
        raise DataError(
            f"events_{arm} exceeds n_{arm} for {name_rows(table.study, events > n)}; "
            "events are patients with an event and cannot outnumber the arm."
        )


def rename_columns(
    frame: "pd.DataFrame", columns: Mapping[str, str], *, required: Sequence[str]
) -> "pd.DataFrame":
    """Give the table our column names, or say which column it lacks."""
    wanted = {**{name: name for name in required}, **columns}
    have = [str(name) for name in frame.columns]
    for ours, theirs in wanted.items():
        if theirs not in have:
            raise DataError(
                f"The table has no column {theirs!r} (for {ours}); it has {', '.join(have)}. "
                "Rename it, or say which column to use with columns={'" + ours + "': ...}."
            )
        if have.count(theirs) > 1:
            raise DataError(f"The table has more than one column {theirs!r}; keep one of them.")
    optional = [name for name in have if name not in (*wanted, *wanted.values())]
    return frame.set_axis(have, axis=1)[[*wanted.values(), *optional]].set_axis(
        [*wanted, *optional], axis=1
    )


def select_rows(
    table: "pd.DataFrame", exclude: "Mapping[Key, str]"
) -> tuple[list[str], list[str], NDArray[np.bool_], tuple[Excluded, ...]]:
    """Split the rows into those kept and those excluded."""
    study = _texts(table["study"])
    variant = [MAIN] * len(study)
    if "variant" in table:
        variant = [one or MAIN for one in _texts(table["variant"])]
    keys = list(zip(study, variant, strict=True))
    unknown = [key for key in exclude if key not in study and key not in keys]
    if unknown:
        raise DataError(f"exclude names {unknown[0]!r}, which is not a row of the table.")
    reasons = [exclude.get(key, exclude.get(key[0])) for key in keys]
    excluded = tuple(
        Excluded(name, which, reason)
        for (name, which), reason in zip(keys, reasons, strict=True)
        if reason is not None
    )
    kept = np.array([reason is None for reason in reasons], dtype=bool)
    return study, variant, kept, excluded


def _texts(column: "pd.Series") -> list[str]:
    return [
        "" if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)
    ]


def read_numbers(
    column: "pd.Series", name: str, study: Sequence[str], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Read a column as floats, or name the first row that is not a number."""
    missing = column.isna().to_numpy()
    numbers = [np.nan if gap else _number(cell) for cell, gap in zip(column, missing, strict=True)]
    bad = np.array([one is None for one in numbers], dtype=bool)
    if bad.any():
        rows = np.zeros(len(study), dtype=bool)
        rows[np.flatnonzero(kept)[bad]] = True
        got = str(column.iloc[int(np.flatnonzero(bad)[0])])[:40]
        raise DataError(f"{name} must be a number; check {name_rows(study, rows)}: got {got!r}.")
    return np.array(numbers, dtype=np.float64)


def _number(cell: object) -> float | None:
    """Read one cell as a float; None where it is not one."""
    if not isinstance(cell, str | int | float | np.integer | np.floating):
        return None
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return None
