"""Marginal posteriors: mean, quantiles, density and probability of one number."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, owens_t

from ..errors import ModelError
from ..studies import check_prob

type Array = NDArray[np.float64]
type Kind = Literal["central", "shortest"]
type Function = Callable[[Array], Array]
type Later = Callable[[], "Marginal | Marginals"]

SQRT_2PI = float(np.sqrt(2 * np.pi))


class Marginal(ABC):
    """The posterior of one number, exact or drawn.

    A moment that does not exist is NaN; quantiles always exist.
    """

    __slots__ = ()

    @abstractmethod
    def mean(self) -> float:
        """Return the posterior mean, NaN where it does not exist."""

    @abstractmethod
    def sd(self) -> float:
        """Return the posterior standard deviation, NaN where it does not exist."""

    @abstractmethod
    def _quantile(self, q: Array) -> Array:
        """Return quantiles; `q` has shape (n,) and lies within (0, 1)."""

    @abstractmethod
    def _cdf(self, x: Array) -> Array:
        """Return P(value <= x) for `x` of shape (n,)."""

    @abstractmethod
    def _pdf(self, x: Array) -> Array:
        """Return the density at `x` of shape (n,)."""

    @overload
    def quantile(self, q: float) -> float: ...
    @overload
    def quantile(self, q: Sequence[float] | Array) -> Array: ...
    def quantile(self, q: ArrayLike) -> float | Array:
        """Return quantiles.

        Parameters
        ----------
        q : float or array_like
            Probabilities strictly between 0 and 1.

        Raises
        ------
        ModelError
            If a probability is outside (0, 1).
        """
        values = np.asarray(q, dtype=np.float64)
        if not ((values > 0) & (values < 1)).all():
            raise ModelError(f"A quantile needs probabilities between 0 and 1, got {q!r}.")
        return _like(values, self._quantile(values.ravel()))

    @overload
    def cdf(self, x: float) -> float: ...
    @overload
    def cdf(self, x: Sequence[float] | Array) -> Array: ...
    def cdf(self, x: ArrayLike) -> float | Array:
        """Return the posterior probability of a value at or below `x`."""
        values = np.asarray(x, dtype=np.float64)
        return _like(values, self._cdf(values.ravel()))

    @overload
    def pdf(self, x: float) -> float: ...
    @overload
    def pdf(self, x: Sequence[float] | Array) -> Array: ...
    def pdf(self, x: ArrayLike) -> float | Array:
        """Return the posterior density at `x`."""
        values = np.asarray(x, dtype=np.float64)
        return _like(values, self._pdf(values.ravel()))

    def interval(self, prob: float = 0.95, *, kind: Kind = "central") -> tuple[float, float]:
        """Return a credible interval.

        Parameters
        ----------
        prob : float
            Its posterior probability.
        kind : {"central", "shortest"}
            Equal tails, or the shortest interval that holds `prob`.
        """
        check_prob(prob)
        if kind == "central":
            lower, upper = self._quantile(np.array([(1 - prob) / 2, (1 + prob) / 2]))
            return float(lower), float(upper)
        if kind != "shortest":
            raise ModelError(f"kind is 'central' or 'shortest', not {kind!r}.")
        return self._shortest(prob)

    def _shortest(self, prob: float) -> tuple[float, float]:
        """Let the lower tail run over [0, 1 - prob] until the width is least."""
        from scipy.optimize import brentq

        tail = (1 - prob) * np.concatenate(([1e-9], np.linspace(0, 1, 65)[1:-1], [1 - 1e-9]))
        width = self._quantile(tail + prob) - self._quantile(tail)
        best = int(np.argmin(width))

        def slope(p: float) -> float:
            lower, upper = self._pdf(self._quantile(np.array([p, p + prob])))
            return float(lower - upper)

        low, high = tail[max(best - 1, 0)], tail[min(best + 1, len(tail) - 1)]
        inside = slope(low) < 0 < slope(high)
        p = brentq(slope, low, high, xtol=1e-13) if inside else tail[best]
        if p <= tail[0]:
            return self._lower_end(), float(self._quantile(np.array([prob]))[0])
        lower, upper = self._quantile(np.array([p, p + prob]))  # pyright: ignore[reportOperatorIssue]
        return float(lower), float(upper)

    def _lower_end(self) -> float:
        return float(self._quantile(np.array([1e-9]))[0])


@final
@dataclass(frozen=True, slots=True)
class NormalMixture(Marginal):
    """A finite mixture of normals: what quadrature over tau gives for mu and theta.

    Attributes
    ----------
    weights, means, sds : ndarray, shape (m,)
        Weights sum to 1.
    moments : int
        How many moments exist: 0, 1, or 2 for "two or more".
    """

    weights: Array
    means: Array
    sds: Array
    moments: int = 2

    def mean(self) -> float:
        """Return the posterior mean."""
        return float(self.weights @ self.means) if self.moments >= 1 else np.nan

    def sd(self) -> float:
        """Return the posterior standard deviation."""
        if self.moments < 2:
            return np.nan
        centre = self.weights @ self.means
        return float(np.sqrt(self.weights @ (self.sds**2 + (self.means - centre) ** 2)))

    def _cdf(self, x: Array) -> Array:
        return ndtr((x[:, None] - self.means) / self.sds) @ self.weights

    def _pdf(self, x: Array) -> Array:
        z = (x[:, None] - self.means) / self.sds
        return np.exp(-0.5 * z**2) @ (self.weights / self.sds) / SQRT_2PI

    def _quantile(self, q: Array) -> Array:
        each = self.means + self.sds * ndtri(q)[:, None]
        return invert(self._cdf, self._pdf, q, each.min(axis=1), each.max(axis=1))


@final
@dataclass(frozen=True, slots=True)
class TruncatedMixture(Marginal):
    """A mixture of ``shift + slope * m + noise`` with m a truncated normal.

    What quadrature over tau gives where the prior of mu has ends: Uniform, HalfNormal, HalfCauchy.

    Attributes
    ----------
    weights, means, sds : ndarray, shape (m,)
        Of the components; mean and sd of m before truncation.
    low, high : float
        Ends of the support of m.
    shift, slope, noise : ndarray, shape (m,)
        `noise` is a standard deviation. With slope 1 and neither shift nor noise the value is m.

    References
    ----------
    Owen DB (1956). Ann Math Statist 27:1075-1090 (the bivariate normal integral).
    """

    weights: Array
    means: Array
    sds: Array
    low: float
    high: float
    shift: Array
    slope: Array
    noise: Array
    moments: int = 2

    def mean(self) -> float:
        """Return the posterior mean."""
        return float(self.weights @ self._component_moments()[0]) if self.moments >= 1 else np.nan

    def sd(self) -> float:
        """Return the posterior standard deviation."""
        if self.moments < 2:
            return np.nan
        mean, variance = self._component_moments()
        centre = self.weights @ mean
        return float(np.sqrt(self.weights @ (variance + (mean - centre) ** 2)))

    def _ends(self) -> tuple[Array, Array, Array]:
        a, b = (self.low - self.means) / self.sds, (self.high - self.means) / self.sds
        return a, b, normal_between(a, b)

    def _component_moments(self) -> tuple[Array, Array]:
        a, b, held = self._ends()
        at_a, at_b = (np.exp(-0.5 * z**2) / SQRT_2PI / held for z in (a, b))
        z_at = [np.where(np.isfinite(z), z, 0.0) * f for z, f in ((a, at_a), (b, at_b))]
        mean = self.means + self.sds * (at_a - at_b)
        variance = self.sds**2 * (1 + z_at[0] - z_at[1] - (at_a - at_b) ** 2)
        return self.shift + self.slope * mean, self.slope**2 * variance + self.noise**2

    def _cdf(self, x: Array) -> Array:
        a, b, held = self._ends()
        total = np.hypot(self.slope * self.sds, self.noise)
        z = (x[:, None] - self.shift - self.slope * self.means) / total
        if not self.noise.any():  # mu itself: exact in the tails, and cheap
            return (normal_between(a, np.clip(z, a, b)) / held) @ self.weights
        rho = self.slope * self.sds / total
        inside = _below_both(z, b, rho) - _below_both(z, a, rho)
        return np.clip((inside / held) @ self.weights, 0.0, 1.0)

    def _pdf(self, x: Array) -> Array:
        a, b, held = self._ends()
        total = np.hypot(self.slope * self.sds, self.noise)
        z = (x[:, None] - self.shift - self.slope * self.means) / total
        rho = self.slope * self.sds / total
        left = self.noise / total
        with np.errstate(divide="ignore", invalid="ignore"):
            upper, lower = (  # without noise an end itself is inside: 0/0 there
                np.nan_to_num((end - rho * z) / left, nan=within)
                for end, within in ((b, np.inf), (a, -np.inf))
            )
        density = np.exp(-0.5 * z**2) / SQRT_2PI / total
        return (density * normal_between(lower, upper) / held) @ self.weights

    def _quantile(self, q: Array) -> Array:
        ends = [np.clip(self.means + s * 40 * self.sds, self.low, self.high) for s in (-1, 1)]
        low, high = (
            self.shift + self.slope * end + s * 40 * self.noise
            for end, s in zip(ends, (-1, 1), strict=True)
        )
        low, high = np.full_like(q, low.min()), np.full_like(q, high.max())
        return invert(self._cdf, self._pdf, q, low, high, start=self._rough_quantile(q))

    def _rough_quantile(self, q: Array) -> Array:
        """Quantiles of a mixture of normals of the same moments: near, and without Owen's T."""
        with np.errstate(all="ignore"):
            mean, variance = self._component_moments()
        known = np.isfinite(mean) & (variance > 0)
        if not known.any():
            return np.full_like(q, np.nan)
        weights = self.weights[known] / self.weights[known].sum()
        return NormalMixture(weights, mean[known], np.sqrt(variance[known]))._quantile(q)


@final
@dataclass(frozen=True, slots=True)
class TauDensity(Marginal):
    """The posterior of tau as a Chebyshev series in a mapped variable.

    ``tau = low + scale ((1 + u) / (1 - u)) ** lower`` with u running over [-1, end].

    Attributes
    ----------
    low, scale, end : float
        The map; ``end`` is 1 where tau has no upper bound.
    density : ndarray, shape (n,)
        Chebyshev coefficients of the density in x, where
        ``u = -1 + (end + 1) (1 - ((1 - x) / 2) ** upper)``.
    raw : ndarray, shape (2,)
        First two moments.
    moments : int
        How many of them exist.
    lower, upper : float
        Powers of the map; above 1 where the density has a pole at that end.
    """

    low: float
    scale: float
    end: float
    density: Array
    raw: Array
    moments: int = 2
    lower: float = 1.0
    upper: float = 1.0

    def mean(self) -> float:
        """Return the posterior mean."""
        return float(self.raw[0]) if self.moments >= 1 else np.nan

    def sd(self) -> float:
        """Return the posterior standard deviation."""
        variance = max(self.raw[1] - self.raw[0] ** 2, 0.0)
        return float(np.sqrt(variance)) if self.moments >= 2 else np.nan

    def _x(self, tau: Array) -> Array:
        return x_of(tau, self.low, self.scale, self.end, self.lower, self.upper)

    def _tau(self, x: Array) -> Array:
        return tau_of(x, self.low, self.scale, self.end, self.lower, self.upper)[0]

    def nodes(self) -> tuple[Array, Array]:
        """Quadrature nodes of tau and the posterior probability at each, shape (n,).

        Chebyshev nodes with Fejér's weights: a smooth function of tau summed over them with these
        probabilities is its posterior mean.
        """
        n = self.density.size
        angle = np.pi * (np.arange(n) + 0.5) / n
        order = 2 * np.arange(1, n // 2 + 1)
        weight = 2 / n * (1 - 2 * np.cos(np.outer(angle, order)) @ (1 / (order**2.0 - 1)))
        x = np.cos(angle)
        return self._tau(x), weight * self._in_x(x)[1]

    def _in_x(self, x: Array) -> tuple[Array, Array]:
        """Distribution function and density in x."""
        integral = _integral(self.density)
        both = np.zeros((2, integral.size))
        both[0], both[1, :-1] = integral, self.density
        cdf, density = _series(both, x)
        return np.clip(cdf, 0.0, 1.0), np.maximum(density, 0.0)

    def _cdf(self, x: Array) -> Array:
        return np.where(x < self.low, 0.0, self._in_x(self._x(x))[0])

    def _pdf(self, x: Array) -> Array:
        at = self._x(x)
        place = (self.low, self.scale, self.end, self.lower, self.upper)
        top = float(self._tau(np.array([1.0]))[0]) if self.end < 1 else np.inf
        with np.errstate(divide="ignore", invalid="ignore"):  # infinite at a pole, 0 far out
            found = self._in_x(at)[1] / tau_of(at, *place)[1]
        found = np.where(np.isinf(x), 0.0, found)
        return np.where((x < self.low) | (x > top), 0.0, found)

    def _quantile(self, q: Array) -> Array:
        ends = np.full_like(q, -1.0), np.full_like(q, 1.0)
        return self._tau(invert(lambda x: self._in_x(x)[0], lambda x: self._in_x(x)[1], q, *ends))

    def _lower_end(self) -> float:
        return self.low


@final
@dataclass(frozen=True, slots=True)
class Draws(Marginal):
    """A posterior known through draws.

    Attributes
    ----------
    values : ndarray, shape (chains, draws)
    moments : int
        How many moments the posterior has; draws alone cannot tell.
    low : float
        End of the support, where the density is reflected instead of smeared beyond.
    """

    values: Array
    moments: int = 2
    low: float = -np.inf

    def mean(self) -> float:
        """Return the mean of the draws."""
        return float(self.values.mean()) if self.moments >= 1 else np.nan

    def sd(self) -> float:
        """Return the standard deviation of the draws."""
        return float(self.values.std(ddof=1)) if self.moments >= 2 else np.nan

    def _quantile(self, q: Array) -> Array:
        return np.quantile(self.values, q)

    def _cdf(self, x: Array) -> Array:
        ordered = np.sort(self.values, axis=None)
        return np.searchsorted(ordered, x, side="right") / ordered.size

    def _pdf(self, x: Array) -> Array:
        from scipy.stats import gaussian_kde

        smooth = gaussian_kde(self.values.ravel())
        if np.isinf(self.low):
            return smooth(x)
        return np.where(x < self.low, 0.0, smooth(x) + smooth(2 * self.low - x))

    def _shortest(self, prob: float) -> tuple[float, float]:
        ordered = np.sort(self.values, axis=None)
        held = int(np.ceil(prob * ordered.size))
        start = int(np.argmin(ordered[held - 1 :] - ordered[: ordered.size - held + 1]))
        return float(ordered[start]), float(ordered[start + held - 1])


@final
@dataclass(frozen=True, slots=True)
class Marginals:
    """Marginal posteriors of a vector, one per study; methods give arrays of shape (k,).

    Of several outcomes one per outcome, pair of outcomes, or study and outcome: `of` says which,
    and `study` holds their names.
    """

    study: tuple[str, ...]
    each: tuple[Marginal, ...]
    of: str = "study"

    def __getitem__(self, study: str | int) -> Marginal:
        if isinstance(study, str) and study in self.study:
            return self.each[self.study.index(study)]
        if isinstance(study, int | np.integer) and not isinstance(study, bool):
            number = int(study)
            if -len(self.each) <= number < len(self.each):
                return self.each[number]
        article = "an" if self.of.startswith("o") else "a"
        names = ", ".join(self.study)
        raise ModelError(f"{study!r} is not {article} {self.of} of this fit: {names}.")

    def __len__(self) -> int:
        return len(self.each)

    def mean(self) -> Array:
        """Return posterior means, shape (k,)."""
        return np.array([marginal.mean() for marginal in self.each])

    def sd(self) -> Array:
        """Return posterior standard deviations, shape (k,)."""
        return np.array([marginal.sd() for marginal in self.each])

    def quantile(self, q: float | Sequence[float]) -> Array:
        """Return quantiles, shape (k,) or (k, len(q))."""
        return np.array([marginal.quantile(q) for marginal in self.each])

    def cdf(self, x: float) -> Array:
        """Return the probabilities of values at or below `x`, shape (k,)."""
        return np.array([marginal.cdf(x) for marginal in self.each])

    def interval(self, prob: float = 0.95, *, kind: Kind = "central") -> Array:
        """Return intervals, shape (k, 2)."""
        return np.array([marginal.interval(prob, kind=kind) for marginal in self.each])


@final
class Deferred(Mapping[str, "Marginal | Marginals"]):
    """Marginal posteriors by name; those given as functions are computed when first asked for.

    Parameters
    ----------
    known : mapping of str to Marginal, Marginals or callable
        A callable takes nothing and returns one of the two.
    """

    __slots__ = ("_known",)

    def __init__(self, known: Mapping[str, "Marginal | Marginals | Later"]) -> None:
        self._known = dict(known)

    def __getitem__(self, name: str) -> "Marginal | Marginals":
        value = self._known[name]
        if callable(value):
            value = self._known[name] = value()
        return value

    def computed(self) -> Mapping[str, "Marginal | Marginals"]:
        """Return those that are there already, without computing any."""
        return {name: value for name, value in self._known.items() if not callable(value)}

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"Deferred({', '.join(self._known)})"


def invert(
    cdf: Function,
    pdf: Function,
    q: Array,
    low: Array,
    high: Array,
    *,
    start: Array | None = None,
) -> Array:
    """Solve ``cdf(x) = q`` by Newton steps kept inside a shrinking bracket.

    All arrays have shape (n,); the root lies within [low, high], and the search begins at `start`,
    or in the middle where that is NaN. Stops when every x is settled to
    rounding, in x or in probability, or after 200 steps, when bisection alone would have got there.
    """
    low, high = low.copy(), high.copy()
    x = 0.5 * (low + high)
    if start is not None:
        x = np.where(np.isnan(start), x, np.clip(start, low, high))
    for _ in range(200):
        excess = cdf(x) - q
        low, high = np.where(excess < 0, x, low), np.where(excess < 0, high, x)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = x - excess / pdf(x)
        inside = (newton >= low) & (newton <= high)
        settled = np.abs(excess) <= 4e-16
        following = np.where(settled, x, np.where(inside, newton, 0.5 * (low + high)))
        step, x = np.abs(following - x), following
        if (step <= 4 * np.spacing(np.abs(x))).all():
            break
    return x


def tau_of(
    x: Array, low: float, scale: float, end: float, lower: float, upper: float
) -> tuple[Array, Array]:
    """Map of ``TauDensity``: tau at x, and its derivative."""
    with np.errstate(divide="ignore", invalid="ignore"):
        left = (1 - x) / 2
        u = -1 + (end + 1) * (1 - left**upper)
        ratio = (1 + u) / (1 - u)
        slope = (end + 1) * upper / 2 * left ** (upper - 1) * 2 / (1 - u) ** 2
        return low + scale * ratio**lower, scale * lower * ratio ** (lower - 1) * slope


def x_of(tau: Array, low: float, scale: float, end: float, lower: float, upper: float) -> Array:
    """Inverse of ``tau_of``: what lies beyond the ends comes to the ends."""
    t = (np.maximum(tau - low, 0.0) / scale) ** (1 / lower)
    with np.errstate(invalid="ignore"):
        left = np.where(np.isinf(t), 0.0, 1 - 2 * t / (t + 1) / (end + 1))
    return 1 - 2 * np.clip(left, 0.0, 1.0) ** (1 / upper)


def _integral(series: Array) -> Array:
    """Chebyshev coefficients of the integral from -1 of a series."""
    n = series.size
    order = np.arange(1, n + 1)
    padded = np.concatenate((series, (0.0, 0.0)))
    before = padded[:n] * np.where(order == 1, 2.0, 1.0)
    rest = (before - padded[2:]) / (2 * order)
    return np.concatenate(([-(rest * (-1.0) ** order).sum()], rest))


def _series(coefficients: Array, x: Array) -> Array:
    """Values of several Chebyshev series, (m, n), at points (p,): (m, p)."""
    if x.size * coefficients.shape[1] > 20_000:  # Clenshaw's recurrence needs no table
        return np.polynomial.chebyshev.chebval(x, coefficients.T)  # pyright: ignore[reportReturnType]
    return coefficients @ np.cos(np.outer(np.arange(coefficients.shape[1]), np.arccos(x)))


def normal_between(low: Array, high: Array) -> Array:
    """P(low < Z < high) for a standard normal, without cancellation in either tail."""
    flip = low > 0
    return ndtr(np.where(flip, -low, high)) - ndtr(np.where(flip, -high, low))


def _below_both(h: Array, k: Array, rho: Array) -> Array:
    """As ``bivariate_normal``, without its work where no `k` is finite."""
    if np.isposinf(k).all():
        return ndtr(h)
    return np.zeros_like(h) if np.isneginf(k).all() else bivariate_normal(h, k, rho)


def bivariate_normal(h: Array, k: Array, rho: Array) -> Array:
    """P(X < h, Y < k) for standard normals with correlation `rho` (Owen 1956)."""
    h, k = (np.where(z == 0, 1e-300, z) for z in (h, k))
    finite = np.clip(k, -1e10, 1e10)
    left = np.sqrt(np.maximum((1 - rho) * (1 + rho), 1e-30))
    both = 0.5 * (ndtr(h) + ndtr(finite)) - 0.5 * (h * finite < 0)
    with np.errstate(over="ignore"):
        both -= owens_t(h, (finite - rho * h) / (h * left))
        both -= owens_t(finite, (h - rho * finite) / (finite * left))
    return np.where(np.isposinf(k), ndtr(h), np.where(np.isneginf(k), 0.0, both))


def _like(shaped: Array, values: Array) -> float | Array:
    return float(values[0]) if shaped.ndim == 0 else values.reshape(shaped.shape)
