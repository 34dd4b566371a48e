"""Percentages that were typed as events."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..studies import Studies
from .doubt import Doubt

type Array = NDArray[np.float64]

FEWEST = 5  # studies, for a line through them
SPREAD = 0.3  # SD of log n: with less, events need not grow
SLOPE = 0.35  # of log events on log n, at most: it is near 1 for counts and near 0 for percentages
ERRORS = 2.5  # standard errors that it lies below 1, at least


def percentages_as_counts(data: Studies, measure: str | None) -> Iterator[Doubt]:
    """Doubt events that do not grow with the patients, or that are all out of 100.

    A line is put through log events on log patients, both arms together: its slope is near 1 for
    counts and near 0 for percentages.
    """
    if data.size != "n" or data.k < 2:
        return
    sizes = np.stack([getattr(data, f"n{arm}") for arm in data.arms])
    if (sizes == 100).all():
        yield _doubt(data, "all arms have 100 patients")
        return
    events = np.stack([getattr(data, f"events{arm}") for arm in data.arms]).sum(axis=0)
    if events.max() <= 100 * len(data.arms) and _flat(events, sizes.sum(axis=0)):
        yield _doubt(data, "events hardly grow with the patients from study to study")


def _flat(events: Array, n: Array) -> bool:
    """Whether events do not grow with n."""
    x, y = np.log(n), np.log(events + 0.5)
    if n.size < FEWEST or x.std() < SPREAD:
        return False
    off = x - x.mean()
    slope = off @ y / (off @ off)
    rest = y - y.mean() - slope * off
    error = np.sqrt(rest @ rest / (n.size - 2) / (off @ off))
    return bool(slope < SLOPE and slope + ERRORS * error < 1)


def _doubt(data: Studies, seen: str) -> Doubt:
    return Doubt(
        "percentages_as_counts",
        data.study,
        f"{seen[0].upper()}{seen[1:]}: if the events are percentages, give counts, "
        "percentage × n / 100, with the patients of each arm as n.",
    )
