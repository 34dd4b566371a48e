"""Priors of mu as mixtures of normals, truncated where they have ends: closed forms then serve."""

from dataclasses import dataclass
from functools import singledispatch
from math import lgamma
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...effects import EffectSizes
from ...errors import ModelError
from ...priors import (
    Flat,
    HalfCauchy,
    HalfNormal,
    HalfT,
    Mixture,
    Normal,
    Prior,
    StudentT,
    Uniform,
)
from ...ways import shown

type Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True)
class MuPrior:
    """A prior of mu as a mixture of normals with weights ``exp(log_weight)``, within bounds.

    `log_weight`, `mean` and `precision` have shape (g,); precision 0 stands for a flat density
    of height ``exp(log_weight)``.
    """

    log_weight: Array
    mean: Array
    precision: Array
    low: float = -np.inf
    high: float = np.inf

    @property
    def bounded(self) -> bool:
        """Whether the support has an end."""
        return bool(np.isfinite(self.low) or np.isfinite(self.high))


@singledispatch
def mu_prior(prior: Prior, farthest: float) -> MuPrior:
    """Write a prior of mu as a mixture of normals; `farthest` is the largest |y - centre|."""
    raise ModelError(not_taken(prior))


def not_taken(prior: Prior) -> str:
    """Say that a prior of mu is no mixture of normals, and what would do."""
    return (
        f"The exact engine cannot take {shown(prior)} for mu; use Normal, StudentT, Uniform, "
        "HalfNormal, HalfCauchy, HalfT, Flat or a Mixture of two of them with the same support, "
        "or NUTS(seed=...)."
    )


def takes_mu(prior: Prior) -> bool:
    """Whether this engine can take a prior of mu."""
    if isinstance(prior, Mixture):
        same = prior.first.support == prior.second.support
        return same and takes_mu(prior.first) and takes_mu(prior.second)
    return type(prior) in mu_prior.registry


@mu_prior.register
def _mu_normal(prior: Normal, farthest: float) -> MuPrior:
    return MuPrior(np.zeros(1), np.array([prior.mean]), np.array([prior.sd**-2.0]))


@mu_prior.register
def _mu_student_t(prior: StudentT, farthest: float) -> MuPrior:
    """Scale mixture: precision g / scale², g ~ Gamma(df/2, df/2); trapezoidal rule in log g."""
    df = prior.df
    reach = 80 / df + 13 / np.sqrt(df)
    conflict = np.log1p((farthest / prior.scale) ** 2 / df)
    step = min(0.3, 0.8 * np.sqrt(2 / df))
    log_g = np.arange(-reach - conflict, np.log1p(reach) + step, step)
    log_weight = df / 2 * (np.log(df / 2) + log_g - np.exp(log_g)) - lgamma(df / 2) + np.log(step)
    centre = np.full_like(log_g, prior.mean)
    return MuPrior(log_weight, centre, np.exp(log_g) / prior.scale**2)


@mu_prior.register
def _mu_uniform(prior: Uniform, farthest: float) -> MuPrior:
    height = np.array([-np.log(prior.high - prior.low)])
    return MuPrior(height, np.zeros(1), np.zeros(1), prior.low, prior.high)


@mu_prior.register
def _mu_half_normal(prior: HalfNormal, farthest: float) -> MuPrior:
    return _folded(_mu_normal(Normal(0, prior.scale), farthest))


@mu_prior.register
def _mu_half_cauchy(prior: HalfCauchy, farthest: float) -> MuPrior:
    return _folded(_mu_student_t(StudentT(1, 0, prior.scale), farthest))


@mu_prior.register
def _mu_half_t(prior: HalfT, farthest: float) -> MuPrior:
    return _folded(_mu_student_t(StudentT(prior.df, 0, prior.scale), farthest))


@mu_prior.register
def _mu_flat(_: Flat, farthest: float) -> MuPrior:
    return MuPrior(np.zeros(1), np.zeros(1), np.zeros(1))


@mu_prior.register
def _mu_mixture(prior: Mixture, farthest: float) -> MuPrior:
    """Put the normals of both side by side, weighted; their bounds are those of either."""
    if not takes_mu(prior):
        return mu_prior.dispatch(Prior)(prior, farthest)  # which refuses
    parts = [(np.log(weight), mu_prior(part, farthest)) for weight, part in prior.parts]
    return MuPrior(
        np.concatenate([log_weight + part.log_weight for log_weight, part in parts]),
        np.concatenate([part.mean for _, part in parts]),
        np.concatenate([part.precision for _, part in parts]),
        *prior.support,
    )


def _folded(whole: MuPrior) -> MuPrior:
    return MuPrior(whole.log_weight + np.log(2), whole.mean, whole.precision, 0.0)


def farthest_from(prior: Prior, data: EffectSizes) -> float:
    """How far the estimates lie from the centre of a prior."""
    if isinstance(prior, Mixture):
        return max(farthest_from(prior.first, data), farthest_from(prior.second, data))
    centre = prior.mean if isinstance(prior, StudentT) else 0.0
    return float(np.abs(data.y - centre).max())
