"""The first screen: the answer of every outcome, and of every figure analysed alone."""

import math
from collections.abc import Iterator

from ...moderators import Moderators
from ...posterior import Posterior
from ...summaries import scale_of
from .. import OutcomeResult, PublishedResult, Results
from ..display import NOTHING, natural, natural_interval, percent, printed
from ..moderated import asked_in_words, digits_of_three
from ..tables import Kind
from ._columns import column
from ._section import Cell, Column, Section, Values


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
        if outcome.main.moderators is not None:
            yield {**place, **_asked(outcome.main.moderators, prob), **_printed(beside)}
            return
        comparison = outcome.tables["comparison"].iloc[0]
        benefit = float(comparison["prob_benefit"]) if outcome.compares else math.nan
        yield {**place, **_answer(outcome.main.answer, benefit, prob), **_printed(beside)}
        return
    for one in outcome.published:
        found = _answer(one.posterior, one.prob_benefit, prob) if one.posterior else _no_answer()
        yield {**place, **found, **_printed(one), "alone": _alone(one)}


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
