"""One base for every table: names, readings, exclusions, numbers and covariates of studies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, ModelError
from ..sheets import plainly
from ._account import Account, Origin
from ._covariates import Covariate, read_covariates, take
from ._door import (
    MAIN,
    Excluded,
    Key,
    check_names,
    note_numbers,
    read_names,
    read_only,
    read_texts,
    rename_columns,
    select_rows,
)
from ._problems import Problems, problems_of
from ._selection import Rows, select_studies

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]


class Table:
    """Base of all tables of studies.

    A subclass declares its fields, frozen and by keyword, and which of them have an entry for each
    study; reading a frame and keeping some of the studies are written here.

    Attributes
    ----------
    kind : str
        What it is, in words for messages.
    arms : tuple of str
        Suffixes of the columns of each arm; none for estimates.
    size : {"n", "time", ""}
        What the arms have: patients, or person-time.
    discrete : bool
        Whether results are whole numbers.
    measures : tuple of str
        What :func:`effect_sizes` can make of it.
    texts : mapping of str to str
        Fields with a text for each study, and the text of those that say nothing.
    covariates : mapping of str to ndarray or tuple of str
        Columns by name, one entry per study: numbers (NaN where blank) or texts (``""``).
    """

    __slots__ = ()
    kind: ClassVar[str] = "studies"
    arms: ClassVar[tuple[str, ...]] = ()
    size: ClassVar[str] = ""
    discrete: ClassVar[bool] = False
    measures: ClassVar[tuple[str, ...]] = ()
    texts: ClassVar[Mapping[str, str]] = {"variant": MAIN}

    study: tuple[str, ...]
    variant: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    covariates: Mapping[str, Covariate]
    origin: Origin

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the columns with numbers."""
        raise NotImplementedError

    @classmethod
    def arrays(cls) -> tuple[str, ...]:
        """Names of the fields with a number, or a row of them, for each study."""
        return cls.columns()

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.study)

    @property
    def p(self) -> int:
        """Number of outcomes."""
        return 1

    @property
    def numbers(self) -> Mapping[str, Array]:
        """The columns by name, each (k,); NaN where a study does not report one."""
        return {name: getattr(self, name) for name in self.columns()}

    @property
    def unread(self) -> tuple[str, ...]:
        """Names of the columns that were neither numbers nor names: those of the covariates."""
        return tuple(self.covariates)

    @property
    def provenance(self) -> tuple[str, ...]:
        """How the figures of each study came about; ``""`` where they are as printed."""
        return ("",) * self.k

    @property
    def measured_in(self) -> str:
        """The unit of measurement; ``""`` where there is none, or none is stated."""
        return self.origin.unit

    @property
    def making(self) -> str:
        """How the figures of all studies were made; ``""`` where they are as printed."""
        return ""

    @property
    def participants(self) -> Mapping[str, float]:
        """In each study, by name, as far as the table says."""
        sizes = [self.numbers[f"n{arm}"] for arm in self.arms] if self.size == "n" else []
        if not sizes:
            return {name: n for name, n in self.origin.participants.items() if name in self.study}
        total = np.sum(sizes, axis=0)
        return {name: float(n) for name, n in zip(self.study, total, strict=True)}

    @property
    def account(self) -> Account:
        """What was read, guessed, left out, changed and not read."""
        whole = self.participants
        return Account(
            rows=self.origin.rows,
            k=self.k,
            participants=sum(whole.values()) if len(whole) == self.k else None,
            said=self.origin.said,
            left_out=tuple(one for one in self.excluded if not one.dropped),
            dropped=tuple(one for one in self.excluded if one.dropped),
            added={name: words for name, words in self.origin.added.items() if name in self.study},
            forms={n: how for n, how in zip(self.study, self.provenance, strict=True) if how},
            note=self.making,
            unread=tuple(
                self.origin.heads.get(name, name)
                for name in self.unread
                if name not in self.origin.used
            ),
            kept_out=self.origin.kept_out,
        )

    @property
    def result(self) -> str:
        """Name of what a study finds and a model predicts."""
        return "y"

    @property
    def double_zero(self) -> NDArray[np.bool_]:
        """Studies without an event in any arm, shape (k,)."""
        return np.zeros(self.k, dtype=bool)

    def in_words(self, i: int, arm: str | None = None) -> str:
        """Say what a study reports, e.g. ``"3/29 v 2/31"``, or one arm of it."""
        arms = self.arms if arm is None else (arm,)
        return " v ".join(self._arm_in_words(i, one) for one in arms)

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
        return self._taken(where, self.origin.kept_out + self.k - len(where))

    def keep_accounted(self, rows: Rows) -> Self:
        """Return studies as :meth:`keep` does, where `excluded` says what became of the others."""
        return self._taken(select_studies(self.study, rows), self.origin.kept_out)

    def _taken(self, where: NDArray[np.intp], kept_out: int) -> Self:
        names = ("study", *self.texts)
        arrays = {name: getattr(self, name) for name in self.arrays()}
        return replace(
            self,  # pyright: ignore[reportArgumentType]
            **{name: tuple(getattr(self, name)[i] for i in where) for name in names},
            **{name: None if one is None else one[where] for name, one in arrays.items()},
            covariates={name: take(one, where) for name, one in self.covariates.items()},
            origin=replace(self.origin, kept_out=kept_out),
        )

    @classmethod
    def from_frame(
        cls,
        frame: "pd.DataFrame",
        *,
        columns: Mapping[str, str] | None = None,
        exclude: "Mapping[Key, str] | None" = None,
    ) -> Self:
        """Read studies from a table.

        Parameters
        ----------
        frame : DataFrame
            One row per study and variant, with the attributes as columns; optionally a column
            ``variant``. Other columns are kept as covariates.
        columns : mapping of str to str, optional
            Where the table uses other names: ours to the table's, e.g.
            ``{"events_treatment": "ai"}``.
        exclude : mapping, optional
            Rows to leave out and the reason: a study's name (all its rows) or a pair
            ``(study, variant)``. Excluded rows may have gaps.

        Returns
        -------
        Table
            Of this class.

        Raises
        ------
        DataError
            If a column is missing, or a row that is kept cannot be used.
        """
        rows = cls._rows(frame, columns, exclude).noting()
        return cls._of(rows, cls._values(rows))

    @classmethod
    def _rows(
        cls,
        frame: "pd.DataFrame",
        columns: Mapping[str, str] | None,
        exclude: "Mapping[Key, str] | None",
    ) -> "Kept":
        table = plainly(frame, columns)
        return read_rows(table, cls._wanted([*map(str, table.columns)]), exclude)

    @classmethod
    def _wanted(cls, given: Iterable[str]) -> tuple[str, ...]:
        """Columns to read of a frame that has these."""
        return cls.columns()

    @classmethod
    def _values(cls, rows: "Kept") -> Mapping[str, object]:
        """The fields of this class, from what was read."""
        return {name: rows.numbers(name) for name in cls.columns()}

    @classmethod
    def _of(cls, rows: "Kept", values: Mapping[str, object]) -> Self:
        named = {"study": rows.study, "variant": rows.variant, "excluded": rows.excluded}
        with (rows.problems or Problems(rows.study)).going_on():
            return cls(**named, covariates=rows.covariates, origin=rows.origin, **values)  # pyright: ignore[reportCallIssue]

    def __post_init__(self) -> None:
        self._put("study", read_names(self.study))
        problems = problems_of(self.study)
        with problems.noted():
            check_names(self.study, row=problems.row)
        with problems.noted():
            self._check_all(problems)
        problems.raise_any()

    def _check_all(self, problems: Problems) -> None:
        if not self.study:
            return
        for name, blank in self.texts.items():
            texts = read_names(getattr(self, name), name) or (blank,) * self.k
            if len(texts) != self.k:
                raise DataError(f"{name} has {len(texts)} entries for {self.k} studies.")
            self._put(name, texts)
        self._put("covariates", read_covariates(self.covariates, self.k))
        self._check(problems)

    def _put(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def column(self, name: str) -> Array:
        """Read a field as one float per study that cannot be written to."""
        values = read_only(getattr(self, name))
        if values.shape != (self.k,):
            raise DataError(f"{name} must have one entry per study, {self.k} in all.")
        return values

    def _check(self, problems: Problems) -> None:
        """Freeze the numbers, and note what is wrong by the names of its rows."""
        raise NotImplementedError

    def _arm_in_words(self, i: int, arm: str) -> str:
        raise NotImplementedError


def need[T: Table](data: object, kind: type[T], why: str) -> T:
    """Return a table of one kind to what works on no other.

    Raises
    ------
    ModelError
        For anything else: why, and what to give.
    """
    if isinstance(data, kind):
        return data
    raise ModelError(f"{why}: give it {kind.__name__}.")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The rows of a frame that are kept, under our names of the columns.

    Attributes
    ----------
    every : sequence of str
        Names of all rows of the frame, by which messages count.
    where : ndarray of bool
        Which of them are kept.
    study, variant : tuple of str, length k
    excluded : tuple of Excluded
    cells : DataFrame
        The columns that were to be read.
    covariates : mapping of str to sequence, length k
        The others.
    problems : Problems or None
        Where cells that cannot be read are noted; without it they are refused at once.
    """

    every: Sequence[str]
    where: NDArray[np.bool_]
    study: tuple[str, ...]
    variant: tuple[str, ...]
    excluded: tuple[Excluded, ...]
    cells: "pd.DataFrame"
    covariates: Mapping[str, Sequence[object]]
    problems: Problems | None = None

    @property
    def origin(self) -> Origin:
        """Where the table that is made of them comes from."""
        return Origin(rows=len(self.every))

    def noting(self) -> Self:
        """Return them so that problems are noted, for the table that is made of them to say."""
        return replace(self, problems=self._new())

    def _new(self) -> Problems:
        return Problems(self.study, row=np.flatnonzero(self.where).tolist())

    def numbers(self, name: str) -> Array:
        """Read a column as floats."""
        problems = self.problems or self._new()
        found = note_numbers(self.cells[name], name, problems)  # pyright: ignore[reportArgumentType]
        if self.problems is None:
            problems.raise_any()
        return found

    def texts(self, name: str) -> list[str]:
        """Read a column as texts, ``""`` where a cell is missing or the column is."""
        if name not in self.cells:
            return [""] * len(self.study)
        return read_texts(self.cells[name])  # pyright: ignore[reportArgumentType]


def read_rows(
    frame: "pd.DataFrame", names: Sequence[str], exclude: "Mapping[Key, str] | None"
) -> Kept:
    """Read the columns `names` beside `study` and, where there is one, `variant`.

    The frame is one under our names (``sheets.plainly``).
    """
    read = ("study", *(["variant"] if "variant" in map(str, frame.columns) else []), *names)
    table = rename_columns(frame, {}, required=read)
    every, variant, where, excluded = select_rows(table, exclude)
    rows = table[where]
    return Kept(
        every=every,
        where=where,
        study=_chosen(every, where),
        variant=_chosen(variant, where),
        excluded=excluded,
        cells=rows.loc[:, list(names)],
        covariates={
            name: list(rows[name])
            for name in rows.columns
            if name not in ("study", "variant", *names)
        },
    )


def _chosen(texts: Sequence[str], where: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(text for text, kept in zip(texts, where, strict=True) if kept)
