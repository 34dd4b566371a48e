"""Rows of many tables checked all at once: what the constructors would take."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..reading import is_total
from ..studies import is_blank

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]
type Flags = NDArray[np.bool_]


def numbers_of(column: "pd.Series") -> Array:
    """A column as floats; NaN where it is no number, or may not be one."""
    import pandas as pd

    if column.dtype == bool:
        return np.full(len(column), np.nan)
    numbers = pd.Series(pd.to_numeric(column, errors="coerce"))
    return numbers.to_numpy(np.float64, na_value=np.nan)


def sound(columns: Mapping[str, Array]) -> Flags:
    """Rows that the constructors take: the same checks, all at once."""
    finite = np.all([np.isfinite(values) for values in columns.values()], axis=0)
    if "y" in columns:
        y, se = columns["y"], columns["se"]
        return finite & (np.abs(y) <= 1e50) & (se >= 1e-50) & (se <= 1e50)
    kept = [_sound_column(name, values) for name, values in columns.items()]
    arms = [
        columns[f"events{arm}"] <= columns[f"n{arm}"]
        for arm in ("_treatment", "_control", "")
        if f"n{arm}" in columns
    ]
    return finite & np.all(kept + arms, axis=0)


def _sound_column(name: str, values: Array) -> Flags:
    if name.startswith("time"):
        return (values >= 1e-50) & (values <= 1e50)
    least = 1 if name.startswith("n") else 0
    return (values >= least) & (values == np.floor(values)) & (values <= 2**53)


def named(frame: "pd.DataFrame", codes: NDArray[np.intp]) -> Flags:
    """Rows whose study has a name of its own, which no other row of the group has."""
    import pandas as pd

    if "study" not in frame:
        return np.ones(len(frame), dtype=bool)
    if "variant" in frame:  # which of several readings of a study is read
        return np.zeros(len(frame), dtype=bool)
    place, found = pd.factorize(frame["study"])
    texts = [str(one) for one in found]
    same = {text: i for i, text in enumerate(texts)}
    names = np.array([same[text] for text in texts] + [-1])
    odd = np.array([is_blank(one) or is_total(str(one)) for one in found] + [True])
    twice = pd.Series(codes * (len(texts) + 1) + names[place]).duplicated(keep=False).to_numpy()
    return ~(odd[place] | twice)


def with_names(part: "pd.DataFrame") -> "pd.DataFrame":
    """Number the studies of a table that does not name them."""
    if "study" in part:
        return part
    return part.assign(study=[str(i + 1) for i in range(len(part))])
