"""Distributions: probabilities and quantiles."""

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Law(NamedTuple):
    """A distribution: probability at or below a number, and the number below which one lies."""

    cdf: Callable[[float], float]
    ppf: Callable[[float], float]


def moved(law: Law, place: float, scale: float) -> Law:
    """The same distribution at another place and scale."""
    return Law(lambda x: law.cdf((x - place) / scale), lambda q: place + scale * law.ppf(q))


def positive(cdf: Callable[[float], float], ppf: Callable[[float], float]) -> Law:
    """A distribution above zero, whose `cdf` need not know what is below."""
    return Law(lambda x: cdf(x) if x > 0 else 0.0, ppf)


def mixed(parts: Sequence[tuple[float, Law]]) -> Law:
    """A mixture of distributions with their weights."""

    def cdf(x: float) -> float:
        return sum(weight * float(law.cdf(x)) for weight, law in parts)

    def ppf(q: float) -> float:
        return _between(lambda x: cdf(x) - q, [float(law.ppf(q)) for _, law in parts])

    return Law(cdf, ppf)


def _between(excess: Callable[[float], float], ends: Sequence[float]) -> float:
    """Root of a rising function between two quantiles of the parts."""
    from scipy.optimize import brentq

    low, high = min(ends), max(ends)
    if excess(low) >= 0 or excess(high) <= 0:  # the two agree, to rounding
        return low if excess(low) >= 0 else high
    return float(brentq(excess, low, high, xtol=1e-14 * (high - low)))  # pyright: ignore[reportArgumentType]
