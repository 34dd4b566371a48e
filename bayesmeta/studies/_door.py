"""The door: tables in, checked columns out; every refusal names its rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..arguments import as_text, is_iterable, unmasked
from ..errors import ColumnError, DataError
from ..sheets import read_number
from ..ways import shown, way
from ._problems import Problems, number_of

if TYPE_CHECKING:
    import pandas as pd

type Key = str | tuple[str, str]

MAIN = "main"


@final
@dataclass(frozen=True, slots=True)
class Excluded:
    """A row of the table that the analysis leaves out, and why.

    Attributes
    ----------
    study, variant, reason : str
    dropped : bool
        Whether an analysis in two stages has no use for it, rather than someone left it out.
    """

    study: str
    variant: str
    reason: str
    dropped: bool = field(default=False, repr=False, compare=False)


def check_prob(prob: float, *, of_table: bool = False) -> None:
    """Refuse a level that is not strictly between 0 and 1; of the table's own intervals, say."""
    if isinstance(prob, int | float) and 0 < prob < 1:
        return
    if of_table:
        raise DataError(
            "The level of the table's intervals must lie between 0 and 1, e.g. "
            f"{way('level', 0.95)}; got {shown(prob)}."
        )
    raise DataError(f"prob must lie between 0 and 1, e.g. 0.95; got {shown(prob)}.")


def read_only(values: object) -> NDArray[np.float64]:
    """Copy `values` into a float array that cannot be written to."""
    try:
        array = np.array(unmasked(values), dtype=np.float64)
    except (TypeError, ValueError, ArithmeticError, RecursionError):
        raise DataError(f"A column must hold one number per study, got {shown(values)}.") from None
    array.setflags(write=False)
    return array


def is_blank(cell: object) -> bool:
    """Whether a cell says nothing: None, NaN, NaT, NA or blanks; the text ``"nan"`` says nan."""
    if isinstance(cell, str):
        return not cell.strip()
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):  # which equal nothing
        return True
    return isinstance(cell, float | np.generic) and bool(cell != cell)


def read_names(given: Sequence[str], column: str = "study") -> tuple[str, ...]:
    """Read a column of names, ``""`` for none; one bare string is not taken for its letters."""
    if isinstance(given, str | bytes | Mapping) or not is_iterable(given):
        raise DataError(
            f"{column} must be a list of names, got {shown(given)}; write [{shown(given)}]."
        )
    return tuple("" if is_blank(name) else as_text(name) for name in given)


def repeated_names(study: Sequence[str]) -> list[str]:
    """Names that stand in more than one row, in alphabetical order."""
    return sorted(name for name, count in Counter(study).items() if count > 1)


def check_names(study: Sequence[str], *, row: Sequence[int] | None = None) -> None:
    """Refuse a table without rows, without names, or with a name twice.

    `row` says where each study stands in the table that was read, if that is another one.
    """
    if not study:
        raise DataError("The table has no rows to analyse; check the file and what is excluded.")
    place = range(len(study)) if row is None else row
    empty = [number_of(place[i]) for i, name in enumerate(study) if not name.strip()]
    repeated = [name for name in repeated_names(study) if name.strip()]
    problems = []
    if empty:
        problems.append(f"study has no name in {', '.join(empty[:5])}; give each study a name.")
    if repeated:
        problems.append(repeated_in_words(repeated))
    if problems:
        raise DataError(*problems)


REPEATED = "study names must be unique; these repeat:"


def repeated_in_words(names: Sequence[str]) -> str:
    """Say that names stand in more than one row, and what that may be."""
    first = sorted(names)
    return f"{REPEATED} {', '.join(first[:5])}. {_what_repeats(first[0])}"


def _what_repeats(name: str) -> str:
    """What rows of one name may be, and what is done about each."""
    return (
        f"Arms of a trial against one control are combined ({way('combine')}) or share it "
        f"({way('split')}), and rows of one arm each need the column of arms "
        f"({way('treatment', '...')}, {way('control', '...')}); of several effects of one study, "
        "which are not independent, keep one row, or leave the study out: "
        f"{way('exclude', name)}; readings of one study are told apart by {way('variant')}."
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
                f"The table has no column {shown(theirs)} (for {ours}); it has {', '.join(have)}.",
                ours,
            )
        if have.count(theirs) > 1:
            raise DataError(
                f"The table has more than one column {shown(theirs)}; keep one of them."
            )
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
        raise DataError(
            f"exclude names {shown(unknown[0])}, which is not a row of the table; check the "
            "spelling."
        )
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
            f"{{'Shu': 'no deaths given'}}; got {shown(exclude)}."
        )
    mute = [key for key, reason in exclude.items() if not isinstance(reason, str)]
    if mute:
        raise DataError(
            f"exclude gives no reason in words for {shown(mute[0])}: "
            f"{shown(exclude[mute[0]])}; say why it "
            "is left out."
        )


def read_texts(column: "pd.Series") -> list[str]:
    """Read a column as texts, ``""`` where a cell is blank."""
    return ["" if is_blank(value) else as_text(value) for value in column]


def read_numbers(
    column: "pd.Series", name: str, study: Sequence[str], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Read a column as floats, or name the rows that are no numbers."""
    chosen = [one for one, take in zip(study, kept, strict=True) if take]
    problems = Problems(chosen, row=np.flatnonzero(kept).tolist())
    found = note_numbers(column, name, problems)
    problems.raise_any()
    return found


def note_numbers(column: "pd.Series", name: str, problems: Problems) -> NDArray[np.float64]:
    """Read a column as floats, NaN where a cell is blank or, which is noted, no number."""
    missing = column.isna().to_numpy()
    numbers = [
        np.nan if gap else read_number(cell) for cell, gap in zip(column, missing, strict=True)
    ]
    bad = np.array(
        [one is None and not is_blank(cell) for one, cell in zip(numbers, column, strict=True)],
        dtype=bool,
    )
    if bad.any():
        got = as_text(column.iloc[int(np.flatnonzero(bad)[0])])[:40]
        said = (
            f"{name} must be a number; check {{rows}}: got {shown(got)}. Write a number, or "
            f"{{out}}."
        )
        problems.refuse(bad, said, name)
    return np.array([np.nan if one is None else one for one in numbers], dtype=np.float64)
