"""Effects on one uniform grid, smeared by their distribution in the Fourier domain."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, k0e, k1e, kve, ndtr, stdtr

from ...posterior import Check, GridDensity, Marginals, TauDensity
from ..likelihood.kernels import rule_of_effects
from ..likelihood.points import Grid

type Array = NDArray[np.float64]

FLOOR = 1e-18  # of a study's likelihood, below which the Fourier transform is noise
MANY = 1e6  # degrees of freedom: the normal, within 1/(4 df)
LARGE_ORDER = 50.0  # of a Bessel function: from there its expansion is exact enough
PROBS = (0.025, 0.5, 0.975)  # at which the effect in a new study is compared
NEGLIGIBLE = 1e-17  # posterior mass of a node
WIDE = 1.5  # steps of the grid, from which a sum over it is an integral


@final
@dataclass(frozen=True)
class OnOneGrid:
    """A posterior whose mu was integrated on the grid of the likelihoods, and its effects.

    Attributes
    ----------
    study : tuple of str, length k
    df : float or None
        Degrees of freedom of the effects; None for normal ones.
    grid : Grid
    likelihood : ndarray, shape (k, size)
        Of the studies on the grid, each to a scale of its own.
    fourier : ndarray of complex, shape (k, frequencies)
        Its transform.
    tau : ndarray, shape (t,)
    mass : ndarray, shape (t, size)
        Posterior probabilities of tau and mu, sum to 1.
    of_tau : TauDensity
    bounded : ndarray of bool, shape (k,)
        As in ``Integrated``.
    """

    study: tuple[str, ...]
    df: float | None
    grid: Grid
    likelihood: Array
    fourier: NDArray[np.complex128]
    tau: Array
    mass: Array
    of_tau: TauDensity
    bounded: NDArray[np.bool_]

    @cached_property
    def new(self) -> GridDensity:
        """Effect in a new study."""
        omega = frequencies(self.grid)
        ahead = sum(
            np.fft.rfft(mass) * characteristic(tau * omega, self.df)
            for mass, tau in zip(self.mass, self.tau, strict=True)
        )
        density = np.fft.irfft(ahead, self.grid.size) / self.grid.step
        return GridDensity.of(self.grid.points, density, moments=self._moments_of_new)

    @property
    def _moments_of_new(self) -> int:
        of_shape = 2 if self.df is None else max(int(np.ceil(self.df)) - 1, 0)
        return min(self.of_tau.moments, of_shape)

    @cached_property
    def effects(self) -> Marginals:
        """Effects of the studies."""
        moments = np.where(self.bounded, 2, self._moments_of_new).tolist()
        each = zip(self._each[0], moments, strict=True)
        x = self.grid.points
        return Marginals(self.study, tuple(GridDensity.of(x, one, moments=n) for one, n in each))

    def check_of_new(self, limit: float) -> Check:
        """Hold a new effect to what must be true of it: its mean, variance and distribution."""
        off = self._error_of_new()
        return Check("quadrature error", "theta_new", off, limit, at_most=True)

    def check_of_effects(self, limit: float) -> Check:
        """Hold the effects to what must be true of them; see ``check_of_effects``."""
        each, expected = self._each
        total = each.sum(axis=1) * self.grid.step
        means = expected if self.df is None else None
        return check_of_effects(self.effects, total, means, limit)

    def _error_of_new(self) -> float:
        x, at = self.grid.points, self.new.quantile(PROBS)
        gaps = [np.abs(self._below(at) - PROBS).max()]
        if self._moments_of_new == 2 and self.df is None:
            mass = self.mass.sum(axis=0)
            mean = mass @ x
            total = mass @ (x - mean) ** 2 + self.mass.sum(axis=1) @ self.tau**2
            gaps.append(abs(self.new.mean_sd[0] - mean) / total**0.5)
            gaps.append(abs(self.new.mean_sd[1] / total**0.5 - 1))
        return float(np.max(gaps))

    def _below(self, at: Array) -> Array:
        """Probability of a new effect below some points, as a mixture over the nodes."""
        from scipy.interpolate import make_interp_spline

        x, found = self.grid.points, np.zeros(at.size)
        z, log_weight = rule_of_effects(self.df)
        for mass, tau in zip(self.mass, self.tau, strict=True):
            if tau > WIDE * self.grid.step:
                seen = mass > NEGLIGIBLE
                scaled = (at[:, None] - x[seen]) / tau
                below = ndtr(scaled) if self.df is None else stdtr(self.df, scaled)
                found += below @ mass[seen]
            else:
                spline = make_interp_spline(x, mass / self.grid.step, k=5).antiderivative()
                inside = np.clip(at[:, None] - tau * z, x[0], x[-1])
                found += spline(inside) @ np.exp(log_weight)
        return found

    @cached_property
    def _each(self) -> tuple[Array, Array]:
        """Densities of the studies' effects, (k, size), and what their means should be, (k,)."""
        omega = frequencies(self.grid)
        spread, shift = np.zeros_like(self.fourier), np.zeros(len(self.fourier))
        for mass, tau in zip(self.mass, self.tau, strict=True):
            kernel = characteristic(tau * omega, self.df)
            share = mass / np.exp(smoothed(self.fourier, self.grid, kernel))
            spread += np.fft.rfft(share, axis=1) * kernel
            slope = np.fft.irfft(1j * omega * self.fourier * kernel, self.grid.size, axis=1)
            shift += tau**2 * (share * slope).sum(axis=1)
        density = self.likelihood * np.fft.irfft(spread, self.grid.size, axis=1) / self.grid.step
        return density, self.mass.sum(axis=0) @ self.grid.points + shift


def check_of_effects(effects: Marginals, total: Array, means: Array | None, limit: float) -> Check:
    """Gate of the studies' effects.

    Held to what they must be are their total probability, which says whether a likelihood at an
    effect and at mu and tau is the same, and their means, ``E[mu + tau² d log L / d mu]``.

    Parameters
    ----------
    effects : Marginals
    total : ndarray, shape (k,)
        Probabilities that should be 1.
    means : ndarray, shape (k,), or None
        What their means should be; None where the identity does not hold.
    limit : float
    """
    gaps = np.abs(total - 1)
    if means is not None:
        off = np.abs(effects.mean() - means) / effects.sd()
        gaps = np.fmax(gaps, off)  # NaN where there are no moments
    worst = int(np.argmax(np.nan_to_num(gaps, nan=np.inf)))
    name, where = "quadrature error", f"theta[{effects.study[worst]}]"
    return Check(name, where, float(gaps[worst]), limit, at_most=True)


def characteristic(x: Array, df: float | None) -> Array:
    """Characteristic function of the standard normal, or of Student's t with `df`.

    The latter is K_h(√df |x|) (√df |x|)^h 2^(1-h) / Γ(h), h = df/2 (Hurst 1995, Statistics
    Research Report SRR044-95, Australian National University).
    """
    if df is None or df >= MANY:
        return np.exp(-0.5 * x**2)
    h, z = df / 2, np.sqrt(df) * np.abs(x)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_value = h * np.log(z) + _log_bessel(h, z) + (1 - h) * np.log(2) - gammaln(h)
        value = np.exp(log_value)
    return np.where(np.isfinite(value) & (z > 1e-280), value, 1.0)


def _log_bessel(h: float, z: Array) -> Array:
    """Log of K_h(z); for large h by its uniform expansion (DLMF 10.41.4), better than 1e-8."""
    if h == 2:  # df = 4: by its recurrence (DLMF 10.29.1) in a tenth of the time
        return np.log(k0e(z) + 2 / z * k1e(z)) - z
    if h < LARGE_ORDER:
        return np.log(kve(h, z)) - z
    root = np.sqrt(1 + (z / h) ** 2)
    p = 1 / root
    eta = root + np.log(z / h / (1 + root))
    u1 = (3 * p - 5 * p**3) / 24
    u2 = (81 * p**2 - 462 * p**4 + 385 * p**6) / 1152
    u3 = (30375 * p**3 - 369603 * p**5 + 765765 * p**7 - 425425 * p**9) / 414720
    series = 1 - u1 / h + u2 / h**2 - u3 / h**3
    return 0.5 * np.log(np.pi / (2 * h * root)) - h * eta + np.log(series)


def smoothed(fourier: NDArray[np.complex128], grid: Grid, kernel: Array) -> Array:
    """Log likelihood of each study given mu on the grid, (k, size), scaled as the likelihood is."""
    return np.log(np.maximum(np.fft.irfft(fourier * kernel, grid.size, axis=1), FLOOR))


def log_given_mu(
    fourier: NDArray[np.complex128], grid: Grid, df: float | None, tau: float
) -> Array:
    """Log likelihood of each study given mu on the grid and one tau, (k, size)."""
    return smoothed(fourier, grid, characteristic(tau * frequencies(grid), df))


def frequencies(grid: Grid) -> Array:
    """Angular frequencies of the grid."""
    return 2 * np.pi * np.fft.rfftfreq(grid.size, grid.step)
