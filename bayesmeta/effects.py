"""Effect sizes: studies in, estimates and standard errors on the analysis scale out."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, ndtri

from .errors import DataError
from .studies import (
    BinaryStudies,
    Excluded,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
    Published,
    Studies,
    check_names,
    check_prob,
    decimals_of,
    name_rows,
    read_numbers,
    read_only,
    rename_columns,
    select_rows,
)

if TYPE_CHECKING:
    import pandas as pd

    from .studies._door import Key

type ZeroCells = Literal["none", "if_needed", "all"]
type DoubleZero = Literal["exclude", "include"]
type Link = Literal["identity", "log", "logit", "atanh"]
type Estimates = tuple[NDArray[np.float64], NDArray[np.float64]]
type Cells = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """An effect measure: its name, and the scale it is analysed on.

    Attributes
    ----------
    name : str
        The field's abbreviation.
    words : str
        The name in words.
    link : {"identity", "log", "logit", "atanh"}
        From the scale people read to the analysis scale.
    comparative : bool
        Whether it compares two arms, so that 0 on the analysis scale means no difference.
    """

    name: str
    words: str
    link: Link = "identity"
    comparative: bool = True

    @property
    def log(self) -> bool:
        """Whether it is a ratio or rate, analysed as its logarithm."""
        return self.link == "log"

    def natural(self, value: ArrayLike) -> NDArray[np.float64]:
        """Map from the analysis scale to the one people read."""
        with np.errstate(over="ignore"):
            return np.asarray(_INVERSE[self.link](value), dtype=np.float64)

    @property
    def analysis_label(self) -> str:
        """Name of the analysis scale, e.g. ``"log RR"``."""
        return self.name if self.link == "identity" else f"{self.link} {self.name}"


_INVERSE: Mapping[str, Callable[[ArrayLike], ArrayLike]] = {
    "identity": np.asarray,
    "log": np.exp,
    "logit": expit,
    "atanh": np.tanh,
}

MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(name="OR", words="odds ratio", link="log"),
        Measure(name="RR", words="risk ratio", link="log"),
        Measure(name="RD", words="risk difference"),
        Measure(name="IRR", words="incidence rate ratio", link="log"),
        Measure(name="HR", words="hazard ratio", link="log"),
        Measure(name="MD", words="mean difference"),
        Measure(name="SMD", words="standardised mean difference"),
        Measure(name="ROM", words="ratio of means", link="log"),
        Measure(name="GEN", words="effect"),
        Measure(name="PLO", words="proportion", link="logit", comparative=False),
        Measure(name="IRLN", words="incidence rate", link="log", comparative=False),
    )
}
ATANH_RD = Measure(name="RD", words="risk difference", link="atanh")  # of counts: stays within ±1


def measure_named(name: str, among: Sequence[str] = tuple(MEASURES)) -> Measure:
    """Look a measure up, or say which there are."""
    if name not in among:
        raise DataError(f"measure {name!r} is not one of {', '.join(among)}.")
    return MEASURES[name]


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "study", tuple(str(name) for name in self.study))
        measure_named(self.measure)
        check_names(self.study)
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

    def keep(self, rows: NDArray[np.bool_]) -> Self:
        """Return the studies where `rows`, shape (k,), is true."""
        where = np.flatnonzero(rows)
        names = tuple(self.study[i] for i in where)
        return replace(self, study=names, y=self.y[where], se=self.se[where])

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
        study, _, kept, excluded = select_rows(table, exclude or {})
        names = tuple(np.asarray(study, dtype=object)[kept])
        values = {name: read_numbers(table[name][kept], name, study, kept) for name in numbers}
        if direct:
            return cls(study=names, measure=measure, excluded=excluded, **values)
        check_names(names)
        texts = [[str(cell) for cell in table[name][kept]] for name in numbers]
        y, se = _from_intervals(names, texts, values, measure_named(measure), prob)
        note = f"estimate and {100 * prob:g}% interval as printed"
        return cls(study=names, y=y, se=se, measure=measure, excluded=excluded, note=note)


def effect_sizes(
    studies: Studies | Published,
    *,
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    double_zero: DoubleZero = "exclude",
) -> EffectSizes:
    """Turn counts, or one published estimate, into estimates and standard errors.

    Parameters
    ----------
    studies : BinaryStudies, PersonTimeStudies, ProportionStudies, IncidenceStudies or Published
        Counts; or a printed estimate with its interval, which gives one row.
    measure : {"OR", "RR", "RD", "IRR", "PLO", "IRLN"}
        OR, RR or RD for ``BinaryStudies``; the others have one measure each and need not name
        it: IRR, the logit proportion PLO, the log incidence rate IRLN. A published estimate
        carries its own.
    zero_cells : {"if_needed", "none", "all"}
        ½ is added to all cells of studies with a zero in any of them, of none, of all.
    double_zero : {"exclude", "include"}
        What to do with studies without an event in either arm (for OR also: without a
        non-event). They say nothing about a ratio in a two-stage analysis; they do about RD.

    Returns
    -------
    EffectSizes

    Raises
    ------
    DataError
        If a zero cell leaves an estimate infinite, nothing is left, or a printed interval is
        not symmetric about its estimate by more than rounding.

    References
    ----------
    Variances of log OR, log RR, RD, log IRR, logit proportion and log rate: Fleiss & Berlin
    (2009), in Cooper, Hedges & Valentine, *The Handbook of Research Synthesis*, 2nd ed., ch. 13;
    Rothman, Greenland & Lash (2008), *Modern Epidemiology*, 3rd ed., ch. 14.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> printed = bm.Published(measure="RR", estimate="0.76", lower="0.60", upper="0.96")
    >>> bm.effect_sizes(printed).se.round(3).tolist()
    [0.12]
    """
    if isinstance(studies, Published):
        return _from_published(studies)
    measure = _measure_for(studies, measure)
    if double_zero not in ("exclude", "include"):
        raise DataError(f"double_zero is 'exclude' or 'include', not {double_zero!r}.")
    kept = np.ones(studies.k, bool) if double_zero == "include" else informative(studies, measure)
    if not kept.any():
        raise DataError(
            f"No study says anything about the {MEASURES[measure].words}: in each, "
            f"{_SILENT[measure]}. A two-stage analysis has nothing to pool; "
            "a model on the counts keeps such studies."
        )
    names = tuple(name for name, keep in zip(studies.study, kept, strict=True) if keep)
    with np.errstate(divide="ignore", invalid="ignore"):
        y, variance = _ESTIMATES[measure](studies.keep(kept), zero_cells)
    bad = ~np.isfinite(y) | ~(variance > 0) | ~np.isfinite(variance)
    if bad.any():
        raise DataError(
            f"The {measure} has no finite estimate for {name_rows(names, bad)}, which have a zero "
            "cell; use zero_cells='if_needed', or a model on the counts."
        )
    dropped = tuple(
        Excluded(name, MAIN_REASON, f"{_SILENT[measure]}: no information on the {measure}")
        for name, keep in zip(studies.study, kept, strict=True)
        if not keep
    )
    return EffectSizes(
        study=names,
        y=y,
        se=np.sqrt(variance),
        measure=measure,
        excluded=studies.excluded + dropped,
        note=_ZERO_WORDS[zero_cells],
    )


def _measure_for(studies: Studies, measure: str | None) -> str:
    """The measure asked for, if these counts have it; where they have only one, that."""
    among = MEASURES_OF[type(studies)]
    if measure is None and len(among) == 1:
        return among[0]
    if measure is None:
        raise DataError(f"measure must be given for counts: {', '.join(among)}.")
    if measure not in MEASURES:
        measure_named(measure, among)
    if measure not in among:
        raise DataError(
            f"{type(studies).__name__} has the measure {_either(among)}, not {measure!r}."
        )
    return measure


def _either(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


MEASURES_OF: Mapping[type[Studies], tuple[str, ...]] = {
    BinaryStudies: ("OR", "RR", "RD"),
    PersonTimeStudies: ("IRR",),
    ProportionStudies: ("PLO",),
    IncidenceStudies: ("IRLN",),
}

MAIN_REASON = "double zero"

_SILENT = {
    "OR": "no patient, or every patient, had an event in both arms",
    "RR": "no event in either arm",
    "IRR": "no event in either arm",
}

_ZERO_WORDS = {
    "none": "counts as they are",
    "if_needed": "½ added to all four cells of studies with a zero in any",
    "all": "½ added to all four cells of every study",
}


def cells(studies: BinaryStudies) -> Cells:
    """Events and non-events per arm: treatment, treatment, control, control; each (k,)."""
    return (
        studies.events_treatment,
        studies.n_treatment - studies.events_treatment,
        studies.events_control,
        studies.n_control - studies.events_control,
    )


def adjusted_cells(studies: BinaryStudies, zero_cells: ZeroCells) -> Cells:
    """The four cells with ½ added by the rule `zero_cells`."""
    a, b, c, d = _with_half(zero_cells, *cells(studies))
    return a, b, c, d


def _with_half(
    zero_cells: ZeroCells, *columns: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Columns of counts with ½ added to all where the rule says so."""
    if zero_cells not in _ZERO_WORDS:
        raise DataError(f"zero_cells {zero_cells!r} is not one of {', '.join(_ZERO_WORDS)}.")
    has_zero = np.any([column == 0 for column in columns], axis=0)
    where = {"none": np.zeros_like(has_zero), "if_needed": has_zero, "all": np.ones_like(has_zero)}
    half = 0.5 * where[zero_cells]
    return tuple(column + half for column in columns)


def informative(studies: Studies, measure: str) -> NDArray[np.bool_]:
    """Studies that say something without a model for the baseline, shape (k,)."""
    if measure not in _SILENT:
        return np.ones(studies.k, bool)
    silent = studies.double_zero
    if measure == "OR" and isinstance(studies, BinaryStudies):
        _, b, _, d = cells(studies)
        silent = silent | ((b == 0) & (d == 0))
    return ~silent


def _log_odds_ratio(studies: BinaryStudies, zero_cells: ZeroCells) -> Estimates:
    a, b, c, d = adjusted_cells(studies, zero_cells)
    return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d


def _log_risk_ratio(studies: BinaryStudies, zero_cells: ZeroCells) -> Estimates:
    a, b, c, d = adjusted_cells(studies, zero_cells)
    return np.log(a * (c + d) / (c * (a + b))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def _risk_difference(studies: BinaryStudies, zero_cells: ZeroCells) -> Estimates:
    a, b, c, d = adjusted_cells(studies, zero_cells)
    return a / (a + b) - c / (c + d), a * b / (a + b) ** 3 + c * d / (c + d) ** 3


def _log_rate_ratio(studies: PersonTimeStudies, zero_cells: ZeroCells) -> Estimates:
    a, c = _with_half(zero_cells, studies.events_treatment, studies.events_control)
    return np.log(a * studies.time_control / (c * studies.time_treatment)), 1 / a + 1 / c


def _logit_proportion(studies: ProportionStudies, zero_cells: ZeroCells) -> Estimates:
    a, b = _with_half(zero_cells, studies.events, studies.n - studies.events)
    return np.log(a / b), 1 / a + 1 / b


def _log_rate(studies: IncidenceStudies, zero_cells: ZeroCells) -> Estimates:
    (a,) = _with_half(zero_cells, studies.events)
    return np.log(a / studies.time), 1 / a


_ESTIMATES: Mapping[str, Callable[..., Estimates]] = {
    "OR": _log_odds_ratio,
    "RR": _log_risk_ratio,
    "RD": _risk_difference,
    "IRR": _log_rate_ratio,
    "PLO": _logit_proportion,
    "IRLN": _log_rate,
}


def _from_published(published: Published) -> EffectSizes:
    measure = measure_named(published.measure)
    if not published.has_interval:
        raise DataError(
            f"The published {published.measure} has no estimate with an interval to analyse: "
            f"{published}."
        )
    texts = [[published.estimate], [published.lower], [published.upper]]
    values = {
        name: np.array([float(text[0])])
        for name, text in zip(("estimate", "lower", "upper"), texts, strict=True)
    }
    name = published.citation or "published"
    y, se = _from_intervals((name,), texts, values, measure, published.prob)
    note = f"estimate and {100 * published.prob:g}% interval as printed"
    return EffectSizes(study=(name,), y=y, se=se, measure=measure.name, note=note)


def printed_values(published: Published) -> NDArray[np.float64]:
    """Estimate, lower and upper of a published figure on the analysis scale, shape (3,)."""
    measure = measure_named(published.measure)
    values = np.array([float(t) for t in (published.estimate, published.lower, published.upper)])
    if measure.log and (values <= 0).any():
        raise DataError(
            f"The published figure {published} is a ratio and must be above zero throughout; "
            "give more decimals than 0.00, or a ratio rather than its logarithm."
        )
    return np.log(values) if measure.log else values


def _from_intervals(
    study: Sequence[str],
    texts: Sequence[Sequence[str]],
    values: Mapping[str, NDArray[np.float64]],
    measure: Measure,
    prob: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimates and standard errors from printed intervals, checked for symmetry."""
    check_prob(prob)
    estimate, lower, upper = (values[name] for name in ("estimate", "lower", "upper"))
    finite = np.isfinite(estimate) & np.isfinite(lower) & np.isfinite(upper)
    bad = ~finite | (lower >= upper) | (measure.log & (np.minimum(lower, estimate) <= 0))
    if bad.any():
        positive = "positive, " if measure.log else ""
        raise DataError(
            f"estimate, lower and upper must be {positive}finite and in order; "
            f"check {name_rows(study, bad)}. Give ratios as ratios, not as logarithms."
        )
    decimals = np.max([[_decimals(t) for t in column] for column in texts], axis=0)
    half = 0.5 * 10.0**-decimals * (1 + 1e-9)
    scale = np.log if measure.log else np.asarray
    floor = np.finfo(float).tiny if measure.log else -np.inf
    down = [scale(np.maximum(v - half, floor)) for v in (estimate, lower, upper)]
    up = [scale(v + half) for v in (estimate, lower, upper)]
    middle_low, middle_high = (down[1] + down[2]) / 2, (up[1] + up[2]) / 2
    skewed = (middle_low > up[0]) | (middle_high < down[0])
    if skewed.any():
        i = int(np.flatnonzero(skewed)[0])
        middle = measure.natural((scale(lower) + scale(upper)) / 2)
        raise DataError(
            f"The interval of {name_rows(study, skewed)} is not symmetric about its estimate: "
            f"{estimate[i]:g} against a midpoint of {middle[i]:.4g} for [{lower[i]:g}, "
            f"{upper[i]:g}], more than rounding allows. Check for a typing error, the measure, or "
            "an interval that is not estimate ± z × SE."
        )
    se = (scale(upper) - scale(lower)) / (2 * ndtri((1 + prob) / 2))
    return scale(estimate), se


def _decimals(text: str) -> int:
    """Decimals of a figure; a float read from a table carries them in its shortest form."""
    return min(decimals_of(text), 15)


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
