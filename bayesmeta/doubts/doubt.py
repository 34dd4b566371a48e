"""What is doubted in a table, and the rules that doubt it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

from ..studies import Table


@final
@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing in a table that is hardly so.

    Attributes
    ----------
    rule : str
        Key of the rule that found it, one of ``RULES``.
    studies : tuple of str
        The rows it is about, as the table names them.
    text : str
        One sentence: what was seen, where, what it may be, and the remedy.
    """

    rule: str
    studies: tuple[str, ...]
    text: str


@final
@dataclass(frozen=True, slots=True)
class Rule[T: Table]:
    """A rule for tables of one kind.

    Attributes
    ----------
    key : str
        Its name in ``RULES`` and in the documentation.
    find : callable
        From a table and the measure to be analysed, or None, to what it doubts.
    """

    key: str
    find: Callable[[T, str | None], Iterator[Doubt]]


def figures(data: Table, i: int) -> str:
    """What a row reports, e.g. ``"3/29 v 2/31"`` or ``"y -0.3, se 0.2"``."""
    if data.arms:
        return data.in_words(i)
    return ", ".join(f"{name} {values[i]:.4g}" for name, values in data.numbers.items())
