"""Independent joint draws from a posterior that was integrated on a grid."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..model import BinomialNormal, PoissonNormal
from ..priors import Prior
from ..studies import Studies
from ._grid import Pass
from ._likelihoods import rows
from ._tables import (
    Row,
    alive,
    beta_nodes,
    joint_density,
    mode_of_beta,
    start_of_beta,
)

type Array = NDArray[np.float64]


@lru_cache(maxsize=8)  # the predictive check and the file want the same draws
def draw(fit: Pass, n: int | None, seed: int) -> Mapping[str, Array]:
    """Draw tau, mu given tau, each study's effect, its baseline where there is one, a new effect.

    Parameters
    ----------
    fit : Pass
    n : int or None
        4,000 where not given.
    seed : int

    Returns
    -------
    mapping of str to ndarray
        ``mu``, ``tau``, ``theta_new`` of shape (1, n); ``theta`` and ``baseline`` (1, n, k).
    """
    rng = np.random.default_rng(seed)
    n = n or 4000
    tau, mu = _draw_tau_mu(fit, n, rng)
    theta = np.stack([_draw_theta(fit, i, mu, tau, rng) for i in range(fit.data.k)], axis=1)
    df = fit.model.df
    assert not isinstance(df, Prior)
    noise = rng.standard_normal(n) if df is None else rng.standard_t(df, n)
    columns = {"mu": mu, "tau": tau, "theta": theta, "theta_new": mu + tau * noise}
    if isinstance(fit.model, BinomialNormal | PoissonNormal):
        assert isinstance(fit.data, Studies)
        columns["baseline"] = np.stack(
            [
                _draw_baseline(fit.model, row, theta[:, i], rng)
                for i, row in enumerate(rows(fit.data))
            ],
            axis=1,
        )
    for values in columns.values():
        values.setflags(write=False)
    return {name: values[None] for name, values in columns.items()}


def _draw_tau_mu(fit: Pass, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw tau by inversion, and mu from its conditional, interpolated between nodes of tau."""
    tau = fit.tau.quantile(rng.uniform(size=n))
    order = np.argsort(fit.nodes.tau)
    nodes = fit.nodes.tau[order]
    conditional = fit.mu_rows[order] / fit.mu_rows[order].sum(axis=1, keepdims=True).clip(1e-300)
    right = np.clip(np.searchsorted(nodes, tau), 1, nodes.size - 1)
    share = np.clip((tau - nodes[right - 1]) / (nodes[right] - nodes[right - 1]), 0, 1)
    row = np.where(rng.uniform(size=n) < share, right, right - 1)
    cumulative = np.cumsum(conditional, axis=1)
    u = rng.uniform(size=n)
    mu = np.empty(n)
    for one in np.unique(row):
        here = row == one
        mu[here] = np.interp(u[here], cumulative[one], fit.mu_at)
    return tau, mu


def _draw_theta(
    fit: Pass, i: int, mu: Array, tau: Array, rng: np.random.Generator, points: int = 160
) -> Array:
    """Draw one study's effects given mu and tau, by inversion on a grid of its own per draw."""
    x, df = fit.grid.points, fit.model.df
    assert not isinstance(df, Prior)
    with np.errstate(divide="ignore"):
        log_l = np.log(fit.likelihood[i])
    seen = x[log_l > -45]
    far = 7 if df is None else 40
    low = np.maximum(mu - far * tau, min(seen[0], *(mu + (far - 1) * tau)))
    high = np.maximum(np.minimum(mu + far * tau, seen[-1]), low + 1e-9)
    low = np.minimum(np.maximum(low, seen[0]), high - 1e-9)
    points = points if df is None else 4 * points
    grid = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, points)
    log_p = np.interp(grid, x, np.maximum(log_l, -745.0))
    z2 = ((grid - mu[:, None]) / tau[:, None]) ** 2
    log_p = log_p - (0.5 * z2 if df is None else 0.5 * (df + 1) * np.log1p(z2 / df))
    return _invert_rows(grid, log_p, rng)


def _draw_baseline(
    model: BinomialNormal | PoissonNormal, row: Row, theta: Array, rng: np.random.Generator
) -> Array:
    joint = joint_density(row, model.link, model.baseline)  # pyright: ignore[reportArgumentType]
    mode, s = mode_of_beta(joint, theta, start_of_beta(row, model.link))
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
