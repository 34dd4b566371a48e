"""Means and SDs of arms on the scale on which patients are normal: reported, implied or rough."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ._continuous import ContinuousStudies
from ._quantiles import positions

type Array = NDArray[np.float64]

PROBS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


def takes_quantiles(data: ContinuousStudies, arm: str, arms: str) -> NDArray[np.bool_]:
    """Which studies' arm enters by its quantiles, (k,).

    In normal arms a mean and an SD say all; in log-normal ones quantiles say more of the logs.
    """
    moments = data.has_moments(arm) | data.has_pair(arm)
    enough = np.isfinite(data.quantiles(arm)).sum(axis=1) >= 2
    return enough if arms == "lognormal" else ~moments


def rough_arms(data: ContinuousStudies, arm: str, arms: str) -> tuple[Array, Array, Array]:
    """Mean, SD and n of one arm of every study, each (k,).

    The SD of a change whose own is unknown is taken at a correlation of ½. Of logs where `arms` is
    ``"lognormal"``: those that a mean and an SD imply (Higgins, White & Anzures-Cabrera 2008, Stat
    Med 27:6072-6092), or of quantiles.
    """
    mean, sd, n = (getattr(data, f"{name}{arm}") for name in ("mean", "sd", "n"))
    before, after = getattr(data, f"sd_before{arm}"), getattr(data, f"sd_after{arm}")
    sd = np.where(data.has_pair(arm), np.sqrt(before**2 + after**2 - before * after), sd)
    quantiles = data.quantiles(arm)
    if arms == "lognormal":
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.log1p((sd / mean) ** 2)
            mean, sd = np.log(mean) - variance / 2, np.sqrt(variance)
            quantiles = np.log(quantiles)
    by_quantiles = takes_quantiles(data, arm, arms)
    rough = _rough_moments(quantiles, n)
    rough_sd = np.maximum(rough[1], _least_sd(data, arm, arms))
    return np.where(by_quantiles, rough[0], mean), np.where(by_quantiles, rough_sd, sd), n


def _least_sd(data: ContinuousStudies, arm: str, arms: str) -> Array:
    """A rough SD where all quantiles are one figure: what their rounding leaves open, (k,)."""
    quantiles, half = data.quantiles(arm), getattr(data, f"rounding{arm}")
    with np.errstate(invalid="ignore", divide="ignore"):
        open_ = half / quantiles if arms == "lognormal" else half
    size = np.nanmax(np.abs(quantiles), axis=1, initial=0.0) if arms == "normal" else 1.0
    return np.maximum(np.nanmax(open_, axis=1, initial=0.0), 1e-6 * size + 1e-300)


def _rough_moments(q: Array, n: Array) -> tuple[Array, Array]:
    """Quantiles against their expected normal scores by least squares (Wan 2014); each (k,)."""
    known = np.isfinite(q)
    score = np.where(known, ndtri((positions(n[:, None], PROBS) - 0.375) / (n[:, None] + 0.25)), 0)
    count = np.maximum(known.sum(axis=1), 1)
    values = np.where(known, q, 0.0)
    centre, mean = score.sum(axis=1) / count, values.sum(axis=1) / count
    off = np.where(known, score - centre[:, None], 0.0)
    sd = (off * values).sum(axis=1) / np.maximum((off**2).sum(axis=1), 1e-300)
    return mean - sd * centre, sd
