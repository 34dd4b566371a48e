"""Posterior of one table of counts at fixed sizes, in NumPy or JAX: fast, with an error estimate.

The same mathematics as ``grid``: likelihoods in theta smoothed in the Fourier domain, tau at
Chebyshev nodes. What is fixed here is every size, so that one program serves every table: theta at
Chebyshev nodes per study, the grid, and as many nodes of mu as cover a rough normal posterior. What
that may miss is estimated from the tails of every series, and the caller falls back on ``grid``.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..likelihood.laws import Both, Namespace
from ..likelihood.smoothing import given_mu
from .tau_nodes import fejer

type Array = Both
type Density = Callable[[Array], Array]
type Likelihood = Callable[[Array], tuple[Array, Array]]


class Size(NamedTuple):
    """How many nodes each rule has, and how far it goes."""

    tau: int
    grid: int
    mu: int
    theta: int
    width: float  # standard errors on either side of a study's estimate that are tabulated
    cut: float  # log of the relative density beyond which nothing is integrated
    beta: int  # nodes of the baseline's rule
    tails: bool  # whether that rule reaches the far tails of a vague prior


DENSE = Size(36, 192, 40, 21, 7.0, 18.0, 19, tails=False)
WIDE = Size(48, 1024, 80, 33, 9.0, 22.0, 21, tails=False)
SPARSE = Size(48, 1024, 80, 81, 9.0, 24.0, 97, tails=True)
FINEST = 0.7  # of the smallest standard error: the grid must be as fine


class Rough(NamedTuple):
    """A rough posterior.

    The centre of mu and its SD for the least tau, how far mu and theta reach from the centre, how
    far tau reaches, and its median.
    """

    centre: Array
    sd: Array
    reach: Array
    spread: Array
    far: Array
    scale: Array


class Table(NamedTuple):
    """What one table gives: the posterior at the nodes, and the estimated error.

    `mu` (m,) and `tau` (t,) are nodes, `mass` (t, m) the posterior mass there. The nodes of mu are
    ``centre + sd sinh(v)``, `v` uniform; `density` (t,) is that of tau in the Chebyshev variable,
    `low`, `scale` and `end` its map. `placed` is the part of the error that comes of where the
    nodes of mu and tau lie. `tabled` is what it takes to look at other nodes of mu.
    """

    log_z: Array
    v: Array
    centre: Array
    sd: Array
    mu: Array
    tau: Array
    mass: Array
    density: Array
    low: Array
    scale: Array
    end: Array
    error: Array
    placed: Array
    tabled: "Tabled"


def posterior(
    xp: Namespace,
    size: Size,
    y: Array,
    se: Array,
    mask: Array,
    likelihood: Likelihood,
    log_mu: Density,
    log_tau: Density,
    mu_sd: Array,
    low: Array,
    high: Array,
    rough: Rough | None = None,
) -> Table:
    """Integrate one table.

    Parameters
    ----------
    xp : module
        ``numpy`` or ``jax.numpy``.
    size : Size
    y, se, mask : array, shape (k,)
        Rough estimates on the scale of theta, and how many studies are such: 0 for padding.
    likelihood : callable
        theta (k, n) to log likelihoods (k, n), baselines integrated out, and errors (k,).
    log_mu, log_tau : callable
        Log densities of the priors.
    mu_sd : float
        Scale of mu's prior.
    low, high : float
        Support of tau's prior.
    rough : Rough, optional
        Where to look; by default by the estimates.
    """
    followed, placed_before = True, rough is not None
    if rough is None:
        rough = rough_posterior(xp, size.cut, y, se, mask, log_mu, log_tau, mu_sd, low, high)
        followed = size.tails
    v = xp.arcsinh(rough.reach / rough.sd) * np.linspace(-1, 1, size.mu)
    room = _room(xp, se, mask)
    half = reach_of_grid(xp, rough, se, mask)
    step = 2 * half / size.grid
    points = rough.centre - half + step * np.arange(size.grid)
    logs, beyond, *tails = tabulated(xp, size, y, se, mask, likelihood, points, rough.centre, half)
    top = logs.max(axis=1)
    window = _ndtr(xp, (half - 0.5 * room - xp.abs(points - rough.centre)) / (room / 12))
    fourier = xp.fft.rfft(xp.exp(logs - top[:, None]) * window)
    x, weight, to_series = fejer(size.tau)
    end = (rough.far - rough.scale) / (rough.far + rough.scale)
    u = -1 + (end + 1) * (x + 1) / 2
    tau = low + rough.scale * (1 + u) / (1 - u)
    log_weight = xp.log(weight * (end + 1) * rough.scale / (1 - u) ** 2)
    outer = log_tau(tau) + log_weight
    tabled = Tabled(fourier, top, mask, step, rough.centre, rough.sd, tau, outer)
    mu, log_given, joint = integrand(xp, tabled, log_mu, v)
    peak = joint.max()
    mass = xp.exp(joint - peak)
    total = mass.sum()
    mass = mass / total
    at_tau = mass.sum(axis=1)
    density = at_tau / weight
    last = tau[0] * xp.exp(-log_weight[0]) if placed_before else 1.0
    beyond_tau = last * at_tau[0] * (1 + tau[0] ** 2 / (at_tau @ tau**2))
    errors = (
        *tails,
        _extrapolated(xp, beyond, top, mask, mass, mu, tau, log_given) if followed else 0.0,
        _spectrum(xp, fourier, mask),
        _series_tail(xp, to_series @ density),
        _trapezoid(xp, mass, mu),
        xp.where(rough.far < high - low, beyond_tau, 0.0),
        xp.where(step > FINEST * xp.where(mask > 0, se, xp.inf).min(), xp.inf, 0.0),
    )
    error, placed = (
        xp.nan_to_num(xp.stack(each).max(), nan=np.inf, posinf=np.inf)
        for each in (errors, errors[-4:-1])
    )
    evidence = peak + xp.log(total)
    place = (v, rough.centre, rough.sd, mu, tau)
    return Table(evidence, *place, mass, density, low, rough.scale, end, error, placed, tabled)


def reach_of_grid(xp: Namespace, rough: Rough, se: Array, mask: Array) -> Array:
    """How far a grid reaches from its centre."""
    return rough.spread + _room(xp, se, mask)


def _room(xp: Namespace, se: Array, mask: Array) -> Array:
    return xp.minimum(2.5, 6 * xp.where(mask > 0, se, 0.0).max())


class Tabled(NamedTuple):
    """The studies' likelihoods as Fourier series, and where mu and tau are integrated."""

    fourier: Array
    top: Array
    mask: Array
    step: Array
    centre: Array
    sd: Array
    tau: Array
    outer: Array  # log of prior times weight at the nodes of tau, (t,)


def integrand(xp: Namespace, of: Tabled, log_mu: Density, v: Array) -> tuple[Array, Array, Array]:
    """Evaluate the integral's terms at nodes of mu, an even number of them about the centre.

    Returns
    -------
    mu : array, shape (m,)
    log_given : array, shape (t, k, m)
        Log likelihood of each study given mu and tau.
    joint : array, shape (t, m)
        Log of likelihood, priors and weights.
    """
    mu = of.centre + of.sd * xp.sinh(v)
    ahead = mu[len(v) // 2 :] - of.centre
    log_given = xp.log(given_mu(xp, of.fourier, of.tau, ahead, of.step)) + of.top[:, None]
    log_post = (log_given * of.mask[:, None]).sum(axis=1)
    log_step = xp.log(of.sd * xp.cosh(v) * (v[1] - v[0]))
    return mu, log_given, log_post + log_mu(mu) + log_step + of.outer[:, None]


def rough_posterior(
    xp: Namespace,
    cut: float,
    y: Array,
    se: Array,
    mask: Array,
    log_mu: Density,
    log_tau: Density,
    mu_sd: Array,
    low: Array,
    high: Array,
) -> Rough:
    """Integrate the normal approximation on a coarse grid of tau."""
    typical = (mask * se).sum() / mask.sum()
    width = xp.minimum(high - low, 300 * typical)
    shares = np.geomspace(1e-5, 1.0, 120)
    above = width * shares
    variance = se**2 + (low + above[:, None]) ** 2
    weight = mask / variance
    precision = weight.sum(axis=1)
    pooled = (weight * y).sum(axis=1) / precision
    spread = (weight * (y - pooled[:, None]) ** 2 + mask * xp.log(variance)).sum(axis=1)
    log_p = -0.5 * (spread + xp.log(precision)) + log_tau(low + above)
    log_p = log_p + log_mu(pooled)
    log_mass = xp.where(xp.isfinite(log_p), log_p + np.log(shares), -xp.inf)
    mass = xp.exp(log_mass - log_mass.max())
    mass = mass / mass.sum()
    left = xp.maximum(cut - (log_p.max() - log_p), 0.0)
    deviations = xp.where(xp.isfinite(log_p), xp.sqrt(2 * left), 0.0)
    far = xp.minimum(xp.where(deviations > 0, above, 0.0).max() * 1.1, high - low)
    scale = xp.where(xp.cumsum(mass) <= 0.5, above, 0.0).max()
    sd = (precision + mu_sd**-2.0) ** -0.5
    centre = mass @ pooled
    reach = xp.where(deviations > 0, xp.abs(pooled - centre), 0.0) + deviations * sd
    spread = reach + deviations * (low + above)
    scale = xp.clip(scale, 2e-3 * far, 0.45 * far)
    return Rough(centre, sd.min(), reach.max(), spread.max(), far, scale)


class Ends(NamedTuple):
    """Log likelihoods at both ends of what was tabulated of each study, each (k,).

    Place, value, and curvature on the scale of theta, of the left and the right end.
    """

    left: tuple[Array, Array, Array]
    right: tuple[Array, Array, Array]


def tabulated(
    xp: Namespace,
    size: Size,
    y: Array,
    se: Array,
    mask: Array,
    likelihood: Likelihood,
    points: Array,
    centre: Array,
    half: Array,
) -> tuple[Array, Ends, Array, Array]:
    """Log likelihoods on the grid, (k, grid), from Chebyshev nodes of each study; their errors.

    Beyond the nodes they go on as straight lines: where a whole arm has the event, or nobody in
    it, the likelihood hardly falls to that side.
    """
    x, _, to_series = fejer(size.theta)
    left = xp.clip(y - size.width * se, centre - half, centre + 0.9 * half)
    right = xp.clip(y + size.width * se, left + 0.05 * half, centre + half)
    middle, spread = 0.5 * (left + right)[:, None], 0.5 * (right - left)[:, None]
    values, error = likelihood(middle + spread * x)
    series = values @ to_series.T
    place = (points - middle) / spread
    at = xp.clip(place, -1.0, 1.0)
    order = np.arange(size.theta)
    signs = (-1.0) ** order
    first, second = order**2.0, order**2.0 * (order**2.0 - 1) / 3  # of T_n at 1
    slopes = [-(series @ (signs * first))[:, None], (series @ first)[:, None]]
    found = _clenshaw(xp, series, at)
    found = found + xp.where(place < 0, slopes[0], slopes[1]) * (place - at)
    ends = Ends(
        (left, series @ signs, series @ (signs * second) / spread[:, 0] ** 2),
        (right, series.sum(axis=1), series @ second / spread[:, 0] ** 2),
    )
    return found, ends, (mask * xp.abs(series[:, -2:]).max(axis=1)).max(), (mask * error).max()


def _extrapolated(
    xp: Namespace,
    ends: Ends,
    top: Array,
    mask: Array,
    mass: Array,
    mu: Array,
    tau: Array,
    log_given: Array,
) -> Array:
    """What the likelihoods' curvature beyond their tables may do to the integral.

    To second order they are off by half the curvature times the squared distance from the end. A
    bound of its mean over the study effects is averaged over mu and tau.
    """
    total, beside = 0.0, xp.exp(log_given - top[:, None])
    for side, (end, value, curvature) in zip((-1.0, 1.0), ends, strict=True):
        z = side * (end[:, None] - mu) / tau[:, None, None]  # (t, k, m)
        above, within = xp.maximum(z, 0.0), xp.maximum(-z, 0.0)
        far = xp.exp(-0.5 * above**2) / (2 + above**3) + within + within**2
        size = 0.5 * xp.abs(curvature) * xp.exp(xp.minimum(value - top, 0.0))
        share = size[:, None] * tau[:, None, None] ** 2 * far / beside
        total = total + (share * mask[:, None] * mass[:, None]).sum()
    return total


def _clenshaw(xp: Namespace, series: Array, at: Array) -> Array:
    """Values of Chebyshev series (k, n) at points (k, m), by Clenshaw's recurrence."""

    def step(state: tuple[Array, Array], term: Array) -> tuple[tuple[Array, Array], None]:
        one, two = state
        return (term[:, None] + 2 * at * one - two, one), None

    state = xp.zeros_like(at), xp.zeros_like(at)
    terms = series.T[:0:-1]
    if xp is np:
        for term in terms:
            state, _ = step(state, term)
    else:
        from jax import lax

        state, _ = lax.scan(step, state, terms)
    return series[:, :1] + at * state[0] - state[1]


def _ndtr(xp: Namespace, x: Array) -> Array:
    """A smooth step from 0 to 1, as sharp as a normal distribution function."""
    return 0.5 * (1 + xp.tanh(xp.clip(0.7978845608 * x * (1 + 0.044715 * x**2), -30, 30)))


def _spectrum(xp: Namespace, fourier: Array, mask: Array) -> Array:
    """Size of the last frequencies beside the whole: what aliasing may be."""
    size = xp.abs(fourier)
    return (mask * size[:, -3:].max(axis=1) / size.max(axis=1)).max()


def _series_tail(xp: Namespace, series: Array) -> Array:
    """Last coefficients of the density of tau, as its integral has them."""
    return xp.abs(series[-3:]).max() / xp.abs(series).max() / series.shape[0]


def _trapezoid(xp: Namespace, mass: Array, mu: Array) -> Array:
    """Every second node against all of them, and what may lie beyond the ends.

    Where every second node nearly gives what all do, all are better by as much again: at each tau
    by itself, for mu may be too narrow for its nodes at a few of them.
    """
    at_mu = mass.sum(axis=0)
    mean = at_mu @ mu
    moment = (mu - mean) ** 2 / (at_mu @ (mu - mean) ** 2)
    gaps = []
    for each in (mass, mass * moment):
        total = xp.maximum(each.sum(axis=1), 1e-300)
        gaps.append((_two_halves(each) ** 2 / total).sum())
    ends = at_mu[0] * (1 + moment[0]) + at_mu[-1] * (1 + moment[-1])
    return xp.maximum(xp.maximum(*gaps), ends)


def _two_halves(mass: Array) -> Array:
    """How much more one half of the nodes has than the other, in each row."""
    return mass[:, ::2].sum(axis=1) - mass[:, 1::2].sum(axis=1)
