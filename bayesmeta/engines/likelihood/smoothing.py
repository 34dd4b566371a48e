"""Likelihoods smoothed by the distribution of normal effects, from Fourier series: NumPy or JAX."""

import numpy as np

from .laws import Both, Namespace

type Array = Both

FLOOR = 1e-17
ONE_THREAD = 2**18  # multiplications, up to which OpenBLAS starts no threads
LONG, KERNEL = 32, 8.7  # frequencies; times tau, beyond which nothing of a normal's are left


def given_mu(xp: Namespace, fourier: Array, tau: Array, ahead: Array, step: Array) -> Array:
    """Likelihood of each study given mu and tau, (t, k, m), by its Fourier series.

    The nodes of mu are the middle of the grid plus and minus `ahead`, (m/2,): cosines serve both
    sides, and sines with their sign.
    """
    half = fourier.shape[1] - 1
    count = np.arange(half + 1)
    omega = np.pi * count / (half * step)
    share = np.where((count == 0) | (count == half), 0.5, 1.0) * (-1.0) ** count / half
    angle = omega[:, None] * ahead
    parts, waves = (xp.real(fourier), xp.imag(fourier)), (xp.cos(angle), xp.sin(angle))
    found = []
    for some, part in _groups(xp, tau, omega):
        kernel = share[part] * xp.exp(-0.5 * (tau[some, None] * omega[part]) ** 2)[:, None]
        size = (-1, fourier.shape[0], ahead.shape[0])
        rows = ((one[:, part] * kernel).reshape(-1, kernel.shape[-1]) for one in parts)
        even, odd = (
            _product(xp, row, wave[part]).reshape(size)
            for row, wave in zip(rows, waves, strict=True)
        )
        found.append(xp.concatenate([(even + odd)[..., ::-1], even - odd], axis=-1))
    return xp.maximum(found[0] if len(found) == 1 else xp.concatenate(found), FLOOR)


def _product(xp: Namespace, rows: Array, wave: Array) -> Array:
    """One product of matrices: a stack of small ones costs many times as much.

    In NumPy by blocks that its library computes in one thread: several, on processors that have
    other work, wait for one another for longer than the product takes.
    """
    if xp is not np:
        return rows @ wave
    found = np.empty((rows.shape[0], wave.shape[1]))
    size = max(1, ONE_THREAD // wave.size)
    for first in range(0, rows.shape[0], size):
        np.matmul(rows[first : first + size], wave, out=found[first : first + size])
    return found


def _groups(xp: Namespace, tau: Array, omega: Array) -> list[tuple[slice, slice]]:
    """Nodes of tau, the largest first, and the frequencies that they leave anything of.

    One group where there are few frequencies, or a program is traced.
    """
    if xp is not np or omega.size <= LONG:
        return [(slice(None), slice(None))]
    seen = np.searchsorted(omega, KERNEL / np.maximum(tau, 1e-300)) + 1
    size = np.full(tau.size, omega.size)
    while (shorter := (seen <= size // 2) & (size > LONG)).any():
        size = np.where(shorter, size // 2 + 1, size)
    ends = np.flatnonzero(np.diff(size, append=0)) + 1
    return [
        (slice(start, end), slice(int(size[start])))
        for start, end in zip([0, *ends[:-1]], ends, strict=True)
    ]
