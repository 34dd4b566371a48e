"""Trials that randomised clusters: what their patients are worth, and the estimates from that."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arguments import number
from ..errors import DataError
from ..studies import Excluded, Origin, name_rows
from ..ways import way
from ._counts import ADDED, ESTIMATES, SILENT, ZERO_WORDS, cells
from ._measures import MEASURES, measure_named
from ._reading import Filled, read_filled
from ._sizes import EffectSizes

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import Key

type Array = NDArray[np.float64]

COUNTS = ("events_treatment", "n_treatment", "events_control", "n_control")
DESIGN = ("design_effect", "icc", "cluster_size")
OF_COUNTS = ("OR", "RR", "RD")


class _Cells(NamedTuple):
    """Counts that may be fractions, (k,) each."""

    events_treatment: Array
    n_treatment: Array
    events_control: Array
    n_control: Array


def cluster_effects(
    frame: "pd.DataFrame",
    *,
    measure: str,
    design_effect: float | None = None,
    icc: float | None = None,
    cluster_size: float | None = None,
    columns: Mapping[str, str] | None = None,
    exclude: "Mapping[Key, str] | None" = None,
) -> EffectSizes:
    """Estimates of trials of which some randomised clusters, from effective counts.

    Parameters
    ----------
    frame : DataFrame
        One row per study: ``study``, ``events_treatment``, ``n_treatment``, ``events_control``,
        ``n_control``, and, where the trial randomised clusters, ``design_effect``, or ``icc`` and
        ``cluster_size``. Whole counts of such a trial are divided by its design effect; fractions
        are taken as divided already. A row that states no design effect randomised patients.
    measure : {"OR", "RR", "RD"}
    design_effect, icc, cluster_size : float, optional
        For rows with counts that are fractions, or all rows where none states its own: the design
        effect, or the intracluster correlation and the mean size of a cluster.
    columns, exclude
        As for :meth:`BinaryStudies.from_frame`.

    Returns
    -------
    EffectSizes
        `how` states what each cluster trial's counts were divided by.

    Raises
    ------
    DataError
        If counts are impossible, or are fractions and no design effect is stated.

    References
    ----------
    Higgins JPT, Eldridge S, Li T, in Cochrane Handbook for Systematic Reviews of Interventions,
    version 6, section 23.1.4: the design effect is 1 + (m - 1) ICC.

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> trials = pd.DataFrame(
    ...     {"study": ["A", "B"], "events_treatment": [63, 12], "n_treatment": [295, 40],
    ...      "events_control": [84, 18], "n_control": [330, 40], "design_effect": [1.5, None]})
    >>> bm.cluster_effects(trials, measure="OR").how
    ('counts divided by the design effect 1.5', '')
    """
    measure_named(measure, OF_COUNTS)
    table = read_filled(frame, (*COUNTS, *DESIGN), (), columns=columns, exclude=exclude)
    table.problems.raise_any()
    _check(table)
    fractional = np.any([table.numbers[name] % 1 != 0 for name in COUNTS], axis=0)
    effect = _design_effects(table, (design_effect, icc, cluster_size), also=fractional)
    _check_stated(table, fractional & ~(effect > 1))
    divided = np.where(fractional, 1.0, effect)
    used = _Cells(*(table.numbers[name] / divided for name in COUNTS))
    return _estimates(table, used, measure, _words(effect, fractional))


def design_effects(
    frame: "pd.DataFrame",
    *,
    design_effect: float | None = None,
    icc: float | None = None,
    cluster_size: float | None = None,
) -> Array:
    """Return the design effect of each row of a frame, (k,): its own, else that of all, else 1."""
    table = read_filled(frame, DESIGN, (), columns=None, exclude=None)
    table.problems.raise_any()
    return _design_effects(table, (design_effect, icc, cluster_size))


def _design_effects(
    table: Filled,
    of_all: tuple[float | None, float | None, float | None],
    *,
    also: NDArray[np.bool_] | None = None,
) -> Array:
    """Design effect of each row, (k,): its own, what is said of all, or 1.

    What is said of all completes rows that state half of it. It holds for every row where none
    states its own, and else for those in `also`.
    """
    whole = _of_all(*of_all)
    own, share, size = (table.numbers[name] for name in DESIGN)
    stated = np.isfinite(own) | np.isfinite(share) | np.isfinite(size)
    share = np.where(stated & np.isnan(share) & (of_all[1] is not None), of_all[1] or 0.0, share)
    size = np.where(stated & np.isnan(size) & (of_all[2] is not None), of_all[2] or 1.0, size)
    half = ~np.isfinite(own) & (np.isfinite(share) != np.isfinite(size))
    if half.any():
        raise DataError(
            f"icc and cluster_size go together: {name_rows(table.study, half)} has one without "
            f"the other; fill both columns, or state the other of all: {way('icc', '0.05', '20')}."
        )
    wrong = (own < 1) | (share < 0) | (share > 1) | (size < 1)
    if wrong.any():
        raise DataError(
            "A design effect is 1 or more, an icc lies between 0 and 1 and a cluster has 1 patient "
            f"or more; check {name_rows(table.study, wrong)}."
        )
    found = np.where(np.isfinite(own), own, 1 + (size - 1) * share)
    _check_reach(table, of_all, stated, also, no_effect=whole is None)
    if whole is None:
        return np.where(np.isfinite(found), found, 1.0)
    reach = np.ones(table.k, bool) if not stated.any() else np.zeros(table.k, bool)
    reach |= also if also is not None else False
    return np.where(np.isfinite(found), found, np.where(reach, whole, 1.0))


def _check_reach(
    table: Filled,
    of_all: tuple[float | None, float | None, float | None],
    stated: NDArray[np.bool_],
    also: NDArray[np.bool_] | None,
    *,
    no_effect: bool,
) -> None:
    """Refuse what is said of all cluster trials where it says nothing of any."""
    if no_effect and any(one is not None for one in of_all) and not stated.any():
        raise DataError(f"icc and cluster size go together: {way('icc', '0.05', '20')}.")
    if not no_effect and stated.any() and not (also is not None and (also & ~stated).any()):
        raise DataError(
            f"{name_rows(table.study, stated)} states its own design effect, so that one for all "
            "has no place: fill the column for every trial that randomised clusters, or leave "
            f"{way('design_effect', '...')} out."
        )


def _of_all(design: float | None, icc: float | None, size: float | None) -> float | None:
    if design is None and icc is None and size is None:
        return None
    if design is not None and (icc is not None or size is not None):
        raise DataError(
            f"Give {way('design_effect', '1.5')}, or {way('icc', '0.05', '20')}, not both."
        )
    if design is not None:
        design = number(design, "design_effect", DataError)
        if not 1 <= design < np.inf:
            raise DataError(f"A design effect is 1 or more; got {design:g}.")
        return float(design)
    if icc is None or size is None:
        return None  # of rows that state the other half
    if not (0 <= icc <= 1 and 1 <= size < np.inf):
        raise DataError(
            f"An icc lies between 0 and 1 and a cluster has 1 patient or more; got {icc:g} and "
            f"{size:g}."
        )
    return 1 + (size - 1) * icc


def inflated(effects: EffectSizes, effect: Array) -> EffectSizes:
    """Standard errors that ignored clusters, times the root of each design effect, (k,)."""
    how = list(effects.how)
    for i in np.flatnonzero(effect > 1):
        said = f"SE times the square root of the design effect {effect[i]:.4g}"
        how[i] = "; ".join(filter(None, (how[i], said)))
    return replace(effects, se=effects.se * np.sqrt(effect), how=tuple(how))


def _check(table: Filled) -> None:
    for name in COUNTS:
        values = table.numbers[name]
        if (bad := ~np.isfinite(values)).any():
            raise DataError(
                f"{name} is missing for {name_rows(table.study, bad)}; give the number or leave "
                f"the row out with {way('exclude', _first(table, bad))}."
            )
    for arm in ("_treatment", "_control"):
        events, n = table.numbers[f"events{arm}"], table.numbers[f"n{arm}"]
        if (bad := (events < 0) | (n <= 0) | (events > n)).any():
            raise DataError(
                f"events{arm} must lie between 0 and n{arm}, which is above 0; check "
                f"{name_rows(table.study, bad)}."
            )


def _check_stated(table: Filled, bad: NDArray[np.bool_]) -> None:
    if bad.any():
        raise DataError(
            f"The counts of {name_rows(table.study, bad)} are fractions: if they are effective "
            "counts of a cluster trial, state its design effect in a column design_effect or with "
            f"{way('design_effect', '1.5')}; else give whole numbers."
        )


def _words(effect: Array, fractional: NDArray[np.bool_]) -> list[str]:
    return [
        ""
        if one <= 1
        else f"effective counts as given, design effect {one:.4g}"
        if given
        else f"counts divided by the design effect {one:.4g}"
        for one, given in zip(effect, fractional, strict=True)
    ]


def _estimates(table: Filled, used: _Cells, measure: str, how: list[str]) -> EffectSizes:
    none = (used.events_treatment == 0) & (used.events_control == 0)
    every = (used.events_treatment == used.n_treatment) & (used.events_control == used.n_control)
    silent = none | every if measure == "OR" else none if measure in SILENT else none & False
    if silent.all():
        raise DataError(f"No study says anything about the {MEASURES[measure].words}.")
    y, variance = ESTIMATES[measure](used, "if_needed")
    where = np.flatnonzero(~silent)
    dropped = tuple(
        Excluded(
            table.study[i],
            table.variant[i],
            f"{SILENT[measure]}: no information on the {measure}",
            dropped=True,
        )
        for i in np.flatnonzero(silent)
    )
    whole = EffectSizes(
        study=table.study,
        y=np.where(silent, 0.0, y),
        se=np.where(silent, 1.0, np.sqrt(variance)),
        measure=measure,
        excluded=table.excluded + dropped,
        origin=_origin(table, used),
        note=ZERO_WORDS["if_needed"],
        how=tuple(how),
        variant=table.variant,
        covariates=table.covariates,
    )
    return whole.keep_accounted([table.study[i] for i in where])


def _origin(table: Filled, used: _Cells) -> Origin:
    """The origin of the table, with its participants and what is added to zero cells."""
    total = table.numbers["n_treatment"] + table.numbers["n_control"]
    zero = np.any([one == 0 for one in cells(used)], axis=0)  # pyright: ignore[reportArgumentType]
    return replace(
        table.origin,
        participants=dict(zip(table.study, total.tolist(), strict=True)),
        added={
            name: ADDED["if_needed"] for name, one in zip(table.study, zero, strict=True) if one
        },
    )


def _first(table: Filled, bad: NDArray[np.bool_]) -> str:
    return table.study[int(np.flatnonzero(bad)[0])]
