"""Bayesian meta-analysis that a reviewer can trust.

Completion shows the main job: tables, models, ``fit``, what reads a fit and says whether to believe
it, and three rooms more, ``priors``, ``frequentist`` and ``plots``. What these hold stands here by
its own name too (``HalfNormal``, ``egger``), and so does:

- before a fit: `combine_arms`, `split_control`, `cluster_effects`, `change_from_baseline`,
  `derived_correlations`, `skewness_test`, `skewness_caution`, `plausibility`, `Exchangeable`
  baselines, `MEASURES`;
- after it: `power_scaling`, `prior_posterior`, `reverse_bayes`, `tipping_points`,
  `bayes_factor_curve`, `mean_weights`, `zero_studies`, `outliers`, `width_penalty`,
  `quartile_definitions`, `deviance`, `compare_loo`, `coherence`, `Explanation`;
- if it had been decided otherwise: `scenarios`;
- effects that depend on covariates: `Linear` and `ByGroup`, where a model takes the prior of one;
- for a decision model: `psa`, joint draws of every `PsaOutcome`;
- of several outcomes: `summary_of_findings`, `compare_outcomes`, `multivariate_random_effects`,
  `MultivariateFit`, `restricted_log_likelihood`;
- errors: `DataError`, `FileError`, `ModelError`, `SpecError`, all of them `BayesmetaError`.

Importing this loads NumPy alone; each name below brings what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import frequentist, plots, priors
    from .batch import fit_many
    from .checks import (
        check,
        compare_loo,
        deviance,
        loo,
        posterior_predictive,
        power_scaling,
        prior_predictive,
        trust,
    )
    from .comparison import compare
    from .decision import PsaOutcome, absolute_effects, baseline, psa, summary_of_findings
    from .doubts import plausibility
    from .effects import (
        MEASURES,
        EffectSizes,
        change_from_baseline,
        cluster_effects,
        combine_arms,
        convert_quantiles,
        derived_correlations,
        effect_sizes,
        reported_effects,
        skewness_caution,
        skewness_test,
        split_control,
    )
    from .engines import NUTS, Quadrature, fit
    from .errors import BayesmetaError, DataError, FileError, ModelError, SpecError
    from .evidence import (
        bayes_factor_curve,
        bayes_factors,
        mean_weights,
        outliers,
        quartile_definitions,
        reverse_bayes,
        tipping_points,
        width_penalty,
        zero_studies,
    )
    from .explanation import Explanation, explain
    from .frequentist import (
        Convention,
        FrequentistFit,
        PetPeese,
        SmallStudyTest,
        TrimAndFill,
        common_effect,
        cumulative,
        egger,
        glmm,
        harbord,
        influence,
        leave_one_out,
        pet_peese,
        peters,
        pool,
        preset,
        random_effects,
        random_effects_many,
        regression_test,
        small_study_tests,
        tau2_interval,
        trim_and_fill,
    )
    from .implications import coherence
    from .model import (
        BetaBinomial,
        BinomialNormal,
        ByGroup,
        CommonEffect,
        ContinuousCommonEffect,
        ContinuousNormal,
        Exchangeable,
        HypergeometricNormal,
        IncidenceNormal,
        Linear,
        MultivariateNormal,
        NormalNormal,
        OutlierMixture,
        PoissonNormal,
        ProportionNormal,
        default_model,
    )
    from .multivariate import MultivariateEffects
    from .outcomes import compare_outcomes
    from .posterior import Posterior
    from .priors import (
        LKJ,
        Beta,
        Exponential,
        Flat,
        Gamma,
        HalfCauchy,
        HalfNormal,
        HalfT,
        InverseGamma,
        Jeffreys,
        LogNormal,
        LogStudentT,
        Mixture,
        Normal,
        StudentT,
        Uniform,
        parse_prior,
    )
    from .reading import read_studies
    from .reml import MultivariateFit, multivariate_random_effects, restricted_log_likelihood
    from .studies import (
        BinaryStudies,
        ContinuousStudies,
        IncidenceStudies,
        PersonTimeStudies,
        ProportionStudies,
        Published,
    )
    from .summaries import prior_posterior, summary
    from .variations import scenarios

_HOME = {
    "studies": (
        "BinaryStudies",
        "ContinuousStudies",
        "IncidenceStudies",
        "PersonTimeStudies",
        "ProportionStudies",
        "Published",
    ),
    "effects": (
        "MEASURES",
        "EffectSizes",
        "change_from_baseline",
        "cluster_effects",
        "combine_arms",
        "convert_quantiles",
        "derived_correlations",
        "effect_sizes",
        "reported_effects",
        "skewness_caution",
        "skewness_test",
        "split_control",
    ),
    "multivariate": ("MultivariateEffects",),
    "priors": (
        *("LKJ", "Beta", "Exponential", "Flat", "Gamma", "HalfCauchy"),
        *("HalfNormal", "HalfT", "InverseGamma", "Jeffreys", "LogNormal", "LogStudentT"),
        *("Mixture", "Normal", "StudentT", "Uniform", "parse_prior"),
    ),
    "model": (
        "BetaBinomial",
        "BinomialNormal",
        "ByGroup",
        "CommonEffect",
        "ContinuousCommonEffect",
        "ContinuousNormal",
        "Exchangeable",
        "HypergeometricNormal",
        "IncidenceNormal",
        "Linear",
        "MultivariateNormal",
        "NormalNormal",
        "OutlierMixture",
        "PoissonNormal",
        "ProportionNormal",
        "default_model",
    ),
    "engines": ("NUTS", "Quadrature", "fit"),
    "doubts": ("plausibility",),
    "posterior": ("Posterior",),
    "explanation": ("Explanation", "explain"),
    "frequentist": (
        *("Convention", "FrequentistFit", "PetPeese", "SmallStudyTest", "TrimAndFill"),
        *("common_effect", "cumulative", "egger", "glmm", "harbord", "influence"),
        *("leave_one_out", "pet_peese", "peters", "pool", "preset", "random_effects"),
        *("random_effects_many", "regression_test", "small_study_tests", "tau2_interval"),
        *("trim_and_fill",),
    ),
    "summaries": ("prior_posterior", "summary"),
    "batch": ("fit_many",),
    "checks": (
        "check",
        "compare_loo",
        "deviance",
        "loo",
        "posterior_predictive",
        "power_scaling",
        "prior_predictive",
        "trust",
    ),
    "comparison": ("compare",),
    "outcomes": ("compare_outcomes",),
    "reading": ("read_studies",),
    "reml": ("MultivariateFit", "multivariate_random_effects", "restricted_log_likelihood"),
    "decision": ("PsaOutcome", "absolute_effects", "baseline", "psa", "summary_of_findings"),
    "implications": ("coherence",),
    "variations": ("scenarios",),
    "evidence": (
        "bayes_factor_curve",
        "bayes_factors",
        "mean_weights",
        "outliers",
        "quartile_definitions",
        "reverse_bayes",
        "tipping_points",
        "width_penalty",
        "zero_studies",
    ),
    "errors": ("BayesmetaError", "DataError", "FileError", "ModelError", "SpecError"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}
_ROOMS = ("frequentist", "plots", "priors")
_SHOWN = (
    *("BinaryStudies", "ContinuousStudies", "IncidenceStudies", "PersonTimeStudies"),
    *("ProportionStudies", "EffectSizes", "MultivariateEffects", "Published"),
    *("convert_quantiles", "effect_sizes", "read_studies", "reported_effects"),
    *("BetaBinomial", "BinomialNormal", "CommonEffect", "ContinuousCommonEffect"),
    *("ContinuousNormal", "HypergeometricNormal", "IncidenceNormal", "MultivariateNormal"),
    *("NormalNormal", "OutlierMixture", "PoissonNormal", "ProportionNormal", "default_model"),
    *("NUTS", "Posterior", "Quadrature", "fit", "fit_many"),
    *("absolute_effects", "baseline", "bayes_factors", "compare", "explain", "summary"),
    *("check", "loo", "posterior_predictive", "prior_predictive", "trust"),
    "BayesmetaError",
)

__all__ = [
    "LKJ",
    "MEASURES",
    "NUTS",
    "BayesmetaError",
    "Beta",
    "BetaBinomial",
    "BinaryStudies",
    "BinomialNormal",
    "ByGroup",
    "CommonEffect",
    "ContinuousCommonEffect",
    "ContinuousNormal",
    "ContinuousStudies",
    "Convention",
    "DataError",
    "EffectSizes",
    "Exchangeable",
    "Explanation",
    "Exponential",
    "FileError",
    "Flat",
    "FrequentistFit",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "HalfT",
    "HypergeometricNormal",
    "IncidenceNormal",
    "IncidenceStudies",
    "InverseGamma",
    "Jeffreys",
    "Linear",
    "LogNormal",
    "LogStudentT",
    "Mixture",
    "ModelError",
    "MultivariateEffects",
    "MultivariateFit",
    "MultivariateNormal",
    "Normal",
    "NormalNormal",
    "OutlierMixture",
    "PersonTimeStudies",
    "PetPeese",
    "PoissonNormal",
    "Posterior",
    "ProportionNormal",
    "ProportionStudies",
    "PsaOutcome",
    "Published",
    "Quadrature",
    "SmallStudyTest",
    "SpecError",
    "StudentT",
    "TrimAndFill",
    "Uniform",
    "absolute_effects",
    "baseline",
    "bayes_factor_curve",
    "bayes_factors",
    "change_from_baseline",
    "check",
    "cluster_effects",
    "coherence",
    "combine_arms",
    "common_effect",
    "compare",
    "compare_loo",
    "compare_outcomes",
    "convert_quantiles",
    "cumulative",
    "default_model",
    "derived_correlations",
    "deviance",
    "effect_sizes",
    "egger",
    "explain",
    "fit",
    "fit_many",
    "frequentist",
    "glmm",
    "harbord",
    "influence",
    "leave_one_out",
    "loo",
    "mean_weights",
    "multivariate_random_effects",
    "outliers",
    "parse_prior",
    "pet_peese",
    "peters",
    "plausibility",
    "plots",
    "pool",
    "posterior_predictive",
    "power_scaling",
    "preset",
    "prior_posterior",
    "prior_predictive",
    "priors",
    "psa",
    "quartile_definitions",
    "random_effects",
    "random_effects_many",
    "read_studies",
    "regression_test",
    "reported_effects",
    "restricted_log_likelihood",
    "reverse_bayes",
    "scenarios",
    "skewness_caution",
    "skewness_test",
    "small_study_tests",
    "split_control",
    "summary",
    "summary_of_findings",
    "tau2_interval",
    "tipping_points",
    "trim_and_fill",
    "trust",
    "width_penalty",
    "zero_studies",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import a public name from its room, or a room, on first use (PEP 562)."""
    if name in _MODULE:
        return getattr(import_module(f".{_MODULE[name]}", __name__), name)
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List what the main job needs; ``help(bayesmeta)`` names the rest."""
    return [*_ROOMS, *_SHOWN, "__version__"]
