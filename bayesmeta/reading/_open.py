"""Files and frames into one row per study under our names of columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from ..arguments import check_frame
from ..errors import DataError
from ..sheets import (
    NUMBERS,
    is_of_export,
    named,
    numbered,
    plain_table,
    read_sheet,
    refuse_composites,
)
from ..studies import MAIN, Excluded
from ..ways import way
from ._arms import one_row_per_trial
from ._asked import Reading
from ._rows import (
    excluded_rows,
    refuse_outcomes,
    refuse_totals,
    row_names,
    variants_of,
    without_notes,
)

if TYPE_CHECKING:
    import pandas as pd


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A table as it was understood.

    Attributes
    ----------
    frame : DataFrame
        One row per study and variant under our names of columns; others keep theirs.
    said : tuple of str
        What was guessed or done to get there.
    excluded : tuple of Excluded
        Rows that were left out on the way.
    measure : str
        That a column's own name states; ``""`` if none does.
    level : float or None
        Of intervals, that a column's own name states.
    heads : mapping of str to str
        By our names, the columns as they stand in the table.
    rows : int or None
        Of the table that was given, without notes.
    used : tuple of str
        Columns that were read though they keep a name of their own.
    """

    frame: "pd.DataFrame"
    said: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    measure: str = ""
    level: float | None = None
    heads: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    used: tuple[str, ...] = ()


def open_table(
    source: "Path | str | pd.DataFrame", reading: Reading, *, measure: str | None = None
) -> Opened:
    """Read a file, or take a frame, and bring it under our names, one row per study.

    Parameters
    ----------
    source : Path, str or DataFrame
        A CSV, Excel or Parquet file, ``"-"`` for standard input, or a frame.
    reading : Reading
    measure : str, optional
        That is asked for; a column named after another one is refused.

    Raises
    ------
    FileError, DataError
        If the file cannot be read, or is not understood.
    """
    said: tuple[str, ...] = ()
    decimal = ""
    if isinstance(source, Path | str):
        sheet = read_sheet(source, sheet=reading.sheet)
        source, said, decimal = sheet.frame, sheet.said, sheet.decimal
    elif reading.sheet is not None:
        raise DataError(f"{way('sheet', reading.sheet)} is for an Excel file.")
    check_frame(source, "source")
    found = one_table(understood(source, reading, measure=measure, decimal=decimal), reading)
    return replace(found, said=(*said, *found.said))


def understood(
    frame: "pd.DataFrame",
    reading: Reading,
    *,
    measure: str | None = None,
    apart: Sequence[str] = (),
    decimal: str = "",
    every: bool = True,
) -> Opened:
    """Bring columns under our names and cells into plain numbers, without the rows left out.

    The index of the frame counts the rows of the table that was given. Columns that are kept
    `apart` name groups: neither their names nor their cells change. The mark of decimals is
    `decimal`, if the file tells it. Every exclusion must be of a row, unless the frame is only
    part of the table.
    """
    import pandas as pd

    frame = frame.reset_index(drop=True)
    own = np.array([str(name) in apart for name in frame.columns], dtype=bool)
    rest = (
        frame.loc[
            :,
            [
                not one or is_of_export(str(name))
                for one, name in zip(own, frame.columns, strict=True)
            ],
        ]
        if own.any()
        else frame
    )
    rest, notes = without_notes(rest)
    names = row_names(named(rest, columns=reading.columns, measure=measure).frame)
    gone = excluded_rows(names, reading, every=every)
    found = plain_table(
        rest.loc[[i for i in rest.index if i not in gone]],
        columns=reading.columns,
        cells=reading.cells,
        measure=measure,
        decimal=reading.decimal or decimal,
    )
    table = found.frame
    if names.said:
        table = table.assign(study=[names.study[i] for i in table.index])
    if own.any():
        others = table.drop(columns=[name for name in table if str(name) in apart])
        table = pd.concat([frame.loc[table.index, own], others], axis=1)
    return Opened(
        frame=table,
        said=(*notes, *names.said, *found.said),
        excluded=tuple(gone.values()),
        measure=found.measure or "",
        level=_level(found.level, reading),
        heads=found.heads,
        rows=len(rest),
        used=names.used,
    )


def _level(stated: float | None, reading: Reading) -> float | None:
    """The level that the head of a column states, which what is said may not contradict."""
    if None not in (stated, reading.level) and stated != reading.level:
        raise DataError(
            f"A column of the table is of {100 * (stated or 0):g}% intervals, and "
            f"{way('level', reading.level)} says otherwise; leave that out, or name the column "
            "without its level."
        )
    return stated


def one_table(opened: Opened, reading: Reading) -> Opened:
    """One row per study and variant; cells of several figures that nothing explains are refused."""
    with numbered(opened.frame.index):
        refuse_composites(opened.frame, [*NUMBERS], heads=opened.heads)
    refuse_totals(opened.frame)
    refuse_outcomes(opened.frame)
    frame, said, excluded = one_row_per_trial(opened.frame, reading)
    return replace(
        opened,
        frame=frame,
        said=(*opened.said, *said),
        excluded=(*opened.excluded, *excluded),
        used=(*opened.used, *_made(opened.frame, frame)),  # by us, and told in `said`
    )


def _made(before: "pd.DataFrame", after: "pd.DataFrame") -> set[str]:
    """Whether arms of a trial were joined, the column that says how."""
    return {"how"}.intersection(map(str, after)).difference(map(str, before))


def without(opened: Opened, reading: Reading) -> Opened:
    """Drop the rows that are excluded from a table that was opened."""
    gone = excluded_rows(row_names(opened.frame), reading)
    kept = opened.frame.loc[[i for i in opened.frame.index if i not in gone]]
    return replace(opened, frame=kept, excluded=(*opened.excluded, *gone.values()))


def main_rows(opened: Opened) -> Opened:
    """The rows of the readings named main, where a table has several readings of its studies."""
    frame = opened.frame
    variant = variants_of(frame)
    keep = np.array([one == MAIN for one in variant])
    if keep.all() or not keep.any():
        return opened
    study = [str(name) for name in frame["study"]]
    known = {name for name, one in zip(study, keep, strict=True) if one}
    gone = tuple(
        Excluded(
            study[i],
            variant[i],
            f"row “{variant[i]}”, not the main one"
            if study[i] in known
            else f"its row is “{variant[i]}” and it has none named main",
        )
        for i in np.flatnonzero(~keep)
    )
    rows = "row" if len(gone) == 1 else "rows"
    return replace(
        opened,
        frame=frame.iloc[np.flatnonzero(keep)],
        said=(*opened.said, f"{len(gone)} {rows} of other readings than main left out"),
        excluded=(*opened.excluded, *gone),
    )
