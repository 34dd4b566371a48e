"""A file of many groups: read, fitted and written chunk by chunk."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ..effects import measure_named
from ..errors import DataError, FileError, ModelError
from ..files import check_file, claimed
from ..model import Model
from ..reading import Opened, Reading, understood
from ..sheets import check_regular, need_pyarrow, read_sheet
from ..studies import check_prob
from ..ways import COMMAND, TABLES, Interface, speaking
from .answers import NUMBERS
from .grouped import COUNTED, asking_for_names, check_columns, from_frame, in_whose_words
from .kept import Kept, made_with
from .parquet import ParquetTable, is_parquet, result_schema
from .tasks import ALONE_AT_ONCE, Settings, fit_task, gathered, local, results, tasks_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

GROUPS_AT_ONCE = 1024  # in one chunk
ROWS_AT_ONCE = 2**16  # in one chunk, if it has more than one group
AS_IT_IS = Reading()
_ARMS = ("", "_treatment", "_control")
# Columns of numbers whose print is not needed: no message shows a cell of theirs that is one.
PLAIN = {"y", "se", *(f"{what}{arm}" for what in ("events", "n", "time") for arm in _ARMS)}


class Progress(NamedTuple):
    """How far a batch has come.

    Attributes
    ----------
    chunks, groups : int
        In all.
    done, groups_done : int
        Of these, finished.
    taken : int
        Chunks that an earlier run had finished.
    problems : int
        Finished groups that have a problem.
    others : int
        Unfinished batches of another table, model or version for the same file; left alone.
    folder : Path
        Where the chunks are until the file is written.
    """

    chunks: int
    done: int
    groups: int
    groups_done: int
    taken: int
    problems: int
    others: int
    folder: Path


class Asked(NamedTuple):
    """What all chunks share."""

    settings: Settings
    by: tuple[str, ...]
    measure: str | None
    reading: Reading
    versions: tuple[tuple[str, str], ...]
    interface: Interface = TABLES
    rows_of: str = "the group"


class Chunks(NamedTuple):
    """How many groups and how many rows of the table each chunk has."""

    groups: list[int]
    rows: list[int]


def open_table(
    path: Path,
    by: Sequence[str],
    reading: Reading = AS_IT_IS,
    *,
    measure: str | None = None,
) -> "ParquetTable | FrameTable":
    """Open a file of studies whose groups these columns name: Parquet by its name, else cells."""
    if str(path) == "-":
        raise DataError("A batch goes over its table more than once: give a file, not -.")
    check_regular(path)
    before = _stamp(path)  # what is read later is held to it
    if is_parquet(path):
        return ParquetTable(path, before, partial(_parts_understood, reading, measure, tuple(by)))
    sheet = read_sheet(path, sheet=reading.sheet, numbers=PLAIN - set(by))
    found = understood(sheet.frame, reading, measure=measure, apart=by, decimal=sheet.decimal)
    return FrameTable(path, before, replace(found, said=(*sheet.said, *found.said)))


def _parts_understood(
    reading: Reading, measure: str | None, by: tuple[str, ...], frame: "pd.DataFrame"
) -> Opened:
    return understood(frame, reading, measure=measure, apart=by, every=False)


def fit_file(
    model: Model,
    table: "Path | ParquetTable | FrameTable",
    output: Path,
    *,
    by: Sequence[str],
    measure: str | None = None,
    prob: float = 0.95,
    reading: Reading = AS_IT_IS,
    executor: Executor | None = None,
    progress: Callable[[Progress], object] | None = None,
    raw_text: bool = False,
) -> Progress:
    """Fit one model to every group of a file, and write a file with one row for each.

    The groups are cut into chunks that the table alone decides, so that the answers are the same
    to the last bit whatever runs them. A finished chunk is kept in a folder beside `output` until
    that is written; the same call goes on from there. Chunks of another table, model, setting or
    version are never taken.

    Parameters
    ----------
    model : Model
        As for `fit_many`.
    table : Path
        A table in long form, one row per study: CSV, or Parquet by its name, which is read chunk
        by chunk and in which the rows of a group stand together.
    output : Path
        CSV, or Parquet by its name.
    by : sequence of str
        The columns that name a group.
    measure : str, optional
        As for `fit_many`.
    prob : float
        Probability of the central intervals.
    reading : Reading
        How the table is to be read.
    executor : concurrent.futures.Executor, optional
        What runs the chunks, e.g. ``client.get_executor()`` of a Dask cluster. By default a thread
        for each core.
    progress : callable, optional
        Called with a `Progress` at the start and after each chunk.
    raw_text : bool
        Whether CSV holds texts as they are, without an apostrophe in front of what a spreadsheet
        would take for a formula.

    Returns
    -------
    Progress
        At the end.

    Raises
    ------
    DataError
        If the table as a whole cannot be used, or changes on disk while it is fitted.
    FileError
        If a file cannot be read or written.
    ModelError
        If a worker runs other versions of what decides the numbers.
    """
    check_prob(prob)
    check_file(output)
    _check_format(output)
    source = open_table(table, by, reading, measure=measure) if isinstance(table, Path) else table
    interface = in_whose_words()
    with speaking(interface):
        check_columns(source.columns, by, model, measure)
        model.check_scale(measure_named(measure or "GEN").name)
    settings = Settings(model, None, prob, quantiles=True)
    chunks = _chunks(source, by, ALONE_AT_ONCE if settings.many is None else GROUPS_AT_ONCE)
    asked = Asked(settings, tuple(by), measure, reading, tuple(made_with().items()), interface)
    if interface is COMMAND:  # whose reader has the file before them
        asked = asked._replace(rows_of=source.rows_of)
    with claimed(output):
        kept = Kept(
            output,
            {**_manifest(asked, source, chunks), "raw_text": raw_text},
            chunks.groups,
            _schema(source, by, output),
            raw_text=raw_text,
        )
        last = _fit_chunks(asked, source, chunks, kept, executor, progress)
        kept.assemble()
    return last


def _fit_chunks(
    asked: Asked,
    source: "ParquetTable | FrameTable",
    chunks: Chunks,
    kept: Kept,
    executor: Executor | None,
    progress: Callable[[Progress], object] | None,
) -> Progress:
    """Fit and keep every chunk that is not kept yet."""
    settings = asked.settings
    tell = partial(_tell, kept, len(kept.done), progress)
    tell()
    left = ((i, part) for i, part in enumerate(source.parts(chunks.rows)) if i not in kept.done)
    with (
        local(settings) if executor is None else nullcontext(executor) as runs,
        closing(results(runs, partial(fit_part, asked), left)) as found,
    ):
        for i, rows in found:
            _check_unchanged(source, kept)
            kept.put(i, rows)
            tell()
    _check_unchanged(source, kept)
    return tell()


def _check_format(output: Path) -> None:
    """Refuse the name of a file of another format than what would be written into it."""
    if output.suffix.lower() not in ("", ".csv", ".txt") and not is_parquet(output):
        raise FileError(f"{output} would hold CSV; name a file that ends in .csv or .parquet.")


def _chunks(source: "ParquetTable | FrameTable", by: Sequence[str], at_once: int) -> Chunks:
    """Cut a table after so many groups or, where they are large, rows."""
    k = source.k(by)
    if not len(k):
        raise DataError(f"{source.path} has no rows to analyse; it needs one row per study.")
    row = np.r_[0, np.cumsum(k)]
    ends = [0]
    while ends[-1] < len(k):
        most = int(np.searchsorted(row, row[ends[-1]] + ROWS_AT_ONCE, side="right")) - 1
        ends.append(min(len(k), ends[-1] + at_once, max(ends[-1] + 1, most)))
    return Chunks(np.diff(ends).tolist(), np.diff(row[ends]).tolist())


def _manifest(
    asked: Asked, source: "ParquetTable | FrameTable", chunks: Chunks
) -> Mapping[str, object]:
    """What decides the numbers of every chunk."""
    return {
        "sha256": _sha256(source.path),
        "model": repr(asked.settings.model),
        "by": asked.by,
        "measure": asked.measure,
        "prob": asked.settings.prob,
        "reading": repr(asked.reading),
        "chunks": hashlib.sha256(repr(chunks).encode()).hexdigest(),
        "versions": dict(asked.versions),
        "interface": asked.interface.name,  # in whose words problems are
    }


def _schema(
    source: "ParquetTable | FrameTable", by: Sequence[str], output: Path
) -> "pa.Schema | None":
    if not is_parquet(output):
        return None
    need_pyarrow(output)
    return result_schema(by, source.schema, COUNTED, NUMBERS)


def _tell(kept: Kept, taken: int, progress: Callable[[Progress], object] | None) -> Progress:
    here = Progress(
        chunks=len(kept.groups),
        done=len(kept.done),
        groups=sum(kept.groups),
        groups_done=sum(kept.groups[i] for i in kept.done),
        taken=taken,
        problems=sum(kept.done.values()),
        others=kept.others,
        folder=kept.folder,
    )
    if progress is not None:
        progress(here)
    return here


def _check_unchanged(source: "ParquetTable | FrameTable", kept: Kept) -> None:
    if _stamp(source.path) != source.stamp:
        kept.drop()
        raise DataError(
            f"{source.path} was changed while it was fitted; nothing is kept, fit it again."
        )


def fit_part(asked: Asked, frame: "pd.DataFrame") -> "pd.DataFrame":
    """Fit the groups of one chunk, one task after another.

    Raises
    ------
    ModelError
        If this process has other versions than the one that asks.
    """
    here = made_with()
    for name, version in asked.versions:
        if here[name] != version:
            raise ModelError(
                f"A worker has {name} {here[name]} where this process has {version}; install the "
                "same versions everywhere."
            )
    with speaking(asked.interface):  # which does not come along to a thread or a worker
        grouped = from_frame(
            frame,
            asked.settings.model,
            by=asked.by,
            measure=asked.measure,
            reading=asked.reading,
            of=asked.rows_of,
        )
        grouped = asking_for_names(grouped)
        tasks = tasks_of(grouped, asked.settings, workers=1)
        found = ((part, fit_task(asked.settings, columns)) for part, columns in tasks)
        return gathered(grouped, asked.settings, found)


@final
class FrameTable:
    """A table in memory, its groups in the order of their first rows."""

    schema = None
    rows_of = ""  # the file, whose rows its index counts

    def __init__(self, path: Path, stamp: tuple[int, ...], opened: Opened) -> None:
        self.path, self.stamp, self._frame = path, stamp, opened.frame
        self.said, self.rows, self.excluded = opened.said, opened.rows, len(opened.excluded)
        self.columns = [str(name) for name in opened.frame.columns]

    def k(self, by: Sequence[str]) -> NDArray[np.intp]:
        """Rows of each group, which are put side by side."""
        codes = self._frame.groupby(list(by), sort=False, dropna=False).ngroup().to_numpy()
        self._frame = self._frame.iloc[np.argsort(codes, kind="stable")]
        return np.bincount(codes)

    def parts(self, rows: Sequence[int]) -> Iterator["pd.DataFrame"]:
        """Its rows from the first on, so many at a time."""
        start = 0
        for count in rows:
            yield self._frame.iloc[start : start + count]
            start += count


class Counted(NamedTuple):
    """Groups of a result that were analysed or not, and their studies.

    Those of the former: analysed, dropped, left out, and with something added.
    """

    groups: int
    not_analysed: int
    k: int
    k_left_out: int
    k_dropped: int
    k_added: int


def counted_in(output: Path) -> Counted:
    """Count what a file that was written holds."""
    import pandas as pd

    names: list[str] = [*COUNTED, "engine"]
    found = (
        pd.read_parquet(output, columns=names)
        if is_parquet(output)
        else pd.read_csv(output, usecols=names)
    )
    done = found[found["engine"].fillna("") != ""]
    sums = {name: int(np.sum(done[name])) for name in COUNTED}
    return Counted(groups=len(done), not_analysed=len(found) - len(done), **sums)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}.") from None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}.") from None
