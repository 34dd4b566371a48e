"""The likelihood of reported quantiles as one operation of a PyTensor graph."""

# PyTensor types every operation as possibly None:
# pyright: reportIncompatibleMethodOverride=false

from collections.abc import Callable, Sequence
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.jax.dispatch import jax_funcify  # pyright: ignore[reportPrivateImportUsage]

from ..compiled.precision import float64
from ..likelihood.of_arms.quantile_chain import Nodes
from ..likelihood.of_arms.quantiles import COARSE, log_probability

type TensorLike = Variable | np.ndarray


@final
class QuantileLogProbability(Op):
    """Log probability of arms' reported quantiles: (arrays, mu, sigma) to shape (arms,).

    NumPy computes it in PyTensor's own modes and JAX in ours, by the same function.
    """

    __props__ = ("nodes",)

    def __init__(self, nodes: Nodes = COARSE) -> None:
        self.nodes = nodes

    def make_node(self, arrays: TensorLike, mu: TensorLike, sigma: TensorLike) -> Apply:
        """Take `arrays` from `plan`, and `mu` and `sigma` of shape (arms,)."""
        inputs = [pt.as_tensor_variable(each) for each in (arrays, mu, sigma)]
        return Apply(self, inputs, [pt.dvector()])

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Sequence[list[Any]]) -> None:
        """Compute with NumPy."""
        arrays, mu, sigma = inputs
        outputs[0][0] = log_probability(np, arrays, mu, sigma, self.nodes)

    def infer_shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        """One number an arm."""
        return [(shapes[0][0],)]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], gradients: Sequence[Variable]
    ) -> list[Variable]:
        """Gradients in `mu` and `sigma`; the data have none."""
        slopes = QuantileSlopes(self.nodes)(*inputs, return_list=True)
        return [disconnected_type(), *(gradients[0] * slope for slope in slopes)]  # pyright: ignore[reportGeneralTypeIssues]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only `mu` and `sigma` are followed."""
        return [[False], [True], [True]]


@final
class QuantileSlopes(Op):
    """Slopes of `QuantileLogProbability` in `mu` and `sigma`, each of shape (arms,)."""

    __props__ = ("nodes",)

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self._slopes = jax.jit(_slopes(nodes))

    def make_node(self, arrays: TensorLike, mu: TensorLike, sigma: TensorLike) -> Apply:
        """Take the inputs of `QuantileLogProbability`."""
        inputs = [pt.as_tensor_variable(each) for each in (arrays, mu, sigma)]
        return Apply(self, inputs, [pt.dvector(), pt.dvector()])

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Sequence[list[Any]]) -> None:
        """Compute with JAX."""
        with float64():
            found = self._slopes(*(jnp.asarray(each) for each in inputs))
            for cell, slope in zip(outputs, found, strict=True):
                cell[0] = np.array(slope)


def _slopes(nodes: Nodes) -> Callable[..., tuple[jax.Array, jax.Array]]:
    def total(arrays: jax.Array, mu: jax.Array, sigma: jax.Array) -> jax.Array:
        return log_probability(jnp, arrays, mu, sigma, nodes).sum()

    return jax.grad(total, argnums=(1, 2))


@jax_funcify.register(QuantileLogProbability)  # pyright: ignore[reportArgumentType]
def _probability_in_jax(op: QuantileLogProbability, **_: object) -> Callable[..., jax.Array]:
    return lambda arrays, mu, sigma: log_probability(jnp, arrays, mu, sigma, op.nodes)


@jax_funcify.register(QuantileSlopes)  # pyright: ignore[reportArgumentType]
def _slopes_in_jax(op: QuantileSlopes, **_: object) -> Callable[..., tuple[jax.Array, jax.Array]]:
    return _slopes(op.nodes)
