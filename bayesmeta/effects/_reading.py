"""Tables of which each row fills the columns that it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..arguments import check_mapping
from ..errors import DataError
from ..sheets import plainly
from ..studies import (
    Covariates,
    Excluded,
    Origin,
    Problems,
    check_names,
    is_blank,
    read_covariates,
    read_rows,
)
from ..ways import shown

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import Key

type Array = NDArray[np.float64]

LARGEST = 1e50  # its square must be a number


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The rows that are kept: numbers by column, NaN where a cell is empty or a column absent."""

    study: tuple[str, ...]
    variant: tuple[str, ...]
    excluded: tuple[Excluded, ...]
    numbers: Mapping[str, Array]
    texts: Mapping[str, tuple[str, ...]]
    covariates: Covariates
    problems: Problems
    origin: Origin

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.study)

    def has(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Rows in which all of these columns are filled, (k,)."""
        return np.all([np.isfinite(self.numbers[name]) for name in names], axis=0)


def read_filled(
    frame: "pd.DataFrame",
    numbers: Sequence[str],
    texts: Sequence[str],
    *,
    columns: Mapping[str, str] | None,
    exclude: "Mapping[Key, str] | None",
) -> Filled:
    """Read what a table has of these columns; `study` alone must be there.

    Names in both `numbers` and `texts` are read as both: the text keeps the printed decimals.
    """
    check_mapping(columns, "columns", "{'study': 'Trial'}")
    given = dict(columns or {})
    unknown = [name for name in given if name not in ("study", "variant", *numbers, *texts)]
    if unknown:
        raise DataError(
            f"columns names {shown(unknown[0])}, which is none of study, "
            f"{', '.join((*numbers, *texts))}"
            "."
        )
    table = plainly(frame, given)
    have = {str(name) for name in table.columns}
    wanted = [name for name in dict.fromkeys((*numbers, *texts)) if name in have]
    rows = read_rows(table, wanted, exclude).noting()
    rows = replace(rows, cells=rows.cells.map(_or_gap))
    k, problems = len(rows.study), rows.problems
    assert problems is not None
    with problems.noted():
        check_names(rows.study, row=problems.row)
    if not k:
        problems.raise_any()
    return Filled(
        study=rows.study,
        variant=rows.variant,
        excluded=rows.excluded,
        numbers={
            name: _usable(name, rows.numbers(name), problems)
            if name in wanted
            else np.full(k, np.nan)
            for name in numbers
        },
        texts={
            name: tuple(_text(cell) for cell in rows.cells[name]) if name in wanted else ("",) * k
            for name in texts
        },
        covariates=read_covariates(rows.covariates, k),
        problems=problems,
        origin=rows.origin,
    )


def _usable(name: str, values: Array, problems: Problems) -> Array:
    wrong = np.abs(values) > LARGEST
    problems.refuse(
        wrong,
        f"{name} is not a number of usable size for {{rows}}; check it, leave the cell empty or "
        "change the unit.",
        name,
    )
    return np.where(wrong, np.nan, values)


def _or_gap(cell: object) -> object:
    return np.nan if is_blank(cell) else cell


def _text(cell: object) -> str:
    return "" if is_blank(cell) else str(cell).strip()
