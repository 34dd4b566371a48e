"""Where tau is integrated, Chebyshev nodes in a map of its support, and its density there."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...model import Model
from ...posterior import (
    TauDensity,
)
from ...posterior.tau import FARTHEST, tau_of
from ...priors import (
    Beta,
    Gamma,
    LogStudentT,
    Mixture,
    Prior,
)
from ...ways import shown

type Array = NDArray[np.float64]
STEEPEST = 0.05  # power of a pole that is mapped: a steeper one leaves no float near it
MOST_BEYOND = 1e-9  # prior mass of tau that no float holds
LARGEST_LOG = 1e11  # of a marginal likelihood: rounding then moves it by 1e-5


class TauNodes(NamedTuple):
    """Quadrature nodes for tau, shape (t,), and the logs of their weights."""

    tau: Array
    log_weight: Array
    x: Array


def logsumexp(values: Array, axis: int | None = None) -> Array:
    """Log of a sum of exponentials; SciPy's costs more than the whole integral."""
    top = np.max(values, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total = np.log(np.exp(values - top).sum(axis=axis, keepdims=True)) + top
    return total.reshape(()) if axis is None else np.squeeze(total, axis=axis)


@lru_cache(maxsize=32)
def fejer(count: int) -> tuple[Array, Array, Array]:
    """Chebyshev nodes of the first kind, Fejér's weights, and values -> coefficients."""
    angle = np.pi * (np.arange(count) + 0.5) / count
    order = np.arange(count)
    to_series = 2 / count * np.cos(np.outer(order, angle))
    to_series[0] /= 2
    even = order % 2 == 0
    integrals = np.where(even, 2 / (1 - np.where(even, order, 0) ** 2.0), 0.0)
    return np.cos(angle), integrals @ to_series, to_series


class TauMap(NamedTuple):
    """Where nodes of tau lie; see ``TauDensity``."""

    low: float
    scale: float
    end: float
    lower: float = 1.0
    upper: float = 1.0
    wide: float = 0.0

    @classmethod
    def of(cls, prior: Prior, low: float, high: float, scale: float) -> "TauMap":
        """Centred on `scale` above `low`, as far as `high`, with the poles of the prior mapped."""
        if wide := scale_of_log(prior):
            _refuse_beyond_floats(prior, scale)
            return cls(low, scale, _end_of_log(high / scale, wide), wide=wide)
        lower, upper = (1 / max(power, STEEPEST) for power in poles(prior))
        if np.isinf(high):
            return cls(low, scale, 1.0, lower, 1.0)
        ratio = ((high - low) / scale) ** (1 / lower)
        upper = upper if high >= prior.support[1] else 1.0
        return cls(low, scale, (ratio - 1) / (ratio + 1), lower, upper)


def poles(prior: Prior) -> tuple[float, float]:
    """Powers, at most 1, with which the mass of a prior begins at the ends of its support."""
    match prior:
        case Mixture():
            each = np.array([poles(part) for _, part in prior.parts])
            return float(each[:, 0].min()), float(each[:, 1].min())
        case Gamma():
            return min(prior.shape, 1.0), 1.0
        case Beta():
            return min(prior.a, 1.0), min(prior.b, 1.0)
        case _:
            return 1.0, 1.0


def scale_of_log(prior: Prior) -> float:
    """Scale of log tau where a prior has mass at every power of ten; 0 for all others."""
    return max((part.scale for _, part in prior.parts if isinstance(part, LogStudentT)), default=0)


def _refuse_beyond_floats(prior: Prior, scale: float) -> None:
    far = prior.cdf(scale * np.exp(-FARTHEST)) + 1 - prior.cdf(scale * np.exp(FARTHEST))
    if far > MOST_BEYOND:
        raise ModelError(
            f"{shown(prior)} has a share of {far:.1g} at values of tau so small or so large that "
            "no computer holds their squares; give it more degrees of freedom, 5 say, or a "
            "smaller scale."
        )


def _end_of_log(ratio: float, wide: float) -> float:
    """Where u of the map by exponentials ends, for tau up to `ratio` times its middle."""
    if np.isinf(ratio):
        return 1.0
    at = np.log(ratio) / wide
    return float(2 * at / (1 + np.sqrt(1 + 4 * at**2)))


def tau_nodes(count: int, at: TauMap) -> TauNodes:
    """Chebyshev nodes of the first kind, mapped."""
    x, weight, _ = fejer(count)
    tau, slope = tau_of(x, *at)
    with np.errstate(divide="ignore"):
        return TauNodes(tau, np.log(weight * slope), x)


def density_of_tau(nodes: TauNodes, log_posterior: Array, at: TauMap, moments: int) -> TauDensity:
    """Write the log posterior of tau at its nodes as a Chebyshev series."""
    _, weight, to_series = fejer(nodes.x.size)
    share = np.exp(log_posterior + nodes.log_weight)
    raw = np.array([share @ nodes.tau, share @ nodes.tau**2])
    series = to_series @ (share / weight)
    return TauDensity(at.low, at.scale, at.end, series, raw, moments, at.lower, at.upper, at.wide)


def support_of_tau(prior: Prior) -> tuple[float, float]:
    """The support of a prior of tau: a flat one starts at 0."""
    low, high = prior.support
    return max(low, 0.0), high


def finite_evidence(log_z: float, model: Model) -> float:
    """Refuse data that have no density under a model, or one of which rounding leaves nothing."""
    if not abs(log_z) < LARGEST_LOG:
        raise ModelError(
            f"The data have no density under {model!r}: the priors leave no room for them. "
            "Check the priors and the scale of the estimates."
        )
    return log_z


def evidence(model: Model, log_z: float) -> float | None:
    """The log marginal likelihood; under an improper prior it has no scale, so there is none."""
    return log_z if all(prior.proper for prior in model.priors.values()) else None
