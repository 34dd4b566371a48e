"""Which studies, in which reading: many tables to pool, made of few."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...model import Data


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selections[T: Data]:
    """Which studies, in which reading: `n` tables to pool.

    What conventions share, such as the estimates of the studies, is made once and kept.

    Attributes
    ----------
    tables : sequence of data
        One per combination of readings; the same studies in the same order.
    table : ndarray of int, shape (n,)
        Which of `tables` a selection is made from.
    present : ndarray of bool, shape (k, n)
        The studies it has.
    """

    tables: Sequence[T]
    table: NDArray[np.intp]
    present: NDArray[np.bool_]
    _kept: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, studies: T, present: ArrayLike | None = None) -> Self:
        """Selections from one table; without `present`, (k, n), the table itself."""
        where = np.ones((studies.k, 1), bool) if present is None else np.asarray(present, bool)
        table = np.zeros(where.shape[1], dtype=np.intp)
        return cls(tables=(studies,), table=table, present=where)

    @property
    def n(self) -> int:
        """How many there are."""
        return self.table.size

    def at(self, columns: NDArray[np.intp]) -> Self:
        """Those with these numbers."""
        return replace(self, table=self.table[columns], present=self.present[:, columns])

    def alone(self, column: int) -> T:
        """One selection as a table of its own."""
        return self.tables[self.table[column]].keep(self.present[:, column])

    def once[Made](self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, made the first time that `key` is asked for."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]
