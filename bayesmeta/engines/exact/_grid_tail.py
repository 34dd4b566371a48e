"""Moments of tau beyond the grid, where its prior falls so slowly that they matter."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ..likelihood.kernels import log_kernel
from ..likelihood.points import Grid

type Array = NDArray[np.float64]

CELL = 0.02  # of tau: out there the effects' distribution is flat over a cell
MOST_MU = 120  # nodes of mu: so is everything but its prior
FURTHER, NODES = 1e3, 41  # times the last tau, in the logarithm
NOTHING = 60.0  # log of the share of a prior's second moment that is left out


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

    In a cell the distribution of the effects is taken to second order about its middle.

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
    middle = 0.5 * (grid.points[cells] + grid.points[np.append(cells[1:], grid.size) - 1])
    off = grid.points - np.repeat(middle, np.diff(cells, append=grid.size))
    parts = [np.add.reduceat(likelihood * off**n, cells, axis=1) * grid.step for n in range(3)]
    tau = last * np.geomspace(1, FURTHER, NODES)
    at_tau = np.full(NODES, -np.inf)
    left = log_tau(tau) + 3 * np.log(tau)  # out there the likelihood falls
    for t, one in enumerate(tau[: int(np.flatnonzero(left > left[0] - NOTHING).max()) + 1]):
        kernel = _kernel((middle[:, None] - mu[few]) / one, df)
        each = sum(
            part @ deep / one**n for n, (part, deep) in enumerate(zip(parts, kernel, strict=True))
        )
        at_tau[t] = logsumexp(np.log(each / one).sum(axis=0) + log_mu[few]) + np.log(every)
    density = np.exp(at_tau + log_tau(tau) - log_z)
    return np.array([simpson(density * tau**n * tau, x=np.log(tau)) for n in (1, 2)])


def _kernel(z: Array, df: float | None) -> tuple[Array, Array, Array]:
    """Density of the standard study effect, its slope and half its second derivative."""
    value = np.exp(log_kernel(z, df))
    if df is None:
        return value, -z * value, (z**2 - 1) * value / 2
    rest = df + z**2
    fall = (df + 1) * z / rest
    return value, -fall * value, (fall**2 - (df + 1) * (df - z**2) / rest**2) * value / 2
