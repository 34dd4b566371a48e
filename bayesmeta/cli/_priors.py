"""The library of published priors, and priors from what a person can say."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from .shown.answer import WIDTH, print_json
from .shown.echo import echo, visible

if TYPE_CHECKING:
    from ..priors import Found, Prior, PublishedPrior

USUAL = 0.95  # probability of less than a ratio
KEY, FIGURE = 46, 14  # columns of the table
_SETTLED_BY_QUANTILES = (
    *("HalfNormal", "HalfCauchy", "Exponential"),
    *("Normal", "LogNormal", "Gamma", "InverseGamma"),
)


@click.group()
def priors() -> None:
    """Find a published prior, with its citation, or make one of what you can say."""


@priors.command()
@click.argument("words", nargs=-1)
@click.option("--measure", default="", help="Made for its scale, e.g. OR.")
@click.option("--parameter", type=click.Choice(["tau", "mu"]), help="What it is a prior of.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
def search(words: tuple[str, ...], *, measure: str, parameter: str | None, as_json: bool) -> None:
    """Search the library for priors that have all WORDS, e.g. mortality placebo.

    Each must begin a word of the key, outcome, comparison, area or citation: GEN finds general
    health. Priors made for the scale of a measure are asked for by --measure.
    """
    from ..priors import search as search_library
    from ..results.records import records_of

    found = search_library(" ".join(words), measure=measure.upper(), parameter=parameter or "")
    if as_json:
        absent = [one._asdict() for one in found.not_held]
        print_json({"priors": records_of(found.table()), "not_held": absent})
        return
    _print_found(found)


@priors.command()
@click.argument("key")
def show(key: str) -> None:
    """Show one prior of the library by its KEY: numbers, citation, and what they imply."""
    from ..priors import published_prior

    record = published_prior(key)
    for head, said in _facts(record).items():
        if said:
            echo(click.wrap_text(said, WIDTH, f"{head + ':':<12}", " " * 12))


@priors.command()
@click.option("--ratio", type=float, help="Two studies rarely differ by more than this factor.")
@click.option("--probability", type=float, show_default=str(USUAL), help="Of less than --ratio.")
@click.option("--family", type=click.Choice(_SETTLED_BY_QUANTILES, case_sensitive=False))
@click.option("--quantile", multiple=True, help="One of --family, e.g. 0.5=0.1; once for each.")
def elicit(
    *,
    ratio: float | None,
    probability: float | None,
    family: str | None,
    quantile: tuple[str, ...],
) -> None:
    """Make a prior of tau from a ratio, or of any parameter from quantiles.

    With --ratio 2 the effects of two studies, such as two odds ratios, differ by less than a
    factor of 2 with --probability, over the studies and over tau.
    """
    from ..errors import SpecError
    from ..priors import FAMILIES, from_quantiles, tau_from_ratio

    if (ratio is None) == (family is None):
        raise SpecError("Give --ratio, or --family with --quantile: a prior is made of one.")
    if ratio is not None and quantile:
        raise SpecError("--quantile belongs to --family: leave it out, or give no --ratio.")
    if family is not None and probability is not None:
        raise SpecError("--probability belongs to --ratio: leave it out, or give no --family.")
    if ratio is not None:
        prior: Prior = tau_from_ratio(ratio, USUAL if probability is None else probability)
    else:
        prior = from_quantiles(FAMILIES[str(family)], _quantiles(quantile))
    echo(repr(prior))
    if prior.positive_only:
        echo(f"If of tau: {_implied(prior, 'RATIO')}")


def _quantiles(typed: tuple[str, ...]) -> Mapping[float, float]:
    from ..errors import SpecError

    try:
        pairs = [tuple(map(float, one.split("="))) for one in typed]
        return {q: value for q, value in pairs}  # noqa: C416 - each must be a pair
    except ValueError:
        raise SpecError("--quantile is PROBABILITY=VALUE, e.g. --quantile 0.5=0.1.") from None


def _print_found(found: "Found") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("prior", width=KEY, overflow="fold")
    for head in ("95% of it", "two studies\nmedian, 97.5%"):
        table.add_column(head, width=FIGURE)
    implied = found.table()[["lower", "upper", "between_median", "between_upper"]]
    for one, (low, high, *apart) in zip(found.records, implied.to_numpy(float), strict=True):
        what = f"{one.key}\n  {one.law!r}\n  of {one.parameter}, {one.scale}"
        between = "" if one.parameter == "mu" else _pair(*apart)
        table.add_row(escape(visible(what)), _pair(low, high), between)
    console = Console(width=WIDTH)
    with console.capture() as shown:
        console.print(table)
    echo(shown.get(), nl=False, styled=True)
    echo(f"{len(found)} found. Two studies: how far their effects lie apart, a ratio for ratios.")
    for one in found.not_held:
        echo(click.wrap_text(f"Not held: {one.name}: {one.why}. {one.citation}", WIDTH, "", "  "))


def _facts(record: "PublishedPrior") -> Mapping[str, str]:
    implied = _implied(record.law, record.measure) if record.parameter == "tau" else ""
    low, high = record.law.interval()
    return {
        "Key": record.key,
        "Prior": f"{record.law!r} of {record.parameter}, {record.scale}",
        "Published": record.published,
        "Made for": record.about,
        "Source": f"{record.citation} {record.table}.",
        "Implies": implied
        or f"{record.parameter} between {_figure(low)} and {_figure(high)} (95%)",
        "Note": record.note,
        "Write": f'--{record.parameter} "from_library({record.key!r})"',
    }


def _implied(prior: "Prior", measure: str) -> str:
    """What a prior of tau says of tau, and of two studies."""
    from ..effects import MEASURES
    from ..priors import between_studies

    low, high = prior.interval()
    log = MEASURES[measure].log
    median, upper = between_studies(prior, measure)
    apart = "by a factor of {}" if log else "by {}"
    return (
        f"tau between {_figure(low)} and {_figure(high)} (95%); the effects of two studies, whose "
        f"difference is N(0, 2 tau²), differ {apart.format(_figure(median))} (median), less than "
        f"{apart.format(_figure(upper))} with 97.5%"
    )


def _pair(first: float, second: float) -> str:
    return f"{_figure(first)}, {_figure(second)}"


def _figure(value: float) -> str:
    return "beyond 1e5" if math.isinf(value) or abs(value) > 1e5 else f"{value:.3g}"
