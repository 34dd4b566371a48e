"""The fifty items, who asks for each, and its evidence.

Items and numbers after BARG (Kruschke 2021, Nat Hum Behav 5:1282), ROBUST (Sung 2005, J Clin
Epidemiol 58:261), WAMBS (Depaoli & van de Schoot 2017, Psychol Methods 22:240), BaSiS (2001),
PRISMA 2020 (Page 2021, BMJ 372:n71), NICE DSU TSD 2 to 7, the Cochrane Handbook, and GRADE.
"""

from typing import NamedTuple

from ...model import Model
from ...variations import Kind
from .. import OutcomeResult, Results
from ..labels import label_of
from ..methods import REFERENCES, methods
from ._found import (
    Find,
    Found,
    Has,
    Status,
    both,
    compared,
    integrated,
    of_each,
    of_run,
    one_effect,
    pooled,
    sampled,
    several,
    tables,
    written,
)


class Item(NamedTuple):
    """One item of the checklist.

    Attributes
    ----------
    number : int
    words : str
    asked_by : str
        Guidelines.
    find : callable
        From the results of a run to what it has of the item.
    """

    number: int
    words: str
    asked_by: str
    find: Find


def _sources(outcome: OutcomeResult) -> bool:
    """Whether every row of its table names a source."""
    read = outcome.sources
    if read is None:
        return False
    names = [name for name in read.columns if str(name).lower() in ("source", "citation", "doi")]
    return any(read[name].fillna("").astype(str).str.strip().ne("").all() for name in names)


def _rows(outcome: OutcomeResult) -> bool:
    return outcome.main is not None and bool(outcome.main.account.lines)


def _account(outcome: OutcomeResult) -> str:
    """What became of the rows of its table."""
    return outcome.main.account.lines[0] if outcome.main is not None else ""


def _converted(outcome: OutcomeResult) -> bool:
    """Whether anything was derived from what is printed."""
    return outcome.main is not None and bool(outcome.main.account.forms)


def _empty(outcome: OutcomeResult) -> bool:
    """Whether any study has an empty cell."""
    if not _discrete(outcome) or outcome.main is None:
        return False
    return bool(outcome.main.account.dropped or outcome.main.account.added)


def _zeros(outcome: OutcomeResult) -> bool:
    """Whether it is told what was added, and what studies without events do."""
    if outcome.main is None or not outcome.main.account.lines:
        return False
    return not outcome.main.account.dropped or outcome.evidence.zeros is not None


def _discrete(outcome: OutcomeResult) -> bool:
    return pooled(outcome) and outcome.main is not None and outcome.main.data.discrete


def _of_people(outcome: OutcomeResult) -> bool:
    """Whether two arms of counts are compared, so that it can be told of people."""
    return _discrete(outcome) and outcome.compares


def _varied(*kinds: Kind) -> Find:
    """An item that rows of the scenario table show."""

    def has(outcome: OutcomeResult) -> bool:
        made = set() if outcome.what_if is None else {one.kind for one in outcome.what_if.rows}
        return all(kind in made for kind in kinds)

    said = f"scenarios: {', '.join(kinds)} (tables/what-if.csv)"
    return of_each(said, has, "what-if", several)


def _gates(*checks: str, of: Has = sampled, exact: bool = False) -> Find:
    """An item that the numerical gates of every fit of an engine show."""

    def has(outcome: OutcomeResult) -> bool:
        table = outcome.tables.get("diagnostics")
        if table is None:
            return False
        labels = {label_of(place) for place, fit in outcome.fits.items() if fit.exact is exact}
        known = table.groupby("fit")["check"].agg(set).to_dict()
        return all(set(checks) <= known.get(label, set()) for label in labels)

    return of_each(f"{', '.join(checks)} of every such fit (tables/diagnostics.csv)", has, "", of)


def _effects(run: Results) -> Found:
    """Whether another distribution of the effects was tried; why this one is a person's."""
    return both(_varied(Kind.EFFECTS), "random_effects")(run)


def _reasons(run: Results) -> Found:
    """Whether every prior has its reason; a default one is to be confirmed."""
    lacking = {
        f"{name} of {outcome.title}"
        for outcome in run.outcomes
        for model in outcome.asked.values()
        for name in model.priors
        if not outcome.why.get(_stated_as(name, model)) and not model.cited.get(name)
    }
    if lacking:
        named = sorted(lacking)
        more = f" and {len(named) - 1} more" if len(named) > 1 else ""
        return Found(Status.DEFAULT, f"no reason is stated for {named[0]}{more}")
    stated = of_each("a reason for every prior", lambda one: bool(one.why), "model")
    return both(stated, "priors_fixed")(run)


def _stated_as(name: str, model: Model) -> str:
    """Under which key of `why` the reason for a prior stands."""
    if name in model.other_priors:
        return name.removesuffix("_mean").removesuffix("_sd") if "baseline" in name else name
    return "mu" if name in ("mu", "intercept") or not model.location.has_slopes else "slopes"


def _baseline(outcome: OutcomeResult) -> bool:
    return outcome.absolute is not None and bool(outcome.control_risk_origin)


def _second(outcome: OutcomeResult) -> bool:
    """Whether chains that converged agree with what was integrated."""
    if outcome.main is None or outcome.main.unconverged is not None or not outcome.coherence.passed:
        return False
    return {fit.exact for fit in outcome.fits.values()} == {True, False}


def _beside(outcome: OutcomeResult) -> bool:
    """Whether other methods are told, and why published figures differ."""
    figures = [one for one in outcome.published if one.published.has_interval and one.compare_with]
    return {"comparison", "heterogeneity"} <= set(outcome.tables) and all(
        one.explanation is not None for one in figures
    )


def _told_beside(outcome: OutcomeResult) -> str:
    given = "published figures explained" if outcome.published else "no published figure was given"
    return f"every interval of every method (tables/comparison.csv); {given}"


def _chains(outcome: OutcomeResult) -> bool:
    """Whether the settings of the sampler are stored."""
    table = outcome.tables.get("diagnostics")
    return table is not None and any("draws=" in str(one) for one in table["engine"])


def _of_tau(outcome: OutcomeResult) -> bool:
    moved = outcome.tables.get("prior-posterior")
    return moved is not None and "tau" in moved.index


def _new(outcome: OutcomeResult) -> bool:
    studies = outcome.tables.get("studies")
    return studies is not None and any("prediction" in str(one) for one in studies.index)


def _reporting_bias(run: Results) -> Found:
    """Whether tests of small-study effects are shown; with few studies that nothing was done."""
    tested = tables("tests of small-study effects", "small-study", of=several)(run)
    if tested.status in (Status.MET, Status.NOT_ASKED):
        return tested
    said = "too few estimates to test, and selection is not modelled: the methods say so"
    return Found(Status.PARTLY, said, "#methods-paragraph")


def _guided(run: Results) -> bool:
    """Whether the methods name the guidelines."""
    return {REFERENCES["prisma"], REFERENCES["barg"]} <= set(methods(run).references)


def _plain(outcome: OutcomeResult) -> bool:
    return "comparison" in outcome.tables or outcome.by_covariates


ITEMS = (
    Item(
        1, "Question", "PRISMA, TSD 7", of_run("the question", lambda run: bool(run.question), "")
    ),
    Item(
        2,
        "Why a Bayesian analysis, and its frequentist comparator",
        "BARG, ROBUST, Cochrane",
        both(
            tables("other methods side by side", "comparison", part="compared", of=one_effect),
            "why_bayesian",
        ),
    ),
    Item(3, "Goal: estimate, decide or predict", "BARG, TSD 3", written("goal")),
    Item(
        4,
        "Studies of each synthesis, and reasons for exclusion",
        "PRISMA",
        of_each(_account, _rows, "data"),
    ),
    Item(
        5,
        "Data per study as used, with their source",
        "PRISMA, BARG, TSD 7",
        of_each("every row of the table names its source", _sources, "data"),
    ),
    Item(
        6,
        "Conversions: method and studies concerned",
        "PRISMA, Cochrane",
        tables("how each figure was derived", "provenance", part="data", of=_converted),
    ),
    Item(
        7,
        "Studies without events: rule, and what it does",
        "Cochrane, PRISMA",
        of_each("½ added, studies dropped, and the answer without them", _zeros, "data", _empty),
    ),
    Item(8, "Missing outcome data", "Cochrane, PRISMA", written("missing_data")),
    Item(9, "Risk of bias of each study", "PRISMA, Cochrane", written("risk_of_bias")),
    Item(10, "Unit of analysis", "Cochrane, TSD 2", written("unit_of_analysis")),
    Item(
        11,
        "Effect measure, scales of analysis and of reporting",
        "PRISMA, TSD 2",
        of_each("measure and models of every outcome", lambda one: bool(one.asked), ""),
    ),
    Item(
        12,
        "Likelihood, link and hierarchy, in mathematics and in code",
        "BARG, ROBUST, BaSiS, TSD 2",
        of_each("each model, with its PyMC source", lambda one: bool(one.asked), "model"),
    ),
    Item(13, "Distribution of study effects, and why", "TSD 3, Cochrane", _effects),
    Item(
        14,
        "Every prior with its implied range",
        "BARG, ROBUST, WAMBS, TSD 7",
        of_each("each prior with what it means", lambda one: bool(one.asked), "model"),
    ),
    Item(15, "Why each prior; whether fixed before the data", "ROBUST, BARG", _reasons),
    Item(
        16,
        "Prior predictive check",
        "BARG, WAMBS",
        tables(
            "what the priors predict of each study",
            "prior-predictive",
            "prior-conflict",
            of=one_effect,
        ),
    ),
    Item(
        17,
        "Weight of the priors",
        "FDA",
        tables("prior and data scaled by 0.8 and 1.25", "power-scaling", of=one_effect),
    ),
    Item(
        18,
        "Baseline risk: its source, apart from the effect or with it",
        "TSD 5, TSD 7",
        of_each("baselines with their origin", _baseline, "people", _of_people),
    ),
    Item(19, "Subgroups and covariates, planned or not", "PRISMA, Cochrane", written("subgroups")),
    Item(
        20,
        "Software, versions, device, precision",
        "BARG, PRISMA, TSD 7",
        of_run(
            "versions of every program", lambda run: bool(run.versions and run.device), "#methods"
        ),
    ),
    Item(
        21,
        "Chains, warm-up, draws, seeds",
        "BARG, WAMBS",
        of_each("the sampler's settings (tables/diagnostics.csv)", _chains, "", sampled),
    ),
    Item(22, "R-hat", "BARG", _gates("R-hat")),
    Item(23, "Effective sample sizes", "BARG", _gates("bulk ESS", "tail ESS")),
    Item(24, "Divergences and energy", "WAMBS", _gates("divergences", "E-BFMI")),
    Item(
        25,
        "Error of integrated answers",
        "BARG",
        _gates("quadrature error", of=integrated, exact=True),
    ),
    Item(
        26,
        "A second engine",
        "FDA, BaSiS",
        of_each("integrated and sampled posteriors agree", _second, "", sampled),
    ),
    Item(
        27,
        "Posterior predictive check; studies that fit badly",
        "BARG, BaSiS, TSD 2",
        tables("replications of the data; each study left out", "predictive", "loo", of=several),
    ),
    Item(
        28,
        "Residual deviance, DIC, effective parameters",
        "TSD 2, TSD 7",
        tables("deviance of each study", "deviance", of=several),
    ),
    Item(
        29,
        "Posterior of each effect: centre, interval, density",
        "BARG, ROBUST, PRISMA",
        tables("medians, central intervals and densities", "parameters", of=one_effect),
    ),
    Item(
        30,
        "Posterior of tau over its prior",
        "TSD 3, Cochrane",
        of_each("tau before and after (tables/prior-posterior.csv)", _of_tau, "checks", pooled),
    ),
    Item(
        31,
        "Prediction in a new setting",
        "Cochrane, TSD 3",
        of_each("the prediction interval (tables/studies.csv)", _new, "forest", pooled),
    ),
    Item(
        32,
        "Each study's own and shrunken estimate, and weight",
        "PRISMA",
        tables("both estimates and weights", "studies", "weights", part="forest", of=pooled),
    ),
    Item(
        33,
        "Probability of each direction, and beyond thresholds",
        "BARG",
        tables(
            "probabilities over all thresholds",
            "thresholds",
            part="people",
            of=_of_people,
        ),
    ),
    Item(
        34,
        "Bayes factors with their priors",
        "BARG, BaSiS",
        tables(
            "factors, and over the scale of the priors",
            "bayes-factors",
            "bayes-factor-curve",
            of=pooled,
        ),
    ),
    Item(
        35,
        "Absolute effects, with NNT",
        "GRADE, Cochrane, PRISMA",
        tables("per 1,000 patients", "absolute", part="people", of=_of_people),
    ),
    Item(
        36,
        "Frequentist and published figures beside, with reasons for gaps",
        "Cochrane, IQWiG",
        of_each(_told_beside, _beside, "compared", pooled),
    ),
    Item(
        37,
        "Why a decision, and limits of importance with their source",
        "BARG",
        written("decision"),
    ),
    Item(
        38,
        "Joint draws for a decision model",
        "TSD 6, NICE",
        of_each(
            "posterior.nc, all parameters together", lambda one: bool(one.fits), "", one_effect
        ),
    ),
    Item(39, "CEAC, EVPI", "NICE, ISPOR", written("economics")),
    Item(
        40,
        "Certainty of evidence, and the facts behind it",
        "PRISMA, GRADE",
        both(
            of_run(
                "facts for each domain (findings.csv)",
                lambda run: run.findings is not None,
                "#findings",
            ),
            "certainty",
        ),
    ),
    Item(
        41,
        "Sensitivity to priors",
        "BARG, ROBUST, WAMBS, TSD 7",
        _varied(Kind.TAU, Kind.MU),
    ),
    Item(
        42,
        "Sensitivity to likelihood, distribution of effects, inclusion",
        "PRISMA, Cochrane",
        _varied(Kind.LIKELIHOOD, Kind.EFFECTS, Kind.WITHOUT),
    ),
    Item(
        43,
        "Influence of single studies, and what turns the conclusion",
        "Cochrane, WAMBS",
        tables("influence, and what it takes", "influence", "tipping", part="what-if", of=compared),
    ),
    Item(
        44,
        "Conflict of prior and data",
        "FDA",
        tables("what was observed against what priors predict", "prior-conflict", of=one_effect),
    ),
    Item(
        45,
        "Reporting bias",
        "PRISMA, Cochrane",
        _reporting_bias,
    ),
    Item(46, "Deviations from protocol", "PRISMA", written("deviations")),
    Item(
        47,
        "Data, specification, seed, hashes",
        "BARG, PRISMA",
        of_run(
            "specification, seed and SHA-256 of every table",
            lambda run: bool(run.hashes and run.specification),
            "#methods",
        ),
    ),
    Item(
        48,
        "A plain reading of the interval",
        "BaSiS, WAMBS",
        of_each("the first sentence of each outcome", _plain, ""),
    ),
    Item(
        49,
        "Limits of the analysis",
        "BaSiS, PRISMA",
        of_run("limits, as specified", lambda run: bool(run.limits), "#limits"),
    ),
    Item(
        50,
        "Current guidelines named",
        "PRISMA",
        of_run(
            "PRISMA 2020 and BARG, in the methods",
            lambda run: bool(run.versions),
            "#methods-paragraph",
        ),
    ),
)
