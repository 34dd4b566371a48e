"""Marginal posteriors known on a grid, or on a grid of a mapped variable."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from .inversion import invert
from .marginals import Array, Marginal

OVERSHOOT = 1.5  # of the points on either side, which a density that they resolve stays below
END = 15.0  # of a mapped variable: 3e-7 of the scale from the end, where digits are still left


@final
@dataclass(frozen=True, slots=True)
class GridDensity(Marginal):
    """A smooth density known on a uniform grid that resolves it.

    Attributes
    ----------
    x, density, cumulative, slope : ndarray, shape (n,)
        Points of a finer grid, with density, distribution function and slope of the density there.
    mean_sd : tuple of float
    moments : int
        How many moments exist.
    """

    x: Array
    density: Array
    cumulative: Array
    slope: Array
    mean_sd: tuple[float, float]
    moments: int = 2

    @classmethod
    def of(
        cls,
        x: Array,
        density: Array,
        *,
        moments: int = 2,
        finer: int = 8,
        local: bool = False,
    ) -> "GridDensity":
        """Interpolate a density that vanishes at both ends, by its Fourier series.

        Parameters
        ----------
        x, density : ndarray, shape (n,)
            Uniform points, and the density up to a constant.
        moments : int
        finer : int
            How many times finer the stored grid is.
        local : bool
            By a spline instead, which keeps the digits of what is small beside the peak: where a
            map crowds, its density is.
        """
        step = x[1] - x[0]
        density = np.maximum(density, 0.0)
        density = density / (density.sum() * step)
        mean = float((density * x).sum() * step)
        sd = float(np.sqrt((density * (x - mean) ** 2).sum() * step))
        alive = np.flatnonzero(density > 1e-17 * density.max())
        first, last = max(alive[0] - 8, 0), min(alive[-1] + 9, x.size)
        fine_x = x[0] + step / finer * np.arange(finer * density.size)
        fine, slope, cumulative = (_by_spline if local else _by_series)(density, step, finer)
        beside = np.repeat(np.maximum(density, np.roll(density, -1)), finer)
        fine = np.clip(fine, 0.0, OVERSHOOT * beside)  # rounding in the middle rings in the tails
        keep = slice(first * finer, last * finer)
        fine, fine_x, cumulative = np.maximum(fine[keep], 0.0), fine_x[keep], cumulative[keep]
        cumulative = np.maximum.accumulate(np.clip(cumulative - cumulative[0], 0.0, 1.0))
        total = cumulative[-1]
        return cls(fine_x, fine, cumulative / total, slope[keep], (mean, sd), moments)

    def mean(self) -> float:
        """Return the posterior mean."""
        return self.mean_sd[0] if self.moments >= 1 else np.nan

    def sd(self) -> float:
        """Return the posterior standard deviation."""
        return self.mean_sd[1] if self.moments >= 2 else np.nan

    def _cell(self, x: Array) -> tuple[NDArray[np.intp], Array, float]:
        """Cell of each point, how far into it the point lies, in [0, 1] or beyond, and its width.

        The place within the cell follows from its number: taken from the cell's ends, a point on
        a node could come out just before its own cell.
        """
        step = float(self.x[-1] - self.x[0]) / (self.x.size - 1)
        place = (x - self.x[0]) / step
        cell = np.clip(np.floor(place), 0, self.x.size - 2)
        return cell.astype(np.intp), place - cell, step

    def _pdf(self, x: Array) -> Array:
        cell, t, step = self._cell(x)
        inside = (x >= self.x[0]) & (x <= self.x[-1])
        t = np.clip(t, 0, 1)
        f0, f1 = self.density[cell], self.density[cell + 1]
        d0, d1 = self.slope[cell] * step, self.slope[cell + 1] * step
        return np.where(inside, np.maximum(_hermite(f0, f1, d0, d1, t), 0.0), 0.0)

    def _cdf(self, x: Array) -> Array:
        """Quintic in each cell, from values, densities and their slopes at its ends."""
        cell, t, step = self._cell(x)
        t = np.clip(t, 0, 1)
        f0, f1 = self.cumulative[cell], self.cumulative[cell + 1]
        d0, d1 = self.density[cell] * step, self.density[cell + 1] * step
        c0, c1 = self.slope[cell] * step**2, self.slope[cell + 1] * step**2
        s = 1 - t
        left = s**3 * ((1 + 3 * t + 6 * t**2) * f0 + t * (1 + 3 * t) * d0 + 0.5 * t**2 * c0)
        right = t**3 * ((1 + 3 * s + 6 * s**2) * f1 - s * (1 + 3 * s) * d1 + 0.5 * s**2 * c1)
        return np.clip(left + right, 0.0, 1.0)

    def _quantile(self, q: Array) -> Array:
        cell = np.searchsorted(self.cumulative, q)
        low, high = (self.x[np.clip(cell + one, 0, self.x.size - 1)] for one in (-2, 1))
        return invert(self._cdf, self._pdf, q, low, high)

    def _places(self) -> Array:
        return self.x


@final
@dataclass(frozen=True, slots=True)
class SupportMap:
    """A smooth map of the whole line to a support with one end, with two, or with none.

    Attributes
    ----------
    low, high : float
        Ends of the support: both finite, `low` alone, or neither: then it is dense at `centres`.
    scale : float
        Of the map; of no use where there are two ends.
    centres : tuple of float
        Where the map crowds within `scale`, if there is no end.
    crowd : tuple of float, optional
        Of a support with an end: place and scale, in the plain map's variable, at which this one
        crowds besides.
    """

    low: float
    high: float
    scale: float
    centres: tuple[float, ...] = (0.0,)
    crowd: tuple[float, float] | None = None

    @property
    def _ends(self) -> int:
        return int(np.isfinite(self.low)) + int(np.isfinite(self.high))

    def value(self, u: Array) -> Array:
        """Map u to the support."""
        u = self._plain(u)
        if self._ends == 1:
            return self.low + self.scale * np.logaddexp(0.0, u)
        if self._ends == 2:
            return self.low + (self.high - self.low) * expit(u)
        if len(self.centres) == 1:
            return self.centres[0] + self.scale * np.sinh(u)
        return self._beside_nearest(np.asarray(u, dtype=np.float64))

    def _beside_nearest(self, u: Array) -> Array:
        """Solve for the distance from the nearest centre, whose own part of u is the steepest."""
        centres = np.sort(np.array(self.centres))
        nearest = np.searchsorted(self.inverse((centres[1:] + centres[:-1]) / 2), u)
        centre = centres[nearest]
        own = u - self.inverse(centre)
        for _ in range(60):
            x = centre + self.scale * np.sinh(own)
            step = (u - self.inverse(x)) / (self._per_unit(x) * self.scale * np.cosh(own))
            own = own + np.clip(step, -3.0, 3.0)
            if np.abs(step).max(initial=0.0) < 1e-14:
                break
        return centre + self.scale * np.sinh(own)

    def slope(self, u: Array) -> Array:
        """Return the derivative of the value."""
        inner = 1.0 if self.crowd is None else self.crowd[1] * np.cosh(np.clip(u, -700, 700))
        u = self._plain(u)
        if self._ends == 1:
            return self.scale * expit(u) * inner
        if self._ends == 2:
            return (self.high - self.low) * expit(u) * expit(-u) * inner
        if len(self.centres) == 1:
            return self.scale * np.cosh(u)
        return 1 / self._per_unit(self.value(u))

    def slope_at(self, x: Array) -> Array:
        """Return the derivative of the value where that is x."""
        return 1 / self._per_unit(x) if self._ends == 0 else self.slope(self.inverse(x))

    def inverse(self, x: Array) -> Array:
        """Map the support to u; its ends and what lies beyond to -inf and inf."""
        if self._ends == 0:
            return sum(np.arcsinh((x - centre) / self.scale) for centre in self.centres)  # pyright: ignore[reportReturnType]
        with np.errstate(divide="ignore"):
            if self._ends == 2:
                u = logit(np.clip((x - self.low) / (self.high - self.low), 0.0, 1.0))
            else:
                t = np.maximum(x - self.low, 0.0) / self.scale
                u = np.where(t > 30, t, np.log(np.expm1(np.minimum(t, 30))))
        if self.crowd is None:
            return u
        return np.arcsinh((u - self.crowd[0]) / self.crowd[1])

    def _plain(self, u: Array) -> Array:
        """Variable of the map that crowds at ends alone."""
        if self.crowd is None:
            return u
        return self.crowd[0] + self.crowd[1] * np.sinh(np.clip(u, -700, 700))

    def _per_unit(self, x: Array) -> Array:
        """Derivative of the inverse where there is no end."""
        return sum(1 / np.hypot(x - centre, self.scale) for centre in self.centres)  # pyright: ignore[reportReturnType]


@final
@dataclass(frozen=True, slots=True)
class MappedDensity(Marginal):
    """A density on a support with an end, smooth in a variable that has none.

    Attributes
    ----------
    inner : GridDensity
        Of the mapped variable.
    support : SupportMap
    mean_sd : tuple of float
    moments : int
        How many moments exist.
    """

    inner: GridDensity
    support: SupportMap
    mean_sd: tuple[float, float]
    moments: int = 2

    def mean(self) -> float:
        """Return the posterior mean."""
        return self.mean_sd[0] if self.moments >= 1 else np.nan

    def sd(self) -> float:
        """Return the posterior standard deviation."""
        return self.mean_sd[1] if self.moments >= 2 else np.nan

    def _cdf(self, x: Array) -> Array:
        return self.inner._cdf(np.clip(self.support.inverse(x), -1e9, 1e9))

    def _pdf(self, x: Array) -> Array:
        u = self.support.inverse(x)
        u = np.where(np.isinf(u), END * np.sign(u), np.clip(u, -300, 300))
        inside = (x >= self.support.low) & (x <= self.support.high)
        return np.where(inside, self.inner._pdf(u) / self.support.slope(u), 0.0)

    def _quantile(self, q: Array) -> Array:
        return self.support.value(self.inner._quantile(q))

    def _places(self) -> Array:
        ends = np.array([self.support.low, self.support.high])
        return np.append(self.support.value(self.inner.x), ends[np.isfinite(ends)])

    def _lower_end(self) -> float:
        low = self.support.low
        return low if np.isfinite(low) else float(self._quantile(np.array([1e-9]))[0])


def _by_series(density: Array, step: float, finer: int) -> tuple[Array, Array, Array]:
    """Density, its slope and its integral at more points, by its Fourier series."""
    size = density.size
    series = np.fft.rfft(density)
    omega = 2 * np.pi * np.fft.rfftfreq(size, step)
    slope = np.fft.irfft(1j * omega * series * finer, finer * size)
    cumulative = _antiderivative(series, omega, step, finer, size)
    return np.fft.irfft(series * finer, finer * size), slope, cumulative


def _by_spline(density: Array, step: float, finer: int) -> tuple[Array, Array, Array]:
    """Likewise by a spline, level beyond the last point."""
    from scipy.interpolate import make_interp_spline

    spline = make_interp_spline(step * np.arange(density.size), density, k=7)
    at = np.minimum(step / finer * np.arange(finer * density.size), step * (density.size - 1))
    return spline(at), spline.derivative()(at), spline.antiderivative()(at)


def _antiderivative(
    series: NDArray[np.complex128], omega: Array, step: float, finer: int, size: int
) -> Array:
    """Integrate a Fourier series term by term, at `finer` times as many points."""
    terms = np.zeros_like(series)
    terms[1:] = series[1:] / (1j * omega[1:])
    at = step / finer * np.arange(finer * size)
    return np.fft.irfft(terms * finer, finer * size) + series[0].real / size * at


def _hermite(f0: Array, f1: Array, d0: Array, d1: Array, t: Array) -> Array:
    """Cubic on a unit cell from values and slopes at its ends."""
    s = 1 - t
    return s**2 * (1 + 2 * t) * f0 + t**2 * (3 - 2 * t) * f1 + s * t * (s * d0 - t * d1)
