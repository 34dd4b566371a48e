"""Why a published number differs from ours: which conventions give it, and which come near."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportCallIssue=false

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..effects import (
    MEASURES_OF,
    ZERO_CELLS_OF,
    EffectSizes,
    Measure,
    convert_quantiles,
    measure_named,
)
from ..errors import BayesmetaError, DataError, ModelError
from ..frequentist import PROGRAMS, Convention, FrequentistFit, Selections, pool, preset
from ..studies import ContinuousStudies, Published
from ._chance import expected_matches
from ._choices import Choice, single_choices
from ._printed import (
    BESIDE,
    FIGURES,
    HALF,
    NAMES,
    Target,
    as_printed,
    farthest,
    in_words,
    misses,
    printed,
)
from ._search import Place, search
from .selections import Data, rows_that_differ, select

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

SHOWN = 10  # candidates in a table


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One convention applied to one selection of studies.

    Attributes
    ----------
    convention : Convention
    left_out : tuple of str
        Studies of the table that are not in this selection.
    readings : tuple of str
        Studies in another reading than the table's first.
    figures : mapping of str to float
        ``estimate``, ``lower``, ``upper`` on the natural scale, ``p``, ``p_heterogeneity``, ``i2``;
        what is not defined is left out.
    miss : float
        Largest distance from a printed figure, in units of its last digit.
    reproduces : bool
        Whether every printed figure is met within half a unit.
    same : int
        Conventions that give just these figures from this selection, this one included.
    """

    convention: Convention
    left_out: tuple[str, ...]
    readings: tuple[str, ...]
    figures: Mapping[str, float]
    miss: float
    reproduces: bool
    same: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What explains a published number, and how much that is worth.

    Attributes
    ----------
    published : Published
    candidates : tuple of Candidate
        The best ones, nearest first; different figures or another selection each.
    choices : tuple of Choice
        What each single choice does to the nearest candidate, largest first.
    programs : mapping of str to FrequentistFit
        What the defaults of programs give, by their words.
    named : tuple of str
        Those of `programs` that reproduce the printed figures.
    tried : int
        Complete conventions times selections of studies.
    reproducing : int
        How many of them reproduce every printed figure.
    chance : float
        Mean number of candidates that would match made-up figures of the same precision nearby.
    chance_of_any : float
        How often at least one would.
    notes : tuple of str
        What must be known beside.
    """

    published: Published
    candidates: tuple[Candidate, ...]
    choices: tuple[Choice, ...]
    programs: Mapping[str, FrequentistFit]
    named: tuple[str, ...]
    tried: int
    reproducing: int
    chance: float
    chance_of_any: float
    notes: tuple[str, ...]

    @property
    def printed(self) -> str:
        """Every printed figure that candidates are held to, as printed."""
        beside = [
            f"{words} {getattr(self.published, name).strip()}{'%' if name == 'i2' else ''}"
            for name, words in BESIDE.items()
            if name in printed(self.published)
        ]
        return ", ".join((str(self.published), *beside))

    @property
    def farthest(self) -> str:
        """The printed figure that the nearest candidate misses most, in words."""
        name = farthest(self.candidates[0].figures, printed(self.published))
        return {**NAMES, **BESIDE}[name]

    def table(self) -> "pd.DataFrame":
        """The candidates, one row each, on the natural scale."""
        import pandas as pd

        rows = [
            {
                "reproduces": one.reproduces,
                "miss": one.miss,
                **one.figures,
                "convention": str(one.convention),
                "same": one.same,
                "left_out": ", ".join(one.left_out),
                "readings": ", ".join(one.readings),
            }
            for one in self.candidates
        ]
        return pd.DataFrame(rows)

    def choices_table(self) -> "pd.DataFrame":
        """What each single choice does, one row each, on the natural scale."""
        import pandas as pd

        rows = [
            {
                "choice": one.choice,
                "from": one.before,
                "to": one.after,
                **one.figures,
                "move": one.move,
            }
            for one in self.choices
        ]
        return pd.DataFrame(rows)

    def programs_table(self) -> "pd.DataFrame":
        """What the defaults of programs give, one row each, on the natural scale."""
        import pandas as pd

        measure = measure_named(self.published.measure)
        rows = [
            {
                "program": words,
                "reproduces": words in self.named,
                **{
                    name: float(as_printed(name, np.array(getattr(fit, name)), measure))
                    for name in FIGURES[:3]
                },
                "p": fit.p,
                "p_heterogeneity": fit.q_p,
                "i2": fit.i2,
            }
            for words, fit in self.programs.items()
        ]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        """In sentences."""
        return "\n".join((*self._sentences(), *self.notes))

    def _sentences(self) -> tuple[str, ...]:
        best, figures = self.candidates[0], self.printed
        found = (
            f"{self.reproducing} of {self.tried} candidates reproduce {figures} to the last "
            "printed digit."
            if self.reproducing
            else f"None of {self.tried} candidates reproduces {figures}."
        )
        lead = (
            "One is"
            if self.reproducing
            else f"The nearest, off by {best.miss:.1f} units of a last digit in its "
            f"{self.farthest} and by no more in its other figures, is"
        )
        named = f"So do the defaults of {' and of '.join(self.named)}." if self.named else ""
        chance = (
            f"Figures of this precision made up nearby would match {self.chance:.3g} candidates on "
            f"average, and at least one candidate in {100 * self.chance_of_any:.3g}% of cases."
        )
        moved = (
            "The single choice that moves its estimate or limits most: "
            f"{self.choices[0].in_words(self.published)}."
            if self.choices
            else ""
        )
        return tuple(
            text
            for text in (
                found,
                f"{lead} {_in_words(best, self.published)}.",
                named,
                moved,
                chance,
            )
            if text
        )


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
            f"subsets is True or False, got {subsets!r}; for some studies only, explain "
            "studies.keep([names])."
        )
    if not published.has_interval:
        raise DataError("explain needs a published estimate with its interval.")
    measure = measure_named(published.measure)
    studies = _prepared(studies, measure)
    _check_measure(studies, measure)
    readings = [_prepared(one, measure) for one in readings]
    k = published.k if published.k is not None and published.k < studies.k else None
    selections = select(studies, readings, subsets=subsets, k=k, limit=limit)
    target = printed(published)
    settings = {
        "prob": published.prob,
        "heterogeneity": bool(published.p_heterogeneity or published.i2),
    }
    presets = _presets(measure.name)
    defaults = frozenset(replace(one, prediction="") for _, one in presets)
    found = search(selections, target, measure, defaults, **settings)
    if not found.nearest:
        raise ModelError(f"No convention pools a {measure.words} from these studies.")
    programs = _programs(studies, presets, published.prob)
    chance, chance_of_any = expected_matches(found, published, target, measure)
    return Explanation(
        published=published,
        candidates=_best(found.nearest, selections, measure, tuple(target)),
        choices=single_choices(found.nearest[0], selections, target, measure, **settings),
        programs=programs,
        named=tuple(
            words for words, fit in programs.items() if _misses(fit, target, measure) <= HALF
        ),
        tried=found.tried,
        reproducing=found.reproducing,
        chance=chance,
        chance_of_any=chance_of_any,
        notes=_notes(published, studies, matched=found.reproducing > 0),
    )


def _check_measure(studies: Data, measure: Measure) -> None:
    if isinstance(studies, EffectSizes):
        return
    measures = MEASURES_OF[type(studies)]
    if measure.name not in measures:
        raise DataError(
            f"{type(studies).__name__} has the measure {' or '.join(measures)}; the published "
            f"figure is {measure.name}."
        )


def _prepared(studies: Data, measure: Measure) -> Data:
    if not isinstance(studies, Data.__value__):
        raise DataError(
            "explain takes BinaryStudies, PersonTimeStudies, ContinuousStudies or EffectSizes, not "
            f"{type(studies).__name__}."
        )
    if isinstance(studies, EffectSizes) and studies.measure != measure.name:
        raise DataError(
            f"The estimates are {studies.measure} and the published figure is {measure.name}; both "
            "must be of one measure."
        )
    return convert_quantiles(studies) if isinstance(studies, ContinuousStudies) else studies


def _best(
    nearest: Sequence[Place], selections: Selections, measure: Measure, figures: Sequence[str]
) -> tuple[Candidate, ...]:
    """The nearest candidates, each with other figures or another selection than those before."""
    found: dict[tuple, list[Place]] = {}
    for place in nearest:
        key = (place.column, *(f"{place.figures[name]:.9g}" for name in figures))
        found.setdefault(key, []).append(place)
    return tuple(_candidate(places, selections, measure) for places in list(found.values())[:SHOWN])


def _candidate(places: Sequence[Place], selections: Selections, measure: Measure) -> Candidate:
    one, first = places[0], selections.tables[0]
    table = selections.tables[selections.table[one.column]]
    present = selections.present[:, one.column]
    return Candidate(
        convention=one.convention,
        left_out=tuple(n for n, there in zip(first.study, present, strict=True) if not there),
        readings=_other_readings(first, table, present),
        figures={
            name: float(as_printed(name, np.array(value), measure))
            for name, value in one.figures.items()
            if np.isfinite(value)
        },
        miss=one.miss,
        reproduces=one.rank < 2,
        same=len(places),
    )


def _other_readings(first: Data, table: Data, present: NDArray[np.bool_]) -> tuple[str, ...]:
    differs = rows_that_differ(first, table)
    return tuple(
        name
        for name, other, there in zip(first.study, differs, present, strict=True)
        if other and there
    )


def _programs(
    studies: Data, presets: Sequence[tuple[str, Convention]], prob: float
) -> Mapping[str, FrequentistFit]:
    """What the defaults of programs give; without those that cannot pool these data."""
    found: dict[str, FrequentistFit] = {}
    for words, convention in presets:
        try:
            found[words] = pool(studies, convention, prob=prob)
        except BayesmetaError:
            continue  # no answer to these data
    return found


def _presets(measure: str) -> Sequence[tuple[str, Convention]]:
    """Every item on a program's menu that is not the same as another of its items, in words."""
    found: dict[tuple[str, Convention], str] = {}
    menu = ("IV", "MH", "Peto") if measure in ZERO_CELLS_OF else ("IV",)
    for program, effects, weights in product(PROGRAMS, ("common", "random"), menu):
        if weights == "Peto" and (measure, effects) != ("OR", "common"):
            continue
        try:
            convention = preset(program, measure=measure, effects=effects, weights=weights)
        except ModelError:
            continue  # not on its menu
        s = "s" if effects == "random" else ""
        words = f"{PROGRAMS[program]} ({_MENU[weights]}, {effects} effect{s})"
        found.setdefault((program, convention), words)
    return [(words, convention) for (_, convention), words in found.items()]


_MENU: Mapping[str, str] = {"MH": "Mantel–Haenszel", "IV": "inverse variance", "Peto": "Peto"}


def _misses(fit: FrequentistFit, target: Target, measure: Measure) -> float:
    figures = {
        "estimate": fit.estimate,
        "lower": fit.lower,
        "upper": fit.upper,
        "p": fit.p,
        "p_heterogeneity": np.nan if fit.q_p is None else fit.q_p,
        "i2": fit.i2,
    }
    far = misses({name: np.array([value]) for name, value in figures.items()}, target, measure)
    return float(np.where(np.isfinite(far), far, np.inf).max())


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


def _in_words(one: Candidate, published: Published) -> str:
    text = f"{one.convention.measure} {in_words(one.figures, published)} by {one.convention}"
    if one.same > 1:
        text += f" (and {one.same - 1} more alike)"
    if one.left_out:
        text += f"; without {', '.join(one.left_out)}"
    if one.readings:
        text += f"; with another reading of {', '.join(one.readings)}"
    return text
