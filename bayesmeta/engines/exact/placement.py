"""Where the program of fixed sizes looks: by a rough normal posterior, then by what it found there.

Estimates with ½ added to their cells pull many sparse studies to one side together, so that a rough
posterior of hundreds may lie beside the right one. What a first look finds says better where the
nodes belong.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .program import Rough, Table
from .tau_nodes import fejer

type Values = NDArray[np.float64]

FURTHER = 2.0  # times as far, at most, in one step
NARROWER = 0.2  # times as narrow, at least
FEW = 1e-9  # posterior mass of a node of tau, below which nothing is told of mu there
SPACING_OF_MU, MOST_NODES_OF_MU = 0.7, 320  # standard deviations given tau; exact to 1e-15
PER_SD, MOST_NODES = 7.0, 160  # of tau: a series of a normal density is then exact to 1e-10


class Placement(NamedTuple):
    """Where nodes belong, and how many of tau and mu it takes to see their posterior."""

    rough: Rough
    tau_nodes: int
    mu_nodes: int


def measured(found: Table, cut: float, width: float) -> Placement | None:
    """Where nodes belong by what was found, of one table.

    Where the density at the last node is not yet low enough it is taken to go on falling as it does
    there, but not further than `FURTHER` times as far. None where what was found are no numbers.

    Parameters
    ----------
    found : Table
    cut : float
        Log of the relative density beyond which nothing is integrated.
    width : float
        Of the support of tau.
    """
    mass, mu, tau = found.mass, found.mu, found.tau
    x, weight, _ = fejer(tau.size)
    u = -1 + (found.end + 1) * (x + 1) / 2
    per_tau = weight * (found.end + 1) * found.scale / (1 - u) ** 2
    per_mu = found.sd * np.cosh(found.v)
    log_p = np.log(np.maximum(mass / per_tau[:, None] / per_mu, 1e-300))
    drop = log_p.max() - log_p  # (t, m)
    at_tau = mass.sum(axis=1)
    mean = float(mass.sum(axis=0) @ mu)
    told = at_tau > FEW
    given = (mass[told] @ mu) / at_tau[told]
    sd = np.sqrt(np.maximum(mass[told] @ mu**2 / at_tau[told] - given**2, 0.0))
    sd = np.maximum(sd, NARROWER * float(found.sd))
    lowest = drop.min(axis=0)  # by mu
    if not np.isfinite(drop).all():
        return None
    low = mu[0] - _further(mu, lowest, cut, (0, 1))
    high = mu[-1] + _further(mu, lowest, cut, (-1, -2))
    inside = mu[lowest < cut]
    low = low if lowest[0] < cut else inside[0]
    high = high if lowest[-1] < cut else inside[-1]
    reach = max(mean - low, high - mean, 4 * float(sd.min()))
    by_tau = drop.min(axis=1)
    far = float((tau - found.low)[by_tau < cut].max()) * 1.1
    if by_tau[0] < cut:
        far = float(tau[0] - found.low) + _further(tau, by_tau, cut, (0, 1))
    far = min(far, width)
    left = np.maximum(cut - by_tau, 0.0)
    spread = reach + float((np.sqrt(2 * left) * np.maximum(tau, found.low)).max())
    spread = max(spread, reach + float(found.low))
    above = np.cumsum(at_tau)
    scale = float((tau - found.low)[np.searchsorted(above, 0.5 * above[-1])])
    scale = float(np.clip(scale, 2e-3 * far, 0.45 * far))
    sd_of_tau = float(np.sqrt(at_tau @ (tau - at_tau @ tau) ** 2))
    on_x = sd_of_tau * (far + scale) / (2 * scale * far)  # of the variable of the nodes
    count = int(np.clip(PER_SD / on_x, 0, MOST_NODES))
    narrow, nodes = _map_of_mu(given - mean, sd, reach)
    return Placement(Rough(mean, narrow, reach, spread, far, scale), count, nodes)


def _map_of_mu(off: Values, sd: Values, reach: float) -> tuple[float, int]:
    """The scale of mu's map that sees every normal of mu given tau in the fewest nodes."""
    scale = np.geomspace(sd.min(), max(reach, sd.min()), 30)
    step = SPACING_OF_MU * (sd / np.hypot(scale[:, None], off)).min(axis=1)
    count = 2 * np.arcsinh(reach / scale) / step
    best = int(np.argmin(count))
    return float(scale[best]), 2 * int(np.ceil(min(count[best], MOST_NODES_OF_MU) / 2))


def _further(at: Values, drop: Values, cut: float, ends: tuple[int, int]) -> float:
    """How much further than the last node a density may be followed until it is low enough."""
    last, before = ends
    step = abs(float(at[last] - at[before]))
    slope = max(float(drop[last] - drop[before]), 0.0) / step
    most = (FURTHER - 1) * float(np.ptp(at))
    return min((cut - float(drop[last])) / slope, most) if slope > 0 else most
