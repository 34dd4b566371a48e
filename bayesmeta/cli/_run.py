"""Whole specifications: everything they ask for, or the models they state."""

import sys
from pathlib import Path

import click

from ..machine.collector import uncollected
from ._output import hold, raw_text_option
from .shown.details import print_details
from .shown.echo import echo
from .shown.overview import print_overview
from .shown.progress import GATES_FAILED, progress

_docx_option = click.option(
    "--docx", is_flag=True, help="Write report.docx, for Word, too (needs python-docx)."
)


@click.command()
@click.argument("specification", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write to."
)
@click.option("--force", is_flag=True, help="Overwrite files of our names that no run wrote.")
@raw_text_option
@_docx_option
@click.option(
    "--verbose", is_flag=True, help="Every comparison, model and caution before the rest."
)
@click.option("--quiet", is_flag=True, help="Print nothing but what is not sound.")
def run(
    specification: Path,
    *,
    output: Path,
    force: bool,
    raw_text: bool,
    docx: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Analyse everything a SPECIFICATION (TOML) asks for.

    Writes report.html, results.json, manifest.json (what each file holds), and a folder per outcome
    with tables (CSV), a posterior (netCDF) and figures (SVG); nothing of an earlier run into the
    folder is left. Exit status: 0 sound, 1 a numerical gate failed, 2 refused.
    """
    from ..report import check_results_folder
    from ..specification import load_specification

    source = load_specification(specification)
    names = [one.name for one in source.specification.outcome]
    check_results_folder(output, names, force=force, docx=docx)
    hold(output)
    with progress(quiet=quiet) as say, uncollected():  # looking for cycles takes a fourteenth
        from ..analysis import run as analyse

        results = analyse(source, progress=say)
        from ..report import write_results

        how = {"force": force, "raw_text": raw_text, "docx": docx}
        write_results(results, output, progress=say, **how)
    if verbose:
        print_details(results)
    if not quiet:
        print_overview(results, output)
    if not results.passed:
        echo("A numerical gate failed: see the marked tables and the report.", err=True)
        sys.exit(GATES_FAILED)


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@_docx_option
def report(results: Path, *, docx: bool) -> None:
    """Make the report of a run again, of its RESULTS: results.json or its folder.

    Nothing is fitted: what the run stored beside it is laid out as this version does.
    """
    from ..report import folder_of, report_again

    hold(folder_of(results))
    echo(f"Report: {report_again(results, docx=docx)}")


@click.command()
@click.argument("specification", type=click.Path(path_type=Path))
def model(specification: Path) -> None:
    """Print each model of a SPECIFICATION in mathematics and as PyMC source.

    A model with covariates is printed with the data of its first scenario, which make its design.
    """
    from ..analysis import models_of
    from ..analysis.answer import read_for_models
    from ..engines import mathematics, pymc_source
    from ..results.labels import LABELS
    from ..specification import load_specification

    read = load_specification(specification)
    for outcome in read.specification.outcome:
        echo(f"# {outcome.title}\n")
        models = models_of(outcome)
        if not models:
            echo("Published figures only, each alone: y ~ Normal(μ, se)\n")
        data = read_for_models(read, outcome) if outcome.by_covariates else {}
        for key, one in models.items():
            echo(f"## {LABELS[key]}\n")
            echo("".join(f"    {line}\n" for line in mathematics(one, data.get(key))))
            echo(pymc_source(one, data.get(key)))
