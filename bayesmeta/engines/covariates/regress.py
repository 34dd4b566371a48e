"""Exact posteriors of coefficients on counts, on arms, and with Student-t effects.

Given tau and where its effect is expected, a study's likelihood is a smooth function of one number,
``x @ coefficients``, which is tabulated on a uniform grid as without covariates. The integral over
the coefficients is then one over few dimensions, whatever the number of studies: a lattice at each
tau that places itself where the posterior is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr

from ...errors import ModelError
from ...model import Data, Model, NoSpread, Scatter
from ...posterior import Check, Deferred, Diagnostics, Marginals, Nodes, Posterior, TauDensity
from ...priors import Prior, log_density, log_density_of_tau
from ...studies import name_rows
from ...ways import way
from .._cautions import cautions
from ..exact.grid_size import PASSES, TAPER, Resolution, grid_for
from ..exact.normal import typical_tau
from ..exact.propriety import moments_of_coefficients, moments_of_tau
from ..exact.reach import FARTHEST_TAU, Reach
from ..exact.tau_nodes import (
    TauMap,
    TauNodes,
    density_of_tau,
    evidence,
    finite_evidence,
    support_of_tau,
    tau_nodes,
)
from ..likelihood.points import Grid
from ..likelihood.rough import kinked, telling
from ..likelihood.study import log_likelihoods
from ..nodes.combinations import Combinations, Rule
from ..nodes.even import even
from .lattice import Placed, ball, place, shell
from .linear import Problem
from .tables import Tables, tabulate

if TYPE_CHECKING:
    from ..nodes.draws import Ground

type Array = NDArray[np.float64]
TOLERANCE = 1e-6  # shares of a posterior SD, and log evidence
STEPS = (1.0, 0.8, 0.65, 0.5)  # of the lattice, in standard deviations, pass by pass
MOST_COEFFICIENTS = 4  # a lattice of more has a million points
FAINT = 28.0  # log density below the highest, beyond which nothing is expected
SEEN = 1e-8  # share of a node of tau, whose coefficients the grid must hold
MOST_NODES = 500  # of coefficients at one tau, that are handed out
MOST_KEPT = 2**24  # numbers of the tables of all nodes that are kept
WIDENINGS = 12  # of grid and tau, at most


class NotReachedError(ModelError):
    """Integration would not be as good as it says; draws are.

    Attributes
    ----------
    why : str
        What stands in its way.
    """

    def __init__(self, why: str, instead: str = "") -> None:
        super().__init__(f"The exact engine {why}; use {way('nuts')}{instead}.")
        self.why = why


def too_many(priors: Sequence[Prior]) -> str:
    """Say why there are too many coefficients to integrate over; empty if there are not."""
    if len(priors) <= MOST_COEFFICIENTS:
        return ""
    return (
        f"The exact engine integrates over {MOST_COEFFICIENTS} coefficients of counts or arms at "
        f"most, and there are {len(priors)}; use {way('nuts')}."
    )


def integrate_regression(model: Model, data: Data) -> Posterior:
    """Return the posterior, refined until two passes agree.

    Raises
    ------
    NotReachedError
        If they do not, or a study's likelihood has a corner, which no uniform grid resolves.
    """
    problem = Problem.of(model, data)
    corner = kinked(model.likelihood, data)
    if corner.any():
        raise NotReachedError(
            "does not integrate over covariates where all or none of an arm have the event, as in "
            f"{name_rows(data.study, corner)}, and the effect is a risk ratio or difference",
            ", or the odds ratio",
        )
    reach = _first_reach(problem)
    coarse = _Pass.at(0, problem, reach)
    for _ in range(WIDENINGS):
        wider = coarse.wider()
        if wider == coarse.reach:
            break
        coarse = _Pass.at(0, problem, wider)
    for number in range(1, len(STEPS)):
        fine = _Pass.at(number, problem, coarse.reach)
        error = fine.distance(coarse)
        coarse = fine
        if error <= TOLERANCE:
            return fine.posterior(error)
    raise NotReachedError("does not reach its tolerance of coefficients on these data")


def _first_reach(problem: Problem) -> Reach:
    """Where a rough normal posterior ends, with room."""
    model = problem.model
    if isinstance(model.between, NoSpread):
        t = np.zeros(1)
    else:
        low, high = support_of_tau(problem.tau)
        unit = max(float(np.ptp(problem.y)), float(problem.se.max()))
        t = low + min(high - low, FARTHEST_TAU * unit) * np.geomspace(1e-4, 1, 120)
    given = problem.given(t)
    log_p = logsumexp(given.log_weight, axis=1)
    if t.size > 1:
        log_p = log_p + log_density_of_tau(problem.tau, t, problem.se) + np.log(t)
    alive = log_p > log_p.max() - FAINT
    room = np.sqrt(2 * (FAINT + log_p[alive] - log_p.max()))[:, None, None]
    x = problem.design
    mean = given.mean[alive] @ x.T  # (t, g, k)
    sd = np.sqrt(np.einsum("tgab,ka,kb->tgk", given.covariance[alive], x, x))
    far = min(1.3 * float(t[alive].max()), support_of_tau(problem.tau)[1]) if t.size > 1 else 0.0
    return Reach(float((mean - room * sd).min()), float((mean + room * sd).max()), far)


@final
@dataclass(frozen=True)
class _Pass:
    """Everything at one resolution; `tau` is None, and one node 0, where there is no spread."""

    number: int
    problem: Problem
    reach: Reach
    grid: Grid
    fourier: NDArray[np.complex128]
    top: Array
    tau_at: Array
    placed: tuple[Placed, ...]
    mass: Array  # of tau, sums to 1
    log_z: float
    tau: TauDensity | None
    low: float  # how far the effects that are seen are expected
    high: float
    held: bool  # whether nearly all of that lies within the grid

    @classmethod
    def at(cls, number: int, problem: Problem, reach: Reach) -> "_Pass":
        """Integrate once."""
        model, data, resolution = problem.model, problem.data, PASSES[number + 1]
        grid = _grid(resolution, problem, reach)
        logs = log_likelihoods(model.likelihood, data, grid, resolution.spacing)
        top = logs.max(axis=1, keepdims=True)
        ends = np.abs(grid.points - grid.centre)
        taper = min(0.5, grid.half / 40)
        window = ndtr((grid.half - 0.5 * TAPER * taper / 0.5 - ends) / taper)
        fourier = np.fft.rfft(np.exp(logs - top) * window, axis=1)
        spread = not isinstance(model.between, NoSpread)
        nodes, at = _nodes(resolution, problem, reach) if spread else (None, None)
        tau_at = np.zeros(1) if nodes is None else nodes.tau
        given = problem.given(tau_at)
        placed: list[Placed] = []
        low, high = [], []
        for j, tau in enumerate(tau_at):
            best = int(given.log_weight[j].argmax())
            tables = tabulate(fourier, grid, top[:, 0], _df(model), reach, float(tau))
            log_post = partial(_log_post, problem, tables)
            one = place(log_post, given.mean[j, best], given.covariance[j, best], STEPS[number])
            placed.append(one)
            expected = one.first @ problem.design.T
            sd = np.sqrt(np.einsum("ab,ka,kb->k", one.second, problem.design, problem.design))
            low.append(expected - 6 * sd)
            high.append(expected + 6 * sd)
        log_at = np.array([one.log_total for one in placed])
        if nodes is None or at is None:
            log_z = finite_evidence(float(log_at[0]), model)
            shares = np.ones(1)
            density = None
        else:
            log_at = log_at + log_density_of_tau(problem.tau, tau_at, problem.se)
            log_z = finite_evidence(float(logsumexp(log_at + nodes.log_weight)), model)
            shares = np.exp(log_at + nodes.log_weight - log_z)
            moments = moments_of_tau(
                problem.tau, telling(model.likelihood, data), mu=problem.priors
            )
            density = density_of_tau(nodes, log_at - log_z, at, moments)
        alive = shares > SEEN
        ends_at = np.array([low, high])  # (2, t, k)
        return cls(
            number=number,
            problem=problem,
            reach=reach,
            grid=grid,
            fourier=fourier,
            top=top[:, 0],
            tau_at=tau_at,
            placed=tuple(placed),
            mass=shares,
            log_z=log_z,
            tau=density,
            low=float(ends_at[0][alive].min()),
            high=float(ends_at[1][alive].max()),
            held=_held(ends_at, shares, reach),
        )

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

    def distance(self, other: "_Pass") -> float:
        """Largest disagreement of two passes, with what lies beyond the lattice or the grid."""
        gaps = [self.log_z - other.log_z, self.mass @ [one.left_out for one in self.placed]]
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
        first = sum(w * one.first for w, one in zip(self.mass, self.placed, strict=True))
        second = sum(
            w * (one.second + np.outer(one.first - first, one.first - first))
            for w, one in zip(self.mass, self.placed, strict=True)
        )
        return first, second  # pyright: ignore[reportReturnType]

    def tables(self, j: int) -> Tables:
        """Of the studies at one node of tau."""
        tau = float(self.tau_at[j])
        return tabulate(self.fourier, self.grid, self.top, _df(self.problem.model), self.reach, tau)

    def _ground(self) -> "tuple[Ground, Array] | None":
        """What it takes to draw the studies' effects, and the design; None where they have none."""
        from ..nodes.draws import Ground

        if self.tau is None:
            return None
        problem, points = self.problem, self.grid.points
        ground = Ground(
            model=problem.model,  # pyright: ignore[reportArgumentType]
            data=problem.data,
            tau=self.tau,
            grid=self.grid,
            graded=np.zeros(problem.data.k, dtype=bool),
            far=float(np.abs(points[[0, -1]]).max()),
        )
        return ground, problem.design

    def _nodes(self, every: Combinations) -> Callable[[], Nodes] | None:
        """Coefficients and tau as nodes; None where there would be too many, or no tau."""
        points = ball(len(self.problem.names), STEPS[0])
        if self.tau is None or len(points) > MOST_NODES:
            return None
        return partial(every.nodes, points, shell(points))

    def posterior(self, error: float) -> Posterior:
        """Collect the marginals of this pass; all but tau's are computed when asked for."""
        problem = self.problem
        k = telling(problem.model.likelihood, problem.data)
        size = self.tables(0).coefficients.size * self.tau_at.size
        tables = lru_cache(self.tau_at.size if size <= MOST_KEPT else 1)(self.tables)
        rules = tuple(
            Rule(one.first, one.second, weight, float(tau))
            for one, weight, tau in zip(self.placed, self.mass, self.tau_at, strict=True)
        )
        every = Combinations(
            rules=rules,
            log_post=lambda j: partial(_log_post, problem, tables(j)),
            tables=tables,
            lattice=partial(ball, step=STEPS[self.number]),
            df=_df(problem.model),
            tau=self.tau,
            moments=moments_of_coefficients(problem.model, problem.priors, k),
        )
        points = self.grid.points
        whole = Reach(points[0], points[-1], 0.0)
        plain = tabulate(self.fourier, self.grid, self.top, _df(problem.model), whole, 0.0)
        names = problem.names
        rows = np.eye(len(names))
        marginals: dict[str, object] = {
            "coefficient": lambda: Marginals(
                names, tuple(every.of(row) for row in rows), "coefficient"
            )
        }
        if self.tau is not None:
            marginals["tau"] = self.tau
            marginals["theta"] = lambda: every.effects(problem.data.study, problem.design, plain)
        check = Check("quadrature error", "shares of an SD", error, TOLERANCE, at_most=True)
        return Posterior(
            model=problem.model,
            data=problem.data,
            engine=f"Quadrature(), {self.tau_at.size} nodes × {self.grid.size} grid points",
            marginals=Deferred(marginals),  # pyright: ignore[reportArgumentType]
            diagnostics=Diagnostics((check,)),
            sample=partial(_draws, every, self._ground),
            sample_shared=every.draw,
            nodes=self._nodes(every),
            linear=every.of,
            cautions=cautions(problem.model, problem.data),
            log_marginal_likelihood=evidence(problem.model, self.log_z),
        )


def _held(ends: Array, shares: Array, reach: Reach) -> bool:
    """Whether five of six standard deviations lie within the grid where there is mass."""
    low, high = ends[:, shares > 10 * SEEN]
    room = (high - low) / 12
    return bool((low + room).min() >= reach.low and (high - room).max() <= reach.high)


def _df(model: Model) -> float | None:
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


def _log_post(problem: Problem, tables: Tables, points: Array) -> Array:
    """Log of prior times likelihood at coefficients (n, p), given tau."""
    found = tables.at(points @ problem.design.T).sum(axis=1)
    for prior, column in zip(problem.priors, points.T, strict=True):
        found += log_density(prior, column)
    return found


def _draws(
    every: Combinations,
    ground: Callable[[], "tuple[Ground, Array] | None"],
    n: int | None,
    seed: int,
) -> Mapping[str, Array]:
    """Joint draws with one chain in front; study effects by inversion of their law given these."""
    from ..nodes.draws import place_effects

    found, on = every.draw(n or 4000, seed), ground()
    if on is not None:
        studies, design = on
        u = even(n or 4000, 2 * len(design), seed + 1)
        expected = found["coefficient"] @ design.T
        found = {**found, **place_effects(studies, expected, found["tau"], u)}
    return {name: values[None] for name, values in found.items()}
