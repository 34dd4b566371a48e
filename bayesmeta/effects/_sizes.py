"""Estimates and standard errors, one per study."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from ..studies import (
    Excluded,
    Rows,
    check_names,
    name_rows,
    read_names,
    read_numbers,
    read_only,
    rename_columns,
    select_rows,
    select_studies,
)
from ._measures import measure_named
from ._printed import from_intervals

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import Key


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSizes:
    """One estimate and one standard error per study.

    Attributes
    ----------
    study : tuple of str, length k
        Names, unique.
    y : ndarray of float, shape (k,)
        Estimates on the analysis scale of `measure` (logs for ratios).
    se : ndarray of float, shape (k,)
        Standard errors of `y`, positive.
    measure : str
        One of ``MEASURES``.
    excluded : tuple of Excluded
        Rows left out, with the reason.
    note : str
        How y and se were made, in words.
    how : tuple of str, length k
        The same of single studies, where they differ.
    label : str
        What the estimates are of, where the measure does not say it: ``"hazard ratio for death"``.

    Raises
    ------
    DataError
        If a name repeats, a `y` is not finite or an `se` is not positive and finite.
    """

    study: tuple[str, ...]
    y: NDArray[np.float64]
    se: NDArray[np.float64]
    measure: str = "GEN"
    excluded: tuple[Excluded, ...] = ()
    note: str = "as given"
    how: tuple[str, ...] = ()
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "study", read_names(self.study))
        measure_named(self.measure)
        check_names(self.study)
        object.__setattr__(self, "how", tuple(self.how) or ("",) * self.k)
        if len(self.how) != self.k:
            raise DataError(f"how has {len(self.how)} entries for {self.k} studies.")
        for name in ("y", "se"):
            object.__setattr__(self, name, _column(self, name))
        extreme = (np.abs(self.y) > 1e50) | (self.se > 1e50) | ((self.se > 0) & (self.se < 1e-50))
        if extreme.any():
            raise DataError(
                f"y and se must be of a size that can be squared; check "
                f"{name_rows(self.study, extreme)}, or change the unit."
            )
        if (self.se <= 0).any():
            raise DataError(
                f"se must be positive; check {name_rows(self.study, self.se <= 0)}. "
                "A standard error of zero would mean the effect is known."
            )

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.study)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the columns with numbers."""
        return ("y", "se")

    @property
    def numbers(self) -> Mapping[str, NDArray[np.float64]]:
        """The columns by name, each (k,)."""
        return {name: getattr(self, name) for name in self.columns()}

    def keep(self, rows: Rows) -> Self:
        """Return the studies that `rows` names, or where it is true, in the order of the table.

        Parameters
        ----------
        rows : names, or array-like of bool, shape (k,)

        Raises
        ------
        DataError
            For anything else, positions among them, and where no study is left.
        """
        where = select_studies(self.study, rows)
        names = tuple(self.study[i] for i in where)
        how = tuple(self.how[i] for i in where)
        return replace(self, study=names, y=self.y[where], se=self.se[where], how=how)

    @classmethod
    def from_arrays(
        cls, study: Sequence[str], y: ArrayLike, se: ArrayLike, *, measure: str = "GEN"
    ) -> Self:
        """Check and freeze three columns, `y` and `se` on the analysis scale.

        Examples
        --------
        >>> import bayesmeta as bm
        >>> bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR").k
        2
        """
        return cls(study=tuple(study), y=read_only(y), se=read_only(se), measure=measure)

    @classmethod
    def from_frame(
        cls,
        frame: "pd.DataFrame",
        *,
        columns: Mapping[str, str] | None = None,
        measure: str = "GEN",
        prob: float = 0.95,
        exclude: "Mapping[Key, str] | None" = None,
    ) -> Self:
        """Read estimates from a table.

        Parameters
        ----------
        frame : DataFrame
            Columns ``study``, ``y``, ``se`` (analysis scale); or ``study``, ``estimate``,
            ``lower``, ``upper`` (natural scale: a ratio, not its logarithm).
        columns : mapping of str to str, optional
            Our names to the table's.
        measure : str
            One of ``MEASURES``.
        prob : float
            Level of the intervals, where intervals are given.
        exclude : mapping, optional
            As for :meth:`BinaryStudies.from_frame`.

        Returns
        -------
        EffectSizes

        Raises
        ------
        DataError
            If a row cannot be used; in particular if an interval is not symmetric about its
            estimate on the analysis scale by more than rounding.
        """
        columns = columns or {}
        given = {*columns, *(str(name) for name in frame.columns)}
        direct = "se" in given or "y" in given
        numbers = ("y", "se") if direct else ("estimate", "lower", "upper")
        table = rename_columns(frame, columns, required=("study", *numbers))
        study, _, kept, excluded = select_rows(table, exclude)
        names = tuple(np.asarray(study, dtype=object)[kept])
        values = {name: read_numbers(table[name][kept], name, study, kept) for name in numbers}
        if direct:
            return cls(study=names, measure=measure, excluded=excluded, **values)
        check_names(names)
        texts = [[str(cell) for cell in table[name][kept]] for name in numbers]
        y, se = from_intervals(names, texts, values, measure_named(measure), prob)
        note = f"estimate and {100 * prob:g}% interval as printed"
        return cls(study=names, y=y, se=se, measure=measure, excluded=excluded, note=note)


def _column(data: EffectSizes, name: str) -> NDArray[np.float64]:
    values = read_only(getattr(data, name))
    if values.shape != (data.k,):
        raise DataError(f"{name} must have one entry per study, {data.k} in all.")
    bad = ~np.isfinite(values)
    if bad.any():
        raise DataError(
            f"{name} is missing or not finite for {name_rows(data.study, bad)}; "
            "give it or exclude the row with a reason."
        )
    return values
