"""What sentences say, held to the rows they are about."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false
# pyright: reportCallIssue=false
# pyright: reportAttributeAccessIssue=false

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..posterior import Pair
from ..results import OutcomeResult
from ..results.display import headline, interval, number, percent
from ..studies import Published
from ._answers import ENDS, FORTH, same

if TYPE_CHECKING:
    import pandas as pd

ANSWER = re.compile(
    r"lies between (\S+) and (\S+) with .*?\(median (\S+?)\), an interval that (\w+) no effect; "
    r"the probability of benefit is (.*?%)"
)
NEW_SETTING = re.compile(r"In a new setting like these it lies between (\S+) and (\S+?)\.(?:\s|$)")
FIRST_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
RULE = "sentence and row"
ROW = "the row it is about"


def of_sentences(outcome: OutcomeResult, prob: float) -> Iterator[Pair]:
    """Every sentence that prints numbers."""
    text = headline(outcome, prob=prob)
    if outcome.main is None:
        yield from published_sentence(outcome, text)
    else:
        yield from headline_and_comparison(outcome, text)
        yield from headline_and_new_setting(outcome, text)
    yield from printed_and_rows(outcome)


def headline_and_comparison(outcome: OutcomeResult, text: str) -> Iterator[Pair]:
    """The first sentence prints the first row of the comparison, and says whether it holds 0."""
    found, table = ANSWER.search(text), outcome.tables.get("comparison")
    if found is None or table is None:
        return
    row = table.iloc[0]
    said = (found[1], found[2], found[3])
    for end, one in zip(("lower", "upper", "estimate"), said, strict=True):
        yield _as_printed(f"the {end}", one, number(float(row[f"{end}_natural"])))
    yield _as_printed("the probability of benefit", found[5], percent(float(row["prob_benefit"])))
    includes = float(row["lower"]) < 0 < float(row["upper"])
    yield same(
        "first sentence",
        "whether the interval includes no effect",
        float(found[4] == "includes"),
        ROW,
        float(includes),
        RULE,
    )


def headline_and_new_setting(outcome: OutcomeResult, text: str) -> Iterator[Pair]:
    """What it says of a new setting is the row of theta_new."""
    found, table = NEW_SETTING.search(text), outcome.tables.get("parameters")
    if found is None or table is None or "theta_new" not in table.index:
        return
    for end, one in zip(("lower", "upper"), found.groups(), strict=True):
        natural = FORTH[outcome.scale.link](float(table.loc["theta_new", end]))
        yield _as_printed(f"the {end} end in a new setting", one, number(natural))


def published_sentence(outcome: OutcomeResult, text: str) -> Iterator[Pair]:
    """Where only published figures were analysed, the sentence prints what their analysis gave."""
    table = outcome.tables.get("published")
    if table is None:
        return
    plain = text.replace("−", "-")
    for one in outcome.published:
        if one.posterior is None:
            continue
        row = table.loc[one.label]
        part = plain[max(plain.find(one.label), 0) :].split(";")[0]
        numbers = FIRST_NUMBER.findall(part.removeprefix(one.label))
        cells = interval(*(float(row[f"{end}_natural"]) for end in ENDS)).replace("−", "-")
        for end, wanted in zip(ENDS, map(float, FIRST_NUMBER.findall(cells)), strict=True):
            nearest = min(map(float, numbers), key=lambda x: abs(x - wanted), default=float("nan"))
            where = f"first sentence, {one.label}"
            yield same(where, f"the {end} nearest in it", nearest, ROW, wanted, RULE)
        yield _as_printed("the probability of benefit", part, percent(float(row["prob_benefit"])))


def printed_and_rows(outcome: OutcomeResult) -> Iterator[Pair]:
    """A published figure stands in the tables as it was printed."""
    for name, table in outcome.tables.items():
        if not name.startswith("comparison"):
            continue
        for one in outcome.published:
            if one.label in table.index and one.published.has_interval:
                yield from _printed(name, one.label, one.published, table.loc[one.label])


def _printed(name: str, label: str, printed: Published, row: "pd.Series") -> Iterator[Pair]:
    for end in ENDS:
        figure = float(getattr(printed, end))
        cell = float(row[f"{end}_natural"])
        where = f"{name}, {label}"
        yield same(where, f"the {end}", cell, "the figure as printed", figure, RULE)


def _as_printed(first: str, said: str, wanted: str) -> Pair:
    """Compare what a sentence says with a row, both rounded as sentences round."""
    contained = wanted in said
    one = _first(wanted) if contained else _first(said)
    return same("first sentence", first, one, ROW, _first(wanted), RULE)


def _first(text: str) -> float:
    found = FIRST_NUMBER.search(text.replace("−", "-"))
    return float(found[0]) if found else float("nan")
