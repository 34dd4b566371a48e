"""Posteriors of combinations of coefficients that were integrated on a lattice at nodes of tau."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import stdtrit

from ...posterior import GridDensity, Marginal, Marginals, Nodes, TauDensity
from ...posterior.inversion import tabled
from .even import even
from .fourier import characteristic

type Array = NDArray[np.float64]
type LogPost = Callable[[Array], Array]

RADIUS = 8.0  # standard deviations on either side of a combination
STEP = 0.4  # of its points, in standard deviations at the tau where these are fewest
FAINT = 1e-9  # share of the mass of a node of tau that is passed over
FAR = 8.5  # standard deviations of the effects that a new one may lie off
OFF = 1e-7  # mass of Student-t effects beyond
MOST_POINTS = 2**15
FREE = 8.0  # degrees of freedom of what is drawn from
TRIES = 60


class Rule(NamedTuple):
    """What is known of the coefficients at one node of tau.

    Attributes
    ----------
    mean, covariance : ndarray, (p,) and (p, p)
    mass : float
        Posterior probability of the node.
    tau : float
    """

    mean: Array
    covariance: Array
    mass: float
    tau: float


@final
@dataclass(frozen=True, eq=False)
class Combinations:
    """Posteriors of ``row @ coefficients``, and of effects that are expected there.

    Attributes
    ----------
    rules : tuple of Rule
    log_post : callable
        The number of a node to the log density of the coefficients there, up to a constant.
    said : callable
        The number of a study to a function of that of a node, and places (n,): the log likelihood
        of the study where its effect is expected there, up to a constant of the study.
    lattice : callable
        A number of dimensions to the points (n, dimensions) of a uniform rule.
    df : float or None
    tau : TauDensity or None
        None where there is no spread.
    moments : tuple of int
        How many of each coefficient exist.
    """

    rules: tuple[Rule, ...]
    log_post: Callable[[int], LogPost]
    said: Callable[[int], Callable[[int, Array], Array]]
    lattice: Callable[[int], Array]
    df: float | None
    tau: TauDensity | None
    moments: tuple[int, ...]

    def of(self, row: Array, *, new: bool = False) -> Marginal:
        """Posterior of a combination, or of a new study's effect that is expected there."""
        exist = [self.moments[i] for i in np.flatnonzero(row)]
        if not row.any() and (not new or self.tau is None):
            return GridDensity.of(np.linspace(-1e-9, 1e-9, 65), np.hanning(65))
        spread = new and self.tau is not None
        points, rows, step = self._density(row, room=self._room() if spread else 0.0)
        if not spread:
            return GridDensity.of(points, rows.sum(axis=0), moments=min(exist, default=2))
        assert self.tau is not None
        omega = 2 * np.pi * np.fft.rfftfreq(points.size, step)
        ahead = sum(
            np.fft.rfft(one) * characteristic(rule.tau * omega, self.df)
            for one, rule in zip(rows, self.rules, strict=True)
        )
        of_shape = 2 if self.df is None else max(int(np.ceil(self.df)) - 1, 0)
        moments = min(*exist, self.tau.moments, of_shape, 2)
        return GridDensity.of(points, np.fft.irfft(ahead, points.size), moments=moments)

    def effects(
        self, study: Sequence[str], design: Array, own: Callable[[int], Callable[[Array], Array]]
    ) -> Marginals:
        """Posteriors of the studies' own effects; `own` gives their log likelihoods of these."""
        each = (self._effect(self.said(i), row, own(i)) for i, row in enumerate(design))
        return Marginals(tuple(study), tuple(each))

    def _effect(
        self,
        said_at: Callable[[int, Array], Array],
        row: Array,
        own: Callable[[Array], Array],
    ) -> Marginal:
        points, rows, step = self._density(row, room=self._room(), finer=2)
        omega = 2 * np.pi * np.fft.rfftfreq(points.size, step)
        spread = np.zeros(omega.size, dtype=complex)
        for j, (one, rule) in enumerate(zip(rows, self.rules, strict=True)):
            if rule.mass < FAINT:
                continue
            alive = one > 0
            said = said_at(j, points[alive])
            share = np.zeros_like(one)
            share[alive] = one[alive] * np.exp(-np.maximum(said - said.max(), -60.0))
            share /= np.exp(said.max())
            spread += np.fft.rfft(share) * characteristic(rule.tau * omega, self.df)
        log_own = own(points)
        density = np.exp(log_own - log_own.max()) * np.maximum(
            np.fft.irfft(spread, points.size), 0.0
        )
        return GridDensity.of(points, density, moments=2)

    def _room(self) -> float:
        """How far an effect may lie from where it is expected."""
        far = FAR if self.df is None else float(stdtrit(self.df, 1 - OFF))
        return far * max(rule.tau for rule in self.rules if rule.mass > FAINT)

    def _density(self, row: Array, *, room: float, finer: int = 1) -> tuple[Array, Array, float]:
        """Joint posterior of tau and a combination, (t, m), at points (m,) with a step."""
        alive = [rule for rule in self.rules if rule.mass > FAINT]
        sds = np.array([np.sqrt(row @ rule.covariance @ row) for rule in alive])
        means = np.array([rule.mean @ row for rule in alive])
        step = STEP / finer * float(sds.min())
        low = float((means - RADIUS * sds).min()) - room
        high = float((means + RADIUS * sds).max()) + room
        step = max(step, (high - low) / MOST_POINTS)
        points = low + step * np.arange(2.0 * (int((high - low) / step / 2) + 2), dtype=np.float64)
        rows = np.zeros((len(self.rules), points.size))
        for j, rule in enumerate(self.rules):
            if rule.mass > FAINT:
                rows[j] = self._at_node(j, rule, row, points)
        mass: Array = rows / rows.sum()
        return points, mass, step

    def _at_node(self, j: int, rule: Rule, row: Array, points: Array) -> Array:
        """Mass of a node of tau over the points of a combination, the others integrated out."""
        root = np.linalg.cholesky(rule.covariance)
        along = root.T @ row
        sd = float(np.linalg.norm(along))
        _, _, basis = np.linalg.svd(along[None, :])
        rest = root @ basis[1:].T  # (p, p - 1)
        z = self.lattice(rest.shape[1])
        off = points - rule.mean @ row
        seen = np.flatnonzero(np.abs(off) <= RADIUS * sd)
        direction = root @ along / sd**2
        at = rule.mean + off[seen, None] * direction
        places = at[:, None, :] + (z @ rest.T)[None]
        logs = self.log_post(j)(places.reshape(-1, row.size)).reshape(seen.size, -1)
        found = np.zeros(points.size)
        found[seen] = np.exp(logs - logs.max()).sum(axis=1)
        return rule.mass * found / found.sum()

    def nodes(self, lattice: Array, shell: NDArray[np.bool_]) -> Nodes:
        """Lay out coefficients and tau as nodes with probabilities.

        `lattice`, (n, p), are points in standard deviations, of which `shell` are the outermost.
        """
        alive = [(j, rule) for j, rule in enumerate(self.rules) if rule.mass > FAINT]
        places, masses = [], []
        for j, rule in alive:
            points = rule.mean + lattice @ np.linalg.cholesky(rule.covariance).T
            logs = self.log_post(j)(points)
            mass = np.exp(logs - logs.max())
            places.append(points)
            masses.append(rule.mass * mass / mass.sum())
        mass = np.concatenate(masses)
        tau = np.repeat([rule.tau for _, rule in alive], len(lattice))
        values = {"coefficient": np.concatenate(places), "tau": tau}
        return Nodes(values, mass / mass.sum(), np.tile(shell, len(alive)))

    def draw(self, n: int, seed: int) -> Mapping[str, Array]:
        """Joint draws: coefficients (n, p), and tau (n,) where there is a spread.

        The coefficients are drawn by rejection at a node of tau and moved to where they are at the
        tau itself: their centre and spread change smoothly with it, their shape hardly.
        """
        rng = np.random.default_rng([seed, 3])
        if self.tau is None:
            return {"coefficient": self._at(0, n, rng)}
        tau = np.maximum(tabled(self.tau.quantile, even(n, 1, seed)[:, 0]), self.tau.low)
        order = np.argsort([rule.tau for rule in self.rules])
        alive = np.array([j for j in order if self.rules[j].mass > FAINT])
        nodes = np.array([self.rules[j].tau for j in alive])
        near = alive[np.abs(tau[:, None] - nodes).argmin(axis=1)]
        found = np.empty((n, self.rules[0].mean.size))
        means = CubicSpline(nodes, [self.rules[j].mean for j in alive])
        roots = [np.linalg.cholesky(self.rules[j].covariance) for j in alive]
        root_at = CubicSpline(nodes, roots)
        inside = np.clip(tau, nodes[0], nodes[-1])
        for j, root in zip(alive, roots, strict=True):
            mine = np.flatnonzero(near == j)
            z = np.linalg.solve(root, (self._at(int(j), mine.size, rng) - self.rules[j].mean).T).T
            moved = np.einsum("nab,nb->na", root_at(inside[mine]), z)
            found[mine] = means(inside[mine]) + moved
        return {"coefficient": found, "tau": tau}

    def _at(self, j: int, n: int, rng: np.random.Generator) -> Array:
        """Draw coefficients at one node of tau, (n, p), by rejection from a Student-t law."""
        rule, p = self.rules[j], self.rules[j].mean.size
        if n == 0:
            return np.empty((0, p))
        root, log_post = 1.2 * np.linalg.cholesky(rule.covariance), self.log_post(j)
        z = self.lattice(p) / 1.2
        bound = (log_post(rule.mean + z @ root.T) - _log_t(z)).max() + 0.1
        kept: list[Array] = []
        for _ in range(TRIES):
            wanted = n - sum(map(len, kept))
            if wanted <= 0:
                break
            size = 3 * wanted + 64
            scale = np.sqrt(FREE / rng.chisquare(FREE, size))
            z = rng.standard_normal((size, p)) * scale[:, None]
            points = rule.mean + z @ root.T
            take = np.log(rng.uniform(size=size)) < log_post(points) - _log_t(z) - bound
            kept.append(points[take][:wanted])
        return np.concatenate(kept)[:n]


def _log_t(z: Array) -> Array:
    """Log density of the multivariate Student-t law that is drawn from, up to a constant."""
    p = z.shape[1]
    return -0.5 * (FREE + p) * np.log1p((z**2).sum(axis=1) / FREE)
