"""The model that words on the command line ask for, and its data."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import pandas as pd

    from ..effects import EffectSizes
    from ..model import Data, Model
    from ..priors import Prior
    from ..studies import ContinuousStudies, Studies


def of_a_model[Command: Callable[..., object]](command: Command) -> Command:
    """Add the options that say which model a table is fitted with."""
    options = (
        click.option(
            "--measure",
            required=True,
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
    for option in reversed(options):
        command = option(command)
    return command


def model_and_data(
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
    from ..effects import EffectSizes, measure_named
    from ..errors import SpecError
    from ..files import read_table
    from ..model import NormalNormal

    measure_named(measure)
    frame = read_table(table)
    kind = kind_of(frame)
    counts = counts or likelihood is not None or coding != "half"
    if kind is None and counts:
        raise SpecError(
            f"--counts needs a table with events or means per arm; {table} has estimates."
        )
    if kind is None:
        data = EffectSizes.from_frame(frame, measure=measure, prob=level)
    else:
        data = kind.from_frame(frame)
        data = data if counts else two_stage(data, measure)
    priors = _priors(data, measure, mu, tau)
    if kind is None or not counts:
        return NormalNormal(**priors, df=_df(df)), data
    make = _of_counts(kind, measure, likelihood, coding)
    return make(**priors, df=_df(df), **({} if coding == "half" else {"coding": coding})), data


def two_stage(data: "Studies | ContinuousStudies", measure: str) -> "EffectSizes":
    """Estimates of the studies; quantiles are converted to means and SDs first."""
    from ..effects import convert_quantiles, effect_sizes
    from ..studies import ContinuousStudies

    if isinstance(data, ContinuousStudies):
        data = convert_quantiles(data)
    return effect_sizes(data, measure=measure)


def _df(text: str | None) -> "float | Prior | None":
    """Degrees of freedom as typed: a number, or a prior."""
    from ..priors import parse_prior

    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return parse_prior(text)


def with_outliers(model: "Model", share: str | None, spread: str | None) -> "Model":
    """The same model of estimates with a share of outliers."""
    from ..errors import SpecError
    from ..model import NormalNormal, OutlierMixture
    from ..priors import parse_prior

    if share is None or spread is None:
        raise SpecError("--share and --spread go together: the outliers' share and extra SD.")
    if not isinstance(model, NormalNormal) or model.df is not None:
        raise SpecError("--share and --spread are for estimates: leave --counts and --df out.")
    priors = {"share": parse_prior(share), "spread": parse_prior(spread)}
    return OutlierMixture(mu=model.mu, tau=model.tau, **priors)


def kind_of(frame: "pd.DataFrame") -> "type[Studies | ContinuousStudies] | None":
    """What a table counts, by its columns; None for estimates."""
    from .. import studies

    found = {str(name) for name in frame.columns}
    if "events_treatment" in found:
        timed = "time_treatment" in found
        return studies.PersonTimeStudies if timed else studies.BinaryStudies
    if found & {"mean_treatment", "median_treatment", "q1_treatment", "min_treatment"}:
        return studies.ContinuousStudies
    if "events" not in found or found & {"y", "se", "estimate"}:
        return None
    return studies.IncidenceStudies if "time" in found else studies.ProportionStudies


def _of_arms(measure: str) -> "dict[str, Callable[..., Model]]":
    """Models of continuous outcomes by the distribution of patients; the likelier first."""
    from ..model import ContinuousNormal

    names = ("lognormal", "normal") if measure == "RGM" else ("normal", "lognormal")
    return {name: partial(ContinuousNormal, measure=measure, arms=name) for name in names}


def _of_counts(
    kind: "type[Studies | ContinuousStudies]", measure: str, likelihood: str | None, coding: str
) -> "Callable[..., Model]":
    """The model of a table of counts, by its likelihood; by default the table's first."""
    from .. import model
    from ..effects import MEASURES_OF
    from ..errors import SpecError

    binomial = partial(model.BinomialNormal, measure=measure)
    among: dict[str, dict[str, Callable[..., Model]]] = {
        "BinaryStudies": {"binomial": binomial, "hypergeometric": model.HypergeometricNormal},
        "PersonTimeStudies": {"poisson": model.PoissonNormal},
        "ProportionStudies": {"binomial": model.ProportionNormal},
        "IncidenceStudies": {"poisson": model.IncidenceNormal},
        "ContinuousStudies": _of_arms(measure),
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
    from ..effects import MEASURES, EffectSizes
    from ..errors import SpecError
    from ..model import default_model
    from ..priors import parse_prior
    from ..studies import ContinuousStudies

    priors = {name: parse_prior(text) for name, text in (("mu", mu), ("tau", tau)) if text}
    if len(priors) == 2:
        return priors
    if not (MEASURES[measure].log and MEASURES[measure].comparative):
        raise SpecError(
            f"No default prior exists for {measure}: give --mu and --tau, on its analysis scale."
        )
    ratio = EffectSizes.from_arrays(["any"], [0.0], [1.0], measure=measure)
    found = default_model(ratio if isinstance(data, ContinuousStudies) else data).priors
    return {"mu": found["mu"], "tau": found["tau"], **priors}


def model_of_batch(
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
    from ..effects import EffectSizes, measure_named
    from ..errors import SpecError
    from ..model import NormalNormal
    from ..studies import ContinuousStudies

    measure_named(measure)
    kind = kind_of(frame)
    if kind is ContinuousStudies:
        raise SpecError(
            "A batch takes counts or estimates; fit tables of means one by one, or make estimates "
            "of them first with effect_sizes."
        )
    if kind is None and counts:
        raise SpecError("--counts needs a table with events; this one has estimates.")
    any_data = EffectSizes.from_arrays(["any"], [0.0], [1.0], measure=measure)
    priors = _priors(any_data, measure, mu, tau)
    if kind is not None and getattr(kind, "size", "") == "time" and not counts:
        raise SpecError("A table with person-time is fitted on its counts: add --counts.")
    if kind is None or not counts:
        return NormalNormal(**priors, df=_df(df))
    make = _of_counts(kind, measure, likelihood, coding)
    return make(**priors, df=_df(df), **({} if coding == "half" else {"coding": coding}))
