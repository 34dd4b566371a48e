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
    from .effects import MEASURES, EffectSizes, effect_sizes
    from .engines import NUTS, Quadrature, fit
    from .errors import BayesmetaError, DataError, FileError, ModelError, SpecError
    from .evidence import bayes_factors, mean_weights, outliers, zero_studies
    from .frequentist import FrequentistFit, common_effect, random_effects
    from .model import (
        BetaBinomial,
        BinomialNormal,
        CommonEffect,
        Exchangeable,
        HypergeometricNormal,
        IncidenceNormal,
        NormalNormal,
        OutlierMixture,
        PoissonNormal,
        ProportionNormal,
        default_model,
    )
    from .posterior import Posterior
    from .priors import (
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
    "effects": ("MEASURES", "EffectSizes", "effect_sizes"),
    "priors": (
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
        "Exchangeable",
        "HypergeometricNormal",
        "IncidenceNormal",
        "NormalNormal",
        "OutlierMixture",
        "PoissonNormal",
        "ProportionNormal",
        "default_model",
    ),
    "engines": ("NUTS", "Quadrature", "fit"),
    "posterior": ("Posterior",),
    "frequentist": ("FrequentistFit", "common_effect", "random_effects"),
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
    "decision": ("absolute_effects",),
    "evidence": ("bayes_factors", "mean_weights", "outliers", "zero_studies"),
    "errors": ("BayesmetaError", "DataError", "FileError", "ModelError", "SpecError"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "MEASURES",
    "NUTS",
    "BayesmetaError",
    "Beta",
    "BetaBinomial",
    "BinaryStudies",
    "BinomialNormal",
    "CommonEffect",
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
    "check",
    "common_effect",
    "compare",
    "compare_loo",
    "default_model",
    "deviance",
    "effect_sizes",
    "fit",
    "fit_many",
    "loo",
    "mean_weights",
    "outliers",
    "parse_prior",
    "posterior_predictive",
    "prior_predictive",
    "random_effects",
    "summary",
    "trust",
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
