"""What goes into a compiled sampler: shapes, padded columns, the numbers of the priors, keys."""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import singledispatch
from typing import NamedTuple

import jax
import numpy as np

from ...errors import ModelError
from ...model import (
    COEFFICIENT,
    DESIGN,
    Arms,
    Coefficients,
    CorrelatedEstimates,
    Data,
    Estimates,
    Exchangeable,
    Hypergeometric,
    Likelihood,
    Location,
    Model,
    Named,
    OfCounts,
)
from ...priors import Mixture, Prior
from ...studies import BinaryStudies, ContinuousStudies
from ..likelihood.of_arms.arms import COLUMNS, columns_of, empty_quantiles
from ..likelihood.study import supports
from ..padding import lengthened, padded_k
from ..settings import NUTS

type Columns = Mapping[str, np.ndarray]

SMALLEST = 16  # tables are padded to 16, 32, 64, ... studies, so that most share one program
FEWEST = 4  # where arms report quantiles, whose probabilities cost too much for padding


class Shape(NamedTuple):
    """What decides a compiled program: everything else is an input.

    `model` has example numbers in its priors; `support` is how many counts a hypergeometric
    likelihood sums over, or the most quantiles that an arm reports, 0 for the others.
    """

    model: Model
    k: int
    support: int
    draws: int
    tune: int
    chains: int


def columns_for(model: Model, data: Data) -> Columns:
    """The data by the names that the PyMC model has for them."""
    model.check_data(data)
    return {**_columns(model.likelihood, data), **model.location.columns(data)}


@singledispatch
def _columns(of: Likelihood, data: Data) -> Columns:
    raise ModelError(f"There is no PyMC form of {of!r}.")


@_columns.register(Estimates | CorrelatedEstimates | OfCounts)
def _(of: Likelihood, data: Data) -> Columns:
    return data.numbers


@_columns.register
def _(of: Hypergeometric, data: BinaryStudies) -> Columns:
    largest = int(supports(data).max())
    size = max(64, 1 << (largest - 1).bit_length())
    return {**data.numbers, "count": np.arange(float(size))}


@_columns.register
def _(of: Arms, data: ContinuousStudies) -> Columns:
    return columns_of(of, data)


def shape_of(model: Model, columns: Columns, k: int, engine: NUTS) -> Shape:
    """The program that serves a model and a table of k studies."""
    support = columns["count"].size if "count" in columns else 0
    if "quantiles_treatment" in columns:
        support = columns["quantiles_treatment"].shape[1]
    chains = engine.chains if lockstep() else 1  # on a CPU the program is one chain
    least = FEWEST if "quantiles_treatment" in columns else SMALLEST
    return Shape(
        example(model), padded_k(k, least=least), support, engine.draws, engine.tune, chains
    )


def pad(columns: Columns, k: int) -> Columns:
    """Fill up the last axis, of quantiles the first, with rows that are masked."""
    return {name: _padded(name, values, k) for name, values in columns.items()}


def _padded(name: str, values: np.ndarray, k: int) -> np.ndarray:
    if name == "count":
        return values
    if name.startswith("quantiles"):
        none = empty_quantiles(values.shape[1])
        return np.concatenate([values, np.repeat(none, k - values.shape[0], axis=0)])
    return lengthened(values, name, k)


def numbers(model: Model) -> Mapping[str, np.float64]:
    """The priors' numbers under the names of the program's inputs."""
    return {
        f"{name}_{field}": np.float64(value)
        for name, prior in model.priors.items()
        for field, value in prior.numbers.items()
    }


def example_inputs(shape: Shape) -> tuple[object, ...]:
    """Inputs of a program, of the right form."""
    keys = chain_keys(0, shape.chains)
    table = {**example_columns(shape.model, shape.k, shape.support), **numbers(shape.model)}
    key = keys if lockstep() else keys[0]
    return key, table, np.ones(shape.k), np.float64(0.9), np.float64(1.0)


def example_columns(model: Model, k: int, support: int = 0) -> Columns:
    """Columns of the shape of a table, to trace with."""
    return {**_example(model.likelihood, k, support), **_example_of(model.location, k)}


def _example_of(location: Location, k: int) -> Columns:
    """A design as programs take it, of a location with numbered coefficients."""
    return {DESIGN: np.ones((len(location.priors), k))} if location.name == COEFFICIENT else {}


@singledispatch
def _example(of: Likelihood, k: int, support: int) -> Columns:
    raise ModelError(f"There is no PyMC form of {of!r}.")


@_example.register(Estimates | CorrelatedEstimates | OfCounts)
def _(of: Likelihood, k: int, support: int) -> Columns:
    count = {"count": np.arange(float(support))} if support else {}
    return {**{name: np.ones((*first, k)) for name, first in of.columns().items()}, **count}


@_example.register
def _(of: Arms, k: int, support: int) -> Columns:
    ones = {name: np.ones(k) for name in COLUMNS}
    if not support:
        return ones
    none = np.repeat(empty_quantiles(support), k, axis=0)
    return {**ones, "quantiles_treatment": none, "quantiles_control": none}


def chain_keys(seed: int, chains: int) -> np.ndarray:
    """Raw random keys, one per chain, shape (chains, 2)."""
    return np.asarray(jax.random.key_data(jax.random.split(jax.random.key(seed), chains)))


def lockstep() -> bool:
    """Whether chains run in lockstep: on a GPU."""
    return jax.default_backend() != "cpu"


def example(model: Model) -> Model:
    """The same model with example numbers in its priors: these are inputs and do not matter."""
    found: dict[str, object] = {}
    for field in fields(model):  # pyright: ignore[reportArgumentType]
        value = getattr(model, field.name)
        if isinstance(value, Prior):
            found[field.name] = _example_prior(value)
        elif isinstance(value, Named):
            found[field.name] = Named(
                {outcome: _example_prior(prior) for outcome, prior in value.items()}
            )
        elif isinstance(value, Coefficients):
            found[field.name] = Coefficients(tuple(map(_example_prior, value.by_number)))
        elif isinstance(value, Exchangeable):
            parts = (_example_prior(part) for part in (value.mean, value.sd))
            found[field.name] = Exchangeable(*parts)
    return replace(model, **found)  # pyright: ignore[reportArgumentType]


def _example_prior(prior: Prior) -> Prior:
    if isinstance(prior, Mixture):
        return Mixture(0.5, _example_prior(prior.first), _example_prior(prior.second))
    numbers = {"df": 3.0, "mean": 0.0, "low": 0.0}
    return type(prior)(**{field.name: numbers.get(field.name, 1.0) for field in fields(prior)})  # pyright: ignore[reportArgumentType]
