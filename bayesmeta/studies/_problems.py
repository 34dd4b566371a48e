"""What is wrong with a table, noted cell by cell and said together."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..sheets import number
from ..ways import way

_OF = ContextVar("rows are of", default="")
_BY_ROW = ContextVar("rows are left out by number", default=False)


@contextmanager
def rows_of(what: str) -> Generator[None]:
    """Say of what rows are counted within the block: ``"Shu (row 1 of the group)"``.

    Of ``""``, the file, in several groups of which a study may stand: rows are left out by number.
    """
    token, alone = _OF.set(f" of {what}" if what else ""), _BY_ROW.set(not what)
    try:
        yield
    finally:
        _OF.reset(token)
        _BY_ROW.reset(alone)


def number_of(row: int) -> str:
    """Say which row, counted from 0, is meant: ``"row 1"``."""
    return f"row {number(row)}{_OF.get()}"


def name_rows(
    study: Sequence[str],
    bad: NDArray[np.bool_],
    *,
    most: int = 5,
    row: Sequence[int] | None = None,
) -> str:
    """List the rows where `bad` is true: ``"Shu (row 1), Zhu (row 6)"``.

    `row` says where each study stands in the table that was read, if that is another one.
    """
    rows = np.flatnonzero(bad)
    place = range(len(study)) if row is None else row
    named = ", ".join(_named(str(study[i]), number_of(place[i])) for i in rows[:most])
    return named + (f" and {len(rows) - most} more" if len(rows) > most else "")


def _named(study: str, row: str) -> str:
    return f"{study} ({row})" if study.strip() else row


def leave_out(study: Sequence[str], bad: NDArray[np.bool_]) -> str:
    """Say how the rows where `bad` is true are left out, by the example of the first."""
    rows = np.flatnonzero(bad)
    first = str(study[rows[0]])
    if not first.strip():
        return "drop the row" if len(rows) == 1 else "drop the rows"
    row = f"{first} (row {number(int(rows[0]))})"
    how = way("exclude", row if _BY_ROW.get() else first)
    return f"leave it out: {how}" if len(rows) == 1 else f"leave them out: {how}, and so on"


@final
class Problems:
    """What is wrong with a table.

    A cell of which something was said is said nothing more of: a follow-up is no second problem.
    """

    def __init__(self, study: Sequence[str], row: Sequence[int] | None = None) -> None:
        self._study = study
        self.row = row
        self._found: list[str] = []
        self._cells: dict[str, NDArray[np.bool_]] = {}

    @contextmanager
    def noted(self) -> Generator[None]:
        """Note what is refused within the block, and go on."""
        try:
            yield
        except DataError as error:
            self._found += error.problems

    def refuse(self, bad: NDArray[np.bool_], sentence: str, *columns: str) -> None:
        """Note a sentence about the rows where `bad` is true, for what these columns hold there.

        In the sentence ``{rows}`` stands for the rows, ``{out}`` for how to leave them out.
        """
        new = bad & ~self.known(*columns) if bad.any() else bad
        if not new.any():
            return
        said = sentence.replace("{out}", leave_out(self._study, new))
        self._found.append(said.replace("{rows}", name_rows(self._study, new, row=self.row)))
        self.mark(new, *columns)

    def mark(self, bad: NDArray[np.bool_], *columns: str) -> None:
        """Count cells as spoken of."""
        for column in columns:
            self._cells[column] = self.known(column) | bad

    def known(self, *columns: str) -> NDArray[np.bool_]:
        """Rows in which something was said of one of these columns, shape (k,)."""
        none = np.zeros(len(self._study), dtype=bool)
        return np.any([none, *(self._cells.get(one, none) for one in columns)], axis=0)

    def raise_any(self) -> None:
        """Refuse the table if anything was noted.

        Raises
        ------
        DataError
            With all that was.
        """
        if self._found:
            raise DataError(*dict.fromkeys(self._found))

    @contextmanager
    def going_on(self) -> Generator[Self]:
        """Let the table that is made within the block add its problems to these."""
        token = _READING.set(self)
        try:
            yield self
        finally:
            _READING.reset(token)


_READING = ContextVar[Problems | None]("problems of reading", default=None)


def problems_of(study: Sequence[str]) -> Problems:
    """Give the problems that reading these studies has found so far, to one table, or none yet."""
    found = _READING.get()
    _READING.set(None)
    return found if found is not None and len(found.known()) == len(study) else Problems(study)
