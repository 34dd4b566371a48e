"""Tables whose covariates an analysis reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ._door import Excluded
from .table import Table


def with_covariates[T: Table](
    table: T, names: Iterable[str], left_out: Mapping[str, Sequence[str]]
) -> T:
    """Return the studies that have covariates which an analysis reads.

    Parameters
    ----------
    table : Table
    names : iterable of str
        Of the covariates, which are then told as read.
    left_out : mapping of str to sequence of str
        By study, which of them it lacks; told as left out for that.
    """
    gone = [
        Excluded(name, variant, f"{' and '.join(left_out[name])} not known")
        for name, variant in zip(table.study, table.variant, strict=True)
        if name in left_out
    ]
    kept = table.keep_accounted([name not in left_out for name in table.study])
    return replace(
        kept,  # pyright: ignore[reportArgumentType]
        excluded=(*kept.excluded, *gone),
        origin=replace(kept.origin, used=kept.origin.used.union(names)),
    )
