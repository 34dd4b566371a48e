"""Continuous outcomes per arm: means and SDs, or quantiles, as they were reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._account import MADE_HERE, Origin
from ._covariates import Covariate, Covariates
from ._door import MAIN, Excluded, read_only
from ._problems import Problems
from ._published import decimals_of
from ._units import one_unit
from .table import Kept, Table

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

ARMS = ("_treatment", "_control")
QUANTILES = ("min", "q1", "median", "q3", "max")
MOMENTS = ("mean", "sd")
PAIR = ("before", "after")
LARGEST = 1e50  # of a summary: its square must be a number


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousStudies(Table):
    """Means and SDs, or quantiles, of a continuous outcome per arm, one row per study.

    Arms may be reported in different forms; a form that an arm does not have is NaN. An arm needs
    its mean and SD, or at least two of its quantiles.

    Attributes
    ----------
    study : tuple of str, length k
        Names, unique.
    n_treatment, n_control : ndarray of float, shape (k,)
        Patients, whole numbers, 2 or more.
    mean_treatment, sd_treatment, mean_control, sd_control : ndarray of float, shape (k,)
        Means and sample standard deviations (divisor n - 1), in the unit of the outcome.
    min_treatment, q1_treatment, median_treatment, q3_treatment, max_treatment : ndarray
        Sample quantiles, shape (k,); likewise ``_control``.
    rounding_treatment, rounding_control : ndarray, shape (k, 5)
        Half a unit of the last digit of each quantile: how far the printed figure may lie from
        the true one.
    sd_before_treatment, sd_after_treatment, sd_before_control, sd_after_control : ndarray
        Where the mean is that of a change from baseline whose SD is not printed: the SDs of both
        values, shape (k,); see ``change_from_baseline(..., correlation="unknown")``.
    unit : tuple of str, length k
        Of measurement; ``""`` where the table does not say.
    how : tuple of str, length k
        Where a study's figures were derived rather than printed: how.
    variant, excluded, covariates, origin
        As for :class:`BinaryStudies`.

    Raises
    ------
    DataError
        If a name repeats, an arm lacks a form, or its figures cannot belong together: an SD of 0
        beside n > 1, quartiles out of order, a mean outside the range, an SD too large for the
        range. The message names the rows.

    Notes
    -----
    A table that :meth:`from_frame` reads has ``study``, ``n_treatment``, ``n_control`` and, for
    each arm, those of the other attributes that are reported; cells may be empty. Optionally
    ``unit``, ``variant`` and ``how``. Quantiles as text keep their printed decimals, numbers have
    those of their shortest form. Figures in units that stand in a fixed proportion (mg/L and mg/dL,
    hours and days, kg and lb) are converted to the first row's, and `how` says so; others stay.

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> frame = pd.DataFrame(
    ...     {"study": ["A", "B"], "mean_treatment": [52.0, 41.5], "sd_treatment": [11.2, 9.8],
    ...      "n_treatment": [30, 25], "mean_control": [60.1, 47.0], "sd_control": [12.0, 10.1],
    ...      "n_control": [31, 24]})
    >>> bm.effect_sizes(bm.ContinuousStudies.from_frame(frame), measure="MD").y.round(1).tolist()
    [-8.1, -5.5]
    """

    study: tuple[str, ...]
    n_treatment: Array
    n_control: Array
    mean_treatment: Array | None = None
    sd_treatment: Array | None = None
    min_treatment: Array | None = None
    q1_treatment: Array | None = None
    median_treatment: Array | None = None
    q3_treatment: Array | None = None
    max_treatment: Array | None = None
    mean_control: Array | None = None
    sd_control: Array | None = None
    min_control: Array | None = None
    q1_control: Array | None = None
    median_control: Array | None = None
    q3_control: Array | None = None
    max_control: Array | None = None
    rounding_treatment: Array | None = None
    rounding_control: Array | None = None
    sd_before_treatment: Array | None = None
    sd_after_treatment: Array | None = None
    sd_before_control: Array | None = None
    sd_after_control: Array | None = None
    unit: tuple[str, ...] = ()
    how: tuple[str, ...] = ()
    variant: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    covariates: Mapping[str, Covariate] = field(
        default_factory=Covariates, repr=False, compare=False
    )
    origin: Origin = field(default=MADE_HERE, repr=False, compare=False)
    kind: ClassVar[str] = "continuous outcomes"
    arms: ClassVar[tuple[str, ...]] = ARMS
    size: ClassVar[str] = "n"
    measures: ClassVar[tuple[str, ...]] = ("MD", "SMD", "ROM", "RGM")
    texts: ClassVar[Mapping[str, str]] = {"variant": MAIN, "unit": "", "how": ""}

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the columns with numbers, arm by arm."""
        return tuple(f"{name}{arm}" for arm in ARMS for name in (*MOMENTS, *QUANTILES, "n"))

    @classmethod
    def arrays(cls) -> tuple[str, ...]:
        """Names of the fields with a number, or a row of them, for each study."""
        others = ("rounding", *(f"sd_{when}" for when in PAIR))
        return (*cls.columns(), *(f"{name}{arm}" for arm in ARMS for name in others))

    @property
    def provenance(self) -> tuple[str, ...]:
        """How the figures of each study came about; ``""`` where they are as printed."""
        return self.how

    def quantiles(self, arm: str) -> Array:
        """Return the quantiles of an arm, ``"_treatment"`` or ``"_control"``, shape (k, 5)."""
        return np.stack([getattr(self, f"{name}{arm}") for name in QUANTILES], axis=1)

    def has_moments(self, arm: str) -> NDArray[np.bool_]:
        """Where an arm has its mean and SD, shape (k,)."""
        return np.isfinite(getattr(self, f"mean{arm}")) & np.isfinite(getattr(self, f"sd{arm}"))

    def _arm_in_words(self, i: int, arm: str) -> str:
        mean, sd, n = (getattr(self, f"{name}{arm}")[i] for name in (*MOMENTS, "n"))
        shown = [f"{one:g}" for one in self.quantiles(arm)[i] if np.isfinite(one)]
        figures = f"{mean:.4g} ({sd:.3g})" if self.has_moments(arm)[i] else f"[{', '.join(shown)}]"
        if self.has_pair(arm)[i]:
            before, after = (getattr(self, f"sd_{when}{arm}")[i] for when in PAIR)
            figures = f"{mean:.4g} (SDs {before:.3g}, {after:.3g})"
        return f"{figures}, {n:g}"

    @property
    def measured_in(self) -> str:
        """The unit of measurement; ``""`` where there are several, or none is stated."""
        units = {one for one in self.unit if one}
        return units.pop() if len(units) == 1 else ""

    def has_pair(self, arm: str) -> NDArray[np.bool_]:
        """Where an arm has the SDs before and after in place of that of the change, shape (k,)."""
        pair = [getattr(self, f"sd_{when}{arm}") for when in PAIR]
        return ~self.has_moments(arm) & np.isfinite(pair).all(axis=0)

    @classmethod
    def _wanted(cls, given: Iterable[str]) -> tuple[str, ...]:
        forms = [name for name in cls.columns() if name in given]
        texts = [name for name in ("unit", "how") if name in given]
        return tuple(dict.fromkeys((*forms, "n_treatment", "n_control", *texts)))

    @classmethod
    def _values(cls, rows: Kept) -> Mapping[str, object]:
        rows = replace(rows, cells=rows.cells.replace(r"^\s*$", np.nan, regex=True))
        unit, how = ([text.strip() for text in rows.texts(name)] for name in ("unit", "how"))
        factor, unit, converted = one_unit(unit)
        forms = [name for name in rows.cells.columns if name not in cls.texts]
        numbers = {name: rows.numbers(name) for name in forms}
        rounding = {f"rounding{arm}": _rounding_of(rows.cells, numbers, arm) for arm in ARMS}
        sized = {name: values for name, values in numbers.items() if not name.startswith("n_")}
        with np.errstate(over="ignore"):  # what is too large is refused by name
            sized = {name: (values.T * factor).T for name, values in {**sized, **rounding}.items()}
        return {**numbers, **sized, "unit": unit, "how": join_how(how, converted)}

    def _check(self, problems: Problems) -> None:
        pairs = (f"sd_{when}{arm}" for arm in ARMS for when in PAIR)
        for column in (*self.columns(), *pairs):
            self._put(column, _column(self, column, problems))
        for arm in ARMS:
            self._put(f"rounding{arm}", _rounding(self, arm))
            _check_n(self, arm, problems)
            _check_spread(self, arm, problems)
            _check_forms(self, arm, problems)
            _check_order(self, arm, problems)
            _check_range(self, arm, problems)


def join_how(*parts: Sequence[str]) -> tuple[str, ...]:
    """Join what was done to each study, step by step, into one text per study."""
    return tuple("; ".join(filter(None, texts)) for texts in zip(*parts, strict=True))


def _column(table: ContinuousStudies, column: str, problems: Problems) -> Array:
    given = getattr(table, column)
    values = read_only(np.full(table.k, np.nan)) if given is None else table.column(column)
    problems.refuse(
        np.isinf(values) | (np.abs(np.nan_to_num(values)) > LARGEST),
        f"{column} is not a finite number of usable size for {{rows}}; give it, leave the cell "
        "empty or change the unit.",
        column,
    )
    return values


def _rounding(table: ContinuousStudies, arm: str) -> Array:
    """Half units of the last digits, as given or by the shortest form of the numbers."""
    values = getattr(table, f"rounding{arm}")
    if values is None:
        cells = table.quantiles(arm)
        values = [[_half_unit(float(cell)) for cell in row] for row in cells]
    found = read_only(np.reshape(np.asarray(values, dtype=np.float64), (-1, len(QUANTILES))))
    if found.shape != (table.k, len(QUANTILES)) or not (np.nan_to_num(found) >= 0).all():
        raise DataError(
            f"rounding{arm} must hold five half-widths, zero or more, for each of "
            f"{table.k} studies."
        )
    return found


def _rounding_of(rows: "pd.DataFrame", numbers: Mapping[str, Array], arm: str) -> Array:
    found = np.full((len(rows), len(QUANTILES)), np.nan)
    for j, name in enumerate(QUANTILES):
        column = f"{name}{arm}"
        for i in np.flatnonzero(np.isfinite(numbers.get(column, np.nan))):
            found[i, j] = _half_unit(rows[column].iloc[i])
    return found


def _half_unit(cell: str | float) -> float:
    """Half a unit of the last digit of a printed figure; NaN for an empty cell."""
    if not isinstance(cell, str):
        if not np.isfinite(float(cell)):
            return np.nan
        shortest = np.format_float_positional if isinstance(cell, np.floating) else str
        cell = shortest(cell).rstrip(".").removesuffix(".0")
    mantissa, _, exponent = cell.strip().lower().partition("e")
    if exponent:
        return 0.5 * 10.0 ** min(int(exponent) - decimals_of(mantissa), 300)
    return 0.5 * 10.0 ** -min(decimals_of(cell.strip()), 300) if cell.strip() else np.nan


def _check_n(table: ContinuousStudies, arm: str, problems: Problems) -> None:
    n = getattr(table, f"n{arm}")
    problems.refuse(
        ~(n >= 2) | (n != np.floor(n)),
        f"n{arm} must be a whole number of patients, 2 or more: one patient has no spread; check "
        "{rows}, or {out}.",
        f"n{arm}",
    )


def _check_forms(table: ContinuousStudies, arm: str, problems: Problems) -> None:
    moments, shown = table.has_moments(arm), np.isfinite(table.quantiles(arm)).sum(axis=1)
    bare = ~moments & (shown < 2) & ~table.has_pair(arm)
    half = np.isfinite(getattr(table, f"mean{arm}")) & bare
    columns = [f"{name}{arm}" for name in (*MOMENTS, *QUANTILES)]
    for which, said in (
        (half, "a mean without its SD"),
        (bare & ~half, "no mean with SD and no two quantiles"),
    ):
        problems.refuse(
            which,
            f"{{rows}} has {said} in the {arm[1:]} arm; give sd{arm} (from a standard error: "
            "SE × √n), the quartiles or the range, or {out}.",
            *columns,
        )


def _check_spread(table: ContinuousStudies, arm: str, problems: Problems) -> None:
    problems.refuse(
        getattr(table, f"sd{arm}") <= 0,
        f"sd{arm} must be positive; check {{rows}}: an SD of 0 among several patients means that "
        "all had one value. Look for a missing figure or a rounded one, or {out}.",
        f"sd{arm}",
    )


def _check_order(table: ContinuousStudies, arm: str, problems: Problems) -> None:
    cells = table.quantiles(arm)
    for j in range(len(QUANTILES)):
        for i in range(j):
            low, high = f"{QUANTILES[i]}{arm}", f"{QUANTILES[j]}{arm}"
            problems.refuse(
                cells[:, i] > cells[:, j],
                f"{low} exceeds {high} for {{rows}}; check for swapped columns or a typing error.",
                low,
                high,
            )


def _check_range(table: ContinuousStudies, arm: str, problems: Problems) -> None:
    mean, sd, n = (getattr(table, f"{name}{arm}") for name in ("mean", "sd", "n"))
    low, high = (getattr(table, f"{name}{arm}") for name in ("min", "max"))
    slack = np.nan_to_num(getattr(table, f"rounding{arm}"))
    named = {name: f"{name}{arm}" for name in (*MOMENTS, "n", "min", "median", "max")}
    problems.refuse(
        (mean < low - slack[:, 0]) | (mean > high + slack[:, -1]),
        f"mean{arm} lies outside min{arm} to max{arm} for {{rows}}; check the columns and the "
        "unit.",
        *(named[name] for name in ("mean", "min", "max")),
    )
    _check_beside(table, arm, slack, problems)
    with np.errstate(divide="ignore", invalid="ignore"):  # n is noted where it is too small
        widest = (high - low + slack[:, 0] + slack[:, -1]) / 2 * np.sqrt(n / (n - 1))
    problems.refuse(
        sd > widest * (1 + 1e-9),
        f"sd{arm} is larger than any sample between min{arm} and max{arm} can have, for {{rows}}; "
        "check for a standard error, an SD of another scale or a typing error.",
        *(named[name] for name in ("sd", "n", "min", "max")),
    )


def _check_beside(table: ContinuousStudies, arm: str, slack: Array, problems: Problems) -> None:
    """Refuse an SD too small for the range, or for the distance of mean and median.

    The two ends of the range alone make the SD at least range / √(2(n - 1)); a mean is never
    farther from the median than the SD with divisor n.
    """
    mean, sd, n = (getattr(table, f"{name}{arm}") for name in ("mean", "sd", "n"))
    low, middle, high = (getattr(table, f"{name}{arm}") for name in ("min", "median", "max"))
    shown = _half_units(mean), _half_units(sd)
    with np.errstate(divide="ignore", invalid="ignore"):  # n is noted where it is too small
        least = (high - low - slack[:, 0] - slack[:, -1]) / np.sqrt(2 * (n - 1))
        most = (sd + shown[1]) * np.sqrt((n - 1) / n)
    narrow = sd + shown[1] < least
    apart = np.abs(mean - middle) - slack[:, 2] - shown[0] > most
    for wrong, beside in ((narrow, ("min", "max")), (apart, ("median",))):
        named = " and ".join(f"{name}{arm}" for name in beside)
        problems.refuse(
            wrong,
            f"sd{arm} is smaller than any sample with this mean{arm}, {named} can have, for "
            "{rows}; check for a standard error in its place, swapped columns or a typing error.",
            *(f"{name}{arm}" for name in ("mean", "sd", "n", *beside)),
        )


def _half_units(values: Array) -> Array:
    """Half units of the last digits that figures are printed with, (k,)."""
    return np.nan_to_num(np.array([_half_unit(float(one)) for one in values]))
