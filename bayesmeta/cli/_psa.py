"""The joint draws that a decision model reads."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._output import hold
from .shown.echo import echo
from .shown.progress import GATES_FAILED, progress

if TYPE_CHECKING:
    from ..decision import Psa


@click.command()
@click.argument("specification", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Parquet or CSV file to write, by its ending; a JSON file with the meaning beside it.",
)
@click.option(
    "--draws",
    type=click.IntRange(2),
    default=10_000,
    show_default=True,
    help="Rows of the file, each a draw of everything.",
)
@click.option("--seed", type=int, help="That of the specification, if not given.")
@click.option(
    "--correlation",
    type=float,
    help="Of all outcomes' mean effects, each oriented to its benefit; independent if not given.",
)
@click.option(
    "--risk-from",
    type=click.Choice(["OR", "RR", "RD"], case_sensitive=False),
    help="The effect that risks follow; by default the fit's own, or OR where that lifts a risk "
    "out of (0, 1).",
)
@click.option("--quiet", is_flag=True, help="Print nothing but what is not sound.")
def psa(
    specification: Path,
    *,
    output: Path,
    draws: int,
    seed: int | None,
    correlation: float | None,
    risk_from: str | None,
    quiet: bool,
) -> None:
    """Draw effects, baselines and risks of all outcomes of a SPECIFICATION (TOML) jointly.

    One row is one draw of everything, for probabilistic sensitivity analysis. Columns are named by
    outcome, arm and quantity; those that end in _new are of a new setting. Exit status: 0 sound, 1
    a numerical gate failed, 2 refused.
    """
    from ..decision import check_psa_file
    from ..specification import load_specification

    source = load_specification(specification)
    check_psa_file(output)
    hold(output)
    with progress(quiet=quiet) as say:
        from ..analysis import psa_of

        found = psa_of(
            source,
            draws=draws,
            seed=seed,
            correlation=correlation,
            risk_from=risk_from,
            progress=say,
        )
        meaning = found.write(output)
    if not quiet:
        _show(found, output, meaning)
    if not found.passed:
        echo("A numerical gate failed: see gates_failed in the JSON file.", err=True)
        sys.exit(GATES_FAILED)


def _show(found: "Psa", output: Path, meaning: Path) -> None:
    rows, columns = found.frame.shape
    echo(f"{output}: {rows:,} joint draws of {columns} columns; {meaning} says what they are.")
    for name, one in found.outcomes.items():
        baseline, risks = one["baseline"], one["risks"]
        echo(f"{name}: {one['measure']}; {'; '.join(filter(None, (baseline, risks)))}")
    for name, why in found.left_out.items():
        echo(f"{name} is left out: {why}")
    echo(found.dependence["said"])
