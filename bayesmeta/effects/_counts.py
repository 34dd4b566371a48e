"""Estimates and their variances from counts, and what is done about zero cells."""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..studies import (
    BinaryStudies,
    ContinuousStudies,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
    Studies,
)

type ZeroCells = Literal["none", "if_needed", "all"]
type Estimates = tuple[NDArray[np.float64], NDArray[np.float64]]
type Cells = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]


MEASURES_OF: Mapping[type[Studies | ContinuousStudies], tuple[str, ...]] = {
    BinaryStudies: ("OR", "RR", "RD"),
    PersonTimeStudies: ("IRR",),
    ProportionStudies: ("PLO",),
    IncidenceStudies: ("IRLN",),
    ContinuousStudies: ("MD", "SMD", "ROM", "RGM"),
}
SILENT = {
    "OR": "no patient, or every patient, had an event in both arms",
    "RR": "no event in either arm",
    "IRR": "no event in either arm",
}

ZERO_WORDS = {
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
    if zero_cells not in ZERO_WORDS:
        raise DataError(f"zero_cells {zero_cells!r} is not one of {', '.join(ZERO_WORDS)}.")
    has_zero = np.any([column == 0 for column in columns], axis=0)
    where = {"none": np.zeros_like(has_zero), "if_needed": has_zero, "all": np.ones_like(has_zero)}
    half = 0.5 * where[zero_cells]
    return tuple(column + half for column in columns)


def informative(studies: Studies, measure: str) -> NDArray[np.bool_]:
    """Studies that say something without a model for the baseline, shape (k,)."""
    if measure not in SILENT:
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


ESTIMATES: Mapping[str, Callable[..., Estimates]] = {
    "OR": _log_odds_ratio,
    "RR": _log_risk_ratio,
    "RD": _risk_difference,
    "IRR": _log_rate_ratio,
    "PLO": _logit_proportion,
    "IRLN": _log_rate,
}
