"""The fewest events, added to one arm of one trial or taken away, that turn a conclusion."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, final

import numpy as np
from scipy.special import ndtr, ndtri

from ..model import Data
from ..posterior import Array, Posterior
from ._exchanged import FARTHEST, Exchanged
from .conclusion import Conclusion

EVENTS = ("events_treatment", "events_control")
SLACK = 0.1  # of a standard normal quantile: nearer to turning, nodes alone do not decide


class Change(NamedTuple):
    """Events added to one arm of one trial, or taken away, one by one."""

    column: str
    row: int
    sign: int

    def made(self, data: Data, number: int) -> Data:
        """The data with so many events more, or fewer."""
        more = np.zeros(data.k)
        more[self.row] = self.sign * number
        return _with(data, self.column, more)


class Turn(NamedTuple):
    """A change, and the fewest events that turn the conclusion by it."""

    number: int
    change: Change


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OneEvent:
    """What one event of one arm of one trial more, and one fewer, would make of the answer.

    Attributes
    ----------
    study : str
    arm : {"treatment", "control"}
    events : int
        As they were counted.
    more, fewer : float
        Posterior probability that mu is below 0 with one event more, and with one fewer; NaN where
        the arm cannot have it.
    more_stands, fewer_stands : bool or None
        Whether the conclusion is then as it was; None where the arm cannot have it.
    """

    study: str
    arm: str
    events: int
    more: float
    fewer: float
    more_stands: bool | None
    fewer_stands: bool | None


def one_event(
    posterior: Posterior, stands: Conclusion, prob: float, nodes: Exchanged
) -> tuple[OneEvent, ...]:
    """Add an event to every arm, and take one away, one at a time: two rows a trial.

    How far the standard normal quantile of the probability moves is said by the nodes, from where
    the fit has it.
    """
    data = posterior.data
    known = float(np.clip(ndtri(np.clip(posterior.at().cdf(0.0), 0, 1)), -FARTHEST, FARTHEST))
    own = nodes.z(data)
    found: list[OneEvent] = []
    for column in EVENTS:
        z = np.full((2, data.k), np.nan)
        for row, sign in zip(z, (1, -1), strict=True):
            can = most_events(data, column, sign) >= 1
            moved = nodes.z(_with(data, column, sign * can.astype(float))) - own
            row[can] = known + moved[can]
        stand = [
            None if np.isnan(one) else bool(one > 0) for one in margins(z, stands, prob).ravel()
        ]
        below, more, fewer = ndtr(z), stand[: data.k], stand[data.k :]
        found += (
            OneEvent(
                study=data.study[i],
                arm=column.removeprefix("events_"),
                events=int(data.numbers[column][i]),
                more=float(below[0, i]),
                fewer=float(below[1, i]),
                more_stands=more[i],
                fewer_stands=fewer[i],
            )
            for i in range(data.k)
        )
    return tuple(sorted(found, key=lambda one: data.study.index(one.study)))


def fewest_events(
    posterior: Posterior,
    stands: Conclusion,
    prob: float,
    margin: Callable[[Data], float],
    nodes: Exchanged | None,
) -> Turn | None:
    """The smallest number of events of one arm of one trial that turns a conclusion.

    Candidates are found on the nodes of the fit, one trial exchanged at a time; which turns it, and
    that one event fewer does not, is said by fits.

    Parameters
    ----------
    posterior : Posterior
        Exact, of counts.
    stands : Conclusion
        What it concludes.
    prob : float
        Mass of the interval of mu.
    margin : callable
        Of other data, by a fit: positive where the conclusion stands.
    nodes : Exchanged or None
        Of the fit.
    """
    search = _Search(posterior, stands, prob, margin, nodes)
    number = search.first()
    return search.confirmed(number)


@final
@dataclass(slots=True)
class _Search:
    posterior: Posterior
    stands: Conclusion
    prob: float
    margin: Callable[[Data], float]
    nodes: Exchanged | None
    _rough: dict[int, list[tuple[float, Change]]] = field(default_factory=dict)
    _fitted: dict[tuple[Change, int], bool] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """The largest number that any change allows."""
        limits = (most_events(self.posterior.data, *arm) for arm in _arms(self.stands))
        return int(max(each.max() for each in limits))

    def first(self) -> int:
        """The first number that turns it on the nodes; the largest there is where none does."""
        low, high = 0, 1
        while not self._turns(high) and high < self.most:
            low, high = high, min(2 * high, self.most)
        while high - low > 1 and self._turns(high):
            middle = (low + high) // 2
            low, high = (low, middle) if self._turns(middle) else (middle, high)
        return high

    def _turns(self, number: int) -> bool:
        return any(margin <= 0 for margin, _ in self.rough(number))

    def rough(self, number: int) -> list[tuple[float, Change]]:
        """Every change by so many events, or as many as there are, the farthest turned first."""
        if number not in self._rough:
            found = [one for arm in _arms(self.stands) for one in self._of_arm(*arm, number)]
            self._rough[number] = sorted(found)
        return self._rough[number]

    def _of_arm(self, column: str, sign: int, number: int) -> Iterator[tuple[float, Change]]:
        data = self.posterior.data
        changes = [Change(column, row, sign) for row in range(data.k)]
        held = np.minimum(number, most_events(data, column, sign)).astype(int)
        if self.nodes is None:
            found = [
                self.margin(one.made(data, int(n))) for one, n in zip(changes, held, strict=True)
            ]
        else:
            z = self.nodes.z(_with(data, column, sign * held))
            found = margins(z, self.stands, self.prob).tolist()
        return zip(found, changes, strict=True)

    def confirmed(self, number: int) -> Turn | None:
        """The fewest from there on that turn it, by fits."""
        best = self._turned(number)
        while best is None and number < self.most:
            number += 1
            best = self._turned(number)
        while best is not None and best.number > 1:
            fewer = self._turned(best.number - 1, best.change)
            if fewer is None:
                break
            best = fewer
        return best

    def _turned(self, number: int, also: Change | None = None) -> Turn | None:
        """A change by so many events, or as many as there are, that turns it, of those that may."""
        data = self.posterior.data
        for margin, one in self.rough(number):
            held = int(min(number, most_events(data, one.column, one.sign)[one.row]))
            if held == 0 or not (margin <= SLACK or one == also):
                continue
            if (one, held) not in self._fitted:
                self._fitted[one, held] = self.margin(one.made(data, held)) <= 0
            if self._fitted[one, held]:
                return Turn(held, one)
        return None


def margins(z: Array, stands: Conclusion, prob: float) -> Array:
    """How far probabilities that mu is below 0, as standard normal quantiles, are from turning it.

    Below 0 where the central interval of mu says otherwise than `stands`.
    """
    half = ndtri((1 + prob) / 2)
    match stands:
        case Conclusion.BELOW:
            return z - half
        case Conclusion.ABOVE:
            return -z - half
        case Conclusion.OPEN:
            return half - np.abs(z)


def most_events(data: Data, column: str, sign: int) -> Array:
    """How many at most, (k,): no event is taken that there is not, and nobody has two."""
    events = data.numbers[column]
    if sign < 0:
        return events
    patients = data.numbers.get(column.replace("events", "n"))
    return 3 * events + 100 if patients is None else patients - events


def _with(data: Data, column: str, more: Array) -> Data:
    return replace(data, **{column: data.numbers[column] + more})  # pyright: ignore[reportArgumentType]


def _arms(stands: Conclusion) -> Iterator[tuple[str, int]]:
    """Arms and signs that move the effect the way that turns the conclusion."""
    for column in EVENTS:
        for sign in (1, -1):
            up = (column == EVENTS[0]) == (sign > 0)
            if stands is Conclusion.OPEN or up == (stands is Conclusion.BELOW):
                yield column, sign
