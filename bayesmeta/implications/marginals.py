"""What the figures of one marginal posterior imply of one another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import ndtr

from ..posterior import Array, Marginal, Pair

EXACT = 1e-8  # of a probability: quantiles invert the distribution function to rounding
SMOOTH = 1e-3  # of a density: what a central difference over a thousandth of the width may miss
RESOLVED = 4e-7  # of a density's usual height: rounding of the distribution function over that step
STEPS = (1e-3, 2.5e-4)  # of the width
TAILS = 1e-3  # of an SD: what tails of 1e-7 are worth to a mean, at most, and the panels' error
ROUGH = 0.02  # of a second moment
PROBS = (0.025, 0.25, 0.5, 0.75, 0.975)
LEGENDRE = np.polynomial.legendre.leggauss(6)
LINE = (-np.inf, np.inf)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A marginal with the figures that its rules share, asked for once.

    Attributes
    ----------
    name : str
    marginal : Marginal
    prob : float
    draws : int
        0 for an exact one.
    lower, upper : float
        Of the central interval.
    quantiles : ndarray, shape (5,)
        At `PROBS`.
    """

    name: str
    marginal: Marginal
    prob: float
    draws: int
    lower: float
    upper: float
    quantiles: Array

    @property
    def median(self) -> float:
        """The middle quantile."""
        return float(self.quantiles[2])

    @property
    def width(self) -> float:
        """Between the quartiles."""
        return float(self.quantiles[3] - self.quantiles[1])

    @property
    def slack(self) -> float:
        """Of a probability at a quantile."""
        return 2 / self.draws if self.draws else EXACT

    @property
    def why(self) -> str:
        """Reason of the slack."""
        if self.draws:
            return f"a quantile of {self.draws} draws lies between two of them"
        return "quantiles invert the distribution function to rounding"


def reading(name: str, marginal: Marginal, prob: float, draws: int = 0) -> Reading:
    """Ask a marginal for what its rules share."""
    lower, upper = marginal.interval(prob)
    return Reading(
        name=name,
        marginal=marginal,
        prob=prob,
        draws=draws,
        lower=lower,
        upper=upper,
        quantiles=np.asarray(marginal.quantile(list(PROBS))),
    )


def _of_few_values(marginal: Marginal) -> bool:
    """Whether draws repeat each other, as probabilities that are nearly 0 or 1 do."""
    values = getattr(marginal, "values", None)
    return values is not None and np.unique(values).size < 0.99 * np.size(values)


def of_any(read: Reading) -> Iterator[Pair]:
    """Rules of every marginal; draws that are mostly the same few numbers have no quantiles."""
    if not _of_few_values(read.marginal):
        yield from quantiles_invert(read)
    yield from quantiles_rise(read)
    yield from moments_allow_quantiles(read)


def of_effect(read: Reading, support: tuple[float, float] = LINE) -> Iterator[Pair]:
    """Rules of an effect, which may be none: what lies beyond it, and the density there."""
    yield interval_and_tail(read)
    if not read.draws:
        yield from density_is_slope(read, np.append(read.quantiles, 0.0), support)


def quantiles_invert(read: Reading) -> Iterator[Pair]:
    """Below the ends of an interval, and below the median, lie the probabilities they stand for."""
    tail = (1 - read.prob) / 2
    level = f"{100 * read.prob:g}% interval"
    asked = {
        f"the lower end of the {level}": (read.lower, tail),
        "the median": (read.median, 0.5),
        f"the upper end of the {level}": (read.upper, 1 - tail),
    }
    for which, (at, prob) in asked.items():
        yield Pair(
            rule="quantiles invert the distribution function",
            where=read.name,
            first=f"the probability below {which}",
            one=float(read.marginal.cdf(at)),
            second="its definition",
            other=prob,
            tolerance=read.slack,
            why=read.why,
        )


def quantiles_rise(read: Reading) -> Iterator[Pair]:
    """The median lies within the interval."""
    low, middle, high = (
        ("the lower end of the interval", read.lower),
        ("the median", read.median),
        ("the upper end of the interval", read.upper),
    )
    for (first, one), (second, other) in ((low, middle), (middle, high)):
        yield Pair(
            rule="quantiles rise",
            where=read.name,
            first=first,
            one=one,
            second=second,
            other=other,
            tolerance=0.0,
            why="an order has no tolerance",
            at_most=True,
        )


def interval_and_tail(read: Reading) -> Pair:
    """No effect lies within a central interval if and only if neither side of it is improbable."""
    tail = (1 - read.prob) / 2
    below = float(read.marginal.cdf(0.0))
    if read.lower > 0:
        side, least, most = "excludes", 0.0, tail
    elif read.upper < 0:
        side, least, most = "excludes", 1 - tail, 1.0
    else:
        side, least, most = "includes", tail, 1 - tail
    return Pair(
        rule="interval and probability of benefit",
        where=read.name,
        first="the probability below no effect",
        one=below,
        second=f"the {100 * read.prob:g}% interval, which {side} it",
        other=float(np.clip(below, least, most)),
        tolerance=read.slack,
        why=read.why,
    )


def density_is_slope(read: Reading, at: Array, support: tuple[float, float]) -> Iterator[Pair]:
    """The density is the slope of the distribution function.

    For any density with a bounded second derivative the central difference over h misses it by
    h² f''/6 at most; where the density bends within a thousandth of the width two steps differ,
    and the tolerance grows with their difference.
    """
    at, slopes, tolerance = slope_at(read, at, support)
    for x, density, slope, slack in zip(
        at, read.marginal.pdf(at) if at.size else at, slopes, tolerance, strict=True
    ):
        yield Pair(
            rule="density and distribution function",
            where=read.name,
            first=f"the density at {x:.4g}",
            one=float(density),
            second="the slope of the distribution function there",
            other=float(slope),
            tolerance=float(slack),
            why="a difference quotient over a thousandth of the width, and rounding",
        )


def slope_at(
    read: Reading, at: Array, support: tuple[float, float] = LINE
) -> tuple[Array, Array, Array]:
    """Points well inside the support, the slope of the distribution function, and its tolerance."""
    h = np.array(STEPS)[:, None] * read.width
    at = at[(at - h[0] > support[0]) & (at + h[0] < support[1])]
    if not at.size or not read.width > 0:
        nothing = np.empty(0)
        return nothing, nothing, nothing
    above, below = np.asarray(read.marginal.cdf(np.stack([at + h, at - h])))
    wide, slope = (above - below) / (2 * h)
    return at, slope, SMOOTH * slope + RESOLVED / read.width + 2 * np.abs(slope - wide)


def moments_allow_quantiles(read: Reading) -> Iterator[Pair]:
    """Hold quantiles to mean and SD by Cantelli's inequality, which every distribution obeys.

    P(X - mean >= t) <= var / (var + t²): the quantile of p lies no more than sd sqrt(p / (1 - p))
    above the mean, and no more than sd sqrt((1 - p) / p) below it.
    """
    mean, sd = read.marginal.mean(), read.marginal.sd()
    if not np.isfinite([mean, sd]).all():
        return
    slack = EXACT + (2 / np.sqrt(read.draws) if read.draws else 0.0)
    for p, at in zip(PROBS, read.quantiles, strict=True):
        most = np.sqrt(p / (1 - p)) if at > mean else np.sqrt((1 - p) / p)
        yield Pair(
            rule="quantiles and moments",
            where=read.name,
            first=f"how far from the mean the {p:g} quantile lies",
            one=float(abs(at - mean)),
            second="what Cantelli's inequality allows with the SD",
            other=float(most * sd),
            tolerance=slack * sd,
            why="it holds for every distribution",
            at_most=True,
        )


def moments_from_distribution(read: Reading) -> Iterator[Pair]:
    """Mean and SD are those of the distribution function, integrated by parts.

    E[X - c] and E[(X - c)²] between the quantiles of 1e-7 and 1 - 1e-7. By Cauchy and Schwarz what
    lies beyond is worth at most sd sqrt(2e-7) to the mean; to the second moment it only adds.
    """
    mean, sd = read.marginal.mean(), read.marginal.sd()
    if not np.isfinite([mean, sd]).all():
        return
    centre, variance, last = _moments(read.marginal)
    yield Pair(
        rule="mean and distribution function",
        where=read.name,
        first="the mean",
        one=mean,
        second="the distribution function",
        other=centre,
        tolerance=TAILS * sd,
        why="a thousandth of an SD: tails of 1e-7 are left out",
    )
    yield Pair(
        rule="SD and distribution function",
        where=read.name,
        first="the SD",
        one=sd,
        second="the distribution function",
        other=float(np.sqrt(max(variance, 0.0))),
        tolerance=float(ROUGH * sd**2 + 3 * last) / sd,
        why="two per cent, and what the tails may add",
    )


def _moments(marginal: Marginal) -> tuple[float, float, float]:
    """Mean, variance, and what the two outermost panels add to the latter."""
    q = ndtr(np.linspace(-5.2, 5.2, 15))
    ends = np.asarray(marginal.quantile(q))
    centre, long = ends[7], np.diff(ends)[:, None]
    at = ends[:-1, None] + long * (LEGENDRE[0] + 1) / 2
    held = np.asarray(marginal.cdf(at)) * long * LEGENDRE[1] / 2
    first = np.diff((ends - centre) * q) - held.sum(axis=1)
    second = np.diff((ends - centre) ** 2 * q) - 2 * ((at - centre) * held).sum(axis=1)
    mean = float(first.sum())
    return float(centre) + mean, float(second.sum()) - mean**2, float(second[0] + second[-1])
