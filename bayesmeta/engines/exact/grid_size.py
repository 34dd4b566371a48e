"""How fine one pass over the grid is, how far it goes, and where tau is centred."""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr, stdtrit

from ...errors import ModelError
from ...model import Data, Model, RandomEffects, Scatter
from ...priors import Prior, log_density
from ...ways import way
from ..likelihood.points import Grid
from ..likelihood.rough import rough_effects
from ..likelihood.study import log_likelihoods
from .reach import Reach, log_prior_of_tau

if TYPE_CHECKING:
    from ..likelihood.corners import Corners


type Array = NDArray[np.float64]
TAPER = 8.5  # standard deviations from one to zero in double precision
NARROW = 0.5  # of the data's features: a prior of mu narrower than that does not make the grid
LARGEST_GRID = 2**18  # points; beyond, the studies differ too much in precision for one grid


class Resolution(NamedTuple):
    """How fine one pass is."""

    nodes: int  # of tau
    step: float  # of the grid, as a share of the narrowest feature
    spacing: float  # of the baseline's rule
    tail: float  # of Student-t effects, left outside the grid


PASSES = (
    Resolution(40, 0.50, 0.14, 1e-6),
    Resolution(52, 0.35, 0.12, 3e-7),
    Resolution(96, 0.28, 0.10, 3e-7),
    Resolution(160, 0.20, 0.07, 1e-7),
    Resolution(280, 0.13, 0.05, 3e-8),
)


def tables_of(
    model: RandomEffects, data: Data, resolution: Resolution, mu: float, tau: float, grid: Grid
) -> "Corners":
    """Tables of studies as far as effects go, if mu and tau do so far, and as the grid does."""
    from ..likelihood.corners import tabulate

    far = TAPER if model.df is None else float(stdtrit(model.df, 1 - resolution.tail))
    farthest = max(mu + far * tau, float(np.abs(grid.points[[0, -1]]).max()))
    return tabulate(model.likelihood, data, farthest, resolution.step, resolution.spacing)


class Curves(NamedTuple):
    """Likelihoods of the studies on a grid, scaled to 1 at most, (k, size).

    With their transforms, (k, frequencies), and the logs of their scales, (k,).
    """

    likelihood: Array
    fourier: NDArray[np.complex128]
    top: Array


def curves_of(
    model: RandomEffects,
    data: Data,
    corner: NDArray[np.bool_],
    tables: "Corners | None",
    resolution: Resolution,
    grid: Grid,
) -> Curves:
    """What the studies say on the grid, those with a corner off their tables."""
    from ..likelihood.corners import at_effects

    logs = np.empty((data.k, grid.size))
    if tables is not None:
        logs[corner] = at_effects(tables, grid.points) + tables.top[:, None]
    if not corner.all():
        others = data.keep(~corner) if corner.any() else data
        logs[~corner] = log_likelihoods(model.likelihood, others, grid, resolution.spacing)
    top = logs.max(axis=1, keepdims=True)
    ends = np.abs(grid.points - grid.centre)
    taper = min(0.5, grid.half / 40)
    window = ndtr((grid.half - 0.5 * TAPER * taper / 0.5 - ends) / taper)
    likelihood = np.exp(logs - top) * window
    return Curves(likelihood, np.fft.rfft(likelihood, axis=1), top[:, 0])


def grid_for(resolution: Resolution, model: Model, data: Data, reach: Reach, sharp: float) -> Grid:
    """A grid that resolves the narrowest study and the pooled effect, in rounded steps.

    Steps are powers of √2, so that scenarios of one table share their grids; zero is a point.
    `sharp` is how wide the narrowest feature of the prior of mu is.
    """
    _, se = rough_effects(model.likelihood, data)
    pooled = float((se**-2.0).sum() ** -0.5)
    features = [float(se.min()), 1.5 * pooled]
    if model.likelihood.counted:
        features.append(0.8)
    if sharp > NARROW * min(features):  # else mu has nodes of its own
        features += [sharp, (reach.high - reach.low) / 4]
    finest = resolution.step * min(features)
    step = 2 ** (np.floor(2 * np.log2(finest)) / 2)
    df = model.between.df if isinstance(model.between, Scatter) else None
    assert not isinstance(df, Prior)
    far = TAPER if df is None else float(stdtrit(df, 1 - resolution.tail))
    room = far * reach.tau + min(TAPER, 20 * float(se.max()))
    centre = step * np.round(reach.middle / step)
    half = 0.5 * (reach.high - reach.low) + room + step
    rounded = 2 ** (np.ceil(4 * np.log2(half)) / 4)
    size = fast_size(2 * rounded / step)
    if size > LARGEST_GRID:
        raise ModelError(
            f"The exact engine would need {size:,} grid points: the most precise study has a "
            f"standard error of {se.min():.3g} beside effects that may spread over {half:.3g}. "
            f"Use {way('nuts')}, normal study effects or a narrower prior of tau."
        )
    return Grid(float(centre), float(step), size)


def fast_size(least: float) -> int:
    """A size that transforms fast, and into two halves."""
    from scipy.fft import next_fast_len

    return 2 * int(next_fast_len(int(np.ceil(least / 2)), real=True))  # pyright: ignore[reportArgumentType]


def centre_of_tau(
    model: RandomEffects,
    data: Data,
    grid: Grid,
    reach: Reach,
    given: "partial[Array]",
    low: float,
    high: float,
) -> float:
    """A rough posterior median of tau - low, rounded, where its nodes are centred."""
    trial = (high - low) * np.geomspace(1e-3, 1.0, 25)
    at_mu = np.array([given(low + one).sum(axis=0) for one in trial])
    x = grid.points
    inside = np.abs(x - np.clip(x, reach.low, reach.high)) <= grid.step / 2
    prior = log_density(model.overall, np.clip(x[inside], reach.low, reach.high))
    prior = np.where(np.isfinite(prior), prior, 0.0)
    log_mass = logsumexp(at_mu[:, inside] + prior, axis=1)
    log_mass = log_mass + log_prior_of_tau(model, data, low + trial) + np.log(trial)
    log_mass = np.where(np.isfinite(log_mass), log_mass, -np.inf)  # a pole at its very end
    mass = np.cumsum(np.exp(log_mass - log_mass.max()))
    middle = float(np.interp(0.5 * mass[-1], mass, trial)) / (high - low)
    rounded = 2 ** np.round(np.log2(max(middle, 1e-3)))  # refits share their nodes
    return float((high - low) * min(rounded, 0.45))
