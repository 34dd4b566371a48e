"""Mantel–Haenszel and Peto estimates of one table of counts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...effects import (
    EffectSizes,
    ZeroCells,
    adjusted_cells,
    effect_sizes,
    informative,
    measure_named,
)
from ...errors import DataError, ModelError
from ...model import Data
from ...studies import BinaryStudies, PersonTimeStudies, need
from ..arrays.counts import MANTEL_HAENSZEL, Variance, mantel_haenszel_rd, peto
from ..arrays.inverse_variance import i2_from_q, pool_common
from ..fit import FrequentistFit, Spread
from .one import fit_of, one_table

type Array = NDArray[np.float64]
type Centre = Literal["IV", "MH"]


def pool_mantel_haenszel(
    data: Data,
    measure: str | None,
    zero_cells: ZeroCells,
    variance: Variance,
    prob: float,
) -> FrequentistFit:
    """Pool one table by Mantel and Haenszel's weights."""
    data, measure = _counts_for(data, measure)
    kept = informative(data, measure)
    if not kept.any():
        raise DataError(f"There is no {measure} to pool: {nothing_said(data)}.")
    estimate, squared = _mh_estimate(data.keep(kept), measure, zero_cells, variance)
    effects = effect_sizes(data, measure=measure, zero_cells=_SHOWN.get(zero_cells, zero_cells))
    q = float(((effects.y - estimate) ** 2 / effects.se**2).sum())
    i2 = float(i2_from_q(np.array([q]), np.array([effects.k - 1.0]))[0])
    return FrequentistFit(
        method="common effect, Mantel–Haenszel"
        + _ADDED[zero_cells]
        + _of_variance(measure, variance),
        measure=measure_named(measure).name,
        k=int(kept.sum()),
        estimate=estimate,
        spreads={"Wald": Spread(float(np.sqrt(squared)), np.inf)},
        prob=prob,
        q=q,
        q_df=effects.k - 1.0,
        i2=i2,
        i2_q=i2,
        excluded=tuple(name for name, keep in zip(data.study, kept, strict=True) if not keep),
        cautions=() if squared > 0 else (CERTAIN,),
    )


CERTAIN = (
    "Every patient of the studies with events has the event: the Mantel–Haenszel RR is exactly 1 "
    "and its estimated standard error 0, so that the interval does not say how sure that is."
)
_SHOWN: Mapping[ZeroCells, ZeroCells] = {"none": "if_needed"}  # a study's own estimate needs one
_ADDED: Mapping[ZeroCells, str] = {
    "none": "",
    "if_needed": ", ½ added where needed",
    "all": ", ½ added to all cells",
    "events": ", ½ added to events where needed",
    "treatment_arm": ", treatment-arm continuity correction",
    "variance": ", ½ added to weights and variance where needed",
}


def nothing_said(data: BinaryStudies | PersonTimeStudies) -> str:
    """Why no study says anything about an odds ratio, or a ratio of risks or rates."""
    if data.double_zero.all():
        return "no study has an event"
    if data.size == "n" and not data.double_zero.any():
        return "every patient of every study has the event; measure='RR' gives 1 exactly"
    return "in every study either all patients have the event or none has"


def _of_variance(measure: str, variance: Variance) -> str:
    return f", variance of {variance}" if measure == "RD" else ""


def _mh_estimate(
    studies: BinaryStudies | PersonTimeStudies,
    measure: str,
    zero_cells: ZeroCells,
    variance: Variance = "Greenland–Robins",
) -> tuple[float, float]:
    """Mantel–Haenszel estimate on the analysis scale, and its variance."""
    if isinstance(studies, PersonTimeStudies):
        if zero_cells != "none":
            raise ModelError("Mantel–Haenszel pooling of person-time takes zero_cells='none'.")
        columns = tuple(studies.numbers.values())
    else:
        columns = adjusted_cells(studies, zero_cells, measure)
    a, b, c, d = columns
    if measure == "RD":
        plain = None
        if zero_cells == "variance" and isinstance(studies, BinaryStudies):
            plain = studies.events_treatment / studies.n_treatment
            plain = plain - studies.events_control / studies.n_control
        value, squared = map(float, mantel_haenszel_rd(a, b, c, d, variance, plain=plain))
        if squared > 0:
            return value, squared
        raise DataError(
            "The Mantel–Haenszel RD has no variance: every arm has all or none of its patients "
            "with the event. Use zero_cells='variance', or weights='IV', which adds ½."
        )
    ratio, squared = map(float, MANTEL_HAENSZEL[measure](a, b, c, d))
    if measure == "RR" and squared == 0:  # every patient has the event
        return 0.0, 0.0
    if not (0 < squared < np.inf and 0 < ratio < np.inf):
        raise DataError(
            f"The Mantel–Haenszel {measure} is zero or infinite: one whole side of the tables is "
            "empty. Use zero_cells='if_needed', or BinomialNormal with a proper prior."
        )
    return float(np.log(ratio)), squared


def _counts_for(data: Data, measure: str | None) -> tuple[BinaryStudies | PersonTimeStudies, str]:
    if isinstance(data, PersonTimeStudies) and measure in (None, "IRR"):
        return data, "IRR"
    if not isinstance(data, BinaryStudies):
        raise ModelError(
            "Mantel–Haenszel pooling needs the counts: give it BinaryStudies or PersonTimeStudies."
        )
    if measure not in ("OR", "RR", "RD"):
        raise DataError(f"measure must be 'OR', 'RR' or 'RD' for Mantel–Haenszel, got {measure!r}.")
    return data, measure


def q_around_mh(data: Data, effects: EffectSizes, zero_cells: ZeroCells) -> Array:
    """Cochran's Q with inverse-variance weights around the Mantel–Haenszel estimate, shape (1,)."""
    counts = need(data, BinaryStudies, "q='MH' needs the counts")
    kept = counts.keep(informative(counts, effects.measure))
    estimate, _ = _mh_estimate(kept, effects.measure, zero_cells)
    return np.array([((effects.y - estimate) ** 2 / effects.se**2).sum()])


def pool_peto(
    data: Data, measure: str | None, zero_cells: ZeroCells | None, prob: float
) -> FrequentistFit:
    """Pool one table by Peto's one-step odds ratio."""
    counts = need(data, BinaryStudies, "Peto's odds ratio needs the counts")
    if measure not in (None, "OR"):
        raise DataError(f"measure must be 'OR' for Peto's method, got {measure!r}.")
    if zero_cells not in (None, "none"):
        raise ModelError("Peto's odds ratio takes no correction: zero_cells is 'none' or left out.")
    difference, variance = peto(*adjusted_cells(counts, "none", "OR"))
    kept = variance > 0
    if not kept.any():
        raise DataError(f"There is no OR to pool: {nothing_said(counts)}.")
    names = tuple(name for name, keep in zip(data.study, kept, strict=True) if keep)
    y, se = difference[kept] / variance[kept], variance[kept] ** -0.5
    effects = EffectSizes.from_arrays(names, y, se, measure="OR")
    fit = fit_of(pool_common(*one_table(effects)), effects, "common effect, Peto", prob=prob)
    gone = tuple(name for name, keep in zip(data.study, kept, strict=True) if not keep)
    return replace(fit, excluded=gone)
