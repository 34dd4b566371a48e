"""Many groups of one table: one row for each."""

import sys
from pathlib import Path

import click

from ._asked import Typed, model_of_batch, of_a_model
from ._progress import GATES_FAILED, progress

ARMS = ("_treatment", "_control")
# Columns of estimates and counts; no message prints a cell of theirs that is a number.
NUMBERS = {
    *("y", "se"),
    *(f"{what}{arm}" for what in ("events", "n", "time") for arm in ("", *ARMS)),
}


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--by", multiple=True, required=True, help="Column that names a group; repeatable.")
@of_a_model
@click.option("--prob", default=0.95, show_default=True, help="Probability of the intervals.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="CSV file to write.")
def batch(
    table: Path,
    by: tuple[str, ...],
    *,
    typed: Typed,
    prob: float,
    output: Path | None,
) -> None:
    """Fit every group of a TABLE (CSV, one row per study) and give one row for each.

    Exit status: 0 all sound, 1 a group has a problem (its row says which), 2 refused.
    """
    from ..batch import fit_many
    from ..files import check_file, read_table, write_table
    from ..summaries import describe

    if output is not None:
        check_file(output)
    frame = read_table(table, numbers=NUMBERS - set(by))
    chosen = model_of_batch(frame, typed)
    with progress() as say:
        rows = fit_many(
            chosen,
            frame,
            by=by,
            prob=prob,
            measure=None if typed.of_arms else typed.measure,
            progress=lambda done, total: say(table.name, f"{done} of {total} groups"),
        )
    click.echo(f"{describe(chosen)}\n", err=output is None)
    if output is None:
        click.echo(rows.to_csv(index=False), nl=False)
    else:
        write_table(rows, output)
        click.echo(f"Table: {output}")
    failed = int((rows["problem"].to_numpy() != "").sum())
    if failed:
        click.echo(f"{failed} of {len(rows)} groups have a problem: see the last column.", err=True)
        sys.exit(GATES_FAILED)
