"""The model that words on the command line ask for, and its data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, final

import click

from .moderators import Moderated

if TYPE_CHECKING:
    from ..model import Model
    from ..priors import Prior
    from ..reading import Data, Reading
    from ..wording import Likelihood, Words


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The options that say which model a table is fitted with, as typed."""

    measure: str
    mu: str | None
    tau: str | None
    counts: bool
    likelihood: str | None
    coding: str
    df: str | None
    share: str | None = None
    spread: str | None = None
    moderated: Moderated = field(default_factory=Moderated)

    @property
    def of_arms(self) -> bool:
        """Whether the arms themselves are fitted."""
        return self.counts or self.likelihood is not None or self.coding != "half"


class Flags:
    """The command line as a door: what it says names its options."""

    def no_likelihood(self, known: "Sequence[Likelihood]", asked: "Words") -> Exception:
        from ..errors import SpecError

        names = " or ".join(one.name for one in known)
        return SpecError(
            f"A table with {', '.join(known[0].table.columns())} has the likelihood {names}, "
            f"not {asked.likelihood}."
        )

    def no_measure(self, among: "Sequence[Likelihood]", asked: "Words") -> Exception:
        from ..errors import SpecError

        first = among[0]
        return SpecError(
            f"The {first.name} likelihood of this table has measure "
            f"{' or '.join(first.measures)}, not {asked.measure}."
        )

    def no_coding(self) -> Exception:
        from ..errors import SpecError

        return SpecError("--coding is for the odds ratio of two binomial arms.")

    def no_prior(self, asked: "Words") -> Exception:
        from ..errors import SpecError

        return SpecError(
            f"No default prior exists for {asked.measure}: give --mu and --tau, on its analysis "
            "scale."
        )


def _measure(context: click.Context, option: click.Parameter, value: str) -> str:
    """The measure by its own name, in letters of whatever case it was typed."""
    from ..effects import measure_named

    return measure_named(value).name


def of_a_model(command: Callable[..., object]) -> Callable[..., object]:
    """Add the options that say which model a table is fitted with; the command gets ``Typed``."""
    options = (
        click.option(
            "--measure",
            required=True,
            callback=_measure,
            help="OR, RR, RD, IRR, PLO, IRLN; MD, SMD, ROM, RGM; or of estimates.",
        ),
        click.option("--mu", help="Prior of the overall effect, e.g. 'Normal(0, 2)'."),
        click.option("--tau", help="Prior of the between-study SD, e.g. 'HalfNormal(0.5)'."),
        click.option(
            "--counts",
            is_flag=True,
            help="Fit the arms themselves (counts; means or quantiles), not two-stage estimates.",
        ),
        click.option(
            "--likelihood",
            type=click.Choice(["binomial", "hypergeometric", "poisson", "normal", "lognormal"]),
            help="Of the counts, or of patients within an arm; implies --counts.",
        ),
        click.option(
            "--coding",
            type=click.Choice(["half", "zero_one"]),
            default="half",
            show_default=True,
            help="How a log odds ratio enters the arms of the binomial likelihood.",
        ),
        click.option(
            "--df", help="Degrees of freedom of Student-t study effects: a number or a prior."
        ),
    )

    @wraps(command)
    def gathered(**given: object) -> object:
        names = given.keys() & Typed.__dataclass_fields__
        said = {name: given.pop(name) for name in names}
        return command(typed=Typed(**said), **given)  # pyright: ignore[reportArgumentType]

    for option in reversed(options):
        gathered = option(gathered)
    return gathered


@final
@dataclass(frozen=True, slots=True)
class Asked:
    """The model and the data that a command line asks for, and what is hardly so in these."""

    model: "Model"
    data: "Data"
    doubts: tuple[str, ...]


def model_and_data(table: Path, typed: Typed, reading: "Reading") -> Asked:
    """Read the table and choose the model."""
    from ..doubts import plausibility
    from ..effects import EffectSizes
    from ..errors import SpecError, of_table
    from ..reading import estimates_of, main_rows, open_table, read

    with of_table(table):
        opened = main_rows(open_table(table, reading, measure=typed.measure))
        data = read(opened, typed.measure, reading, of_arms=typed.of_arms)
        kind = type(data)
    if kind is EffectSizes and typed.of_arms:
        raise SpecError(
            f"--counts needs a table with events or means per arm; {table} has estimates."
        )
    asked = typed.measure if typed.measure in data.measures else None
    doubts = tuple(one.text for one in plausibility(data, measure=asked))
    if not typed.of_arms:
        with of_table(table):
            data = estimates_of(data, typed.measure)
    return Asked(_model(kind, _words(typed), of_arms=typed.of_arms), data, doubts)


def check_better(measure: str, better: str | None) -> None:
    """Refuse a direction of benefit of what compares nothing."""
    from ..effects import MEASURES
    from ..errors import SpecError

    if better is not None and not MEASURES[measure].comparative:
        raise SpecError(
            f"--better is for comparisons, and {measure} is of single arms: leave it out."
        )


def model_of_batch(columns: Sequence[str], typed: Typed) -> "Model":
    """The model of a batch: its priors as typed, or those that serve any data of this measure."""
    from ..effects import EffectSizes
    from ..errors import SpecError
    from ..reading import kind_of

    kind = kind_of(columns, typed.measure)
    if kind.arms and not kind.discrete and typed.of_arms:
        raise SpecError(
            "A batch on the arms takes counts; leave --counts and --likelihood out to pool "
            "estimates of these means."
        )
    if kind is EffectSizes and typed.of_arms:
        raise SpecError("--counts needs a table with events; this one has estimates.")
    words = _words(typed)
    if kind.size == "time" and not typed.of_arms:
        raise SpecError("A table with person-time is fitted on its counts: add --counts.")
    return _model(kind, words, of_arms=typed.of_arms)


def _model(kind: "type[Data]", words: "Words", *, of_arms: bool) -> "Model":
    from ..wording import likelihood_for, two_stage

    return likelihood_for((kind,), words, Flags()).model(words) if of_arms else two_stage(words)


def _words(typed: Typed) -> "Words":
    """What is typed, read; priors that are not typed have defaults if the measure has any."""
    from ..priors import parse_prior
    from ..wording import Words, check_priors, degrees_of_freedom

    words = Words(
        measure=typed.measure,
        likelihood=typed.likelihood,
        coding=typed.coding,
        mu=parse_prior(typed.mu) if typed.mu else None,
        tau=parse_prior(typed.tau) if typed.tau else None,
    )
    check_priors(words, Flags())
    df = None if typed.df is None else degrees_of_freedom(typed.df)
    return typed.moderated.words(replace(words, df=df, outliers=_outliers(typed)))


def _outliers(typed: Typed) -> "tuple[Prior, Prior] | None":
    """Priors of the share of outliers and of their extra SD."""
    from ..errors import SpecError
    from ..priors import parse_prior

    if not (typed.share or typed.spread):
        return None
    if not (typed.share and typed.spread):
        raise SpecError("--share and --spread go together: the outliers' share and extra SD.")
    if typed.of_arms or typed.df is not None:
        raise SpecError("--share and --spread are for estimates: leave --counts and --df out.")
    return parse_prior(typed.share), parse_prior(typed.spread)
