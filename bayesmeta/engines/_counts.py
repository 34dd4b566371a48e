"""Exact posteriors of count models: every integral on one uniform grid of the effect.

The likelihood of a study given mu and tau is its likelihood in theta convolved with N(0, tau²). On
a uniform grid that resolves every study this is a product in the Fourier domain, exact to rounding
for any tau, zero included; mu is integrated on the same grid by the trapezoidal rule, and tau at
Chebyshev nodes. No study needs to look normal, and studies without events need no exception.
"""

# SciPy types its results as unions with a second return value:
# pyright: reportArgumentType=false
# pyright: reportOperatorIssue=false

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr

from ..effects import effect_sizes
from ..errors import ModelError
from ..model import BinomialNormal, NormalNormal
from ..posterior import (
    Check,
    Diagnostics,
    GridDensity,
    Marginals,
    Posterior,
    TauDensity,
)
from ..priors import (
    HalfCauchy,
    HalfNormal,
    LogNormal,
    Normal,
    Prior,
    StudentT,
    Uniform,
    log_density,
)
from ..studies import COUNTS, BinaryStudies
from ._cautions import cautions
from ._quadrature import (
    Nodes,
    density_of_tau,
    finite_evidence,
    integrate,
    moments_of_tau,
    tau_nodes,
)
from ._tables import (
    Grid,
    Table,
    alive,
    beta_nodes,
    joint_density,
    log_likelihood,
    mode_of_beta,
)

type Array = NDArray[np.float64]

TOLERANCE = 1e-6  # shares of a posterior SD, and probabilities
TAPER = 8.5  # standard deviations from one to zero in double precision
LARGEST_TAU, LARGEST_MU = 40.0, 60.0
FLOOR = 1e-18  # of a study's likelihood, below which the Fourier transform is noise


class Resolution(NamedTuple):
    """How fine one pass is."""

    nodes: int  # of tau
    step: float  # of the grid, as a share of the narrowest feature
    spacing: float  # of the baseline's rule


PASSES = (
    Resolution(64, 0.40, 0.14),
    Resolution(96, 0.28, 0.10),
    Resolution(160, 0.20, 0.07),
    Resolution(280, 0.13, 0.05),
)


class Reach(NamedTuple):
    """How far mu and tau are integrated."""

    mu: float
    tau: float


def integrate_counts(model: BinomialNormal, data: BinaryStudies) -> Posterior:
    """Return the posterior, widened until nothing is cut off and refined until two passes agree."""
    _check(model)
    limit = Reach(_largest_mu(model.mu), _largest_tau(model.tau))
    reach = _first_reach(model, data, limit)
    coarse = _Pass.at(PASSES[0], model, data, reach)
    while coarse.cut_off() > TOLERANCE / 10 and reach != limit:
        reach = Reach(min(2 * reach.mu, limit.mu), min(2 * reach.tau, limit.tau))
        coarse = _Pass.at(PASSES[0], model, data, reach)
    error = np.inf
    for resolution in PASSES[1:]:
        fine = _Pass.at(resolution, model, data, reach)
        error = fine.distance(coarse)
        coarse = fine
        if error <= TOLERANCE:
            break
    return coarse.posterior(error)


def _first_reach(model: BinomialNormal, data: BinaryStudies, limit: Reach) -> Reach:
    """Where the two-stage posterior ends, with room; what that misses is found and widened."""
    effects = effect_sizes(data, measure=model.measure, double_zero="include")
    rough = integrate(NormalNormal(mu=model.mu, tau=model.tau), effects, nodes=64, tolerance=1e-6)
    mu, tau = rough["mu"], rough["tau"]
    far = max(abs(end) for end in mu.quantile([1e-13, 1 - 1e-13])) + 1
    return Reach(min(1.3 * far, limit.mu), min(1.3 * tau.quantile(1 - 1e-11), limit.tau))


def serves(model: BinomialNormal) -> bool:
    """Whether this engine can take the priors of a model."""
    return isinstance(model.mu, Normal | StudentT)


def _check(model: BinomialNormal) -> None:
    if not serves(model):
        raise ModelError(
            f"The exact engine for counts takes Normal or StudentT for mu, not {model.mu!r}; "
            "use NUTS(seed=...)."
        )


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Pass:
    """Everything at one resolution.

    ``log_post`` is the log of prior times likelihood over (tau nodes, grid), ``log_z`` its
    integral; ``fourier`` holds the transforms of the studies' scaled likelihoods, (k, frequencies).
    """

    model: BinomialNormal
    data: BinaryStudies
    grid: Grid
    nodes: Nodes
    shape: tuple[float, float, float]
    likelihood: Array
    fourier: NDArray[np.complex128]
    weights: Array
    log_z: float
    tau: TauDensity
    mu: GridDensity

    @classmethod
    def at(
        cls, resolution: Resolution, model: BinomialNormal, data: BinaryStudies, reach: Reach
    ) -> "_Pass":
        """Integrate once."""
        grid = _grid(resolution, data, model.measure, reach.mu + TAPER * reach.tau)
        logs = np.array(
            [
                log_likelihood(table, model.measure, model.baseline, grid, resolution.spacing)
                for table in tables(data)
            ]
        )
        top = logs.max(axis=1, keepdims=True)
        window = ndtr((grid.half - 0.5 * TAPER - np.abs(grid.points)) / 0.5)
        likelihood = np.exp(logs - top) * window
        fourier = np.fft.rfft(likelihood, axis=1)
        low, high = model.tau.support[0], reach.tau
        scale = _centre(model, data, grid, fourier, low, high)
        end = (high - low - scale) / (high - low + scale)
        nodes = tau_nodes(resolution.nodes, low, scale, end)
        with np.errstate(divide="ignore"):
            prior = np.where(
                np.abs(grid.points) <= reach.mu, log_density(model.mu, grid.points), -np.inf
            )
        at_mu = np.array([np.log(each).sum(axis=0) for each in _smoothed(fourier, grid, nodes.tau)])
        log_post = at_mu + prior + top.sum() + np.log(grid.step)
        at_tau = logsumexp(log_post, axis=1) + log_density(model.tau, nodes.tau)
        log_z = finite_evidence(float(logsumexp(at_tau + nodes.log_weight)), model)
        outer = log_density(model.tau, nodes.tau) + nodes.log_weight - log_z
        weights = np.exp(log_post + outer[:, None])
        moments = moments_of_tau(model.tau, int((~data.double_zero).sum()))
        tau = density_of_tau(nodes, at_tau - log_z, low, scale, end, moments)
        mu = GridDensity.of(grid.points, weights.sum(axis=0) / grid.step)
        shape = (low, scale, end)
        return cls(model, data, grid, nodes, shape, likelihood, fourier, weights, log_z, tau, mu)

    def distance(self, other: "_Pass") -> float:
        """Largest disagreement of two passes, and the mass that the grid may have cut off."""
        at, tau_at = (one.quantile([0.025, 0.5, 0.975]) for one in (self.mu, self.tau))
        sd = self.mu.sd()
        gaps = np.array(
            [
                self.log_z - other.log_z,
                (self.mu.mean() - other.mu.mean()) / sd,
                self.mu.sd() / other.mu.sd() - 1,
                *(self.mu.cdf(at) - other.mu.cdf(at)),
                *(self.tau.cdf(tau_at) - other.tau.cdf(tau_at)),
            ]
        )
        return float(max(np.abs(gaps).max(), self.cut_off()))

    def cut_off(self) -> float:
        """Bound of the mass beyond the largest tau, and density of mu at the ends of its range."""
        largest = float(self.nodes.tau.max())
        ends = largest >= 0.99 * self.model.tau.support[1]
        beyond = 0.0 if ends else float(self.tau.pdf(largest)) * largest
        at_mu = self.weights.sum(axis=0)
        inside = np.flatnonzero(at_mu)
        edge = max(at_mu[inside[0]], at_mu[inside[-1]]) / at_mu.max()
        return max(beyond, float(edge))

    def posterior(self, error: float) -> Posterior:
        """Collect the marginals of this pass."""
        theta, new = self._effects()
        check = Check("quadrature error", "shares of an SD", error, TOLERANCE, at_most=True)
        return Posterior(
            model=self.model,
            data=self.data,
            engine=f"Quadrature(), {self.nodes.tau.size} nodes × {self.grid.size} grid points",
            marginals={
                "mu": self.mu,
                "tau": self.tau,
                "theta": Marginals(self.data.study, theta),
                "theta_new": new,
            },
            diagnostics=Diagnostics((check,)),
            sample=partial(_draw, self),
            cautions=cautions(self.model, self.data),
            log_marginal_likelihood=self.log_z,
        )

    def _effects(self) -> tuple[tuple[GridDensity, ...], GridDensity]:
        """Posteriors of the study effects and of the effect in a new study."""
        omega = _frequencies(self.grid)
        spread = np.zeros_like(self.fourier)
        ahead = np.zeros(omega.size, dtype=complex)
        for t, each in enumerate(_smoothed(self.fourier, self.grid, self.nodes.tau)):
            kernel = np.exp(-0.5 * (self.nodes.tau[t] * omega) ** 2)
            spread += np.fft.rfft(self.weights[t] / each, axis=1) * kernel
            ahead += np.fft.rfft(self.weights[t]) * kernel
        x, size = self.grid.points, self.grid.size
        density = self.likelihood * np.fft.irfft(spread, size, axis=1) / self.grid.step
        new = np.fft.irfft(ahead, size) / self.grid.step
        theta = tuple(GridDensity.of(x, one) for one in density)
        return theta, GridDensity.of(x, new, moments=self.tau.moments)


def tables(data: BinaryStudies) -> Iterator[Table]:
    """The studies one by one."""
    return (
        Table(*map(float, row)) for row in zip(*(getattr(data, c) for c in COUNTS), strict=True)
    )


def _smoothed(fourier: NDArray[np.complex128], grid: Grid, tau: Array) -> Iterator[Array]:
    """Likelihood of each study given mu on the grid, one (k, size) array per tau."""
    omega = _frequencies(grid)
    for one in tau:
        kernel = np.exp(-0.5 * (one * omega) ** 2)
        yield np.maximum(np.fft.irfft(fourier * kernel, grid.size, axis=1), FLOOR)


def _frequencies(grid: Grid) -> Array:
    return 2 * np.pi * np.fft.rfftfreq(grid.size, grid.step)


def _grid(resolution: Resolution, data: BinaryStudies, measure: str, needed: float) -> Grid:
    """A grid that resolves the narrowest study and the pooled effect, in rounded steps.

    Steps and widths are powers of √2, so that scenarios of one table share their grids.
    """
    effects = effect_sizes(data, measure=measure, double_zero="include")
    pooled = float((effects.se**-2.0).sum() ** -0.5)
    finest = resolution.step * min(float(effects.se.min()), 1.5 * pooled, 0.8)
    step = 2 ** (np.floor(2 * np.log2(finest)) / 2)
    half = 2 ** (np.ceil(4 * np.log2(needed + TAPER)) / 4)
    size = _fast_size(2 * half / step)
    return Grid(float(half), size)


def _fast_size(least: float) -> int:
    from scipy.fft import next_fast_len

    return int(next_fast_len(int(np.ceil(least)), real=True))


def _largest_tau(prior: Prior) -> float:
    """A tau beyond which the prior has nothing left, or as far as the grid goes."""
    match prior:
        case HalfNormal(scale):
            return min(7.5 * scale, LARGEST_TAU)
        case LogNormal(mean, sd):
            return min(float(np.exp(mean + 7.3 * sd)), LARGEST_TAU)
        case Uniform(_, high):
            return min(high, LARGEST_TAU)
        case HalfCauchy():
            return LARGEST_TAU
        case _:
            raise ModelError(f"The exact engine for counts cannot take {prior!r} for tau.")


def _largest_mu(prior: Prior) -> float:
    match prior:
        case Normal(mean, sd):
            return min(abs(mean) + 8.3 * sd, LARGEST_MU)
        case StudentT(_, mean, _):
            return min(abs(mean) + LARGEST_MU, LARGEST_MU)
        case _:
            raise ModelError(f"The exact engine for counts cannot take {prior!r} for mu.")


def _centre(
    model: BinomialNormal,
    data: BinaryStudies,
    grid: Grid,
    fourier: NDArray[np.complex128],
    low: float,
    high: float,
) -> float:
    """A rough posterior median of tau - low, where its nodes are centred."""
    trial = (high - low) * np.geomspace(1e-3, 1.0, 25)
    prior = log_density(model.mu, grid.points)
    at_mu = [np.log(each).sum(axis=0) for each in _smoothed(fourier, grid, low + trial)]
    log_mass = logsumexp(np.array(at_mu) + prior, axis=1)
    log_mass = log_mass + log_density(model.tau, low + trial) + np.log(trial)
    mass = np.cumsum(np.exp(log_mass - log_mass.max()))
    middle = float(np.interp(0.5 * mass[-1], mass, trial))
    return float(np.clip(middle, 1e-3 * (high - low), 0.45 * (high - low)))


@lru_cache(maxsize=8)  # the predictive check and the file want the same draws
def _draw(fit: _Pass, n: int | None, seed: int) -> Mapping[str, Array]:
    """Independent joint draws: tau, mu given tau, then each study's effect and baseline."""
    rng = np.random.default_rng(seed)
    n = n or 4000
    tau, mu = _draw_tau_mu(fit, n, rng)
    theta, baseline = np.empty((n, fit.data.k)), np.empty((n, fit.data.k))
    for i, table in enumerate(tables(fit.data)):
        theta[:, i] = _draw_theta(fit, i, mu, tau, rng)
        baseline[:, i] = _draw_baseline(fit.model, table, theta[:, i], rng)
    new = mu + tau * rng.standard_normal(n)
    columns = {"mu": mu, "tau": tau, "theta": theta, "theta_new": new, "baseline": baseline}
    for values in columns.values():
        values.setflags(write=False)
    return {name: values[None] for name, values in columns.items()}


def _draw_tau_mu(fit: _Pass, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw tau by inversion, and mu from its conditional, interpolated between nodes of tau."""
    tau = fit.tau.quantile(rng.uniform(size=n))
    order = np.argsort(fit.nodes.tau)
    nodes = fit.nodes.tau[order]
    conditional = fit.weights[order] / fit.weights[order].sum(axis=1, keepdims=True).clip(1e-300)
    right = np.clip(np.searchsorted(nodes, tau), 1, nodes.size - 1)
    share = np.clip((tau - nodes[right - 1]) / (nodes[right] - nodes[right - 1]), 0, 1)
    row = np.where(rng.uniform(size=n) < share, right, right - 1)
    cumulative = np.cumsum(conditional, axis=1)
    u = rng.uniform(size=n)
    mu = np.empty(n)
    for one in np.unique(row):
        here = row == one
        mu[here] = np.interp(u[here], cumulative[one], fit.grid.points + 0.5 * fit.grid.step)
    return tau, mu


def _draw_theta(
    fit: _Pass, i: int, mu: Array, tau: Array, rng: np.random.Generator, points: int = 160
) -> Array:
    """Draw one study's effects given mu and tau, by inversion on a grid of its own per draw."""
    x = fit.grid.points
    with np.errstate(divide="ignore"):
        log_l = np.log(fit.likelihood[i])
    alive = x[log_l > -45]
    low = np.maximum(mu - 7 * tau, min(alive[0], *(mu + 6 * tau)))
    high = np.maximum(np.minimum(mu + 7 * tau, alive[-1]), low + 1e-9)
    low = np.minimum(np.maximum(low, alive[0]), high - 1e-9)
    grid = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, points)
    log_p = np.interp(grid, x, np.maximum(log_l, -745.0))
    log_p = log_p - 0.5 * ((grid - mu[:, None]) / tau[:, None]) ** 2
    return _invert_rows(grid, log_p, rng)


def _draw_baseline(
    model: BinomialNormal, table: Table, theta: Array, rng: np.random.Generator
) -> Array:
    joint = joint_density(table, model.measure, model.baseline)
    mode, s = mode_of_beta(joint, theta, table)
    beta, _ = beta_nodes(mode, s, alive(joint, theta, mode, s, 0.1), 0.1)
    return _invert_rows(beta, joint(theta[:, None], beta), rng)


def _invert_rows(grid: Array, log_p: Array, rng: np.random.Generator) -> Array:
    """Draw once from each row of a density known at points, taken as linear between them."""
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    steps = np.diff(grid, axis=1)
    mass = np.cumsum(0.5 * (p[:, 1:] + p[:, :-1]) * steps, axis=1)
    target = rng.uniform(size=grid.shape[0]) * mass[:, -1]
    cell = np.minimum((mass < target[:, None]).sum(axis=1), steps.shape[1] - 1)
    rows = np.arange(grid.shape[0])
    before = np.where(cell > 0, mass[rows, cell - 1], 0.0)
    part = (target - before) / np.maximum(mass[rows, cell] - before, 1e-300)
    return grid[rows, cell] + np.clip(part, 0, 1) * steps[rows, cell]
