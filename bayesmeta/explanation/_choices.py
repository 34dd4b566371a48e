"""What each single choice does to a pooled number."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..effects import ZERO_WORDS, Measure
from ..frequentist import Convention, Selections
from ..studies import Published
from ._printed import FIGURES, Target, as_printed, in_words
from ._search import Place
from .selections import rows_that_differ
from .walk import Walked, walk


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice made differently from the nearest candidate, and what comes out.

    Attributes
    ----------
    choice, before, after : str
    figures : mapping of str to float
        ``estimate``, ``lower`` and ``upper`` on the natural scale; ``p`` where one is printed.
    move : float
        Largest move of estimate and limits, in units of the last printed digit.
    """

    choice: str
    before: str
    after: str
    figures: Mapping[str, float]
    move: float

    def in_words(self, published: Published) -> str:
        """One clause; every figure with a digit more than the printed one."""
        figures = in_words(self.figures, published)
        return f"{self.choice}, {self.before} → {self.after}, gives {figures}"


def single_choices(
    best: Place,
    selections: Selections,
    target: Target,
    measure: Measure,
    *,
    prob: float,
    heterogeneity: bool,
) -> tuple[Choice, ...]:
    """Candidates that differ from the best in one choice; the largest move first."""
    near = selections.at(_near(selections, best.column))
    walked = list(walk(near, measure.name, prob=prob, heterogeneity=heterogeneity))
    base = next(one for one in walked if one.convention == best.convention)
    effect = partial(_effect, measure=measure, names=FIGURES[:3] + ("p",) * ("p" in target))
    here = effect(base, 0)
    found = [
        Choice(choice=choice, before=before, after=after, figures=figures, move=move)
        for choice, before, after, figures in _neighbours(walked, base, near, effect)
        for move in [_move(here, figures, target)]
    ]
    return tuple(sorted(_largest(found), key=lambda one: -one.move))


def _near(selections: Selections, column: int) -> NDArray[np.intp]:
    """The selection itself, then those with one study more or fewer, or in another reading."""
    present, table = selections.present, selections.table
    apart = (present != present[:, [column]]).sum(axis=0)
    near = ((apart == 1) & (table == table[column])) | ((apart == 0) & (table != table[column]))
    return np.concatenate(([column], np.flatnonzero(near)))


def _largest(found: Sequence[Choice]) -> list[Choice]:
    """Those that move anything; choices of one kind that come to the same figures are one."""
    alike: dict[tuple, list[Choice]] = {}
    for one in found:
        key = (one.choice, one.before, *(f"{value:.9g}" for value in one.figures.values()))
        alike.setdefault(key, []).append(one)
    return [
        replace(same[0], after=" or ".join(dict.fromkeys(one.after for one in same)))
        for same in alike.values()
        if same[0].move > 0
    ]


def _move(
    here: Mapping[str, float],
    there: Mapping[str, float],
    target: Target,
) -> float:
    return max(abs(there[name] - here[name]) / target[name].unit for name in FIGURES[:3])


type Effect = Callable[[Walked, int], dict[str, float]]


def _effect(
    one: Walked, column: int, *, measure: Measure, names: Sequence[str]
) -> dict[str, float]:
    return {name: float(as_printed(name, one.figures[name][column], measure)) for name in names}


def _neighbours(
    walked: Sequence[Walked], base: Walked, near: Selections, effect: Effect
) -> Iterator[tuple[str, str, str, dict[str, float]]]:
    mine = _parts(base.convention)
    for one in walked:
        parts = _parts(one.convention)
        if one.convention.effects == "common":
            parts["interval"] = None  # it has one only
        both = [name for name in mine if mine[name] is not None and parts[name] is not None]
        differ = [name for name in both if mine[name] != parts[name]]
        if len(differ) == 1 and np.isfinite(one.figures["estimate"][0]):
            name = differ[0]
            yield name, str(mine[name]), str(parts[name]), effect(one, 0)
    yield from _other_tables(base, near, effect)


def _parts(convention: Convention) -> dict[str, str | None]:
    """The choices in words; None where one does not arise, which goes with any."""
    weights = convention.weights
    zeros = convention.mh_zero_cells if weights == "MH" else convention.zero_cells
    return {
        "pooling": convention.pooling,
        "zero cells": ZERO_WORDS[zeros] if weights in ("IV", "MH") else None,
        "studies without events": convention.double_zero if weights == "IV" else None,
        "interval": convention.interval,
        "variance of the RD": convention.variance if weights == "MH" else None,
        "formula of the SMD": convention.smd,
        "bias correction": str(convention.bias_correction),
    }


def _other_tables(
    base: Walked, near: Selections, effect: Effect
) -> Iterator[tuple[str, str, str, dict[str, float]]]:
    """The same convention with one study more or fewer, or one other reading."""
    present, table = near.present, near.table
    names = near.tables[0].study
    for other in range(1, near.n):
        if not np.isfinite(base.figures["estimate"][other]):
            continue
        figures = effect(base, other)
        if table[other] == table[0]:
            i = int(np.flatnonzero(present[:, other] != present[:, 0])[0])
            words = ["with it", "without it"]
            before, after = words if present[i, 0] else words[::-1]
            yield f"study {names[i]}", before, after, figures
            continue
        tables = near.tables[table[0]], near.tables[table[other]]
        differ = np.flatnonzero(rows_that_differ(*tables))
        if len(differ) == 1:
            yield f"reading of {names[differ[0]]}", "this", "another", figures
