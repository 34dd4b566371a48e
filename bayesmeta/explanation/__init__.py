"""Why a published number differs from ours: which conventions give it, and which come near.

``walk`` knows which conventions there are to try and follows each over every selection of studies
(200,000 candidates in two seconds); conventions that make the same estimates of given data are
walked once. What matches are worth is said by figures made up nearby and rounded like the printed
ones: a search through subsets matches most figures sooner or later.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch

import numpy as np

from ..arguments import check_whole, is_iterable
from ..effects import (
    MEASURES_OF,
    EffectSizes,
    Measure,
    convert_quantiles,
    measure_named,
    printed_values,
)
from ..errors import DataError, ModelError
from ..studies import BinaryStudies, ContinuousStudies, PersonTimeStudies, Published
from ..ways import shown
from ._chance import expected_matches
from ._choices import Choice, single_choices
from ._nearest import best_of
from ._printed import FIGURES, HALF, printed
from ._programs import miss_of, pooled_by_programs, presets_of
from ._result import Candidate, Explanation
from ._search import search
from .selections import Data, select

__all__ = ["FIGURES", "Candidate", "Choice", "Data", "Explanation", "explain"]


def explain(
    studies: Data,
    published: Published,
    *,
    subsets: bool = False,
    readings: Sequence[Data] = (),
    limit: int = 200_000,
) -> Explanation:
    """Look for the conventions that give a published number from a table of studies.

    Every complete convention of the measure is applied: effects, weights, estimator of tau², zero
    rules, centre of Q, interval, I², formulas of the SMD. Only when asked, also every subset of the
    studies and every combination of other readings of their rows.

    Parameters
    ----------
    studies : BinaryStudies, PersonTimeStudies, ContinuousStudies or EffectSizes
    published : Published
        With measure, estimate and both limits; p, p of heterogeneity and I² count where given.
    subsets : bool
        Try all subsets of two or more studies; where the published k is given and smaller than
        the table, those of that size.
    readings : sequence of the same type
        Other readings of single rows: tables whose studies bear the names of `studies`.
    limit : int
        Most tables (selections of studies) to try.

    Returns
    -------
    Explanation
        A candidate reproduces the figures where each is within half a unit of its last digit. A
        match says that this recipe gives these figures, not that it was the one used, and never
        which studies they were.

    Raises
    ------
    DataError
        If the published figure has no measure or no interval, or the data are of another measure.
    ModelError
        If nothing can be pooled, or there are more tables than `limit`.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> printed = bm.Published(measure="GEN", estimate="-0.25", lower="-0.56", upper="0.05")
    >>> bm.explain(data, printed).candidates[0].convention.effects
    'common'
    """
    if not isinstance(subsets, bool | np.bool_):
        raise DataError(
            f"subsets is True or False, got {shown(subsets)}; for some studies only, explain "
            "studies.keep([names])."
        )
    if not isinstance(published, Published):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DataError(f"published is a Published figure, got {shown(published)}.")
    check_whole(limit, "limit", 1)
    if not published.has_interval:
        raise DataError("explain needs a published estimate with its interval.")
    measure = measure_named(published.measure)
    published = replace(published, measure=measure.name)
    printed_values(published)  # refuses a ratio that is printed as its logarithm
    studies = _prepared(studies, measure)
    _check_measure(studies, measure)
    if not is_iterable(readings):
        raise DataError(f"readings are tables in a list, got {shown(readings)}.")
    readings = [_prepared(one, measure) for one in readings]
    k = published.k if published.k is not None and published.k < studies.k else None
    selections = select(studies, readings, subsets=subsets, k=k, limit=limit)
    target = printed(published)
    settings = {
        "prob": published.prob,
        "heterogeneity": bool(published.p_heterogeneity or published.i2),
    }
    presets = presets_of(measure.name)
    defaults = frozenset(replace(one, prediction="") for _, one in presets)
    found = search(selections, target, measure, defaults, **settings)
    if not found.nearest:
        raise ModelError(f"No convention pools {measure.a_words} from these studies.")
    programs = pooled_by_programs(studies, presets, published.prob)
    chance, chance_of_any = expected_matches(found, published, target, measure)
    return Explanation(
        published=published,
        candidates=best_of(found.nearest, selections, measure, tuple(target)),
        choices=single_choices(found.nearest[0], selections, target, measure, **settings),
        programs=programs,
        named=tuple(
            words for words, fit in programs.items() if miss_of(fit, target, measure) <= HALF
        ),
        tried=found.tried,
        reproducing=found.reproducing,
        chance=chance,
        chance_of_any=chance_of_any,
        notes=_notes(published, studies, matched=found.reproducing > 0),
    )


@singledispatch
def _prepared(studies: object, measure: Measure) -> Data:
    """Data as they are pooled: of means, with quantiles made into means and SDs."""
    raise DataError(
        "explain takes BinaryStudies, PersonTimeStudies, ContinuousStudies or EffectSizes, not "
        f"{type(studies).__name__}."
    )


@_prepared.register
def _(studies: BinaryStudies | PersonTimeStudies, measure: Measure) -> Data:
    return studies


@_prepared.register
def _(studies: ContinuousStudies, measure: Measure) -> Data:
    return convert_quantiles(studies)


@_prepared.register
def _(studies: EffectSizes, measure: Measure) -> Data:
    if studies.measure != measure.name:
        raise DataError(
            f"The estimates are {studies.measure} and the published figure is {measure.name}; both "
            "must be of one measure."
        )
    return studies


def _check_measure(studies: Data, measure: Measure) -> None:
    kind = type(studies)
    measures = {**MEASURES_OF, EffectSizes: (measure.name,)}[kind]  # checked before
    if measure.name not in measures:
        raise DataError(
            f"A table with {' and '.join(kind.columns()[:2])} has the measure "
            f"{' or '.join(measures)}; the published figure is "
            f"{measure.name}."
        )


def _notes(published: Published, studies: Data, *, matched: bool) -> tuple[str, ...]:
    notes: list[str] = []
    if published.k is not None and published.k != studies.k:
        more = "more" if published.k > studies.k else "fewer"
        notes.append(
            f"The published figure pools {published.k} studies, {more} than the {studies.k} of "
            f"this table: nothing here identifies its {published.k} studies, and no match could."
        )
    notes.append(
        "A recipe that reproduces the figures is not thereby the one that was used, and does not "
        "identify the studies."
        if matched
        else "A pooled figure does not identify the studies behind it; with others than these, "
        "other conventions may come nearer."
    )
    return tuple(notes)
