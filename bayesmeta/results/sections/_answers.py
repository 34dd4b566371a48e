"""Answers side by side: ours, those of other methods and those published."""

import math
from collections.abc import Mapping

from ...decision import AbsoluteEffect, AbsoluteEffects
from ...effects import MEASURES, Measure
from ...studies import Published
from .. import OutcomeResult, PublishedResult, Results
from ..display import NOTHING, interval, number, percent, printed
from ..keys import numbered
from ..labels import label_of_line
from ..tables import Answer, Kind, answers, comparators
from ._columns import column, label, natural, natural_text, share
from ._people import beside_in_words, unit_of
from ._section import LABEL, Cell, Column, Section, Values

GAP = (
    "Gap: (ours − published) / published SE on the analysis scale. It describes, it does not test: "
    "the answers share data. The first line is the answer; scenario"
)
LEAST_HELD = 5e-4  # of the probability that a risk is held: less is not said
DRAWS = (
    " Joint draws (bayesmeta psa) hold no risk so: they follow an odds ratio of the same counts, "
    "or are refused where there are none, and differ from these figures."
)
BEFORE = "“New setting” adds the spread between studies."
ALONE = (
    "“Alone” takes the printed estimate and interval as the one datum of a common-effect model: a "
    "pooled interval is already averaged over studies. Agreement of pooled figures identifies no "
    "set of trials."
)


def level(run: Results) -> str:
    """The probability of the intervals, in words."""
    return f"{100 * run.prob:g}%"


def comparison(outcome: OutcomeResult, run: Results) -> Section | None:
    """Every answer of the main scenario, or the figures analysed alone."""
    if outcome.main is None:
        return _alone(outcome, run)
    about = f": {outcome.main.note}" if outcome.main.note else ""
    note = f"{GAP} “{outcome.main.name}”{about}."
    return _compared(outcome, run, 1, "Side by side", note)


def further(outcome: OutcomeResult, run: Results) -> Mapping[int, Section]:
    """Comparisons of further scenarios that have a published figure of their own, by number."""
    found = {
        index: _compared(outcome, run, index, f"Side by side: {one.name}")
        for index, one in enumerate(outcome.scenarios[1:], start=2)
    }
    return {index: section for index, section in found.items() if section is not None}


def _compared(
    outcome: OutcomeResult, run: Results, index: int, title: str, note: str = ""
) -> Section | None:
    name = numbered("comparison", index)
    table = outcome.tables.get(name)
    if table is None:
        return None
    of_rows = answers(outcome.scenarios[index - 1], outcome.published)
    shown = table.assign(
        kind=[one.kind for one in of_rows], printed=[_printed(one) for one in of_rows]
    )
    return Section(
        name=name,
        title=title,
        table=shown,
        columns=_side_by_side(outcome, run),
        note=note,
        marked=True,
    )


def _printed(one: Answer) -> str:
    return printed(one.fit) if isinstance(one.fit, Published) else NOTHING


def _alone(outcome: OutcomeResult, run: Results) -> Section | None:
    table = outcome.tables.get("published")
    if table is None:
        return None
    fits = [one.posterior for one in outcome.published]
    shown = table.assign(
        kind=[Kind.PUBLISHED if fit is None else Kind.POSTERIOR for fit in fits],
        sound=[fit is None or fit.diagnostics.passed for fit in fits],
    )
    return Section(
        name="comparison",
        title="Figures analysed alone",
        table=shown,
        columns=_side_by_side(outcome, run),
        marked=True,
    )


def _side_by_side(outcome: OutcomeResult, run: Results) -> tuple[Column, ...]:
    def estimate(row: Values) -> str:
        return _estimate(row, _measure_of(row, outcome))

    head = "estimate" if outcome.compares else outcome.scale.words
    return (
        label("analysis"),
        column("k", "k", _studies, right=True),
        column("estimate", f"{head} [{level(run)} interval]", estimate, short=head, right=True),
        *_benefit(outcome, "probability of benefit", short="P(benefit)"),
        column("gap", "gap", lambda row: number(row.get("gap", math.nan)), right=True),
    )


def _benefit(outcome: OutcomeResult, head: str, short: str = "") -> tuple[Column, ...]:
    """The probability of benefit, which single arms have not."""
    if not outcome.compares:
        return ()
    return (share("prob_benefit", head, short=short, right=True),)


def _measure_of(row: Values, outcome: OutcomeResult) -> Measure:
    """A figure alone has a measure of its own."""
    return MEASURES[row.get("measure") or outcome.measure]


def _studies(row: Values) -> str:
    k = row["k"]
    return f"{int(k)}" if k is not None and math.isfinite(k) else NOTHING


def _estimate(row: Values, measure: Measure) -> str:
    """The estimate with its interval, or what a figure that has none says."""
    if not math.isfinite(row["estimate_natural"]):
        return str(row["printed"])
    return natural_text(row, measure)


def scenarios(outcome: OutcomeResult, _run: Results) -> Section | None:
    """The answer and two comparators for each selection of studies."""
    table = outcome.tables.get("scenarios")
    if table is None:
        return None
    columns = (
        Column("scenario", "scenario", lambda row: Cell(row[LABEL], below=(row["note"],))),
        column("k", "k", lambda row: f"{int(row['k'])}", right=True),
        natural("posterior", outcome.scale, right=True),
        *_benefit(outcome, "P(benefit)"),
        *(
            natural(label_of_line(line), outcome.scale, prefix=prefix, right=True)
            for prefix, line in comparators(outcome).items()
        ),
    )
    return Section(
        name="scenarios",
        title="Which studies: scenarios",
        table=table.assign(note=[one.note for one in outcome.scenarios]),
        columns=columns,
        marked=True,
    )


def absolute(outcome: OutcomeResult, run: Results) -> Section | None:
    """What happens to so many patients, or to a mean, with and without the treatment."""
    found = outcome.absolute
    if found is None:
        return None
    what = outcome.event if found.rows[0].baseline.kind != "mean" else outcome.title
    return of_people(found, what=what, arms=run.arms, origin=outcome.control_risk_origin)


def of_people(
    found: AbsoluteEffects,
    *,
    what: str = "",
    arms: tuple[str, str] = ("treatment", "control"),
    origin: str = "",
) -> Section:
    """Absolute effects as people read them.

    Parameters
    ----------
    found : AbsoluteEffects
    what : str
        What is counted or measured.
    arms : tuple of str
        What the treatment and the control are called.
    origin : str
        Where the baseline comes from.
    """
    treatment, control = arms
    kind = found.rows[0].baseline.kind
    known = all(row.baseline.law is None for row in found.rows)
    decimals = 2 if kind == "mean" else 0
    columns = [
        label(f"{what} {unit_of(found)}".strip()),
        column("control", control, lambda row: number(row["control"], decimals), right=True)
        if known
        else _events("control", control, "", decimals),
        _events("treatment", treatment, "", decimals),
        _events("difference", "difference", "", decimals),
        share("prob_benefit", "probability of benefit", short="P(benefit)", right=True),
    ]
    if found.beside is not None:
        columns.insert(4, _events("beside_difference", *_heads_of(found.beside), decimals))
    if found.threshold is not None:
        head = f"of at least {found.threshold:g}"
        columns.append(share("prob_important", head, short=f"≥ {found.threshold:g}", right=True))
    if kind == "risk":
        columns.append(column("nnt", "number needed", lambda row: str(row["nnt"])))
    return Section(
        name="absolute",
        title=f"Per {found.per:,g} patients" if kind == "risk" else "With and without",
        table=found.table(),
        columns=tuple(columns),
        note=_said_of(found, origin),
    )


def _said_of(found: AbsoluteEffects, origin: str) -> str:
    """What the baseline is, what carrying the effect to it assumes, and what was held."""
    base = found.rows[0].baseline
    where = f" ({origin})" if origin else ""
    if (
        base.kind == "risk"
        and base.law is None
        and len({row.baseline.fixed for row in found.rows}) == 1
    ):
        first = f"At a control risk of {percent(found.control_risk)}{where}, taken as known."
    else:
        said = dict.fromkeys(row.baseline.said for row in found.rows)
        first = f"Without the treatment{where}: {'; '.join(said)}."
    over = f" Over {found.time}." if found.time else ""
    held = [_held(row, "") for row in found.rows]
    held += [DRAWS] if any(held) else []
    if found.beside is not None:
        constant = f", were the {MEASURES[found.beside.measure].words} constant"
        held += [_held(row, constant) for row in found.beside.rows]
    own = f" {found.together}" if found.together else ""
    first = f"{first}{own}{over} Assumed: {found.assumed}. {BEFORE}{''.join(held)}"
    return " ".join(filter(None, (first, beside_in_words(found))))


def _held(row: AbsoluteEffect, constant: str) -> str:
    """In what share of its distribution a risk cannot be where the effect would put it."""
    if not row.prob_capped > LEAST_HELD:
        return ""
    return (
        f" With the {row.quantity}{constant}: risk held within 0 to 1 in "
        f"{percent(row.prob_capped)} of its distribution, where the effect would put it outside."
    )


def _heads_of(beside: AbsoluteEffects) -> tuple[str, str]:
    """What the difference under the other ratio is called, at length and in short."""
    return f"difference, were the {MEASURES[beside.measure].words} constant", f"by {beside.measure}"


def _events(key: str, head: str, short: str, decimals: int) -> Column:
    ends = (key, f"{key}_lower", f"{key}_upper")
    return column(
        key,
        head,
        lambda row: interval(*(row[one] for one in ends), decimals=decimals),
        short=short,
        right=True,
    )


def published(outcome: OutcomeResult, run: Results) -> Section | None:
    """Published figures as printed, and where analysed alone, what they say."""
    table = outcome.tables.get("published")
    if table is None:
        return None
    shown = table.assign(
        extra=[_extra(one) for one in outcome.published],
        note=[one.note for one in outcome.published],
        why=[one.why for one in outcome.published],
    )
    columns = (
        Column("source", "source", lambda row: Cell(row[LABEL], below=(row["citation"],))),
        Column(
            "printed", "as printed", lambda row: _with(row, "printed", "extra", "note", "reverse")
        ),
        column(
            "estimate",
            f"alone [{level(run)}]",
            lambda row: natural_text(row, _measure_of(row, outcome)),
            right=True,
        ),
        *_benefit(outcome, "P(benefit)"),
        Column("prior", "prior of mu", lambda row: _with(row, "prior", "why")),
    )
    return Section(
        name="published", title="Published figures", table=shown, columns=columns, note=ALONE
    )


def _with(row: Values, key: str, *below: str) -> Cell:
    return Cell(row[key], below=tuple(row[one] for one in below if row[one]))


def _extra(one: PublishedResult) -> str:
    printed = one.published
    said = (
        f"p {printed.p}" if printed.p else "",
        f"heterogeneity p {printed.p_heterogeneity}" if printed.p_heterogeneity else "",
        f"I² {printed.i2}%" if printed.i2 else "",
        f"k = {printed.k}" if printed.k else "",
        f"n = {printed.n}" if printed.n else "",
    )
    return ", ".join(filter(None, said))
