"""Effects of the studies and in a new one, from the nodes at which mu and tau were integrated.

Given mu and tau a new effect has the distribution of the effects, and a study's the same times its
likelihood over what that likelihood comes to at mu and tau; both are averaged over the nodes. The
densities are made at nodes of a map that crowds where a likelihood has a corner or the prior of mu
an end: there the distribution of the effects, as narrow as tau, leaves features of every size.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ...posterior import Check, GridDensity, MappedDensity, Marginal, Marginals, SupportMap
from ..likelihood.kernels import about, beyond, kernel, rule_of_effects
from ..likelihood.pieces import Pieces
from .fourier import PROBS, check_of_effects

if TYPE_CHECKING:
    from scipy.interpolate import BSpline

type Array = NDArray[np.float64]

WIDE, WIDE_T = 1.5, 4.0  # distances of the nodes of mu that normal and Student-t effects must span
FAR, FAR_T = 8.5, 1e4  # scales of the effects as far as which they are followed
NEGLIGIBLE = 1e-17  # posterior mass of a node
SEEN = 1e-13  # likewise, for how far effects reach: beyond, rounding outweighs a density's tails
FAINT, MARGIN = 1e-12, 12  # of the peak of mu's density: nothing is seen of an end with so little
AT_ONCE = 2**15  # terms of a kernel: more leave the cache
BAND, KERNEL = 1e-12, 7.4  # probability that a frequency may carry unseen; scales of a normal's
ROOT = float((2 * np.pi) ** -0.5)
STEP = 0.3  # of the nodes of an effect, as a share of its narrowest feature


def features(y: Array, se: Array, mu: Marginal) -> Array:
    """Places of what densities of effects have to resolve, and their widths, (f, 2).

    Estimates as wide as their standard errors, and mu: as wide as it is for the least tau, and as
    it is.
    """
    pooled = float((se**-2.0).sum() ** -0.5)
    quartiles = mu.quantile([0.25, 0.5, 0.75])
    middle, width = quartiles[1], (quartiles[2] - quartiles[0]) / 1.35
    places = [*zip(y, se, strict=True), (middle, width), (middle, min(width, pooled))]
    return np.array(places)


@final
@dataclass(frozen=True)
class Integrated:
    """A posterior of mu and tau at nodes, and what it takes to get at the effects.

    Attributes
    ----------
    study : tuple of str, length k
    df : float or None
        Degrees of freedom of the effects; None for normal ones.
    support : SupportMap
        How mu was integrated: uniformly in a variable u.
    u, mu : ndarray, shape (m,)
    tau : ndarray, shape (t,)
    mass : ndarray, shape (t, m)
        Posterior probabilities of the nodes, sum to 1.
    moments_of_tau : tuple of float and int
        Second moment of tau, and how many moments it has.
    bounded : ndarray of bool, shape (k,)
        Studies whose likelihood leaves their effect all its moments; the others' are those of a
        new effect.
    log_given : callable
        ``()`` to the log likelihood of each study given mu and tau, (t, k, m).
    log_likelihood : callable
        Values of theta, (n,), to that of each study given its effect, (k, n).
    features : ndarray, shape (f, 2)
        Places of what the densities of the effects have to resolve, and their widths.
    crowded : tuple of float
        Where they have features of every size.
    """

    study: tuple[str, ...]
    df: float | None
    support: SupportMap
    u: Array
    mu: Array
    tau: Array
    mass: Array
    moments_of_tau: tuple[float, int]
    bounded: NDArray[np.bool_]
    log_given: Callable[[], Array]
    log_likelihood: Callable[[Array], Array]
    features: Array
    crowded: tuple[float, ...] = ()

    @cached_property
    def place(self) -> tuple[SupportMap, Array]:
        """Map of the effects, and its uniform nodes: the fewest that see every feature."""
        width, middle = float(self.features[:, 1].min()), self._moments_of_mu[0]
        crowded = self._crowded()
        if not crowded:
            return self._nodes(SupportMap(-np.inf, np.inf, 2 * width, (middle,)))
        choices = crowded, tuple(sorted({*crowded, middle}))
        maps = (SupportMap(-np.inf, np.inf, 1e-4 * width, centres) for centres in choices)
        return min((self._nodes(one) for one in maps), key=lambda found: found[1].size)

    def _crowded(self) -> tuple[float, ...]:
        """Where features of every size are to be seen: not at an end that mu does not come near."""
        density = self.mass.sum(axis=0) / self.support.slope(self.u)
        ends = ((self.support.low, density[:MARGIN]), (self.support.high, density[-MARGIN:]))
        faint = {end for end, there in ends if there.max() < FAINT * density.max()}
        return tuple(one for one in self.crowded if one not in faint)

    def _nodes(self, support: SupportMap) -> tuple[SupportMap, Array]:
        alive = self.mass > SEEN * self.mass.max()
        far = (FAR if self.df is None else FAR_T) * self.tau[alive.any(axis=1)].max()
        seen = self.mu[alive.any(axis=0)]
        centre, width = self.features.T
        places = np.concatenate([centre, centre - 2 * width, centre + 2 * width])
        per_unit = 1 / support.slope_at(places)
        step = STEP * min(1.0, float((np.tile(width, 3) * per_unit).min()))
        first, last = support.inverse(np.array([seen[0] - far, seen[-1] + far]))
        return support, step * np.arange(np.floor(first / step), np.ceil(last / step) + 1)

    @cached_property
    def new(self) -> MappedDensity:
        """Effect in a new study."""
        support, v = self.place
        theta = support.value(v)
        density = self._smeared(self.mass[None], theta, thin=True)[0]
        squared = self.moments_of_tau[0]
        if self.df is not None:
            squared *= self.df / (self.df - 2) if self.df > 2 else np.nan
        mean, variance = self._moments_of_mu
        moments_of = (mean, float(np.sqrt(variance + squared)))
        inner = GridDensity.of(v, density * support.slope_at(theta), local=True)
        return MappedDensity(inner, support, moments_of, self._moments_of_new)

    @property
    def _moments_of_new(self) -> int:
        of_shape = 2 if self.df is None else max(int(np.ceil(self.df)) - 1, 0)
        return min(self.moments_of_tau[1], of_shape)

    @cached_property
    def effects(self) -> Marginals:
        """Effects of the studies."""
        support, v = self.place
        theta, found = support.value(v), []
        for density, bounded in zip(self._each[0], self.bounded, strict=True):
            mass = density / density.sum()
            mean = float(mass @ theta)
            sd = float(np.sqrt(mass @ (theta - mean) ** 2))
            moments = 2 if bounded else self._moments_of_new
            found.append(
                MappedDensity(GridDensity.of(v, density, local=True), support, (mean, sd), moments)
            )
        return Marginals(self.study, tuple(found))

    def check_of_new(self, limit: float) -> Check:
        """Hold a new effect to what must be true of it.

        Its mean is held to that of mu, its variance to that of mu and the mean of tau² together,
        and its distribution function to the mixture over the nodes.
        """
        off = self._error_of_new()
        return Check("quadrature error", "theta_new", off, limit, at_most=True)

    def check_of_effects(self, limit: float) -> Check:
        """Hold the effects to what must be true of them; see ``check_of_effects``."""
        each, expected = self._each
        v = self.place[1]
        total = each.sum(axis=1) * (v[1] - v[0])
        means = expected if self.df is None else None
        return check_of_effects(self.effects, total, means, limit)

    def _error_of_new(self) -> float:
        at = self.new.quantile(PROBS)
        gaps = [np.abs(self._below(at) - PROBS).max()]
        if self._moments_of_new == 2 and self.df is None:
            support = self.place[0]
            mass = self.new.inner.density * (self.new.inner.x[1] - self.new.inner.x[0])
            theta = support.value(self.new.inner.x)
            mean, variance = self._moments_of_mu
            total = variance + float(self.mass.sum(axis=1) @ self.tau**2)
            gaps.append(abs(float(mass @ theta) - mean) / total**0.5)
            gaps.append(abs(float(mass @ (theta - mean) ** 2) / total - 1) / 2)
        return float(np.max(gaps))

    @cached_property
    def _moments_of_mu(self) -> tuple[float, float]:
        mass = self.mass.sum(axis=0)
        mean = float(mass @ self.mu)
        return mean, float(mass @ (self.mu - mean) ** 2)

    @cached_property
    def _each(self) -> tuple[Array, Array]:
        """Densities of the studies' effects in v, (k, n), and what their means should be, (k,)."""
        from scipy.interpolate import make_interp_spline

        support, v = self.place
        theta, log_given = support.value(v), self.log_given()
        with np.errstate(divide="ignore"):
            log_share = np.log(self.mass)[:, None] - log_given
            top = log_share.max(axis=(0, 2))
            share = np.exp(log_share - top[:, None])
            outside = np.log(np.maximum(self._smeared(np.moveaxis(share, 1, 0), theta), 0.0))
        density = np.exp(self.log_likelihood(theta) + top[:, None] + outside) * support.slope_at(
            theta
        )
        slope = make_interp_spline(self.u, log_given, k=5, axis=2).derivative()(self.u)
        shift = (self.mass * self.tau[:, None] ** 2)[:, None] * slope / self.support.slope(self.u)
        return density, self._moments_of_mu[0] + shift.sum(axis=(0, 2))

    @cached_property
    def _alive(self) -> list[tuple[int, NDArray[np.intp]]]:
        """Nodes of tau with posterior mass, and those of mu that have some there."""
        least = NEGLIGIBLE * self.mass.max()
        rows = np.flatnonzero(self.mass.max(axis=1) > least)
        return [(t, np.flatnonzero(self.mass[t] > least)) for t in rows.tolist()]

    def _spacing(self, at: Array) -> Array:
        """Distance of the nodes of mu at some points; none beyond the support."""
        return (self.u[1] - self.u[0]) * self.support.slope_at(at)

    def _nearest_spacing(self, at: Array) -> Array:
        """The same of the nodes nearest to some points."""
        return self._spacing(np.clip(at, self.mu[0], self.mu[-1]))

    @cached_property
    def _bands(self) -> Array | None:
        """Highest frequencies of mu's densities, in radians a node, (t,)."""
        if self.df is not None:
            return None
        spectra = np.abs(np.fft.rfft(self.mass, axis=1))
        beyond = np.argmax((spectra > BAND)[:, ::-1], axis=1)
        return 2 * np.pi * (spectra.shape[1] - beyond) / self.mu.size

    def _stride(self, t: int, seen: NDArray[np.intp]) -> int:
        """Every how many nodes of mu say all of its density times a normal, wherever that is.

        As many as leave the highest frequency of the product below that at which they repeat: then
        the trapezoidal rule takes none of it for a constant.
        """
        if self._bands is None:
            return 1
        spacing = (self.u[1] - self.u[0]) * self.support.slope_at(self.mu[seen]).max()
        most = 2 * np.pi / (self._bands[t] + KERNEL * spacing / self.tau[t])
        return int(2 ** np.clip(np.floor(np.log2(most)), 0, 3))

    def _smeared(self, masses: Array, at: Array, *, thin: bool = False) -> Array:
        """Densities at some points of mu plus an effect of scale tau, (q, n), from (q, t, m).

        Where the distribution of the effects is wider than the nodes of mu are apart, by the
        trapezoidal rule over these; where it is narrower, by a rule over it.
        """
        found = np.zeros((len(masses), at.size))
        narrow = self._narrow(at)
        curves = self._curves(masses, np.flatnonzero(narrow.any(axis=1)))
        far = FAR if self.df is None else FAR_T
        for t, seen in self._alive:
            tau, mu = self.tau[t], self.mu[seen]
            near = (at >= mu[0] - far * tau) & (at <= mu[-1] + far * tau)
            wide = np.flatnonzero(near & ~narrow[t])
            stride = self._stride(t, seen) if thin and wide.size else 1
            mu, mass = mu[::stride], masses[:, t, seen[::stride]] * stride / tau
            for some in np.array_split(wide, max(1, wide.size * mu.size // AT_ONCE)):
                kernel = self._kernel((at[some, None] - mu) / tau)
                found[:, some] += mass @ kernel.T
            if narrow[t].any():
                curve, some = next(curves), np.flatnonzero(near & narrow[t])
                if self.df is None:
                    found[:, some] += self._over_effects(curve, tau, at[some])
                    continue
                for few in np.array_split(some, max(1, some.size * mu.size // AT_ONCE)):
                    found[:, few] += self._apart(curve, masses[:, t, seen], seen, tau, at[few])
        return found

    def _apart(
        self, curve: Pieces, mass: Array, seen: NDArray[np.intp], tau: float, at: Array
    ) -> Array:
        """Densities at points (n,) about which Student-t effects are narrow, (q, n)."""
        step, place = self.u[1] - self.u[0], self.support.inverse(at)[:, None]
        distance, weight = about(float((tau / self._spacing(at)).min()))
        u = place + step * distance
        kernel = self._kernel((at[:, None] - self.support.value(u)) / tau) * weight
        kernel[(u < self.u[0]) | (u > self.u[-1])] = 0.0
        near = np.einsum("nz,qnz->qn", kernel, curve(u)) * step
        kernel = self._kernel((at[:, None] - self.mu[seen]) / tau)
        return (near + mass @ (kernel * beyond((self.u[seen] - place) / step)).T) / tau

    def _kernel(self, z: Array) -> Array:
        if self.df is not None:
            return kernel(z, self.df)
        z *= z
        z *= -0.5
        np.exp(z, out=z)
        z *= ROOT
        return z

    def _narrow(self, at: Array) -> NDArray[np.bool_]:
        """Where effects are narrower than the nodes of mu are apart, (t, n); none of a dead tau.

        Student-t effects are as smooth as they are far from their middle: nodes see their tails.
        """
        found = np.zeros((self.tau.size, at.size), dtype=bool)
        if self.df is None:
            alive = [t for t, _ in self._alive]
            found[alive] = self.tau[alive, None] < WIDE * self._nearest_spacing(at)
            return found
        for t, seen in self._alive:
            nearest = np.clip(at, self.mu[seen[0]], self.mu[seen[-1]])
            found[t] = np.hypot(self.tau[t], at - nearest) < WIDE_T * self._spacing(nearest)
        return found

    def _below(self, at: Array) -> Array:
        """Probability of a new effect below some points, as a mixture over the nodes."""
        from scipy.special import ndtr, stdtr

        narrow, found = self._narrow(at), np.zeros(at.size)
        curves = self._cumulative(self.mass[narrow.any(axis=1)])
        for t, seen in self._alive:
            tau, wide = self.tau[t], ~narrow[t]
            z = (at[wide, None] - self.mu[seen]) / tau
            found[wide] += (ndtr(z) if self.df is None else stdtr(self.df, z)) @ self.mass[t, seen]
            if not wide.all():
                z, log_weight = rule_of_effects(self.df)
                u = self.support.inverse(at[~wide, None] - tau * z)
                below = next(curves)(np.clip(u, self.u[0], self.u[-1]))
                found[~wide] += below @ np.exp(log_weight)
        return found

    def _cumulative(self, masses: Array) -> "Iterator[BSpline]":
        """Distribution functions in u of each tau, from masses at its nodes, (t, m)."""
        from scipy.interpolate import BSpline, make_interp_spline

        if len(masses):
            every = make_interp_spline(self.u, masses.T / (self.u[1] - self.u[0]), k=5)
            every = every.antiderivative()
            for each in np.ascontiguousarray(every.c.T):
                yield BSpline(every.t, each, every.k)

    def _curves(self, masses: Array, rows: NDArray[np.intp]) -> Iterator[Pieces]:
        """Densities in u of each tau of some rows, (q,), from masses at its nodes, (q, t, m)."""
        q, _, m = masses.shape
        for some in np.array_split(rows, max(1, q * rows.size * m // AT_ONCE)):
            columns = np.moveaxis(masses[:, some], 2, 0).reshape(m, -1) / (self.u[1] - self.u[0])
            every = Pieces.of(self.u, columns)
            for i in range(some.size):
                yield replace(every, powers=every.powers[i :: some.size])

    def _over_effects(self, curve: Pieces, tau: float, at: Array) -> Array:
        """Mean of functions of mu, (q, n), at a point less a normal effect of scale `tau`."""
        z, log_weight = rule_of_effects(None)
        places = at[:, None] - tau * z
        inside = (places > self.mu[0]) & (places < self.mu[-1])
        near = np.where(inside, places, self.mu[self.mu.size // 2])
        per_unit = inside / self.support.slope_at(near)
        return (curve(self.support.inverse(near)) * per_unit) @ np.exp(log_weight)
