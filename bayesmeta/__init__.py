"""Bayesian meta-analysis that a reviewer can trust.

Importing this loads NumPy alone; each name below brings what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .comparison import compare
    from .decision import absolute_effects
    from .effects import MEASURES, EffectSizes, effect_sizes
    from .engines import NUTS, Quadrature, fit
    from .errors import BayesmetaError, DataError, FileError, ModelError, SpecError
    from .frequentist import FrequentistFit, common_effect, random_effects
    from .model import BinomialNormal, CommonEffect, NormalNormal, default_model
    from .posterior import Posterior
    from .priors import (
        HalfCauchy,
        HalfNormal,
        LogNormal,
        Normal,
        StudentT,
        Uniform,
        parse_prior,
    )
    from .studies import BinaryStudies, Published
    from .summaries import summary

_HOME = {
    "studies": ("BinaryStudies", "Published"),
    "effects": ("MEASURES", "EffectSizes", "effect_sizes"),
    "priors": (
        "HalfCauchy",
        "HalfNormal",
        "LogNormal",
        "Normal",
        "StudentT",
        "Uniform",
        "parse_prior",
    ),
    "model": ("BinomialNormal", "CommonEffect", "NormalNormal", "default_model"),
    "engines": ("NUTS", "Quadrature", "fit"),
    "posterior": ("Posterior",),
    "frequentist": ("FrequentistFit", "common_effect", "random_effects"),
    "summaries": ("summary",),
    "comparison": ("compare",),
    "decision": ("absolute_effects",),
    "errors": ("BayesmetaError", "DataError", "FileError", "ModelError", "SpecError"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "MEASURES",
    "NUTS",
    "BayesmetaError",
    "BinaryStudies",
    "BinomialNormal",
    "CommonEffect",
    "DataError",
    "EffectSizes",
    "FileError",
    "FrequentistFit",
    "HalfCauchy",
    "HalfNormal",
    "LogNormal",
    "ModelError",
    "Normal",
    "NormalNormal",
    "Posterior",
    "Published",
    "Quadrature",
    "SpecError",
    "StudentT",
    "Uniform",
    "absolute_effects",
    "common_effect",
    "compare",
    "default_model",
    "effect_sizes",
    "fit",
    "parse_prior",
    "random_effects",
    "summary",
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
