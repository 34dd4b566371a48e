"""Convergence diagnostics of draws, and the numerical gates built on them.

R-hat, effective sample sizes and Monte Carlo standard errors of Vehtari, Gelman, Simpson, Carpenter
and Bürkner (2021, Bayesian Anal 16:667), held to ArviZ in the tests: to import that takes longer
than to sample a table of trials.
"""

# SciPy types its results as unions with a second return value:
# pyright: reportArgumentType=false

from collections.abc import Mapping

import numpy as np
from scipy.fft import next_fast_len
from scipy.special import ndtri

from ...posterior import Check

RHAT, ESS, BFMI = 1.01, 400, 0.3  # Vehtari et al. 2021, Bayesian Anal 16:667; Betancourt 2016
LEAST = 4  # draws of a chain, to say anything
TAILS = (0.05, 0.95)
DIVERGENT = 0.001  # of all draws; more means a region the sampler does not enter


def convergence(
    draws: Mapping[str, np.ndarray], study: tuple[str, ...]
) -> Mapping[str, Mapping[str, float]]:
    """R-hat, ESS and Monte Carlo standard errors of every scalar, by name.

    `draws` are (chain, draw) or (chain, draw, study).
    """
    table: dict[str, Mapping[str, float]] = {}
    for name, values in draws.items():
        if values.ndim == 2:
            table[name] = _one(values)
        else:
            table |= {f"{name}[{label}]": _one(values[..., i]) for i, label in enumerate(study)}
    return table


def gates(
    table: Mapping[str, Mapping[str, float]], stats: Mapping[str, np.ndarray], total: int
) -> tuple[Check, ...]:
    """The worst of each diagnostic against its limit."""
    return (
        _worst(table, "rhat", "R-hat", RHAT, at_most=True),
        _worst(table, "ess_bulk", "bulk ESS", ESS, at_most=False),
        _worst(table, "ess_tail", "tail ESS", ESS, at_most=False),
        Check(
            "divergences",
            f"of {total} draws",
            float(stats["diverging"].sum()),
            np.floor(DIVERGENT * total),
            at_most=True,
        ),
        Check("E-BFMI", "worst chain", float(bfmi(stats["energy"]).min()), BFMI, at_most=False),
    )


def bfmi(energy: np.ndarray) -> np.ndarray:
    """Energy Bayesian fraction of missing information of each chain (Betancourt 2016)."""
    return (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)


def _one(values: np.ndarray) -> Mapping[str, float]:
    """All of one scalar, from its draws (chain, draw)."""
    if np.ptp(values) == 0:  # a probability that is 1 to the last digit in every draw
        size = float(values.size)
        return {"rhat": 1.0, "ess_bulk": size, "ess_tail": size, "mcse_mean": 0.0, "mcse_sd": 0.0}
    if np.isnan(values).any() or values.shape[1] < LEAST:
        return dict.fromkeys(("rhat", "ess_bulk", "ess_tail", "mcse_mean", "mcse_sd"), np.nan)
    halves = _split(values)
    scores = _scores(halves)
    folded = _scores(np.abs(halves - np.median(halves)))
    rhat = max(_rhat(scores), _rhat(folded)) if len(values) > 1 else np.nan
    tails = [_ess(_split(values <= np.quantile(values, q))) for q in TAILS]
    squares = (values - values.mean()) ** 2
    variance = squares.mean()
    spread = ((squares**2).mean() - variance**2) / variance / 4
    return {
        "rhat": rhat,
        "ess_bulk": _ess(scores),
        "ess_tail": min(tails),
        "mcse_mean": float(values.std(ddof=1) / _ess(halves) ** 0.5),
        "mcse_sd": float((spread / _ess(_split(squares))) ** 0.5),
    }


def _split(values: np.ndarray) -> np.ndarray:
    """Half chains, (2 chains, draws // 2)."""
    half = values.shape[1] // 2
    return np.vstack((values[:, :half], values[:, -half:])).astype(float)


def _scores(values: np.ndarray) -> np.ndarray:
    """Normal scores of the ranks of all values together; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse].reshape(values.shape)
    return ndtri((rank - 3 / 8) / (values.size + 1 / 4))


def _rhat(values: np.ndarray) -> float:
    n = values.shape[1]
    within = values.var(axis=1, ddof=1).mean()
    between = n * values.mean(axis=1).var(ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # chains that stand still
        return float(((between / within + n - 1) / n) ** 0.5)


def _ess(values: np.ndarray) -> float:
    """Effective sample size of a mean, by Geyer's initial monotone sequence."""
    if np.ptp(values) < np.finfo(float).resolution:
        return float(values.size)
    chains, n = values.shape
    off = values - values.mean(axis=1, keepdims=True)
    series = np.fft.rfft(off, next_fast_len(2 * n), axis=1)
    covariance = np.fft.irfft((series * series.conj()).real, next_fast_len(2 * n), axis=1)[:, :n]
    covariance = covariance.mean(axis=0) / n
    within = covariance[0] * n / (n - 1)
    total = covariance[0] + (values.mean(axis=1).var(ddof=1) if chains > 1 else 0.0)
    rho = 1 - (within - covariance) / total
    rho[0] = 1.0
    pairs = rho[0 : n - 1 : 2] + rho[1:n:2]
    most = max((n - 3) // 2, 0)
    last = int(np.flatnonzero(np.append(pairs[: most + 1], 0.0) <= 0)[0])
    last = min(last, most)
    first = np.minimum.accumulate(pairs[:last]).sum()
    end = rho[2 * last] if pairs[last] >= 0 or last == 0 else max(rho[2 * last], 0.0)
    autocorrelation = max(-1 + 2 * first + end, 1 / np.log10(values.size))
    return float(values.size / autocorrelation)


def _worst(
    table: Mapping[str, Mapping[str, float]], key: str, name: str, limit: float, *, at_most: bool
) -> Check:
    values = {label: row[key] for label, row in table.items()}
    where = next((label for label, value in values.items() if not np.isfinite(value)), None)
    if where is None:
        where = (
            max(values, key=values.__getitem__) if at_most else min(values, key=values.__getitem__)
        )
    return Check(name, where, values[where], limit, at_most=at_most)
