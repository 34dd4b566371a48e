"""Convergence diagnostics of draws, and the numerical gates built on them."""

# SciPy types its results as unions with a second return value:
# pyright: reportArgumentType=false

from collections.abc import Mapping

import numpy as np
from arviz_stats.base import array_stats  # pyright: ignore[reportPrivateImportUsage]

from ...posterior import Check

RHAT, ESS, BFMI = 1.01, 400, 0.3  # Vehtari et al. 2021, Bayesian Anal 16:667; Betancourt 2016
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
    if np.ptp(values) == 0:  # a probability that is 1 to the last digit in every draw
        size = float(values.size)
        return {"rhat": 1.0, "ess_bulk": size, "ess_tail": size, "mcse_mean": 0.0, "mcse_sd": 0.0}
    return {
        "rhat": float(array_stats.rhat(values)),
        "ess_bulk": float(array_stats.ess(values, method="bulk")),
        "ess_tail": float(array_stats.ess(values, method="tail", prob=(0.05, 0.95))),
        "mcse_mean": float(array_stats.mcse(values, method="mean")),
        "mcse_sd": float(array_stats.mcse(values, method="sd")),
    }


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
