"""The tables of an outcome: what is printed, written as CSV and shown in the report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..checks import Checks
from ..comparison import Fit, compare
from ..effects import ATANH_RD, MEASURES
from ..explanation import FIGURES
from ..frequentist import FrequentistFit
from ..moderators import Moderators
from ..summaries import ForestRow, forest_rows, prior_posterior, prob_benefit, rows_table, summary
from . import OutcomeResult, PublishedResult, ScenarioResult
from .display import printed as as_printed
from .keys import FitKey, Line, numbered
from .labels import LABELS, label_of, label_of_line
from .moderated import asked_table, moderator_tables
from .rows import rows_tables

if TYPE_CHECKING:
    import pandas as pd

COMPARATORS: Mapping[str, Line] = {  # by prefix of their columns
    "mh_": Line(FitKey.MANTEL_HAENSZEL),
    "reml_": Line(FitKey.REML, "HKSJ truncated"),
}


class Kind(StrEnum):
    """Where an answer comes from."""

    POSTERIOR = "posterior"
    FREQUENTIST = "frequentist"
    PUBLISHED = "published"


class Answer(NamedTuple):
    """One answer to the question of a scenario.

    Attributes
    ----------
    kind : Kind
        Where it comes from.
    label : str
        What people call it.
    fit : Posterior, FrequentistFit or Published
    line : Line or None
        Which of our own it is; None for what others published.
    """

    kind: Kind
    label: str
    fit: Fit
    line: Line | None = None


def outcome_tables(outcome: OutcomeResult, *, prob: float) -> Mapping[str, "pd.DataFrame"]:
    """Make every table of an outcome; ratios are given on both scales.

    Columns ``estimate``, ``lower``, ``upper`` are on the analysis scale; the same with
    ``_natural`` are what people read.
    """
    tables = dict(_of_answer(outcome, prob))
    if outcome.bias is not None:
        tables["risk-of-bias"] = outcome.bias.table()
    if outcome.absolute is not None:
        tables["absolute"] = outcome.absolute.table()
        tables["thresholds"] = outcome.absolute.curve()
    if outcome.what_if is not None:
        tables["what-if"] = outcome.what_if.table()
    tables |= checks_tables(outcome.checks)
    if outcome.published:
        tables["published"] = published_table(outcome, prob=prob)
        tables["explained"] = explained_table(outcome)
    if outcome.fits:
        tables["diagnostics"] = diagnostics_table(outcome)
    return {name: table for name, table in tables.items() if len(table)}


def _of_answer(outcome: OutcomeResult, prob: float) -> Mapping[str, "pd.DataFrame"]:
    """The tables of the answer and of what it rests on, of one effect or of several."""
    main = outcome.main
    if main is None:
        return {}
    if main.moderators is not None:
        return of_covariates(outcome, main, main.moderators, prob)
    tables: dict[str, pd.DataFrame] = {}
    tables["studies"] = _natural(rows_table(outcome_forest(outcome, prob=prob)), outcome.measure)
    tables["comparison"] = compare_table(outcome, main, prob=prob)
    for index, one in enumerate(outcome.scenarios[1:], start=2):
        if any(figure.compare_with == one.name for figure in outcome.published):
            tables[numbered("comparison", index)] = compare_table(outcome, one, prob=prob)
            tables[numbered("heterogeneity", index)] = heterogeneity_table(one)
    tables["scenarios"] = scenario_table(outcome, prob=prob)
    tables["parameters"] = summary(main.answer, prob=prob)
    tables["prior-posterior"] = prior_posterior(main.answer, prob=prob)
    tables["heterogeneity"] = heterogeneity_table(main)
    tables |= rows_tables(main)
    tables |= evidence_tables(outcome)
    tables |= robustness_tables(main)
    return tables


def of_covariates(
    outcome: OutcomeResult, main: ScenarioResult, found: Moderators, prob: float
) -> Mapping[str, "pd.DataFrame"]:
    """The tables of an answer that depends on covariates; those of one effect are not made."""
    return {
        **moderator_tables(found, prob=prob),
        "scenarios-asked": asked_table(outcome.scenarios, prob=prob),
        "parameters": summary(main.answer, prob=prob),
        "prior-posterior": prior_posterior(main.answer, prob=prob),
        **rows_tables(main),
        **evidence_tables(outcome),
    }


def checks_tables(checks: Checks) -> Mapping[str, "pd.DataFrame"]:
    """What the priors imply, what the model predicts, and every check in one list."""
    found: dict[str, pd.DataFrame] = {}
    if checks.prior is not None:
        found["prior-predictive"] = checks.prior.table()
        found["prior-conflict"] = checks.prior.conflict()
    others = {
        "power-scaling": checks.scaling,
        "predictive": checks.predictive,
        "loo": checks.loo,
        "deviance": checks.deviance,
        "trust": checks.trust,
    }
    return found | {name: one.table() for name, one in others.items() if one is not None}


def robustness_tables(main: ScenarioResult) -> Mapping[str, "pd.DataFrame"]:
    """Influence of single studies, and tests of small-study effects."""
    pair = {"influence": main.robustness.influence, "small-study": main.robustness.small_study}
    return {name: table for name, table in pair.items() if table is not None}


def evidence_tables(outcome: OutcomeResult) -> Mapping[str, "pd.DataFrame"]:
    """Bayes factors, weights, and the answer without studies without events."""
    found, evidence = {}, outcome.evidence
    if evidence.factors is not None:
        found["bayes-factors"] = evidence.factors.table()
        found["tau-by-scale"] = evidence.factors.tau_by_scale
    if evidence.curve is not None:
        found["bayes-factor-curve"] = evidence.curve.table()
    if evidence.reverse is not None:
        found["reverse-bayes"] = evidence.reverse.table()
    if evidence.tipping is not None:
        counts = {"one-event": evidence.tipping.counts()} if evidence.tipping.one_event else {}
        found |= {"tipping": evidence.tipping.table(), **counts}
    if evidence.weights is not None:
        found["weights"] = evidence.weights
    if evidence.penalty is not None and evidence.definitions is not None:
        found["width-penalty"] = evidence.penalty
        found["quartile-definitions"] = _natural(evidence.definitions, outcome.measure)
    if evidence.zeros is not None:
        zeros = evidence.zeros
        ends = {
            f"{name}_natural": outcome.scale.natural(zeros[name].to_numpy(float))
            for name in ("median", "lower", "upper")
        }
        found["zero-studies"] = zeros.assign(**ends)
    return found


def outcome_forest(outcome: OutcomeResult, *, prob: float) -> Sequence[ForestRow]:
    """Forest rows of the main scenario, with the comparators a plot has room for."""
    main = outcome.main
    if main is None:
        return ()
    shown = {line.key for line in COMPARATORS.values()}
    brief = {key: fit for key, fit in main.pooled.items() if key in shown}
    return forest_rows(
        main.answer,
        frequentist={label_of_line(at): fit for at, fit in every_interval(brief).items()},
        published={one.label: one.published for one in _beside(main, outcome.published)},
        prob=prob,
    )


def compare_table(
    outcome: OutcomeResult, scenario: ScenarioResult, *, prob: float
) -> "pd.DataFrame":
    """Every answer of one scenario beside the figures published for it."""
    fits = {one.label: one.fit for one in answers(scenario, outcome.published)}
    return _natural(compare(fits, prob=prob, better=outcome.better), outcome.measure)


def compared(outcome: OutcomeResult, index: int) -> "Sequence[tuple[Answer, pd.Series]]":
    """The answers of a scenario, each with its row of the comparison; none where it has none."""
    table = outcome.tables.get(numbered("comparison", index))
    if table is None:
        return ()
    rows = [row for _, row in table.iterrows()]
    return [*zip(answers(outcome.scenarios[index - 1], outcome.published), rows, strict=True)]


def answers(scenario: ScenarioResult, published: Sequence[PublishedResult]) -> Sequence[Answer]:
    """Posteriors, every interval of the other methods, and the figures published beside them."""
    ours = {Line(key): fit for key, fit in scenario.fits.items()}
    intervals = every_interval(scenario.pooled)
    return (
        *(Answer(Kind.POSTERIOR, label_of_line(at), fit, at) for at, fit in ours.items()),
        *(Answer(Kind.FREQUENTIST, label_of_line(at), fit, at) for at, fit in intervals.items()),
        *(Answer(Kind.PUBLISHED, one.label, one.published) for one in _beside(scenario, published)),
    )


def _beside(
    scenario: ScenarioResult, published: Sequence[PublishedResult]
) -> Sequence[PublishedResult]:
    return [one for one in published if one.compare_with == scenario.name]


def every_interval(fits: Mapping[FitKey, FrequentistFit]) -> Mapping[Line, FrequentistFit]:
    """One entry per interval of a fit: Wald, HKSJ and truncated HKSJ stand together.

    Kenward and Roger's is left to those who ask for it: with few studies and no heterogeneity it
    says nothing.
    """
    return {
        Line(key, None if len(fit.spreads) == 1 else name): replace(fit, chosen=name)
        for key, fit in fits.items()
        for name in fit.spreads
        if name != "KR"
    }


def comparators(outcome: OutcomeResult) -> Mapping[str, Line]:
    """Those an outcome has, by prefix of their columns: single arms have no Mantel–Haenszel."""
    return {
        prefix: line
        for prefix, line in COMPARATORS.items()
        if outcome.compares or line.key != FitKey.MANTEL_HAENSZEL
    }


def scenario_table(outcome: OutcomeResult, *, prob: float) -> "pd.DataFrame":
    """One row per scenario: the answer, its probability of benefit, and two comparators."""
    import pandas as pd

    rows = {one.name: _scenario_row(outcome, one, prob) for one in outcome.scenarios}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("scenario")
    return _natural(table, outcome.measure, prefixes=("", *comparators(outcome)))


def _scenario_row(outcome: OutcomeResult, one: ScenarioResult, prob: float) -> dict[str, object]:
    mu = one.answer.at()
    ends = np.array([mu.quantile(0.5), *mu.interval(prob)])
    if outcome.scale == ATANH_RD:  # beside the others, which analyse the difference as it is
        ends = ATANH_RD.natural(ends)
    row: dict[str, object] = {
        "k": one.data.k,
        **dict(zip(("estimate", "lower", "upper"), ends.tolist(), strict=True)),
        **({} if outcome.better is None else {"prob_benefit": prob_benefit(mu, outcome.better)}),
        "sound": one.answer.diagnostics.passed,
    }
    for prefix, (key, name) in comparators(outcome).items():
        fit = one.pooled.get(key)
        values = (fit.estimate, *fit.interval(prob, name=name)) if fit else (np.nan,) * 3
        row |= {
            f"{prefix}{name}": value
            for name, value in zip(("estimate", "lower", "upper"), values, strict=True)
        }
    return row


def heterogeneity_table(scenario: ScenarioResult) -> "pd.DataFrame":
    """Q, its p, I² and tau² of every frequentist fit."""
    import pandas as pd

    lower, upper = scenario.robustness.tau2_interval or (np.nan, np.nan)
    return pd.DataFrame.from_dict(
        {
            LABELS[key]: {
                "k": fit.k,
                "q": fit.q,
                "q_df": fit.q_df,
                "q_p": fit.q_p,
                "i2_percent": fit.i2,
                "i2_q_percent": fit.i2_q,
                "tau2": np.nan if fit.tau2 is None else fit.tau2,
                "tau2_lower": np.nan if fit.tau2 is None else lower,
                "tau2_upper": np.nan if fit.tau2 is None else upper,
                "prediction_lower": np.nan if fit.prediction is None else fit.prediction[0],
                "prediction_upper": np.nan if fit.prediction is None else fit.prediction[1],
            }
            for key, fit in scenario.pooled.items()
        },
        orient="index",
    ).rename_axis("fit")


def explained_table(outcome: OutcomeResult) -> "pd.DataFrame":
    """What comes nearest each published figure, and what that is worth."""
    import pandas as pd

    rows = {}
    for one in outcome.published:
        found = one.explanation
        if found is None:
            continue
        best = found.candidates[0]
        moved = found.choices[0] if found.choices else None
        rows[one.label] = {
            "printed": found.printed,
            "scenario": one.compare_with,
            "tried": found.tried,
            "reproducing": found.reproducing,
            "nearest_natural": best.figures["estimate"],
            "nearest_lower_natural": best.figures["lower"],
            "nearest_upper_natural": best.figures["upper"],
            **{f"nearest_{name}": best.figures.get(name, np.nan) for name in FIGURES[3:]},
            "off_by_last_digits": best.miss,
            "off_most": found.farthest,
            "convention": str(best.convention),
            "programs": "; ".join(found.named),
            "largest_move": "" if moved is None else moved.in_words(found.published),
            "matches_by_chance": found.chance,
            "any_by_chance": found.chance_of_any,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("figure")


def published_table(outcome: OutcomeResult, *, prob: float) -> "pd.DataFrame":
    """Published figures as printed, and where analysed alone, what they say."""
    import pandas as pd

    rows = {}
    for one in outcome.published:
        printed = one.published
        values = (np.nan,) * 3
        if one.posterior is not None:
            mu = one.posterior.at()
            values = (mu.quantile(0.5), *mu.interval(prob))
        ends = dict(zip(("estimate", "lower", "upper"), map(float, values), strict=True))
        natural = MEASURES[printed.measure or "GEN"].natural  # each by its own measure
        rows[one.label] = {
            "measure": printed.measure,
            "printed": as_printed(printed),
            "p": printed.p,
            "k": printed.k,
            "n": printed.n,
            "prior": repr(one.posterior.model.overall) if one.posterior else "",
            **ends,
            **{f"{name}_natural": float(natural(value)) for name, value in ends.items()},
            "reverse": "" if one.reverse is None else one.reverse.sentence,
            "p_intrinsic": np.nan if one.reverse is None else one.reverse.p_intrinsic,
            "prob_benefit": one.prob_benefit,
            "citation": printed.citation,
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("figure")
    return table if outcome.compares else table.drop(columns="prob_benefit")


def diagnostics_table(outcome: OutcomeResult) -> "pd.DataFrame":
    """Every numerical gate of every fit: value, limit, verdict."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "fit": label_of(place),
                "engine": posterior.engine,
                "check": check.name,
                "where": check.where,
                "value": check.value,
                "limit": check.limit,
                "passed": check.passed,
                "attempts": posterior.diagnostics.attempts,
            }
            for place, posterior in outcome.fits.items()
            for check in posterior.diagnostics.checks
        ]
    ).set_index("fit")


def _natural(
    table: "pd.DataFrame", measure: str, *, prefixes: tuple[str, ...] = ("",)
) -> "pd.DataFrame":
    """Add the natural scale beside the analysis scale."""
    added = {
        f"{prefix}{name}_natural": MEASURES[measure].natural(
            table[f"{prefix}{name}"].to_numpy(float)
        )
        for prefix in prefixes
        for name in ("estimate", "lower", "upper")
    }
    return table.assign(**added)
