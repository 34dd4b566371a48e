"""The fifty items, who asks for each, and its evidence.

Items and numbers after BARG (Kruschke 2021, Nat Hum Behav 5:1282), ROBUST (Sung 2005, J Clin
Epidemiol 58:261), WAMBS (Depaoli & van de Schoot 2017, Psychol Methods 22:240), BaSiS (2001),
PRISMA 2020 (Page 2021, BMJ 372:n71), NICE DSU TSD 2 to 7, the Cochrane Handbook, and GRADE.
"""

from typing import NamedTuple

from ...variations import Kind
from ._evidence import (
    account,
    baseline,
    beside,
    bias,
    chains,
    converted,
    effects,
    empty_cells,
    gates,
    has_rows,
    has_sources,
    new_setting,
    of_people,
    of_tau,
    plain,
    reasons,
    reporting_bias,
    second,
    told_beside,
    varied,
    zeros_told,
)
from ._found import (
    Find,
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
        of_each(account, has_rows, "data"),
    ),
    Item(
        5,
        "Data per study as used, with their source",
        "PRISMA, BARG, TSD 7",
        of_each("every row of the table names its source", has_sources, "data"),
    ),
    Item(
        6,
        "Conversions: method and studies concerned",
        "PRISMA, Cochrane",
        tables("how each figure was derived", "provenance", part="data", of=converted),
    ),
    Item(
        7,
        "Studies without events: rule, and what it does",
        "Cochrane, PRISMA",
        of_each(
            "½ added, studies dropped, and the answer without them", zeros_told, "data", empty_cells
        ),
    ),
    Item(8, "Missing outcome data", "Cochrane, PRISMA", written("missing_data")),
    Item(9, "Risk of bias of each study", "PRISMA, Cochrane", bias),
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
    Item(13, "Distribution of study effects, and why", "TSD 3, Cochrane", effects),
    Item(
        14,
        "Every prior with its implied range",
        "BARG, ROBUST, WAMBS, TSD 7",
        of_each("each prior with what it means", lambda one: bool(one.asked), "model"),
    ),
    Item(15, "Why each prior; whether fixed before the data", "ROBUST, BARG", reasons),
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
        of_each("baselines with their origin", baseline, "people", of_people),
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
        of_each("the sampler's settings (tables/diagnostics.csv)", chains, "", sampled),
    ),
    Item(22, "R-hat", "BARG", gates("R-hat")),
    Item(23, "Effective sample sizes", "BARG", gates("bulk ESS", "tail ESS")),
    Item(24, "Divergences and energy", "WAMBS", gates("divergences", "E-BFMI")),
    Item(
        25,
        "Error of integrated answers",
        "BARG",
        gates("quadrature error", of=integrated, exact=True),
    ),
    Item(
        26,
        "A second engine",
        "FDA, BaSiS",
        of_each("integrated and sampled posteriors agree", second, "", sampled),
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
        of_each("tau before and after (tables/prior-posterior.csv)", of_tau, "checks", pooled),
    ),
    Item(
        31,
        "Prediction in a new setting",
        "Cochrane, TSD 3",
        of_each("the prediction interval (tables/studies.csv)", new_setting, "forest", pooled),
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
            of=of_people,
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
        tables("per 1,000 patients", "absolute", part="people", of=of_people),
    ),
    Item(
        36,
        "Frequentist and published figures beside, with reasons for gaps",
        "Cochrane, IQWiG",
        of_each(told_beside, beside, "compared", pooled),
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
        varied(Kind.TAU, Kind.MU),
    ),
    Item(
        42,
        "Sensitivity to likelihood, distribution of effects, inclusion",
        "PRISMA, Cochrane",
        varied(Kind.LIKELIHOOD, Kind.EFFECTS, Kind.WITHOUT),
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
        reporting_bias,
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
        of_each("the first sentence of each outcome", plain, ""),
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
