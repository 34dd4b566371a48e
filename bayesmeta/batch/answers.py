"""What the result of a batch says of one posterior, and in which columns."""

from collections.abc import Iterable, Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from ..errors import ModelError
from ..model import EachOutcome, Location, Overall, Predictor
from ..posterior import Marginal, Marginals, Posterior

type Within = float | None  # probability of intervals, where they are asked for

NUMBERS = (
    *("mu_mean", "mu_sd", "mu_median", "mu_lower", "mu_upper", "prob_below_null"),
    *("tau_mean", "tau_median", "tau_lower", "tau_upper", "new_lower", "new_upper"),
    *("log_marginal_likelihood", "error"),
)
OF_REGRESSIONS = (
    *("tau_mean", "tau_median", "tau_lower", "tau_upper"),
    *("log_marginal_likelihood", "error"),
)  # besides those of coefficients and covariates, which go by name


@singledispatch
def numbers_of(location: Location) -> tuple[str, ...]:
    """Columns of numbers that every data set has."""
    raise ModelError(f"No batch knows the location {type(location).__name__}.")


@numbers_of.register(Overall | EachOutcome)
def _(location: Location) -> tuple[str, ...]:
    return NUMBERS


@numbers_of.register
def _(location: Predictor) -> tuple[str, ...]:
    return OF_REGRESSIONS


def numbers_alone(posterior: Posterior, prob: float, *, quantiles: bool) -> dict[str, float]:
    """Numbers of a posterior by their columns, NaN where there are none."""
    within = prob if quantiles else None
    found: dict[str, float | None] = {
        **_effects(posterior.model.location, posterior, within),
        "log_marginal_likelihood": posterior.log_marginal_likelihood,
        "error": _error(posterior),
    }
    if "tau" in posterior.marginals:
        for name, tau in _each(posterior.marginals["tau"], "tau"):
            found[f"{name}_mean"] = tau.mean()
            found |= _ends(name, tau, within)
    return {name: np.nan if value is None else value for name, value in found.items()}


@singledispatch
def _effects(location: Location, posterior: Posterior, within: Within) -> Mapping[str, float]:
    raise ModelError(f"No batch knows the location {type(location).__name__}.")


@_effects.register(Overall | EachOutcome)
def _(location: Location, posterior: Posterior, within: Within) -> Mapping[str, float]:
    """Of the one effect, and of that in a new study."""
    mu = posterior.at()
    found = {"mu_mean": mu.mean(), "mu_sd": mu.sd(), "prob_below_null": mu.cdf(0.0)}
    for short, name in (("mu", "mu"), ("new", "theta_new")):
        if name in posterior.marginals:
            marginal = posterior.marginals[name]
            assert isinstance(marginal, Marginal)
            found |= _ends(short, marginal, within)
    found.pop("new_median", None)
    return found


@_effects.register
def _(location: Predictor, posterior: Posterior, within: Within) -> Mapping[str, float]:
    """Of each coefficient, and where each number is centred."""
    each, found = posterior.marginals[location.name], dict[str, float]()
    assert isinstance(each, Marginals)
    for name, one in zip(each.study, each.each, strict=True):
        found |= {f"{name}_mean": one.mean(), f"{name}_sd": one.sd()}
        found[f"{name}_below_null"] = float(one.cdf(0.0))
        found |= _ends(name, one, within)
    return found | _centres(location.design(posterior.data), scaled=location.scaled)


@singledispatch
def _each(marginal: Marginal, name: str) -> Iterable[tuple[str, Marginal]]:
    """One spread, or that of each group."""
    raise ModelError(f"No batch knows the marginal {type(marginal).__name__}.")


@_each.register
def _(marginal: Marginal, name: str) -> Iterable[tuple[str, Marginal]]:
    return [(name, marginal)]


@_each.register
def _(marginals: Marginals, name: str) -> Iterable[tuple[str, Marginal]]:
    return [
        (f"{name}[{level}]", one)
        for level, one in zip(marginals.study, marginals.each, strict=True)
    ]


def _centres(made: Design, *, scaled: bool) -> dict[str, float]:
    centres = {f"{name}_centre": value for name, value in made.centres.items()}
    scales = {f"{name}_scale": value for name, value in made.scales.items()}
    return centres | (scales if scaled else {})


def _ends(name: str, marginal: Marginal, within: Within) -> dict[str, float]:
    if within is None:
        return {}
    lower, upper = marginal.interval(within)
    median = float(marginal.quantile(0.5))
    return {f"{name}_median": median, f"{name}_lower": lower, f"{name}_upper": upper}


def _error(posterior: Posterior) -> float:
    checks = posterior.diagnostics.checks
    return next((c.value for c in checks if c.name == "quadrature error"), np.nan)


def in_order(table: Mapping[str, NDArray], fixed: tuple[str, ...]) -> dict[str, NDArray]:
    """Columns of coefficients first, in the order of the first data set that has each."""

    def first(name: str) -> int:
        there = np.flatnonzero(~np.isnan(table[name]))
        return int(there[0]) if there.size else len(table[name])

    own = sorted((name for name in table if name not in fixed), key=first)
    return {name: table[name] for name in (*own, *fixed)}
