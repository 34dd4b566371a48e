"""Tables as what JSON can hold."""

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def records_of(table: "pd.DataFrame") -> list[dict[str, object]]:
    """Return the rows of a table, its index among their columns."""
    rows = table.reset_index().to_dict(orient="records")
    return [{str(key): plain(value) for key, value in row.items()} for row in rows]


def plain(value: object) -> object:
    """NumPy scalars as Python's; what is missing as null, what is infinite as text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
