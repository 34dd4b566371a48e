"""Moments of tau beyond the grid, where its prior falls so slowly that they matter."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ..likelihood.corners import log_kernel
from ..likelihood.points import Grid

type Array = NDArray[np.float64]

CELL = 0.02  # of tau: out there the effects' distribution is flat over a cell
MOST_MU = 120  # nodes of mu: so is everything but its prior
FURTHER, NODES = 1e3, 41  # times the last tau, in the logarithm


def moments_beyond(
    likelihood: Array,
    grid: Grid,
    df: float | None,
    mu: Array,
    log_mu: Array,
    log_tau: Callable[[Array], Array],
    last: float,
    log_z: float,
) -> Array:
    """First two moments of tau beyond `last`, by sums over coarse cells of theta.

    Parameters
    ----------
    likelihood : ndarray, shape (k, size)
        On the grid.
    grid : Grid
    df : float or None
        Of the study effects.
    mu, log_mu : ndarray, shape (m,)
        Nodes of mu, and the logs of prior times weight there.
    log_tau : callable
        Log prior density of tau.
    last : float
        Where the integration of tau ended.
    log_z : float
        Log marginal likelihood on the scale of `likelihood`.
    """
    from scipy.integrate import simpson

    every = max(1, mu[np.isfinite(log_mu)].size // MOST_MU)
    few = np.flatnonzero(np.isfinite(log_mu))[::every]
    cells = np.arange(0, grid.size, max(1, int(CELL * last / grid.step)))
    mass = np.add.reduceat(likelihood, cells, axis=1) * grid.step
    first = np.add.reduceat(likelihood * grid.points, cells, axis=1) * grid.step
    theta = first / np.maximum(mass, 1e-300)
    tau = last * np.geomspace(1, FURTHER, NODES)
    at_tau = np.empty(NODES)
    for t, one in enumerate(tau):
        z = (theta[:, None] - mu[few, None]) / one
        each = np.log((mass[:, None] * np.exp(log_kernel(z, df))).sum(axis=-1) / one)
        at_tau[t] = logsumexp(each.sum(axis=0) + log_mu[few]) + np.log(every)
    density = np.exp(at_tau + log_tau(tau) - log_z)
    return np.array([simpson(density * tau**n * tau, x=np.log(tau)) for n in (1, 2)])
