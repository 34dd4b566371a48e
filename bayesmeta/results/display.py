"""Numbers and sentences as people read them; for the terminal and the report alike."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false
# pyright: reportGeneralTypeIssues=false

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ..effects import MEASURES
from . import OutcomeResult, ScenarioResult

if TYPE_CHECKING:
    import pandas as pd

NOTHING = "–"


@final
@dataclass(frozen=True, slots=True)
class Line:
    """One answer of the compact table, as text.

    Attributes
    ----------
    label, k, estimate, benefit, gap : str
    kind : {"posterior", "frequentist", "published"}
    sound : bool
    """

    label: str
    k: str
    estimate: str
    benefit: str
    gap: str
    kind: str
    sound: bool = True


@final
@dataclass(frozen=True, slots=True)
class Figure:
    """What the first sentence says of one published figure, as text.

    Attributes
    ----------
    label, measure, estimate, lower, upper, benefit : str
    """

    label: str
    measure: str
    estimate: str
    lower: str
    upper: str
    benefit: str

    def __str__(self) -> str:
        return (
            f"{self.label} {self.measure} {self.estimate} [{self.lower}, {self.upper}] "
            f"(probability of benefit {self.benefit})"
        )


def number(value: float, decimals: int = 2) -> str:
    """Round for reading, with a true minus; one decimal more below 0.095."""
    if value is None or not math.isfinite(value):
        return NOTHING
    size = abs(value)
    if size >= 1e5 or 0 < size < 5e-4:
        return f"{value:.2g}".replace("-", "−")
    return _signed(f"{value:.{decimals + (0 < size < 0.095)}f}")


def _signed(text: str) -> str:
    """With a true minus, and none before a zero."""
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


def interval(estimate: float, lower: float, upper: float, decimals: int = 2) -> str:
    """Write ``0.76 [0.60, 0.96]``; all three with fewer decimals where one is 100 or more."""
    if not math.isfinite(estimate):
        return NOTHING
    middle, low, high = three(estimate, lower, upper, decimals)
    return f"{middle} [{low}, {high}]"


def three(estimate: float, lower: float, upper: float, decimals: int = 2) -> tuple[str, str, str]:
    """Write an estimate and both ends of its interval with the decimals they share."""
    values = (estimate, lower, upper)
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    places = max(decimals - 1, 0) if largest >= 100 else decimals
    middle, low, high = (number(value, places) for value in values)
    return middle, low, high


def simulated(value: float, error: float, decimals: int = 2) -> str:
    """Write a simulated number with no more digits than its Monte Carlo error leaves it."""
    size = abs(value)
    if not (math.isfinite(value) and math.isfinite(error) and error > 0 and 5e-4 <= size < 1e5):
        return number(value, decimals)
    places = -math.floor(math.log10(error))
    return _signed(f"{round(value, places):.{max(min(places, decimals + (size < 0.095)), 0)}f}")


def simulated_interval(values: Sequence[float], errors: Sequence[float], decimals: int = 2) -> str:
    """Write ``8.1 [2.4, 18]``: estimate, lower and upper end, each to its Monte Carlo error."""
    middle, low, high = map(simulated, values, errors, [decimals] * 3)
    return f"{middle} [{low}, {high}]"


def percent(probability: float) -> str:
    """Write a probability in per cent, never rounded to certainty."""
    if probability is None or not math.isfinite(probability):
        return NOTHING
    if probability > 0.999:
        return "> 99.9%"
    if probability < 0.001:
        return "< 0.1%"
    return f"{100 * probability:.1f}%"


def compact(outcome: OutcomeResult) -> Sequence[Line]:
    """The compact table: every answer of the main scenario, or the figures analysed alone."""
    if outcome.main is None:
        return [_published_line(outcome, label, row) for label, row in _rows(outcome, "published")]
    return [_compared(row, label) for label, row in _rows(outcome, "comparison")]


def comparison_lines(table: "pd.DataFrame") -> Sequence[Line]:
    """The lines of any comparison table."""
    return [_compared(row, str(label)) for label, row in table.iterrows()]


def scenario_lines(outcome: OutcomeResult) -> Sequence[Mapping[str, str]]:
    """One line per scenario."""
    notes = {one.name: one.note for one in outcome.scenarios}
    return [
        {
            "name": label,
            "note": notes[label],
            "k": f"{int(row['k'])}",
            "estimate": _natural(row),
            "benefit": percent(row["prob_benefit"]),
            "mh": _natural(row, "mh_"),
            "reml": _natural(row, "reml_"),
            "sound": "yes" if row["sound"] else "no",
        }
        for label, row in _rows(outcome, "scenarios")
    ]


def headline(outcome: OutcomeResult, *, prob: float) -> str:
    """The answer in a sentence that says what it rests on."""
    main = outcome.main
    if main is None:
        return _headline_published(outcome, prob)
    measure = outcome.scale
    mu = main.answer["mu"]
    lower, upper = (float(measure.natural(end)) for end in mu.interval(prob))
    row = outcome.tables["comparison"].iloc[0]
    none = 1.0 if measure.log else 0.0
    crosses = "includes" if lower < none < upper else "excludes"
    return (
        f"Given this model and these priors, the {outcome.words} lies between {number(lower)} and "
        f"{number(upper)} with {100 * prob:g}% probability (median "
        f"{number(float(measure.natural(mu.quantile(0.5))))}), an interval that {crosses} no "
        f"effect; the probability of benefit is {percent(row['prob_benefit'])}. "
        f"{_prediction(main, outcome, prob)}"
    )


def published_figures(outcome: OutcomeResult, *, prob: float) -> Sequence[Figure]:
    """What each published figure says by itself, where it was analysed."""
    found = []
    for one in outcome.published:
        if one.posterior is None:
            continue
        mu, measure = one.posterior["mu"], MEASURES[one.published.measure or "GEN"]
        ends = map(float, measure.natural([mu.quantile(0.5), *mu.interval(prob)]))
        found.append(Figure(one.label, measure.name, *three(*ends), percent(one.prob_benefit)))
    return found


def shift_sentence(outcome: OutcomeResult) -> str:
    """How far mu moves without the studies that have no event."""
    zeros = outcome.evidence.zeros
    if zeros is None:
        return ""
    full, without = zeros.iloc[0], zeros.iloc[1]
    if not without["left_out"] or without["k"] == 0:
        return ""
    many = ", " in without["left_out"]
    return (
        f"{without['left_out']} {'have' if many else 'has'} no event in either arm. Without "
        f"{'them' if many else 'it'} the mean of mu ({outcome.scale.analysis_label}) moves by "
        f"{number(without['mean'] - full['mean'], 3)}, from {number(full['mean'], 3)} to "
        f"{number(without['mean'], 3)}, and its SD from {number(full['sd'], 3)} to "
        f"{number(without['sd'], 3)}."
    )


def factor(value: float) -> str:
    """Write a Bayes factor with three digits, whatever its size, or its bound."""
    if math.isnan(value):
        return NOTHING
    if not 1e-300 < value < 1e300:
        return "< 1e-300" if value < 1 else "> 1e+300"
    return f"{value:.2e}" if not 1e-3 <= value < 1e4 else f"{value:.3g}"


def prior_range(name: str, text: str, interval: tuple[float, float], *, log: bool) -> str:
    """What a prior means in clinical units."""
    low, high = interval
    if name == "mu" and log:
        return f"{text}: ratio between {number(math.exp(low))} and {number(math.exp(high))}"
    return f"{text}: between {number(low)} and {number(high)}"


def _prediction(main: ScenarioResult, outcome: OutcomeResult, prob: float) -> str:
    if "theta_new" not in main.answer.marginals:
        return ""
    measure = outcome.scale
    lower, upper = main.answer["theta_new"].interval(prob)
    return (
        f"In a new setting like these it lies between {number(float(measure.natural(lower)))} and "
        f"{number(float(measure.natural(upper)))}."
    )


def _headline_published(outcome: OutcomeResult, prob: float) -> str:
    """What each figure says by itself; the printed one stands in the table of published figures."""
    figures = published_figures(outcome, prob=prob)
    if not figures:
        return "No figure to analyse was found."
    return (
        "Published figures, each analysed alone (posterior median with its "
        f"{100 * prob:g}% interval): {'; '.join(map(str, figures))}."
    )


def _rows(outcome: OutcomeResult, table: str) -> list[tuple[str, "pd.Series"]]:
    found = outcome.tables.get(table)
    return [] if found is None else [(str(label), row) for label, row in found.iterrows()]


def _compared(row: "pd.Series", label: str) -> Line:
    what = str(row["what"])
    kind = (
        "posterior"
        if what.startswith("posterior")
        else ("published" if what.startswith("published") else "frequentist")
    )
    k = row["k"]
    estimate = _natural(row)
    return Line(
        label=label,
        k=f"{int(k)}" if k is not None and math.isfinite(k) else NOTHING,
        estimate=what.removeprefix("published: ")
        if kind == "published" and estimate == NOTHING
        else estimate,
        benefit=percent(row["prob_benefit"]),
        gap=number(row["gap"]) if "gap" in row else NOTHING,
        kind=kind,
        sound=bool(row["sound"]),
    )


def _published_line(outcome: OutcomeResult, label: str, row: "pd.Series") -> Line:
    alone = next(one for one in outcome.published if one.label == label)
    estimate = _natural(row)
    return Line(
        label=label,
        k=str(alone.published.k or NOTHING),
        estimate=str(row["printed"]) if estimate == NOTHING else estimate,
        benefit=percent(row["prob_benefit"]),
        gap=NOTHING,
        kind="posterior" if alone.posterior else "published",
        sound=alone.posterior is None or alone.posterior.diagnostics.passed,
    )


def _natural(row: "pd.Series", prefix: str = "") -> str:
    return interval(
        *(float(row[f"{prefix}{name}_natural"]) for name in ("estimate", "lower", "upper"))
    )
