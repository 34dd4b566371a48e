"""The axis of a forest plot: how far it goes and where its ticks stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray
from scipy.special import expit, logit

from ..effects import Measure
from ._style import SMALL
from ._text import width_of

_LABEL = 0.45  # inches that a label needs on a linear axis
_REACH = 1.25  # intervals may pass the outermost estimate by so many typical half widths,
_LONGER = 1.6  # and all are shown whole if that makes the axis no longer than by this factor
# Tried in this order; each step in every decade.
_STEPS: tuple[tuple[float, ...], ...] = ((1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 3), (1,))
_ENOUGH, _MOST = 4, 9  # ticks
_STRIDES = (2, 3, 5, 10, 20, 30, 50, 100, 200)  # decades between ticks, where there are many
_HELD = 600.0  # logs: no ratio beyond is a number of the machine
_HALVES = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SHARES = tuple(
    (*lower, 0.5, *(round(1 - one, 4) for one in reversed(lower)))
    for lower in (_HALVES, _HALVES[:-2], _HALVES[::3], _HALVES[::9])
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Limits and ticks.

    Attributes
    ----------
    link : str
        Of the measure. Ratios and rates are shown log-spaced, proportions as they are.
    lower, upper : float
        Limits: proportions, else on the analysis scale.
    ticks : tuple of float
        On the natural scale.
    """

    link: str
    lower: float
    upper: float
    ticks: tuple[float, ...]

    @property
    def ends(self) -> tuple[float, float]:
        """Where the axis ends."""
        return self._shown(self.lower), self._shown(self.upper)

    def placed(self, value: float) -> float:
        """Put a value of the analysis scale where the limits are: proportions as such."""
        return float(expit(value)) if self.link == "logit" else value

    def at(self, value: float) -> float:
        """Where to draw a value of the analysis scale: on the axis, or at its nearer end."""
        return self._shown(float(np.clip(self.placed(value), self.lower, self.upper)))

    def beyond(self, value: float) -> float:
        """Where to draw a value that the axes will clip: never so far that it overflows."""
        span = 20 * (self.upper - self.lower)
        placed = self.placed(value)
        return self._shown(float(np.clip(placed, self.lower - span, self.upper + span)))

    def _shown(self, placed: float) -> float:
        return float(np.exp(placed)) if self.link == "log" else placed

    def holds(self, value: float) -> bool:
        """Whether a value of the analysis scale lies on the axis."""
        return self.lower <= self.placed(value) <= self.upper

    def apply(self, axes: Axes) -> None:
        """Give the axes these limits and ticks."""
        if self.link == "log":
            axes.set_xscale("log")
        axes.set_xlim(*self.ends)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_locator(FixedLocator(self.ticks))
        axes.set_xticklabels([tick_text(tick) for tick in self.ticks])


def scale_for(
    measure: Measure,
    estimates: NDArray[np.float64],
    ends: NDArray[np.float64],
    *,
    width: float,
    size: float = SMALL,
) -> Scale:
    """Fit an axis to estimates and intervals.

    Every estimate and, of comparisons, no effect are on it. Wide intervals lengthen it, but only
    so far; those of proportions are shown whole.

    Parameters
    ----------
    measure : Measure
    estimates : ndarray, shape (n,)
        Analysis scale; NaN where there is none.
    ends : ndarray, shape (n, 2)
    width : float
        Of the axis, in inches: what the ticks must fit in.
    size : float
        Of their letters, in points.
    """
    if measure.link == "logit":
        return _of_proportions(expit(estimates), expit(ends), width=width)
    lower, upper = _limits(estimates, ends, none=measure.comparative)
    if measure.log:
        lower, upper = max(lower, -_HELD), min(upper, _HELD)
        ticks = log_ticks(*np.exp([lower, upper]).tolist(), width=width, size=size)
    else:
        ticks = linear_ticks(lower, upper, width=width)
    return Scale(link=measure.link, lower=lower, upper=upper, ticks=tuple(ticks))


def _of_proportions(
    estimates: NDArray[np.float64], ends: NDArray[np.float64], *, width: float
) -> Scale:
    every = np.concatenate([estimates, ends.ravel()])
    known = every[np.isfinite(every)]
    low, high = known.min(initial=1.0), known.max(initial=0.0)
    low, high = (low, high) if low < high else (0.0, 1.0)
    room = 0.04 * (high - low)
    ticks = linear_ticks(max(low - room, 0.0), min(high + room, 1.0), width=width)
    return Scale(
        link="logit", lower=float(low - room), upper=float(high + room), ticks=tuple(ticks)
    )


def _limits(
    estimates: NDArray[np.float64], ends: NDArray[np.float64], *, none: bool
) -> tuple[float, float]:
    known = estimates[np.isfinite(estimates)]
    known = np.append(known, 0.0) if none or not known.size else known
    inner = np.array([known.min(), known.max()])
    finite = ends[np.isfinite(ends).all(axis=1)]
    whole = np.array([finite.min(initial=inner[0]), finite.max(initial=inner[1])])
    typical = float(np.median(np.ptp(finite, axis=1)) / 2) if len(finite) else 1.0
    reach = max(_REACH * typical, 0.25 * float(np.ptp(inner)), 1e-6)
    limits = np.clip(whole, inner[0] - reach, inner[1] + reach)
    if np.ptp(whole) <= _LONGER * np.ptp(limits):
        limits = whole
    room = max(0.04 * float(np.ptp(limits)), 1e-6)
    return float(limits[0]) - room, float(limits[1]) + room


def log_ticks(lower: float, upper: float, *, width: float, size: float = SMALL) -> Sequence[float]:
    """Round ratios between two ratios, their labels `width` inches in all at most."""
    powers = np.arange(np.floor(np.log10(lower)), np.ceil(np.log10(upper)) + 1)
    inch = width / (np.log(upper) - np.log(lower))
    found: NDArray[np.float64] = powers[:0]
    for every in _tried(powers):
        ticks = every[(every >= lower) & (every <= upper)]
        if _fit(np.log(ticks) * inch, ticks, size):
            found = max(found, ticks, key=np.size)
        if found.size >= _ENOUGH or (found.size > 1 and powers.size > _MOST):
            break
    few = found.size < _ENOUGH and upper < 10 * lower
    return linear_ticks(lower, upper, width=width) if few else found.tolist()


def _tried(powers: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Round ratios, fewer and fewer: steps in every decade, then ever fewer decades through 1."""
    if powers.size <= _MOST:
        yield from (np.outer(10.0**powers, steps).ravel() for steps in _STEPS)
    for stride in _STRIDES:
        yield 10.0 ** powers[powers % stride == 0]


def _fit(places: NDArray[np.float64], ticks: NDArray[np.float64], size: float = SMALL) -> bool:
    """Whether the labels of ticks at these places (inches) keep apart."""
    widths = np.array([width_of(tick_text(tick), size=size) for tick in ticks])
    return ticks.size <= _MOST and bool(
        (np.diff(places) >= (widths[1:] + widths[:-1]) / 2 + 0.1).all()
    )


def linear_ticks(
    lower: float, upper: float, *, width: float, whole: bool = False
) -> Sequence[float]:
    """Round numbers between two numbers, few enough for `width` inches; whole ones for counts."""
    most = int(np.clip(int(width / _LABEL) - 1, 2, _MOST - 2))
    locator = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10], integer=whole)
    ticks = np.asarray(locator.tick_values(lower, upper))
    room = 1e-9 * (upper - lower)
    ticks = ticks[(ticks >= lower - room) & (ticks <= upper + room)]
    return [float(f"{tick:.10g}") for tick in ticks]


def logit_ticks(lower: float, upper: float, *, width: float) -> Sequence[float]:
    """Round proportions between two proportions, on an axis spaced by their logits."""
    inch = width / float(logit(upper) - logit(lower))
    inside = [np.array([one for one in steps if lower <= one <= upper]) for steps in _SHARES]
    fitting = [ticks for ticks in inside if _fit(logit(ticks) * inch, ticks)]
    if fitting and fitting[0].size > 1:
        return fitting[0].tolist()
    few = np.asarray(linear_ticks(lower, upper, width=width))
    return few[(few > 0) & (few < 1)].tolist()


def tick_text(value: float) -> str:
    """Show a tick as short as it can be: powers of ten as such where they are long."""
    text, _, power = f"{value:g}".partition("e")
    if power:
        times = "" if text == "1" else f"{text}×"
        return times + "10" + str(int(power)).translate(_RAISED)
    return text.replace("-", "−")
