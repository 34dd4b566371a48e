"""Bayesian meta-analysis that a reviewer can trust.

Importing this loads NumPy alone; each name below brings what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .batch import fit_many
    from .checks import (
        check,
        compare_loo,
        deviance,
        loo,
        posterior_predictive,
        prior_predictive,
        trust,
    )
    from .comparison import compare
    from .decision import absolute_effects
    from .effects import (
        MEASURES,
        EffectSizes,
        change_from_baseline,
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
        bayes_factors,
        mean_weights,
        outliers,
        quartile_definitions,
        width_penalty,
        zero_studies,
    )
    from .frequentist import (
        FrequentistFit,
        common_effect,
        random_effects,
        random_effects_many,
        tau2_interval,
    )
    from .model import (
        BetaBinomial,
        BinomialNormal,
        CommonEffect,
        ContinuousCommonEffect,
        ContinuousNormal,
        Exchangeable,
        HypergeometricNormal,
        IncidenceNormal,
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
        Mixture,
        Normal,
        StudentT,
        Uniform,
        parse_prior,
    )
    from .reml import MultivariateFit, multivariate_random_effects, restricted_log_likelihood
    from .studies import (
        BinaryStudies,
        ContinuousStudies,
        IncidenceStudies,
        PersonTimeStudies,
        ProportionStudies,
        Published,
    )
    from .summaries import summary

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
        "LKJ",
        "Beta",
        "Exponential",
        "Flat",
        "Gamma",
        "HalfCauchy",
        "HalfNormal",
        "HalfT",
        "InverseGamma",
        "Jeffreys",
        "LogNormal",
        "Mixture",
        "Normal",
        "StudentT",
        "Uniform",
        "parse_prior",
    ),
    "model": (
        "BetaBinomial",
        "BinomialNormal",
        "CommonEffect",
        "ContinuousCommonEffect",
        "ContinuousNormal",
        "Exchangeable",
        "HypergeometricNormal",
        "IncidenceNormal",
        "MultivariateNormal",
        "NormalNormal",
        "OutlierMixture",
        "PoissonNormal",
        "ProportionNormal",
        "default_model",
    ),
    "engines": ("NUTS", "Quadrature", "fit"),
    "posterior": ("Posterior",),
    "frequentist": (
        "FrequentistFit",
        "common_effect",
        "random_effects",
        "random_effects_many",
        "tau2_interval",
    ),
    "summaries": ("summary",),
    "batch": ("fit_many",),
    "checks": (
        "check",
        "compare_loo",
        "deviance",
        "loo",
        "posterior_predictive",
        "prior_predictive",
        "trust",
    ),
    "comparison": ("compare",),
    "outcomes": ("compare_outcomes",),
    "reml": ("MultivariateFit", "multivariate_random_effects", "restricted_log_likelihood"),
    "decision": ("absolute_effects",),
    "evidence": (
        "bayes_factors",
        "mean_weights",
        "outliers",
        "quartile_definitions",
        "width_penalty",
        "zero_studies",
    ),
    "errors": ("BayesmetaError", "DataError", "FileError", "ModelError", "SpecError"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "LKJ",
    "MEASURES",
    "NUTS",
    "BayesmetaError",
    "Beta",
    "BetaBinomial",
    "BinaryStudies",
    "BinomialNormal",
    "CommonEffect",
    "ContinuousCommonEffect",
    "ContinuousNormal",
    "ContinuousStudies",
    "DataError",
    "EffectSizes",
    "Exchangeable",
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
    "LogNormal",
    "Mixture",
    "ModelError",
    "MultivariateEffects",
    "MultivariateFit",
    "MultivariateNormal",
    "Normal",
    "NormalNormal",
    "OutlierMixture",
    "PersonTimeStudies",
    "PoissonNormal",
    "Posterior",
    "ProportionNormal",
    "ProportionStudies",
    "Published",
    "Quadrature",
    "SpecError",
    "StudentT",
    "Uniform",
    "absolute_effects",
    "bayes_factors",
    "change_from_baseline",
    "check",
    "combine_arms",
    "common_effect",
    "compare",
    "compare_loo",
    "compare_outcomes",
    "convert_quantiles",
    "default_model",
    "derived_correlations",
    "deviance",
    "effect_sizes",
    "fit",
    "fit_many",
    "loo",
    "mean_weights",
    "multivariate_random_effects",
    "outliers",
    "parse_prior",
    "posterior_predictive",
    "prior_predictive",
    "quartile_definitions",
    "random_effects",
    "random_effects_many",
    "reported_effects",
    "restricted_log_likelihood",
    "skewness_caution",
    "skewness_test",
    "split_control",
    "summary",
    "tau2_interval",
    "trust",
    "width_penalty",
    "zero_studies",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import a public name from its room on first use (PEP 562)."""
    if name in _MODULE:
        return getattr(import_module(f".{_MODULE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
