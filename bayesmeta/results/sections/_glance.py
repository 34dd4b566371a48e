"""The first screen: the answer of every outcome, and of every figure analysed alone."""

import math
from collections.abc import Iterator, Sequence

from ...decision import AVERAGE
from ...moderators import Moderators
from ...posterior import Posterior
from ...summaries import scale_of
from .. import OutcomeResult, PublishedResult, Results
from ..display import NOTHING, interval, natural, natural_interval, number, percent, printed
from ..moderated import asked_in_words, digits_of_three
from ..tables import Kind
from ._columns import column
from ._people import unit_of
from ._section import Cell, Column, Section, Values

POOLED, SINGLE, ALONE = "pooled", "single", "alone"
GROUPS = {  # of the rows of a report, by what a row rests on
    POOLED: "Answers at a glance",
    SINGLE: "One trial each: what is said beyond it comes from the priors",
    ALONE: "Published figures, each analysed alone: their patients are not known here",
}


def glance(run: Results) -> Section:
    """The answer of every outcome, or of every figure analysed alone."""
    import pandas as pd

    rows = [row for outcome in run.outcomes for row in _rows(outcome, run.prob)]
    level = f"{100 * run.prob:g}%"
    about = " Benefit means the direction stated with each outcome." if run.compares else ""
    columns = (
        Column("title", "outcome", _of_outcome),
        _figure("size", "trials / participants", short="k/n"),
        _figure("estimate", f"answer [{level} interval]", short="answer"),
        _figure("new", "in a new setting", short="new setting"),
        *((_benefit(),) if run.compares else ()),
        Column("printed", "published", _beside),
    )
    return Section(
        name="glance",
        title="Answers at a glance",
        table=pd.DataFrame(rows),
        columns=columns,
        note=f"Answers are posterior medians with central {level} credible intervals.{about}",
        marked=True,
    )


def front(run: Results) -> Sequence[Section]:
    """The first screen of the report: outcomes, apart from those of one trial and figures alone."""
    import pandas as pd

    rows = [row for outcome in run.outcomes for row in _rows(outcome, run.prob)]
    columns = tuple(_of_front(run))
    return [
        Section(
            name=group,
            title=title,
            table=pd.DataFrame([row for row in rows if row["group"] == group]),
            columns=columns,
            marked=True,
        )
        for group, title in GROUPS.items()
        if any(row["group"] == group for row in rows)
    ]


def _of_front(run: Results) -> Iterator[Column]:
    yield Column("title", "outcome", _of_outcome)
    yield _figure("size", "trials / participants", short="k/n")
    yield Column("estimate", f"answer [{100 * run.prob:g}% interval]", _estimate, right=True)
    if run.compares:
        yield Column("benefit", "probability of benefit", _chances, right=True)
    if any(outcome.absolute is not None for outcome in run.outcomes):
        yield Column("people", "what it means for people", _people, right=True)
    if any(outcome.what_if is not None for outcome in run.outcomes):
        yield Column("stands", "stands in scenarios", _stands, right=True)
    yield Column("printed", "published", _beside)
    yield Column("trust", "trust", _trust)


def _estimate(row: Values) -> Cell:
    new = row["new"]
    return Cell(row["estimate"], below=() if new == NOTHING else (f"in a new setting {new}",))


def _chances(row: Values) -> Cell:
    beyond = (row["beyond"],) if row["beyond"] else ()
    return Cell(percent(row["prob_benefit"]), below=beyond)


def _people(row: Values) -> Cell:
    return Cell(row["people"], below=(row["at"],) if row["at"] else ())


def _stands(row: Values) -> Cell:
    stands = row["stands"]
    return Cell(stands, link=f"{row['place']}-what-if" if stands != NOTHING else "")


def _trust(row: Values) -> Cell:
    return Cell(row["trust"], below=(row["cautions"],) if row["cautions"] else ())


def _figure(key: str, head: str, *, short: str) -> Column:
    return column(key, head, lambda row: row[key], short=short, right=True)


def _benefit() -> Column:
    head, short = "probability of benefit", "benefit"
    return column(
        "benefit", head, lambda row: percent(row["prob_benefit"]), short=short, right=True
    )


def _beside(row: Values) -> Cell:
    """The published figure, whose measure stands with the answer."""
    text = row["printed"].removeprefix(f"{row['estimate'].partition(' ')[0]} ")
    return Cell(text, aside=row["source"])


def _of_outcome(row: Values) -> Cell:
    return Cell(row["title"], below=(row["alone"],) if row["alone"] else (), link=row["place"])


def _rows(outcome: OutcomeResult, prob: float) -> Iterator[Values]:
    """The main answer with the first published figure; or each published figure, alone or not."""
    place = {"title": outcome.title, "place": f"#{outcome.name}"}
    if outcome.main is not None:
        beside = outcome.published[0] if outcome.published else None
        group = SINGLE if outcome.main.data.k == 1 else POOLED
        about = {**place, "group": group, **_printed(beside), **_told(outcome)}
        if outcome.main.moderators is not None:
            yield {**_asked(outcome.main.moderators, prob), **about}
            return
        comparison = outcome.tables["comparison"].iloc[0]
        benefit = float(comparison["prob_benefit"]) if outcome.compares else math.nan
        yield {**_answer(outcome.main.answer, benefit, prob), **about}
        return
    for one in outcome.published:
        found = _answer(one.posterior, one.prob_benefit, prob) if one.posterior else _no_answer()
        own = {"alone": _alone(one), "size": _size_of(one)}
        about = {**place, "group": ALONE, **_printed(one), **_told(outcome), **own}
        yield {**found, **about, **({} if one.posterior else {"trust": NOTHING})}


def _size_of(one: PublishedResult) -> str:
    """Trials and participants behind a published figure, as far as they are printed."""
    k, n = one.published.k, one.published.n
    return "/".join(f"{count:,}" if count else "?" for count in (k, n)) if k or n else NOTHING


def _told(outcome: OutcomeResult) -> Values:
    """What it means for people, in how many scenarios it stands, and how far to trust it."""
    cautions = len(outcome.cautions)
    stands = "" if outcome.what_if is None else outcome.what_if.in_short
    return {
        **_of_people(outcome),
        "stands": stands.removeprefix("stands in ") or NOTHING,
        "trust": "NOT SOUND" if outcome.failures else "gates passed",
        "cautions": f"{cautions} caution{'s' * (cautions > 1)}" if cautions else "",
    }


def _of_people(outcome: OutcomeResult) -> Values:
    """The difference of the average effect at the middle baseline, and a benefit that matters."""
    found = outcome.absolute
    if found is None:
        return {"people": NOTHING, "at": "", "beyond": ""}
    row = next(
        one for one in found.stated if one.effect == AVERAGE and one.baseline is found.middle
    )
    unit = unit_of(found)
    beyond = ""
    if found.threshold is not None:
        least = f"{found.threshold:g} {unit}".strip()
        beyond = f"at least {least}: {percent(row.prob_important)}"
    text = interval(*row.difference, decimals=2 if row.baseline.kind == "mean" else 0)
    without = number(row.control[0], 2 if row.baseline.kind == "mean" else 0)
    return {"people": f"{text} {unit}".strip(), "at": f"without: {without}", "beyond": beyond}


def _alone(one: PublishedResult) -> str:
    return f"{one.label}, alone" if one.posterior is not None else one.label


def _answer(posterior: Posterior, benefit: float, prob: float) -> Values:
    measure = scale_of(posterior)
    mu, account = posterior.at(), posterior.account
    middle, low, high = measure.natural([mu.quantile(0.5), *mu.interval(prob)]).tolist()
    name = measure.name if measure.comparative else ""
    new = NOTHING
    if posterior.model.between.new is not None:
        ends = measure.natural(posterior.at(new=True).interval(prob)).tolist()
        new = " to ".join(natural(end, measure) for end in ends)
    n = "" if account.participants is None else f"/{account.participants:,.10g}"
    return {
        "alone": "",
        "size": f"{account.k}{n}",
        "estimate": f"{name} {natural_interval((middle, low, high), measure)}".strip(),
        "new": new,
        "prob_benefit": benefit,
        "kind": Kind.POSTERIOR,
        "sound": posterior.diagnostics.passed,
    }


def _asked(found: Moderators, prob: float) -> Values:
    """The first slope or difference, which is no benefit."""
    one, account = found.asked, found.posterior.account
    n = "" if account.participants is None else f"/{account.participants:,.10g}"
    return {
        **_no_answer(),
        "alone": asked_in_words(found),
        "size": f"{account.k}{n}",
        "estimate": digits_of_three(*one.ends(prob)),
        "kind": Kind.POSTERIOR,
        "sound": found.posterior.diagnostics.passed,
    }


def _no_answer() -> Values:
    return {
        "alone": "",
        "size": NOTHING,
        "estimate": NOTHING,
        "new": NOTHING,
        "prob_benefit": math.nan,
        "kind": Kind.PUBLISHED,
        "sound": True,
    }


def _printed(one: PublishedResult | None) -> Values:
    if one is None:
        return {"printed": "", "source": ""}
    return {"printed": printed(one.published), "source": f"({one.label})"}
