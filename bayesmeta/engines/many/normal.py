"""Many normal-normal data sets at once: from columns to a compiled program and back."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from threading import Lock

import jax
import numpy as np
from numpy.typing import NDArray

from ...model import RandomEffects
from ...priors import Normal, Prior, StudentT, log_density
from ..compiled.precision import float64
from ..compiled.priors import density
from ..compiled.stored import compiled_once
from ..padding import filled, padded_k
from .normal_program import BLOCK, MOMENTS, Inputs, Shape, blocks

type Values = NDArray[np.float64]

NORMAL_TOLERANCE = 1e-7  # of the error, above which a data set is fitted by itself
AT_ONCE = 65536  # studies, padding included, in one call of a program
STEPS = 5  # enough for a mixture that is nearly normal
LARGEST = 1e12  # beyond it, or below its inverse, a product of variances has no room
_ERROR = MOMENTS.index("error")
_COMPILING = Lock()


def serves(model: RandomEffects) -> bool:
    """Whether the program knows the priors of a model."""
    mu = isinstance(model.overall, Normal) or (
        isinstance(model.overall, StudentT) and model.overall.df >= 1
    )
    return mu and knows_spread(model)


def knows_spread(model: RandomEffects) -> bool:
    """Whether effects are normal, with a prior of tau that programs know."""
    return (
        model.df is None
        and density(model.tau_prior) is not None
        and _median(model.tau_prior) < LARGEST
    )


def fit_normal(
    model: RandomEffects, columns: Mapping[str, Values], *, prob: float, quantiles: bool
) -> Mapping[str, Values]:
    """Fit every row of `columns`; see ``batch.BatchFit``."""
    y, se = columns["y"], columns["se"]
    shape = shape_of(model, y.shape[1], quantiles=quantiles)
    inputs = inputs_of(model.overall.numbers, model.tau_prior, prob)

    def run(finer: int, rows: NDArray[np.bool_]) -> Values:
        own = shape._replace(nodes=finer * shape.nodes, steps=finer * shape.steps)
        return _run(own, y[rows], se[rows], inputs)

    out = settled(run, len(y), _ERROR)
    usable = ~beyond(y, se)
    out[:, _ERROR] = np.where(usable, out[:, _ERROR], np.inf)
    return dict(zip(shape.columns, out.T, strict=True))


def settled(run: Callable[[int, NDArray[np.bool_]], Values], n: int, error: int) -> Values:
    """Run a program over n data sets, those that do not settle with three times the nodes.

    `run` takes how many times the nodes and which data sets, and gives a row of numbers for each;
    the number `error` of them is infinite in what is returned where a row is not to be used.
    """
    with float64():
        out = run(1, np.ones(n, dtype=bool))
        again = ~(out[:, error] <= NORMAL_TOLERANCE)
        if again.sum() > BLOCK:  # fewer are not worth a program: they are fitted by themselves
            out[again] = run(3, again)
    usable = np.isfinite(out).all(axis=1) & (out[:, error] <= NORMAL_TOLERANCE)
    out[:, error] = np.where(usable, out[:, error], np.inf)
    return out


def beyond(y: Values, se: Values) -> NDArray[np.bool_]:
    """Rows with numbers that leave no room for the products of variances."""
    largest = np.fmax(np.fmax.reduce(np.abs(y), axis=1), np.fmax.reduce(se, axis=1))
    return (largest > LARGEST) | (np.fmin.reduce(se, axis=1) < 1 / LARGEST)


def rows_at_once(k: int) -> int:
    """How many data sets one call of a program takes: half a megabyte of each input."""
    return BLOCK * max(1, AT_ONCE // (BLOCK * k))


def _run(shape: Shape, y: Values, se: Values, inputs: Inputs) -> Values:
    """Fit rows, so many at a time as the program takes; an absent study is NaN in both."""
    program, size = _program(shape), rows_at_once(shape.k)
    out = np.empty((len(y), len(shape.columns)))
    for i in range(0, len(y), size):
        part = slice(i, min(i + size, len(y)))
        count = np.int64(-(-(part.stop - i) // BLOCK))
        padded = _padded(y[part], se[part], size, shape.k)
        out[part] = np.asarray(program(*padded, count, inputs))[: part.stop - i]
    return out


def _padded(y: Values, se: Values, size: int, k: int) -> Values:
    """Fill up with rows of one study, and rows with studies of infinite `se`."""
    present = ~np.isnan(y)
    known = {"y": y, "se": se, "mask": present * 1.0}
    tables = filled(known, present, (size, k))
    tables["mask"][len(y) :, 0] = 1.0
    return np.stack([tables["y"], np.where(tables["mask"] > 0, tables["se"], np.inf)])


def shape_of(model: RandomEffects, k: int, *, quantiles: bool) -> Shape:
    """The program that serves a model and tables of k studies."""
    padded = padded_k(k)
    components = 1
    if isinstance(model.overall, StudentT):
        components = 64 if model.overall.df >= 3 else 128
    known = density(model.tau_prior)
    assert known is not None
    numbers = tuple(model.tau_prior.numbers)
    return Shape(padded, nodes_for(padded), components, known, numbers, STEPS * quantiles)


def nodes_for(k: int) -> int:
    """How many nodes of tau tables of k studies need."""
    return 64 if k <= 64 else 96


def inputs_of(mu: Mapping[str, float | Values], prior: Prior, prob: float) -> Inputs:
    """Numbers of the priors of an effect, or of coefficients (p,), and of tau; the levels."""
    of_mu, tau = (
        {name: np.asarray(value, np.float64) for name, value in numbers.items()}
        for numbers in (mu, prior.numbers)
    )
    low, high, median = map(np.float64, (*prior.support, _median(prior)))
    probs = np.array([(1 - prob) / 2, 0.5, (1 + prob) / 2])
    return Inputs(of_mu, tau, low, high, median, probs)  # pyright: ignore[reportArgumentType]


@lru_cache(maxsize=256)
def _median(prior: Prior) -> float:
    """Rough median of a prior of tau above its lower end."""
    low, high = prior.support
    step = (
        np.geomspace(1e-15, 1e15, 3001)
        if np.isinf(high)
        else np.geomspace(1e-9, 1, 901) * (high - low)
    )
    log_mass = log_density(prior, low + step) + np.log(step)
    mass = np.cumsum(np.exp(log_mass - log_mass.max()))
    return float(step[np.searchsorted(mass, 0.5 * mass[-1])])


def _program(shape: Shape) -> Callable[..., jax.Array]:
    with _COMPILING:  # or two threads would compile the same program
        return compiled(shape, jax.default_backend())


@cache
def compiled(shape: Shape, backend: str) -> Callable[..., jax.Array]:
    """Return the program of one shape; once per process."""
    name = f"normal {shape._replace(tau=shape.tau.__name__)}"  # pyright: ignore[reportArgumentType]
    return compiled_once(name, partial(blocks, shape), example(shape))


def example(shape: Shape) -> tuple[Values, Values, np.int64, Inputs]:
    """Inputs of a program, of the right form."""
    ones = np.ones((rows_at_once(shape.k), shape.k))
    one = np.float64(1.0)
    mu = ("mean", "sd") if shape.components == 1 else ("df", "mean", "scale")
    tau = dict.fromkeys(shape.numbers, one)
    inputs = Inputs(dict.fromkeys(mu, one), tau, one, one, one, np.ones(3))  # pyright: ignore[reportArgumentType]
    return ones, ones, np.int64(0), inputs
