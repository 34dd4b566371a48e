"""Files and frames into one row per study under our names of columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..sheets import (
    NUMBERS,
    TEXTS,
    WHOLE,
    named,
    plain_numbers,
    read_sheet,
    refuse_composites,
    split_cells,
)
from ..studies import MAIN, Excluded
from ..ways import way
from ._arms import one_row_per_trial
from ._asked import Reading
from ._columns import filled

if TYPE_CHECKING:
    import pandas as pd

_ROW = re.compile(r"(.*?)\s*\(row (\d+)\)")


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
    """

    frame: "pd.DataFrame"
    said: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    measure: str = ""


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
    found = without(understood(source, reading, measure=measure, decimal=decimal), reading)
    found = one_table(found, reading)
    return replace(found, said=(*said, *found.said))


def understood(
    frame: "pd.DataFrame",
    reading: Reading,
    *,
    measure: str | None = None,
    apart: Sequence[str] = (),
    decimal: str = "",
) -> Opened:
    """Bring columns under our names and cells into plain numbers; the rows stay as they are.

    Columns that are kept `apart` name groups: neither their names nor their cells change. The
    mark of decimals is `decimal`, if the file tells it.
    """
    import pandas as pd

    own = np.array([str(name) in apart for name in frame.columns], dtype=bool)
    frame = frame.reset_index(drop=True)
    rest = frame.loc[:, ~own] if own.any() else frame
    kept = _kept(rest, reading)
    cells = split_cells(rest, cells=reading.cells, measure=measure, kept=kept)
    found = named(cells.frame, columns=reading.columns, measure=measure)
    table, numbers = plain_numbers(found.frame, NUMBERS, texts=TEXTS, whole=WHOLE, decimal=decimal)
    if own.any():
        table = pd.concat([frame.loc[table.index, own], table], axis=1)
    return Opened(
        frame=table.reset_index(drop=True),
        said=(*cells.said, *found.said, *numbers),
        measure=cells.measure or found.measure or "",
    )


def _kept(frame: "pd.DataFrame", reading: Reading) -> NDArray[np.bool_] | None:
    """Rows that may not hold just anything; None for all."""
    if not reading.exclude:
        return None
    known = named(frame, columns={k: v for k, v in reading.columns.items() if k == "study"}).frame
    if "study" not in known or len(known) != len(frame):
        return None
    names = {key if isinstance(key, str) else key[0] for key in reading.exclude}
    return ~known["study"].astype(str).isin([*names]).to_numpy()


def one_table(opened: Opened, reading: Reading) -> Opened:
    """One row per study and variant; cells of several figures that nothing explains are refused."""
    refuse_composites(opened.frame, [*NUMBERS])
    frame, said, excluded = one_row_per_trial(opened.frame, reading)
    return replace(
        opened,
        frame=frame,
        said=(*opened.said, *said),
        excluded=(*opened.excluded, *excluded),
    )


def without(opened: Opened, reading: Reading, *, every: bool = True) -> Opened:
    """Drop the rows that are excluded, by study, by study and variant, or by study and row.

    Every exclusion must be of a row, unless the frame is only part of the table.
    """
    frame = opened.frame
    if not reading.exclude or "study" not in frame:
        return opened
    study = [str(name) for name in frame["study"]]
    variant = variants_of(frame)
    reasons: dict[int, str] = {}
    for key, reason in reading.exclude.items():
        rows = rows_of(key, study, variant)
        if not rows and every:
            raise DataError(f"exclude names {key!r}, which is not a row of the table.")
        reasons |= dict.fromkeys(rows, _reason(key, reason))
    gone = tuple(Excluded(study[i], variant[i], reasons[i]) for i in sorted(reasons))
    kept = np.array([i not in reasons for i in range(len(study))])
    if every and not kept.any():
        raise DataError("The table has no rows to analyse; check the file and what is excluded.")
    return replace(
        opened, frame=frame[kept].reset_index(drop=True), excluded=(*opened.excluded, *gone)
    )


def rows_of(key: str | tuple[str, str], study: Sequence[str], variant: Sequence[str]) -> list[int]:
    if isinstance(key, tuple):
        return [i for i, one in enumerate(zip(study, variant, strict=True)) if one == key]
    rows = [i for i, name in enumerate(study) if name == key]
    numbered = _ROW.fullmatch(key)
    if rows or numbered is None:
        return rows
    i = int(numbered[2]) - 1
    return [i] if i in range(len(study)) and study[i] == numbered[1] else []


def variants_of(frame: "pd.DataFrame") -> list[str]:
    """The reading of each row; main where the table does not say."""
    if "variant" not in frame:
        return [MAIN] * len(frame)
    known = filled(frame, "variant")
    return [str(one) if is_ else MAIN for one, is_ in zip(frame["variant"], known, strict=True)]


def _reason(key: object, reason: object) -> str:
    if not isinstance(reason, str):
        raise DataError(
            f"exclude gives no reason in words for {key!r}: {reason!r}; say why it is left out."
        )
    return reason


def main_rows(opened: Opened) -> Opened:
    """The rows of the readings named main, where a table has several readings of its studies."""
    frame = opened.frame
    if "variant" not in frame:
        return opened
    variant = variants_of(frame)
    if MAIN not in variant:
        return opened
    keep = np.array([one == MAIN for one in variant])
    if keep.all():
        return opened
    gone = tuple(
        Excluded(str(frame["study"].iloc[i]), variant[i], f"row “{variant[i]}”, not the main one")
        for i in np.flatnonzero(~keep)
    )
    rows = "row" if len(gone) == 1 else "rows"
    return replace(
        opened,
        frame=frame[keep].reset_index(drop=True),
        said=(*opened.said, f"{len(gone)} {rows} of other readings than main left out"),
        excluded=(*opened.excluded, *gone),
    )
