"""What a fit says of covariates: its tables and its sentence, for the report and the terminal."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..effects import Measure
from ..model import Linear, Predictor
from ..moderators import Moderators
from ..summaries import percent

if TYPE_CHECKING:
    import pandas as pd

    from .scenario import ScenarioResult

COEFFICIENTS, GROUPS, DIFFERENCES = "coefficients", "groups", "differences"
PLACES, SPREAD = "places", "tau-explained"
REGRESSION, TESTS, PERMUTED = "regression", "regression-tests", "permutation"
OF_EFFECTS = (GROUPS, PLACES)  # tables of effects, which people read on the scale of the measure
EVERY = (COEFFICIENTS, GROUPS, DIFFERENCES, PLACES, SPREAD, REGRESSION, TESTS, PERMUTED)


def moderator_tables(found: Moderators, *, prob: float) -> Mapping[str, "pd.DataFrame"]:
    """Every table of the covariates of a fit, by name; those without rows are left out.

    Effects stand on both scales, slopes and differences of logs with their ratios.
    """
    beside = found.frequentist
    regression, permuted = beside.coefficients(), beside.permutation
    tables = {
        COEFFICIENTS: _with_ratios(found.coefficient_table(prob), found.of_differences),
        GROUPS: _with_natural(found.group_table(prob), found.measure),
        DIFFERENCES: _with_ratios(found.difference_table(prob), found.of_differences),
        PLACES: _with_natural(found.place_table(prob), found.measure),
        SPREAD: found.spread_table(prob),
        REGRESSION: regression,
        TESTS: beside.tests(),
        PERMUTED: None if permuted is None else permuted.table(),
    }
    return {name: one for name, one in tables.items() if one is not None and len(one)}


def _with_natural(table: "pd.DataFrame", measure: Measure) -> "pd.DataFrame":
    names = [name for name in table if name in ("estimate", "lower", "upper")]
    names += [name for name in table if str(name).startswith("new_")]
    return table.assign(
        **{f"{name}_natural": measure.natural(table[name].to_numpy(float)) for name in names}
    )


def _with_ratios(table: "pd.DataFrame", measure: Measure) -> "pd.DataFrame":
    """With what a slope or difference of logs multiplies the effect by."""
    if measure.link != "log" or not len(table):
        return table
    with np.errstate(over="ignore"):
        ends = {
            f"ratio{end}": measure.natural(table[name].to_numpy(float))
            for end, name in {"": "estimate", "_lower": "lower", "_upper": "upper"}.items()
        }
    return table.assign(**ends)


def digits(value: float) -> str:
    """Three digits of a value of any size, with a true minus."""
    return f"{value:.3g}".replace("-", "−") if np.isfinite(value) else "–"


def digits_of_ratio(value: float) -> str:
    """Three digits, and as many more as it takes to tell a ratio from 1."""
    away = abs(value - 1)
    if not 0 < away < 0.1:
        return digits(value)
    return f"{value:.{min(1 - math.floor(math.log10(away)), 12)}f}"


def digits_of_three(middle: float, lower: float, upper: float) -> str:
    """Write ``0.973 [0.955, 0.994]``, three digits each."""
    return f"{digits(middle)} [{digits(lower)}, {digits(upper)}]"


def asked_table(scenarios: Sequence["ScenarioResult"], *, prob: float) -> "pd.DataFrame":
    """What a reader asks first in each scenario: a fit each; without rows where there is one."""
    import pandas as pd

    rows = {}
    for one in scenarios if len(scenarios) > 1 else ():
        assert one.moderators is not None
        asked = one.moderators.asked
        ends = zip(("estimate", "lower", "upper"), asked.ends(prob), strict=True)
        rows[one.name] = {
            "k": one.answer.data.k,
            "of": asked_in_words(one.moderators),
            **dict(ends),
            "prob_positive": float(1 - asked.marginal.cdf(0.0)),
            "sound": one.answer.diagnostics.passed,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("scenario")


def asked_in_words(found: Moderators) -> str:
    """What the answer is of: a slope or a difference, and of which measure."""
    one = found.asked
    if one.per:
        return f"{found.measure.analysis_called} per {one.per}"
    by = f"{one.by}: " if one.by else ""
    return f"{found.measure.analysis_called}, {by}{one.name}"


def moderated_sentence(found: Moderators, *, prob: float) -> str:
    """The answer in a sentence: the first slope, or the first difference of groups."""
    one = found.asked
    ends = one.ends(prob)
    share = percent(float(1 - one.marginal.cdf(0.0)))
    level = f"with {100 * prob:g}% probability"
    name = found.measure.analysis_called
    if one.per:
        what = f"the {name} changes per {one.per}{_among(found)} by"
        more = _as_ratio(found, ends, "a factor")
    elif one.by:
        what = f"the {name} of {one.by} {one.name.replace(' − ', ' less that of ')} is"
        kind = "ratios" if found.measure.comparative else f"{found.measure.called}s"
        more = _as_ratio(found, ends, f"a ratio of {kind}")
    else:
        what, more = f"the {name}{_over(found)} is", ""
        if found.measure.link == "log":
            middle, low, high = (digits(float(found.measure.natural(value))) for value in ends)
            more = f", as {found.measure.called} between {low} and {high} (median {middle})"
    middle, low, high = (digits(value) for value in ends)
    return (
        f"Given this model and these priors, {what} between {low} and {high} {level} "
        f"(median {middle}){more}; the probability that it is above 0 is {share}."
    )


def _over(found: Moderators) -> str:
    """Of which studies an effect is that no slope or difference stands before."""
    location = found.posterior.model.location
    assert isinstance(location, Predictor)
    centred = not isinstance(location, Linear) or location.centre
    if not found.asked.name.startswith("intercept") or not centred:
        return f" of {found.asked.name}"
    variables = ", ".join(location.variables)
    return f", averaged over the studies' values of {variables}," if variables else ""


def _among(found: Moderators) -> str:
    """Where a slope holds that differs from place to place; empty where it does not."""
    location = found.posterior.model.location
    assert isinstance(location, Predictor)
    made, own = location.design(found.posterior.data), found.asked.per.removeprefix("unit of ")
    terms = [[one.variable for one in term] for term in location.terms.terms]
    others = {name: None for term in terms if own in term for name in term if name != own}
    where = [
        f"on average over the levels of {name}"
        if name in made.levels
        else f"at {name} {made.centres[name]:.4g}"
        for name in others
        if name in made.levels or name in made.centres
    ]
    return f" ({', '.join(where)})" if where else ""


def _as_ratio(found: Moderators, ends: tuple[float, float, float], called: str) -> str:
    """The same as people read a difference of logs; empty of others."""
    if found.of_differences.link != "log":
        return ""
    middle, low, high = (digits_of_ratio(float(found.measure.natural(value))) for value in ends)
    return f", {called} between {low} and {high} (median {middle})"
