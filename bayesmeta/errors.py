"""Everything the package raises on purpose.

Each message says what was wrong, in which argument and which rows, and what would be right.
"""


class BayesmetaError(Exception):
    """Base of every error raised on purpose."""


class DataError(BayesmetaError, ValueError):
    """The table of studies cannot be used as given."""


class ColumnError(DataError):
    """A table lacks a column, or has it twice.

    Attributes
    ----------
    lacks : str
        What is wrong, without the remedy, which is another in a file than in Python.
    ours : str
        The column that was looked for.
    """

    def __init__(self, lacks: str, ours: str) -> None:
        self.lacks = lacks
        self.ours = ours
        super().__init__(
            f"{lacks} Rename it, or say which column to use with columns={{{ours!r}: ...}}."
        )

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Say how to make it again in another process."""
        return type(self), (self.lacks, self.ours)


class SpecError(BayesmetaError, ValueError):
    """The specification file, or an argument that stands for a line of it, cannot be used."""


class ModelError(BayesmetaError, ValueError):
    """The model, or its pairing with data or engine, makes no sense."""


class FileError(BayesmetaError, OSError):
    """A file cannot be read or written."""
