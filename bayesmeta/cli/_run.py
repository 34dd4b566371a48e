"""Whole specifications: everything they ask for, or the models they state."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._progress import GATES_FAILED, progress
from ._sections import short

if TYPE_CHECKING:
    from rich.table import Table

    from ..results import OutcomeResult, Results


@click.command()
@click.argument("specification", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write to."
)
def run(specification: Path, output: Path) -> None:
    """Analyse everything a SPECIFICATION (TOML) asks for.

    Writes report.html, results.json, and per outcome tables (CSV), a posterior (netCDF) and
    figures (SVG). Exit status: 0 sound, 1 a numerical gate failed, 2 refused.
    """
    from ..files import check_folder
    from ..specification import load_specification

    source = load_specification(specification)
    check_folder(output)
    with progress() as say, _uncollected():
        from ..analysis import run as analyse

        results = analyse(source, progress=say)
        from ..report import write_results

        write_results(results, output, progress=say)
    _show(results)
    click.echo(results.coherence.in_short)
    click.echo(f"Report: {output / 'report.html'}")
    if not results.passed:
        click.echo("A numerical gate failed: see the marked tables and the report.", err=True)
        sys.exit(GATES_FAILED)


@click.command()
@click.argument("specification", type=click.Path(path_type=Path))
def model(specification: Path) -> None:
    """Print each model of a SPECIFICATION in mathematics and as PyMC source."""
    from ..analysis import models_of
    from ..engines import mathematics, pymc_source
    from ..results.labels import LABELS
    from ..specification import load_specification

    for outcome in load_specification(specification).specification.outcome:
        click.echo(f"# {outcome.title}\n")
        models = models_of(outcome)
        if not models:
            click.echo("Published figures only, each alone: y ~ Normal(μ, se)\n")
        for key, one in models.items():
            click.echo(f"## {LABELS[key]}\n")
            click.echo("".join(f"    {line}\n" for line in mathematics(one)))
            click.echo(pymc_source(one))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leave cycles of objects alone: to look for them takes a fourteenth of a run."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _show(results: "Results") -> None:
    from rich.console import Console
    from rich.markup import escape

    from ..results.display import headline
    from ..summaries import describe

    console = Console()
    with console.capture() as shown:
        for outcome in results.outcomes:
            console.print(_table(outcome, results))
            console.print(escape(headline(outcome, prob=results.prob)))
            if outcome.said:
                console.print(f"[dim]Read: {escape('; '.join(outcome.said))}.[/]")
            if outcome.main is not None:
                console.print(f"[dim]Model: {escape(describe(outcome.main.answer.model))}[/]")
            for label, failures in outcome.failures.items():
                said = escape(f"{label}: {'; '.join(failures)}")
                console.print(f"[bold red]Not sound[/]: {said}")
            for caution in outcome.cautions:
                console.print(f"[dim]Caution: {escape(caution)}[/]")
            console.print()
    click.echo(shown.get(), nl=False)


def _table(outcome: "OutcomeResult", results: "Results") -> "Table":
    from ..results.sections import sections_of

    about = f", {outcome.better} is better" if outcome.compares else ""
    title = f"{outcome.title}: {outcome.scale.called} [{100 * results.prob:g}% interval]{about}"
    return short(sections_of(outcome, results)["comparison"], title)
