"""Many groups of one table: one row for each."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._asked import Typed, model_of_batch, of_a_model
from ._cluster import cluster
from ._output import hold, raw_text_option
from ._table import of_a_table
from .shown.echo import echo
from .shown.progress import GATES_FAILED, progress

if TYPE_CHECKING:
    from ..batch import FrameTable, ParquetTable, Progress
    from ..reading import Reading


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--by", multiple=True, required=True, help="Column that names a group; repeatable.")
@of_a_model
@of_a_table
@click.option("--prob", default=0.95, show_default=True, help="Probability of the intervals.")
@raw_text_option
@click.option("--dask", metavar="ADDRESS", help="Of a Dask scheduler whose workers fit the groups.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="CSV or .parquet file to write."
)
def batch(
    table: Path,
    by: tuple[str, ...],
    *,
    typed: Typed,
    reading: "Reading",
    prob: float,
    dask: str | None,
    output: Path | None,
    raw_text: bool,
) -> None:
    """Fit every group of a TABLE (as for fit) and give one row for each.

    With -o, finished chunks are kept beside the file until it is written: the same command goes on
    from where it was stopped.

    Exit status: 0 all sound, 1 a group has a problem (its row says which), 2 refused.
    """
    from ..batch import fit_file, open_table
    from ..errors import SpecError
    from ..files import check_file
    from ..machine.places import temporary_folder
    from ..summaries import describe

    if dask is not None and not dask.strip():
        raise SpecError("--dask is empty; give a scheduler's address, or leave it out to fit here.")
    if output is not None:
        check_file(output, other_than=table)
        hold(output)
    source = open_table(table, by, reading, measure=typed.measure)
    chosen = model_of_batch(source.columns, typed)
    with nullcontext(output) if output else temporary_folder() as place:
        target = output or place / "rows.csv"
        here: list[Progress] = []
        with cluster(dask) if dask else nullcontext() as executor, progress() as say:

            def tell(now: "Progress") -> None:
                if not here:
                    _say_what_is_there(now)
                here[:] = [now]
                say(table.name, f"{now.done} of {now.chunks} chunks, {now.groups} groups in all")

            try:
                done = fit_file(
                    chosen,
                    source,
                    target,
                    by=by,
                    prob=prob,
                    measure=None if typed.of_arms else typed.measure,
                    reading=reading,
                    executor=executor,
                    progress=tell,
                    raw_text=raw_text,
                )
            except BaseException:
                if output is not None:
                    _say_what_is_kept(here)
                raise
        echo(f"{_account(source, target)}{describe(chosen)}\n", err=output is None)
        echo(f"Table: {output}" if output else target.read_text("utf-8"), nl=bool(output))
    if done.problems:
        echo(
            f"{done.problems} of {done.groups} groups have a problem: see the last column.",
            err=True,
        )
        sys.exit(GATES_FAILED)


def _account(source: "ParquetTable | FrameTable", rows: Path) -> str:
    """What became of the rows of the table, over all groups."""
    from ..batch import counted_in
    from ..studies import counted

    found = counted_in(rows)
    size = f"{counted(found.k, 'study', 'studies')} analysed, of {counted(source.rows or 0, 'row')}"
    said = [f"{counted(found.groups, 'group')}, {size}"]
    said += [f"{counted(found.not_analysed, 'group')} not analysed"] if found.not_analysed else []
    gone = source.excluded + found.k_left_out
    said += [f"{counted(gone, 'row')} left out"] if gone else []
    dropped = counted(found.k_dropped, "study", "studies")
    said += [f"{dropped} dropped by two stages (k_dropped)"] if found.k_dropped else []
    said += [f"½ added to cells of {found.k_added:,} (k_added)"] if found.k_added else []
    read = f"Read: {'; '.join(source.said)}.\n" if source.said else ""
    return f"Data: {'; '.join(said)}.\n{read}"


def _say_what_is_there(now: "Progress") -> None:
    if now.taken:
        echo(f"{now.taken} of {now.chunks} chunks are taken over from {now.folder}.", err=True)
    if now.others:
        echo(
            f"{now.folder.parent} also holds chunks of another table, model or version, which are "
            "not used; delete them when they are not needed.",
            err=True,
        )


def _say_what_is_kept(here: "list[Progress]") -> None:
    for now in here:
        if now.done and now.folder.exists():
            echo(
                f"{now.done} of {now.chunks} chunks are finished and kept in {now.folder}; the "
                "same command goes on from there.",
                err=True,
            )
