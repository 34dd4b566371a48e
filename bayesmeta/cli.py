"""Words typed on the command line to calls below."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .errors import BayesmetaError

if TYPE_CHECKING:
    from rich.table import Table

    from .results import OutcomeResult, Results

GATES_FAILED, REFUSED, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141


class _Group(click.Group):
    """Commands whose refusals are one sentence on stderr and status 2."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; turn an error raised on purpose into its sentence."""
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue]
        try:
            return super().invoke(ctx)
        except BayesmetaError as error:
            click.echo(f"bayesmeta: {_one_line(str(error))}", err=True)
            sys.exit(REFUSED)
        except KeyboardInterrupt:
            click.echo("bayesmeta: stopped; no file was left half-written.", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # e.g. `| head`: what is left in the buffer must not be flushed
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(PIPE_CLOSED)


def _one_line(text: str) -> str:
    """Text from a file as one line that a terminal shows and does not obey."""
    shown = (c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
    return "".join(shown)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bayesmeta")
def main() -> None:
    """Bayesian meta-analysis: exact or sampled, beside the frequentist and the published answer."""


@main.command()
@click.argument("specification", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write to."
)
def run(specification: Path, output: Path) -> None:
    """Analyse everything a SPECIFICATION (TOML) asks for.

    Writes report.html, results.json, and per outcome tables (CSV), a posterior (netCDF) and
    figures (SVG). Exit status: 0 sound, 1 a numerical gate failed, 2 refused.
    """
    from .files import check_folder
    from .specification import load_specification

    source = load_specification(specification)
    check_folder(output)
    with _progress() as say:
        from .analysis import run as analyse

        results = analyse(source, progress=say)
        from .report import write_results

        write_results(results, output, progress=say)
    _show(results)
    click.echo(f"Report: {output / 'report.html'}")
    if not results.passed:
        click.echo("A numerical gate failed: see the marked tables and the report.", err=True)
        sys.exit(GATES_FAILED)


@main.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--measure", required=True, help="OR or RR for counts; any measure for estimates.")
@click.option("--mu", default=None, help="Prior of the overall effect, e.g. 'Normal(0, 2)'.")
@click.option("--tau", default=None, help="Prior of the between-study SD, e.g. 'HalfNormal(0.5)'.")
@click.option("--counts", is_flag=True, help="Fit the counts themselves, not two-stage estimates.")
@click.option(
    "--level",
    default=0.95,
    show_default=True,
    help="Level of the intervals in a table of estimates.",
)
@click.option("--nuts", is_flag=True, help="Sample the PyMC model instead of integrating.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of NUTS and of the draws.",
)
@click.option("--prob", default=0.95, show_default=True, help="Probability of the intervals.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="netCDF file to write.")
def fit(
    table: Path,
    measure: str,
    mu: str | None,
    tau: str | None,
    *,
    counts: bool,
    nuts: bool,
    level: float,
    seed: int,
    prob: float,
    output: Path | None,
) -> None:
    """Fit one TABLE (CSV) of counts per arm, or of estimates, and print the posterior."""
    from .engines import NUTS
    from .engines import fit as fit_model
    from .files import check_file, write_posterior
    from .studies import check_prob
    from .summaries import describe, summary

    check_prob(prob)
    if output is not None:
        check_file(output)
    model, data = _model_and_data(table, measure, mu, tau, counts=counts, level=level)
    posterior = fit_model(model, data, NUTS(seed=seed) if nuts else None)
    if output is not None:
        write_posterior(posterior, output, seed=seed)
    click.echo(f"{describe(model)}\n{posterior.engine}\n")
    click.echo(summary(posterior, prob=prob).dropna(axis=1, how="all").round(4).to_string())
    for caution in posterior.cautions:
        click.echo(f"Caution: {caution}")
    for failure in posterior.diagnostics.failures:
        click.echo(f"Not sound: {failure}", err=True)
    if not posterior.diagnostics.passed:
        sys.exit(GATES_FAILED)


@main.command()
@click.argument("specification", type=click.Path(path_type=Path))
def model(specification: Path) -> None:
    """Print each model of a SPECIFICATION in mathematics and as PyMC source."""
    from .analysis import models_of
    from .engines import mathematics, pymc_source
    from .specification import load_specification

    for outcome in load_specification(specification).specification.outcome:
        click.echo(f"# {outcome.title}\n")
        models = models_of(outcome)
        if not models:
            click.echo("Published figures only, each alone: y ~ Normal(μ, se)\n")
        for label, one in models.items():
            click.echo(f"## {label}\n")
            click.echo("".join(f"    {line}\n" for line in mathematics(one)))
            click.echo(pymc_source(one))


def _model_and_data(
    table: Path, measure: str, mu: str | None, tau: str | None, *, counts: bool, level: float
) -> tuple:
    from .effects import EffectSizes, effect_sizes, measure_named
    from .errors import SpecError
    from .files import read_table
    from .model import BinomialNormal, NormalNormal, default_model
    from .priors import parse_prior
    from .studies import BinaryStudies

    measure_named(measure)
    frame = read_table(table)
    if "events_treatment" in frame:
        studies = BinaryStudies.from_frame(frame)
        data = studies if counts else effect_sizes(studies, measure=measure)
    elif counts:
        raise SpecError(f"--counts needs a table with events per arm; {table} has estimates.")
    else:
        data = EffectSizes.from_frame(frame, measure=measure, prob=level)
    priors = {name: parse_prior(text) for name, text in (("mu", mu), ("tau", tau)) if text}
    if len(priors) < 2:
        priors = {**default_model(data).priors, **priors}
    if counts:
        return BinomialNormal(measure=measure, mu=priors["mu"], tau=priors["tau"]), data
    return NormalNormal(mu=priors["mu"], tau=priors["tau"]), data


@contextmanager
def _progress() -> "Generator[Callable[[str, str], None]]":
    """Show one line with outcome, step and elapsed time; nothing where nobody is looking."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("[bold]{task.fields[outcome]}"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task("starting", total=None, outcome="")
        yield lambda outcome, step: bar.update(task, outcome=outcome, description=step)


def _show(results: "Results") -> None:
    from rich.console import Console
    from rich.markup import escape

    from .results.display import headline
    from .summaries import describe

    console = Console()
    with console.capture() as shown:
        for outcome in results.outcomes:
            console.print(_table(outcome, results.prob))
            console.print(escape(headline(outcome, prob=results.prob)))
            if outcome.main is not None:
                console.print(f"[dim]Model: {escape(describe(outcome.main.answer.model))}[/]")
            for label, failures in outcome.failures.items():
                said = escape(f"{label}: {'; '.join(failures)}")
                console.print(f"[bold red]Not sound[/]: {said}")
            for caution in outcome.cautions:
                console.print(f"[dim]Caution: {escape(caution)}[/]")
            console.print()
    click.echo(shown.get(), nl=False)


def _table(outcome: "OutcomeResult", prob: float) -> "Table":
    from rich.markup import escape
    from rich.table import Table

    from .results.display import compact

    title = (
        f"{outcome.title}: {outcome.measure} [{100 * prob:g}% interval], {outcome.better} is better"
    )
    table = Table(
        title=escape(title), title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    table.add_column("analysis")
    for heading in ("k", "estimate", "P(benefit)", "gap"):
        table.add_column(heading, justify="right")
    styles = {"posterior": "bold", "frequentist": "", "published": "italic"}
    for line in compact(outcome):
        mark = "" if line.sound else " [red]NOT SOUND[/]"
        cells = (line.k, line.estimate, line.benefit, line.gap)
        table.add_row(escape(line.label) + mark, *map(escape, cells), style=styles[line.kind])
    return table
