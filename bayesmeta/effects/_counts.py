"""Estimates and their variances from counts, and what is done about zero cells."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..arguments import is_among
from ..errors import DataError
from ..studies import (
    Account,
    BinaryStudies,
    ContinuousStudies,
    Excluded,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
    Studies,
    Table,
)
from ..ways import shown

type ZeroCells = Literal["none", "if_needed", "all", "events", "treatment_arm", "variance"]
type Estimates = tuple[NDArray[np.float64], NDArray[np.float64]]
type Cells = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]


MEASURES_OF: Mapping[type[Table], tuple[str, ...]] = {
    each: each.measures
    for each in (
        BinaryStudies,
        PersonTimeStudies,
        ProportionStudies,
        IncidenceStudies,
        ContinuousStudies,
    )
}
MAIN_REASON = "double zero"
SILENT = {
    "OR": "no patient, or every patient, had an event in both arms",
    "RR": "no event in either arm",
    "IRR": "no event in either arm",
}

ZERO_WORDS: Mapping[ZeroCells, str] = {
    "none": "counts as they are",
    "if_needed": "½ added to all four cells of studies with a zero in any",
    "all": "½ added to all four cells of every study",
    "events": "½ added to the events, and so to the totals, of studies with a zero in any cell",
    "treatment_arm": "each arm's share of the patients added in studies with a zero in any cell",
    "variance": "½ added in the variance alone of studies with a zero in any cell",
}
ADDED: Mapping[ZeroCells, str] = {  # of a study to which it happens
    "none": "",
    "if_needed": "½ added to each cell",
    "all": "½ added to each cell",
    "events": "½ added to the events, and so to the totals",
    "treatment_arm": "each arm's share of the patients added",
    "variance": "½ added in the variance",
}
# The last three are of two arms, and one of them of one measure.
ZERO_CELLS_OF: Mapping[str, tuple[ZeroCells, ...]] = {
    "OR": ("none", "if_needed", "all", "treatment_arm"),
    "RR": ("none", "if_needed", "all", "events", "treatment_arm"),
    "RD": ("none", "if_needed", "all", "variance", "treatment_arm"),
}


def cells(studies: BinaryStudies) -> Cells:
    """Events and non-events per arm: treatment, treatment, control, control; each (k,)."""
    return (
        studies.events_treatment,
        studies.n_treatment - studies.events_treatment,
        studies.events_control,
        studies.n_control - studies.events_control,
    )


def adjusted_cells(studies: BinaryStudies, zero_cells: ZeroCells, measure: str = "") -> Cells:
    """The four cells with what the rule `zero_cells` adds to them."""
    check_rule(zero_cells, measure)
    if zero_cells in ("none", "if_needed", "all"):
        a, b, c, d = _with_half(zero_cells, *cells(studies))
        return a, b, c, d
    a, b, c, d = cells(studies)
    has_zero = np.any([column == 0 for column in (a, b, c, d)], axis=0)
    share = studies.n_treatment / (studies.n_treatment + studies.n_control)
    treatment, control = (
        (share, 1 - share) if zero_cells == "treatment_arm" else (np.full_like(share, 0.5),) * 2
    )
    treatment, control = treatment * has_zero, control * has_zero
    others = 0.0 if zero_cells == "events" or measure == "RR" else 1.0
    return a + treatment, b + others * treatment, c + control, d + others * control


def check_rule(zero_cells: str, measure: str) -> None:
    """Refuse a rule for zero cells that is none, or not one of this measure."""
    rules = ZERO_CELLS_OF.get(measure, ("none", "if_needed", "all"))
    if not is_among(zero_cells, rules):
        of = f" of {measure}" if is_among(zero_cells, ZERO_WORDS) else ""
        raise DataError(f"zero_cells {shown(zero_cells)} is not one of {', '.join(rules)}{of}.")


def _with_half(
    zero_cells: ZeroCells, *columns: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Columns of counts with ½ added to all where the rule says so."""
    has_zero = np.any([column == 0 for column in columns], axis=0)
    where = {"none": np.zeros_like(has_zero), "if_needed": has_zero, "all": np.ones_like(has_zero)}
    half = 0.5 * where[zero_cells]
    return tuple(column + half for column in columns)


def informative(studies: Studies, measure: str) -> NDArray[np.bool_]:
    """Studies that say something without a model for the baseline, shape (k,)."""
    if measure not in SILENT:
        return np.ones(studies.k, bool)
    silent = studies.double_zero
    if measure == "OR":
        silent = silent | studies.all_events
    return ~silent


def zero_words(studies: Studies, rule: ZeroCells) -> str:
    """What a rule adds to which cells of such a table, in words; where it adds nothing, that."""
    if not corrected(studies, rule).any():
        return ZERO_WORDS["none"]
    four = studies.size == "n" and len(studies.arms) == 2
    return ZERO_WORDS[rule] if four else ZERO_WORDS[rule].replace("all four cells", "all cells")


def with_zero(studies: Studies) -> NDArray[np.bool_]:
    """Studies with a cell that is zero, shape (k,)."""
    zero = [getattr(studies, f"events{arm}") == 0 for arm in studies.arms]
    if studies.size == "n":
        zero += [getattr(studies, f"events{a}") == getattr(studies, f"n{a}") for a in studies.arms]
    return np.any(zero, axis=0)


def corrected(studies: Studies, rule: ZeroCells) -> NDArray[np.bool_]:
    """Studies to whose cells a rule adds something, shape (k,)."""
    if rule in ("none", "all"):
        return np.full(studies.k, rule == "all")
    return with_zero(studies)


def silent(studies: Studies, measure: str, kept: NDArray[np.bool_]) -> tuple[Excluded, ...]:
    """The studies that are not kept, as rows that say nothing about the measure."""
    why = f"{SILENT.get(measure, 'nothing')}: no information on the {measure}"
    return tuple(
        Excluded(name, MAIN_REASON, why, dropped=True)
        for name, keep in zip(studies.study, kept, strict=True)
        if not keep
    )


def account_of(studies: Studies, measure: str, kept: NDArray[np.bool_]) -> Account:
    """Return what became of counts of which some studies say nothing about the measure."""
    return replace(studies.keep_accounted(kept).account, dropped=silent(studies, measure, kept))


def _log_odds_ratio(studies: BinaryStudies, zero_cells: ZeroCells) -> Estimates:
    a, b, c, d = adjusted_cells(studies, zero_cells, "OR")
    return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d


def _log_risk_ratio(studies: BinaryStudies, zero_cells: ZeroCells) -> Estimates:
    a, b, c, d = adjusted_cells(studies, zero_cells, "RR")
    return np.log(a * (c + d) / (c * (a + b))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def _risk_difference(studies: BinaryStudies, zero_cells: ZeroCells) -> Estimates:
    a, b, c, d = adjusted_cells(studies, zero_cells, "RD")
    if zero_cells in ("variance", "treatment_arm"):
        plain = studies.events_treatment / studies.n_treatment
        difference = plain - studies.events_control / studies.n_control
        return difference, a * b / (a + b) ** 3 + c * d / (c + d) ** 3
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
