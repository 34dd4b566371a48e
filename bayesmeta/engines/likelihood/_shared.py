"""Studies' densities where baselines are drawn from one normal distribution: two effects to sum."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, gammaln

from ...errors import ModelError
from ...model import OfCounts, Scatter
from ...studies import Studies
from .kernels import log_kernel
from .laws import FARTHEST, log_risks
from .points import Row
from .rough import rough_effects
from .study import rows
from .terms import Terms, df_of

type Array = NDArray[np.float64]

STEP = 0.12  # of the nodes, as a share of the narrowest study
FAR = 7.5  # standard deviations within which effects and baselines are summed
WIDE = 1.2  # nodes that a standard deviation must span
MOST = 4000  # nodes of either
FAR_T, NEAREST = 1e4, 1e-4  # scales of Student-t effects summed, and of standard errors


def shared_baselines(
    of: OfCounts, between: Scatter, data: Studies, draws: Mapping[str, Array]
) -> Terms:
    """Sum the joint density of each study over a grid of its effect and its baseline."""
    mu, tau = draws["mu"], draws["tau"]
    mean, sd = draws["baseline_mean"], draws["baseline_sd"]
    se = float(rough_effects(of, data)[1].min())
    df = df_of(between, draws)
    beta = _nodes(mean, sd, STEP * se)
    on_beta = _weights(beta, mean, sd)
    if df is None:
        theta = _nodes(mu, tau, STEP * se)
        on_theta = _weights(theta, mu, tau)
    else:
        theta, on_theta = _far_reaching(mu, tau, df, se)
    found = []
    for row in rows(data):
        logs = _joint(row, of.link, theta[:, None], beta)
        top = [float(each.max()) for each in logs]
        sums = [
            ((on_theta @ np.exp(each - (one if np.isfinite(one) else 0.0))) * on_beta).sum(axis=1)
            for each, one in zip(logs, top, strict=True)
        ]
        with np.errstate(divide="ignore"):
            found.append(
                [np.log(np.maximum(each, 0.0)) + one for each, one in zip(sums, top, strict=True)]
            )
    every, given, below = np.moveaxis(np.array(found), 0, 2)
    return Terms(every, given, below)


def _joint(row: Row, link: str, theta: Array, beta: Array) -> tuple[Array, Array, Array]:
    """Logs of both arms, of the control arm, and of that with fewer events of treatment."""
    a, n1, c, n0 = row
    clipped = np.clip(theta, -FARTHEST, FARTHEST)
    p1, q1, p0, q0 = log_risks(np, link, clipped, beta)
    constants = [
        gammaln(n + 1) - gammaln(r + 1) - gammaln(n - r + 1) for r, n in ((a, n1), (c, n0))
    ]
    control = constants[1] + c * p0 + (n0 - c) * q0
    with np.errstate(divide="ignore"):
        fewer = (
            np.log(bdtr(a - 1, int(n1), np.exp(p1))) if a > 0 else np.full_like(control, -np.inf)
        )
    return control + constants[0] + a * p1 + (n1 - a) * q1, control, control + fewer


def _nodes(mean: Array, sd: Array, step: float) -> Array:
    low, high = float((mean - FAR * sd).min()), float((mean + FAR * sd).max())
    size = int(max(np.ceil((high - low) / step), 64))
    if size > MOST:
        raise ModelError(
            f"A study's own density would need {size:,} nodes: the most precise study is too "
            "precise beside the spread of the baselines or effects. Use independent baselines."
        )
    return np.linspace(low, high, size)


def _far_reaching(mu: Array, tau: Array, df: Array | float, se: float) -> tuple[Array, Array]:
    """Nodes and weights for Student-t effects: dense at zero, as far as their tails reach.

    Effects narrower than the nodes near mu are taken as wide as these: well below any study's
    standard error.
    """
    step = STEP * min(0.25, float(se / (np.abs(mu).max() + 2 * se)))
    far = float((np.abs(mu) + FAR_T * tau).max())
    v = np.arange(np.log(NEAREST * se), np.log(far) + step, step)
    theta = np.concatenate((-np.exp(v[::-1]), [0.0], np.exp(v)))
    weight = np.concatenate((np.exp(v[::-1]), [2 * np.exp(v[0]) / step], np.exp(v))) * step
    scale = np.maximum(tau, WIDE * step * np.abs(mu))[:, None]
    nu = df[:, None] if isinstance(df, np.ndarray) else df
    return theta, np.exp(log_kernel((theta - mu[:, None]) / scale, nu)) * weight / scale


def _weights(x: Array, mean: Array, sd: Array) -> Array:
    """Weights (n, size) that turn values at uniform nodes into means over N(mean, sd²).

    Where the nodes resolve it, of the trapezoidal rule; else of cubic interpolation.
    """
    step = x[1] - x[0]
    wide = sd >= WIDE * step
    found = np.zeros((mean.size, x.size))
    z = (x - mean[wide, None]) / sd[wide, None]
    found[wide] = np.exp(log_kernel(z, None)) * step / sd[wide, None]
    u = np.arange(-7.2, 7.3, 0.6)
    share = np.exp(log_kernel(u, None)) * 0.6
    place = (mean[~wide, None] + sd[~wide, None] * u - x[0]) / step
    cell = np.clip(np.floor(place).astype(int), 1, x.size - 3)
    at = np.broadcast_to(np.flatnonzero(~wide)[:, None], cell.shape)
    for shift, weight in zip((-1, 0, 1, 2), _cubic(place - cell), strict=True):
        np.add.at(found, (at, cell + shift), share * weight)
    return found


def _cubic(t: Array) -> tuple[Array, Array, Array, Array]:
    """Lagrange weights of the nodes -1, 0, 1 and 2 at t."""
    return (
        -t * (t - 1) * (t - 2) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        -(t + 1) * t * (t - 2) / 2,
        (t + 1) * t * (t - 1) / 6,
    )
