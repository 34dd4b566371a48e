"""Everything the package raises on purpose.

Each message says what was wrong, in which argument and which rows, and what would be right.
"""


class BayesmetaError(Exception):
    """Base of every error raised on purpose."""


class DataError(BayesmetaError, ValueError):
    """The table of studies cannot be used as given."""


class SpecError(BayesmetaError, ValueError):
    """The specification file, or an argument that stands for a line of it, cannot be used."""


class ModelError(BayesmetaError, ValueError):
    """The model, or its pairing with data or engine, makes no sense."""


class FileError(BayesmetaError, OSError):
    """A file cannot be read or written."""
