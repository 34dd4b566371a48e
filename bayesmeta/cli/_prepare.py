"""Before an analysis: a first specification for a table, and a look at what one would do."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._table import of_a_table
from .shown.echo import echo

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
    from ..files import check_file, replacing
    from ..reading import kind_of, main_rows, of_clusters, open_table, read
    from ..specification import draft, measure_of, parse_specification

    if str(table) == "-":
        raise SpecError("init needs a file, for the specification will name it; save it first.")
    if os.path.lexists(output):
        raise FileError(f"{output} exists; name another file, or delete it first.")
    check_file(output, other_than=table)
    asked = None if measure is None else measure_named(measure).name
    opened = main_rows(open_table(table, reading, measure=asked))
    wanted = asked or opened.measure
    if not wanted and of_clusters(opened.frame.columns, reading):
        first = kind_of(opened.frame.columns).measures
        wanted = "RR" if "RR" in first else first[0] if first else ""
    found = read(opened, wanted, reading)
    chosen, how = measure_of(found, opened.measure or wanted, asked)
    said = found.account.said
    text = draft(table, output, found, reading, measure=chosen, how=how, said=said)
    parse_specification(text, name=str(output))
    with replacing(output) as new:
        new.write_text(text, "utf-8")
    echo(f"Specification: {output}")
    echo("Guesses in it are marked CONFIRM. Then:")
    echo(f"  bayesmeta check {output}")
    echo(f"  bayesmeta run {output} -o out/")


@click.command()
@click.argument("specification", type=click.Path(path_type=Path))
def check(specification: Path) -> None:
    """Read every table of a SPECIFICATION and say what would be analysed; nothing is fitted.

    Of the folder of a run, in place of a specification, every file is held against its manifest:
    whether it is the file that the run wrote, and whether a later one was stopped half way.

    Exit status: 0 it can be run, or the folder is whole; 2 something is wrong.
    """
    if os.path.isdir(specification):
        _check_folder(specification)
        return
    from ..analysis.preview import preview
    from ..specification import load_specification

    found = preview(load_specification(specification))
    for outcome in found:
        _show(outcome)
    wrong = sum(len(outcome.problems) for outcome in found)
    if wrong:
        echo(f"{wrong} problem{'s' if wrong > 1 else ''} to mend.", err=True)
        sys.exit(2)
    echo("Nothing was fitted.")


def _check_folder(folder: Path) -> None:
    from ..files import verify
    from ..studies import counted

    found = verify(folder)
    echo(f"{folder}: {counted(found.files, 'file')} of a run by bayesmeta {found.version}")
    if found.others:
        shown, more = ", ".join(found.others[:5]), len(found.others) - 5
        echo(f"  not of the run: {shown}{f' and {more} more' if more > 0 else ''}")
    for problem in found.problems:
        echo(f"  PROBLEM: {problem}")
    if found.problems:
        echo("Not whole: run again into it.", err=True)
        sys.exit(2)
    echo("Whole: every file is as the run wrote it.")


def _show(outcome: "OutcomePreview") -> None:
    echo(f"{outcome.title}: {outcome.measure}")
    if outcome.said:
        echo(f"  read: {'; '.join(outcome.said)}")
    for line in outcome.models:
        echo(f"  model: {line}")
    if not (outcome.scenarios or outcome.problems):
        echo("  published figures only")
    for scenario in outcome.scenarios:
        _show_scenario(scenario)
    for problem in outcome.problems:
        echo(f"  PROBLEM: {problem}")
    echo()


def _show_scenario(scenario: "ScenarioPreview") -> None:
    k = len(scenario.study)
    n = "" if scenario.participants is None else f", {scenario.participants:,.10g} participants"
    echo(f"  {scenario.name}: {k} {'study' if k == 1 else 'studies'}{n}")
    shown = ", ".join(scenario.study[:12]) + (f" and {k - 12} more" if k > 12 else "")
    echo(f"    {shown}")
    for row in scenario.left_out:
        variant = "" if row.variant == "main" else f" ({row.variant})"
        echo(f"    left out: {row.study}{variant}: {row.reason}")
    for note in scenario.notes:
        echo(f"    {note}")
