"""Before an analysis: a first specification for a table, and a look at what one would do."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._table import of_a_table

if TYPE_CHECKING:
    from ..analysis.preview import OutcomePreview, ScenarioPreview
    from ..reading import Reading


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--measure", help="To analyse; guessed from the table where it can be.")
@of_a_table
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="TOML file to write."
)
def init(table: Path, *, measure: str | None, reading: "Reading", output: Path) -> None:
    """Write a commented specification for a TABLE, which runs as it stands.

    Guesses are marked CONFIRM. TABLE and its options are as for fit.
    """
    from ..effects import measure_named
    from ..errors import FileError, SpecError
    from ..files import check_file, staged
    from ..reading import kind_of, main_rows, of_clusters, open_table, read
    from ..specification import draft, measure_of, parse_specification

    if str(table) == "-":
        raise SpecError("init needs a file, for the specification will name it; save it first.")
    if output.exists():
        raise FileError(f"{output} exists; name another file, or delete it first.")
    check_file(output, other_than=table)
    asked = None if measure is None else measure_named(measure).name
    opened = main_rows(open_table(table, reading, measure=asked))
    wanted = asked or opened.measure
    if not wanted and of_clusters(opened.frame.columns, reading):
        first = kind_of(opened.frame.columns).measures
        wanted = "RR" if "RR" in first else first[0] if first else ""
    found = read(opened, wanted, reading)
    chosen, how = measure_of(found.data, opened.measure or wanted, asked)
    text = draft(table, output, found.data, reading, measure=chosen, how=how, said=found.said)
    parse_specification(text, name=str(output))
    with staged(output.parent) as folder:
        (folder / output.name).write_text(text, "utf-8")
    click.echo(f"Specification: {output}")
    click.echo("Guesses in it are marked CONFIRM. Then:")
    click.echo(f"  bayesmeta check {output}")
    click.echo(f"  bayesmeta run {output} -o out/")


@click.command()
@click.argument("specification", type=click.Path(path_type=Path))
def check(specification: Path) -> None:
    """Read every table of a SPECIFICATION and say what would be analysed; nothing is fitted.

    Exit status: 0 it can be run, 2 something is wrong.
    """
    from ..analysis.preview import preview
    from ..specification import load_specification

    found = preview(load_specification(specification))
    for outcome in found:
        _show(outcome)
    wrong = sum(len(outcome.problems) for outcome in found)
    if wrong:
        click.echo(f"{wrong} problem{'s' if wrong > 1 else ''} to mend.", err=True)
        sys.exit(2)
    click.echo("Nothing was fitted.")


def _show(outcome: "OutcomePreview") -> None:
    click.echo(f"{outcome.title}: {outcome.measure}")
    if outcome.said:
        click.echo(f"  read: {'; '.join(outcome.said)}")
    for line in outcome.models:
        click.echo(f"  model: {line}")
    if not (outcome.scenarios or outcome.problems):
        click.echo("  published figures only")
    for scenario in outcome.scenarios:
        _show_scenario(scenario)
    for problem in outcome.problems:
        click.echo(f"  PROBLEM: {problem}")
    click.echo()


def _show_scenario(scenario: "ScenarioPreview") -> None:
    k = len(scenario.study)
    patients = "" if scenario.patients != scenario.patients else f", {scenario.patients:g} patients"
    click.echo(f"  {scenario.name}: {k} {'study' if k == 1 else 'studies'}{patients}")
    shown = ", ".join(scenario.study[:12]) + (f" and {k - 12} more" if k > 12 else "")
    click.echo(f"    {shown}")
    for row in scenario.excluded:
        variant = "" if row.variant == "main" else f" ({row.variant})"
        click.echo(f"    left out: {row.study}{variant}: {row.reason}")
    for note in scenario.notes:
        click.echo(f"    {note}")
