"""How much must change before a conclusion turns: heterogeneity, its prior, one trial's events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ..engines import rough_estimates
from ..errors import ModelError
from ..model import Data, Model, Spread, check_one_effect, compose
from ..posterior import Posterior
from ..priors import Prior, Uniform
from ..studies import check_prob
from ..ways import way
from ._factors import prior_of_scale
from ._refit import refit
from .conclusion import Conclusion, conclusion

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

LARGEST_TAU, WIDE = 10.0, 100.0  # of logarithms and SMD; of a measure with a unit, in typical SEs
NARROW = 1e-3  # of tau, to either side, of a prior that fixes it
FACTORS = np.geomspace(0.01, 100, 9)  # of the scale of the prior of tau
FRACTIONS = np.geomspace(1e-3, 1, 13)  # of the largest tau
CLOSE = 1e-5  # of a logarithm
EVENTS = ("events_treatment", "events_control")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TippingPoint:
    """One thing that is changed until a conclusion turns.

    Attributes
    ----------
    what : str
        What is changed.
    turns_at : float or None
        The nearest value at which it turns: tau, a factor of the scale, or how many events more (or
        fewer, below 0); None where none of those tried turns it.
    says : str
        In a sentence.
    """

    what: str
    turns_at: float | None
    says: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TippingPoints:
    """What turns a conclusion.

    Attributes
    ----------
    conclusion : Conclusion
        As it stands.
    prob : float
        Mass of the interval that it rests on.
    points : tuple of TippingPoint
    """

    conclusion: Conclusion
    prob: float
    points: tuple[TippingPoint, ...]

    def table(self) -> "pd.DataFrame":
        """Return one row per thing that was changed."""
        import pandas as pd

        rows = [(one.what, one.turns_at, one.says) for one in self.points]
        return pd.DataFrame(rows, columns=["what", "turns_at", "says"]).set_index("what")


def tipping_points(posterior: Posterior, *, prob: float = 0.95) -> TippingPoints:
    """Find the nearest tau, prior of tau and count of one trial at which the conclusion turns.

    The conclusion is where the central interval of mu lies beside no effect, and turns where that
    changes. Each is found by exact fits: with tau fixed; with its prior stretched; and with events
    added to, or taken from, one arm of one trial, of which the smallest number over all trials is
    told. That number supposes that more of the same change moves the interval the same way.

    Parameters
    ----------
    posterior : Posterior
        Of a comparison, from the exact engine.
    prob : float
        Mass of the interval.

    Returns
    -------
    TippingPoints
        A point is None where nothing that was tried turns it, and its sentence says so.

    Raises
    ------
    ModelError
        If mu compares nothing, or the posterior is known through draws alone.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.6, -0.5], [0.1, 0.2], measure="RR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.1))
    >>> for one in bm.tipping_points(bm.fit(model, data)).points:
    ...     print(one.says)
    The conclusion turns where tau is 0.365 or more.
    The conclusion turns where the prior of tau is stretched to HalfNormal(0.477), 4.77-fold.
    """
    check_prob(prob)
    check_one_effect(posterior.model, "tipping_points")
    stands = conclusion(posterior, prob=prob)
    if not posterior.exact:
        raise ModelError(f"Tipping points need an exact posterior: {way('exact')}.")
    margin = _Margin(stands, prob)
    points = [*_of_tau(posterior, margin), *_of_events(posterior, margin)]
    return TippingPoints(conclusion=stands, prob=prob, points=tuple(points))


class _Margin(NamedTuple):
    """How far an interval is from turning a conclusion: below 0 where it does."""

    stands: Conclusion
    prob: float

    def of(self, model: Model, data: Data) -> float:
        low, high = refit(model, data).at().interval(self.prob)
        match self.stands:
            case Conclusion.BELOW:
                return -high
            case Conclusion.ABOVE:
                return low
            case Conclusion.OPEN:
                return min(-low, high)


def _of_tau(posterior: Posterior, margin: _Margin) -> Iterator[TippingPoint]:
    """Tau fixed, and its prior stretched; nothing where all studies have one effect."""
    if "tau" not in posterior.model.priors:
        return
    most = _largest_tau(posterior)
    middle = float(posterior["tau"].quantile(0.5))

    def fixed(tau: float) -> float:
        prior = Uniform(tau * (1 - NARROW), tau * (1 + NARROW))
        return margin.of(_with(posterior.model, prior), posterior.data)

    tau = _nearest(fixed, most * FRACTIONS, middle)
    yield TippingPoint(what="tau fixed", turns_at=tau, says=_of_fixed(fixed, tau, most))
    prior = posterior.model.priors["tau"]
    if prior_of_scale(prior, 1.0) is None:
        says = f"{prior!r} has no scale to stretch."
        yield TippingPoint(what="prior of tau stretched", turns_at=None, says=says)
        return

    def stretched(factor: float) -> float:
        return margin.of(_with(posterior.model, _scaled(prior, factor)), posterior.data)

    factor = _nearest(stretched, FACTORS, 1.0)
    says = _of_stretched(prior, factor)
    yield TippingPoint(what="prior of tau stretched", turns_at=factor, says=says)


def _scaled(prior: Prior, factor: float) -> Prior:
    found = prior_of_scale(prior, factor)
    assert found is not None
    return found


def _of_fixed(margin: Callable[[float], float], tau: float | None, most: float) -> str:
    if tau is None:
        return f"No tau up to {most:.3g} turns the conclusion."
    side = "more" if margin(1.1 * tau) < 0 else "less"
    return f"The conclusion turns where tau is {tau:.3g} or {side}."


def _of_stretched(prior: Prior, factor: float | None) -> str:
    if factor is None:
        return f"No prior of tau from 0.01 to 100 times as wide as {prior!r} turns the conclusion."
    numbers = {name: float(f"{v:.4g}") for name, v in _scaled(prior, factor).numbers.items()}
    rounded = f"{type(prior).__name__}({', '.join(f'{value:g}' for value in numbers.values())})"
    return (
        f"The conclusion turns where the prior of tau is stretched to {rounded}, {factor:.3g}-fold."
    )


def _with(model: Model, tau: Prior) -> Model:
    spread: Spread = replace(model.between, tau=tau)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return compose(model.likelihood, model.location, spread)  # pyright: ignore[reportArgumentType]


def _largest_tau(posterior: Posterior) -> float:
    """Of a measure without a unit 10; else as many typical standard errors."""
    model, data = posterior.model, posterior.data
    scale = model.scale(data)
    if scale.link != "identity" or scale.name in ("SMD", "RD"):
        return LARGEST_TAU
    _, se = rough_estimates(model.likelihood, data, data.numbers)
    return WIDE * float(np.median(se))


def _nearest(margin: Callable[[float], float], places: Array, here: float) -> float | None:
    """The place nearest to `here`, as a ratio, at which a margin changes sign; None for none."""
    from scipy.optimize import brentq

    stands = np.array([margin(float(place)) > 0 for place in places])
    turns = np.flatnonzero(stands[1:] != stands[:-1])
    if turns.size == 0:
        return None
    apart = np.abs(np.log(places[turns] * places[turns + 1]) / 2 - np.log(here))
    low, high = np.log(places[turns[apart.argmin()] :][:2])
    found: float = brentq(lambda at: margin(float(np.exp(at))), low, high, xtol=CLOSE)  # pyright: ignore[reportAssignmentType]
    return float(np.exp(found))


class _Change(NamedTuple):
    """Events added to one arm of one trial, or taken away, one by one."""

    column: str
    row: int
    sign: int

    def most(self, data: Data) -> int:
        """How many at most: no event is taken that there is not, and nobody has two."""
        events = data.numbers[self.column][self.row]
        if self.sign < 0:
            return int(events)
        patients = data.numbers.get(self.column.replace("events", "n"))
        return int(3 * events + 100) if patients is None else int(patients[self.row] - events)

    def made(self, data: Data, number: int) -> Data:
        values = np.array(data.numbers[self.column], dtype=np.float64)
        values[self.row] += self.sign * number
        return replace(data, **{self.column: values})  # pyright: ignore[reportArgumentType]


def _of_events(posterior: Posterior, margin: _Margin) -> Iterator[TippingPoint]:
    """The smallest change of one arm's events over all trials that turns the conclusion."""
    model, data = posterior.model, posterior.data
    if not set(EVENTS) <= set(data.numbers):
        return
    changes = [
        _Change(column, row, sign)
        for column in EVENTS
        for row in range(data.k)
        for sign in (1, -1)
        if _towards(margin.stands, column, sign)
    ]

    def turns(change: _Change, number: int) -> bool:
        return margin.of(model, change.made(data, number)) <= 0

    best: tuple[int, _Change] | None = None
    for change in _largest_first(changes, data):
        limit = change.most(data) if best is None else min(change.most(data), best[0] - 1)
        number = _fewest(partial(turns, change), _sizes(limit, bounded=best is not None))
        best = best if number is None else (number, change)
    yield _of_change(best, data)


def _sizes(limit: int, *, bounded: bool) -> list[int]:
    """Numbers to try, upwards: doubled up to the limit, or it alone where it is known to be low."""
    doubled = [] if bounded else [2**n for n in range(limit.bit_length()) if 2**n < limit]
    return [*doubled, limit] if limit > 0 else []


def _towards(stands: Conclusion, column: str, sign: int) -> bool:
    """Whether a change moves the effect the way that turns the conclusion."""
    up = (column == EVENTS[0]) == (sign > 0)
    return stands is Conclusion.OPEN or up == (stands is Conclusion.BELOW)


def _largest_first(changes: list[_Change], data: Data) -> list[_Change]:
    """Trials with the most events, which move the answer most, so that later ones are bounded."""
    total = data.numbers[EVENTS[0]] + data.numbers[EVENTS[1]]
    return sorted(changes, key=lambda change: -total[change.row])


def _fewest(turns: Callable[[int], bool], sizes: list[int]) -> int | None:
    """The smallest number that turns it, of those up to the last size; None where none does."""
    found = next((i for i, size in enumerate(sizes) if turns(size)), None)
    if found is None:
        return None
    low, high = ([0, *sizes])[found : found + 2]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if turns(middle) else (middle, high)
    return high


def _of_change(best: tuple[int, _Change] | None, data: Data) -> TippingPoint:
    what = "events of one arm of one trial"
    if best is None:
        says = "No number of events in one arm of one trial turns the conclusion."
        return TippingPoint(what=what, turns_at=None, says=says)
    number, change = best
    arm, more = change.column.removeprefix("events_"), "more" if change.sign > 0 else "fewer"
    events = int(data.numbers[change.column][change.row])
    return TippingPoint(
        what=what,
        turns_at=float(change.sign * number),
        says=(
            f"The conclusion turns with {number} {more} {'event' if number == 1 else 'events'} in "
            f"the {arm} arm of {data.study[change.row]}: {events + change.sign * number} in place "
            f"of {events}."
        ),
    )
