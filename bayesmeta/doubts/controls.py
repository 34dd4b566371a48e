"""One control arm in the rows of several studies."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb

import numpy as np

from ..studies import Table
from ..ways import way
from .doubt import Doubt
from .rows import COINCIDENCES, told_apart

CONTROL = "_control"


def shared_controls(data: Table, measure: str | None) -> Iterator[Doubt]:
    """Doubt studies of different names with one control arm and different treatment arms.

    Not where that is likely by chance, as for `equal_rows`; the pairs that count are those whose
    names begin with as many words in common, and means of one scale, which lie close together, need
    one such word. Nor where figures of a row were derived: shares of a control that was split are
    alike.
    """
    names = [name for name in data.numbers if name.endswith(CONTROL)]
    if not names or CONTROL not in data.arms:
        return
    controls = np.nan_to_num(np.stack([data.numbers[name] for name in names], axis=1), nan=np.inf)
    rows = np.nan_to_num(np.stack(list(data.numbers.values()), axis=1), nan=np.inf)
    places = defaultdict(list)
    for i, row in enumerate(controls):
        if not data.provenance[i] and not any(
            (rows[i] == rows[j]).all() for j in places[tuple(row)]
        ):
            places[tuple(row)].append(i)
    apart = told_apart(np.stack([data.numbers[name] for name in names], axis=1))
    for found in places.values():
        if len(found) < 2:
            continue
        words = [re.findall(r"\w+", name.casefold()) for name in data.study]
        least = min(_alike(words[i], words[j]) for i, j in combinations(found, 2))
        usual = least == 0 and not data.discrete
        if not usual and _pairs(words, least) / apart[found[0]] < COINCIDENCES:
            yield _shared(data, found)


def _pairs(names: Sequence[Sequence[str]], words: int) -> int:
    """How many pairs of names begin with so many words in common."""
    begins = Counter(tuple(one[:words]) for one in names if len(one) >= words)
    return sum(comb(count, 2) for count in begins.values())


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two names have in common before they part."""
    parts = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(parts, min(len(one), len(other)))


def _shared(data: Table, rows: list[int]) -> Doubt:
    names = tuple(data.study[i] for i in rows)
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    control = data.in_words(rows[0]).rpartition(" v ")[2]
    times = "twice" if len(names) == 2 else f"{len(names)} times"
    return Doubt(
        "shared_controls",
        names,
        f"{listed} have the same control arm, {control}: if it is one group of patients, it counts "
        f"{times}; give these rows one name and add their active arms up with {way('combine')}, or "
        f"keep one of them, {way('exclude', names[-1])}.",
    )
