"""Priors of a model, in units a clinician knows."""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from scipy.special import expit

from ...effects import MEASURES, Measure
from ...model import FamilyName, Model
from ...summaries import prior_interval
from .. import OutcomeResult
from ..display import natural, number
from ._columns import label, words
from ._section import Section

if TYPE_CHECKING:
    from ...priors import Prior

type InWords = Callable[[float, float], str]
type Meaning = Callable[["_Asked"], str]

_ASKED = {"baseline_mean": "baseline", "baseline_sd": "baseline"}  # under one key


class _Asked(NamedTuple):
    """What the central 95% of a prior are said of."""

    low: float
    high: float
    measure: Measure
    model: Model


def priors(model: Model, title: str, outcome: OutcomeResult) -> Section:
    """Each prior of a model: what it is, what it means and why it was taken."""
    import pandas as pd

    rows = {
        name: {
            "prior": prior.in_full,
            "means": _meaning(name, prior, model, outcome),
            "why": _why(name, model, outcome),
        }
        for name, prior in model.priors.items()
    }
    columns = (
        label("parameter"),
        words("prior", "prior"),
        words("means", "its central 95%"),
        words("why", "why"),
    )
    table = pd.DataFrame(rows.values(), index=list(rows))
    return Section(name="priors", title=title, table=table, columns=columns)


def _why(name: str, model: Model, outcome: OutcomeResult) -> str:
    """The reason that is stated, and where the prior was published."""
    located = name not in model.other_priors
    slope = located and _located(name, model) is _of_slope
    key = ("slopes" if slope else "mu") if located else _ASKED.get(name, name)
    stated = outcome.why.get(key, "")
    return " ".join(filter(None, (stated, model.cited.get(name, ""))))


def _meaning(name: str, prior: "Prior", model: Model, outcome: OutcomeResult) -> str:
    """The central 95% of a prior."""
    measure = MEASURES[outcome.measure] if model.likelihood.family == "estimates" else outcome.scale
    meaning = _MEANINGS[name] if name in model.other_priors else _located(name, model)
    return meaning(_Asked(*prior_interval(prior), measure, model))


def _located(name: str, model: Model) -> Meaning:
    """Of where effects are expected: an effect, or what it changes by per unit of a covariate."""
    return _of_mu if name in ("mu", "intercept") or not model.location.has_slopes else _of_slope


def _of_mu(asked: _Asked) -> str:
    measure = asked.measure
    low, high = (natural(float(measure.natural(end)), measure) for end in (asked.low, asked.high))
    return f"{measure.called} between {low} and {high}"


def _of_slope(asked: _Asked) -> str:
    low, high = number(asked.low), number(asked.high)
    said = f"{asked.measure.analysis_called} changes per unit by {low} to {high}"
    if asked.measure.link != "log" or asked.high > 50:
        return said
    return f"{said}, a factor of {math.exp(asked.low):.3g} to {math.exp(asked.high):.3g}"


def _of_tau(asked: _Asked) -> str:
    of = "" if asked.measure.link != "logit" else " of logits"
    said = f"between-study SD{of} between {number(asked.low)} and {number(asked.high)}"
    if not asked.measure.log:
        return said
    factor = math.exp(1.959964 * asked.high) if asked.high < 50 else math.inf
    return (
        f"{said}; at the upper end, 95% of settings within a factor {number(factor, 1)} of the "
        "centre"
    )


def _of_log_sd(asked: _Asked) -> str:
    return f"SD of an arm between {math.exp(asked.low):.3g} and {math.exp(asked.high):.3g}"


def _of_df(asked: _Asked) -> str:
    return f"degrees of freedom between {number(asked.low)} and {number(asked.high)}"


def _of_baseline(asked: _Asked) -> str:
    return _BASELINES[asked.model.likelihood.family](asked.low, asked.high)


def _of_baselines(asked: _Asked) -> str:
    return f"SD of baselines between {number(asked.low)} and {number(asked.high)}"


def _middle(low: float, high: float) -> str:
    return f"middle of the two arms between {low:.3g} and {high:.3g}"


def _rate(low: float, high: float) -> str:
    return f"rate where there is no effect between {math.exp(low):.2g} and {math.exp(high):.2g}"


def _risk(low: float, high: float) -> str:
    return (
        f"risk where there is no effect between {expit(low):.2g} and {expit(-high):.2g} short of 1"
    )


_BASELINES: Mapping[FamilyName, InWords] = {"binomial": _risk, "poisson": _rate, "arms": _middle}

_MEANINGS: Mapping[str, Callable[[_Asked], str]] = {
    "tau": _of_tau,
    "log_sd": _of_log_sd,
    "df": _of_df,
    "baseline": _of_baseline,
    "baseline_mean": _of_baseline,
    "baseline_sd": _of_baselines,
}
