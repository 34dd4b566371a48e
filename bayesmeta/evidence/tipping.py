"""How much must change before a conclusion turns: heterogeneity, its prior, one trial's events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ..engines import rough_estimates
from ..errors import ModelError
from ..model import Data, Model, check_one_effect, with_tau
from ..notebooks import Tabled
from ..posterior import Posterior
from ..priors import Prior, Uniform, rescaled
from ..studies import check_prob
from ..ways import way
from ._events import EVENTS, OneEvent, fewest_events, margins, one_event
from ._exchanged import AlongTau, Exchanged, on_nodes
from ._refit import refit
from .conclusion import Conclusion, conclusion

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

LARGEST_TAU, WIDE = 5.0, 100.0  # of logarithms and SMD; of a measure with a unit, in typical SEs
NARROW = 1e-3  # of tau, to either side, of a prior that fixes it
WIDEST = 100.0  # times as wide as it is is a prior of tau, unless its median is beyond that tau
PLACES = 9  # at which it is looked whether the conclusion stands
CLOSE = 1e-5  # of a logarithm
BESIDE = 0.004  # to either side of a turning point that is known to three digits


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
class TippingPoints(Tabled):
    """What turns a conclusion.

    Attributes
    ----------
    conclusion : Conclusion
        As it stands.
    prob : float
        Mass of the interval that it rests on.
    points : tuple of TippingPoint
    one_event : tuple of OneEvent
        For every arm of every trial, what one event more or fewer makes of the probability that mu
        is below 0, to about 1e-4; empty where studies are not of counts, or share more than mu
        and tau.
    """

    conclusion: Conclusion
    prob: float
    points: tuple[TippingPoint, ...]
    one_event: tuple[OneEvent, ...] = ()

    def table(self) -> "pd.DataFrame":
        """Return one row per thing that was changed."""
        import pandas as pd

        rows = [(one.what, one.turns_at, one.says) for one in self.points]
        return pd.DataFrame(rows, columns=["what", "turns_at", "says"]).set_index("what")

    def counts(self) -> "pd.DataFrame":
        """Return one row per arm of a trial: the answer with one event more, and one fewer."""
        import pandas as pd

        names = [one.name for one in fields(OneEvent)]
        rows = [[getattr(one, name) for name in names] for one in self.one_event]
        return pd.DataFrame(rows, columns=names).set_index("study")


def tipping_points(posterior: Posterior, *, prob: float = 0.95) -> TippingPoints:
    """Find the nearest tau, prior of tau and count of one trial at which the conclusion turns.

    The conclusion is where the central interval of mu lies beside no effect, and turns where that
    changes: with tau fixed; with its prior stretched; and with events added to, or taken from, one
    arm of one trial, of which the smallest number over all trials is told. That number supposes
    that more of the same change moves the interval the same way. Candidates of counts are found on
    nodes of the fit; on either side of each turning point stands an exact fit.

    Parameters
    ----------
    posterior : Posterior
        Of a comparison, from the exact engine.
    prob : float
        Mass of the interval.

    Returns
    -------
    TippingPoints
        A point is None where nothing that was tried turns it, or a fit on the way failed; its
        sentence says which.

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
    nodes = Exchanged.of(posterior) if set(EVENTS) <= set(posterior.data.numbers) else None
    made = (_known(what, find) for what, find in _changes(posterior, margin, nodes))
    return TippingPoints(
        conclusion=stands,
        prob=prob,
        points=tuple(made),
        one_event=() if nodes is None else one_event(posterior, stands, prob, nodes),
    )


def _known(what: str, find: Callable[[], "_Found"]) -> TippingPoint:
    """A point, or why there is none: a fit on the way to it may fail its gates."""
    try:
        found = find()
    except ModelError as error:
        found = _Found(None, f"Not known: {error}")
    return TippingPoint(what=what, turns_at=found.turns_at, says=found.says)


class _Found(NamedTuple):
    """Where it turns, and that in a sentence."""

    turns_at: float | None
    says: str


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

    def of_z(self, z: float) -> float:
        """The same of the standard normal quantile of the probability that mu is below 0."""
        return float(margins(np.array(z), self.stands, self.prob))


class _Root(NamedTuple):
    """Where a conclusion turns, and whether it does above."""

    at: float
    above: bool


def _changes(
    posterior: Posterior, margin: _Margin, counts: Exchanged | None
) -> Iterator[tuple[str, Callable[[], _Found]]]:
    """What is changed: tau and its prior unless all studies have one effect, and counts."""
    if "tau" in posterior.model.priors:
        most = _largest_tau(posterior)
        nodes = AlongTau(posterior, most) if on_nodes(posterior) else None
        yield "tau fixed", partial(_of_fixed, posterior, margin, most, nodes)
        yield "prior of tau stretched", partial(_of_stretched, posterior, margin, most, nodes)
    if set(EVENTS) <= set(posterior.data.numbers):
        yield "events of one arm of one trial", partial(_of_events, posterior, margin, counts)


def _of_fixed(posterior: Posterior, margin: _Margin, most: float, nodes: AlongTau | None) -> _Found:
    @cache
    def fixed(tau: float) -> float:
        prior = Uniform(tau * (1 - NARROW), tau * (1 + NARROW))
        return margin.of(with_tau(posterior.model, prior), posterior.data)

    def roughly(tau: float) -> float:
        assert nodes is not None
        return margin.of_z(nodes.z_at(tau))

    here = float(posterior["tau"].quantile(0.5))
    places = most * np.geomspace(1e-3, 1, PLACES)
    looked = _confirmed(fixed, None if nodes is None else roughly, places, here)
    if (tau := looked.root) is None:
        low = "" if looked.low == places[0] else f"from {looked.low:.3g} "
        said = f"No tau {low}up to {looked.high:.3g} turns the conclusion."
        return _Found(None, said + looked.beyond(places))
    side = "more" if tau.above else "less"
    return _Found(tau.at, f"The conclusion turns where tau is {tau.at:.3g} or {side}.")


def _of_stretched(
    posterior: Posterior, margin: _Margin, most: float, nodes: AlongTau | None
) -> _Found:
    prior = posterior.model.priors["tau"]
    if rescaled(prior, 1.0) is None:
        return _Found(None, f"{prior!r} has no scale to stretch.")

    @cache
    def stretched(factor: float) -> float:
        return margin.of(with_tau(posterior.model, _scaled(prior, factor)), posterior.data)

    widest = min(max(2.0, most / prior.quantile(0.5)), WIDEST)
    factors = np.geomspace(1 / WIDEST, widest, PLACES)

    def roughly(factor: float) -> float:
        assert nodes is not None
        return margin.of_z(nodes.z_under(_scaled(prior, factor)))

    looked = _confirmed(stretched, None if nodes is None else roughly, factors, 1.0)
    if (root := looked.root) is None:
        said = f"No prior of tau from {looked.low:.2g} to {looked.high:.3g} times as wide as"
        return _Found(None, f"{said} {prior!r} turns the conclusion.{looked.beyond(factors)}")
    says = f"The conclusion turns where the prior of tau is stretched{_to(prior, root.at)}."
    return _Found(root.at, says)


def _to(prior: Prior, factor: float) -> str:
    """The prior stretched, its numbers rounded."""
    return f" to {_scaled(prior, factor).rounded}, {factor:.3g}-fold"


def _scaled(prior: Prior, factor: float) -> Prior:
    found = rescaled(prior, factor)
    assert found is not None
    return found


def _largest_tau(posterior: Posterior) -> float:
    """Of a measure without a unit 10; else as many typical standard errors."""
    model, data = posterior.model, posterior.data
    scale = model.scale(data)
    if scale.link != "identity" or scale.name in ("SMD", "RD"):
        return LARGEST_TAU
    _, se = rough_estimates(model.likelihood, data, data.numbers)
    return WIDE * float(np.median(se))


class _Looked(NamedTuple):
    """A turning point, if there is one, and between which places fits could be asked."""

    root: _Root | None
    low: float
    high: float

    def beyond(self, places: Array) -> str:
        """That fits failed further out, if they did."""
        whole = self.low == places[0] and self.high == places[-1]
        return "" if whole else " Beyond, fits do not pass their gates."


def _confirmed(
    margin: Callable[[float], float],
    rough: Callable[[float], float] | None,
    places: Array,
    here: float,
) -> _Looked:
    """The nearest turning point on nodes, if fits on either side of it agree; else that of fits."""
    found = None if rough is None else _nearest(rough, places, here)
    if rough is not None and found is not None:
        ends = found.at * np.exp([-BESIDE, BESIDE])
        if [margin(float(at)) > 0 for at in ends] == [rough(float(at)) > 0 for at in ends]:
            return _Looked(found, *map(float, places[[0, -1]]))
    low = next(_passing(margin, places))
    high = next(_passing(margin, places[::-1]))
    if rough is not None and found is None and _agree(margin, rough, (low, high)):
        return _Looked(None, low, high)
    asked = places[(places >= low) & (places <= high)]
    return _Looked(_nearest(margin, asked, here), low, high)


def _passing(margin: Callable[[float], float], places: Array) -> Iterator[float]:
    """Places, in order, where a fit passes its gates.

    Raises
    ------
    ModelError
        If none does.
    """
    failed: ModelError | None = None
    for at in map(float, places):
        try:
            margin(at)
        except ModelError as error:
            failed = failed or error
        else:
            yield at
    raise failed or ModelError("No place was asked.")


def _agree(
    margin: Callable[[float], float], rough: Callable[[float], float], at: tuple[float, float]
) -> bool:
    return all((margin(one) > 0) == (rough(one) > 0) for one in at)


def _nearest(margin: Callable[[float], float], places: Array, here: float) -> _Root | None:
    """The place nearest to `here`, as a ratio, at which a margin changes sign; None for none.

    Raises
    ------
    ModelError
        If none is found, and a fit failed on the way.
    """
    from scipy.optimize import brentq

    failed: list[ModelError] = []

    @cache
    def stands(i: int) -> bool | None:
        try:
            return margin(float(places[i])) > 0
        except ModelError as error:
            failed.append(error)
            return None

    apart = np.abs(np.log(places[1:] * places[:-1]) / 2 - np.log(here))
    for i in map(int, np.argsort(apart)):
        if {stands(i), stands(i + 1)} == {True, False}:
            ends = np.log(places[i : i + 2])
            found: float = brentq(lambda at: margin(float(np.exp(at))), *ends, xtol=CLOSE)  # pyright: ignore[reportAssignmentType]
            return _Root(at=float(np.exp(found)), above=bool(stands(i)))
    if failed:
        raise failed[0]
    return None


def _of_events(posterior: Posterior, margin: _Margin, nodes: Exchanged | None) -> _Found:
    """The smallest change of one arm's events over all trials that turns the conclusion."""
    turns = partial(margin.of, posterior.model)
    best = fewest_events(posterior, margin.stands, margin.prob, turns, nodes)
    if best is None:
        return _Found(None, "No number of events in one arm of one trial turns the conclusion.")
    (column, row, sign), number, data = best.change, best.number, posterior.data
    arm, more = column.removeprefix("events_"), "more" if sign > 0 else "fewer"
    events = int(data.numbers[column][row])
    return _Found(
        float(sign * number),
        f"The conclusion turns with {number} {more} {'event' if number == 1 else 'events'} in the "
        f"{arm} arm of {data.study[row]}: {events + sign * number} in place of {events}.",
    )
