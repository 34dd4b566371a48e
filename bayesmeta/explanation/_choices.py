"""What each single choice does to a pooled number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..effects import ZERO_WORDS, Measure
from ..frequentist import Convention
from ._printed import as_printed
from ._walk import FIGURES, Selections, Walked

type Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice made differently from the nearest candidate, and what comes out.

    Attributes
    ----------
    choice, before, after : str
    figures : mapping of str to float
        ``estimate``, ``lower`` and ``upper`` on the natural scale.
    move : float
        Largest move of estimate and limits, in units of the last printed digit.
    """

    choice: str
    before: str
    after: str
    figures: Mapping[str, float]
    move: float

    def in_words(self, digits: int) -> str:
        """One clause; `digits` after the point."""
        estimate, lower, upper = (f"{value:.{digits}f}" for value in self.figures.values())
        return f"{self.choice}, {self.before} → {self.after}, gives {estimate} [{lower}, {upper}]"


def single_choices(
    walked: Sequence[Walked],
    place: tuple[int, int],
    selections: Selections,
    target: Mapping[str, tuple[float, float]],
    measure: Measure,
) -> tuple[Choice, ...]:
    """Candidates that differ from that at `place` in one choice; the largest move first.

    `place` is a row of `walked` and a selection.
    """
    row, column = place
    here = _effect(walked[row], column, measure)
    found = [
        Choice(choice=choice, before=before, after=after, figures=figures, move=move)
        for choice, before, after, figures in _neighbours(walked, row, column, selections, measure)
        for move in [_move(here, figures, target)]
    ]
    return tuple(sorted(_largest(found), key=lambda one: -one.move))


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
    target: Mapping[str, tuple[float, float]],
) -> float:
    return max(abs(there[name] - here[name]) / target[name][1] for name in here)


def _effect(one: Walked, column: int, measure: Measure) -> dict[str, float]:
    return {
        name: float(as_printed(name, one.figures[name][column], measure)) for name in FIGURES[:3]
    }


def _neighbours(
    walked: Sequence[Walked], row: int, column: int, selections: Selections, measure: Measure
) -> Iterator[tuple[str, str, str, dict[str, float]]]:
    mine = _parts(walked[row].convention)
    for one in walked:
        parts = _parts(one.convention)
        if one.convention.effects == "common":
            parts["interval"] = None  # it has one only
        both = [name for name in mine if mine[name] is not None and parts[name] is not None]
        differ = [name for name in both if mine[name] != parts[name]]
        if len(differ) == 1 and np.isfinite(one.figures["estimate"][column]):
            name = differ[0]
            yield name, str(mine[name]), str(parts[name]), _effect(one, column, measure)
    yield from _other_tables(walked[row], column, selections, measure)


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
    one: Walked, column: int, selections: Selections, measure: Measure
) -> Iterator[tuple[str, str, str, dict[str, float]]]:
    """The same convention with one study more or fewer, or one other reading."""
    present, table = selections.present, selections.table
    names = selections.tables[0].study
    one_off = (present != present[:, [column]]).sum(axis=0) == 1
    for other in np.flatnonzero(one_off & (table == table[column])):
        if np.isfinite(one.figures["estimate"][other]):
            i = int(np.flatnonzero(present[:, other] != present[:, column])[0])
            words = ["with it", "without it"]
            before, after = words if present[i, column] else words[::-1]
            yield f"study {names[i]}", before, after, _effect(one, int(other), measure)
    same = (present == present[:, [column]]).all(axis=0)
    for other in np.flatnonzero(same & (table != table[column])):
        differ = _rows_that_differ(selections, int(table[column]), int(table[other]))
        if len(differ) == 1 and np.isfinite(one.figures["estimate"][other]):
            yield (
                f"reading of {names[differ[0]]}",
                "this",
                "another",
                _effect(one, int(other), measure),
            )


def _rows_that_differ(selections: Selections, a: int, b: int) -> NDArray[np.intp]:
    first, second = selections.tables[a].numbers, selections.tables[b].numbers
    return np.flatnonzero(np.any([first[name] != second[name] for name in first], axis=0))
