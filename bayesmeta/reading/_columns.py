"""Our names of columns, and which cells of a frame are filled."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..studies import is_blank

if TYPE_CHECKING:
    import pandas as pd

ARMS = ("_treatment", "_control")
OF_A_DESIGN = ("design_effect", "icc", "cluster_size")


def filled(frame: "pd.DataFrame", name: str) -> NDArray[np.bool_]:
    """Rows in which a column says something, (k,); none where there is no such column."""
    if name not in frame:
        return np.zeros(len(frame), dtype=bool)
    return np.array([not is_blank(cell) for cell in frame[name]], dtype=bool)


def all_filled(frame: "pd.DataFrame", names: Iterable[str]) -> NDArray[np.bool_]:
    """Rows in which every one of these columns says something, (k,)."""
    return np.all([filled(frame, name) for name in names], axis=0)
