"""Where in a TOML text a key stands."""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Sequence

# What may hide a bracket or the end of a line: strings and comments.
_MARK = re.compile(
    r"""
    "{3} (?: [^\\] | \\. )*? "{3,5} | \'{3} .*? \'{3,5}
    | " (?: [^"\\\n] | \\. )* " | ' [^'\n]* '
    | \# [^\n]* | [][{}\n]
    """,
    re.DOTALL | re.VERBOSE,
)


def line_of(text: str, where: Sequence[int | str]) -> int | None:
    """Line of a key, or of the table that lacks it: TOML readers keep no positions.

    It is where the first statement starts with which the text so far holds the key.
    """
    statements = _statements(text)
    found = list(where)
    while found and not _holds(text, found):
        found.pop()
    if not found:
        return None
    first = bisect_left(statements, True, key=lambda ends: _holds(text[: ends[1]], found))
    return text.count("\n", 0, statements[first][0]) + 1


def _statements(text: str) -> list[tuple[int, int]]:
    """Where each statement of a valid TOML text starts and ends."""
    found, start, depth = [], 0, 0
    for mark in _MARK.finditer(text):
        depth += (mark[0] in "[{") - (mark[0] in "]}")
        if mark[0] == "\n" and depth == 0:
            found.append((start, mark.end()))
            start = mark.end()
    return [*found, (start, len(text))]


def _holds(text: str, where: Sequence[int | str]) -> bool:
    content = tomllib.loads(text)
    try:
        for part in where:
            content = content[part]  # pyright: ignore[reportArgumentType]
    except (KeyError, IndexError, TypeError):
        return False
    return True
