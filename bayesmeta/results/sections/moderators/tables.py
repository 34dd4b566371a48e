"""What a fit says of covariates, table by table."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ....effects import MEASURES, Measure
from ....moderators import Moderators
from ... import OutcomeResult, Results
from ...display import NOTHING, number, percent
from ...moderated import (
    COEFFICIENTS,
    DIFFERENCES,
    EVERY,
    GROUPS,
    PERMUTED,
    PLACES,
    REGRESSION,
    SPREAD,
    TESTS,
    digits,
    digits_of_ratio,
    digits_of_three,
    moderator_tables,
)
from .._columns import column, label, natural_text, words
from .._section import Column, Section, Values

if TYPE_CHECKING:
    import pandas as pd

type Make = Callable[[Moderators, "pd.DataFrame", str], Section]

POSITIVE = "P(> 0)"
CONTRASTS = (
    " Coefficients called contrast compare no two levels: read the groups and their differences."
)
GROUP_NOTE = (
    "Other covariates at their mean. The last row is one model of all studies without covariates, "
    "no pool of the groups. Whether groups differ is asked of the difference, not of which group "
    "excludes no effect."
)
PLACE_NOTE = "Covariates that a place does not name stay at their mean."
SPREAD_NOTE = (
    "What covariates explain of the spread is the distance between the two posteriors; the prior "
    "of tau is the same."
)
TEST_NOTE = (
    "The two tests between groups differ: one takes the tau² of each group by itself, the other "
    "one tau² for all."
)
PERMUTED_NOTE = (
    "How often covariates dealt out to the studies at random give as large a statistic: p of all "
    "and of each."
)


def of_moderators(found: Moderators, *, prob: float) -> Iterator[Section]:
    """Every table of the covariates of a fit, as a section."""
    for name, table in moderator_tables(found, prob=prob).items():
        yield _MADE[name](found, table, f"{100 * prob:g}%")


def moderated(name: str) -> Callable[[OutcomeResult, Results], Section | None]:
    """The section of one of these tables of an outcome."""

    def make(outcome: OutcomeResult, run: Results) -> Section | None:
        table = outcome.tables.get(name)
        found = None if outcome.main is None else outcome.main.moderators
        if table is None or found is None:
            return None
        return _MADE[name](found, table, f"{100 * run.prob:g}%")

    return make


def asked(outcome: OutcomeResult, run: Results) -> Section | None:
    """What is asked first, in each scenario."""
    table = outcome.tables.get("scenarios-asked")
    if table is None:
        return None
    columns = (
        label("scenario"),
        _k(),
        words("of", "of"),
        _analysed(f"[{100 * run.prob:g}%], analysis scale"),
        _positive(),
    )
    title = "Which studies: scenarios"
    return Section(name="scenarios-asked", title=title, table=table, columns=columns)


def _coefficients(found: Moderators, table: "pd.DataFrame", level: str) -> Section:
    contrasts = any("[contrast " in str(name) for name in table.index)
    columns = (
        label("coefficient"),
        column("per", "per", lambda row: row["per"]),
        _analysed(f"{_scale(found)} [{level}]"),
        *_ratio(found, f"{found.measure.called}, or ratio of {found.measure.called}s [{level}]"),
        column("mean", "mean", lambda row: digits(row["mean"]), right=True),
        _positive(),
    )
    note = (
        "Medians with central intervals; slopes are per unit of the column as it stands in the "
        f"table.{CONTRASTS if contrasts else ''}"
    )
    return Section(name=COEFFICIENTS, title="Coefficients", table=table, columns=columns, note=note)


def _groups(found: Moderators, table: "pd.DataFrame", level: str) -> Section:
    return Section(
        name=GROUPS,
        title="Groups",
        table=table,
        columns=(
            label("group"),
            _k(),
            *_effect(found, level),
            words("prior", f"prior, {_scale(found)}"),
        ),
        note=GROUP_NOTE,
    )


def _differences(found: Moderators, table: "pd.DataFrame", level: str) -> Section:
    columns = (
        label("difference"),
        _analysed(f"{_scale(found)} [{level}]"),
        *_ratio(found, f"ratio of {found.measure.called}s [{level}]"),
        _positive("P(difference > 0)"),
        words("prior", "prior that follows"),
    )
    title = "Differences between groups"
    return Section(name=DIFFERENCES, title=title, table=table, columns=columns)


def _places(found: Moderators, table: "pd.DataFrame", level: str) -> Section:
    columns = (label("at"), *_effect(found, level))
    title = "The effect expected at"
    return Section(name=PLACES, title=title, table=table, columns=columns, note=PLACE_NOTE)


def _spread(found: Moderators, table: "pd.DataFrame", level: str) -> Section:
    title = "Heterogeneity that the covariates explain"
    columns = (label("tau"), _analysed(f"{_scale(found)} [{level}]"), _mean())
    return Section(name=SPREAD, title=title, table=table, columns=columns, note=SPREAD_NOTE)


def _regression(found: Moderators, table: "pd.DataFrame", level: str) -> Section:
    fit = found.frequentist.regression
    assert fit is not None
    columns = (
        label("coefficient"),
        _analysed(f"{_scale_of(MEASURES[fit.measure])} [{level}]"),
        column("se", "SE", lambda row: digits(row["se"]), right=True),
        column("t", "t", lambda row: f"{number(row['statistic'])} on {row['df']:g} df", right=True),
        column("p", "p", lambda row: number(row["p"], 3), right=True),
    )
    r2 = "" if fit.r2 is None else f", R² {number(fit.r2, 1)}%"
    tau2 = number(fit.tau2, 3) if fit.tau2 is not None else NOTHING
    ends = fit.tau2_interval or (np.nan, np.nan)
    note = (
        f"{fit.k} estimates in two stages; τ² {tau2} [{number(ends[0], 3)}, {number(ends[1], 3)}] "
        f"by Q-profile{r2}. {' '.join(found.frequentist.notes)}"
    ).strip()
    title = "Frequentist regression beside it (REML, Knapp–Hartung)"
    return Section(name=REGRESSION, title=title, table=table, columns=columns, note=note)


def _tests(found: Moderators, table: "pd.DataFrame", level: str) -> Section:
    note = TEST_NOTE if found.frequentist.subgroups is not None else ""
    columns = (
        label("test"),
        column("statistic", "statistic", _statistic),
        column("p", "p", lambda row: number(row["p"], 3), right=True),
    )
    return Section(name=TESTS, title="Frequentist tests", table=table, columns=columns, note=note)


def _permuted(found: Moderators, table: "pd.DataFrame", level: str) -> Section:
    test = found.frequentist.permutation
    assert test is not None
    how = "all there are" if test.exact else "drawn"
    note = f"{PERMUTED_NOTE} {test.arrangements:,} arrangements, {how}."
    columns = (label("test"), column("p", "p", lambda row: number(row["p"], 3), right=True))
    title = "Permutation test of the regression"
    return Section(name=PERMUTED, title=title, table=table, columns=columns, note=note)


_MADE: Mapping[str, Make] = dict(
    zip(
        EVERY,
        (
            _coefficients,
            _groups,
            _differences,
            _places,
            _spread,
            _regression,
            _tests,
            _permuted,
        ),
        strict=True,
    )
)


def _scale(found: Moderators) -> str:
    """What a value on the analysis scale is called."""
    return _scale_of(found.measure)


def _scale_of(measure: Measure) -> str:
    return measure.words if measure.name == "GEN" else measure.analysis_called


def _analysed(head: str) -> Column:
    def text(row: Values) -> str:
        return digits_of_three(row["estimate"], row["lower"], row["upper"])

    return column("estimate", head, text, right=True)


def _ratio(found: Moderators, head: str) -> tuple[Column, ...]:
    """What a slope or difference of logs multiplies the effect by."""
    if found.of_differences.link != "log":
        return ()

    def text(row: Values) -> str:
        ends = (digits_of_ratio(row[f"ratio{end}"]) for end in ("", "_lower", "_upper"))
        return "{} [{}, {}]".format(*ends)

    return (column("ratio", head, text, right=True),)


def _effect(found: Moderators, level: str) -> tuple[Column, ...]:
    measure = found.measure

    def new(row: Values) -> str:
        if not np.isfinite(row["new_lower"]):
            return NOTHING
        return f"{digits(row['new_lower_natural'])} to {digits(row['new_upper_natural'])}"

    head = measure.words if measure.name == "GEN" else measure.called
    return (
        column(
            "estimate_natural",
            f"{head} [{level}]",
            lambda row: natural_text(row, measure),
            right=True,
        ),
        column("new", "in a new study", new, right=True),
        *((_positive(f"P(> {measure.natural(0.0):g})"),) if measure.comparative else ()),
    )


def _positive(head: str = POSITIVE) -> Column:
    return column("prob_positive", head, lambda row: percent(row["prob_positive"]), right=True)


def _k() -> Column:
    return column("k", "k", lambda row: f"{int(row['k'])}", right=True)


def _mean() -> Column:
    return column("mean", "mean", lambda row: digits(row["mean"]), right=True)


def _statistic(row: Values) -> str:
    if np.isinf(row["df_residual"]):
        return f"chi² {number(row['statistic'])} on {row['df']:g} df"
    return f"F {number(row['statistic'])} on {row['df']:g} and {row['df_residual']:g} df"
