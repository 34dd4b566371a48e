"""What sentences say, held to the rows they are about."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..effects import MEASURES
from ..moderators import Moderators
from ..posterior import Pair
from ..results import OutcomeResult
from ..results.display import (
    headline,
    natural,
    natural_three,
    percent,
    published_figures,
)
from ..results.keys import numbered
from ..results.moderated import digits
from ..results.tables import compared
from ..studies import Published
from .answers import ENDS, FORTH, same

if TYPE_CHECKING:
    import pandas as pd

ANSWER = (
    r"Given this model and these priors, the {words} lies between (\S+) and (\S+) with \S+% "
    r"probability \(median (\S+)\){against}\.(?:\s|$)"
)
AGAINST_NONE = (
    r", an interval that (includes|excludes) no effect; the probability of benefit is (.+?)"
)
NEW_SETTING = re.compile(r"In a new setting like these it lies between (\S+) and (\S+)\.$")
FIRST_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
RULE = "sentence and row"
ROW = "the row it is about"
FIRST = "first sentence"


def of_sentences(outcome: OutcomeResult, prob: float) -> Iterator[Pair]:
    """Every sentence that prints numbers."""
    text = headline(outcome, prob=prob)
    if outcome.main is None:
        yield from published_sentence(outcome, text, prob)
    elif outcome.main.moderators is not None:
        yield from sentence_of_covariates(outcome, outcome.main.moderators, text)
    else:
        yield from headline_and_comparison(outcome, text)
        yield from headline_and_new_setting(outcome, text)
    yield from printed_and_rows(outcome)


def sentence_of_covariates(outcome: OutcomeResult, found: Moderators, text: str) -> Iterator[Pair]:
    """The first sentence prints the row of the slope or difference that it is about."""
    asked = found.asked
    name = f"{asked.by}: {asked.name}" if asked.by else asked.name
    row = outcome.tables["differences" if asked.by else "coefficients"].loc[name]
    said = re.search(r"between (\S+) and (\S+) with \S+% probability \(median (\S+)\)", text)
    yield _whether("it says interval and median", so=said is not None)
    for end, one in zip(
        ("lower", "upper", "estimate"), said.groups() if said else (), strict=False
    ):
        yield as_printed(f"the {end}", one, digits(float(row[end])))  # pyright: ignore


def headline_and_comparison(outcome: OutcomeResult, text: str) -> Iterator[Pair]:
    """The first sentence prints the first row of the comparison, and says whether it holds 0."""
    table = outcome.tables.get("comparison")
    if table is None:
        return
    against = AGAINST_NONE if outcome.compares else ""
    found = re.match(ANSWER.format(words=re.escape(outcome.words), against=against), text)
    yield _whether("it says interval, median and probability", so=found is not None)
    if found is None:
        return
    row = table.iloc[0]
    for end, said in zip(("lower", "upper", "estimate"), found.groups(), strict=False):
        wanted = natural(float(row[f"{end}_natural"]), outcome.scale)
        yield as_printed(f"the {end}", said, wanted)
    if outcome.compares:
        yield from _against_none(row, *found.groups()[3:])


def _against_none(row: "pd.Series", holds: str, benefit: str) -> Iterator[Pair]:
    """What it says of no effect and of benefit, of a comparison."""
    names = ("prob_benefit", "lower", "upper")
    chance, lower, upper = (float(row[name]) for name in names)  # pyright: ignore[reportArgumentType]
    yield as_printed("the probability of benefit", benefit, percent(chance))
    includes = lower < 0 < upper
    yield same(
        FIRST,
        "whether the interval includes no effect",
        float(holds == "includes"),
        ROW,
        float(includes),
        RULE,
    )


def headline_and_new_setting(outcome: OutcomeResult, text: str) -> Iterator[Pair]:
    """What it says of a new setting is the row of theta_new."""
    table = outcome.tables.get("parameters")
    if table is None or "theta_new" not in table.index:
        return
    found = NEW_SETTING.search(text)
    yield _whether("it says what is likely in a new setting", so=found is not None)
    for end, said in zip(("lower", "upper"), found.groups() if found else (), strict=False):
        value = FORTH[outcome.scale.link](float(table.loc["theta_new", end]))
        wanted = natural(value, outcome.scale)
        yield as_printed(f"the {end} end in a new setting", said, wanted)


def published_sentence(outcome: OutcomeResult, text: str, prob: float) -> Iterator[Pair]:
    """Where only published figures were analysed, the sentence prints what their analysis gave.

    Its parts come as values: a label may hold whatever a sentence holds, numbers too.
    """
    table = outcome.tables.get("published")
    figures = published_figures(outcome, prob=prob)
    if table is None or not figures:
        return
    for one in figures:
        row = table.loc[one.label]
        first, second, third = (float(row[f"{end}_natural"]) for end in ENDS)  # pyright: ignore[reportArgumentType]
        measure = MEASURES[str(row["measure"]) or "GEN"]
        cells = natural_three((first, second, third), measure)
        where = f"{FIRST}, {one.label}"
        for end, wanted in zip(ENDS, cells, strict=True):
            yield as_printed(f"the {end}", getattr(one, end), wanted, where)
        if one.benefit:
            benefit = percent(float(row["prob_benefit"]))
            yield as_printed("the probability of benefit", one.benefit, benefit, where)
    parts = "; ".join(
        f"{one.label} {one.measure} {one.estimate} [{one.lower}, {one.upper}]"
        + (f" (probability of benefit {one.benefit})" if one.benefit else "")
        for one in figures
    )
    yield _whether(
        "it prints each figure once, in order", so=text.endswith(f" interval): {parts}.")
    )


def printed_and_rows(outcome: OutcomeResult) -> Iterator[Pair]:
    """A published figure stands in the tables as it was printed."""
    for index in range(1, 1 + len(outcome.scenarios)):
        where = numbered("comparison", index)
        for one, row in compared(outcome, index):
            if isinstance(one.fit, Published) and one.fit.has_interval:
                yield from _printed(f"{where}, {one.label}", one.fit, row)


def _printed(where: str, printed: Published, row: "pd.Series") -> Iterator[Pair]:
    for end in ENDS:
        figure = float(getattr(printed, end))
        cell = float(row[f"{end}_natural"])  # pyright: ignore[reportArgumentType]
        yield same(where, f"the {end}", cell, "the figure as printed", figure, RULE)


def as_printed(first: str, said: str, wanted: str, where: str = FIRST) -> Pair:
    """Compare what a sentence says with a row rounded as sentences round: letter by letter."""
    pair = same(where, first, _first(said), ROW, _first(wanted), RULE)
    if said == wanted or not pair.agrees:
        return pair
    return same(where, f"whether {first}, “{said}”, is “{wanted}”", 0.0, ROW, 1.0, RULE)


def _whether(what: str, *, so: bool) -> Pair:
    return same(FIRST, f"whether {what}", float(so), "what it has to say", 1.0, RULE)


def _first(text: str) -> float:
    found = FIRST_NUMBER.search(text.replace("−", "-"))
    return float(found[0]) if found else float("nan")
