"""One table: its posterior, printed and written."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._asked import Typed, model_and_data, of_a_model, say_of_table
from ._progress import GATES_FAILED
from ._sections import unrounded
from ._table import of_a_table

if TYPE_CHECKING:
    import pandas as pd

    from ..checks import Trust
    from ..engines import Engine
    from ..evidence import BayesFactors
    from ..posterior import Coherence, Posterior
    from ..reading import Reading


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@of_a_model
@of_a_table
@click.option("--share", help="Prior of the share of outliers, e.g. 'Beta(1, 9)'; with --spread.")
@click.option("--spread", help="Prior of the outliers' extra SD, e.g. 'HalfNormal(1)'.")
@click.option(
    "--evidence", is_flag=True, help="Add Bayes factors, weights and studies without events."
)
@click.option("--checks", is_flag=True, help="Add predictive checks, leave-one-out, every verdict.")
@click.option("--nuts", is_flag=True, help="Sample the PyMC model instead of integrating.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of NUTS and of the draws.",
)
@click.option(
    "--scale",
    type=click.Choice(["natural", "analysis"]),
    default="natural",
    show_default=True,
    help="Ratios as ratios and proportions as proportions, or as they are analysed.",
)
@click.option("--prob", default=0.95, show_default=True, help="Probability of the intervals.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="netCDF file to write.")
def fit(
    table: Path,
    *,
    typed: Typed,
    reading: "Reading",
    evidence: bool,
    checks: bool,
    nuts: bool,
    seed: int,
    scale: str,
    prob: float,
    output: Path | None,
) -> None:
    """Fit one TABLE of counts, means or estimates, and print the posterior.

    TABLE is a CSV file with any usual separator and decimal mark, an Excel (.xlsx) or Parquet file,
    or - for standard input. What it holds is told by its columns: events_treatment, n_treatment (or
    time_treatment) and the same of control; mean_treatment, sd_treatment; events with n or time for
    single arms; y and se; estimate, lower and upper; or the complete set of another program (ai,
    n1i, ci, n2i; event.e, n.e, ...). Where a column variant names several readings of a study, the
    rows named main are used.
    """
    from ..engines import NUTS
    from ..engines import fit as fit_model
    from ..files import check_file, write_posterior
    from ..implications import coherence
    from ..studies import check_prob
    from ..summaries import describe

    check_prob(prob)
    if output is not None:
        check_file(output, other_than=table)
    asked = model_and_data(table, typed, reading)
    engine = NUTS(seed=seed) if nuts else None
    posterior = fit_model(asked.model, asked.data, engine)
    if output is not None:
        write_posterior(posterior, output, seed=seed)
    say_of_table(asked)
    click.echo(f"{describe(asked.model)}\n{posterior.engine}\n")
    click.echo(_answer(posterior, prob, scale))
    factors = _evidence(posterior, prob) if evidence else None
    trust = _checks(posterior, seed, prob, engine) if checks else None
    found = coherence(posterior, factors=factors, prob=prob)
    click.echo(f"\n{found.in_short}")
    _say_doubts(posterior, trust, found)


def _answer(posterior: "Posterior", prob: float, scale: str) -> str:
    """The summary as people read it: ratios as ratios, proportions as proportions; or as analysed.

    On the scale people read, means and SDs of what is analysed as a logarithm are left out.
    """
    from ..summaries import scale_of, summary

    measure = scale_of(posterior)
    if measure.link == "identity" or scale == "analysis":
        table = summary(posterior, prob=prob).dropna(axis=1, how="all")
        return f"{measure.analysis_label}\n{table.round(4).to_string()}"
    table = summary(posterior, prob=prob, scale="natural").drop(columns=["mean", "sd"])
    head = f"{measure.name}; tau is of the {measure.link} {measure.name} (--scale analysis for all)"
    return f"{head}\n{table.round(4).to_string(na_rep='')}"


def _say_doubts(posterior: "Posterior", trust: "Trust | None", found: "Coherence") -> None:
    """Cautions, and gates that failed: these end with status 1."""
    for caution in posterior.cautions if trust is None else trust.cautions:
        click.echo(f"Caution: {caution}")
    for failure in (*posterior.diagnostics.failures, *found.contradictions):
        click.echo(f"Not sound: {failure}", err=True)
    if not (posterior.diagnostics.passed and found.passed):
        sys.exit(GATES_FAILED)


def _checks(posterior: "Posterior", seed: int, prob: float, engine: "Engine | None") -> "Trust":
    """Print the tables of every check."""
    from ..checks import check
    from ..results.sections import of_checks

    found = check(posterior, seed=seed, prob=prob, engine=engine)
    assert found.trust is not None
    for section in of_checks(found):
        click.echo(unrounded(section))
    return found.trust


def _evidence(posterior: "Posterior", prob: float) -> "BayesFactors | None":
    """Print three tables, or why there is one less; return the factors."""
    from ..errors import ModelError
    from ..evidence import bayes_factors, mean_weights, outliers, zero_studies

    factors = None
    if "outlier" in posterior.marginals:
        _say("outliers", outliers(posterior))
        return None
    try:
        factors = bayes_factors(posterior)
        _say("bayes-factors", factors.table())
        _say("tau-by-scale", factors.tau_by_scale)
        _say("weights", mean_weights(posterior))
    except ModelError as error:
        click.echo(f"\n{error}")
    if posterior.data.discrete:
        _say("zero-studies", zero_studies(posterior, prob=prob))
    return factors


def _say(name: str, table: "pd.DataFrame") -> None:
    from ..results.sections import of_a_fit

    click.echo(unrounded(of_a_fit(name, table)))
