"""Tables filled up with studies that say nothing, so that tables of many sizes share a program.

A row that is none is masked; what stands in it must be possible, so that nothing there is NaN.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Columns = Mapping[str, Array]

SMALLEST = 4  # tables are padded to 4, 8, 16, ... studies, so that most share one program
ONES = ("events", "time", "se", "unit", "size", "sd", "moments")  # what begins so


def padded_k(k: int, *, least: int = SMALLEST) -> int:
    """Number of studies that a table is filled up to."""
    return max(least, 1 << (k - 1).bit_length())


def filler(name: str) -> float:
    """What a study that is none has in a column: one event of two patients, y of 0, se of 1."""
    if name.startswith("n_") or name == "n":
        return 2.0
    return 1.0 if name.startswith(ONES) else 0.0


def filled(
    columns: Columns, present: NDArray[np.bool_], shape: tuple[int, ...]
) -> dict[str, Array]:
    """Columns (n, k) in a larger shape, with fillers where no study is present."""
    found = {}
    for name, values in columns.items():
        whole = np.full(shape, filler(name))
        part = tuple(slice(size) for size in values.shape)
        whole[part] = np.where(present, values, filler(name))
        found[name] = whole
    return found


def lengthened(values: Array, name: str, k: int) -> Array:
    """A column (..., k0) with fillers up to k studies."""
    last = [(0, 0)] * (values.ndim - 1) + [(0, k - values.shape[-1])]
    return np.pad(values, last, constant_values=filler(name))
