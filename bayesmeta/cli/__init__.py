"""Words typed on the command line to calls below."""

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .errors import BayesmetaError

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from .checks import Trust
    from .engines import Engine
    from .model import Data, Model
    from .posterior import Posterior
    from .priors import Prior
    from .results import OutcomeResult, Results
    from .studies import Studies

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
@click.option("--measure", required=True, help="OR, RR, RD, IRR, PLO, IRLN; or of estimates.")
@click.option("--mu", default=None, help="Prior of the overall effect, e.g. 'Normal(0, 2)'.")
@click.option("--tau", default=None, help="Prior of the between-study SD, e.g. 'HalfNormal(0.5)'.")
@click.option("--counts", is_flag=True, help="Fit the counts themselves, not two-stage estimates.")
@click.option(
    "--likelihood",
    type=click.Choice(["binomial", "hypergeometric", "poisson"]),
    help="Of the counts; implies --counts.",
)
@click.option(
    "--coding",
    type=click.Choice(["half", "zero_one"]),
    default="half",
    show_default=True,
    help="How a log odds ratio enters the arms of the binomial likelihood.",
)
@click.option("--df", help="Degrees of freedom of Student-t study effects: a number or a prior.")
@click.option("--share", help="Prior of the share of outliers, e.g. 'Beta(1, 9)'; with --spread.")
@click.option("--spread", help="Prior of the outliers' extra SD, e.g. 'HalfNormal(1)'.")
@click.option(
    "--evidence", is_flag=True, help="Add Bayes factors, weights and studies without events."
)
@click.option("--checks", is_flag=True, help="Add predictive checks, leave-one-out, every verdict.")
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
    likelihood: str | None,
    coding: str,
    df: str | None,
    share: str | None,
    spread: str | None,
    evidence: bool,
    checks: bool,
    nuts: bool,
    level: float,
    seed: int,
    prob: float,
    output: Path | None,
) -> None:
    """Fit one TABLE (CSV) of counts, or of estimates, and print the posterior.

    What the table holds is told by its columns: events_treatment, n_treatment (or time_treatment)
    and the same of control; events with n or time for single arms; else estimates.
    """
    from .engines import NUTS
    from .engines import fit as fit_model
    from .files import check_file, write_posterior
    from .studies import check_prob
    from .summaries import describe, summary

    check_prob(prob)
    if output is not None:
        check_file(output)
    model, data = _model_and_data(
        table,
        measure,
        mu,
        tau,
        counts=counts,
        level=level,
        likelihood=likelihood,
        coding=coding,
        df=df,
    )
    if share or spread:
        model = _with_outliers(model, share, spread)
    engine = NUTS(seed=seed) if nuts else None
    posterior = fit_model(model, data, engine)
    if output is not None:
        write_posterior(posterior, output, seed=seed)
    click.echo(f"{describe(model)}\n{posterior.engine}\n")
    click.echo(summary(posterior, prob=prob).dropna(axis=1, how="all").round(4).to_string())
    for part in _evidence(posterior, prob) if evidence else ():
        click.echo(f"\n{part}")
    _say_doubts(posterior, _checks(posterior, seed, prob, engine) if checks else None)


def _say_doubts(posterior: "Posterior", trust: "Trust | None") -> None:
    """Cautions, and gates that failed: these end with status 1."""
    for caution in posterior.cautions if trust is None else trust.cautions:
        click.echo(f"Caution: {caution}")
    for failure in posterior.diagnostics.failures:
        click.echo(f"Not sound: {failure}", err=True)
    if not posterior.diagnostics.passed:
        sys.exit(GATES_FAILED)


def _checks(posterior: "Posterior", seed: int, prob: float, engine: "Engine | None") -> "Trust":
    """Print the tables of every check."""
    from .checks import check

    found = check(posterior, seed=seed, prob=prob, engine=engine)
    titles = {
        "What the priors imply": found.prior,
        "Predicted and observed": found.predictive,
        "Each study predicted from the others": found.loo,
        "Residual deviance": found.deviance,
    }
    for title, one in titles.items():
        if one is not None:
            click.echo(f"\n{title}\n{_text(one.table())}")
    assert found.trust is not None
    click.echo(f"\nEvery check\n{_text(found.trust.table().set_index('check'))}")
    return found.trust


def _evidence(posterior: "Posterior", prob: float) -> Iterator[str]:
    """Three tables, or why there is one less."""
    from .errors import ModelError
    from .evidence import bayes_factors, mean_weights, outliers, zero_studies
    from .studies import Studies

    if "outlier" in posterior.marginals:
        yield f"Outliers\n{_text(outliers(posterior))}"
        return
    try:
        factors = bayes_factors(posterior)
        yield f"Bayes factors\n{_text(factors.table())}"
        yield f"The factor of tau by the scale of its prior\n{_text(factors.tau_by_scale)}"
        yield f"Weights\n{_text(mean_weights(posterior))}"
    except ModelError as error:
        yield str(error)
    if isinstance(posterior.data, Studies):
        yield f"Studies without events\n{_text(zero_studies(posterior, prob=prob))}"


def _text(table: "pd.DataFrame") -> str:
    return table.to_string(float_format=lambda value: f"{value:.4g}")


@main.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--by", multiple=True, required=True, help="Column that names a group; repeatable.")
@click.option("--measure", required=True, help="OR or RR for counts; any measure for estimates.")
@click.option("--mu", default=None, help="Prior of the overall effect, e.g. 'Normal(0, 2)'.")
@click.option("--tau", default=None, help="Prior of the between-study SD, e.g. 'HalfNormal(0.5)'.")
@click.option("--counts", is_flag=True, help="Fit the counts themselves, not two-stage estimates.")
@click.option("--likelihood", help="Of the counts: binomial, hypergeometric or poisson.")
@click.option(
    "--coding",
    type=click.Choice(["half", "zero_one"]),
    default="half",
    show_default=True,
    help="How a log odds ratio of counts enters the arms.",
)
@click.option("--df", help="Degrees of freedom of Student-t study effects: a number or a prior.")
@click.option("--prob", default=0.95, show_default=True, help="Probability of the intervals.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="CSV file to write.")
def batch(
    table: Path,
    by: tuple[str, ...],
    measure: str,
    mu: str | None,
    tau: str | None,
    likelihood: str | None,
    coding: str,
    df: str | None,
    *,
    counts: bool,
    prob: float,
    output: Path | None,
) -> None:
    """Fit every group of a TABLE (CSV, one row per study) and give one row for each.

    Exit status: 0 all sound, 1 a group has a problem (its row says which), 2 refused.
    """
    from .batch import fit_many
    from .files import check_file, read_table, write_table
    from .summaries import describe

    if output is not None:
        check_file(output)
    frame = read_table(table)
    counts = counts or likelihood is not None or coding != "half"
    settings = (measure, mu, tau, likelihood, coding, df)
    chosen = _model_of_batch(frame, *settings, counts=counts)
    with _progress() as say:
        rows = fit_many(
            chosen,
            frame,
            by=by,
            prob=prob,
            measure=None if counts else measure,
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
    table: Path,
    measure: str,
    mu: str | None,
    tau: str | None,
    *,
    counts: bool,
    level: float,
    likelihood: str | None,
    coding: str,
    df: str | None,
) -> "tuple[Model, Data]":
    from .effects import EffectSizes, effect_sizes, measure_named
    from .errors import SpecError
    from .files import read_table
    from .model import NormalNormal

    measure_named(measure)
    frame = read_table(table)
    kind = _kind_of(frame)
    counts = counts or likelihood is not None or coding != "half"
    if kind is None and counts:
        raise SpecError(f"--counts needs a table with events per arm; {table} has estimates.")
    if kind is None:
        data = EffectSizes.from_frame(frame, measure=measure, prob=level)
    else:
        data = kind.from_frame(frame)
        data = data if counts else effect_sizes(data, measure=measure)
    priors = _priors(data, measure, mu, tau)
    if kind is None or not counts:
        return NormalNormal(**priors, df=_df(df)), data
    make = _of_counts(kind, measure, likelihood, coding)
    return make(**priors, df=_df(df), **({} if coding == "half" else {"coding": coding})), data


def _df(text: str | None) -> "float | Prior | None":
    """Degrees of freedom as typed: a number, or a prior."""
    from .priors import parse_prior

    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return parse_prior(text)


def _with_outliers(model: "Model", share: str | None, spread: str | None) -> "Model":
    """The same model of estimates with a share of outliers."""
    from .errors import SpecError
    from .model import NormalNormal, OutlierMixture
    from .priors import parse_prior

    if share is None or spread is None:
        raise SpecError("--share and --spread go together: the outliers' share and extra SD.")
    if not isinstance(model, NormalNormal) or model.df is not None:
        raise SpecError("--share and --spread are for estimates: leave --counts and --df out.")
    priors = {"share": parse_prior(share), "spread": parse_prior(spread)}
    return OutlierMixture(mu=model.mu, tau=model.tau, **priors)


def _kind_of(frame: "pd.DataFrame") -> "type[Studies] | None":
    """What a table counts, by its columns; None for estimates."""
    from . import studies

    found = {str(name) for name in frame.columns}
    if "events_treatment" in found:
        timed = "time_treatment" in found
        return studies.PersonTimeStudies if timed else studies.BinaryStudies
    if "events" not in found or found & {"y", "se", "estimate"}:
        return None
    return studies.IncidenceStudies if "time" in found else studies.ProportionStudies


def _of_counts(
    kind: "type[Studies]", measure: str, likelihood: str | None, coding: str
) -> "Callable[..., Model]":
    """The model of a table of counts, by its likelihood; by default the table's first."""
    from . import model
    from .effects import MEASURES_OF
    from .errors import SpecError

    binomial = partial(model.BinomialNormal, measure=measure)
    among: dict[str, dict[str, Callable[..., Model]]] = {
        "BinaryStudies": {"binomial": binomial, "hypergeometric": model.HypergeometricNormal},
        "PersonTimeStudies": {"poisson": model.PoissonNormal},
        "ProportionStudies": {"binomial": model.ProportionNormal},
        "IncidenceStudies": {"poisson": model.IncidenceNormal},
    }
    models = among[kind.__name__]
    likelihood = likelihood or next(iter(models))
    measures = ("OR",) if likelihood == "hypergeometric" else MEASURES_OF[kind]
    if likelihood not in models:
        raise SpecError(
            f"A table with {', '.join(kind.columns())} has the likelihood {' or '.join(models)}, "
            f"not {likelihood}."
        )
    if coding != "half" and (models[likelihood] is not binomial or measure != "OR"):
        raise SpecError("--coding is for the odds ratio of two binomial arms.")
    if measure not in measures:
        raise SpecError(
            f"The {likelihood} likelihood of this table has measure {' or '.join(measures)}, not "
            f"{measure}."
        )
    return models[likelihood]


def _priors(data: "Data", measure: str, mu: str | None, tau: str | None) -> "dict[str, Prior]":
    """Priors as typed; where one is not, the default if the measure has any."""
    from .effects import MEASURES
    from .errors import SpecError
    from .model import default_model
    from .priors import parse_prior

    priors = {name: parse_prior(text) for name, text in (("mu", mu), ("tau", tau)) if text}
    if len(priors) == 2:
        return priors
    if not (MEASURES[measure].log and MEASURES[measure].comparative):
        raise SpecError(
            f"No default prior exists for {measure}: give --mu and --tau, on its analysis scale."
        )
    found = default_model(data).priors
    return {"mu": found["mu"], "tau": found["tau"], **priors}


def _model_of_batch(
    frame: "pd.DataFrame",
    measure: str,
    mu: str | None,
    tau: str | None,
    likelihood: str | None,
    coding: str,
    df: str | None,
    *,
    counts: bool,
) -> "Model":
    """The model of a batch: its priors as typed, or those that serve any data of this measure."""
    from .effects import EffectSizes, measure_named
    from .errors import SpecError
    from .model import NormalNormal

    measure_named(measure)
    kind = _kind_of(frame)
    if kind is None and counts:
        raise SpecError("--counts needs a table with events; this one has estimates.")
    any_data = EffectSizes.from_arrays(["any"], [0.0], [1.0], measure=measure)
    priors = _priors(any_data, measure, mu, tau)
    if kind is not None and kind.size == "time" and not counts:
        raise SpecError("A table with person-time is fitted on its counts: add --counts.")
    if kind is None or not counts:
        return NormalNormal(**priors, df=_df(df))
    make = _of_counts(kind, measure, likelihood, coding)
    return make(**priors, df=_df(df), **({} if coding == "half" else {"coding": coding}))


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
