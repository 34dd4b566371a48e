"""Many tables at once, of models that no grid holds: fixed-length HMC, batched.

NUTS makes every table of a batch pay for the longest tree of all; trajectories of one length do
not. What the short runs cannot settle goes to NUTS one by one.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import blackjax
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, export

from ...errors import ModelError
from ...machine.places import settle
from ...model import Model
from ...posterior import Posterior
from ..compiled.precision import float64
from ..compiled.stored import TRACING, compiled, load_program, store_program, stored_program
from ..settings import NUTS
from .convergence import DIVERGENT, ESS, RHAT

if TYPE_CHECKING:
    from jax.stages import Compiled

    from ..graph.functions import Density

type Columns = Mapping[str, np.ndarray]
type Arrays = Mapping[str, Array]

CHAINS, TUNE = 4, 500
JITTER = 0.5, 1.0  # of the step size
TARGET = 0.8  # acceptance rate
SMALLEST = 8  # rows
CHUNK, SIDE_BY_SIDE = 16, 8  # tables per call, and how many of them in lockstep
TRACES: list["Batch"] = []  # one entry per program traced, for a test to count


class Batch(NamedTuple):
    """What decides a compiled program; `model` has example numbers in its priors."""

    model: Model
    k: int
    steps: int  # leapfrog steps of every trajectory
    draws: int  # of each chain


def batch(model: Model, k: int) -> Batch:
    """Choose the length of the runs: three parameters mix faster than two per study."""
    from ..padding import padded_k
    from .inputs import example

    steps, draws = (12, 1000) if "tau" in model.priors else (5, 500)
    return Batch(example(model), padded_k(k, least=SMALLEST), steps, draws)


def sample_many(
    model: Model,
    columns: Columns,
    mask: np.ndarray,
    *,
    seed: int,
    prob: float = 0.95,
    progress: Callable[[int, int], None] | None = None,
) -> Columns:
    """Fit one model to many tables.

    Parameters
    ----------
    model : BetaBinomial or BinomialNormal
        The latter with exchangeable baselines: other models have an exact engine.
    columns : mapping of str to ndarray, each (B, k)
        Counts; what stands in rows that are masked does not matter as long as it is possible.
    mask : ndarray, shape (B, k)
        1 for studies, 0 for rows that are none.
    seed : int
        The same table at the same place of the batch gets the same draws.
    prob : float
        Mass of the central intervals.
    progress : callable, optional
        Told how many tables are done, of how many.

    Returns
    -------
    mapping of str to ndarray, each (B,)
        For mu, and for tau or rho: ``mu_mean``, ``mu_sd``, ``mu_lower``, ``mu_median``,
        ``mu_upper``; ``mu_below_zero``, the probability; the worst ``rhat`` and ``ess`` of the
        parameters that all studies share, and ``divergences``; ``refitted``, whether NUTS had to
        fit this table, and ``passed``, whether the gates were passed in the end.

    Raises
    ------
    ModelError
        If the model has an exact engine.
    """
    if not model.likelihood.shares:
        raise ModelError(f"{model.name} has an exact engine: use Quadrature().")
    with float64():
        found = _by_hmc(model, columns, mask, seed, prob, progress)
    found["passed"] = _passed(found, batch(model, mask.shape[1]).draws)
    found["refitted"] = ~found["passed"]
    for at in np.flatnonzero(found["refitted"]):
        rows = {name: values[at, mask[at] > 0] for name, values in columns.items()}
        for name, value in _by_nuts(model, rows, seed + int(at), prob).items():
            found[name][at] = value
    return found


def _passed(found: Columns, draws: int) -> np.ndarray:
    few = found["divergences"] <= DIVERGENT * CHAINS * draws
    return (found["rhat"] <= RHAT) & (found["ess"] >= ESS) & few


def _by_hmc(
    model: Model,
    columns: Columns,
    mask: np.ndarray,
    seed: int,
    prob: float,
    progress: Callable[[int, int], None] | None,
) -> dict[str, np.ndarray]:
    from .inputs import chain_keys, numbers, pad

    total, k = mask.shape
    shape = batch(model, k)
    program = _program(shape)
    table = pad(columns, shape.k)
    keep = np.pad(np.asarray(mask, float), [(0, 0), (0, shape.k - k)])
    keys = chain_keys(seed, total)
    settings = numbers(model), _levels(prob)
    parts = []
    for start in range(0, total, CHUNK):
        rows = np.minimum(np.arange(start, start + CHUNK), total - 1)  # the last one fills up
        chunk = {name: values[rows] for name, values in table.items()}
        parts.append(jax.device_get(program(keys[rows], chunk, keep[rows], *settings)))
        if progress is not None:
            progress(min(start + CHUNK, total), total)
    return {name: np.concatenate([part[name] for part in parts])[:total] for name in parts[0]}


def _levels(prob: float) -> np.ndarray:
    return np.array([(1 - prob) / 2, 0.5, (1 + prob) / 2])


@cache
def _program(shape: Batch) -> "Compiled":
    """Compile the program of one shape, from the traced one in the user's cache if it is there."""
    inputs = example_inputs(shape)
    path = stored_program(repr(shape), jax.default_backend())
    with TRACING:
        traced = load_program(path) or store_program(path, export.export(trace(shape))(*inputs))  # pyright: ignore[reportArgumentType]
    return compiled(traced, inputs)


def trace(shape: Batch) -> Callable[..., Arrays]:
    """Build the PyMC model and return the jitted function of one chunk of tables."""
    settle()
    from ..graph.build import build
    from ..graph.functions import density
    from .inputs import example_columns

    TRACES.append(shape)
    study = tuple(map(str, range(shape.k)))
    made = density(build(shape.model, study, example_columns(shape.model, shape.k)))

    def run(keys: Array, tables: Arrays, masks: Array, numbers: Arrays, levels: Array) -> Arrays:
        def one(each: tuple[Array, Arrays, Array]) -> Arrays:
            key, table, mask = each
            return summarise(*_sample(made, shape, key, {**table, **numbers}, mask), levels)

        return jax.lax.map(one, (keys, tables, masks), batch_size=SIDE_BY_SIDE)

    return jax.jit(run)


def example_inputs(shape: Batch) -> tuple[object, ...]:
    """Inputs of a program, of the right form."""
    from .inputs import chain_keys, example_columns, numbers

    columns = example_columns(shape.model, shape.k)
    table = {name: np.ones((CHUNK, shape.k)) for name in columns}
    keys, mask = chain_keys(0, CHUNK), np.ones((CHUNK, shape.k))
    return keys, table, mask, numbers(shape.model), _levels(0.95)


def _sample(
    made: "Density", shape: Batch, key: Array, data: Arrays, mask: Array
) -> tuple[Arrays, Array]:
    """Draws of the scalar parameters, each (chains, draws), and which of them diverged."""
    keys = jax.random.split(jax.random.wrap_key_data(key), CHAINS)
    return jax.vmap(partial(_chain, made, shape, data=data, mask=mask))(keys)


def _chain(
    made: "Density", shape: Batch, key: Array, *, data: Arrays, mask: Array
) -> tuple[Arrays, Array]:
    from ._chain import initial, target

    log_density = target(made, data, mask)
    start, warm, draw = jax.random.split(key, 3)
    adaptation = blackjax.window_adaptation(
        SimpleNamespace(init=blackjax.hmc.init, build_kernel=_jittered),
        log_density,
        target_acceptance_rate=TARGET,
        adaptation_info_fn=lambda *_: None,
        num_integration_steps=shape.steps,
    )
    (state, settings), _ = adaptation.run(warm, initial(made, start), num_steps=TUNE)  # pyright: ignore[reportCallIssue]
    step = partial(_jittered(), logdensity_fn=log_density, **settings)

    def one(state: object, key: Array) -> tuple[object, tuple[Arrays, Array]]:
        state, info = step(key, state)
        natural = made.parameters(state.position, data)  # pyright: ignore[reportAttributeAccessIssue]
        scalars = {name: value for name, value in natural.items() if value.ndim == 0}
        return state, (scalars, info.is_divergent)  # pyright: ignore[reportAttributeAccessIssue]

    _, kept = jax.lax.scan(one, state, jax.random.split(draw, shape.draws))
    return kept


def _jittered() -> Callable[..., tuple[object, object]]:
    """HMC whose step size varies from draw to draw, while it is tuned as well.

    Else a trajectory of one length may return to its start: accepted always, however large the
    step, and useless.
    """
    kernel, (low, high) = blackjax.hmc.build_kernel(), JITTER

    def step(
        key: Array,
        state: object,
        logdensity_fn: Callable[..., Array],
        step_size: Array,
        inverse_mass_matrix: Array,
        num_integration_steps: int,
    ) -> tuple[object, object]:
        jitter, move = jax.random.split(key)
        size = step_size * jax.random.uniform(jitter, minval=low, maxval=high)
        return kernel(move, state, logdensity_fn, size, inverse_mass_matrix, num_integration_steps)

    return step


def summarise(draws: Arrays, diverging: Array, levels: Array) -> Arrays:
    """Summaries of one table: of mu, of tau or rho, and of the convergence of all parameters.

    Parameters
    ----------
    draws : mapping of str to Array, each (chains, draws)
    diverging : Array, shape (chains, draws)
    levels : Array, shape (3,)
        Of the quantiles.
    """
    found = {"mu_below_zero": (draws["mu"] < 0).mean()}
    for name in ("mu", "tau" if "tau" in draws else "rho"):
        found |= {f"{name}_mean": draws[name].mean(), f"{name}_sd": draws[name].std(ddof=1)}
        ends = jnp.quantile(draws[name].ravel(), levels)
        found |= {f"{name}_{end}": ends[i] for i, end in enumerate(("lower", "median", "upper"))}
    every = jnp.stack(list(draws.values()))
    found |= {"rhat": split_rhat(every).max(), "ess": effective_size(every).min()}
    return {**found, "divergences": diverging.sum().astype(float)}


def split_rhat(draws: Array) -> Array:
    """R-hat of halved chains, not of ranks: (..., chains, draws) to (...) (Gelman et al. 2013)."""
    within, total = _variances(_halves(draws))
    return jnp.sqrt(total / within)


def effective_size(draws: Array) -> Array:
    """Effective sample size for the mean: (..., chains, draws) to (...).

    Autocorrelations of halved chains, summed until a pair of them is negative and never allowed to
    rise (Geyer 1992; Stan Reference Manual, effective sample size).
    """
    halves = _halves(draws)
    n = halves.shape[-1]
    within, total = _variances(halves)
    apart = halves - halves.mean(axis=-1, keepdims=True)
    wave = jnp.fft.rfft(apart, n=2 * n, axis=-1)
    covariance = jnp.fft.irfft(jnp.abs(wave) ** 2, n=2 * n, axis=-1)[..., :n].mean(axis=-2) / n
    rho = 1 - (within[..., None] - covariance * n / (n - 1)) / total[..., None]
    pairs = rho[..., : n // 2 * 2].reshape(*rho.shape[:-1], -1, 2).sum(axis=-1)
    positive = jnp.cumprod(pairs > 0, axis=-1)
    falling = jax.lax.cummin(pairs, axis=pairs.ndim - 1)
    count = halves.shape[-2] * n
    length = jnp.maximum(2 * (falling * positive).sum(axis=-1) - 1, 1 / np.log10(count))
    return count / length


def _halves(draws: Array) -> Array:
    half = draws.shape[-1] // 2
    return jnp.concatenate((draws[..., :half], draws[..., -half:]), axis=-2)


def _variances(chains: Array) -> tuple[Array, Array]:
    """Variance within chains, and of all draws as the two together estimate it."""
    n = chains.shape[-1]
    within = chains.var(axis=-1, ddof=1).mean(axis=-1)
    return within, (n - 1) / n * within + chains.mean(axis=-1).var(axis=-1, ddof=1)


def _by_nuts(model: Model, rows: Columns, seed: int, prob: float) -> Mapping[str, float]:
    """Summaries of one table, as `summarise` gives them, by NUTS."""
    names = tuple(map(str, range(1, 1 + next(iter(rows.values())).size)))
    with float64():
        from .nuts import sample

        posterior = sample(model, model.takes(study=names, **rows), NUTS(seed=seed))  # pyright: ignore[reportArgumentType, reportCallIssue]
    found = {"mu_below_zero": float(posterior["mu"].cdf(0.0))}
    for name in ("mu", "tau" if "tau" in model.priors else "rho"):
        marginal = posterior[name]
        ends = zip(("lower", "median", "upper"), _levels(prob), strict=True)
        found |= {f"{name}_mean": marginal.mean(), f"{name}_sd": marginal.sd()}
        found |= {f"{name}_{end}": float(marginal.quantile(level)) for end, level in ends}
    return {**found, **_convergence(posterior)}  # pyright: ignore[reportReturnType]


def _convergence(posterior: Posterior) -> Mapping[str, float]:
    table = posterior.convergence
    assert table is not None
    rows = [row for name, row in table.items() if "[" not in name]
    assert posterior.sample_stats is not None
    return {
        "rhat": max(row["rhat"] for row in rows),
        "ess": min(row["ess_bulk"] for row in rows),
        "divergences": float(posterior.sample_stats["diverging"].sum()),
        "passed": posterior.diagnostics.passed,
    }
