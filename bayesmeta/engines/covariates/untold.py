"""Coefficients of which no study says anything: integrated without, and put beside the others.

Their posterior is their prior, whatever that is, and independent of all else. What is left may be
one overall effect, which is then integrated as if there were no covariates.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...model import COEFFICIENT
from ...posterior import Deferred, Marginal, Marginals, Nodes, NormalMixture, Posterior
from ...priors import Prior
from .._cautions import cautions
from ..exact.mu_prior import mu_prior
from ..exact.propriety import moments_of_prior
from ..nodes.sums import weighted_sum
from .linear import Problem

type Array = NDArray[np.float64]
POINTS = 11  # of a prior among nodes, in as many equal parts
ROOM = 0.02  # share of the nodes' range that is its end


@final
@dataclass(frozen=True, eq=False)
class Beside:
    """A posterior of some coefficients, or of one overall effect, and the others' priors.

    Attributes
    ----------
    problem : Problem
        Of all coefficients.
    told : ndarray of bool, shape (p,)
        Which of them `inner` is about.
    inner : Posterior
    """

    problem: Problem
    told: NDArray[np.bool_]
    inner: Posterior

    def posterior(self) -> Posterior:
        """Return the posterior of all."""
        model, data, inner = self.problem.model, self.problem.data, self.inner
        marginals: dict[str, object] = {COEFFICIENT: self._coefficients}
        for name in ("tau", "theta"):
            if name in inner.marginals:
                marginals[name] = partial(inner.__getitem__, name)
        return replace(
            inner,
            model=model,
            data=data,
            marginals=Deferred(marginals),  # pyright: ignore[reportArgumentType]
            sample=self._draws,
            sample_shared=self._shared,
            nodes=None if inner.nodes is None else partial(self._nodes, inner.nodes),
            linear=self.linear,
            cautions=cautions(model, data),
        )

    @property
    def _untold(self) -> list[NormalMixture]:
        names = zip(self.problem.priors, self.told, strict=True)
        return [as_mixture(prior) for prior, told in names if not told]

    def _coefficients(self) -> Marginals:
        rows = np.eye(self.told.size)
        each = tuple(self.linear(row) for row in rows)
        return Marginals(self.problem.names, each, COEFFICIENT)

    def linear(self, row: Array, *, new: bool = False) -> Marginal:
        """Posterior of a combination of coefficients, or of a new study's effect there."""
        terms = [(w, one) for w, one in zip(row[~self.told], self._untold, strict=True) if w]
        if row[self.told].any() or new or not terms:
            terms = [self._told(row[self.told], new=new), *terms]
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        return weighted_sum([(float(w), one) for w, one in terms])

    def _told(self, row: Array, *, new: bool) -> tuple[float, Marginal]:
        """What the inner posterior says, and by what it is multiplied."""
        if self.inner.linear is not None:
            return 1.0, self.inner.linear(row, new=new)
        if new and row[0] != 1:
            raise ModelError("A new study has the effect of one place: a row of it begins with 1.")
        return float(row[0]), self.inner.at(new=new)

    def _draws(self, n: int | None, seed: int) -> Mapping[str, Array]:
        drawn = self.inner.sample(n, seed)
        found = {COEFFICIENT: self._joined(drawn, seed)}
        return found | {name: drawn[name] for name in ("tau", "theta") if name in drawn}

    def _shared(self, n: int, seed: int) -> Mapping[str, Array]:
        drawn = self.inner.shared_draws(n, seed=seed)
        found = {COEFFICIENT: self._joined(drawn, seed)}
        return found | {name: drawn[name] for name in ("tau",) if name in drawn}

    def _joined(self, drawn: Mapping[str, Array], seed: int) -> Array:
        """Coefficients (..., p), those that nothing is said of by chance."""
        own = drawn[COEFFICIENT] if COEFFICIENT in drawn else drawn["mu"][..., None]
        rng = np.random.default_rng([seed, 7])
        found = np.empty((*own.shape[:-1], self.told.size))
        found[..., self.told] = own
        others = [_drawn(one, own.shape[:-1], rng) for one in self._untold]
        found[..., ~self.told] = np.stack(others, axis=-1) if others else 0.0
        return found

    def _nodes(self, inner: Callable[[], Nodes]) -> Nodes:
        """Each node as many times, with other parts of the priors, dealt out anew for each."""
        nodes, rng = inner(), np.random.default_rng(0)
        values = {name: np.tile(each.T, POINTS).T for name, each in nodes.values.items()}
        own = values.pop("mu")[:, None] if "mu" in values else values.pop(COEFFICIENT)
        found = np.empty((len(own), self.told.size))
        found[:, self.told] = own
        parts = np.tile((np.arange(POINTS) + 0.5) / POINTS, (len(nodes.mass), 1))
        for j, one in zip(np.flatnonzero(~self.told), self._untold, strict=True):
            found[:, j] = one.quantile(rng.permuted(parts, axis=1).T.ravel())
        edge = np.tile(
            _ends(own[: len(nodes.mass), 0]) if nodes.edge is None else nodes.edge, POINTS
        )
        mass = np.tile(nodes.mass, POINTS) / POINTS
        return Nodes({COEFFICIENT: found, **values}, mass, edge)


def _ends(mu: Array) -> NDArray[np.bool_]:
    """Nodes at either end of the overall effect."""
    room = ROOM * np.ptp(mu)
    return (mu < mu.min() + room) | (mu > mu.max() - room)


def as_mixture(prior: Prior) -> NormalMixture:
    """A prior of a coefficient as the mixture of normals that it is."""
    known = mu_prior(prior, 0.0)
    weight = np.exp(known.log_weight)
    sds = known.precision**-0.5
    return NormalMixture(weight / weight.sum(), known.mean, sds, moments_of_prior(prior))


def _drawn(of: NormalMixture, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    which = rng.choice(of.weights.size, size=shape, p=of.weights)
    return of.means[which] + of.sds[which] * rng.standard_normal(shape)
