"""What Bayes factors imply of the posterior they stand beside, and it of them."""

from collections.abc import Iterator

import numpy as np

from ..evidence import BayesFactor, BayesFactors
from ..posterior import Marginal, Pair, Posterior
from ..priors import Prior, log_density
from .marginals import EXACT, SMOOTH, Reading, reading, slope_at

ARITHMETIC = 1e-12
AT_END = 0.02  # of a density at tau = 0: where a polynomial is least certain
LOWEST = 1e-4  # of a density's height: below it the end of a series says nothing
RESOLVED_TO = 0.5  # of a density: what its slope may be off and still say how high it is
FACTOR_TOO_LARGE = 700.0  # of a log: beyond, the factor is 0 or infinite and its log beside it
_FACTOR = "the log of the Bayes factor for it"


def of_factors(posterior: Posterior, found: BayesFactors, prob: float) -> Iterator[Pair]:
    """Every rule of a fit's Bayes factors."""
    for one in (*found.factors, *found.by_scale):
        yield from factors_are_one(one)
    for one in found.factors:
        at = one.hypothesis.removesuffix(" = 0")
        if not np.isfinite(one.log_bf01) or at not in posterior.marginals:
            continue
        if at == "mu":
            yield from factor_of_mu(posterior, one, prob)
        if at == "tau":
            yield from factor_of_tau(posterior, one)
            yield from same_factor_by_scale(one, found.by_scale)


def factors_are_one(one: BayesFactor) -> Iterator[Pair]:
    """Both factors and the probability of 0 are one number: bf10 = 1/bf01, p = bf01/(1 + bf01)."""
    if not abs(one.log_bf01) < FACTOR_TOO_LARGE:
        return
    said = {
        "the factor against it": (one.bf10, 1 / one.bf01),
        "its probability": (one.prob_null, one.bf01 / (1 + one.bf01)),
    }
    for first, (figure, implied) in said.items():
        yield Pair(
            rule="Bayes factors and probability of 0",
            where=f"{one.hypothesis} under {one.prior!r}",
            first=first,
            one=figure,
            second="the factor for it",
            other=implied,
            tolerance=ARITHMETIC * implied,
            why="arithmetic",
        )


def factor_of_mu(posterior: Posterior, one: BayesFactor, prob: float) -> Iterator[Pair]:
    """The factor for mu = 0 is the posterior over the prior density there (Savage and Dickey).

    However it was found: so it can be held to the distribution function, and to the interval. On
    the log scale, where a prior may lie as far from 0 as it likes.
    """
    read = reading("mu = 0", posterior["mu"], prob)
    prior = posterior.model.overall
    height = float(log_density(prior, np.array(0.0)))
    if not np.isfinite(height):
        return
    _, slopes, tolerance = slope_at(read, np.zeros(1), prior.support)
    for slope, slack in zip(slopes, tolerance, strict=True):
        yield _factor_and_slope(one, height, max(float(slope), 0.0), float(slack))
    yield from factor_and_interval(read, one, height)


def _factor_and_slope(one: BayesFactor, height: float, slope: float, slack: float) -> Pair:
    """The density itself where it is resolved, else the most that it can be."""
    resolved = slack < RESOLVED_TO * slope
    said = "slope" if resolved else "steepest slope"
    return Pair(
        rule="Bayes factor and posterior",
        where="mu = 0",
        first=_FACTOR,
        one=one.log_bf01,
        second=f"the log of the {said} of the distribution function over the prior density",
        other=float(np.log(slope if resolved else slope + slack)) - height,
        tolerance=-float(np.log1p(-slack / slope)) if resolved else 0.0,
        why="a difference quotient over a thousandth of the width, and rounding",
        at_most=not resolved,
    )


def factor_and_interval(read: Reading, one: BayesFactor, height: float) -> Iterator[Pair]:
    """No factor can be smaller than an interval that includes 0 allows, nor larger if it does not.

    Let f be a density with one mode m, and 0 within [a, b]. If m <= 0, f does not rise on (0, b),
    so f(0) is at least its mean there, P(0 < X < b) / b; if m >= 0, it does not fall on (a, 0), so
    f(0) is at least P(a < X < 0) / -a. Hence f(0) >= min of the two, whichever side the mode is.
    If b < 0 and m <= b, f does not rise on (b, 0): f(0) <= P(b < X < 0) / -b; likewise for a > 0.
    """
    marginal, below = read.marginal, float(read.marginal.cdf(0.0))
    tail = (1 - read.prob) / 2
    mode = _only_mode(marginal)
    beside = f"beside the {100 * read.prob:g}% interval and the probability of benefit"
    if read.lower < 0 < read.upper and np.isfinite(mode):
        least = min((1 - tail - below - EXACT) / read.upper, (below - tail - EXACT) / -read.lower)
        if least > 0:
            bound = float(np.log(least)) - height
            yield at_most(f"the log of the least factor {beside}", bound, _FACTOR, one.log_bf01)
        return
    if mode <= read.upper < 0:
        most = (below - 1 + tail + EXACT) / -read.upper
    elif 0 < read.lower <= mode:
        most = (tail - below + EXACT) / read.lower
    else:
        return
    if most > 0:  # else the interval and its tail contradict each other, which is a rule of its own
        bound = float(np.log(most)) - height
        yield at_most(_FACTOR, one.log_bf01, f"the log of the most {beside}", bound)


def at_most(first: str, one: float, second: str, other: float) -> Pair:
    """Hold one figure to be no more than another."""
    return Pair(
        rule="Bayes factor and interval",
        where="mu = 0",
        first=first,
        one=one,
        second=second,
        other=other,
        tolerance=SMOOTH,
        why="an inequality of densities with one mode",
        at_most=True,
    )


def _only_mode(marginal: Marginal) -> float:
    """Where the density is highest, if it rises to there and falls from there; else NaN."""
    ends = marginal.quantile([1e-4, 1 - 1e-4])
    x = np.linspace(ends[0], ends[1], 201)
    density = np.asarray(marginal.pdf(x))
    top = int(density.argmax())
    flat = 1e-9 * density[top]
    one = (np.diff(density[: top + 1]) >= -flat).all() and (np.diff(density[top:]) <= flat).all()
    return float(x[top]) if one else np.nan


def factor_of_tau(posterior: Posterior, one: BayesFactor) -> Iterator[Pair]:
    """Likewise for tau = 0, where prior and posterior have densities there that are resolved."""
    prior, tau = posterior.model.priors["tau"], posterior["tau"]
    height = _at_zero(prior)
    here, highest = float(tau.pdf(0.0)), float(np.max(tau.pdf(tau.quantile([0.1, 0.3, 0.5, 0.7]))))
    if not 0 < height < np.inf or here < LOWEST * highest:
        return
    yield Pair(
        rule="Bayes factor and posterior",
        where="tau = 0",
        first="the Bayes factor for it",
        one=one.bf01,
        second="the posterior over the prior density",
        other=here / height,
        tolerance=(AT_END * here + LOWEST * highest) / height,
        why="a density at the end of its support, to two per cent",
    )


def _at_zero(prior: Prior) -> float:
    """The density of a prior that starts at 0; NaN for others."""
    if prior.support[0] != 0:
        return np.nan
    with np.errstate(all="ignore"):
        return float(np.exp(log_density(prior, np.array(0.0))))


def same_factor_by_scale(one: BayesFactor, by_scale: tuple[BayesFactor, ...]) -> Iterator[Pair]:
    """With the prior as it is, the factor by scale is the factor."""
    for other in by_scale:
        if other.prior == one.prior:
            yield Pair(
                rule="Bayes factor by scale",
                where=one.hypothesis,
                first="the log factor in its own table",
                one=one.log_bf01,
                second="that by the scale of the prior",
                other=other.log_bf01,
                tolerance=0.0,
                why="it is the same number",
            )
