"""One chain of BlackJAX's NUTS on a model's density; pure JAX from end to end."""

# BlackJAX types states and infos by their common base:
# pyright: reportAttributeAccessIssue=false

from collections.abc import Callable, Mapping

import blackjax
import jax
import jax.numpy as jnp
from jax import Array

from ..graph.functions import Density


def chain(
    made: Density,
    draws: int,
    tune: int,
    key: Array,
    data: Mapping[str, Array],
    mask: Array,
    target_accept: Array,
    step_scale: Array,
) -> Mapping[str, Mapping[str, Array]]:
    """Warm up and sample one chain.

    Parameters
    ----------
    made : Density
    draws, tune : int
    key : Array, shape (2,)
        Raw random key.
    data : mapping
        Columns of the table, each (k,), and the priors' numbers.
    mask : Array, shape (k,)
        1 for studies, 0 for padding.
    target_accept, step_scale : Array
        Target of the adaptation, and the share of the adapted step that is used.

    Returns
    -------
    mapping
        ``draws`` by parameter, each (draws, ...), and ``stats``, each (draws,).
    """
    log_density = target(made, data, mask)
    start, warm, draw = jax.random.split(jax.random.wrap_key_data(key), 3)
    adaptation = blackjax.window_adaptation(
        blackjax.nuts,
        log_density,
        target_acceptance_rate=target_accept,  # pyright: ignore[reportArgumentType]
        adaptation_info_fn=lambda *_: None,
    )
    (state, settings), _ = adaptation.run(warm, initial(made, start), num_steps=tune)  # pyright: ignore[reportCallIssue]
    settings["step_size"] = step_scale * settings["step_size"]
    step = blackjax.nuts(log_density, **settings).step

    def one(state: object, key: Array) -> tuple[object, tuple[object, Mapping[str, Array]]]:
        state, info = step(key, state)  # pyright: ignore[reportArgumentType]
        stats = {
            "diverging": info.is_divergent,
            "energy": info.energy,
            "n_steps": info.num_integration_steps,
            "acceptance_rate": info.acceptance_rate,
        }
        return state, (made.parameters(state.position, data), stats)

    _, (kept, stats) = jax.lax.scan(one, state, jax.random.split(draw, draws))
    return {"draws": kept, "stats": stats}  # pyright: ignore[reportReturnType]


def target(
    made: Density, data: Mapping[str, Array], mask: Array
) -> Callable[[Mapping[str, Array]], Array]:
    """Log density of the unconstrained parameters, studies masked."""

    def log_density(position: Mapping[str, Array]) -> Array:
        each = jnp.where(mask > 0, made.log_likelihood(position, data), 0.0)
        return made.log_prior(position, data) + (mask * each).sum()

    return log_density


def initial(made: Density, key: Array) -> Mapping[str, Array]:
    """Start each unconstrained parameter anywhere in (-1, 1)."""
    names = sorted(made.shapes)
    return {
        name: jax.random.uniform(k, made.shapes[name], minval=-1.0, maxval=1.0)
        for name, k in zip(names, jax.random.split(key, len(names)), strict=True)
    }
