"""Joint draws from a posterior that was integrated on a grid, by inversion one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.special import ndtri, stdtrit

from ...model import Data, RandomEffects
from ...posterior import TauDensity
from ...posterior.inversion import tabled
from ...priors import Prior
from ..likelihood.corners import EMPTY, sides_of
from ..likelihood.laws import FARTHEST, start_of_baseline
from ..likelihood.points import Grid, Row
from ..likelihood.rough import rough_effects
from ..likelihood.study import log_likelihoods, rows
from ..likelihood.tables import (
    Joint,
    alive,
    beta_nodes,
    joint_density,
    mode_of_beta,
    reach_of,
)
from .even import even
from .inversion import Family, invert_rows

type Array = NDArray[np.float64]

FAINT = 30.0  # a log density that far below the highest is left out
LOOKS = 4  # at most, each where the one before has seen something
POINTS = 96  # of one draw's effects: at most a quarter of their SD apart
GRADED = 0.12  # distance of points that crowd at a place, in units of what is to be seen there
TABLED = 0.1  # distance of its points where it has a corner, as of ``sides_of``
FINE = 0.02  # of the table that is read off by straight lines, in standard errors
SPACING = 0.15  # of the baseline's nodes, in SDs
LEAST = 1e-12  # tau in units of its scale, below which effects lie where mu does
BLOCK = 512  # draws that are made at once: more leave the cache


@final
@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What it takes to draw the effects of studies, given where these are expected and tau.

    Attributes
    ----------
    model, data
    tau : TauDensity
    grid : Grid
        Of effects, which resolves every smooth likelihood.
    graded : ndarray of bool, shape (k,)
        Studies whose likelihood is tabulated in the logarithm of the effect instead.
    far : float
        As far as they are.
    """

    model: RandomEffects
    data: Data
    tau: TauDensity
    grid: Grid
    graded: NDArray[np.bool_]
    far: float


@final
@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What it takes to draw from a posterior that was integrated over mu and tau.

    Attributes
    ----------
    ground : Ground
    tau_nodes, mu_nodes : ndarray, shapes (t,) and (m,)
    mass : ndarray, shape (t, m)
        Posterior probabilities of the nodes.
    """

    ground: Ground
    tau_nodes: Array
    mu_nodes: Array
    mass: Array


@lru_cache(maxsize=8)  # the predictive check and the file want the same draws
def draw(fit: Source, n: int | None, seed: int) -> Mapping[str, Array]:
    """Draw tau, mu given tau, each study's effect, its baseline where there is one, a new effect.

    Parameters
    ----------
    fit : Source
    n : int or None
        4,000 where not given.
    seed : int

    Returns
    -------
    mapping of str to ndarray
        ``mu``, ``tau``, ``theta_new`` of shape (1, n); ``theta`` and ``baseline`` (1, n, k).
    """
    columns = place(fit, even(n or 4000, 3 + 2 * fit.ground.data.k, seed))
    for values in columns.values():
        values.setflags(write=False)
    return {name: values[None] for name, values in columns.items()}


def draw_shared(fit: Source, n: int, seed: int) -> Mapping[str, Array]:
    """Draw tau, and mu given tau, each (n,), without the studies' effects, which take longest."""
    u = even(n, 2, seed)
    tau = np.maximum(tabled(fit.ground.tau.quantile, u[:, 0]), fit.ground.tau.low)
    return {"mu": _mu_given_tau(fit, tau, u[:, 1]), "tau": tau}


def place(fit: Source, u: Array) -> dict[str, Array]:
    """Turn points of the unit cube, (n, 3 + 2k), into draws: of tau, mu, a new effect, the rest."""
    ground = fit.ground
    df, k = ground.model.df, ground.data.k
    assert not isinstance(df, Prior)
    tau = np.asarray(ground.tau.quantile(u[:, 0]))
    mu = _mu_given_tau(fit, tau, u[:, 1])
    noise = ndtri(u[:, 2]) if df is None else stdtrit(df, u[:, 2])
    own = place_effects(ground, np.repeat(mu[:, None], k, axis=1), tau, u[:, 3:])
    theta = own.pop("theta")
    return {"mu": mu, "tau": tau, "theta": theta, "theta_new": mu + tau * noise, **own}


def place_effects(ground: Ground, expected: Array, tau: Array, u: Array) -> dict[str, Array]:
    """Turn points of the unit cube, (n, 2k), into draws of effects, and of baselines if any.

    Parameters
    ----------
    ground : Ground
    expected : ndarray, shape (n, k)
        Where each study's effect is expected.
    tau : ndarray, shape (n,)
    u : ndarray, shape (n, 2k)

    Returns
    -------
    dict of str to ndarray, each (n, k)
        ``theta``, and ``baseline`` where there is one.
    """
    k = ground.data.k
    each = [_effects(ground, i, expected[:, i], tau, u[:, i]) for i in range(k)]
    columns = {"theta": np.stack(each, axis=1)}
    paired = ground.model.likelihood.paired
    if paired is not None:
        found = [
            _baselines(*paired, row, each[i], u[:, k + i])
            for i, row in enumerate(rows(ground.data))
        ]
        columns["baseline"] = np.stack(found, axis=1)
    return columns


def _mu_given_tau(fit: Source, tau: Array, u: Array) -> Array:
    """Invert the distribution of mu given tau, interpolated smoothly between the nodes of tau."""

    def mapped(tau: Array) -> Array:
        above = tau - fit.ground.tau.low
        return above / (above + fit.ground.tau.scale)

    places = Family.of(mapped(fit.tau_nodes), fit.mass).quantile(mapped(tau), u)
    mu = make_interp_spline(np.arange(fit.mu_nodes.size), fit.mu_nodes, k=5)(places)
    return np.clip(mu, *fit.ground.model.overall.support)


def _effects(fit: Ground, i: int, mu: Array, tau: Array, u: Array) -> Array:
    """Draw one study's effects given mu and tau."""
    table, own = _Table.of(fit, i), _own_points(fit, i)
    tau = np.maximum(tau, LEAST * fit.tau.scale)
    df = fit.model.df
    assert not isinstance(df, Prior)
    found = np.empty_like(mu)
    for some in np.array_split(np.arange(mu.size), -(-mu.size // BLOCK)):
        low, high = _ends(table, mu[some], tau[some], df)
        at, log_p = _looked_at(table, low, high, mu[some], tau[some], df, own)
        found[some] = invert_rows(at, log_p, u[some])
    return found


def _looked_at(
    table: "_Table", low: Array, high: Array, mu: Array, tau: Array, df: float | None, own: Array
) -> tuple[Array, Array]:
    """Points and log densities of each row, drawn together until they fill what is seen of it."""
    looks = 0
    while True:
        at = _points(low, high, mu, tau, df, own)
        log_p = table.at(at) + _log_kernel((at - mu[:, None]) / tau[:, None], df)
        wide, looks = high - low, looks + 1
        low, high = _visible(at, log_p)
        if looks == LOOKS or (wide <= 2 * (high - low)).all():
            return at, log_p


class _Table:
    """Log likelihood of one study, at most 0, to be read off by straight lines."""

    __slots__ = ("_falling", "_rising", "log_l", "x")

    def __init__(self, x: Array, log_l: Array) -> None:
        self.x, self.log_l = x, log_l - log_l.max()
        self._rising = np.maximum.accumulate(self.log_l)
        self._falling = np.maximum.accumulate(self.log_l[::-1])

    @classmethod
    def of(cls, fit: Ground, i: int) -> "_Table":
        """Refine the grid of a smooth study; one with a corner is tabulated towards it."""
        one = np.arange(fit.data.k) == i
        data = fit.data.keep(one)
        se = float(rough_effects(fit.model.likelihood, data)[1][0])
        if fit.graded[i]:
            sides = sides_of(fit.model.likelihood, data, fit.far, TABLED)
            both = [log_likelihoods(fit.model.likelihood, data, side, SPACING)[0] for side in sides]
            return cls(
                np.concatenate([sides[0].points[::-1], sides[1].points]),
                np.concatenate([both[0][::-1], both[1]]),
            )
        log_l = log_likelihoods(fit.model.likelihood, data, fit.grid, TABLED)[0]
        log_l = log_l - log_l.max()
        seen = np.flatnonzero(log_l > -700)
        inside = slice(seen[0], seen[-1] + 1)
        x, log_l = fit.grid.points[inside], np.maximum(log_l[inside], EMPTY)
        finer = int(np.ceil(fit.grid.step / (FINE * min(se, 1.0))))
        fine = np.linspace(x[0], x[-1], finer * (x.size - 1) + 1)
        return cls(fine, make_interp_spline(x, log_l, k=5)(fine))

    def at(self, theta: Array) -> Array:
        """Log likelihood at theta."""
        return np.interp(theta, self.x, self.log_l)

    def where(self, level: Array) -> tuple[Array, Array]:
        """Ends of where it reaches a level."""
        first = np.searchsorted(self._rising, level) - 1
        last = self.x.size - np.searchsorted(self._falling, level)
        return self.x[np.maximum(first, 0)], self.x[np.minimum(last, self.x.size - 1)]

    @property
    def peak(self) -> float:
        """Where it is highest."""
        return float(self.x[self.log_l.argmax()])


def _ends(table: _Table, mu: Array, tau: Array, df: float | None) -> tuple[Array, Array]:
    """Where both factors of the density reach what its highest value leaves visible.

    Each factor is 1 at most, so their product is at most the smaller of them, and at its highest
    it is at least what it is at either peak.
    """
    at_peak = _log_kernel((table.peak - mu) / tau, df)
    level = np.maximum(table.at(mu), at_peak) - FAINT
    low, high = table.where(level)
    far = tau * _z_of(level, df)
    low, high = np.maximum(low, mu - far), np.minimum(high, mu + far)
    return np.minimum(low, high), np.maximum(low, high)


def _visible(at: Array, log_p: Array) -> tuple[Array, Array]:
    """Points just beyond which nothing is seen of the density, row by row."""
    seen = log_p > log_p.max(axis=1, keepdims=True) - FAINT
    row, last = np.arange(len(at)), at.shape[1] - 1
    first, end = seen.argmax(axis=1), last - seen[:, ::-1].argmax(axis=1)
    return at[row, np.maximum(first - 1, 0)], at[row, np.minimum(end + 1, last)]


def _z_of(level: Array, df: float | None) -> Array:
    """Where the standard density of the effects, 1 at most, falls to a log level."""
    if df is None:
        return np.sqrt(-2 * level)
    return np.sqrt(df * np.expm1(np.minimum(-2 * level / (df + 1), 600.0)))


def _log_kernel(z: Array, df: float | None) -> Array:
    return -0.5 * z**2 if df is None else -0.5 * (df + 1) * np.log1p(z**2 / df)


def _own_points(fit: Ground, i: int) -> Array:
    """Points at which a study's own features are seen, whatever mu and tau."""
    data = fit.data.keep(np.arange(fit.data.k) == i)
    y, se = (float(one[0]) for one in rough_effects(fit.model.likelihood, data))
    far = fit.far + abs(y)
    found = [y + _crowded(se, far)] if fit.model.df is not None else []
    if fit.graded[i]:
        found.append(_crowded(1e-3 * se, 2 * se))
    return np.concatenate(found) if found else np.empty(0)


def _crowded(scale: float, far: float) -> Array:
    """Points about zero, `GRADED` scales apart there and ever farther away from it."""
    last = np.arcsinh(far / scale)
    half = int(np.ceil(last / GRADED))
    return scale * np.sinh(GRADED * np.arange(-half, half + 1))


def _points(low: Array, high: Array, mu: Array, tau: Array, df: float | None, own: Array) -> Array:
    """Points between the ends of each draw, (n, points), that show all features there."""
    found = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, POINTS)
    if df is None and not own.size:
        return found
    if df is not None:
        far = float(np.max(np.maximum(high - mu, mu - low) / tau))
        found = mu[:, None] + tau[:, None] * _crowded(1.0, far)
    own = np.broadcast_to(own, (mu.size, own.size))
    return np.sort(np.clip(np.hstack([found, own]), low[:, None], high[:, None]), axis=1)


def _baselines(link: str, prior: Prior, row: Row, theta: Array, u: Array) -> Array:
    """Draw one study's baselines given its effects, in the variable of their nodes."""
    joint = joint_density(row, link, prior)
    mode, s = mode_of_beta(joint, theta, float(start_of_baseline(np, link, row)))
    at = alive(joint, theta, mode, s, SPACING, reach_of(prior), every=max(1, theta.size // 128))
    found = np.empty_like(theta)
    for some in np.array_split(np.arange(theta.size), -(-theta.size // BLOCK)):
        log_p = _log_at_nodes(joint, theta[some], mode[some], s[some], at)
        found[some] = invert_rows(np.broadcast_to(at, log_p.shape), log_p, u[some])
    return np.clip(mode + s * np.sinh(found), -FARTHEST, FARTHEST)


def _log_at_nodes(joint: Joint, theta: Array, mode: Array, s: Array, at: Array) -> Array:
    beta, log_weight = beta_nodes(mode, s, at, SPACING)
    return joint(theta[:, None], beta) + log_weight
