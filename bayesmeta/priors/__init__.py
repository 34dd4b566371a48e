"""Prior distributions, as data.

A prior knows its numbers and nothing of PyMC or JAX; engines read it through
``functools.singledispatch``. There is one spelling everywhere: ``HalfNormal(0.5)`` is Python, the
``repr``, the TOML value, the command-line argument and the line in the report.

``search`` looks into the library of published priors, ``from_library`` takes one out of it, with
its citation and the scale that it was made for; ``from_quantiles`` and ``tau_from_ratio`` make a
prior of what a person can say.
"""

from .composed import LKJ, Mixture
from .densities import LOG_2PI, log_density, log_density_of_tau
from .elicitation import (
    between_studies,
    differ_less,
    from_quantiles,
    tau_from_ratio,
    unit_information_sd,
)
from .families import (
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
    Normal,
    StudentT,
    Uniform,
)
from .library import (
    Found,
    NotHeld,
    from_library,
    not_held,
    published_prior,
    published_priors,
    search,
)
from .prior import Prior
from .scaled import rescaled
from .source import PublishedPrior, Source
from .spelling import FAMILIES, parse_prior

__all__ = [
    "FAMILIES",
    "LKJ",
    "LOG_2PI",
    "Beta",
    "Exponential",
    "Flat",
    "Found",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "HalfT",
    "InverseGamma",
    "Jeffreys",
    "LogNormal",
    "LogStudentT",
    "Mixture",
    "Normal",
    "NotHeld",
    "Prior",
    "PublishedPrior",
    "Source",
    "StudentT",
    "Uniform",
    "between_studies",
    "differ_less",
    "from_library",
    "from_quantiles",
    "log_density",
    "log_density_of_tau",
    "not_held",
    "parse_prior",
    "published_prior",
    "published_priors",
    "rescaled",
    "search",
    "tau_from_ratio",
    "unit_information_sd",
]
_FOR_OTHER_ROOMS = {
    *("FAMILIES", "LOG_2PI", "log_density_of_tau", "Found", "NotHeld", "PublishedPrior", "Source"),
    *("not_held", "published_priors", "rescaled"),
}


def __dir__() -> list[str]:
    """List the families, and what reads and evaluates them."""
    return [name for name in __all__ if name not in _FOR_OTHER_ROOMS]
