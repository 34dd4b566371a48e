"""Many regressions with normal effects at once: from columns to a compiled program and back."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from threading import Lock

import jax
import numpy as np
from numpy.typing import NDArray

from ...design import lines, names_of_lines
from ...model import Linear, RandomEffects
from ...priors import Normal, Prior
from ..compiled.priors import density
from ..compiled.stored import compiled_once
from ..padding import padded_k
from .normal import (
    STEPS,
    beyond,
    inputs_of,
    knows_spread,
    nodes_for,
    rows_at_once,
    settled,
)
from .normal_program import BLOCK, Inputs
from .regression_program import ENDS, OF_ALL, OF_EACH, Shape, blocks

type Values = NDArray[np.float64]

MOST = 6  # coefficients; the equations of more are too long a program
_COMPILING = Lock()


def serves(model: RandomEffects, location: Linear) -> bool:
    """Whether the program knows the priors, and the formula is one of numbers."""
    known = names_of_lines(location.formula)
    if known is None or not knows_spread(model):
        return False
    priors = location.priors.values()
    return len(known[0]) <= MOST and all(isinstance(one, Normal) for one in priors)


def fit_regressions(
    model: RandomEffects,
    location: Linear,
    columns: Mapping[str, Values],
    *,
    prob: float,
    quantiles: bool,
) -> Mapping[str, Values]:
    """Fit every row of `columns`, covariates among them; see ``batch.BatchFit``.

    The error is infinite where coefficients may not be told apart, or a covariate is words.
    """
    y, se = columns["y"], columns["se"]
    present = ~np.isnan(y)
    how = {"centre": location.centre, "scale": location.scale}
    made = lines(location.formula, columns, present, **how)
    if made is None:
        return {"error": np.full(len(y), np.inf)}
    priors = [location.prior_of(*one) for one in zip(made.names, made.kinds, strict=True)]
    numbers = _numbers(priors)
    tables = _filled(y, se, present, made.matrix, numbers)
    inputs = inputs_of(numbers, model.tau_prior, prob)
    shape = _shape(model, tables[0].shape[1], len(priors), quantiles=quantiles)

    def run(finer: int, rows: NDArray[np.bool_]) -> Values:
        own = shape._replace(nodes=finer * shape.nodes, steps=finer * shape.steps)
        return _run(own, [one[rows] for one in tables], inputs)

    out = settled(run, len(y), OF_ALL.index("error"))
    found = dict(zip(_names(made.names, quantiles=quantiles), out.T, strict=True))
    usable = made.clear & ~beyond(y, se) & (np.abs(made.matrix).max(axis=(1, 2)) < 1e12)
    centres = {f"{name}_centre": value for name, value in made.centres.items()}
    scales = {f"{name}_scale": value for name, value in made.scales.items()}
    found["error"] = np.where(usable, found["error"], np.inf)
    return {**found, **centres, **(scales if location.scale else {})}


def _names(coefficients: tuple[str, ...], *, quantiles: bool) -> list[str]:
    """Of the numbers in a row of the program's."""
    ends = ENDS if quantiles else ()
    each = [f"{name}_{what}" for name in coefficients for what in (*OF_EACH, *ends)]
    return [*OF_ALL, *(f"tau_{what}" for what in ends), *each]


def _numbers(priors: list[Prior]) -> dict[str, Values]:
    """Means and SDs of the coefficients' priors, (p,)."""
    return {what: np.array([one.numbers[what] for one in priors]) for what in ("mean", "sd")}


def _filled(
    y: Values, se: Values, present: NDArray[np.bool_], x: Values, priors: Mapping[str, Values]
) -> list[Values]:
    """Tables of padded size: y, se, the design, and coefficients to take off.

    These are the posterior means without spread: what is left, of estimates and priors alike, is
    no larger than their misfit, so that no digits are lost in its square.
    """
    n, k, p = x.shape
    size = padded_k(k)
    whole, errors, design = np.zeros((n, size)), np.full((n, size), np.inf), np.zeros((n, size, p))
    whole[:, :k], errors[:, :k] = np.where(present, y, 0.0), np.where(present, se, np.inf)
    design[:, :k] = x
    precision, weighted = priors["sd"] ** -2.0, design / errors[..., None] ** 2
    total = weighted.swapaxes(1, 2) @ design + np.diag(precision)
    right = (weighted * whole[..., None]).sum(axis=1) + precision * priors["mean"]
    length = np.sqrt(np.diagonal(total, axis1=1, axis2=2))
    unit = total / (length[:, :, None] * length[:, None, :]) + 1e-12 * np.eye(p)
    near = np.linalg.solve(unit, (right / length)[..., None])[..., 0] / length
    return [whole, errors, design, near]


def _run(shape: Shape, tables: list[Values], inputs: Inputs) -> Values:
    """Fit rows, so many at a time as the program takes."""
    program, size = _program(shape), rows_at_once(shape.k)
    out = np.empty((len(tables[0]), shape.width))
    for i in range(0, len(out), size):
        part = slice(i, min(i + size, len(out)))
        some = [_lengthened(one[part], size) for one in tables]
        count = np.int64(-(-(part.stop - i) // BLOCK))
        out[part] = np.asarray(program(*some, count, inputs))[: part.stop - i]
    return out


def _lengthened(rows: Values, size: int) -> Values:
    """As many rows as a program takes, the last of them again and again."""
    return np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), axis=0)])


def _shape(model: RandomEffects, k: int, p: int, *, quantiles: bool) -> Shape:
    known = density(model.tau_prior)
    assert known is not None
    numbers = tuple(model.tau_prior.numbers)
    return Shape(k, p, nodes_for(k), known, numbers, STEPS * quantiles)


def _program(shape: Shape) -> Callable[..., jax.Array]:
    with _COMPILING:  # or two threads would compile the same program
        return _compiled(shape, jax.default_backend())


@cache
def _compiled(shape: Shape, backend: str) -> Callable[..., jax.Array]:
    name = f"regression {shape._replace(tau=shape.tau.__name__)}"  # pyright: ignore[reportArgumentType]
    return compiled_once(name, partial(blocks, shape), example(shape))


def example(shape: Shape) -> tuple[Values, Values, Values, Values, np.int64, Inputs]:
    """Inputs of a program, of the right form."""
    n, one = rows_at_once(shape.k), np.float64(1.0)
    ones, near = np.ones((n, shape.k)), np.ones((n, shape.p))
    of_all = dict.fromkeys(("mean", "sd"), np.ones(shape.p))
    tau = dict.fromkeys(shape.numbers, one)
    inputs = Inputs(of_all, tau, one, one, one, np.ones(3))  # pyright: ignore[reportArgumentType]
    return ones, ones, np.ones((n, shape.k, shape.p)), near, np.int64(0), inputs
