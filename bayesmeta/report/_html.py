"""Results to HTML: what the template shows, prepared as text."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false
# pyright: reportGeneralTypeIssues=false

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from scipy.special import expit

from ..effects import MEASURES, EffectSizes
from ..engines import mathematics, pymc_source
from ..model import (
    BinomialNormal,
    ContinuousCommonEffect,
    ContinuousNormal,
    HypergeometricNormal,
    Model,
    PoissonNormal,
)
from ..posterior import beside
from ..results import OutcomeResult, Results
from ..results.display import (
    compact,
    comparison_lines,
    factor,
    headline,
    interval,
    number,
    percent,
    scenario_lines,
    shift_sentence,
    simulated,
    simulated_interval,
)
from ..studies import ContinuousStudies
from ._grid import Grid, plain_grid
from ._robustness import influence_grid, small_study_grid

if TYPE_CHECKING:
    import jinja2
    import numpy as np
    import pandas as pd


def render(results: Results, figures: Mapping[str, Mapping[str, str]]) -> str:
    """Return the report as one HTML page that needs nothing else.

    Parameters
    ----------
    results : Results
    figures : mapping
        SVG text by outcome and figure.
    """
    fits = [fit for one in results.outcomes for fit in one.posteriors.values()]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            results=results,
            outcomes=[_outcome(one, figures[one.name], results.prob) for one in results.outcomes],
            level=f"{100 * results.prob:g}%",
            counts=_count_words(results),
            sampled=any(not fit.exact for fit in fits),
            integrated=any(fit.exact and fit.model.takes is not EffectSizes for fit in fits),
        )
    )


@lru_cache(maxsize=1)
def _environment() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bayesmeta.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    return environment


def _outcome(
    outcome: OutcomeResult, figures: Mapping[str, str], prob: float
) -> Mapping[str, object]:
    return {
        "result": outcome,
        "measure": MEASURES[outcome.measure],
        "headline": headline(outcome, prob=prob),
        "lines": compact(outcome),
        "scenarios": scenario_lines(outcome),
        "beside": _beside(outcome),
        "absolute": _absolute(outcome),
        "shift": shift_sentence(outcome),
        "models": [_model(label, model, outcome) for label, model in outcome.models.items()],
        "published": _published(outcome),
        "evidence": _evidence(outcome),
        "parameters": _parameters(outcome),
        "heterogeneity": _heterogeneity(outcome),
        "influence": influence_grid(outcome),
        "small_study": small_study_grid(outcome),
        "predictive": _predictive(outcome),
        "implied": _implied(outcome),
        "left_out": _left_out(outcome),
        "fit_in_words": _fit_in_words(outcome),
        "trust": _trust(outcome),
        "diagnostics": _diagnostics(outcome),
        "sources": _sources(outcome),
        "excluded": plain_grid(outcome.tables.get("excluded")),
        "provenance": plain_grid(outcome.tables.get("provenance")),
        "penalty": _penalty(outcome),
        "definitions": _definitions(outcome),
        "figures": {name: _embedded(svg) for name, svg in figures.items()},
        "attempts": _second_attempts(outcome),
    }


def _embedded(svg: str) -> str:
    """An SVG as a data address: its identifiers cannot collide with another figure's."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _beside(outcome: OutcomeResult) -> Sequence[Mapping[str, object]]:
    """Comparisons of further scenarios that have a published figure of their own."""
    return [
        {
            "name": one.name,
            "lines": comparison_lines(outcome.tables[f"comparison-{index}"]),
            "heterogeneity": _heterogeneity(outcome, f"heterogeneity-{index}"),
        }
        for index, one in enumerate(outcome.scenarios, start=1)
        if f"comparison-{index}" in outcome.tables
    ]


def _absolute(outcome: OutcomeResult) -> Mapping[str, object] | None:
    found = outcome.absolute
    if found is None:
        return None
    rows = [
        {
            "quantity": row.quantity,
            "control": number(row.control, 0),
            "treatment": interval(*row.treatment, decimals=0),
            "difference": interval(*row.difference, decimals=0),
            "benefit": percent(row.prob_benefit),
            "capped": percent(row.prob_capped) if row.prob_capped > 0.0005 else "",
        }
        for row in found.rows
    ]
    origin = outcome.control_risk_origin
    risk = percent(found.control_risk)
    return {"per": f"{found.per:,}", "risk": risk, "origin": origin, "rows": rows}


_LIKELIHOODS: Mapping[type[Model], str] = {
    BinomialNormal: "counts by two binomial arms per study",
    HypergeometricNormal: "counts, given each study's total of events, by the hypergeometric "
    "distribution",
    PoissonNormal: "counts by two Poisson arms per study",
    ContinuousNormal: "continuous outcomes by both arms' means and SDs, or quantiles as rounded, "
    "the SDs estimated with the rest",
    ContinuousCommonEffect: "a continuous outcome of studies with one effect likewise",
}


def _count_words(results: Results) -> str:
    """How counts are modelled in this run; empty without any."""
    models = [one.counts for one in results.outcomes]
    said = dict.fromkeys(_LIKELIHOODS[type(one)] for one in models if one is not None)
    return "; ".join(said)


def _evidence(outcome: OutcomeResult) -> Mapping[str, Grid | None]:
    """Tables of what the answer rests on, by name."""
    tables = outcome.tables
    return {
        "factors": _factors(tables.get("bayes-factors"), "hypothesis"),
        "by_scale": _factors(tables.get("tau-by-scale"), "prior of τ"),
        "weights": _weights(tables.get("weights")),
        "zeros": _zeros(tables.get("zero-studies"), outcome),
    }


def _factors(table: "pd.DataFrame | None", first: str) -> Grid | None:
    if table is None:
        return None
    how = "how" in table
    rows = [
        (
            str(label),
            row["prior"],
            factor(row["bf01"]),
            factor(row["bf10"]),
            percent(row["prob_null"]),
            *([row["how"]] if how else []),
        )
        for label, row in table.iterrows()
    ]
    headings = (first, "prior", "for 0 (BF01)", "against 0 (BF10)", "probability of 0")
    return Grid((*headings, *(["how"] if how else [])), rows)


def _weights(table: "pd.DataFrame | None") -> Grid | None:
    if table is None:
        return None
    rows = [
        (str(label), percent(row["weight"]), percent(row["own_weight"]))
        for label, row in table.iterrows()
    ]
    return Grid(("study", "weight in μ", "own weight in its θ"), rows)


def _zeros(table: "pd.DataFrame | None", outcome: OutcomeResult) -> Grid | None:
    if table is None:
        return None
    rows = [
        (
            str(label),
            f"{row['k']}",
            interval(*(row[f"{name}_natural"] for name in ("median", "lower", "upper"))),
            number(row["tau_median"]),
            percent(row["prob_below_null"]),
            number(row["shift"]),
            row["left_out"],
        )
        for label, row in table.iterrows()
    ]
    shown = f"{outcome.measure}, median"
    below = "P(below no effect)"
    return Grid(("studies", "k", shown, "τ", below, "shift of μ, SDs", "left out"), rows)


def _model(label: str, model: object, outcome: OutcomeResult) -> Mapping[str, object]:
    return {
        "label": label,
        "mathematics": mathematics(model),  # pyright: ignore[reportArgumentType]
        "source": pymc_source(model),  # pyright: ignore[reportArgumentType]
        "coding": model.in_words,  # pyright: ignore[reportAttributeAccessIssue]
        "priors": [
            {
                "name": name,
                "prior": repr(prior),
                "means": _meaning(name, prior, model, outcome),  # pyright: ignore[reportArgumentType]
                "why": outcome.why.get(name, ""),
            }
            for name, prior in model.priors.items()  # pyright: ignore[reportAttributeAccessIssue]
        ],
    }


def _meaning(name: str, prior: object, model: Model, outcome: OutcomeResult) -> str:
    """The central 95% of a prior, in units a clinician knows."""
    from ..summaries import prior_interval

    low, high = prior_interval(prior)  # pyright: ignore[reportArgumentType]
    measure = MEASURES[outcome.measure] if model.takes is EffectSizes else outcome.scale
    if name == "mu":
        ends = (float(measure.natural(low)), float(measure.natural(high)))
        return f"{measure.name} between {number(ends[0])} and {number(ends[1])}"
    if name == "tau":
        said = f"between-study SD between {number(low)} and {number(high)}"
        if not measure.log:
            return said
        factor = math.exp(1.959964 * high) if high < 50 else math.inf
        return (
            f"{said}; at the upper end, 95% of settings within a factor {number(factor, 1)} of "
            "the centre"
        )
    if name == "log_sd":
        return f"SD of an arm between {math.exp(low):.3g} and {math.exp(high):.3g}"
    if name == "baseline" and issubclass(model.takes, ContinuousStudies):
        return f"middle of the two arms between {low:.3g} and {high:.3g}"
    if name == "df":
        return f"degrees of freedom between {number(low)} and {number(high)}"
    if isinstance(model, PoissonNormal):
        return f"rate where there is no effect between {math.exp(low):.2g} and {math.exp(high):.2g}"
    return (
        f"risk where there is no effect between {expit(low):.2g} and {expit(-high):.2g} short of 1"
    )


def _published(outcome: OutcomeResult) -> Sequence[Mapping[str, str]]:
    table = outcome.tables.get("published")
    if table is None:
        return []
    rows = []
    for one in outcome.published:
        row = table.loc[one.label]
        printed = one.published
        extra = [
            f"p {printed.p}" if printed.p else "",
            f"heterogeneity p {printed.p_heterogeneity}" if printed.p_heterogeneity else "",
            f"I² {printed.i2}%" if printed.i2 else "",
            f"k = {printed.k}" if printed.k else "",
            f"n = {printed.n}" if printed.n else "",
        ]
        rows.append(
            {
                "label": one.label,
                "printed": str(printed),
                "extra": ", ".join(filter(None, extra)),
                "prior": str(row["prior"]),
                "alone": interval(
                    *(float(row[f"{n}_natural"]) for n in ("estimate", "lower", "upper"))
                ),
                "benefit": percent(one.prob_benefit),
                "why": one.why,
                "note": one.note,
                "citation": printed.citation,
                "explained": "" if one.explanation is None else str(one.explanation),
                "beside": one.compare_with,
            }
        )
    return rows


def _parameters(outcome: OutcomeResult) -> Grid | None:
    table = outcome.tables.get("parameters")
    if table is None:
        return None
    shown = [name for name in table.columns if table[name].notna().any()]
    decimals = {"rhat": 4, "ess_bulk": 0, "ess_tail": 0, "mcse_mean": 4, "mcse_sd": 4}
    rows = [
        (str(label), *(number(float(row[name]), decimals.get(name, 3)) for name in shown))
        for label, row in table.iterrows()
    ]
    return Grid(("parameter", *shown), rows)


def _heterogeneity(outcome: OutcomeResult, name: str = "heterogeneity") -> Grid | None:
    table = outcome.tables.get(name)
    if table is None:
        return None
    natural = MEASURES[outcome.measure].natural
    rows = [
        (
            str(label),
            f"{int(row['k'])}",
            f"{number(row['q'])} on {int(row['q_df'])} df, p {number(row['q_p'])}",
            f"{number(row['i2_percent'], 1)}%",
            _between(row),
            _range(row["prediction_lower"], row["prediction_upper"], natural),
        )
        for label, row in table.iterrows()
    ]
    return Grid(("fit", "k", "Q", "I²", "τ² [95% by Q-profile]", "prediction interval (HK)"), rows)


def _between(row: "pd.Series") -> str:
    """Tau², with its interval where there is one."""
    tau2 = number(row["tau2"], 3)
    if not math.isfinite(row["tau2_lower"]):
        return tau2
    return f"{tau2} [{number(row['tau2_lower'], 3)}, {number(row['tau2_upper'], 3)}]"


def _range(lower: float, upper: float, natural: Callable[[float], "np.ndarray"]) -> str:
    if not math.isfinite(lower):
        return "–"
    return f"{number(float(natural(lower)))} to {number(float(natural(upper)))}"


def _predictive(outcome: OutcomeResult) -> Grid | None:
    table = outcome.tables.get("predictive")
    if table is None:
        return None
    rows = [
        (
            f"{label} ({row['how']})" if row["how"] else str(label),
            number(row["observed"]),
            _simulated(row, "predicted_"),
            simulated(row["p"], row["p_mcse"]),
        )
        for label, row in table.iterrows()
    ]
    return Grid(("statistic", "observed", "predicted", "p"), rows)


def _implied(outcome: OutcomeResult) -> Grid | None:
    """What the priors say before the data."""
    table = outcome.tables.get("prior-predictive")
    if table is None:
        return None
    rows = [
        (
            str(label),
            _simulated(row),
            _share(row["absurd"], row["absurd_mcse"]),
            str(row["rule"]),
        )
        for label, row in table.iterrows()
    ]
    return Grid(("before the data", "median [interval]", "absurd", "called absurd"), rows)


def _simulated(row: "pd.Series", prefix: str = "") -> str:
    names = [f"{prefix}{name}" for name in ("median", "lower", "upper")]
    return simulated_interval([row[name] for name in names], [row[f"{n}_mcse"] for n in names])


def _share(share: float, error: float) -> str:
    """A share of draws: whole per cents where their number does not tell more."""
    if not math.isfinite(share) or error < 1e-3 or not 0.01 < share < 0.99:
        return percent(share)
    return f"{100 * share:.0f}%"


def _penalty(outcome: OutcomeResult) -> Grid | None:
    """How much wider quantiles leave the effects than means and SDs made of them."""
    table = outcome.tables.get("width-penalty")
    if table is None:
        return None
    rows = [
        (
            str(label),
            *(
                number(cell) if isinstance(cell, float) else str(cell)
                for cell in row.fillna("–").to_list()
            ),
        )
        for label, row in table.iterrows()
    ]
    return Grid(("study", *(str(name).replace("_", " ") for name in table.columns)), rows)


def _definitions(outcome: OutcomeResult) -> Grid | None:
    table = outcome.tables.get("quartile-definitions")
    if table is None:
        return None
    rows = [
        (str(label), interval(*(row[f"{name}_natural"] for name in ("estimate", "lower", "upper"))))
        for label, row in table.iterrows()
    ]
    return Grid(("quartiles", f"{outcome.measure}, median"), rows)


def _left_out(outcome: OutcomeResult) -> Grid | None:
    """Each study as predicted from the others, and how well it is fitted."""
    table = outcome.tables.get("loo")
    if table is None:
        return None
    fitted = outcome.tables.get("deviance")
    rows = []
    for label, row in table.iterrows():
        cells = [str(label), number(row["elpd"]), number(row["pit"], 3), str(row["how"])]
        if math.isfinite(row["pareto_k"]):
            cells[-1] += f", Pareto k {number(row['pareto_k'])}"
        if fitted is not None:
            own = fitted.loc[label]
            cells += [f"{number(own['residual'])} of {own['points']:.0f}", number(own["leverage"])]
        rows.append(cells)
    headings = ("study", "log predictive density", "LOO-PIT", "how")
    more = ("residual deviance of points", "leverage") if fitted is not None else ()
    return Grid((*headings, *more), rows)


def _fit_in_words(outcome: OutcomeResult) -> str:
    """Totals of the predictions and of the fit."""
    said = []
    loo, fitted = outcome.checks.loo, outcome.checks.deviance
    if loo is not None and math.isfinite(loo.total):
        said.append(
            f"Predicted: {loo.target}. Log predictive density of all studies (elpd) "
            f"{number(loo.total)}, SE {number(loo.se)}; effective number of shared parameters "
            f"{number(loo.p_loo)}"
        )
    if fitted is not None:
        said.append(
            f"Total residual deviance {number(fitted.total)} for {fitted.points.sum():.0f} data "
            f"points, pD {number(fitted.p_d)}, DIC {number(fitted.dic)}"
        )
        if max(fitted.mcse) > 0:
            errors = ", ".join(number(error) for error in fitted.mcse)
            said[-1] += f" (from draws, with Monte Carlo standard errors of {errors})"
    return ". ".join(said)


def _trust(outcome: OutcomeResult) -> Grid | None:
    found = outcome.checks.trust
    if found is None:
        return None
    rows = [
        (
            one.kind,
            f"{one.check}{': ' + one.where if one.where else ''}",
            one.figure,
            one.limit,
            one.verdict,
        )
        for one in found.verdicts
    ]
    return Grid(("kind", "check", "value", "limit", "verdict"), rows)


def _diagnostics(outcome: OutcomeResult) -> Grid | None:
    table = outcome.tables.get("diagnostics")
    if table is None:
        return None
    rows = [
        (
            str(label),
            str(row["engine"]),
            f"{row['check']}{' (' + row['where'] + ')' if row['where'] else ''}",
            beside(row["value"], row["limit"]),
            f"{row['limit']:g}",
            "passed" if row["passed"] else "FAILED",
        )
        for label, row in table.iterrows()
    ]
    return Grid(("fit", "engine", "check", "value", "limit", "verdict"), rows)


def _sources(outcome: OutcomeResult) -> Grid | None:
    """The table as read, every column, so that each number keeps its source."""
    return None if outcome.sources is None else plain_grid(outcome.sources.fillna(""), index=False)


def _second_attempts(outcome: OutcomeResult) -> Sequence[str]:
    return [label for label, fit in outcome.posteriors.items() if fit.diagnostics.attempts > 1]
