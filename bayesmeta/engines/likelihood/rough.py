"""Roughly what each study says of its effect, and what its likelihood looks like."""

from collections.abc import Callable, Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...model import (
    Arms,
    Data,
    Estimates,
    Likelihood,
    OfCounts,
)
from ...studies import ContinuousStudies, Studies
from .of_arms.continuous import rough_continuous

type Array = NDArray[np.float64]
type Columns = Mapping[str, Array]
SOFT = 10  # events at which a corner is too soft to matter
CORNERED = ("RR", "RD")  # measures of two arms whose baselines are free to one side


@singledispatch
def rough_effects(of: Likelihood, data: Data) -> tuple[Array, Array]:
    """Each study's own estimate and standard error on the scale of theta, both (k,)."""
    raise ModelError(f"{type(of).__name__} has no effect of one study by itself.")


@rough_effects.register
def _(of: Estimates, data: Data) -> tuple[Array, Array]:
    return data.numbers["y"], data.numbers["se"]


@rough_effects.register
def _(of: Arms, data: ContinuousStudies) -> tuple[Array, Array]:
    return rough_continuous(of, data)


@rough_effects.register
def _(of: OfCounts, data: Studies) -> tuple[Array, Array]:
    return rough_counts(of.link, data.numbers)


@singledispatch
def rough_columns(of: Likelihood, data: Data, columns: Mapping[str, Array]) -> tuple[Array, Array]:
    """As ``rough_effects``, of tables made like `data`, with columns (..., k)."""
    raise ModelError(f"{type(of).__name__} has no effect of one study by itself.")


@rough_columns.register
def _(of: Estimates, data: Data, columns: Mapping[str, Array]) -> tuple[Array, Array]:
    return columns["y"], columns["se"]


@rough_columns.register
def _(of: OfCounts, data: Data, columns: Mapping[str, Array]) -> tuple[Array, Array]:
    return rough_counts(of.link, columns)


@rough_columns.register
def _(of: Arms, data: ContinuousStudies, columns: Mapping[str, Array]) -> tuple[Array, Array]:
    y, se = rough_continuous(of, data)
    return np.asarray(columns.get("y", y)), se


def rough_counts(link: str, columns: Columns) -> tuple[Array, Array]:
    """Estimates and standard errors with ½ added to every cell; NaN where there is no study.

    They say where to look, no more: nodes are placed by them.
    """
    if link not in _ROUGH:
        raise ModelError(f"No rough estimate is known of the link {link!r}.")
    with np.errstate(invalid="ignore", divide="ignore"):
        return _ROUGH[link](*columns.values())


def _rough_incidence(events: Array, time: Array) -> tuple[Array, Array]:
    a = events + 0.5
    return np.log(a / time), a**-0.5


def _rough_proportion(events: Array, n: Array) -> tuple[Array, Array]:
    a, b = events + 0.5, n - events + 0.5
    return np.log(a / b), np.sqrt(1 / a + 1 / b)


def _rough_rates(e1: Array, t1: Array, e0: Array, t0: Array) -> tuple[Array, Array]:
    a, c = e1 + 0.5, e0 + 0.5
    return np.log(a * t0 / (c * t1)), np.sqrt(1 / a + 1 / c)


def _cells(e1: Array, n1: Array, e0: Array, n0: Array) -> tuple[Array, Array, Array, Array]:
    return e1 + 0.5, n1 - e1 + 0.5, e0 + 0.5, n0 - e0 + 0.5


def _rough_odds(*counts: Array) -> tuple[Array, Array]:
    a, b, c, d = _cells(*counts)
    return np.log(a * d / (b * c)), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def _rough_ratio(*counts: Array) -> tuple[Array, Array]:
    a, b, c, d = _cells(*counts)
    ratio = np.log(a * (c + d) / (c * (a + b)))
    return ratio, np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def _rough_difference(*counts: Array) -> tuple[Array, Array]:
    a, b, c, d = _cells(*counts)
    risk = np.clip(a / (a + b) - c / (c + d), -0.99, 0.99)
    se = np.sqrt(a * b / (a + b) ** 3 + c * d / (c + d) ** 3)
    return np.arctanh(risk), se / (1 - risk**2)


_ROUGH: Mapping[str, Callable[..., tuple[Array, Array]]] = {
    "IRLN": _rough_incidence,
    "PLO": _rough_proportion,
    "IRR": _rough_rates,
    "OR half": _rough_odds,
    "OR zero_one": _rough_odds,
    "hypergeometric": _rough_odds,
    "RR": _rough_ratio,
    "RD": _rough_difference,
}


def kinked(of: Likelihood, data: Data) -> NDArray[np.bool_]:
    """Studies whose likelihood has a corner at theta = 0, shape (k,).

    The baseline of a risk ratio is nearly free upwards where few patients go without the event,
    that of a risk difference also downwards where few have it; which arm it then bounds changes at
    no effect. The corner softens with the number of those patients in both arms together.
    """
    if of.measure not in CORNERED:
        return np.zeros(data.k, bool)
    return corner(of.measure, data.numbers)


def corner(measure: str, columns: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Which tables of two binomial arms have a corner, in the shape of the columns."""
    events = columns["events_treatment"] + columns["events_control"]
    n = columns["n_treatment"] + columns["n_control"]
    if measure == "RD":
        return (n - events <= SOFT) | (events <= SOFT)
    return (n - events <= SOFT) & (measure == "RR")


def telling(of: Likelihood, data: Data) -> int:
    """How many studies bring tau a tail: the others tend to a constant far out."""
    return int(vanishing(of, data).sum())


@singledispatch
def vanishing(of: Likelihood, data: Data) -> NDArray[np.bool_]:
    """Which studies have a likelihood that vanishes far out on both sides, shape (k,)."""
    raise ModelError(f"{type(of).__name__} says nothing of one study by itself.")


@vanishing.register(Estimates | Arms)
def _(of: Estimates | Arms, data: Data) -> NDArray[np.bool_]:
    return np.ones(data.k, dtype=bool)


@vanishing.register
def _(of: OfCounts, data: Studies) -> NDArray[np.bool_]:
    if of.link not in _VANISHING:
        raise ModelError(f"Where a likelihood vanishes is not known of the link {of.link!r}.")
    return _VANISHING[of.link](*data.numbers.values())


def _within_margins(a: Array, n1: Array, c: Array, n0: Array) -> NDArray[np.bool_]:
    return (a > np.maximum(0, a + c - n0)) & (a < np.minimum(n1, a + c))


def _some_but_not_all(events: Array, n: Array, *_: Array) -> NDArray[np.bool_]:
    return (events > 0) & (events < n)


def _any_event(*counts: Array) -> NDArray[np.bool_]:
    return np.any([events > 0 for events in counts[::2]], axis=0)


_VANISHING: Mapping[str, Callable[..., NDArray[np.bool_]]] = {
    "hypergeometric": _within_margins,
    "PLO": _some_but_not_all,
    "OR zero_one": _some_but_not_all,
    "OR half": _any_event,
    "RR": _any_event,
    "RD": _any_event,
    "IRR": _any_event,
    "IRLN": _any_event,
}
