"""What a run was made of."""

import hashlib
from collections.abc import Mapping

from ..errors import FileError
from ..specification import Source


def hashes_of(source: Source) -> Mapping[str, str]:
    """SHA-256 of the specification and of each table, by file name."""
    name = source.path.name.encode("utf-8", "backslashreplace").decode()
    found = {name: hashlib.sha256(source.path.read_bytes()).hexdigest()}
    for outcome in source.specification.outcome:
        if outcome.data is not None:
            path = source.path.parent / outcome.data
            try:
                found[str(outcome.data)] = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                raise FileError(f"{path} cannot be read: {error.strerror or error}.") from None
    return found
