"""From a PyMC graph to pure JAX functions with the data as inputs."""

# PyTensor types every graph as a variable or a list of them:
# pyright: reportArgumentType=false

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import jax.numpy as jnp
import numpy as np
import pymc as pm
import pymc.sampling.jax
from jax import Array
from pymc.model.transform.optimization import freeze_dims_and_data
from pytensor.compile import SharedVariable  # pyright: ignore[reportPrivateImportUsage]
from pytensor.compile.mode import JAX
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import graph_inputs
from pytensor.link.jax.dispatch import jax_funcify  # pyright: ignore[reportPrivateImportUsage]
from pytensor.tensor.variable import TensorVariable

type Arrays = Mapping[str, Array]


@final
@dataclass(frozen=True, slots=True)
class Density:
    """A model as JAX functions of (position, data), both mappings by name.

    Attributes
    ----------
    log_prior : callable
        Log density of all free parameters on the unconstrained scale, a scalar.
    log_likelihood : callable
        Per-study log likelihood, shape (k,): masks multiply here.
    parameters : callable
        Parameters on their own scale, by name.
    shapes : mapping
        Shape of each unconstrained parameter.
    data : mapping
        The values the model was built with.
    """

    log_prior: Callable[[Arrays, Arrays], Array]
    log_likelihood: Callable[[Arrays, Arrays], Array]
    parameters: Callable[[Arrays, Arrays], Arrays]
    shapes: Mapping[str, tuple[int, ...]]
    data: Mapping[str, np.ndarray]


def density(model: pm.Model) -> Density:
    """Split the log density of `model` into prior and per-study likelihood, as JAX functions."""
    frozen = freeze_dims_and_data(model, data=[])
    free = frozen.logp(vars=frozen.free_RVs, sum=True)
    each = frozen.logp(vars=frozen.observed_RVs, sum=False)
    named = [*frozen.free_RVs, *frozen.deterministics]
    values = frozen.replace_rvs_by_values(named)
    prior = jax_function(frozen, [free])
    likelihood = jax_function(frozen, each)
    natural = jax_function(frozen, values)
    names = [variable.name for variable in named]
    return Density(
        log_prior=lambda position, data: prior(position, data)[0],
        log_likelihood=lambda position, data: jnp.stack(likelihood(position, data)).sum(axis=0),
        parameters=lambda position, data: dict(zip(names, natural(position, data), strict=True)),
        shapes={v.name: tuple(map(int, v.type.shape)) for v in frozen.value_vars},
        data={v.name: v.get_value() for v in frozen.data_vars},
    )


def jax_function(
    model: pm.Model, outputs: Sequence[TensorVariable]
) -> Callable[[Arrays, Arrays], Sequence[Array]]:
    """Turn graphs over value variables and ``pm.Data`` into a function of (position, data).

    PyMC's own ``get_jaxified_logp`` bakes the data in as constants, so every table would compile
    anew; here shared variables become inputs.
    """
    values = list(model.value_vars)
    shared = [v for v in graph_inputs(outputs) if isinstance(v, SharedVariable)]
    fresh = {v: v.type.clone(shape=v.type.shape)(name=v.name) for v in shared}
    graph = FunctionGraph(
        inputs=[*values, *fresh.values()],
        outputs=clone_replace(list(outputs), replace=fresh),  # pyright: ignore[reportCallIssue]
        clone=True,
    )
    JAX.optimizer.rewrite(graph)
    function = jax_funcify(graph)
    positions, names = [v.name for v in values], [v.name for v in shared]

    def call(position: Arrays, data: Arrays) -> Sequence[Array]:
        return function(*(position[n] for n in positions), *(data[n] for n in names))

    return call
