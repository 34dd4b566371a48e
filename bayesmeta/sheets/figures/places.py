"""Rows counted as they stand in the table that was given, whatever was left out on the way."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar

_AT = ContextVar[tuple[int, ...]]("rows stand at", default=())


@contextmanager
def numbered(index: Iterable[object]) -> Generator[None]:
    """Count rows within the block by an index that holds their places, from 0."""
    token = _AT.set(tuple(int(i) for i in index))  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        _AT.reset(token)


def number(row: int) -> int:
    """Return the number, from 1, of a row of the frame in hand."""
    place = _AT.get()
    return (place[row] if row < len(place) else row) + 1
