"""Parquet files as tables of cells."""

from collections.abc import Collection
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DataError, FileError
from .header import check_repeated, tidied
from .workbook import text_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PARQUET = b"PAR1"


def read_parquet(data: bytes, name: str, numbers: Collection[str]) -> "pd.DataFrame":
    """Read a Parquet file: columns of numbers as they are where asked for, all else as text.

    Raises
    ------
    FileError
        If the library for it is missing.
    DataError
        If it is no Parquet file, or has no rows.
    """
    import pandas as pd

    need_pyarrow(name)
    table = _arrow(data, name)
    names = [tidied(one) or f"column {i}" for i, one in enumerate(table.column_names, start=1)]
    check_repeated(names, name)
    pairs = zip(names, table.columns, strict=True)
    columns = [_column(each, numbers=one in numbers) for one, each in pairs]
    frame = pd.concat(columns, axis=1).set_axis(names, axis=1) if columns else pd.DataFrame()
    frame = frame.dropna(how="all").reset_index(drop=True)
    if frame.empty:
        raise DataError(f"{name} has no rows; it needs one row per study.")
    return frame


def _arrow(data: bytes, name: str) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(BytesIO(data))
    except (pa.ArrowException, OSError, ValueError):
        raise DataError(
            f"{name} is not a Parquet file; save it again, or give a CSV file."
        ) from None


def _column(column: "pa.ChunkedArray", *, numbers: bool) -> "pd.Series":
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if numbers and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return column.to_pandas()
    cells = column.to_pylist()
    if pa.types.is_floating(column.type):
        digits = column.type.to_pandas_dtype()
        texts = ["" if one is None or np.isnan(one) else _shortest(digits(one)) for one in cells]
    else:
        texts = [text_of(one) for one in cells]
    return pd.Series([text or np.nan for text in texts], dtype=None if any(texts) else object)


def _shortest(number: np.floating) -> str:
    return str(number).removesuffix(".0")


def need_pyarrow(name: object) -> None:
    """Refuse Parquet where the library for it is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise FileError(
            f"{name} is a Parquet file and pyarrow is not installed: install "
            "bayesmeta[distributed], or use CSV."
        ) from None
