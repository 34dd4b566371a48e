"""Everything the package raises on purpose.

Each message says what was wrong, in which argument and which rows, and what would be right.
"""

from collections.abc import Generator
from contextlib import contextmanager

from .ways import way

MOST = 10  # problems that are listed; the others are counted
LONGEST = 2000  # characters of one problem: what is longer loses its middle, not its remedy


class BayesmetaError(Exception):
    """Base of every error raised on purpose: each problem in one line of bounded length."""

    def __init__(self, *problems: object) -> None:
        super().__init__(*(_one_line(str(one)) for one in problems))


def _one_line(text: str) -> str:
    """A text without line ends, and without its middle where it is very long."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"
    return " ".join(text.splitlines())


class DataError(BayesmetaError, ValueError):
    """The table of studies cannot be used as given.

    Attributes
    ----------
    problems : tuple of str
        All that is wrong with it, a sentence each.
    table : str
        Name of the file that it came from, where one is known.
    """

    table: str = ""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong, a sentence each."""
        return tuple(map(str, self.args))

    @property
    def listed(self) -> tuple[str, ...]:
        """The first ten problems, then how many more there are."""
        more = len(self.problems) - MOST
        return self.problems[:MOST] + ((f"And {more} more.",) if more > 0 else ())

    def __str__(self) -> str:
        """The sentence; several are numbered."""
        if len(self.problems) <= 1:
            return "".join(self.problems)
        first = self.problems[:MOST]
        said = "; ".join(f"({i}) {one.rstrip('.')}" for i, one in enumerate(first, start=1))
        more = len(self.problems) - len(first)
        where = f"{self.table} has " if self.table else ""
        rest = f"; and {more} more" if more else ""
        return f"{where}{len(self.problems)} problems: {said}{rest}."


@contextmanager
def of_table(name: object) -> Generator[None]:
    """Say of which file the problems are that are raised within the block."""
    try:
        yield
    except DataError as error:
        error.table = error.table or str(name)
        raise


class ColumnError(DataError):
    """A table lacks a column, or has it twice.

    Attributes
    ----------
    lacks : str
        What is wrong, without the remedy, which each interface writes in its own words.
    ours : str
        The column that was looked for.
    """

    def __init__(self, lacks: str, ours: str) -> None:
        self.lacks = lacks
        self.ours = ours
        super().__init__(f"{lacks} Rename it, or say which column to use: {way('columns', ours)}.")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Say how to make it again in another process."""
        return type(self), (self.lacks, self.ours)


class SpecError(BayesmetaError, ValueError):
    """The specification file, or an argument that stands for a line of it, cannot be used."""


class ModelError(BayesmetaError, ValueError):
    """The model, or its pairing with data or engine, makes no sense."""


class FileError(BayesmetaError, OSError):
    """A file cannot be read or written."""
