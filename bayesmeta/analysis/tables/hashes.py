"""What a run was made of."""

import hashlib
from collections.abc import Iterator, Mapping

from ...sheets import check_regular, read_bytes
from ...specification import Source, is_table


def hashes_of(source: Source) -> Mapping[str, str]:
    """SHA-256 of the specification and of each table, those of baselines too, by file name."""
    name = source.path.name.encode("utf-8", "backslashreplace").decode()
    found = {name: source.sha256}
    for table in _tables(source):
        path = source.path.parent / table
        check_regular(path)
        found[table] = hashlib.sha256(read_bytes(path)).hexdigest()
    return found


def _tables(source: Source) -> Iterator[str]:
    """Of judgements, of trials, and of what happens without the treatment."""
    for one in (source.specification, *source.specification.outcome):
        if one.risk_of_bias is not None:
            yield str(one.risk_of_bias)
    for outcome in source.specification.outcome:
        if outcome.data is not None:
            yield str(outcome.data)
        yield from (str(one) for one in outcome.baselines.values() if is_table(one))
