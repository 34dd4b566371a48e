"""The scenario table: what every decision made otherwise would say."""

from functools import partial

from ...evidence import TippingPoints
from ...variations import Scenarios
from .. import OutcomeResult, Results
from ..display import natural, number, percent
from ..moderated import digits_of_three
from ._answers import level
from ._columns import column, label, words
from ._columns import natural as with_interval
from ._section import LABEL, Cell, Column, Section, Values

TURNS = (
    "One thing at a time is changed until that is otherwise; on either side of each turning point "
    "stands a fit of its own."
)
COUNTED = (
    "Of all arms and trials the one with the fewest events is told; that supposes that more of the "
    "same change moves the interval the same way."
)
ONE = (
    "One event is counted more, or one fewer, in one arm of one trial, all else as it was. Read "
    "off the nodes of the fit, to a hundredth of a percent."
)
NOT_ONE = (
    "One event more or fewer in each trial is not told: nodes of this fit do not say it closely."
)
ENDS = ("difference", "difference_lower", "difference_upper")


def what_if(outcome: OutcomeResult, _run: Results) -> Section | None:
    """One row per decision made otherwise, and whether the conclusion stands."""
    found = outcome.what_if
    return None if found is None else of_scenarios(found)


def tipping(outcome: OutcomeResult, run: Results) -> Section | None:
    """What would turn the conclusion."""
    table, found = outcome.tables.get("tipping"), outcome.evidence.tipping
    if table is None or found is None:
        return None
    return Section(
        name="tipping",
        title="What would turn the conclusion",
        table=table,
        columns=(label("changed"), words("says", "where it turns")),
        lead=f"As it stands: {found.conclusion}, by the {level(run)} interval of μ. {TURNS}",
        note=_counted(found) if any("events" in one for one in table.index) else "",
    )


def _counted(found: TippingPoints) -> str:
    return COUNTED if found.one_event else f"{COUNTED} {NOT_ONE}"


def one_event(outcome: OutcomeResult, run: Results) -> Section | None:
    """What one event more or fewer, in any arm, makes of the probability of benefit."""
    table = outcome.tables.get("one-event")
    if table is None:
        return None
    lower = outcome.better == "lower"
    arms = dict(zip(("treatment", "control"), run.arms, strict=True))
    counted = (
        column(
            way, f"P(benefit), one {way}", partial(_if_counted, way=way, lower=lower), right=True
        )
        for way in ("more", "fewer")
    )
    return Section(
        name="one-event",
        title="What if one event more, or one fewer, had been counted",
        table=table,
        columns=(
            label("trial"),
            column("arm", "arm", lambda row: arms[row["arm"]]),
            column("events", "events", lambda row: f"{row['events']}", right=True),
            *counted,
        ),
        note=ONE,
    )


def _if_counted(row: Values, *, way: str, lower: bool) -> str:
    if row[f"{way}_stands"] is None:
        return "–"
    turned = "" if row[f"{way}_stands"] else ": turns the conclusion"
    return percent(row[way] if lower else 1 - row[way]) + turned


def of_scenarios(found: Scenarios) -> Section:
    """The scenario table as people read it."""
    table = found.table()
    within = f" ({found.unit})" if found.unit else ""
    effect = within if found.measure.name == "MD" else ""
    columns = [
        Column("change", "change", lambda row: Cell(row[LABEL], below=_below(row))),
        column("k", "k", lambda row: f"{int(row['k'])}", right=True),
        with_interval(f"estimate{effect}", found.measure, right=True)
        if not found.of
        else column("estimate", found.called, lambda row: _coefficient(row), right=True),
    ]
    if "new_lower" in table:
        new = partial(_new, found=found)
        columns.append(column("new_lower", f"in a new setting{effect}", new, right=True))
    if "prob_benefit" in table:
        columns.append(
            column(
                "prob_benefit", "P(benefit)", lambda row: percent(row["prob_benefit"]), right=True
            )
        )
    if "difference" in table:
        per = f" per {found.per:,.10g}" if found.per != 1 else within
        shown = partial(_difference, decimals=0 if found.per != 1 else 2)
        columns.append(column("difference", f"difference{per}", shown, right=True))
    if "stands" in table:
        columns.append(column("stands", "stands", _stands))
    said = [f"Rule: {found.rule}."] if "stands" in table else []
    said += [f"Differences are at {found.baseline}."] if "difference" in table else []
    said += [f"Not made: {one.name}, for {one.why}." for one in found.not_made]
    return Section(
        name="what-if",
        title="What if: one decision made otherwise",
        table=table.assign(kind=None),
        columns=tuple(columns),
        lead=found.in_words,
        note=" ".join(said),
        marked=True,
    )


def _below(row: Values) -> tuple[str, ...]:
    about = [row["change"]] if row["change"] != row[LABEL] else []
    note = row.get("note")
    return ("; ".join([*about, note] if isinstance(note, str) and note else about),)


def _new(row: Values, found: Scenarios) -> str:
    low, high = (float(row[f"new_{end}_natural"]) for end in ("lower", "upper"))
    return f"{natural(low, found.measure)} to {natural(high, found.measure)}"


def _coefficient(row: Values) -> str:
    middle, lower, upper = (float(row[f"{one}_natural"]) for one in ("estimate", "lower", "upper"))
    return digits_of_three(middle, lower, upper)


def _benefit(row: Values) -> str:
    return percent(row["prob_benefit"])


def _difference(row: Values, *, decimals: int) -> str:
    middle, low, high = (number(float(row[name]), decimals) for name in ENDS)
    return f"{middle} [{low}, {high}]"


def _stands(row: Values) -> str:
    if not row["sound"]:
        return "not sound"
    return {True: "yes", False: "no"}.get(row["stands"], "")
