"""The door: tables in, checked columns out; every refusal names its rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..errors import ColumnError, DataError

if TYPE_CHECKING:
    import pandas as pd

type Key = str | tuple[str, str]

MAIN = "main"


@final
@dataclass(frozen=True, slots=True)
class Excluded:
    """A row of the table that the analysis leaves out, and why."""

    study: str
    variant: str
    reason: str


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


def read_names(given: Sequence[str], column: str = "study") -> tuple[str, ...]:
    """Read a column of names; one bare string is not taken for its letters."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise DataError(f"{column} must be a list of names, got {given!r}; write [{given!r}].")
    return tuple(str(name) for name in given)


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


def rename_columns(
    frame: "pd.DataFrame", columns: Mapping[str, str], *, required: Sequence[str]
) -> "pd.DataFrame":
    """Give the table our column names, or say which column it lacks."""
    wanted = {**{name: name for name in required}, **columns}
    have = [str(name) for name in frame.columns]
    for ours, theirs in wanted.items():
        if theirs not in have:
            raise ColumnError(
                f"The table has no column {theirs!r} (for {ours}); it has {', '.join(have)}.", ours
            )
        if have.count(theirs) > 1:
            raise DataError(f"The table has more than one column {theirs!r}; keep one of them.")
    others = [i for i, name in enumerate(have) if name not in wanted.values()]
    places = [*(have.index(theirs) for theirs in wanted.values()), *others]
    names = apart([*wanted, *(have[i] for i in others)])
    return frame.iloc[:, places].set_axis(names, axis=1)


def apart(names: Iterable[str]) -> list[str]:
    """Number names from the second of a kind on: ``"year"``, ``"year (2)"``."""
    found: dict[str, None] = {}
    for name in names:
        i, one = 1, name
        while one in found:
            i += 1
            one = f"{name} ({i})"
        found[one] = None
    return list(found)


def select_rows(
    table: "pd.DataFrame", exclude: "Mapping[Key, str] | None"
) -> tuple[list[str], list[str], NDArray[np.bool_], tuple[Excluded, ...]]:
    """Split the rows into those kept and those excluded."""
    exclude = {} if exclude is None else exclude
    _check_exclude(exclude)
    study = read_texts(table["study"])  # pyright: ignore[reportArgumentType]
    variant = [MAIN] * len(study)
    if "variant" in table:
        told = read_texts(table["variant"])  # pyright: ignore[reportArgumentType]
        variant = [one or MAIN for one in told]
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


def _check_exclude(exclude: "Mapping[Key, str]") -> None:
    if not isinstance(exclude, Mapping):
        raise DataError(
            "exclude must map study names, or pairs of study and variant, to reasons, e.g. "
            f"{{'Shu': 'no deaths given'}}; got {exclude!r}."
        )
    mute = [key for key, reason in exclude.items() if not isinstance(reason, str)]
    if mute:
        raise DataError(
            f"exclude gives no reason in words for {mute[0]!r}: {exclude[mute[0]]!r}; say why it "
            "is left out."
        )


def read_texts(column: "pd.Series") -> list[str]:
    """Read a column as texts, ``""`` where a cell is missing."""
    return [
        "" if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)
    ]


def read_numbers(
    column: "pd.Series", name: str, study: Sequence[str], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Read a column as floats, or name the first row that is not a number."""
    missing = column.isna().to_numpy()
    numbers = [
        np.nan if gap else read_number(cell) for cell, gap in zip(column, missing, strict=True)
    ]
    bad = np.array([one is None for one in numbers], dtype=bool)
    if bad.any():
        rows = np.zeros(len(study), dtype=bool)
        rows[np.flatnonzero(kept)[bad]] = True
        got = str(column.iloc[int(np.flatnonzero(bad)[0])])[:40]
        raise DataError(f"{name} must be a number; check {name_rows(study, rows)}: got {got!r}.")
    return np.array(numbers, dtype=np.float64)


def read_number(cell: object) -> float | None:
    """Read one cell as a float; None where it is not one."""
    if not isinstance(cell, str | int | float | np.integer | np.floating):
        return None
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return None
