"""Several outcomes of the same studies: estimates, standard errors, correlations within studies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..effects import EffectSizes
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
    agreed,
    check_names,
    name_rows,
    read_covariates,
    read_names,
    read_only,
    read_rows,
    rename_columns,
    take,
)
from ..ways import shown
from ._reading import check_once, covariances, from_covariances, order, root_of, spread_out

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import Key

type Array = NDArray[np.float64]

NAMES = ("outcome", "y")
ROUNDING = 1e-6  # relative: covariances printed twice, above and below the diagonal


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MultivariateEffects(Table):
    """One estimate and one standard error per study and outcome, correlated within studies.

    Attributes
    ----------
    study : tuple of str, length k
        Names, unique.
    outcome : tuple of str, length p
        Names, unique; two or more.
    y : ndarray of float, shape (k, p)
        Estimates on the analysis scale; NaN where a study does not report an outcome.
    se : ndarray of float, shape (k, p)
        Standard errors of `y`, positive; NaN where `y` is.
    correlation : ndarray of float, shape (k, p, p), or None
        Of the estimates of one study about its true effects. One number may be given for all; None
        where unknown: a model must then bring a prior of it.
    measure : tuple of str, length p
        One of ``MEASURES`` for each outcome; one name may be given for all.
    excluded, covariates, origin
        As for :class:`BinaryStudies`.

    Raises
    ------
    DataError
        If a name repeats, an estimate or standard error is impossible, a study reports no outcome
        or an outcome has no study, or a study's correlations are no correlation matrix.

    Examples
    --------
    >>> import numpy as np
    >>> import bayesmeta as bm
    >>> data = bm.MultivariateEffects(
    ...     study=("A", "B", "C"), outcome=("death", "relapse"), correlation=0.5, measure="OR",
    ...     y=[[-0.3, -0.5], [0.1, np.nan], [-0.2, -0.4]],
    ...     se=[[0.2, 0.1], [0.3, np.nan], [0.2, 0.2]])
    >>> data.effects("relapse").study
    ('A', 'C')
    """

    study: tuple[str, ...]
    outcome: tuple[str, ...]
    y: Array
    se: Array
    correlation: Array | None = None
    measure: tuple[str, ...] = ("GEN",)

    excluded: tuple[Excluded, ...] = field(default=(), repr=False, compare=False)
    covariates: Mapping[str, Covariate] = field(
        default_factory=Covariates, repr=False, compare=False
    )
    origin: Origin = field(default=MADE_HERE, repr=False, compare=False)
    kind: ClassVar[str] = "estimates of several outcomes"
    texts: ClassVar[Mapping[str, str]] = {}

    def _check(self, problems: Problems) -> None:
        self._set_names()
        for name in ("y", "se"):
            self._put(name, self._table(name))
        self._check_gaps()
        for name in self.outcome:
            try:
                self.effects(name)
            except DataError as error:
                raise DataError(*(f"{name}: {one}" for one in error.problems)) from None
        if self.correlation is not None:
            self._put("correlation", self._correlations(self.correlation))

    @property
    def p(self) -> int:
        """Number of outcomes."""
        return len(self.outcome)

    @property
    def reported(self) -> NDArray[np.bool_]:
        """Which studies report which outcomes, shape (k, p)."""
        return ~np.isnan(self.y)

    @property
    def pair(self) -> tuple[str, ...]:
        """Names of the pairs of outcomes, e.g. ``"PD, AL"``."""
        first, second = pairs(self.p)
        return tuple(
            f"{self.outcome[i]}, {self.outcome[j]}" for i, j in zip(first, second, strict=True)
        )

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of what engines read."""
        return ("y", "se", "reported", "correlation")

    @classmethod
    def arrays(cls) -> tuple[str, ...]:
        """Names of the fields with numbers of each study."""
        return ("y", "se", "correlation")

    @property
    def numbers(self) -> Mapping[str, Array]:
        """What engines read, the studies last: gaps hold y = 0, se = 1 and no correlation."""
        there = self.reported
        within = np.zeros((self.k, self.p, self.p))
        if self.correlation is not None:
            within = self.correlation
        return {
            "y": np.where(there, self.y, 0.0).T,
            "se": np.where(there, self.se, 1.0).T,
            "reported": there.T.astype(np.float64),
            "correlation": np.moveaxis(within, 0, -1),
        }

    def effects(self, outcome: str) -> EffectSizes:
        """Return the studies that report one outcome, for an analysis of it alone."""
        if outcome not in self.outcome:
            raise DataError(f"{shown(outcome)} is not an outcome: {', '.join(self.outcome)}.")
        j = self.outcome.index(outcome)
        there = np.flatnonzero(self.reported[:, j])
        return EffectSizes(
            study=tuple(self.study[i] for i in there),
            y=self.y[there, j],
            se=self.se[there, j],
            measure=self.measure[j],
            excluded=self.excluded,
            origin=self.origin,
            covariates={name: take(one, there) for name, one in self.covariates.items()},
        )

    def sampling(self, within: ArrayLike | None = None) -> Array:
        """Return the covariance of the estimates about the true effects, (..., k, p, p).

        Parameters
        ----------
        within : array_like, any shape, optional
            Correlation of any two outcomes, where it is not known.

        Returns
        -------
        ndarray
            Rows and columns of outcomes that are not reported are those of a unit matrix.
        """
        numbers = self.numbers
        se, there = numbers["se"].T, numbers["reported"].T
        both = there[:, :, None] * there[:, None, :] * (1 - np.eye(self.p))
        known = numbers["correlation"].transpose(2, 0, 1)
        if within is not None:
            known = np.asarray(within, dtype=np.float64)[..., None, None, None]
        return se[:, :, None] * se[:, None, :] * (np.eye(self.p) + both * known)

    @classmethod
    def from_frame(
        cls,
        frame: "pd.DataFrame",
        *,
        columns: Mapping[str, str] | None = None,
        correlation: float | ArrayLike | None = None,
        covariance: Mapping[str, str] | None = None,
        measure: str | Sequence[str] = "GEN",
        exclude: "Mapping[Key, str] | None" = None,
    ) -> Self:
        """Read a table with one row per study and outcome.

        Parameters
        ----------
        frame : DataFrame
            Columns ``study``, ``outcome``, ``y`` (analysis scale) and ``se`` or ``v``, its square.
            Rows without ``y`` and ``se`` are outcomes that are not reported. Of the other columns
            those that say one thing in all rows of a study are kept as covariates.
        columns : mapping of str to str, optional
            Our names to the table's.
        correlation : float or array_like, shape (k, p, p), optional
            Within studies, in the order of first appearance of studies and outcomes.
        covariance : mapping of str to str, optional
            In its place: by outcome, the column that holds each estimate's covariance with it.
        measure : str or sequence of str
            One of ``MEASURES``, for all outcomes or for each.
        exclude : mapping, optional
            Studies to leave out and the reason, as for :meth:`BinaryStudies.from_frame`.

        Raises
        ------
        DataError
            If a row cannot be used.

        Examples
        --------
        >>> import pandas as pd
        >>> import bayesmeta as bm
        >>> table = pd.DataFrame({
        ...     "trial": ["A", "A", "B"], "outcome": ["PD", "AL", "PD"], "y": [0.47, -0.32, 0.20],
        ...     "v": [0.0075, 0.0077, 0.0057], "with PD": [0.0075, 0.003, 0.0057],
        ...     "with AL": [0.003, 0.0077, None]})
        >>> data = bm.MultivariateEffects.from_frame(
        ...     table, columns={"study": "trial"}, covariance={"PD": "with PD", "AL": "with AL"})
        >>> data.correlation[0, 0, 1].round(3).item()
        0.395
        """
        columns, covariance = columns or {}, covariance or {}
        have = {*columns, *(str(name) for name in frame.columns)}
        spread = "v" if "v" in have and "se" not in have else "se"
        within = [name for name in covariance.values() if name in have]
        names = list(dict.fromkeys((*NAMES, spread, *within)))
        rows = read_rows(rename_columns(frame, columns, required=("study", *names)), names, exclude)
        study, i = order("study", rows.study, rows.where)
        outcome, j = order("outcome", rows.texts("outcome"), rows.where)
        check_names(study)
        said = {**rows.covariates, **_variants(rows.variant, study, i)}
        check_once(study, i, outcome, j, rows.where)
        y, spreads = (spread_out(rows.numbers(name), i, j) for name in ("y", spread))
        se = root_of(spreads, study) if spread == "v" else spreads
        if covariance:
            if correlation is not None:
                raise DataError("Give correlation or covariance, not both.")
            made = covariances(rows, covariance, i, outcome, j)
            correlation = from_covariances(made, se, study)
        return cls(
            study=study,
            outcome=outcome,
            y=y,
            se=se,
            correlation=correlation,  # pyright: ignore[reportArgumentType]
            measure=(measure,) if isinstance(measure, str) else tuple(measure),
            excluded=tuple(dict.fromkeys(rows.excluded)),
            covariates=read_covariates(agreed(said, i.tolist(), len(study)), len(study)),
        )

    def _set_names(self) -> None:
        outcome = read_names(self.outcome, "outcome")
        if len(outcome) < 2 or len(set(outcome)) < len(outcome) or not all(map(str.strip, outcome)):
            raise DataError(
                f"outcome needs two or more different names, got {', '.join(outcome) or 'none'}; "
                "for one outcome use EffectSizes."
            )
        one = isinstance(self.measure, str)
        measure = (self.measure,) if one else read_names(self.measure, "measure")
        measure = measure * len(outcome) if len(measure) == 1 else measure
        if len(measure) != len(outcome):
            raise DataError(
                f"measure must be one name or one for each of {len(outcome)} outcomes, "
                f"got {len(measure)}."
            )
        self._put("outcome", outcome)
        self._put("measure", measure)

    def _table(self, name: str) -> Array:
        values = read_only(getattr(self, name))
        if values.shape != (self.k, self.p):
            raise DataError(
                f"{name} must hold {self.k} studies × {self.p} outcomes, got {values.shape}; put "
                "NaN where a study does not report an outcome."
            )
        return values

    def _check_gaps(self) -> None:
        half = (np.isnan(self.y) != np.isnan(self.se)).any(axis=1)
        if half.any():
            raise DataError(
                f"y and se must be given together; check {name_rows(self.study, half)}, or leave "
                "both empty where an outcome is not reported."
            )
        none = ~self.reported.any(axis=1)
        if none.any():
            raise DataError(
                f"{name_rows(self.study, none)} reports no outcome; leave such a study out."
            )
        nobody = [name for name, any_ in zip(self.outcome, self.reported.any(axis=0)) if not any_]  # noqa: B905
        if nobody:
            raise DataError(f"No study reports {', '.join(nobody)}; leave that outcome out.")

    def _correlations(self, given: ArrayLike) -> Array:
        """One matrix per study; a unit matrix in the rows of what is not reported."""
        values = read_only(given)
        unit = np.eye(self.p)
        if values.ndim == 0:
            values = np.broadcast_to(np.where(unit > 0, 1.0, values), (self.k, self.p, self.p))
        if values.shape != (self.k, self.p, self.p):
            raise DataError(
                f"correlation must be one number or {self.k} matrices of {self.p} × {self.p}, got "
                f"{values.shape}."
            )
        both = self.reported[:, :, None] & self.reported[:, None, :]
        values = np.where(both, values, unit)
        _check_correlations(values, self.study)
        return read_only(np.where(unit > 0, 1.0, values))


def _variants(
    variant: Sequence[str], study: Sequence[str], i: NDArray[np.intp]
) -> Mapping[str, Sequence[str]]:
    """The readings that are analysed, as a column; nothing where the table tells none apart."""
    if set(variant) <= {MAIN}:
        return {}
    found: dict[int, set[str]] = {}
    for row, reading in zip(i.tolist(), variant, strict=True):
        found.setdefault(row, set()).add(reading)
    mixed = [study[row] for row, readings in found.items() if len(readings) > 1]
    if mixed:
        raise DataError(
            f"{', '.join(mixed[:5])} has rows of more than one variant; keep one reading of each "
            "study, and exclude the others with a reason."
        )
    return {"variant": variant}


def pairs(p: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and second of every pair of `p` outcomes."""
    first, second = np.triu_indices(p, 1)
    return first, second


def matrices(rho: Array, p: int) -> Array:
    """Correlation matrices (..., p, p) from the correlations of pairs, (..., p(p - 1)/2)."""
    first, second = pairs(p)
    made = np.broadcast_to(np.eye(p), (*rho.shape[:-1], p, p)).copy()
    made[..., first, second] = made[..., second, first] = rho
    return made


def root(covariance: Array) -> Array:
    """Symmetric roots of covariance matrices (..., p, p), which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def _check_correlations(values: Array, study: Sequence[str]) -> None:
    def refuse(bad: NDArray[np.bool_], said: str) -> None:
        if bad.any():
            raise DataError(f"{said}; check {name_rows(study, bad)}.")

    gaps = np.isnan(values).any(axis=(1, 2))
    refuse(
        gaps,
        "correlation is missing between outcomes that a study reports (give a number, or none at "
        "all and the model a prior: within=...)",
    )
    refuse((np.abs(values) > 1 + ROUNDING).any(axis=(1, 2)), "correlation must lie within -1 and 1")
    ones = np.abs(np.diagonal(values, axis1=1, axis2=2) - 1) > ROUNDING
    refuse(ones.any(axis=1), "correlation of an outcome with itself must be 1")
    apart = np.abs(values - np.swapaxes(values, 1, 2)) > ROUNDING
    refuse(apart.any(axis=(1, 2)), "correlation must be the same above and below the diagonal")
    least = np.linalg.eigvalsh(values)[:, 0]
    refuse(
        least <= 1e-12,
        "The covariance of the estimates is not positive definite (bring the correlations nearer "
        "to zero)",
    )
