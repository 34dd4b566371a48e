"""Effect sizes: studies in, estimates and standard errors on the analysis scale out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Literal, final

import numpy as np

from ..arguments import check_switch, is_among
from ..errors import DataError
from ..studies import ContinuousStudies, Origin, Published, Studies, Table, name_rows
from ..ways import shown, way
from ._continuous import SMD, estimates
from ._counts import (
    ADDED,
    ESTIMATES,
    SILENT,
    ZeroCells,
    check_rule,
    corrected,
    informative,
    silent,
    zero_words,
)
from ._measures import MEASURES, measure_named
from ._printed import from_intervals
from ._sizes import EffectSizes

type DoubleZero = Literal["exclude", "include"]


def effect_sizes(
    studies: Studies | ContinuousStudies | Published,
    *,
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    double_zero: DoubleZero = "exclude",
    bias_correction: bool = False,
    smd: SMD = "exact",
) -> EffectSizes:
    """Turn counts, means, or one published estimate into estimates and standard errors.

    Parameters
    ----------
    studies : BinaryStudies, PersonTimeStudies, ProportionStudies, IncidenceStudies, \
ContinuousStudies or Published
        Counts; means and SDs; or a printed estimate with its interval, which gives one row.
    measure : {"OR", "RR", "RD", "IRR", "PLO", "IRLN", "MD", "SMD", "ROM", "RGM"}
        OR, RR or RD for ``BinaryStudies``; MD, SMD, ROM or RGM for ``ContinuousStudies``; the
        others have one measure each and need not name it: IRR, the logit proportion PLO, the log
        incidence rate IRLN. A published estimate carries its own.
    zero_cells : {"if_needed", "none", "all", "events", "treatment_arm", "variance"}
        ½ is added to all cells of studies with a zero in any of them, of none, of all. As meta
        does by default: for RR to the events, and so to the totals (``"events"``); for RD in the
        variance alone (``"variance"``). ``"treatment_arm"`` adds to each arm its share of the
        study's patients: to all cells for OR, to the events for RR, in the variance for RD.
    double_zero : {"exclude", "include"}
        What to do with studies without an event in either arm (for OR also: without a
        non-event). They say nothing about a ratio in a two-stage analysis; they do about RD.
    bias_correction : bool
        For ROM: add half the difference of the squared coefficients of variation of the means, as
        metafor does from version 5.0 on.
    smd : {"exact", "RevMan"}
        For SMD: Hedges' factor J exactly with the large-sample variance, or RevMan's approximate
        factor 1 − 3/(4N − 9) and variance N/(n1 n0) + g²/(2(N − 3.94)).

    Returns
    -------
    EffectSizes

    Raises
    ------
    DataError
        If a zero cell leaves an estimate infinite, nothing is left, or a printed interval is
        not symmetric about its estimate by more than rounding; if arms have quantiles only, a
        ratio of means meets a mean that is not positive, or MD meets several units.

    References
    ----------
    Variances of log OR, log RR, RD, log IRR, logit proportion and log rate: Fleiss & Berlin
    (2009), in Cooper, Hedges & Valentine, *The Handbook of Research Synthesis*, 2nd ed., ch. 13;
    Rothman, Greenland & Lash (2008), *Modern Epidemiology*, 3rd ed., ch. 14. SMD: Hedges (1981),
    J Educ Stat 6:107-128, with the exact factor J and the large-sample variance
    1/n1 + 1/n0 + g²/(2(n1 + n0)). Treatment-arm correction: Sweeting, Sutton & Lambert (2004),
    Stat Med 23:1351-1375. ROM: Hedges, Gurevitch & Curtis (1999), Ecology 80:1150-1156;
    its bias correction: Lajeunesse (2015), Ecology 96:2056-2063. RGM of means and SDs: Higgins,
    White & Anzures-Cabrera (2008), Stat Med 27:6072-6092, method 1.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> printed = bm.Published(measure="RR", estimate="0.76", lower="0.60", upper="0.96")
    >>> bm.effect_sizes(printed).se.round(3).tolist()
    [0.12]
    """
    asked = Asked(
        measure=measure,
        zero_cells=zero_cells,
        double_zero=double_zero,
        bias_correction=bias_correction,
        smd=smd,
    )
    return _made_of(studies, asked)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for of a table."""

    measure: str | None
    zero_cells: ZeroCells
    double_zero: DoubleZero
    bias_correction: bool
    smd: SMD

    def measure_for(self, studies: Table) -> str:
        """The measure of a table, after a look at what belongs to one measure only."""
        measure = _measure_for(studies, self.measure)
        check_switch(self.bias_correction, "bias_correction")
        if self.bias_correction and measure != "ROM":
            raise DataError(f"bias_correction is for measure 'ROM', not {shown(measure)}.")
        rules = ("exact", "RevMan") if measure == "SMD" else ("exact",)
        if not is_among(self.smd, rules):
            raise DataError(
                f"smd is 'exact' or, for measure 'SMD', 'RevMan'; got {shown(self.smd)}."
            )
        return measure


@singledispatch
def _made_of(given: object, asked: Asked) -> EffectSizes:
    raise DataError(
        "effect_sizes takes a table of counts, ContinuousStudies or Published, not "
        f"{type(given).__name__}."
    )


@_made_of.register
def _of_counts(studies: Studies, asked: Asked) -> EffectSizes:
    measure, double_zero = asked.measure_for(studies), asked.double_zero
    if not is_among(double_zero, ("exclude", "include")):
        raise DataError(f"double_zero is 'exclude' or 'include', not {shown(double_zero)}.")
    check_rule(asked.zero_cells, measure)
    kept = np.ones(studies.k, bool) if double_zero == "include" else informative(studies, measure)
    if not kept.any():
        raise DataError(
            f"No study says anything about the {MEASURES[measure].words}: in each, "
            f"{SILENT[measure]}. A two-stage analysis has nothing to pool; such studies are kept "
            f"by {way('counts')}."
        )
    left = studies.keep_accounted(kept)
    with np.errstate(divide="ignore", invalid="ignore"):
        y, variance = ESTIMATES[measure](left, asked.zero_cells)
    bad = ~np.isfinite(y) | ~(variance > 0) | ~np.isfinite(variance)
    if bad.any():
        raise DataError(
            f"The {measure} has no finite estimate for {name_rows(left.study, bad)}, which have a "
            f"zero cell; use {way('zeros', 'if_needed')}, or {way('counts')}."
        )
    dropped = silent(studies, measure, kept)
    return EffectSizes(
        study=left.study,
        y=y,
        se=np.sqrt(variance),
        measure=measure,
        excluded=studies.excluded + dropped,
        origin=_origin(left, asked.zero_cells),
        note=zero_words(left, asked.zero_cells),
        variant=left.variant,
        covariates=left.covariates,
    )


def _origin(studies: Studies, rule: ZeroCells) -> Origin:
    """Where the estimates come from, with their participants and what is added to zero cells."""
    added = corrected(studies, rule)
    return replace(
        studies.origin,
        participants=studies.participants,
        added={name: ADDED[rule] for name, one in zip(studies.study, added, strict=True) if one},
    )


@_made_of.register
def _of_means(studies: ContinuousStudies, asked: Asked) -> EffectSizes:
    measure, corrected = asked.measure_for(studies), asked.bias_correction
    y, variance = estimates(studies, measure, bias_correction=corrected, smd=asked.smd)
    how = ", corrected for bias" if corrected else ""
    how += ", as RevMan has it" if asked.smd == "RevMan" else ""
    return EffectSizes(
        study=studies.study,
        y=y,
        se=np.sqrt(variance),
        measure=measure,
        excluded=studies.excluded,
        origin=replace(
            studies.origin,
            participants=studies.participants,
            unit=studies.measured_in if measure == "MD" else "",
        ),
        note=f"from means and SDs{how}",
        how=studies.how,
        variant=studies.variant,
        covariates=studies.covariates,
    )


def _measure_for(studies: Table, measure: str | None) -> str:
    """The measure asked for, if these studies have it; where they have only one, that."""
    among = studies.measures
    if measure is None and len(among) == 1:
        return among[0]
    if measure is None:
        raise DataError(f"measure must be given for {studies.kind}: {', '.join(among)}.")
    found = str(measure).strip().upper()
    if found not in MEASURES:
        measure_named(measure, among)
    if found not in among:
        raise DataError(
            f"A table with {' and '.join(studies.columns()[:2])} has the measure "
            f"{_either(among)}, not {shown(measure)}."
        )
    return found


def _either(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


@_made_of.register
def _from_published(published: Published, asked: Asked) -> EffectSizes:
    measure = measure_named(published.measure)
    if not published.has_interval:
        raise DataError(
            f"The published {published.measure} has no estimate with an interval to analyse: "
            f"{published}."
        )
    texts = [[published.estimate], [published.lower], [published.upper]]
    values = {
        name: np.array([float(text[0])])
        for name, text in zip(("estimate", "lower", "upper"), texts, strict=True)
    }
    name = published.citation or "published"
    y, se = from_intervals((name,), texts, values, measure, published.prob)
    note = f"estimate and {100 * published.prob:g}% interval as printed"
    return EffectSizes(study=(name,), y=y, se=se, measure=measure.name, note=note)
