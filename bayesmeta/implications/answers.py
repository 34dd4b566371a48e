"""The answer of an outcome wherever it is printed: one number, one probability."""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from ..decision import AVERAGE, NEW, AbsoluteEffect
from ..effects import MEASURES, Measure
from ..model import COEFFICIENT
from ..moderators import Moderators
from ..posterior import Marginal, Pair, Posterior
from ..results import OutcomeResult, ScenarioResult
from ..results.labels import label_of_line
from ..results.tables import COMPARATORS, Answer, compared
from ..summaries import Better

if TYPE_CHECKING:
    import pandas as pd

type Triple = tuple[float, float, float]

SAME = 1e-9  # of the figure: the same number, mapped by other arithmetic
ENDS = ("estimate", "lower", "upper")
LEAST = sys.float_info.min  # below it a float has no digits left


def exp(x: float) -> float:
    """Infinite where a float holds it no more."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.exp(x))


FORTH: Mapping[str, Callable[[float], float]] = {
    "identity": float,
    "log": exp,
    "logit": lambda x: float(expit(x)),
    "atanh": math.tanh,
}


def same(where: str, first: str, one: float, second: str, other: float, rule: str) -> Pair:
    """Pair two figures that are one number."""
    size = max(abs(one), abs(other)) if math.isfinite(one) and math.isfinite(other) else 0.0
    return Pair(
        rule=rule,
        where=where,
        first=first,
        one=one,
        second=second,
        other=other,
        tolerance=max(SAME * size, LEAST),
        why="the same number, mapped by other arithmetic",
    )


def of_answers(outcome: OutcomeResult, prob: float) -> Iterator[Pair]:
    """Every place where the main answer stands."""
    main = outcome.main
    if main is None:
        return
    if main.moderators is not None:
        yield from coefficients_are_parameters(outcome, main.moderators)
        return
    yield from answer_is_one(outcome, main, prob)
    if outcome.better is not None:
        yield from benefit_is_one(outcome, main, outcome.better)
    yield from new_setting_is_one(outcome)
    yield from scenarios_are_their_own(outcome, prob)
    yield from per_patients(outcome)


def answer_is_one(outcome: OutcomeResult, main: ScenarioResult, prob: float) -> Iterator[Pair]:
    """Comparison, scenarios, forest plot, parameters and zero studies print one answer."""
    answer = natural(main.answer.at(), outcome.scale, prob)
    for place, found in _places(outcome, main).items():
        yield from _triples(place, found, "the posterior", answer, "one answer")


def coefficients_are_parameters(outcome: OutcomeResult, found: Moderators) -> Iterator[Pair]:
    """Coefficients are those among the parameters, where their column is as it was given."""
    table, parameters = outcome.tables["coefficients"], outcome.tables["parameters"]
    names = found.posterior.model.location.entries(found.posterior.data)
    own = [parameters.loc[f"{COEFFICIENT}[{name}]"] for name in names]
    scaled = [one.scaled for one in found.coefficients]
    for times, one, (label, row) in zip(scaled, own, table.iterrows(), strict=True):
        middle, low, high = (float(one[name]) / times for name in ("median", "lower", "upper"))  # pyright: ignore
        where = f"coefficients, {label}"
        yield from _triples(where, _cells(row), "parameters", (middle, low, high), "one answer")


def _places(outcome: OutcomeResult, main: ScenarioResult) -> Mapping[str, Triple]:
    tables, own = outcome.tables, MEASURES[outcome.measure]
    found: dict[str, Triple] = {}
    if "comparison" in tables:
        row = tables["comparison"].iloc[0]
        found["comparison"] = _cells(row, suffix="_natural")
        found["comparison, mapped"] = _mapped(_cells(row), own)
    if "scenarios" in tables:
        row = tables["scenarios"].loc[main.name]
        found["scenarios"] = _cells(row, suffix="_natural")
        found["scenarios, mapped"] = _mapped(_cells(row), own)
    if "what-if" in tables:
        row = tables["what-if"].iloc[0]
        found["what if"] = _cells(row, suffix="_natural")
        found["what if, mapped"] = _mapped(_cells(row), own)
    if "studies" in tables:
        row = _of_kind(tables["studies"], "posterior")
        found["forest plot"] = _cells(row, suffix="_natural")
    if "parameters" in tables:
        row = tables["parameters"].loc["mu"]
        found["parameters"] = _mapped(_cells(row, middle="median"), outcome.scale)
    if "zero-studies" in tables:
        row = tables["zero-studies"].iloc[0]
        found["zero studies"] = _cells(row, middle="median", suffix="_natural")
    return found


def benefit_is_one(outcome: OutcomeResult, main: ScenarioResult, better: Better) -> Iterator[Pair]:
    """The probability of benefit is that of the distribution function, wherever it stands."""
    benefit = benefit_of(main.answer, better)
    tables = outcome.tables
    found: dict[str, float] = {}
    if "comparison" in tables:
        found["comparison"] = float(tables["comparison"].iloc[0]["prob_benefit"])
    if "scenarios" in tables:
        found["scenarios"] = float(tables["scenarios"].loc[main.name, "prob_benefit"])
    if "what-if" in tables:
        found["what if"] = float(tables["what-if"].iloc[0]["prob_benefit"])
    if outcome.absolute is not None:
        found["absolute effects"] = outcome.absolute.rows[0].prob_benefit
    if "parameters" in tables and outcome.scale.comparative:
        said = float(tables["parameters"].loc["mu", "prob_below_null"])
        found["parameters"] = said if better == "lower" else 1 - said
    for place, one in found.items():
        yield same(
            place, "the probability of benefit", one, "the posterior", benefit, "one probability"
        )


def new_setting_is_one(outcome: OutcomeResult) -> Iterator[Pair]:
    """Predicted and shrunken effects of the forest plot are those among the parameters."""
    tables = outcome.tables
    if "studies" not in tables or "parameters" not in tables or outcome.main is None:
        return
    parameters = tables["parameters"]
    for label, row in tables["studies"].iterrows():
        names = {"prediction": "theta_new", "shrunken": f"theta[{label}]"}
        name = names.get(row["kind"], "")  # pyright: ignore[reportArgumentType, reportCallIssue]
        if name in parameters.index:
            mapped = _mapped(_cells(parameters.loc[name], middle="median"), outcome.scale)
            found = _cells(row, suffix="_natural")
            yield from _triples(f"forest plot, {label}", found, f"{name}", mapped, "one answer")


def scenarios_are_their_own(outcome: OutcomeResult, prob: float) -> Iterator[Pair]:
    """Every scenario prints its own answer, and its comparators are those of its comparison."""
    table = outcome.tables.get("scenarios")
    if table is None:
        return
    for index, one in enumerate(outcome.scenarios, start=1):
        row = table.loc[one.name]
        answer = natural(one.answer.at(), outcome.scale, prob)
        found = _cells(row, suffix="_natural")
        yield from _triples(f"scenario {one.name}", found, "its posterior", answer, "one answer")
        where = f"scenario {one.name}"
        if outcome.better is not None:
            yield same(
                where,
                "the probability of benefit",
                float(row["prob_benefit"]),
                "its posterior",
                benefit_of(one.answer, outcome.better),
                "one probability",
            )
        yield from _comparators(where, row, compared(outcome, index))


def _comparators(
    where: str, row: "pd.Series", beside: "Sequence[tuple[Answer, pd.Series]]"
) -> Iterator[Pair]:
    lines = {answer.line: line for answer, line in beside}
    for prefix, at in COMPARATORS.items():
        if at in lines:
            found = _cells(row, prefix=prefix, suffix="_natural")
            other = _cells(lines[at], suffix="_natural")
            said = f"{where}, {label_of_line(at)}"
            yield from _triples(said, found, "the comparison", other, "one answer")


def per_patients(outcome: OutcomeResult) -> Iterator[Pair]:
    """Events per so many patients follow from the ratio and the control risk."""
    found, table = outcome.absolute, outcome.tables.get("parameters")
    if found is None or table is None or outcome.main is None:
        return
    model = outcome.main.answer.model
    names = {AVERAGE: model.location.name, NEW: model.between.new}
    known = [row for row in found.rows if row.baseline.law is None]
    for row in known if outcome.measure in ("OR", "RR") else ():
        name = names[row.effect]
        ratios = _mapped(_cells(table.loc[name], middle="median"), outcome.scale)
        where = f"per {found.per:,}, {row.quantity}"
        risk = row.baseline.quantile(0.5)
        implied = _per_patients(ratios, risk, found.per, odds=outcome.measure == "OR")
        yield from _triples(where, row.treatment, "ratio and control risk", implied, "per 1,000")
        yield from _of_difference(where, row)


def _per_patients(ratios: Triple, risk: float, per: float, *, odds: bool) -> Triple:
    if odds:
        at = [risk * one / (1 - risk + risk * one) for one in ratios]
    else:
        at = [min(1.0, risk * one) for one in ratios]
    return per * at[0], per * at[1], per * at[2]


def _of_difference(where: str, row: AbsoluteEffect) -> Iterator[Pair]:
    for end, treatment, difference in zip(ENDS, row.treatment, row.difference, strict=True):
        yield Pair(
            rule="per 1,000",
            where=where,
            first=f"the difference, {end}",
            one=difference,
            second="events with and without",
            other=treatment - row.control[0],
            tolerance=SAME * row.control[0],
            why="a subtraction",
        )


def natural(marginal: Marginal, scale: Measure, prob: float) -> Triple:
    """Median and interval, mapped by arithmetic of our own."""
    lower, upper = marginal.interval(prob)
    return _mapped((float(marginal.quantile(0.5)), lower, upper), scale)


def benefit_of(posterior: Posterior, better: Better) -> float:
    """The probability of benefit by the distribution function."""
    below = float(posterior.at().cdf(0.0))
    return below if better == "lower" else 1 - below


def _mapped(values: Triple, scale: Measure) -> Triple:
    forth = FORTH[scale.link]
    first, second, third = (forth(x) for x in values)
    return first, second, third


def _cells(
    row: "pd.Series", *, middle: str = "estimate", prefix: str = "", suffix: str = ""
) -> Triple:
    names = (middle, "lower", "upper")
    first, second, third = (float(row[f"{prefix}{name}{suffix}"]) for name in names)  # pyright: ignore[reportArgumentType]
    return first, second, third


def _of_kind(table: "pd.DataFrame", kind: str) -> "pd.Series":
    return table[table["kind"] == kind].iloc[0]


def _triples(where: str, found: Triple, second: str, other: Triple, rule: str) -> Iterator[Pair]:
    for end, one, implied in zip(ENDS, found, other, strict=True):
        yield same(where, f"the {end}", one, second, implied, rule)
