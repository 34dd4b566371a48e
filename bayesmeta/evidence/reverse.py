"""What one must have believed before to be convinced, or not to be: reverse Bayes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, singledispatch
from typing import TYPE_CHECKING, final

import numpy as np
from scipy.special import ndtr, ndtri

from ..effects import Measure, effect_sizes, measure_named, printed_values
from ..errors import ModelError
from ..model import check_one_effect
from ..notebooks import Tabled
from ..posterior import Posterior
from ..priors import Normal
from ..studies import Published, check_prob
from ..summaries import scale_of
from ..ways import shown, way
from ._refit import refit, with_mu
from .conclusion import Conclusion, concluded

if TYPE_CHECKING:
    import pandas as pd

type Ends = tuple[float, float]

VAGUE = 100.0  # times as wide as the interval is a prior that adds nothing to it
STEP = 0.7  # of the logarithm, by which a bracket grows to either side
MOST_GROWN = 15
CLOSE = 1e-9  # of the logarithm of a scale
EVEN = 1e-8  # of the width of an interval: nearer to no effect its middle is rounding
MOST_DIGITS = 12
NONE = (0.0, 1.0)  # no effect, of a difference and of a ratio


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseBayes(Tabled):
    """Who is convinced by an estimate, and who is not.

    Attributes
    ----------
    measure : Measure
    prob : float
        Mass of every interval.
    interval : tuple of float
        What the data say by themselves, on the analysis scale.
    sceptic : tuple of float or None
        Of an interval that excludes no effect: the widest prior about no effect, by its central
        interval, under which the posterior no longer excludes it.
    advocate : tuple of float or None
        Of an interval that includes no effect: the widest prior that begins at no effect, by its
        central interval, under which the posterior excludes it. None where there is none.
    p_intrinsic : float
        Of intrinsic credibility; NaN of a fit.
    """

    measure: Measure
    prob: float
    interval: Ends
    sceptic: Ends | None
    advocate: Ends | None
    p_intrinsic: float = np.nan

    @property
    def intrinsic(self) -> bool:
        """Whether it is credible by itself: p_intrinsic at or below 1 - prob."""
        return self.p_intrinsic <= 1 - self.prob

    def natural(self, ends: Ends) -> Ends:
        """An interval on the scale that people read."""
        low, high = self.measure.natural(ends).tolist()
        return low, high

    @property
    def sentence(self) -> str:
        """Who is convinced, in words."""
        name, share = self.measure.called, f"{100 * self.prob:g}%"
        if self.sceptic is not None:
            held = f"A sceptic who holds {share} of {name} {self._within(self.sceptic)}"
            return f"{held} would not be convinced."
        if self.advocate is not None:
            none = f"{NONE[self.measure.log]:g}"
            held = f"An advocate who holds {share} of {name} {self._within(self.advocate)}"
            return f"{held}, or nearer to {none}, would be convinced."
        return (
            "Neither a sceptic nor an advocate has a limit: the interval touches no effect, lies "
            "evenly about it, or no such prior turns it."
        )

    def _within(self, ends: Ends) -> str:
        low, high = _apart(*self.natural(ends))
        return f"between {low} and {high}"

    def table(self) -> "pd.DataFrame":
        """Return one row: each interval on the natural scale, NaN where there is none."""
        import pandas as pd

        none = (np.nan, np.nan)
        row: dict[str, object] = {}
        for name, ends in (("sceptic", self.sceptic), ("advocate", self.advocate)):
            low, high = none if ends is None else self.natural(ends)
            row |= {f"{name}_lower": low, f"{name}_upper": high}
        row |= {"p_intrinsic": self.p_intrinsic, "says": self.sentence}
        return pd.DataFrame([row], index=pd.Index(["mu"], name="parameter"))


def reverse_bayes(claim: Posterior | Published, *, prob: float = 0.95) -> ReverseBayes:
    """Say what prior would undo an estimate that convinces, or make one convincing that does not.

    Of a published figure in closed form from its interval: the sceptic's prior is Normal(0, s) with
    the central interval -S to S, S = (U - L)² / (4 √(U L)); the advocate's has the central interval
    from 0 to -(U + L) (U - L)² / (2 U L). Of a fit by exact fits with such priors of mu in place of
    its own, until the interval of mu just touches no effect.

    Parameters
    ----------
    claim : Posterior or Published
        A fit from the exact engine, or a printed figure with its interval.
    prob : float
        Mass of the intervals, of a fit; a figure has its own.

    Returns
    -------
    ReverseBayes

    Raises
    ------
    DataError
        If a printed interval is not about its estimate, for the closed form needs that.
    ModelError
        If it compares nothing, or the posterior is known through draws alone.

    References
    ----------
    Matthews RAJ (2001). J Stat Plan Inference 94:43-58: the sceptic. Matthews RAJ (2018). R Soc
    Open Sci 5:171047: the advocate. Held L (2019). R Soc Open Sci 6:181534: intrinsic credibility,
    p = 2 Φ(-|z| / √2).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> print(bm.reverse_bayes(bm.Published.parse("RR 0.76 [0.60, 0.96]")).sentence)
    A sceptic who holds 95% of RR between 0.68 and 1.47 would not be convinced.
    >>> print(bm.reverse_bayes(bm.Published.parse("HR 0.92 [0.49, 1.72]")).sentence)
    An advocate who holds 95% of HR between 0.71 and 1, or nearer to 1, would be convinced.
    """
    check_prob(prob)
    return _reverse(claim, prob)


def _apart(low: float, high: float) -> tuple[str, str]:
    """Both ends as they are printed, with as many more digits as tell them from no effect."""
    first, last = _printed(low), _printed(high)
    for digits in range(3, MOST_DIGITS + 1):
        if _at_none(first) <= (low in NONE) and _at_none(last) <= (high in NONE):
            break
        first, last = f"{low:.{digits}g}", f"{high:.{digits}g}"
    return first, last


def _at_none(text: str) -> bool:
    return float(text) in NONE


def _printed(value: float) -> str:
    """Two decimals; two digits of what is small, and no effect as it is."""
    if value in NONE:
        return f"{value:g}"
    return f"{value:.2f}" if abs(value) >= 0.095 else f"{value:.2g}"


@singledispatch
def _reverse(claim: object, prob: float) -> ReverseBayes:
    raise ModelError(f"reverse_bayes takes a fit or a Published figure, not {shown(claim)}.")


@_reverse.register
def _(claim: Published, prob: float) -> ReverseBayes:
    effect_sizes(claim)  # which refuses an interval that is none, or not about its estimate
    measure = _comparing(measure_named(claim.measure))
    _, low, high = printed_values(claim).tolist()
    half = ndtri((1 + claim.prob) / 2)
    z = (low + high) / (high - low) * half
    return ReverseBayes(
        measure=measure,
        prob=claim.prob,
        interval=(low, high),
        sceptic=_sceptic(low, high),
        advocate=_advocate(low, high),
        p_intrinsic=float(2 * ndtr(-abs(z) / np.sqrt(2))),
    )


def _comparing(measure: Measure) -> Measure:
    if not measure.comparative:
        raise ModelError(
            f"{measure.a_words.capitalize()} compares no arms: nobody doubts that there is one."
        )
    return measure


def _sceptic(low: float, high: float) -> Ends | None:
    """Matthews (2001), in any level: the interval is the estimate with as much on either side."""
    if concluded(low, high) is Conclusion.OPEN or low * high == 0:
        return None
    limit = (high - low) ** 2 / (4 * np.sqrt(low * high))
    return -float(limit), float(limit)


def _advocate(low: float, high: float) -> Ends | None:
    """Matthews (2018)."""
    if concluded(low, high) is not Conclusion.OPEN or abs(low + high) <= EVEN * (high - low):
        return None
    return _from_none(-(high + low) * (high - low) ** 2 / (2 * high * low))


@_reverse.register
def _(claim: Posterior, prob: float) -> ReverseBayes:
    check_one_effect(claim.model, "reverse_bayes")
    measure = _comparing(scale_of(claim))
    if not claim.exact:
        raise ModelError(f"reverse_bayes needs an exact posterior: {way('exact')}.")
    z = float(ndtri((1 + prob) / 2))

    @cache
    def interval(prior: Normal) -> Ends:
        """Of mu with this prior in place of its own."""
        return refit(with_mu(claim.model, prior), claim.data).at().interval(prob)

    low, high = claim.at().interval(prob)
    low, high = interval(Normal(0, VAGUE * max(abs(low), abs(high), high - low)))
    sign = 1.0 if low + high > 0 else -1.0

    def limit(start: Ends | None, prior: Callable[[float], Normal]) -> float | None:
        """The size of a prior at which the end nearer to no effect touches it."""

        def beyond(log_size: float) -> float:
            low, high = interval(prior(float(np.exp(log_size))))
            return low if sign > 0 else -high

        return None if start is None else _root(beyond, max(map(abs, start)))

    sceptic = limit(_sceptic(low, high), lambda size: Normal(0, size / z))
    advocate = limit(_advocate(low, high), lambda size: Normal(sign * size / 2, size / 2 / z))
    return ReverseBayes(
        measure=measure,
        prob=prob,
        interval=(low, high),
        sceptic=None if sceptic is None else (-sceptic, sceptic),
        advocate=None if advocate is None else _from_none(sign * advocate),
    )


def _from_none(limit: float) -> Ends:
    return min(limit, 0.0), max(limit, 0.0)


def _root(of: Callable[[float], float], start: float) -> float | None:
    """The size at which a function of its logarithm changes sign; None where it never does."""
    from scipy.optimize import brentq

    low = high = float(np.log(start))
    for _ in range(MOST_GROWN):
        low, high = low - STEP, high + STEP
        if of(low) * of(high) <= 0:
            found: float = brentq(of, low, high, xtol=CLOSE)  # pyright: ignore[reportAssignmentType]
            return float(np.exp(found))
    return None
