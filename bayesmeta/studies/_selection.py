"""Which studies: names or a mask, read in one place."""

from collections.abc import Iterable, Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..ways import shown

type Rows = Iterable[str] | Iterable[bool] | NDArray[np.bool_]


def select_studies(study: Sequence[str], rows: Rows) -> NDArray[np.intp]:
    """Return the positions that `rows` asks for, in the order of the table.

    Parameters
    ----------
    study : sequence of str, length k
        Names, unique.
    rows : names, or array-like of bool, shape (k,)
        The studies to take: each name once, or true for each of them.

    Returns
    -------
    ndarray of int
        At least one.

    Raises
    ------
    DataError
        For anything else: numbers, one bare string, a mapping, a mask of another length or without
        an order, an unknown or repeated name, nothing at all.
    """
    given = _listed(rows)
    if given and all(isinstance(one, str) for one in given):
        where = _named(study, [str(one) for one in given])
    elif given and _is_mask(rows, given):
        where = _masked(study, np.array(given, dtype=bool))
    else:
        raise DataError(
            "rows must be a list of study names, or a mask with true or false for each of "
            f"{len(study)} studies; got {shown(rows)}."
        )
    return where


def _listed(rows: object) -> list[object]:
    """What is asked for, one by one; nothing of a string, a mapping or a table."""
    whole = isinstance(rows, str | Mapping) or getattr(rows, "ndim", 1) != 1
    return [] if whole or not isinstance(rows, Iterable) else list(rows)


def _is_mask(rows: object, given: Sequence[object]) -> bool:
    """Whether all are true or false, in an order."""
    return not isinstance(rows, Set) and all(isinstance(one, bool | np.bool_) for one in given)


def _named(study: Sequence[str], names: Sequence[str]) -> NDArray[np.intp]:
    odd = [name for name in names if name not in study]
    if odd:
        raise DataError(
            f"rows names {', '.join(map(shown, odd[:5]))}, not among the studies "
            f"{', '.join(study[:20])}{', …' if len(study) > 20 else ''}; check the spelling."
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            f"rows names {', '.join(map(shown, repeated[:5]))} more than once; name each study "
            "once."
        )
    wanted = set(names)
    return np.array([i for i, name in enumerate(study) if name in wanted], dtype=np.intp)


def _masked(study: Sequence[str], mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    if mask.size != len(study):
        raise DataError(
            f"rows is a mask of {mask.size} for {len(study)} studies; give true or false for "
            "each, or the names."
        )
    if not mask.any():
        raise DataError(f"rows is true for none of {len(study)} studies; take at least one.")
    return np.flatnonzero(mask)
