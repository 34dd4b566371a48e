"""Many tables of counts at once: the program of fixed sizes, compiled for blocks of tables."""

# NumPy's and JAX's arrays stand for each other:
# pyright: reportArgumentType=false

from collections.abc import Callable, Mapping
from functools import cache, partial
from threading import Lock
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.special import ndtri
from numpy.typing import NDArray

from ...model import OfCounts, RandomEffects
from ...priors import Prior
from ..compiled.precision import float64
from ..compiled.priors import Density, density
from ..compiled.quantiles import mixture_quantiles, series_quantiles
from ..compiled.stored import compiled_once
from ..exact.fixed import TOLERANCE, serves, zeros
from ..exact.program import DENSE, SPARSE, WIDE, Size, Table, posterior
from ..exact.tau_nodes import support_of_tau
from ..likelihood.counts import Rule, study_function
from ..likelihood.laws import constants
from ..likelihood.rough import CORNERED, corner, rough_counts
from ..likelihood.study import LARGEST_SUPPORT, support_of
from ..padding import filled, padded_k
from .few import fit_few
from .normal_program import rule

type Values = NDArray[np.float64]
type Numbers = Mapping[str, np.float64]

BLOCK = 8  # tables side by side
ROWS = 512  # tables that one call of a program takes
FEW = 16  # tables that are not worth a program: compiling takes longer than fitting them
STEPS = 20  # of a bracketed Newton iteration
_COMPILING = Lock()

MOMENTS = ("log_marginal_likelihood", "mu_mean", "mu_sd", "prob_below_null", "tau_mean", "error")
QUANTILES = (
    *("mu_lower", "mu_median", "mu_upper"),
    *("new_lower", "new_upper"),
    *("tau_lower", "tau_median", "tau_upper"),
)


class Family(NamedTuple):
    """The form of a prior: its log density, and the names of its numbers."""

    density: Density
    numbers: tuple[str, ...]


class Shape(NamedTuple):
    """What decides a compiled program: everything else is an input."""

    size: Size
    link: str
    columns: tuple[str, ...]
    k: int
    support: int
    mu: Family
    tau: Family
    baseline: Family | None
    quantiles: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numbers that each table gives."""
        return MOMENTS + (QUANTILES if self.quantiles else ())


class Inputs(NamedTuple):
    """Numbers of the priors and the probabilities of the quantiles."""

    mu: Numbers
    tau: Numbers
    baseline: Numbers
    low: np.float64
    high: np.float64
    probs: Values


def serves_many(model: RandomEffects) -> bool:
    """Whether the program knows a model and its priors."""
    if not serves(model):
        return False
    paired = model.likelihood.paired
    if paired is not None and np.isfinite(paired.prior.support).any():
        return False
    return all(density(one) is not None for one in model.priors.values())


def fit_counts(
    model: RandomEffects,
    of: OfCounts,
    columns: Mapping[str, Values],
    *,
    prob: float,
    quantiles: bool,
) -> Mapping[str, Values]:
    """Fit every row of `columns`; see ``batch.BatchFit``."""
    n, k = next(iter(columns.values())).shape
    names = MOMENTS + (QUANTILES if quantiles else ())
    if n <= FEW:
        found = dict(fit_few(model, columns, names, prob))
        rest = constants(of.link, tuple(columns.values()))
        found["log_marginal_likelihood"] = found["log_marginal_likelihood"] + rest
        return found
    out = np.full((n, len(names)), np.nan)
    out[:, names.index("error")] = np.inf
    y, se = rough_counts(of.link, columns)
    inputs = _inputs(model, prob)
    few = zeros(columns).any(axis=1)
    possible = ~_corners(of, columns) & _summable(of, columns)
    with float64():
        for size, where in ((DENSE, ~few), (WIDE, ~few), (SPARSE, few | ~few)):
            failed = ~(out[:, names.index("error")] <= TOLERANCE)
            rows = np.flatnonzero(where & failed & possible)
            shape = _shape(model, of, columns, size, k, quantiles=quantiles)
            for part in np.split(rows, range(ROWS, rows.size, ROWS)):
                if part.size:
                    taken = {name: values[part] for name, values in columns.items()}
                    out[part] = _run(shape, taken, y[part], se[part], inputs)[: part.size]
    found = dict(zip(names, out.T, strict=True))
    rest = constants(of.link, tuple(columns.values()))
    found["log_marginal_likelihood"] = found["log_marginal_likelihood"] + rest
    bad = ~np.isfinite(out).all(axis=1)
    found["error"] = np.where(bad, np.inf, found["error"])
    return found


def _corners(of: OfCounts, columns: Mapping[str, Values]) -> NDArray[np.bool_]:
    if of.measure not in CORNERED:
        return np.zeros(len(next(iter(columns.values()))), dtype=bool)
    return corner(of.measure, columns).any(axis=1)


def _summable(of: OfCounts, columns: Mapping[str, Values]) -> NDArray[np.bool_]:
    """Tables whose hypergeometric likelihood can be summed; the others are refused one by one."""
    if of.link != "hypergeometric":
        return np.ones(len(next(iter(columns.values()))), dtype=bool)
    return np.nan_to_num(support_of(tuple(columns.values()))).max(axis=1) <= LARGEST_SUPPORT


def _family(prior: Prior) -> Family:
    known = density(prior)
    assert known is not None
    return Family(known, tuple(prior.numbers))


def _shape(
    model: RandomEffects,
    of: OfCounts,
    columns: Mapping[str, Values],
    size: Size,
    k: int,
    *,
    quantiles: bool,
) -> Shape:
    support = 0
    if of.link == "hypergeometric":
        most = np.nan_to_num(support_of(tuple(columns.values()))).max()
        largest = int(min(most, LARGEST_SUPPORT))
        support = 1 << (largest - 1).bit_length()
    return Shape(
        size=size,
        link=of.link,
        columns=tuple(columns),
        k=padded_k(k),
        support=support,
        mu=_family(model.overall),
        tau=_family(model.tau),
        baseline=None if of.paired is None else _family(of.paired.prior),
        quantiles=quantiles,
    )


def _inputs(model: RandomEffects, prob: float) -> Inputs:
    def numbers(prior: Prior) -> Numbers:
        return {name: np.float64(value) for name, value in prior.numbers.items()}

    low, high = map(np.float64, support_of_tau(model.tau))
    probs = np.array([(1 - prob) / 2, 0.5, (1 + prob) / 2])
    paired = model.likelihood.paired
    baseline = {} if paired is None else numbers(paired.prior)
    return Inputs(numbers(model.overall), numbers(model.tau), baseline, low, high, probs)


def _run(
    shape: Shape, columns: Mapping[str, Values], y: Values, se: Values, inputs: Inputs
) -> Values:
    """Fit rows, filled up with tables of one study that says little and studies that are absent."""
    present = ~np.isnan(y)
    known = {"y": y, "se": se, "mask": present * 1.0, **columns}
    tables = filled(known, present, (ROWS, shape.k))
    tables["mask"][len(y) :, 0] = 1.0
    count = np.int64(-(-len(y) // BLOCK))
    return np.asarray(_program(shape)(tables, count, inputs))


def _program(shape: Shape) -> Callable[..., Array]:
    with _COMPILING:  # or two threads would compile the same program
        return compiled(shape, jax.default_backend())


@cache
def compiled(shape: Shape, backend: str) -> Callable[..., Array]:
    """Return the program of one shape; once per process."""
    families = [one and one.density.__name__ for one in (shape.mu, shape.tau, shape.baseline)]
    rest = shape._replace(mu=None, tau=None, baseline=None)  # pyright: ignore[reportArgumentType]
    return compiled_once(f"counts {rest} {families}", partial(blocks, shape), example(shape))


def example(shape: Shape) -> tuple[Mapping[str, Values], np.int64, Inputs]:
    """Inputs of a program, of the right form."""
    ones = np.ones((ROWS, shape.k))
    tables = dict.fromkeys(("y", "se", "mask", *shape.columns), ones)
    mu, tau = (dict.fromkeys(one.numbers, np.float64(1)) for one in (shape.mu, shape.tau))
    baseline = shape.baseline.numbers if shape.baseline is not None else ()
    one = np.float64(1.0)
    return tables, np.int64(0), Inputs(mu, tau, dict.fromkeys(baseline, one), one, one, np.ones(3))


def blocks(shape: Shape, tables: Mapping[str, Array], count: Array, inputs: Inputs) -> Array:
    """Fit the first `count` blocks of tables; the others' rows stay as they are, NaN."""
    side_by_side = jax.vmap(lambda one: _fit(shape, one, inputs))

    def one_block(i: Array, out: Array) -> Array:
        part = {name: lax.dynamic_slice_in_dim(v, i * BLOCK, BLOCK) for name, v in tables.items()}
        return lax.dynamic_update_slice_in_dim(out, side_by_side(part), i * BLOCK, axis=0)

    return lax.fori_loop(0, count, one_block, jnp.full((ROWS, len(shape.names)), jnp.nan))


def _fit(shape: Shape, table: Mapping[str, Array], inputs: Inputs) -> Array:
    counts = {name: table[name] for name in shape.columns}
    spread = inputs.mu.get("sd", inputs.mu.get("scale"))
    found = posterior(
        jnp,
        shape.size,
        table["y"],
        table["se"],
        table["mask"],
        _likelihood(shape, counts, inputs),
        lambda x: shape.mu.density(x, inputs.mu),
        lambda x: shape.tau.density(x, inputs.tau),
        spread,
        inputs.low,
        inputs.high,
    )
    mass = found.mass.sum(axis=0)
    mean = mass @ found.mu
    sd = jnp.sqrt(mass @ (found.mu - mean) ** 2)
    series = _periodic(found.v, mass)
    below = _distribution(series, jnp.arcsinh(-found.centre / found.sd), found.v)[0]
    tau_mean = found.mass.sum(axis=1) @ found.tau
    moments = [found.log_z, mean, sd, jnp.clip(below, 0.0, 1.0), tau_mean, found.error]
    if not shape.quantiles:
        return jnp.stack(moments)
    return jnp.concatenate([jnp.stack(moments), *_quantiles(shape, found, series, inputs.probs)])


def _likelihood(
    shape: Shape, counts: Mapping[str, Array], inputs: Inputs
) -> Callable[[Array], tuple[Array, Array]]:
    rule = Rule(shape.size.beta, shape.size.tails, shape.support)
    log_beta = None
    if shape.baseline is not None:
        log_beta = partial(shape.baseline.density, numbers=inputs.baseline)  # pyright: ignore[reportCallIssue]
    return study_function(jnp, shape.link, counts, rule, log_beta)


class Series(NamedTuple):
    """A density on a period as a Fourier series about its first point."""

    terms: Array
    omega: Array
    start: Array
    period: Array


def _periodic(x: Array, mass: Array) -> Series:
    step = x[1] - x[0]
    period = x.size * step
    omega = 2 * np.pi * np.arange(x.size // 2 + 1) / period
    share = np.where(np.arange(x.size // 2 + 1) * 2 == x.size, 1.0, 2.0)
    return Series(jnp.fft.rfft(mass) * share, omega, x[0], period)


def _distribution(series: Series, at: Array, x: Array) -> tuple[Array, Array]:
    """Distribution function and density of a series at points of any shape."""
    start = x[0] - 0.5 * (x[1] - x[0])

    def integral(t: Array) -> Array:
        turn = jnp.exp(1j * series.omega[1:] * (t[..., None] - series.start))
        wave = jnp.real(series.terms[1:] * turn / (1j * series.omega[1:])).sum(axis=-1)
        return (t - start + wave) / series.period

    turn = jnp.exp(1j * series.omega[1:] * (at[..., None] - series.start))
    height = (1 + jnp.real(series.terms[1:] * turn).sum(axis=-1)) / series.period
    return integral(at) - integral(jnp.asarray(start)), height


def _quantiles(shape: Shape, found: Table, series: Series, probs: Array) -> list[Array]:
    """Quantiles of mu, of the effect in a new study and of tau."""
    z = ndtri(probs)
    mass = found.mass.sum(axis=0)
    mean_v = mass @ found.v
    sd_v = jnp.sqrt(mass @ (found.v - mean_v) ** 2)
    v = _roots(series, found.v, probs, mean_v + sd_v * z)
    mu = found.centre + found.sd * jnp.sinh(v)
    new = _new_study(found, probs[jnp.array([0, 2])])
    fejer = rule(shape.size.tau)
    total = fejer.weight @ found.density
    cdf = fejer.cumulative @ found.density / total
    nodes, weights = jnp.asarray(fejer.x), jnp.asarray(fejer.barycentric)
    x, _ = series_quantiles(nodes, weights, cdf, found.density / total, probs, steps=6)
    u = -1 + (found.end + 1) * (x + 1) / 2
    return [mu, new, found.low + found.scale * (1 + u) / (1 - u)]


def _roots(series: Series, x: Array, q: Array, first: Array) -> Array:
    """Solve for quantiles by Newton steps inside a shrinking bracket."""

    def step(_: int, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        at, low, high = state
        below, height = _distribution(series, at, x)
        low, high = jnp.where(below < q, at, low), jnp.where(below < q, high, at)
        newton = at - (below - q) / jnp.maximum(height, 1e-300)
        inside = (newton >= low) & (newton <= high)
        return jnp.where(inside, newton, 0.5 * (low + high)), low, high

    low, high = jnp.full_like(q, x[0]), jnp.full_like(q, x[-1])
    start = jnp.clip(first, low, high)
    return lax.fori_loop(0, STEPS, step, (start, low, high))[0]


def _new_study(found: Table, probs: Array) -> Array:
    """Quantiles of mu + tau z: a mixture of normals over the nodes."""
    mean = found.mass.sum(axis=0) @ found.mu
    tau2 = found.mass.sum(axis=1) @ found.tau**2
    sd = jnp.sqrt(found.mass.sum(axis=0) @ (found.mu - mean) ** 2 + tau2)
    means = jnp.broadcast_to(found.mu, found.mass.shape).ravel()
    sds = jnp.broadcast_to(found.tau[:, None], found.mass.shape).ravel()
    return mixture_quantiles(found.mass.ravel(), means, sds, probs, mean, sd, steps=8)[0]
