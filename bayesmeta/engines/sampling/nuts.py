"""Sampling: BlackJAX's NUTS on the PyMC density, one compiled program per model shape."""

# a Prior class is not typed as the dataclass each subclass is:
# pyright: reportArgumentType=false

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial, singledispatch
from itertools import product
from typing import TYPE_CHECKING

import jax
import numpy as np
from jax import Array, export

from ...errors import ModelError
from ...machine.places import settle
from ...machine.threads import Threads
from ...model import (
    DESIGN,
    CorrelatedSpread,
    Data,
    Model,
    MultivariateNormal,
    NoSpread,
    OutlierSpread,
    Scatter,
    Spread,
)
from ...multivariate import MultivariateEffects
from ...posterior import Diagnostics, Draws, Marginal, Marginals, Posterior
from .._cautions import cautions, of_outliers
from ..compiled.stored import TRACING, compiled, load_program, store_program, stored_program
from ..exact.propriety import (
    moments_of_coefficients,
    moments_of_mu,
    moments_of_new,
    moments_of_prior,
    moments_of_tau,
)
from ..likelihood.rough import kinked, vanishing
from ..settings import NUTS
from ._derived import derived, linear
from .convergence import convergence, gates

if TYPE_CHECKING:
    from jax.stages import Compiled
from .inputs import (
    Shape,
    chain_keys,
    columns_for,
    example_columns,
    example_inputs,
    lockstep,
    numbers,
    pad,
    shape_of,
)

type Columns = Mapping[str, np.ndarray]
type Out = Mapping[str, Mapping[str, np.ndarray]]
type Inputs = tuple[Mapping[str, np.ndarray], np.ndarray, np.float64, np.float64]
CAREFUL = 0.25  # of the adapted step size, where a wall in the posterior asks for it
INTERNAL = ("z", "baseline_z", "log_sd", "log_sd_z")  # the sampler's own
POSITIVE = ("tau", "df", "share", "spread")
TRACES: list[tuple[object, ...]] = []  # one entry per program traced, for a test to count


def sample(model: Model, data: Data, engine: NUTS) -> Posterior:
    """Return the posterior of `model` given `data`, by draws; once more if a gate fails.

    The second attempt takes a quarter of the adapted step, a stricter acceptance target and, where
    more than divergences failed, twice the chains. The same compiled program serves.
    """
    columns = columns_for(model, data)
    scale = CAREFUL if _has_wall(model, data) else 1.0
    first = _sample_once(model, data, columns, engine, step_scale=scale, attempts=1)
    failures = first.diagnostics.failures
    if not failures:
        return first
    only_divergences = all(check.name == "divergences" for check in failures)
    stricter = replace(
        engine,
        chains=engine.chains * (1 if only_divergences else 2),
        target_accept=1 - (1 - engine.target_accept) / 2,
    )
    scale = CAREFUL * scale
    return _sample_once(model, data, columns, stricter, step_scale=scale, attempts=2)


def _has_wall(model: Model, data: Data) -> bool:
    """Whether a risk ratio or difference meets an arm in which everybody or nobody has the event.

    Its baseline is then free to one side, and there the risk of the other arm forbids one sign of
    theta outright: a cliff that the step size, tuned to the rest, would leap over.
    """
    of = model.likelihood
    if of.measure == "RR":
        a, n1, c, n0 = data.numbers.values()
        return bool(((a == n1) != (c == n0)).any())
    return of.measure == "RD" and bool(kinked(of, data).any())


def _sample_once(
    model: Model,
    data: Data,
    columns: Columns,
    engine: NUTS,
    *,
    step_scale: float,
    attempts: int,
) -> Posterior:
    numbered = model.numbered(data)
    shape = shape_of(numbered, columns, data.k, engine)
    program = _program(shape)
    table = {**pad(columns, shape.k), **numbers(numbered)}
    mask = (np.arange(shape.k) < data.k).astype(float)
    keys = chain_keys(engine.seed, engine.chains)
    settings = (np.float64(engine.target_accept), np.float64(step_scale))
    out = _run_chains(program, keys, (table, mask, *settings))
    draws = _keep_real(out["draws"], {name: model.labels(name, data) for name in out["draws"]})
    draws |= derived(model, data, draws, np.random.default_rng([engine.seed, 1]))
    draws.pop("weight", None)
    return _posterior(model, data, engine, draws, out["stats"], attempts)


def _posterior(
    model: Model,
    data: Data,
    engine: NUTS,
    draws: Mapping[str, np.ndarray],
    stats: Mapping[str, np.ndarray],
    attempts: int,
) -> Posterior:
    table = _convergence(model, data, draws)
    moments = _moments(model, data)
    return Posterior(
        model=model,
        data=data,
        engine=str(engine),
        marginals={
            name: _marginal(name, values, model.labels(name, data), moments)
            for name, values in draws.items()
        },
        diagnostics=Diagnostics(gates(table, stats, engine.draws * engine.chains), attempts),
        sample=partial(_subset, draws),
        linear=linear(model.between, draws, moments, engine.seed),
        cautions=(*cautions(model, data), *of_outliers(draws, data.study)),
        sample_stats=stats,
        convergence=table,
    )


def _convergence(
    model: Model, data: Data, draws: Mapping[str, np.ndarray]
) -> Mapping[str, Mapping[str, float]]:
    found: dict[str, Mapping[str, float]] = {}
    for name, values in draws.items():
        found |= convergence({name: _flat(values)}, _labels(model.labels(name, data)))
    return found


def _flat(values: np.ndarray) -> np.ndarray:
    """Study effects of several outcomes as one row, (chains, draws, k p)."""
    return values.reshape(*values.shape[:2], -1) if values.ndim > 3 else values


def _labels(axes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(", ".join(names) for names in product(*axes.values()))


def _moments(model: Model, data: Data) -> Mapping[str, int]:
    """How many moments exist, where fewer than two may; those of study effects by ``theta[i]``."""
    return _moments_about(model.between, model, data)


@singledispatch
def _moments_about(between: Spread, model: Model, data: Data) -> Mapping[str, int]:
    raise ModelError(f"Which moments exist is not known with {between!r}.")


@_moments_about.register
def _(_: NoSpread, model: Model, data: Data) -> Mapping[str, int]:
    return {}


@_moments_about.register(Scatter | OutlierSpread)
def _(_: Scatter | OutlierSpread, model: Model, data: Data) -> Mapping[str, int]:
    priors, k = model.priors, data.k
    name, effects = model.location.name, tuple(model.numbered(data).location.priors.values())
    design = model.location.columns(data).get(DESIGN, np.ones((1, k))).T
    each = moments_of_coefficients(model, effects, k, design)
    new = moments_of_new(model, k, effects)
    return {
        name: each[0],
        **{f"{name}[{i}]": one for i, one in enumerate(each)},
        "tau": moments_of_tau(priors["tau"], k, mu=effects),
        "theta_new": new,
        **{name: moments_of_prior(priors[name]) for name in ("df", "spread") if name in priors},
        **{f"theta[{i}]": new for i in np.flatnonzero(~vanishing(model.likelihood, data))},
    }


@_moments_about.register
def _(
    _: CorrelatedSpread, model: MultivariateNormal, data: MultivariateEffects
) -> Mapping[str, int]:
    """Each outcome's as if it were alone: far out in its tau, the others hold nothing back."""
    found: dict[str, int] = {}
    for i, outcome in enumerate(data.outcome):
        mu, tau, k = model.of("mu", outcome), model.of("tau", outcome), data.reported[:, i].sum()
        new = moments_of_tau(tau, k, mu=mu)
        found |= {f"tau[{i}]": new, f"theta_new[{i}]": new, f"mu[{i}]": moments_of_mu(mu, tau, k)}
        gaps = np.flatnonzero(~data.reported[:, i])
        found |= {f"theta[{row * data.p + i}]": new for row in gaps}
    return found


def _marginal(
    name: str,
    values: np.ndarray,
    axes: Mapping[str, tuple[str, ...]],
    moments: Mapping[str, int],
) -> Marginal | Marginals:
    low = 0.0 if name in POSITIVE else -np.inf
    if values.ndim == 2:
        return Draws(values, moments.get(name, 2), low=low)
    flat = _flat(values)
    each = (
        Draws(flat[..., i], moments.get(f"{name}[{i}]", 2), low=low) for i in range(flat.shape[2])
    )
    return Marginals(_labels(axes), tuple(each), " and ".join(axes))


def _subset(draws: Mapping[str, np.ndarray], n: int | None, seed: int) -> Mapping[str, np.ndarray]:
    if n is None:
        return draws
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in draws.items()}
    total = next(iter(flat.values())).shape[0]
    if n > total:
        raise ModelError(f"There are {total} draws; ask for no more, or fit with more draws.")
    chosen = np.random.default_rng(seed).choice(total, size=n, replace=False)
    return {name: values[chosen][None] for name, values in flat.items()}


def _keep_real(
    draws: Mapping[str, Array], axes: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> dict[str, np.ndarray]:
    """Drop padding studies and the sampler's own parameters; a part of a vector has brackets."""
    found = {}
    for name, values in draws.items():
        if name in INTERNAL or "[" in name:
            continue
        many = np.asarray(values)
        if many.ndim == 3:
            (names,) = axes[name].values()
            many = many[..., : len(names)]
        found[name] = many
    return found


@cache
def _program(shape: Shape) -> "Compiled":
    """Compile the chains of one shape, from the traced program in the user's cache if it is there.

    On a CPU the program is one chain, and chains run side by side in threads; on a GPU it is all
    chains in lockstep, where every chain pays for the longest tree of all, which a GPU hides.
    """
    inputs = example_inputs(shape)
    path = stored_program(repr(shape), jax.default_backend())
    with TRACING:
        traced = load_program(path) or store_program(path, export.export(trace(shape))(*inputs))
    return compiled(traced, inputs)


def trace(shape: Shape) -> Callable[..., Out]:
    """Build the PyMC model and return the jitted sampler on its density: seconds, so stored."""
    settle()
    from ..graph.build import build
    from ..graph.functions import density
    from ._chain import chain

    TRACES.append(shape)
    study = tuple(map(str, range(shape.k)))
    columns = example_columns(shape.model, shape.k, shape.support)
    made = density(build(shape.model, study, columns))
    run = partial(chain, made, shape.draws, shape.tune)
    if lockstep():
        run = jax.vmap(run, in_axes=(0, None, None, None, None))
    return jax.jit(run)


def _run_chains(program: "Compiled", keys: np.ndarray, inputs: Inputs) -> Out:
    """Run a compiled program for every chain; results have a leading chain axis."""
    inputs = jax.device_put(inputs)
    if lockstep():
        return jax.device_get(program(keys, *inputs))

    def one(key: np.ndarray) -> Out:
        with jax.enable_x64(True):  # the setting belongs to the thread
            return jax.device_get(program(key, *inputs))

    with Threads(min(len(keys), os.cpu_count() or 1)) as pool:
        chains = list(pool.map(one, keys))
    return jax.tree.map(lambda *parts: np.stack(parts), *chains)
