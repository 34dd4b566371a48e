"""Every complete convention of a measure, applied to every selection of studies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from ..effects import ZERO_CELLS_OF, EffectSizes, ZeroCells
from ..errors import BayesmetaError, ModelError
from ..frequentist import (
    INTERVALS,
    Answers,
    Convention,
    Selections,
    Tau2,
    cells_of_tables,
    estimates_of_tables,
    pool_many,
)
from ..studies import BinaryStudies, ContinuousStudies, PersonTimeStudies
from ._printed import FIGURES

type Array = NDArray[np.float64]

TAU2: tuple[Tau2, ...] = ("DL", "REML", "PM", "ML", "HS", "HE", "SJ")  # EB is PM
MANY = 200  # a likelihood that is fitted one table at a time is left out beyond


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What one convention gives for every selection: by name of the figure, each (n,).

    Estimate and limits are on the analysis scale; NaN where the convention has no answer.
    """

    convention: Convention
    figures: Mapping[str, Array]


class Menu(NamedTuple):
    """What data leave to choose: ways of making estimates, and zero rules of pooled counts."""

    estimates: Sequence[Mapping[str, object]]
    pooled: Sequence[ZeroCells] = ()
    two_arms: bool = False


def walk(
    selections: Selections, measure: str, *, prob: float, heterogeneity: bool
) -> Iterator[Walked]:
    """Apply every convention of a measure.

    Where no figure on heterogeneity was printed, conventions that differ in it alone are one.
    """
    menu = menu_of(selections.tables[0], measure)
    made = list(_estimates(menu, selections, measure))
    for convention in (
        *_of_estimates(menu, selections, made, heterogeneity=heterogeneity),
        *_of_counts(menu, selections, made, heterogeneity=heterogeneity),
    ):
        figures = _figures(pool_many(convention, selections), prob)
        yield Walked(convention=convention, figures=figures)
    if menu.two_arms and measure == "OR":
        yield from _likelihoods(selections, prob)


def _figures(answers: Answers, prob: float) -> Mapping[str, Array]:
    lower, upper = answers.interval(prob)
    i2 = np.where(answers.q_df > 0, answers.i2, np.nan)
    values = (answers.estimate, lower, upper, answers.p, answers.q_p, i2)
    return dict(zip(FIGURES, values, strict=True))


@singledispatch
def menu_of(data: object, measure: str) -> Menu:
    """What data leave to choose for a measure."""
    raise ModelError(f"There are no conventions for {type(data).__name__}.")


@menu_of.register
def _(data: BinaryStudies, measure: str) -> Menu:
    rules = [rule for rule in ZERO_CELLS_OF[measure] if rule != "none"]  # which is if_needed here
    kept = ("exclude",) if measure == "RD" else ("exclude", "include")
    return Menu(
        [
            {"zero_cells": rule, "double_zero": double_zero}
            for double_zero in kept
            for rule in rules
        ],
        ("none", "variance") if measure == "RD" else ("none", "if_needed", "all"),
        two_arms=True,
    )


@menu_of.register
def _(data: PersonTimeStudies, measure: str) -> Menu:
    return Menu([{"zero_cells": "if_needed"}, {"zero_cells": "all"}], ("none",))


@menu_of.register
def _(data: ContinuousStudies, measure: str) -> Menu:
    ways = {
        "SMD": [{"smd": "exact"}, {"smd": "RevMan"}],
        "ROM": [{"bias_correction": False}, {"bias_correction": True}],
    }
    return Menu(ways.get(measure, [{}]))


@menu_of.register
def _(data: EffectSizes, measure: str) -> Menu:
    return Menu([{}])


def _estimates(menu: Menu, selections: Selections, measure: str) -> Iterator[Convention]:
    """Conventions of a common effect that make different estimates of the same studies."""
    seen: list[Sequence[Array]] = []
    for fields in menu.estimates:
        convention = _changed(Convention(measure=measure, effects="common"), **fields)
        try:
            found = estimates_of_tables(convention, selections)
        except BayesmetaError:
            continue
        if not _among(found, seen):
            seen.append(found)
            yield convention


def _among(arrays: Sequence[Array], seen: Sequence[Sequence[Array]]) -> bool:
    return any(all(map(np.array_equal, arrays, before)) for before in seen)


def _changed(made: Convention, **fields: object) -> Convention:
    return replace(made, **fields)  # pyright: ignore[reportArgumentType]


def _of_estimates(
    menu: Menu, selections: Selections, made: Sequence[Convention], *, heterogeneity: bool
) -> Iterator[Convention]:
    """Inverse variance: a common effect, then random effects by every estimator of tau²."""
    several = selections.present.shape[0] > 1
    for one in made:
        yield one
        if several:
            yield from _random(one, TAU2, heterogeneity=heterogeneity)
        if several and menu.two_arms and one.double_zero == "exclude":
            around = _changed(one, q="MH", mh_zero_cells=one.zero_cells)
            tau2 = TAU2 if heterogeneity else ("DL",)
            yield from _random(around, tau2, heterogeneity=heterogeneity)


def _random(
    made: Convention, estimators: Sequence[Tau2], *, heterogeneity: bool
) -> Iterator[Convention]:
    for tau2 in estimators:
        for interval in INTERVALS:
            if interval == "KR" and tau2 != "REML":
                continue
            for i2 in ("Q", "tau²") if heterogeneity else ("Q",):
                yield _changed(made, effects="random", tau2=tau2, interval=interval, i2=i2)


def _of_counts(
    menu: Menu, selections: Selections, made: Sequence[Convention], *, heterogeneity: bool
) -> Iterator[Convention]:
    """Mantel–Haenszel, Q from each of the estimates made, and Peto."""
    seen: list[Sequence[Array]] = []
    for rule in menu.pooled if made else ():
        pooled = [_changed(one, weights="MH", q="MH", mh_zero_cells=rule) for one in made]
        columns = cells_of_tables(pooled[0], selections).columns
        if _among(columns, seen):
            continue  # without a zero in any table the rules are one
        seen.append(columns)
        yield from _of_moments(pooled, heterogeneity=heterogeneity)
    if menu.two_arms and made[0].measure == "OR":
        yield Convention(measure="OR", effects="common", weights="Peto", q="MH")


def _of_moments(pooled: Sequence[Convention], *, heterogeneity: bool) -> Iterator[Convention]:
    both = pooled[0].measure == "RD"
    for variance in ("Greenland–Robins", "Sato") if both else ("Greenland–Robins",):
        for one in pooled if heterogeneity else pooled[:1]:
            for q in ("MH", "IV") if heterogeneity else ("MH",):
                yield _changed(one, q=q, variance=variance)


def _likelihoods(selections: Selections, prob: float) -> Iterator[Walked]:
    """Likelihoods, fitted one table at a time: to all studies of each reading."""
    if len(selections.tables) > MANY:
        return
    whole = np.flatnonzero(selections.present.all(axis=0))
    for weights in ("GLMM conditional", "GLMM unconditional"):
        for effects in ("common", "random"):
            convention = Convention(measure="OR", effects=effects, weights=weights)
            answers = pool_many(convention, selections.at(whole))
            found = {**_figures(answers, prob), "i2": answers.i2}  # which is 0 of one study
            figures = {name: np.full(selections.n, np.nan) for name in FIGURES}
            for name in FIGURES:
                figures[name][whole] = found[name]
            yield Walked(convention=convention, figures=figures)
