"""One table: its posterior, printed and written."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._asked import Typed, check_better, model_and_data, of_a_model
from ._output import check_output, hold, raw_text_option, write_fit
from ._people import People, beside, of_people
from ._table import of_a_table
from ._whole import answered, check_report, say_report, write_report
from .moderators import cautions_beside, moderators_of, of_moderators, show, to_dict
from .shown.account import say_account
from .shown.added import Added, Doubts, cautions_of
from .shown.answer import print_json
from .shown.echo import echo
from .shown.progress import GATES_FAILED

if TYPE_CHECKING:
    from ..reading import Reading
    from ..studies import Published
    from ..summaries import Better


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@of_moderators
@of_a_model
@of_a_table
@of_people
@click.option("--share", help="Prior of the share of outliers, e.g. 'Beta(1, 9)'; with --spread.")
@click.option("--spread", help="Prior of the outliers' extra SD, e.g. 'HalfNormal(1)'.")
@click.option(
    "--evidence", is_flag=True, help="Add Bayes factors, weights and studies without events."
)
@click.option("--tipping", is_flag=True, help="Add what would turn the conclusion.")
@click.option("--checks", is_flag=True, help="Add predictive checks, leave-one-out, every verdict.")
@click.option("--nuts", is_flag=True, help="Sample the PyMC model instead of integrating.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of NUTS and of the draws.",
)
@click.option("--better", type=click.Choice(["lower", "higher"]), help="Direction of benefit.")
@click.option("--published", help="A printed figure to set beside it, e.g. 'RR 0.58 [0.38, 0.87]'.")
@click.option(
    "--scale",
    type=click.Choice(["natural", "log", "analysis"]),
    default="natural",
    show_default=True,
    help="Ratios as ratios and proportions as proportions; or every parameter as it is analysed.",
)
@click.option(
    "--studies", type=click.Choice(["all"]), help="List the effects of however many studies."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
@click.option("--prob", default=0.95, show_default=True, help="Probability of the intervals.")
@click.option("--verbose", is_flag=True, help="All that was read, guessed and left out.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to write: .csv, or .nc (netCDF)."
)
@click.option(
    "--report", type=click.Path(path_type=Path), help="Folder for the whole report, as of run."
)
@click.option(
    "--risk-of-bias",
    type=click.Path(path_type=Path),
    help="Table of judgements (RoB 2, ROBINS-I), drawn as lights in the report.",
)
@click.option("--force", is_flag=True, help="Overwrite files of our names that no run wrote.")
@raw_text_option
def fit(
    table: Path,
    *,
    typed: Typed,
    reading: "Reading",
    people: People,
    evidence: bool,
    tipping: bool,
    checks: bool,
    nuts: bool,
    seed: int,
    better: "Better | None",
    published: str | None,
    scale: str,
    studies: str | None,
    as_json: bool,
    prob: float,
    verbose: bool,
    output: Path | None,
    report: Path | None,
    risk_of_bias: Path | None,
    force: bool,
    raw_text: bool,
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
    from ..implications import coherence
    from ..results.answer import answer_of
    from ..studies import check_prob
    from ..summaries import describe

    check_prob(prob)
    check_better(typed.measure, better)
    people.check(typed.measure, better)
    moderated = typed.moderated
    moderated.check({"baseline": people.baseline, "published": published, "tipping": tipping})
    alone = {"--force": force, "--risk-of-bias": risk_of_bias}
    check_report(report, table, typed, better, nuts=nuts, alone=alone)
    figure = _figure(published, typed.measure)
    if output is not None:
        check_output(output, other_than=table)
        hold(output)
    judged = {} if risk_of_bias is None else {"risk_of_bias": beside(risk_of_bias, table)}
    asked = model_and_data(table, typed, reading)
    whole = report and write_report(
        table,
        typed,
        reading,
        asked,
        report,
        better=better,
        added={**people.keys(table), **judged},
        published=figure,
        seed=seed,
        prob=prob,
        force=force,
        raw_text=raw_text,
    )
    engine = NUTS(seed=seed) if nuts else None
    posterior = answered(whole) if whole else fit_model(asked.model, asked.data, engine)
    if output is not None:
        write_fit(posterior, output, seed=seed, prob=prob, raw_text=raw_text)
    answer = answer_of(posterior, prob=prob, better=better, published=figure)
    told = moderators_of(moderated, posterior, prob=prob, nuts=nuts, seed=seed)
    added = Added()
    if evidence or "outlier" in posterior.marginals:
        added.add_evidence(posterior, prob)
    if tipping:
        added.add_tipping(posterior, prob)
    added.add_people(people.effects(posterior, better, prob))
    if checks:
        added.add_checks(posterior, seed, prob, engine)
    found = coherence(posterior, factors=added.factors, prob=prob)
    doubts = Doubts(
        cautions=(
            *asked.doubts,
            *cautions_beside(told),
            *(added.cautions or cautions_of(posterior)),
        ),
        failures=(*map(str, posterior.diagnostics.failures), *map(str, found.contradictions)),
    )
    if as_json:
        told_too = to_dict(told, prob=prob)
        print_json({**answer.to_dict(), **told_too, **added.to_dict(), **doubts.to_dict()})
    else:
        say_account(posterior.account, verbose=verbose)
        echo(f"Model: {describe(asked.model)}; {posterior.engine}.")
        echo("\n".join([*asked.model.citations, ""]))
        show(answer, told, scale=scale, every=studies == "all")
        added.show()
        echo(f"\n{found.in_short}")
        say_report(whole, report)
        doubts.say()
    if doubts.failures or (whole and not whole.passed):
        sys.exit(GATES_FAILED)


def _figure(text: str | None, measure: str) -> "Published | None":
    """The printed figure, of the measure that is asked for."""
    from ..effects import effect_sizes, measure_named, printed_values
    from ..errors import SpecError
    from ..studies import Published

    if text is None:
        return None
    figure = Published.parse(text)
    if figure.measure and measure_named(figure.measure).name != measure:
        raise SpecError(f"--published is of {figure.measure}, and --measure asks for {measure}.")
    figure = replace(figure, measure=measure)
    if figure.has_interval:
        printed_values(figure)  # before any work: a ratio printed as its logarithm, and an
        effect_sizes(figure)  # interval that is not about its estimate, are refused
    return figure
