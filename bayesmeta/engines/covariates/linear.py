"""Exact posteriors of normal models whose expected effects are linear in coefficients.

Given tau everything is normal in closed form, as with one mean: the posterior of every combination
of coefficients is a mixture of normals over the nodes of tau. Formulas: Röver 2020, J Stat Softw
93(6), for one mean; Röver & Friede 2023, Res Synth Methods 14:501-513 (bmr), for several.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import prod
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ...errors import ModelError
from ...model import COEFFICIENT, Data, Model, NoSpread, Overall, Predictor, compose
from ...posterior import (
    Check,
    Deferred,
    Diagnostics,
    Marginal,
    Marginals,
    NormalMixture,
    Posterior,
    TauDensity,
)
from ...posterior.inversion import tabled
from ...priors import LOG_2PI, Prior, log_density_of_tau
from ...ways import way
from .._cautions import cautions
from ..exact.mu_prior import mu_prior, takes_mu
from ..exact.normal import NEGLIGIBLE, moment_gaps, refined, typical_tau
from ..exact.propriety import moments_of_coefficients, moments_of_tau
from ..exact.tau_nodes import (
    TauMap,
    TauNodes,
    density_of_tau,
    evidence,
    finite_evidence,
    logsumexp,
    support_of_tau,
    tau_nodes,
)
from ..likelihood.rough import rough_effects
from ..nodes.even import even
from ..settings import Quadrature

type Array = NDArray[np.float64]
MOST_COMPONENTS = 4096  # products of the normals that the coefficients' priors are mixtures of
AT_ONCE = 2**22  # numbers of a block


class Components(NamedTuple):
    """Priors of all coefficients as a mixture of normals, (g,) and (g, p); precision 0 is flat."""

    log_weight: Array
    mean: Array
    precision: Array


class Given(NamedTuple):
    """What is known in closed form given tau: (t, g), (t, g, p) and (t, g, p, p)."""

    log_weight: Array
    mean: Array
    covariance: Array


def not_closed(priors: Sequence[Prior]) -> str:
    """Say why coefficients with these priors have no closed form given tau; empty if they have."""
    for prior in priors:
        if not takes_mu(prior) or prior.support != (-np.inf, np.inf):
            return (
                f"The exact engine takes normal, Student-t and flat priors of coefficients, and "
                f"mixtures of them, not {prior!r}; use {way('nuts')}."
            )
    if prod(mu_prior(prior, 1.0).mean.size for prior in priors) > MOST_COMPONENTS:
        return (
            f"{len(priors)} coefficients with these priors are too many for the exact engine; give "
            f"them normal ones, or use {way('nuts')}."
        )
    return ""


def integrate_linear(model: Model, data: Data, *, nodes: int, tolerance: float) -> Posterior:
    """Return the posterior, refined until two node counts agree within `tolerance`."""
    problem = Problem.of(model, data)
    if isinstance(model.between, NoSpread):
        return _posterior(_Fit.common(problem), 0.0, tolerance)
    scale = problem.typical_tau
    fit, error = refined(lambda n: _Fit.at(n, scale, problem), _Fit.distance, nodes, tolerance)
    return _posterior(fit, error, tolerance)


def log_evidence_at_zero(parameter: str, model: Model, data: Data) -> float:
    """Log marginal likelihood of the same model with tau, or one coefficient, at zero.

    Parameters
    ----------
    parameter : str
        ``"tau"``, or ``"coefficient[latitude]"``, whose column is then left out.
    model : Model
    data : EffectSizes

    Raises
    ------
    ModelError
        If the integral over tau does not settle.
    """
    problem = Problem.of(model, data).without(parameter)
    if not problem.spread:
        return float(logsumexp(problem.given(np.zeros(1)).log_weight))
    settings, scale = Quadrature(), problem.typical_tau
    nodes, tolerance = settings.nodes, settings.tolerance
    fit, error = refined(lambda n: _Fit.at(n, scale, problem), _Fit.distance, nodes, tolerance)
    if error > tolerance:
        raise ModelError(
            f"The marginal likelihood with {parameter} at 0 does not settle, so that there is no "
            "Bayes factor of it."
        )
    return fit.log_z


@final
@dataclass(frozen=True)
class Problem:
    """What is fitted to what: estimates, or roughly so, their design (k, p), and the priors."""

    model: Model
    data: Data
    y: Array
    se: Array
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    design: Array
    priors: tuple[Prior, ...]
    spread: bool  # whether there is a tau

    @classmethod
    def of(cls, model: Model, data: Data) -> "Problem":
        """Put together what is fitted; of counts and arms with their rough estimates."""
        location = model.location
        assert isinstance(location, Predictor)
        design = location.design(data)
        priors = location.coefficients(design)
        location.check_told(data)
        y, se = rough_effects(model.likelihood, data)
        spread = not isinstance(model.between, NoSpread)
        return cls(
            model,
            data,
            y,
            se,
            design.names,
            design.kinds,
            design.matrix,
            priors,
            spread,
        )

    @property
    def tau(self) -> Prior:
        """Its prior."""
        return self.model.priors["tau"]

    @property
    def typical_tau(self) -> float:
        """A rough posterior median of tau."""
        return typical_tau(self.tau, self.se, lambda tau: self.given(tau).log_weight)

    @cached_property
    def components(self) -> Components:
        """Priors of the coefficients as mixtures."""
        return _product(self.priors, _far(self.y, self.design))

    @property
    def told(self) -> NDArray[np.bool_]:
        """Which coefficients some study says something of, (p,)."""
        return self.design.any(axis=0)

    @property
    def one_effect(self) -> Prior | None:
        """The prior of the effect that all studies have, if there is but one."""
        told, kinds = self.told, self.kinds
        own = [
            (prior, kind) for prior, kind, one in zip(self.priors, kinds, told, strict=True) if one
        ]
        alike = len(own) == 1 and own[0][1] != "slope"
        return own[0][0] if alike and (self.design[:, told] == 1).all() else None

    @property
    def plain(self) -> Model:
        """The model without covariates, where there is but one effect."""
        assert self.one_effect is not None
        return compose(self.model.likelihood, Overall(self.one_effect), self.model.between)

    def only(self, which: NDArray[np.bool_]) -> "Problem":
        """The same without the other coefficients."""

        def chosen[T](each: tuple[T, ...]) -> tuple[T, ...]:
            return tuple(one for one, stays in zip(each, which, strict=True) if stays)

        names, kinds, priors = map(chosen, (self.names, self.kinds, self.priors))
        return replace(self, names=names, kinds=kinds, design=self.design[:, which], priors=priors)

    def without(self, parameter: str) -> "Problem":
        """The same with one coefficient, or tau, at 0."""
        if parameter == "tau":
            return replace(self, spread=False)
        return self.only(np.array([f"{COEFFICIENT}[{name}]" != parameter for name in self.names]))

    def given(self, tau: Array) -> Given:
        """Integrate coefficients and study effects out; `tau` (t,)."""
        size = self.components.mean.size * max(self.data.k, self.design.shape[1])
        parts = np.array_split(tau, max(1, size * tau.size // AT_ONCE))
        found = [_given(self, part) for part in parts]
        return Given(*(np.concatenate(one) for one in zip(*found, strict=True)))


def _far(y: Array, design: Array) -> Array:
    """How far from 0 each coefficient may lie, (p,); one that no study has stays with its prior."""
    longest = np.abs(design).max(axis=0)
    return np.abs(y).max() / np.where(longest == 0, 1.0, longest)


def _product(priors: Sequence[Prior], far: Array) -> Components:
    """Every combination of one normal of each prior, which may lie as far off as `far`, (p,)."""
    if why_not := not_closed(priors):
        raise ModelError(why_not)
    each = [mu_prior(prior, float(at)) for prior, at in zip(priors, far, strict=True)]

    def combined(arrays: Sequence[Array]) -> Array:
        if not arrays:
            return np.zeros((1, 0))
        return np.stack([one.ravel() for one in np.meshgrid(*arrays, indexing="ij")], axis=-1)

    return Components(
        combined([one.log_weight for one in each]).sum(axis=1),
        combined([one.mean for one in each]),
        combined([one.precision for one in each]),
    )


def _given(problem: Problem, tau: Array) -> Given:
    y, x, (log_weight, centre, precision) = problem.y, problem.design, problem.components
    variance = problem.se**2 + tau[:, None] ** 2  # (t, k)
    weighted = x / variance[..., None]  # (t, k, p)
    total = (weighted.swapaxes(1, 2) @ x)[:, None] + precision[:, :, None] * np.eye(x.shape[1])
    near = np.linalg.pinv(x) @ y  # a shift, lest digits are lost
    right = weighted.swapaxes(1, 2) @ (y - x @ near)  # (t, p)
    right = right[:, None] + precision * (centre - near)
    covariance = np.linalg.inv(total)
    mean = near + np.einsum("tgab,tgb->tga", covariance, right)
    gap = ((y - mean @ x.T) ** 2 / variance[:, None]).sum(axis=-1)
    gap += (precision * (mean - centre) ** 2).sum(axis=-1)
    flat = precision == 0
    height = np.where(flat, LOG_2PI, np.log(np.where(flat, 1.0, precision))).sum(axis=-1)
    height = height - np.linalg.slogdet(total)[1]
    spread = (np.log(variance) + LOG_2PI).sum(axis=1)[:, None]
    return Given(log_weight - 0.5 * (spread + gap - height), mean, covariance)


@final
@dataclass(frozen=True, slots=True)
class _Fit:
    """One pass of quadrature; `nodes` and `tau` are of one node at 0 where there is no spread."""

    problem: Problem
    tau_at: Array
    given: Given
    weights: Array  # (t, g), sum to 1
    log_z: float
    tau: TauDensity | None

    @classmethod
    def common(cls, problem: Problem) -> "_Fit":
        """One effect for all studies: tau is 0."""
        given = problem.given(np.zeros(1))
        log_z = finite_evidence(float(logsumexp(given.log_weight)), problem.model)
        return cls(problem, np.zeros(1), given, np.exp(given.log_weight - log_z), log_z, None)

    @classmethod
    def at(cls, count: int, scale: float, problem: Problem) -> "_Fit":
        """Integrate with `count` nodes of tau centred on `scale`."""
        prior, se, k = problem.tau, problem.se, problem.data.k
        at = TauMap.of(prior, *support_of_tau(prior), scale)
        nodes: TauNodes = tau_nodes(count, at)
        given = problem.given(nodes.tau)
        log_prior = log_density_of_tau(prior, nodes.tau, se)
        at_tau = logsumexp(given.log_weight, axis=1) + log_prior
        log_z = finite_evidence(float(logsumexp(at_tau + nodes.log_weight)), problem.model)
        outer = log_prior + nodes.log_weight - log_z
        moments = moments_of_tau(prior, k, mu=problem.priors)
        tau = density_of_tau(nodes, at_tau - log_z, at, moments)
        weights = np.exp(given.log_weight + outer[:, None])
        return cls(problem, nodes.tau, given, weights, log_z, tau)

    def distance(self, other: "_Fit") -> float:
        """Largest disagreement: log evidence, moments in SDs, tail probabilities."""
        assert self.tau is not None
        assert other.tau is not None
        gaps = [np.array([self.log_z - other.log_z])]
        gaps.append((self.tau.raw / other.tau.raw - 1)[: self.tau.moments])
        below = np.cumsum(self.weights.sum(axis=1)[::-1])
        near = np.minimum(np.searchsorted(below, [0.025, 0.5, 0.975]), below.size - 1)
        at = self.tau_at[::-1][near]
        gaps.append(self.tau.cdf(at) - other.tau.cdf(at))
        for mine, its in zip(self.coefficients().each, other.coefficients().each, strict=True):
            sd = mine.sd()
            places = mine.mean() + sd * np.array([-2.0, 0.0, 2.0])
            places = mine.quantile([0.025, 0.5, 0.975]) if np.isnan(sd) else places
            gaps += [np.array(moment_gaps(mine, its)), mine.cdf(places) - its.cdf(places)]
        return float(np.abs(np.concatenate(gaps)).max())

    def coefficients(self) -> Marginals:
        """Posteriors of all coefficients."""
        rows = np.eye(len(self.problem.names))
        each = (self.linear(row, moments=one) for row, one in zip(rows, self.moments, strict=True))
        return Marginals(self.problem.names, tuple(each), "coefficient")

    def at_place(self, row: Array, *, new: bool = False) -> Marginal:
        """Posterior of a combination of coefficients, or of a new study's effect there."""
        each = zip(self.moments, row, strict=True)
        moments = min(one for one, x in each if x) if row.any() else 2
        if not new or self.tau is None:
            return self.linear(row, moments=moments)
        return self.linear(row, noise=self.tau_at, moments=min(moments, self.tau.moments))

    @property
    def moments(self) -> tuple[int, ...]:
        """How many of each coefficient exist."""
        own = self.problem
        return moments_of_coefficients(own.model, own.priors, own.data.k, own.design)

    def study_effects(self) -> Marginals:
        """Posteriors of all studies' effects."""
        own = self.problem
        each: list[Marginal] = []
        for y, se, row in zip(own.y, own.se, own.design, strict=True):
            share = self.tau_at**2 / (self.tau_at**2 + se**2)
            noise = np.sqrt(share) * se
            each.append(self.linear(row, share * y, 1 - share, noise, moments=2))
        return Marginals(own.data.study, tuple(each))

    def linear(
        self,
        row: Array,
        shift: Array | float = 0.0,
        slope: Array | float = 1.0,
        noise: Array | float = 0.0,
        *,
        moments: int,
    ) -> Marginal:
        """Posterior of ``shift + slope * row @ coefficients + noise``; the last three (t,)."""
        size = self.tau_at.shape
        shift, slope, noise = (np.broadcast_to(one, size)[:, None] for one in (shift, slope, noise))
        mean = shift + slope * (self.given.mean @ row)
        variance = slope**2 * (self.given.covariance @ row @ row) + noise**2
        keep = self.weights > NEGLIGIBLE * self.weights.max()
        w = self.weights[keep]
        return NormalMixture(w / w.sum(), mean[keep], np.sqrt(variance[keep]), moments)


def _posterior(fit: _Fit, error: float, tolerance: float) -> Posterior:
    problem, spread = fit.problem, fit.tau is not None
    marginals = {"coefficient": fit.coefficients}
    if spread:
        marginals |= {"tau": fit.tau, "theta": fit.study_effects}  # pyright: ignore[reportOperatorIssue]
    size = f"{fit.tau_at.size} nodes" if spread else "closed form"
    return Posterior(
        model=problem.model,
        data=problem.data,
        engine=f"Quadrature(), {size}",
        marginals=Deferred(marginals),  # pyright: ignore[reportArgumentType]
        diagnostics=Diagnostics(
            (Check("quadrature error", "shares of an SD", error, tolerance, at_most=True),)
        ),
        sample=partial(_draws, fit),
        sample_shared=partial(_shared, fit),
        linear=fit.at_place,
        cautions=cautions(problem.model, problem.data),
        log_marginal_likelihood=evidence(problem.model, fit.log_z),
    )


def _shared(fit: _Fit, n: int, seed: int) -> Mapping[str, Array]:
    """Joint draws of what all studies share: coefficients (n, p), and tau (n,)."""
    u = even(n, 2 + fit.problem.design.shape[1], seed)
    if fit.tau is None:
        return {"coefficient": _coefficients(fit, np.zeros(n), u)}
    t = np.maximum(tabled(fit.tau.quantile, u[:, 0]), fit.tau.low)
    return {"coefficient": _coefficients(fit, t, u), "tau": t}


def _draws(fit: _Fit, n: int | None, seed: int) -> Mapping[str, Array]:
    """Joint draws, each with one chain in front; study effects where effects differ."""
    n, problem = n or 4000, fit.problem
    p, k = problem.design.shape[1], problem.data.k
    u = even(n, 2 + p + k, seed)
    if fit.tau is None:
        return {"coefficient": _coefficients(fit, np.zeros(n), u)[None]}
    t = np.asarray(fit.tau.quantile(u[:, 0]))
    beta = _coefficients(fit, t, u)
    share = t[:, None] ** 2 / (t[:, None] ** 2 + problem.se**2)
    noise = np.sqrt(share) * problem.se * ndtri(u[:, 2 + p :])
    theta = share * problem.y + (1 - share) * (beta @ problem.design.T) + noise
    return {"coefficient": beta[None], "tau": t[None], "theta": theta[None]}


def _coefficients(fit: _Fit, t: Array, u: Array) -> Array:
    """Draw coefficients given tau, to which columns 1 to 1 + p of `u` belong."""
    size = fit.problem.components.mean.size * fit.problem.design.shape[1]
    parts = np.array_split(np.arange(t.size), max(1, size * t.size // AT_ONCE))
    return np.concatenate(list(_by_parts(fit, t, u, parts)))


def _by_parts(fit: _Fit, t: Array, u: Array, parts: Sequence[NDArray[np.intp]]) -> Iterator[Array]:
    p = fit.problem.design.shape[1]
    for some in parts:
        given = fit.problem.given(t[some])
        mass = np.exp(given.log_weight - given.log_weight.max(axis=1, keepdims=True))
        below = np.cumsum(mass, axis=1)
        chosen = (below < u[some, 1:2] * below[:, -1:]).sum(axis=1)
        rows = np.arange(some.size)
        root = np.linalg.cholesky(given.covariance[rows, chosen])
        normal = ndtri(u[some, 2 : 2 + p])
        yield given.mean[rows, chosen] + np.einsum("nab,nb->na", root, normal)
