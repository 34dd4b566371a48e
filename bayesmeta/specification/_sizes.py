"""Numbers that no program can hold, refused where they stand before anything is made of them."""

import math
from collections.abc import Iterator

from ..errors import SpecError
from ..ways import cut
from ._lines import line_of

LARGEST = 2**63 - 1
RANGE = "whole numbers of TOML lie between -2^63 and 2^63"


def refuse_sizes(content: object, text: str, name: str) -> None:
    """Refuse the first whole number beyond 64 bits, and the first that is not finite.

    Raises
    ------
    SpecError
        With its key and line.
    """
    for where, number in _numbers(content):
        whole = isinstance(number, int)
        wrong = f"is too large: {RANGE}" if whole else "must be a finite number"
        line = line_of(text, where)
        key = next((one for one in reversed(where) if isinstance(one, str)), "")
        raise SpecError(f"{name}, line {line}: {cut(key)} {wrong}.")


def _numbers(content: object) -> Iterator[tuple[tuple[int | str, ...], object]]:
    """Numbers out of range and where they stand; without recursion, for tables may be deep."""
    rest: list[tuple[tuple[int | str, ...], object]] = [((), content)]
    while rest:
        where, value = rest.pop()
        if isinstance(value, dict):
            rest += [((*where, key), one) for key, one in reversed(value.items())]
        elif isinstance(value, list):
            rest += [((*where, i), one) for i, one in reversed(list(enumerate(value)))]
        elif _beyond(value):
            yield where, value


def _beyond(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) > LARGEST
    return isinstance(value, float) and not math.isfinite(value)
