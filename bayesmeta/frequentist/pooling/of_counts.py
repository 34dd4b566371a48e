"""Mantel–Haenszel and Peto estimates of one table of counts."""

from collections.abc import Mapping
from dataclasses import replace
from functools import singledispatch
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...arguments import is_among
from ...effects import (
    EffectSizes,
    ZeroCells,
    account_of,
    adjusted_cells,
    cells,
    effect_sizes,
    informative,
)
from ...errors import DataError, ModelError
from ...model import Data
from ...studies import BinaryStudies, PersonTimeStudies
from ...ways import shown, way
from ..arrays.counts import Cells, Variance, mantel_haenszel, peto
from ..arrays.inverse_variance import Pooled, pool_common, pool_moments
from ..arrays.tau2 import cochran_q
from ..door import two_arms
from ..fit import FrequentistFit, Spread
from .one import fit_of, one_table

type Array = NDArray[np.float64]
type Centre = Literal["IV", "MH"]
type Counts = BinaryStudies | PersonTimeStudies

NO_COUNTS = "Mantel–Haenszel pooling needs the counts: give it BinaryStudies or PersonTimeStudies."


def common_mantel_haenszel(
    data: Data, measure: str | None, zero_cells: ZeroCells, variance: Variance, prob: float
) -> FrequentistFit:
    """Pool one table by Mantel and Haenszel's weights; Q around what they give."""
    counts, measure = counts_for_mantel_haenszel(data, measure)
    refuse_silence(counts, measure)
    estimate, squared = _estimate(counts, measure, zero_cells, variance)
    shown = shown_of(counts, measure, zero_cells)
    pooled = pool_moments(estimate, np.sqrt(squared), *one_table(shown), centre=estimate)
    return fit_of_mantel_haenszel(pooled, counts, shown, zero_cells, variance, prob)


def fit_of_mantel_haenszel(
    pooled: Pooled,
    data: Counts,
    shown: EffectSizes,
    zero_cells: ZeroCells,
    variance: Variance,
    prob: float,
) -> FrequentistFit:
    """The fit of one table pooled so; studies that say nothing are left out."""
    measure = shown.measure
    kept = informative(data, measure)
    se, df = (float(column[0]) for column in pooled.spreads["Wald"])
    return FrequentistFit(
        method="common effect, Mantel–Haenszel"
        + _ADDED[zero_cells]
        + _of_variance(measure, variance),
        measure=measure,
        k=int(kept.sum()),
        estimate=float(pooled.estimate[0]),
        spreads={"Wald": Spread(se, df)},
        prob=prob,
        q=float(pooled.q[0]),
        q_df=float(pooled.k[0]) - 1.0,
        i2=float(pooled.i2[0]),
        i2_q=float(pooled.i2_q[0]),
        excluded=_names(data, ~kept),
        cautions=() if se > 0 else (CERTAIN,),
        data=shown,
        account=account_of(data, measure, kept),
    )


def shown_of(counts: Counts, measure: str, zero_cells: ZeroCells) -> EffectSizes:
    """Each study's own estimate beside what Mantel and Haenszel make of all."""
    return effect_sizes(counts, measure=measure, zero_cells=_SHOWN.get(zero_cells, zero_cells))


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


def nothing_said(data: Counts) -> str:
    """Why no study says anything about an odds ratio, or a ratio of risks or rates."""
    if data.double_zero.all():
        return "no study has an event"
    if data.size == "n" and not data.double_zero.any():
        return f"every patient of every study has the event; {way('measure', 'RR')} gives 1 exactly"
    return "in every study either all patients have the event or none has"


def refuse_silence(data: Counts, measure: str) -> None:
    """Refuse a table of which no study says anything."""
    if not informative(data, measure).any():
        raise DataError(f"There is no {measure} to pool: {nothing_said(data)}.")


def _of_variance(measure: str, variance: Variance) -> str:
    return f", variance of {variance}" if measure == "RD" else ""


def _names(data: Counts, rows: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(name for name, there in zip(data.study, rows, strict=True) if there)


@singledispatch
def counts_for_mantel_haenszel(data: object, measure: str | None) -> tuple[Counts, str]:
    """The counts and their measure, the one asked for or the only; anything else is refused."""
    raise ModelError(NO_COUNTS)


@counts_for_mantel_haenszel.register
def _(data: PersonTimeStudies, measure: str | None) -> tuple[Counts, str]:
    if not is_among(measure, (None, "IRR")):
        raise ModelError(NO_COUNTS)
    return data, "IRR"


@counts_for_mantel_haenszel.register
def _(data: BinaryStudies, measure: str | None) -> tuple[Counts, str]:
    if not is_among(measure, ("OR", "RR", "RD")):
        raise DataError(
            f"measure must be 'OR', 'RR' or 'RD' for Mantel–Haenszel, got {shown(measure)}."
        )
    return data, str(measure)


@singledispatch
def cells_of(data: object, measure: str, zero_cells: ZeroCells) -> tuple[Cells, Array | None]:
    """What Mantel and Haenszel pool of a table, each (k,), zero where a study says nothing.

    Beside the cells the risk differences, where they are pooled in place of the cells' own.
    """
    raise ModelError(NO_COUNTS)


@cells_of.register
def _(data: PersonTimeStudies, measure: str, zero_cells: ZeroCells) -> tuple[Cells, Array | None]:
    if zero_cells != "none":
        raise ModelError("Mantel–Haenszel pooling of person-time takes zero_cells='none'.")
    loud = informative(data, measure)
    a, t1, c, t2 = (column * loud for column in data.numbers.values())
    return (a, t1, c, t2), None


@cells_of.register
def _(data: BinaryStudies, measure: str, zero_cells: ZeroCells) -> tuple[Cells, Array | None]:
    loud = informative(data, measure)
    a, b, c, d = (column * loud for column in adjusted_cells(data, zero_cells, measure))
    if measure != "RD" or zero_cells != "variance":
        return (a, b, c, d), None
    plain = data.events_treatment / data.n_treatment - data.events_control / data.n_control
    return (a, b, c, d), plain


def _estimate(
    data: Data, measure: str, zero_cells: ZeroCells, variance: Variance = "Greenland–Robins"
) -> tuple[Array, Array]:
    """Mantel–Haenszel estimate of one table on the analysis scale, and its variance; each (1,)."""
    parts, plain = cells_of(data, measure, zero_cells)
    estimate, squared = mantel_haenszel(measure, parts, variance, plain=plain)
    estimate, squared = np.atleast_1d(estimate), np.atleast_1d(squared)
    refuse_infinity(estimate, measure)
    return estimate, squared


def refuse_infinity(estimate: Array, measure: str) -> None:
    """Refuse one table that has no Mantel–Haenszel estimate."""
    if np.isfinite(estimate).all():
        return
    if measure == "RD":
        raise DataError(
            "The Mantel–Haenszel RD has no variance: every arm has all or none of its patients "
            f"with the event; {way('variance')}."
        )
    raise DataError(
        f"The Mantel–Haenszel {measure} is zero or infinite: one whole side of the tables is "
        f"empty; {way('half')}."
    )


def q_around_mh(data: Data, effects: EffectSizes, zero_cells: ZeroCells) -> Array:
    """Cochran's Q with inverse-variance weights around the Mantel–Haenszel estimate, shape (1,)."""
    estimate, _ = _estimate(counts_for_q(data), effects.measure, zero_cells)
    y, v, present = one_table(effects)
    return cochran_q(y, present / v, estimate)


def counts_for_q(data: Data) -> BinaryStudies:
    """The counts that Q is centred with; anything else is refused."""
    return two_arms(data, ModelError("q='MH' needs the counts: give it BinaryStudies."))


def common_peto(
    data: Data, measure: str | None, zero_cells: ZeroCells | None, prob: float
) -> FrequentistFit:
    """Pool one table by Peto's one-step odds ratio."""
    counts = counts_for_peto(data, measure)
    if not is_among(zero_cells, (None, "none")):
        raise ModelError("Peto's odds ratio takes no correction: zero_cells is 'none' or left out.")
    y, v, there = peto(*cells(counts))
    refuse_silence(counts, "OR")
    return fit_of_peto(pool_common(y[:, None], v[:, None], there[:, None]), counts, prob)


def counts_for_peto(data: Data, measure: str | None) -> BinaryStudies:
    """The counts that Peto's method pools; anything else is refused."""
    counts = two_arms(
        data, ModelError("Peto's odds ratio needs the counts: give it BinaryStudies.")
    )
    if not is_among(measure, (None, "OR")):
        raise DataError(f"measure must be 'OR' for Peto's method, got {shown(measure)}.")
    return counts


def fit_of_peto(pooled: Pooled, data: BinaryStudies, prob: float) -> FrequentistFit:
    """The fit of one table pooled so; studies that say nothing are left out."""
    y, v, there = peto(*cells(data))
    kept = there > 0
    effects = EffectSizes.from_arrays(_names(data, kept), y[kept], v[kept] ** 0.5, measure="OR")
    fit = fit_of(pooled, effects, "common effect, Peto", prob=prob)
    return replace(fit, excluded=_names(data, ~kept), account=account_of(data, "OR", kept))
