"""Parquet in and out, some groups at a time, so that memory is that of some chunks."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, FileError
from ..sheets import need_pyarrow

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ..reading import Opened

ROWS_AT_ONCE = 2**16


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet by its name."""
    return path.suffix.lower() in (".parquet", ".pq")


@final
class ParquetTable:
    """A table in long form whose rows are read when they are needed.

    Attributes
    ----------
    schema : pyarrow.Schema
    columns : list of str
    said : tuple of str
        What was done to read it; nothing, for its columns have types.
    rows : int
    excluded : int
        Rows that were left out of the parts read so far.
    """

    said: tuple[str, ...] = ()
    rows_of = "the group"

    def __init__(
        self,
        path: Path,
        stamp: tuple[int, ...],
        understood: "Callable[[pd.DataFrame], Opened]",
    ) -> None:
        need_pyarrow(path)
        self.path, self.stamp = path, stamp
        self._file = _opened(path)
        self.schema = _plain(self._file.schema_arrow)
        self._understood = understood
        self.rows, self.excluded = self._file.metadata.num_rows, 0
        self.columns = list(map(str, understood(_frame(self.schema.empty_table())).frame.columns))

    def k(self, by: Sequence[str]) -> NDArray[np.intp]:
        """Rows of each group, in their order; groups must each stand together."""
        import pandas as pd
        from pandas.util import hash_pandas_object

        parts = map(_frame, self._batches(list(by)))
        seen = [hash_pandas_object(part, index=False).to_numpy() for part in parts]  # pyright: ignore[reportCallIssue]
        rows = np.concatenate(seen or [np.empty(0, dtype=np.uint64)])
        start = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]][: len(rows)])
        again = pd.Series(rows[start]).duplicated().to_numpy()
        if again.any():
            row = int(start[np.flatnonzero(again)[0]]) + 1
            raise DataError(
                f"{self.path} has the rows of one group in several places (row {row} goes on with "
                f"an earlier group); sort it by {', '.join(by)} first, or give a CSV file."
            )
        return np.diff(np.r_[start, len(rows)])

    def parts(self, rows: Sequence[int]) -> Iterator["pd.DataFrame"]:
        """Its rows from the first on, so many at a time."""
        import pyarrow as pa

        batches, held = self._batches(None), self.schema.empty_table()
        for count in rows:
            while held.num_rows < count:
                held = pa.concat_tables([held, next(batches)])
            opened = self._understood(_frame(held.slice(0, count)))
            self.excluded += len(opened.excluded)
            yield opened.frame
            held = held.slice(count)

    def _batches(self, columns: list[str] | None) -> Iterator["pa.Table"]:
        import pyarrow as pa

        try:
            for batch in self._file.iter_batches(batch_size=ROWS_AT_ONCE, columns=columns):
                table = pa.Table.from_batches([batch])
                yield table.cast(_plain(table.schema))
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.path} cannot be read to its end: {_first(error)}.") from None


def result_schema(
    by: Sequence[str], of: "pa.Schema | None", counted: Sequence[str], numbers: Sequence[str]
) -> "pa.Schema":
    """Columns of a result; those that name a group as they are in the table they come from."""
    import pyarrow as pa

    labels = [(name, pa.string() if of is None else of.field(name).type) for name in by]
    found = [(name, pa.int64()) for name in counted]
    found += [(name, pa.float64()) for name in numbers]
    return pa.schema([*labels, *found, ("engine", pa.string()), ("problem", pa.string())])


def write_chunk(rows: "pd.DataFrame", path: Path, schema: "pa.Schema") -> None:
    """Write some rows of a result."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), path)


def write_parquet(parts: Sequence[Path], path: Path, schema: "pa.Schema") -> None:
    """Write files of rows as one, each a group of rows."""
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, schema) as whole:
        for part in parts:
            whole.write_table(pq.read_table(part, schema=schema))


def read_parquet(path: Path) -> "pd.DataFrame | None":
    """Read a file of rows; None if it is not whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path).to_pandas()
    except (pa.ArrowException, OSError):
        return None


def _opened(path: Path) -> "pq.ParquetFile":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid:
        raise DataError(
            f"{path} is not a Parquet file; save it again, or give a CSV file."
        ) from None
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else _first(error)
        raise FileError(f"{path} cannot be read: {why}.") from None


def _plain(schema: "pa.Schema") -> "pa.Schema":
    """Dictionaries as the values they stand for, which are the same in every part."""
    import pyarrow as pa

    return pa.schema(
        [
            (one.name, one.type.value_type if pa.types.is_dictionary(one.type) else one.type)
            for one in schema
        ]
    )


def _frame(table: "pa.Table") -> "pd.DataFrame":
    """Rows as pandas has them: whole numbers stay whole in parts that have gaps and in others."""
    import pandas as pd
    import pyarrow as pa

    whole = {
        getattr(pa, f"{sign}int{bits}")(): getattr(pd, f"{sign.upper()}Int{bits}Dtype")()
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    }
    whole[pa.bool_()] = pd.BooleanDtype()
    return table.to_pandas(types_mapper=whole.get)


def _first(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")
