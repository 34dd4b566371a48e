"""Estimates and standard errors, one per study."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from ..studies import (
    MAIN,
    Covariate,
    Covariates,
    Excluded,
    Table,
    check_names,
    name_rows,
    read_only,
)
from ._measures import measure_named
from ._printed import from_intervals

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import Key

NO_COVARIATES = Covariates()
PRINTED = ("estimate", "lower", "upper")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSizes(Table):
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
    variant, covariates
        As for :class:`BinaryStudies`.

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
    variant: tuple[str, ...] = field(default=(), repr=False, compare=False)
    covariates: Mapping[str, Covariate] = field(
        default_factory=Covariates, repr=False, compare=False
    )
    kind: ClassVar[str] = "estimates"
    texts: ClassVar[Mapping[str, str]] = {"how": "", "variant": MAIN}

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the columns with numbers."""
        return ("y", "se")

    @property
    def provenance(self) -> tuple[str, ...]:
        """How the figures of each study came about; ``""`` where they are as printed."""
        return self.how

    def _check(self) -> None:
        measure_named(self.measure)
        for name in ("y", "se"):
            self._put(name, _column(self, name))
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

    @classmethod
    def from_arrays(
        cls,
        study: Sequence[str],
        y: ArrayLike,
        se: ArrayLike,
        *,
        measure: str = "GEN",
        covariates: Mapping[str, Covariate] = NO_COVARIATES,
    ) -> Self:
        """Check and freeze three columns, `y` and `se` on the analysis scale.

        Examples
        --------
        >>> import bayesmeta as bm
        >>> bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR").k
        2
        """
        return cls(
            study=tuple(study),
            y=read_only(y),
            se=read_only(se),
            measure=measure,
            covariates=covariates,
        )

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
            Our names to the table's. Other columns are kept as covariates.
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
        rows = cls._rows(frame, columns, exclude)
        if "se" in rows.cells:
            return cls._of(rows, {**cls._values(rows), "measure": measure})
        check_names(rows.study)
        values = {name: rows.numbers(name) for name in PRINTED}
        texts = [[str(cell) for cell in rows.cells[name]] for name in PRINTED]
        y, se = from_intervals(rows.study, texts, values, measure_named(measure), prob)
        note = f"estimate and {100 * prob:g}% interval as printed"
        return cls._of(rows, {"y": y, "se": se, "measure": measure, "note": note})

    @classmethod
    def _wanted(cls, given: Iterable[str]) -> tuple[str, ...]:
        return cls.columns() if {"y", "se"} & set(given) else PRINTED


def _column(data: EffectSizes, name: str) -> NDArray[np.float64]:
    values = data.column(name)
    bad = ~np.isfinite(values)
    if bad.any():
        raise DataError(
            f"{name} is missing or not finite for {name_rows(data.study, bad)}; "
            "give it or exclude the row with a reason."
        )
    return values
