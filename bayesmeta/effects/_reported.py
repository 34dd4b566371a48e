"""Estimates and standard errors from whatever form each report gives its comparison in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..arguments import check_switch
from ..studies import Origin, check_prob, join_how, one_unit
from ._continuous import check_one_unit
from ._forms import ARMS, FORMS, NUMBERS, Asked, Form
from ._measures import MEASURES, measure_named
from ._reading import Filled, read_filled
from ._sizes import EffectSizes

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import Key

type Array = NDArray[np.float64]

COMPARATIVE = tuple(name for name, measure in MEASURES.items() if measure.comparative)
PRINTED = (
    "estimate",
    "lower",
    "upper",
    *(f"{s}mean{a}" for s in ("", "lower_", "upper_") for a in ARMS),
)
TEXTS = ("p", "t_based", "unit", *PRINTED)
YES, NO = ("true", "yes", "1", "1.0", "t"), ("false", "no", "0", "0.0", "z", "normal")


def reported_effects(
    frame: "pd.DataFrame",
    *,
    measure: str,
    columns: Mapping[str, str] | None = None,
    prob: float = 0.95,
    t_based: bool = False,
    label: str = "",
    exclude: "Mapping[Key, str] | None" = None,
) -> EffectSizes:
    """Read a table in which each row reports its comparison in the form that its paper has.

    Parameters
    ----------
    frame : DataFrame
        One row per study, with a column ``study`` and any of the columns below; cells may be
        empty. Of the forms that a row completes the first counts, in this order:

        1. ``estimate``, ``se``;
        2. ``estimate``, ``lower``, ``upper``;
        3. ``estimate``, ``t_statistic``;
        4. ``estimate``, ``p`` (two-sided);
        5. ``estimate``, ``se_treatment``, ``se_control``: standard errors of each arm's mean (MD);
        6. ``mean_``, ``sd_``, ``n_treatment`` and ``_control`` (from here on MD, SMD, ROM, RGM);
        7. ``mean_``, ``se_``, ``n_`` of both arms;
        8. ``mean_``, ``lower_mean_``, ``upper_mean_``, ``n_`` of both arms, the intervals with the
           t quantile of n - 1 degrees of freedom;
        9. ``q1_change_``, ``median_change_``, ``q3_change_``, ``n_`` of both arms (MD), by
           :func:`convert_quantiles`; likewise, last of all, ``q1_``, ``median_``, ``q3_``, ``n_``.

        Ratios (OR, RR, IRR, HR, ROM, RGM) are given as ratios, their ``se`` on the log scale.
        Optionally ``t_based`` (yes or no) and, for MD, ``unit``, converted as by
        :meth:`ContinuousStudies.from_frame`.
    measure : str
        A measure that compares two arms.
    columns : mapping of str to str, optional
        Our names to the table's.
    prob : float
        Level of all intervals.
    t_based : bool
        Whether intervals and P values of the comparison come from a t distribution with
        n_treatment + n_control - 2 degrees of freedom, as of small trials of means; where the
        table has a column of that name, its filled cells count.
    label : str
        What the estimates are of, e.g. ``"hazard ratio for death"``.
    exclude : mapping, optional
        As for :meth:`BinaryStudies.from_frame`.

    Returns
    -------
    EffectSizes
        `how` names each study's form.

    Raises
    ------
    DataError
        If a row completes no form or its figures contradict each other; if its only form is a
        bound on a P value, such as ``<0.001``, which does not say what the standard error is.

    References
    ----------
    Higgins JPT, Li T, Deeks JJ, in Cochrane Handbook for Systematic Reviews of Interventions,
    version 6, sections 6.3 (ratios) and 6.5.2 (means).

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> trials = pd.DataFrame(
    ...     {"study": ["A", "B"], "estimate": [0.76, 0.84], "lower": [0.60, None],
    ...      "upper": [0.96, None], "p": [None, 0.048]})
    >>> effects = bm.reported_effects(trials, measure="HR", label="hazard ratio for death")
    >>> effects.se.round(3).tolist()
    [0.12, 0.088]
    >>> effects.how
    ('estimate and interval, 95%, normal', 'estimate and P value, normal')
    """
    kind = measure_named(measure, COMPARATIVE)
    measure = kind.name
    check_switch(t_based, "t_based")
    check_prob(prob, of_table=True)
    table = read_filled(frame, NUMBERS, TEXTS, columns=columns, exclude=exclude)
    table, bounds = _with_p(table)
    asked = Asked(table=table, measure=kind, prob=prob, t_based=_t_based(table, default=t_based))
    forms = _forms_of(measure)
    chosen = _choose(table, forms, bounds, measure)
    y, se, how = _assemble(asked, forms, chosen)
    factor, how, unit = _units(table, measure, how)
    with table.problems.going_on():
        return EffectSizes(
            study=table.study,
            y=y * factor,
            se=se * factor,
            measure=measure,
            excluded=table.excluded,
            origin=replace(_with_sizes(table), unit=unit),
            note="as each report has it",
            how=how,
            label=label,
            variant=table.variant,
            covariates=table.covariates,
        )


def _with_sizes(table: Filled) -> Origin:
    """The origin of the table, with the participants of studies that say how many they have."""
    total = table.numbers["n_treatment"] + table.numbers["n_control"]
    sizes = {name: float(n) for name, n in zip(table.study, total, strict=True) if np.isfinite(n)}
    return replace(table.origin, participants=sizes)


def _forms_of(measure: str) -> tuple[Form, ...]:
    return tuple(form for form in FORMS if not form.measures or measure in form.measures)


def _with_p(table: Filled) -> tuple[Filled, NDArray[np.bool_]]:
    """Read P values; those that are only bounds count as missing, and are remembered."""
    texts = table.texts["p"]
    bounds = np.array([_is_bound(text) for text in texts], dtype=bool)
    p = np.full(table.k, np.nan)
    wrong = np.zeros(table.k, dtype=bool)
    for i in np.flatnonzero(~bounds):
        try:
            p[i] = float(texts[i] or "nan")
        except (ValueError, OverflowError):
            wrong[i] = True
    if wrong.any():
        got = texts[int(np.flatnonzero(wrong)[0])][:40]
        table.problems.refuse(
            wrong,
            f"p must be a number; check {{rows}}: got {got!r}. Write a number, or {{out}}.",
            "p",
            "y",
            "se",
        )
    bounds |= p == 0  # printed as 0.000
    p[bounds] = np.nan
    return replace(table, numbers={**table.numbers, "p": p}), bounds


def _is_bound(text: str) -> bool:
    return text[:1] in ("<", ">", "≤", "≥") or text.casefold().replace(".", "") in ("ns", "n s")


def _t_based(table: Filled, *, default: bool) -> NDArray[np.bool_]:
    said = [text.casefold() for text in table.texts["t_based"]]
    wrong = np.array([text not in ("", *YES, *NO) for text in said], dtype=bool)
    table.problems.refuse(
        wrong, "t_based is yes or no; check {rows}, or leave the cell empty.", "t_based", "y", "se"
    )
    return np.array([text in YES or (not text and default) for text in said], dtype=bool)


def _choose(
    table: Filled, forms: tuple[Form, ...], bounds: NDArray[np.bool_], measure: str
) -> NDArray[np.int64]:
    """Number of the first form that each row completes."""
    complete = np.array([table.has(form.needs) for form in forms])
    none = ~complete.any(axis=0) & ~_half_read(table)
    table.problems.refuse(
        none & bounds,
        "The P value of {rows} is only a bound, and a bound does not say what the standard error "
        "is; give the exact P value, an interval or the test statistic, or {out}.",
        "y",
        "se",
    )
    table.problems.refuse(
        none,
        f"{{rows}} reports the {MEASURES[measure].words} in no complete form; fill one of: "
        f"{_forms_in_words(forms)}. Or {{out}}.",
        "y",
        "se",
    )
    return np.where(complete.any(axis=0), complete.argmax(axis=0), len(forms))


def _half_read(table: Filled) -> NDArray[np.bool_]:
    """Rows with a cell that is no number, which are then no more than that."""
    wrong = table.problems.known(*NUMBERS, "p")
    table.problems.mark(wrong, "y", "se")
    return wrong


def _forms_in_words(forms: tuple[Form, ...]) -> str:
    ways = [", ".join(form.needs) for form in forms if form.needs[0] == "estimate"]
    if any(form.needs[0] == "mean_treatment" for form in forms):
        ways.append("each arm's n and mean with sd, se, or lower_mean and upper_mean")
    return "; ".join(ways)


def _assemble(
    asked: Asked, forms: tuple[Form, ...], chosen: NDArray[np.int64]
) -> tuple[Array, Array, tuple[str, ...]]:
    y, se = np.full((2, asked.table.k), np.nan)
    how = [""] * asked.table.k
    for j, form in enumerate(forms):
        rows = asked.usable(chosen == j)
        if not rows.any():
            continue
        made = None
        with asked.table.problems.noted(), np.errstate(all="ignore"):
            made = form.make(asked, rows)
        if made is None:
            asked.table.problems.mark(rows, "y", "se")
            continue
        y[rows], se[rows] = made[0][rows], made[1][rows]
        for i in np.flatnonzero(rows):
            how[i] = form.name + made[2][i]
    return y, se, tuple(how)


def _units(table: Filled, measure: str, how: tuple[str, ...]) -> tuple[Array, tuple[str, ...], str]:
    """Factors to one unit, and which that is; only a difference has one."""
    if measure != "MD":
        return np.ones(table.k), how, ""
    factor, unit, converted = one_unit(table.texts["unit"])
    check_one_unit(unit)
    return factor, join_how(how, converted), next(filter(None, unit), "")
