"""Change from baseline: its mean and SD per arm, with or without the SD as printed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..studies import ContinuousStudies, join_how, name_rows, one_unit
from ..ways import shown, way
from ._reading import Filled, read_filled

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import Key

type Array = NDArray[np.float64]

ARMS = ContinuousStudies.arms
COLUMNS = (
    *(
        f"{name}{arm}"
        for arm in ARMS
        for name in ("mean_baseline", "sd_baseline", "mean", "sd", "sd_change", "n")
    ),
    "correlation",
)


def change_from_baseline(
    frame: "pd.DataFrame",
    *,
    correlation: float | Literal["derived", "unknown"] | None = None,
    columns: Mapping[str, str] | None = None,
    exclude: "Mapping[Key, str] | None" = None,
) -> ContinuousStudies:
    """Read means and SDs before and after treatment as changes from baseline.

    Parameters
    ----------
    frame : DataFrame
        One row per study, with ``study`` and, for each arm (``_treatment``, ``_control``), the
        final ``mean_`` and ``sd_``, ``n_``, ``mean_baseline_``, ``sd_baseline_`` and, where it is
        printed, ``sd_change_``, which then counts. Optionally ``correlation``, of baseline and
        final values in each arm of the row, and ``unit``.
    correlation : float, "derived" or "unknown", optional
        For arms without a printed SD of the change, where the column says nothing: one number for
        all, or the average over the arms of the table that print all three SDs
        (:func:`derived_correlations`); or ``"unknown"``: both SDs are kept, for a model of
        arms with a prior of the correlation, ``correlation=Uniform(0.2, 0.9)``.
    columns : mapping of str to str, optional
        Our names to the table's.
    exclude : mapping, optional
        As for :meth:`BinaryStudies.from_frame`.

    Returns
    -------
    ContinuousStudies
        Means and SDs of the change; `how` says where each SD comes from.

    Raises
    ------
    DataError
        If a figure is missing, a correlation is needed and not given, or one is impossible.

    References
    ----------
    Higgins JPT, Li T, Deeks JJ, in Cochrane Handbook for Systematic Reviews of Interventions,
    version 6, section 6.5.2.8: the SD of the change is √(sb² + sf² - 2 r sb sf).

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> trials = pd.DataFrame(
    ...     {"study": ["A"], "n_treatment": [30], "mean_baseline_treatment": [62.0],
    ...      "sd_baseline_treatment": [10.0], "mean_treatment": [51.0], "sd_treatment": [12.0],
    ...      "n_control": [31], "mean_baseline_control": [61.0], "sd_baseline_control": [11.0],
    ...      "mean_control": [58.0], "sd_control": [12.0], "sd_change_control": [8.5]})
    >>> change = bm.change_from_baseline(trials, correlation=0.7)
    >>> change.mean_treatment.tolist(), change.sd_treatment.round(2).tolist()
    ([-11.0], [8.72])
    >>> change.how
    ('treatment: SD of the change from both SDs with a correlation of 0.7, given; control: SD of \
the change as printed',)
    """
    table = _read(frame, columns, exclude)
    r, source = _correlation(table, correlation)
    how: list[tuple[str, ...]] = []
    changes: dict[str, Array] = {}
    for arm in ARMS:
        _check_filled(table, arm)
        changes[f"mean{arm}"] = table.numbers[f"mean{arm}"] - table.numbers[f"mean_baseline{arm}"]
        sd, told = _sd_of_change(table, arm, r, source, unknown=correlation == "unknown")
        changes[f"sd{arm}"] = sd
        for when, name in (("before", "sd_baseline"), ("after", "sd")):
            left_open = np.where(np.isnan(sd), table.numbers[f"{name}{arm}"], np.nan)
            changes[f"sd_{when}{arm}"] = left_open
        how.append(told)
        _mark_arm(table, arm)
    factor, unit, converted = one_unit(table.texts["unit"])
    with table.problems.going_on():
        return ContinuousStudies(
            study=table.study,
            variant=table.variant,
            excluded=table.excluded,
            origin=table.origin,
            covariates=table.covariates,
            unit=unit,
            how=join_how(*how, converted),
            **{name: values * factor for name, values in changes.items()},
            **{f"n{arm}": table.numbers[f"n{arm}"] for arm in ARMS},
        )


def _mark_arm(table: Filled, arm: str) -> None:
    """Say nothing more of an arm's change where something is wrong with what it is made of."""
    read = [name for name in COLUMNS if name.endswith(arm)]
    made = [name for name in ContinuousStudies.columns() if name.endswith(arm)]
    table.problems.mark(table.problems.known(*read, "correlation"), *made)


def derived_correlations(
    frame: "pd.DataFrame",
    *,
    columns: Mapping[str, str] | None = None,
    exclude: "Mapping[Key, str] | None" = None,
) -> "pd.DataFrame":
    """Correlations of baseline and final values in the arms that print all three SDs.

    Parameters
    ----------
    frame, columns, exclude
        As for :func:`change_from_baseline`.

    Returns
    -------
    DataFrame
        study, arm, n, correlation, weight: the weight (n - 3, as a share) in the average that
        ``change_from_baseline(..., correlation="derived")`` takes by Fisher's z.

    Raises
    ------
    DataError
        If no arm prints all three, or an arm's three SDs cannot belong together.

    References
    ----------
    Higgins JPT, Li T, Deeks JJ, in Cochrane Handbook for Systematic Reviews of Interventions,
    version 6, section 6.5.2.8: r = (sb² + sf² - sc²)/(2 sb sf).

    Examples
    --------
    >>> import bayesmeta as bm, pandas as pd
    >>> trials = pd.DataFrame(
    ...     {"study": ["A"], "n_control": [31], "sd_baseline_control": [11.0],
    ...      "sd_control": [12.0], "sd_change_control": [8.5]})
    >>> bm.derived_correlations(trials).round(3)
      study      arm     n  correlation  weight
    0     A  control  31.0         0.73     1.0
    """
    import pandas as pd

    table = _read(frame, columns, exclude)
    names = ("study", "arm", "n", "correlation", "weight")
    return pd.DataFrame(_derived(table), columns=list(names))


def _read(
    frame: "pd.DataFrame",
    columns: Mapping[str, str] | None,
    exclude: "Mapping[Key, str] | None",
) -> Filled:
    table = read_filled(frame, COLUMNS, ("unit",), columns=columns, exclude=exclude)
    for name, values in table.numbers.items():
        is_sd = name.startswith("sd")
        wrong = is_sd & (values <= 0) | (name == "correlation") & (np.abs(values) > 1)
        right = "positive" if is_sd else "between -1 and 1"
        table.problems.refuse(wrong, f"{name} must be {right}; check {{rows}}, or {{out}}.", name)
    return table


def _check_filled(table: Filled, arm: str) -> None:
    names = (f"mean{arm}", f"mean_baseline{arm}", f"n{arm}")
    table.problems.refuse(
        ~table.has(names),
        f"mean{arm}, mean_baseline{arm} and n{arm} are needed for a change from baseline; fill "
        "them for {rows}, or {out}.",
        *names,
    )


def _sd_of_change(
    table: Filled, arm: str, r: Array, source: tuple[str, ...], *, unknown: bool
) -> tuple[Array, tuple[str, ...]]:
    printed = table.numbers[f"sd_change{arm}"]
    before, after = table.numbers[f"sd_baseline{arm}"], table.numbers[f"sd{arm}"]
    own = np.isfinite(printed)
    lacking = ~own & ~table.has([f"sd{arm}", f"sd_baseline{arm}"])
    sds = (f"sd_change{arm}", f"sd{arm}", f"sd_baseline{arm}")
    table.problems.refuse(
        lacking,
        f"The {arm[1:]} arm of {{rows}} has no SD of the change; give sd_change{arm}, or "
        f"sd_baseline{arm} and sd{arm} with a correlation, or {{out}}.",
        *sds,
    )
    open_ = ~own & ~np.isfinite(r)
    if not unknown:
        table.problems.refuse(
            open_,
            "correlation is needed for {rows}, whose SD of the change is not printed; give a "
            f"number, {way('correlation', '0.5')} say, a column 'correlation', 'derived' or "
            "'unknown'.",
            "correlation",
            *sds,
        )
    made = np.sqrt(np.maximum(before**2 + after**2 - 2 * r * before * after, 0.0))
    told = tuple(
        f"{arm[1:]}: SD of the change "
        + (
            "as printed"
            if own[i]
            else "unknown, from both SDs"
            if open_[i]
            else f"from both SDs with a correlation of {source[i]}"
        )
        for i in range(table.k)
    )
    return np.where(own, printed, made), told


def _correlation(
    table: Filled, correlation: float | Literal["derived", "unknown"] | None
) -> tuple[Array, tuple[str, ...]]:
    """The correlation of each row, and where it comes from."""
    own = table.numbers["correlation"]
    if correlation is None or correlation == "unknown":
        value, source = np.nan, ""
    elif correlation == "derived":
        arms = _derived(table)
        value = float(np.tanh(sum(weight * np.arctanh(r) for _, _, _, r, weight in arms)))
        named = ", ".join(f"{study} {arm}" for study, arm, *_ in arms)
        source = f"{value:.3g}, averaged over the arms that print all three SDs: {named}"
    elif isinstance(correlation, int | float) and -1 <= correlation <= 1:
        value, source = float(correlation), f"{correlation:g}, given"
    else:
        raise DataError(
            "correlation is a number between -1 and 1, 'derived' or 'unknown'; got "
            f"{shown(correlation)}."
        )
    told = tuple(f"{one:g}, of the table" if np.isfinite(one) else source for one in own)
    return np.where(np.isfinite(own), own, value), told


def _derived(table: Filled) -> list[tuple[str, str, float, float, float]]:
    """Study, arm, n, correlation and weight of the arms that print all three SDs."""
    table.problems.raise_any()
    found = []
    for arm in ARMS:
        n = table.numbers[f"n{arm}"]
        before, after, change = (
            table.numbers[f"{name}{arm}"] for name in ("sd_baseline", "sd", "sd_change")
        )
        with np.errstate(all="ignore"):  # of SDs whose square is zero
            r = (before**2 + after**2 - change**2) / (2 * before * after)
        impossible = np.abs(r) >= 1
        if impossible.any():
            i = int(np.flatnonzero(impossible)[0])
            raise DataError(
                f"The SDs of the {arm[1:]} arm of {name_rows(table.study, impossible)} cannot "
                f"belong together: they give a correlation of {r[i]:.4g}. Check sd_baseline{arm}, "
                f"sd{arm} and sd_change{arm}, which may be a standard error, or leave the last out."
            )
        rows = np.flatnonzero(np.isfinite(r) & (n > 3))
        found += [(i, table.study[i], arm[1:], float(n[i]), float(r[i])) for i in rows]
    if not found:
        raise DataError(
            "No arm of more than 3 patients prints its SDs at baseline, at the end and of the "
            "change, from which a correlation could be derived; give it as a number: "
            f"{way('correlation', '0.5')}."
        )
    total = sum(n - 3 for *_, n, _ in found)
    in_order = sorted(found, key=lambda one: one[0])
    return [(study, arm, n, r, (n - 3) / total) for _, study, arm, n, r in in_order]
