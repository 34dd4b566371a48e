"""One pass of integration over coefficients, on a lattice at each node of tau."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ...model import Model, Scatter
from ...posterior import TauDensity
from ...priors import Prior, log_density, log_density_of_tau
from ..exact.grid_size import Resolution, grid_for
from ..exact.normal import typical_tau
from ..exact.propriety import moments_of_tau
from ..exact.reach import Reach
from ..exact.tau_nodes import (
    TauMap,
    TauNodes,
    density_of_tau,
    finite_evidence,
    support_of_tau,
    tau_nodes,
)
from ..likelihood.points import Grid
from ..likelihood.rough import telling
from .lattice import Placed, place
from .linear import Problem
from .rows import likelihoods
from .tables import Smearing, Tables

type Array = NDArray[np.float64]
TOLERANCE = 1e-6  # shares of a posterior SD, and log evidence
PASSES = (
    Resolution(40, 0.40, 0.13, 3e-7),
    Resolution(64, 0.32, 0.11, 3e-7),
    Resolution(104, 0.24, 0.09, 1e-7),
    Resolution(180, 0.17, 0.06, 3e-8),
)
STEPS = (1.0, 0.85, 0.7, 0.55)  # of their lattices, in standard deviations
SEEN = 1e-8  # share of a node of tau, whose coefficients the grid must hold
NOTHING, HARDLY = 28.0, 80.0  # log shares of nodes below the best, passed over: known, and roughly
MOST_KEPT, ORDERS = 2**24, 6  # numbers of tables that are kept; of a cell
ROOM = 10.0  # standard deviations of where effects are expected, that tables hold


class Expected(NamedTuple):
    """Where coefficients are expected at some tau: (t, p), (t, p, p); log posterior of tau (t,)."""

    mean: Array
    covariance: Array
    log_p: Array


def rough(problem: Problem, tau: Array) -> Expected:
    """Of rough normal estimates."""
    given = problem.given(tau)
    best, every = given.log_weight.argmax(axis=1), np.arange(tau.size)
    log_p = logsumexp(given.log_weight, axis=1)
    if problem.spread:
        log_p = log_p + log_density_of_tau(problem.tau, tau, problem.se)
    return Expected(given.mean[every, best], given.covariance[every, best], log_p)


class Level(NamedTuple):
    """Nodes of tau whose tables are alike: which, and between what places effects are expected."""

    number: int
    nodes: NDArray[np.intp]
    low: float
    high: float


class Joined(NamedTuple):
    """Rows of a design that differ, (r, p), and which studies have each, (r, k)."""

    rows: Array
    which: Array

    @classmethod
    def of(cls, design: Array) -> "Joined":
        """Find them."""
        rows, which = np.unique(design, axis=0, return_inverse=True)
        return cls(rows, np.equal.outer(np.arange(len(rows)), which.ravel()).astype(np.float64))


@final
@dataclass(frozen=True)
class Pass:
    """Everything at one resolution; `tau` is None, and one node 0, where there is no spread."""

    number: int
    problem: Problem
    reach: Reach
    joined: Joined
    smearing: Smearing
    levels: tuple[Level, ...]
    tau_at: Array  # nodes where there is mass
    placed: Placed
    log_p: Array  # of tau, given the data, up to a constant
    mass: Array  # of tau, sums to 1
    log_z: float
    tau: TauDensity | None
    low: float  # how far the effects that are seen are expected
    high: float
    held: bool  # whether nearly all of that lies within the tables

    @classmethod
    def at(
        cls, number: int, problem: Problem, reach: Reach, expected: Callable[[Array], Expected]
    ) -> "Pass":
        """Integrate once, beginning where coefficients are expected."""
        model, data, resolution = problem.model, problem.data, PASSES[number]
        grid = _grid(resolution, problem, reach)
        each, top = likelihoods(model.likelihood, problem, grid, resolution)
        smearing = Smearing(each, grid, df_of(model), resolution)
        nodes, at = _nodes(resolution, problem, reach) if problem.spread else (None, None)
        every = np.zeros(1) if nodes is None else nodes.tau
        log_weight = np.zeros(1) if nodes is None else nodes.log_weight
        begin = expected(every)
        share = begin.log_p + log_weight
        alive = np.flatnonzero(share > share.max() - (NOTHING if number else HARDLY))
        tau_at, begin = every[alive], Expected(*(one[alive] for one in begin))
        joined = Joined.of(problem.design)
        levels = _levels(smearing, tau_at, joined.rows, begin, reach)
        found = Placed.empty(*begin.mean.shape)
        ends = np.empty((2, tau_at.size))
        for level in levels:
            on = level.nodes
            tables = smearing.tables(level.number, tau_at[on], level.low, level.high, joined.which)
            log_post = partial(log_posterior, problem, joined.rows, tables)
            placed = place(log_post, begin.mean[on], begin.covariance[on], STEPS[number])
            for mine, its in zip(found, placed, strict=True):
                mine[on] = its
            ends[:, on] = np.array(tables.ends)[:, None]
        log_p = found.log_total + top.sum()
        if nodes is None or at is None:
            log_z = finite_evidence(float(log_p[0]), model)
            mass, density = np.ones(1), None
        else:
            log_p = log_p + log_density_of_tau(problem.tau, tau_at, problem.se)
            log_z = finite_evidence(float(logsumexp(log_p + log_weight[alive])), model)
            mass = np.exp(log_p + log_weight[alive] - log_z)
            moments = moments_of_tau(
                problem.tau, telling(model.likelihood, data), mu=problem.priors
            )
            at_nodes = np.full(every.size, -np.inf)
            at_nodes[alive] = log_p - log_z
            density = density_of_tau(nodes, at_nodes, at, moments)
        where, sd = _places(joined.rows, found.first, found.second)
        seen, clear = mass > SEEN, mass > 10 * SEEN
        return cls(
            number=number,
            problem=problem,
            reach=reach,
            joined=joined,
            smearing=smearing,
            levels=levels,
            tau_at=tau_at,
            placed=found,
            log_p=log_p,
            mass=mass,
            log_z=log_z,
            tau=density,
            low=float((where - 6 * sd)[seen].min()),
            high=float((where + 6 * sd)[seen].max()),
            held=bool(
                ((where - 5 * sd).min(axis=1) >= ends[0])[clear].all()
                and ((where + 5 * sd).max(axis=1) <= ends[1])[clear].all()
            ),
        )

    def expected(self, tau: Array) -> Expected:
        """Where this pass has found coefficients, at other tau."""
        order = np.argsort(self.tau_at)
        place = np.interp(tau, self.tau_at[order], np.arange(order.size))
        cell = place.astype(np.intp)
        below, above = order[cell], order[np.minimum(cell + 1, order.size - 1)]
        each = self.placed.first, self.placed.second, self.log_p

        def between(values: Array) -> Array:
            share = (place - cell).reshape(-1, *[1] * (values.ndim - 1))
            return (1 - share) * values[below] + share * values[above]

        return Expected(*map(between, each))

    def wider(self) -> Reach:
        """A reach that holds what this pass found; the same where this one does."""
        low, high, far = self.reach
        if self.tau is not None:
            end = support_of_tau(self.problem.tau)[1]
            last = float(self.tau_at.max())
            if far < 0.99 * end and self.tau.pdf(last) * last > TOLERANCE / 10:
                far = min(2 * far, end)
        room = 0.15 * (self.high - self.low)  # so that the next pass finds enough
        return Reach(
            low if low <= self.low else self.low - room,
            high if high >= self.high else self.high + room,
            far,
        )

    def distance(self, other: "Pass") -> float:
        """Largest disagreement of two passes, with what lies beyond the lattice or the tables."""
        gaps = [self.log_z - other.log_z, self.mass @ self.placed.left_out]
        gaps.append(float(not self.held))
        (first, cov), (its_first, its_cov) = self.moments, other.moments
        sd = np.sqrt(np.diagonal(cov))
        gaps += [*((first - its_first) / sd), *(sd / np.sqrt(np.diagonal(its_cov)) - 1)]
        if self.tau is not None and other.tau is not None:
            at = self.tau.quantile([0.025, 0.5, 0.975])
            gaps += [*(self.tau.cdf(at) - other.tau.cdf(at))]
        return float(np.abs(gaps).max())

    @cached_property
    def moments(self) -> tuple[Array, Array]:
        """Mean (p,) and covariance (p, p) of the coefficients."""
        each = self.placed.first
        first = self.mass @ each
        off = each - first
        second = np.tensordot(self.mass, self.placed.second, 1) + (off.T * self.mass) @ off
        return first, second

    def log_posteriors(self) -> "Callable[[int], Callable[[Array], Array]]":
        """Node by node the log density of coefficients (n, p), up to a constant, (n,)."""
        rows, which = self.joined
        size = (
            sum(one.nodes.size * (one.high - one.low) / 2**one.number for one in self.levels)
            / self.smearing.grid.step
        )
        keep = len(self.levels) if ORDERS * size * len(rows) <= MOST_KEPT else 1
        tables = lru_cache(keep)(partial(self._tables, self.smearing, which))

        def of_node(j: int) -> Callable[[Array], Array]:
            level, i = self._find(j)
            mine, first = tables(level).node(i), np.zeros(1, dtype=np.intp)
            return lambda points: log_posterior(self.problem, rows, mine, points[None], first)[0]

        return of_node

    def said(self, i: int) -> "Callable[[int, Array], Array]":
        """Say node by node what study `i` says of where its effect is expected, (n,)."""
        tables = lru_cache(partial(self._tables, self.smearing.only(i), None))

        def at(j: int, places: Array) -> Array:
            level, number = self._find(j)
            return _along(tables(level), places, number)

        return at

    def own(self, i: int) -> "Callable[[Array], Array]":
        """Say what study `i` says of its effect itself, (n,)."""
        x = self.smearing.grid.points
        tables = self.smearing.only(i).tables(0, np.zeros(1), float(x[0]), float(x[-1]))
        return lambda places: _along(tables, places, 0)

    def _tables(self, smearing: Smearing, join: Array | None, level: int) -> Tables:
        one = self.levels[level]
        return smearing.tables(one.number, self.tau_at[one.nodes], one.low, one.high, join)

    def _find(self, j: int) -> tuple[int, int]:
        """Level of a node, and its place there."""
        for level, one in enumerate(self.levels):
            if (at := np.flatnonzero(one.nodes == j)).size:
                return level, int(at[0])
        raise IndexError(j)


def _along(tables: Tables, places: Array, node: int) -> Array:
    return tables.at(np.ones((1, 1)), places[None, :, None], np.array([node]))[0]


def df_of(model: Model) -> float | None:
    """Degrees of freedom of the study effects; None where they are normal."""
    df = model.between.df if isinstance(model.between, Scatter) else None
    assert not isinstance(df, Prior)
    return df


def _grid(resolution: Resolution, problem: Problem, reach: Reach) -> Grid:
    """A grid for the studies, wide enough for what each is expected at."""
    room = 12 * resolution.step * float(problem.se.min())
    wide = Reach(reach.low - room, reach.high + room, reach.tau)
    return grid_for(resolution, problem.model, problem.data, wide, np.inf)


def _nodes(resolution: Resolution, problem: Problem, reach: Reach) -> tuple[TauNodes, TauMap]:
    low, _ = support_of_tau(problem.tau)
    scale = typical_tau(problem.tau, problem.se, lambda tau: problem.given(tau).log_weight)
    scale = float(np.clip(scale, 1e-3 * (reach.tau - low), 0.45 * (reach.tau - low)))
    at = TauMap.of(problem.tau, low, reach.tau, scale)
    return tau_nodes(resolution.nodes, at), at


def _places(rows: Array, mean: Array, covariance: Array) -> tuple[Array, Array]:
    """Where effects are expected, and the standard deviations of that, (t, r)."""
    return mean @ rows.T, np.sqrt(np.einsum("tab,ra,rb->tr", covariance, rows, rows))


def _levels(
    smearing: Smearing, tau: Array, rows: Array, begin: Expected, reach: Reach
) -> tuple[Level, ...]:
    """Group nodes of tau by how fine their tables need be."""
    where, sd = _places(rows, begin.mean, begin.covariance)
    low, high = (where - ROOM * sd).min(axis=1), (where + ROOM * sd).max(axis=1)
    levels = smearing.level(tau)
    found: list[Level] = []
    for number in np.unique(levels):
        on = np.flatnonzero(levels == number)
        ends = np.clip([low[on].min(), high[on].max()], reach.low, reach.high)
        found.append(Level(int(number), on, *map(float, ends)))
    return tuple(found)


def log_posterior(
    problem: Problem, rows: Array, tables: Tables, points: Array, nodes: NDArray[np.intp]
) -> Array:
    """Log of prior times likelihood at coefficients (s, n, p), given some nodes of tau (s,)."""
    found = tables.at(rows, points, nodes)
    for i, prior in enumerate(problem.priors):
        found += log_density(prior, points[..., i])
    return found
