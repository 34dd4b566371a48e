"""What each study says of its own effect: log likelihoods wherever they are asked for."""

from collections.abc import Callable
from functools import lru_cache, partial, singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, expit, log_ndtr, pdtr

from ...errors import ModelError
from ...model import (
    Arms,
    Binomial,
    Data,
    Estimates,
    Hypergeometric,
    Incidence,
    Likelihood,
    OfCounts,
    Poisson,
    Proportion,
)
from ...priors import LOG_2PI, log_density
from ...studies import ContinuousStudies, Studies, name_rows
from ...ways import way
from .counts import Found, Rule, study_function
from .laws import GIVEN_EFFECT, constants_of_each, fisher, log_sum, margins
from .of_arms.continuous import SPACING, log_above, log_densities, tables_of
from .points import Points, Row
from .tables import Part, log_likelihood

type Array = NDArray[np.float64]
LARGEST_SUPPORT = 4096  # counts that a table with fixed margins may hold
AT_ONCE = 2**20  # terms of a sum over counts
MOST_KEPT = 4096  # studies' likelihoods at nodes of their own
_KEPT: dict[tuple[object, ...], tuple[Array, Array]] = {}


@singledispatch
def log_likelihoods(of: Likelihood, data: Data, grid: Points, spacing: float) -> Array:
    """Log likelihood of every study on a grid of theta, baselines integrated out, (k, size).

    Parameters
    ----------
    of : Likelihood
    data : Data
        Of the kind that it takes.
    grid : Grid, Graded or Places
    spacing : float
        Step of the rule for the baseline, in its own unit.

    Raises
    ------
    ModelError
        If it is none of one effect per study.
    """
    raise ModelError(
        f"{type(of).__name__} says nothing of one study by itself; use NUTS(seed=...)."
    )


def knows(of: Likelihood) -> bool:
    """Whether a likelihood says something of one study by itself."""
    return log_likelihoods.dispatch(type(of)) is not log_likelihoods.dispatch(Likelihood)


@log_likelihoods.register
def _(_: Estimates, data: Data, grid: Points, spacing: float) -> Array:
    y, se = (data.numbers[name][:, None] for name in ("y", "se"))
    return -0.5 * ((y - grid.points) / se) ** 2 - np.log(se) - 0.5 * LOG_2PI


@log_likelihoods.register
def _(of: Arms, data: ContinuousStudies, grid: Points, spacing: float) -> Array:
    return log_densities(of, data, grid.points, spacing)


@log_likelihoods.register(Binomial | Poisson | Hypergeometric | Proportion | Incidence)
def _(of: OfCounts, data: Studies, grid: Points, spacing: float) -> Array:
    supported(of, data)
    return np.array([log_likelihood_of_row(of, row, grid, spacing) for row in rows(data)])


@singledispatch
def log_likelihood_of_row(of: Likelihood, row: Row, grid: Points, spacing: float) -> Array:
    """As ``log_likelihoods``, of one table of counts, (size,)."""
    raise ModelError(f"{type(of).__name__} says nothing of one table of counts.")


@log_likelihood_of_row.register
def _(of: Binomial | Poisson, row: Row, grid: Points, spacing: float) -> Array:
    assert of.paired is not None
    return log_likelihood(row, *of.paired, grid, spacing)


@log_likelihood_of_row.register
def _(_: Hypergeometric, row: Row, grid: Points, spacing: float) -> Array:
    return _fisher(row, grid)


@log_likelihood_of_row.register
def _(of: Proportion | Incidence, row: Row, grid: Points, spacing: float) -> Array:
    columns = tuple(np.array([one]) for one in row)
    own = constants_of_each(of.link, columns)
    return (GIVEN_EFFECT[of.link](np, columns, grid.points[None]) + own[:, None])[0]


def supported(of: OfCounts, data: Data) -> None:
    """Refuse tables that hold too many counts to sum over, where these are summed over."""
    if of.link == "hypergeometric":
        supports(data)


def rows(data: Data) -> list[Row]:
    """The studies one by one."""
    return [tuple(map(float, row)) for row in zip(*data.numbers.values(), strict=True)]


@lru_cache(maxsize=512)
def _fisher(row: Row, grid: Points) -> Array:
    """Log of Fisher's non-central hypergeometric probability of the treatment arm's events."""
    columns, support = _table_of(row)
    parts = np.array_split(grid.points, max(1, grid.size * support // AT_ONCE))
    each = [fisher(np, columns, part[None], support=support)[0] for part in parts]
    value = np.concatenate(each)
    value.setflags(write=False)
    return value


def _fisher_below(row: Row, grid: Points) -> Array:
    """Log probability of fewer events of the treatment arm, its margins given."""
    columns, support = _table_of(row)
    count, weight = margins(np, support, columns)
    fewer = np.where(count < row[0], weight, -np.inf)
    if np.isinf(fewer).all():
        return np.full(grid.size, -np.inf)
    parts = np.array_split(grid.points, max(1, grid.size * support // AT_ONCE))
    sums = (
        [np.add(*log_sum(np, count - row[0], one, part[None]))[0] for part in parts]
        for one in (fewer, weight)
    )
    some, every = map(np.concatenate, sums)
    return some - every


def _table_of(row: Row) -> tuple[tuple[Array, ...], int]:
    """One table as columns, and how many counts it may hold."""
    columns = tuple(np.array([one]) for one in row)
    return columns, int(support_of(columns)[0])


def support_of(row: "tuple[Array, ...]") -> Array:
    """How many counts tables may hold once their margins are fixed, in the shape of the columns."""
    a, n1, c, n0 = row
    return np.minimum(n1, a + c) - np.maximum(0.0, a + c - n0) + 1


def supports(data: Data) -> Array:
    """How many counts each table may hold once its margins are fixed, shape (k,).

    Raises
    ------
    ModelError
        If there are more than can be summed.
    """
    size = support_of(tuple(data.numbers.values()))
    if (size > LARGEST_SUPPORT).any():
        raise ModelError(
            f"HypergeometricNormal sums over every count a table may hold, {LARGEST_SUPPORT:,} at "
            f"most; {name_rows(data.study, size > LARGEST_SUPPORT)} has {size.max():,.0f}. Use "
            f"{way('binomial')}: with that many events the two hardly differ."
        )
    return size


@singledispatch
def log_parts(of: Likelihood, data: Data, grid: Points, spacing: float) -> tuple[Array, Array]:
    """What each study says of its effect before its result is known, and how low its result is.

    Parameters
    ----------
    of, data, grid, spacing
        As of ``log_likelihoods``.

    Returns
    -------
    tuple of ndarray, shape (k, size)
        Log likelihood of what the result is predicted from: of the control arm's counts, or zero
        where nothing of the study is taken as known. And the log of that times the probability of
        a lower result: fewer events of the treatment arm, or a smaller estimate.
    """
    raise ModelError(
        f"{type(of).__name__} says nothing of one study by itself; use NUTS(seed=...)."
    )


@log_parts.register(Binomial | Poisson)
def _(of: Binomial | Poisson, data: Studies, grid: Points, spacing: float) -> tuple[Array, Array]:
    assert of.paired is not None
    given = *of.paired, grid, spacing
    parts: tuple[Part, Part] = "control", "below"
    control, below = (
        np.array([log_likelihood(row, *given, part) for row in rows(data)]) for part in parts
    )
    return control, below


@log_parts.register
def _(_: Hypergeometric, data: Studies, grid: Points, spacing: float) -> tuple[Array, Array]:
    below = np.array([_fisher_below(row, grid) for row in rows(data)])
    return np.zeros_like(below), below


@log_parts.register
def _(_: Proportion, data: Studies, grid: Points, spacing: float) -> tuple[Array, Array]:
    events, n = (data.numbers[name][:, None] for name in ("events", "n"))
    fewer = betainc(n - events + 1, np.maximum(events, 1), expit(-grid.points))
    return _alone(np.where(events > 0, fewer, 0.0))  # a tail without steps, for splines of its log


@log_parts.register
def _(_: Incidence, data: Studies, grid: Points, spacing: float) -> tuple[Array, Array]:
    events, time = (data.numbers[name][:, None] for name in ("events", "time"))
    return _alone(pdtr(events - 1, time * np.exp(np.minimum(grid.points, 500.0))))


@log_parts.register
def _(_: Estimates, data: Data, grid: Points, spacing: float) -> tuple[Array, Array]:
    y, se = (data.numbers[name][:, None] for name in ("y", "se"))
    below = log_ndtr((y - grid.points) / se)
    return np.zeros_like(below), below


@log_parts.register
def _(of: Arms, data: ContinuousStudies, grid: Points, spacing: float) -> tuple[Array, Array]:
    above = log_above(of, data, grid.points, spacing)
    return np.zeros_like(above), above


def _alone(probability: Array) -> tuple[Array, Array]:
    with np.errstate(divide="ignore"):
        return np.zeros_like(probability), np.log(np.nan_to_num(probability))


@singledispatch
def at_own_nodes(of: Likelihood, data: Data, rule: Rule, unit: float) -> Callable[[Array], Found]:
    """What every study says of its effect at nodes of its own, by a rule of fixed size.

    Parameters
    ----------
    of : Likelihood
    data : Data
    rule : Rule
    unit : float
        Of theta.

    Returns
    -------
    callable
        theta (k, n) to log likelihoods (k, n) without ``left_out``, and errors (k,).
    """
    raise ModelError(f"{type(of).__name__} has no rule of fixed size.")


@at_own_nodes.register
def _(of: OfCounts, data: Studies, rule: Rule, unit: float) -> Callable[[Array], Found]:
    if of.link == "hypergeometric":
        rule = rule._replace(support=int(supports(data).max()))
    log_beta = None if of.paired is None else partial(log_density, of.paired.prior)
    same = (of.link, rule, None if of.paired is None else of.paired.prior)
    every = rows(data)

    def tabulated(theta: Array) -> Found:
        """Only what was not asked for before: refits share most of their studies."""
        place = theta.shape[1], rule.nodes
        keys: list[tuple[object, ...]] = [
            (*same, *place, row, *ends)
            for row, ends in zip(every, theta[:, [0, -1]].tolist(), strict=True)
        ]
        held = {key: known for key in keys if (known := _KEPT.get(key)) is not None}
        new = [i for i, key in enumerate(keys) if key not in held]
        if new:
            columns = {name: values[new] for name, values in data.numbers.items()}
            found = study_function(np, of.link, columns, rule, log_beta)(theta[new])
            made = dict(zip((keys[i] for i in new), zip(*found, strict=True), strict=True))
            held |= made
            if len(_KEPT) + len(made) > MOST_KEPT:
                _KEPT.clear()  # other threads hold what they have read of it
            _KEPT.update(made)
        values, errors = zip(*(held[key] for key in keys), strict=True)
        return np.array(values), np.array(errors)

    return tabulated


@at_own_nodes.register
def _(of: Arms, data: ContinuousStudies, rule: Rule, unit: float) -> Callable[[Array], Found]:
    def tabulated(theta: Array) -> Found:
        theta = unit * theta
        tables = tables_of(of, data, float(np.abs(theta).max()), SPACING)
        logs = [one.log_density(one.v(at)) for one, at in zip(tables, theta, strict=True)]
        return np.array(logs), np.zeros(data.k)

    return tabulated


@singledispatch
def left_out(of: Likelihood, data: Data) -> Array:
    """Log of the factors of each study's likelihood that `at_own_nodes` leaves out, (k,)."""
    raise ModelError(f"{type(of).__name__} has no rule of fixed size.")


@left_out.register
def _(of: Arms, data: ContinuousStudies) -> Array:
    return np.zeros(data.k)


@left_out.register
def _(of: OfCounts, data: Studies) -> Array:
    return constants_of_each(of.link, tuple(data.numbers.values()))
