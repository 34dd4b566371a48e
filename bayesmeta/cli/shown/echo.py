"""The one way to a terminal: what is written there is shown, and never obeyed."""

import os
import re
import sys
from typing import IO, TYPE_CHECKING

import click

from ...errors import FileError

if TYPE_CHECKING:
    import pandas as pd

# Controls but for line ends and tabs, marks of direction, and letters of no width.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb]"
)


def echo(text: object = "", *, err: bool = False, nl: bool = True, styled: bool = False) -> None:
    """Write to standard output, or to standard error.

    Parameters
    ----------
    text : object
    err : bool
        Whether to standard error.
    nl : bool
        Whether a line end follows.
    styled : bool
        Whether `text` holds styles of our own, and what it was made of was `visible` before.

    Raises
    ------
    FileError
        If a file that takes the place of the terminal cannot be written to, as on a full disk.
    """
    try:
        click.echo(text if styled else visible(text), err=err, nl=nl)
    except BrokenPipeError:
        raise
    except OSError as error:
        stream, name = (sys.stderr, "error") if err else (sys.stdout, "output")
        forget(stream)
        raise FileError(
            f"Standard {name} cannot be written to: {error.strerror or error}."
        ) from None


def forget(stream: IO[str]) -> None:
    """Have what is left in a stream go nowhere when Python ends: it would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def visible(text: object) -> str:
    """A text with an escape, as JSON writes it, for what a terminal would obey or hide."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", str(text))


def visible_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """A table whose texts and labels are visible, so that its columns stay under one another."""
    shown = table.map(lambda cell: visible(cell) if isinstance(cell, str) else cell)
    return shown.rename(
        index=lambda name: visible(name) if isinstance(name, str) else name,
        columns=lambda name: visible(name) if isinstance(name, str) else name,
    )
