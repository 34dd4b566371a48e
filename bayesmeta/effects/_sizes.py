"""Estimates and standard errors, one per study."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import is_iterable
from ..errors import DataError
from ..studies import (
    MADE_HERE,
    MAIN,
    Covariate,
    Covariates,
    Excluded,
    Origin,
    Problems,
    Table,
    read_covariates,
    read_names,
    read_only,
)
from ._counts import ZERO_WORDS
from ._measures import measure_named
from ._printed import from_intervals, from_natural

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import Key

NO_COVARIATES = Covariates()
AS_GIVEN = "as given"
PRINTED = ("estimate", "lower", "upper")
FORMS = (("y", "se"), PRINTED, ("estimate", "se"))  # in which a table may give its estimates


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
    variant, covariates, origin
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
    note: str = AS_GIVEN
    how: tuple[str, ...] = ()
    label: str = ""
    variant: tuple[str, ...] = field(default=(), repr=False, compare=False)
    covariates: Mapping[str, Covariate] = field(
        default_factory=Covariates, repr=False, compare=False
    )
    origin: Origin = field(default=MADE_HERE, repr=False, compare=False)
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

    @property
    def made(self) -> tuple[str, ...]:
        """How the estimate of each study was made; what was added to cells, of those alone."""
        added = self.origin.added
        return tuple(
            how or (ZERO_WORDS["none"] if added and name not in added else self.note)
            for name, how in zip(self.study, self.how, strict=True)
        )

    @property
    def as_given(self) -> bool:
        """Whether y and se of every study are figures that were given, not made of others."""
        return set(self.made) <= {AS_GIVEN}

    @property
    def making(self) -> str:
        """How the estimates of all studies were made."""
        return self.note

    def _check(self, problems: Problems) -> None:
        self._put("measure", measure_named(self.measure).name)
        for name in ("y", "se"):
            self._put(name, self.column(name))
            problems.refuse(
                ~np.isfinite(getattr(self, name)),
                f"{name} is missing or not finite for {{rows}}; give it, or {{out}}.",
                name,
            )
        problems.refuse(
            self.se <= 0,
            "se must be positive; check {rows}. A standard error of zero would mean the effect is "
            "known: look for a rounded figure, or {out}.",
            "se",
        )
        problems.refuse(
            (np.abs(self.y) > 1e50) | (self.se > 1e50) | (self.se < 1e-50),
            "y and se must be of a size that can be squared; check {rows}, or change the unit.",
            "y",
            "se",
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
            study=tuple(study) if is_iterable(study) else read_names(study),
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
            ``lower``, ``upper`` (natural scale: a ratio, not its logarithm); or ``study``,
            ``estimate`` (natural scale), ``se`` (analysis scale: of a ratio, that of its
            logarithm).
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
        kind = measure_named(measure)
        rows = cls._rows(frame, columns, exclude).noting()
        values = {name: rows.numbers(name) for name in rows.cells}
        if "y" in values:
            return cls._of(rows, {**values, "measure": kind.name})
        assert rows.problems is not None
        if "se" in values:
            y = from_natural(values["estimate"], kind, rows.problems)
            note = f"estimate and standard error{' of its logarithm' * kind.log} as printed"
            return cls._of(rows, {"y": y, "se": values["se"], "measure": kind.name, "note": note})
        texts = [[str(cell) for cell in rows.cells[name]] for name in PRINTED]
        y, se = from_intervals(rows.study, texts, values, kind, prob, problems=rows.problems)
        note = f"estimate and {100 * prob:g}% interval as printed"
        return cls._of(rows, {"y": y, "se": se, "measure": kind.name, "note": note})

    def join(self, *others: "EffectSizes") -> "EffectSizes":
        """Put estimates of other studies beneath these, however each was made.

        Parameters
        ----------
        *others : EffectSizes
            Of the same measure, each study in one of them only.

        Returns
        -------
        EffectSizes
            `how` says how each study's estimate was made; covariates that not all of them have are
            blank where they are absent.

        Raises
        ------
        DataError
            If measures differ or a study stands in two of them.

        Examples
        --------
        >>> import bayesmeta as bm
        >>> counts = bm.BinaryStudies(study=["A"], events_treatment=[12], n_treatment=[40],
        ...                           events_control=[18], n_control=[40])
        >>> printed = bm.EffectSizes.from_arrays(["B"], [-0.4], [0.2], measure="OR")
        >>> bm.effect_sizes(counts, measure="OR").join(printed).study
        ('A', 'B')
        """
        parts = (self, *others)
        measures = dict.fromkeys(one.measure for one in parts)
        if len(measures) > 1:
            raise DataError(
                f"Estimates of {' and '.join(measures)} are not of one measure; make them alike "
                "first, or analyse them apart."
            )
        return EffectSizes(
            study=tuple(name for one in parts for name in one.study),
            y=np.concatenate([one.y for one in parts]),
            se=np.concatenate([one.se for one in parts]),
            measure=self.measure,
            excluded=tuple(row for one in parts for row in one.excluded),
            note="as each report has it",
            how=tuple(how for one in parts for how in one.made),
            label=self.label,
            variant=tuple(name for one in parts for name in one.variant),
            covariates=_joined([(one.covariates, one.k) for one in parts]),
            origin=self.origin.joined(*(one.origin for one in others)),
        )

    @classmethod
    def _wanted(cls, given: Iterable[str]) -> tuple[str, ...]:
        """The first form that is complete; else the one that most is there of."""
        have = set(given)
        whole = next((form for form in FORMS if have >= set(form)), None)
        return whole or max(FORMS, key=lambda form: (len(have & set(form)), form == PRINTED))


def _joined(parts: Sequence[tuple[Mapping[str, Covariate], int]]) -> Mapping[str, Covariate]:
    """Columns one beneath the other, blank where a part has no such column."""
    names = dict.fromkeys(name for columns, _ in parts for name in columns)
    cells = {
        name: [cell for columns, k in parts for cell in columns.get(name, [None] * k)]
        for name in names
    }
    return {name: read_covariates({name: each}, len(each))[name] for name, each in cells.items()}
