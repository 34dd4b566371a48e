"""Several outcomes in PyMC: study effects integrated out, gaps masked exactly."""

from collections.abc import Mapping

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from ...model import CorrelatedEstimates, MultivariateNormal
from ...multivariate import pairs, root
from ...priors import LKJ
from .parts import likelihood, prior

LOG_2PI = np.log(2 * np.pi)


@likelihood.register
def _multivariate(
    of: CorrelatedEstimates, model: MultivariateNormal, data: Mapping[str, TensorVariable]
) -> None:
    """Add the priors and the likelihood of a model with an outcome's own priors each.

    `data` has ``y``, ``se`` and ``reported``, (p, k), and ``correlation``, (p, p, k).
    """
    outcomes = model.outcomes
    assert outcomes is not None
    mu, tau = (
        pm.Deterministic(
            name, pt.stack([prior(f"{name}[{one}]", model.of(name, one)) for one in outcomes])
        )
        for name in ("mu", "tau")
    )
    between = _between(model, len(outcomes))
    within = data["correlation"].transpose(2, 0, 1)
    if model.within is not None:
        within = prior("within", model.within) * pt.ones_like(within)
    pm.CustomDist(
        "y_observed",
        mu,
        tau,
        between,
        data["se"].T,
        data["reported"].T,
        within,
        logp=multivariate_logp,
        random=multivariate_random,
        signature="(p),(p),(p,p),(p),(p),(p,p)->(p)",
        dtype="float64",
        observed=data["y"].T,
    )


def _between(model: MultivariateNormal, p: int) -> TensorVariable:
    """Correlations between studies, (p, p), and ``rho`` of every pair."""
    if not isinstance(model.rho, LKJ):
        rho = prior("rho", model.rho)
        return pt.stack([pt.stack([1.0, rho]), pt.stack([rho, 1.0])])  # pyright: ignore[reportReturnType]
    factor = _factor(pm.Data("rho_eta", np.float64(model.rho.eta)), p)  # pyright: ignore[reportArgumentType]
    rows = [
        pt.stack([sum(a * b for a, b in zip(u, v, strict=True)) for v in factor]) for u in factor
    ]
    between = pt.stack(rows)
    each = [between[i, j] for i, j in zip(*pairs(p), strict=True)]  # pyright: ignore[reportArgumentType, reportCallIssue, reportIndexIssue]
    pm.Deterministic("rho", each[0] if p == 2 else pt.stack(each))
    return between  # pyright: ignore[reportReturnType]


def _factor(eta: TensorVariable, p: int) -> list[list[TensorVariable]]:
    """Cholesky factor of a matrix from LKJ(eta), by partial correlations (Lewandowski 2009).

    The correlation of outcomes i and j given those before j is 2 Beta(a, a) - 1 with
    a = eta + (p - 1 - j)/2, j counted from 1.
    """
    zero = pt.zeros(())
    rows = []
    for i in range(p):
        row, rest = [], pt.ones(())
        for j in range(i):
            a = eta + (p - 2 - j) / 2
            half = pm.Beta(f"partial[{j + 1},{i + 1}]", a, a)
            row.append((2 * half - 1) * rest)
            rest = rest * 2 * pt.sqrt(half * (1 - half))
        rows.append([*row, rest, *[zero] * (p - 1 - i)])
    return rows


def multivariate_logp(
    value: TensorVariable,
    mu: TensorVariable,
    tau: TensorVariable,
    between: TensorVariable,
    se: TensorVariable,
    reported: TensorVariable,
    within: TensorVariable,
) -> TensorVariable:
    """Log density of each study's estimates, (k,), outcome by outcome given those before it.

    The covariance is factored as L D L'. An outcome that is not reported has D = 1, no residual
    and no part in the others: it adds exactly nothing.
    """
    p = value.type.shape[-1] or between.type.shape[-1]
    factor: list[list[TensorVariable]] = []
    pivots: list[TensorVariable] = []
    left: list[TensorVariable] = []
    total = 0.0
    for i in range(p):
        there = reported[..., i]
        row: list[TensorVariable] = []
        for j in range(i):
            covariance = within[..., i, j] * se[..., i] * se[..., j]
            covariance = covariance + between[..., i, j] * tau[..., i] * tau[..., j]
            known = sum(row[m] * factor[j][m] * pivots[m] for m in range(j))
            row.append((there * reported[..., j] * covariance - known) / pivots[j])
        variance = se[..., i] ** 2 + there * tau[..., i] ** 2
        pivot = variance - sum(row[m] ** 2 * pivots[m] for m in range(i))
        residual = there * (value[..., i] - mu[..., i])
        residual = residual - sum(row[m] * left[m] for m in range(i))
        total = total - 0.5 * (there * LOG_2PI + pt.log(pivot) + residual**2 / pivot)
        factor.append(row)
        pivots.append(pivot)
        left.append(residual)
    return total  # pyright: ignore[reportReturnType]


def multivariate_random(
    mu: np.ndarray,
    tau: np.ndarray,
    between: np.ndarray,
    se: np.ndarray,
    reported: np.ndarray,
    within: np.ndarray,
    rng: np.random.Generator | None = None,
    size: tuple[int, ...] | None = None,
) -> np.ndarray:
    """Draw estimates, zero where an outcome is not reported."""
    assert rng is not None
    unit = np.eye(se.shape[-1])
    sampling = np.where(unit > 0, 1.0, within) * se[..., :, None] * se[..., None, :]
    covariance = sampling + between * tau[..., :, None] * tau[..., None, :]
    shape = np.shape(se) if size is None else (*size, np.shape(se)[-1])
    noise = rng.standard_normal(shape)
    return reported * (mu + (root(covariance) @ noise[..., None])[..., 0])
