"""Every complete convention, applied to every selection of studies, many at once.

Arrays have the studies first, (k, n) for n selections, as in ``frequentist``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr, stdtr

from ..effects import ZERO_CELLS_OF, EffectSizes, ZeroCells, adjusted_cells, informative
from ..errors import BayesmetaError
from ..frequentist import (
    MANTEL_HAENSZEL,
    Centre,
    Convention,
    Pooled,
    Tau2,
    cochran_q,
    critical,
    estimates_by,
    i2_from_q,
    mantel_haenszel_rd,
    peto,
    pool,
    pool_common,
    pool_random,
)
from ..studies import BinaryStudies, ContinuousStudies, PersonTimeStudies

type Array = NDArray[np.float64]
type Data = BinaryStudies | PersonTimeStudies | ContinuousStudies | EffectSizes

FIGURES = ("estimate", "lower", "upper", "p", "p_heterogeneity", "i2")
TAU2: tuple[Tau2, ...] = ("DL", "REML", "PM", "ML", "HS", "HE", "SJ")  # EB is PM
MANY = 200  # a likelihood that is fitted one table at a time is left out beyond


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Selections:
    """Which studies, in which reading: `n` tables to pool.

    Attributes
    ----------
    tables : sequence of data
        One per combination of readings; the same studies in the same order.
    table : ndarray of int, shape (n,)
        Which of `tables` a selection is made from.
    present : ndarray of bool, shape (k, n)
        The studies it has.
    """

    tables: Sequence[Data]
    table: NDArray[np.intp]
    present: NDArray[np.bool_]

    @property
    def n(self) -> int:
        """How many there are."""
        return self.table.size

    def at(self, columns: NDArray[np.intp]) -> "Selections":
        """Those with these numbers."""
        return replace(self, table=self.table[columns], present=self.present[:, columns])


def rows_that_differ(first: Data, second: Data) -> NDArray[np.bool_]:
    """Studies whose figures are not the same in both tables, shape (k,)."""
    pairs = [(first.numbers[name], second.numbers[name]) for name in first.numbers]
    same = [(a == b) | (np.isnan(a) & np.isnan(b)) for a, b in pairs]
    return ~np.all(same, axis=0).reshape(first.k, -1).all(axis=1)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What one convention gives for every selection: by name of the figure, each (n,).

    Estimate and limits are on the analysis scale; NaN where the convention has no answer.
    """

    convention: Convention
    figures: Mapping[str, Array]


def walk(
    selections: Selections, measure: str, *, prob: float, heterogeneity: bool
) -> Iterator[Walked]:
    """Apply every convention of a measure.

    Where no figure on heterogeneity was printed, conventions that differ in it alone are one.
    """
    rules = list(_estimates(selections, measure))
    for convention, y, v, there in rules:
        yield from _inverse_variance(
            selections, convention, y, v, there, prob=prob, heterogeneity=heterogeneity
        )
    if isinstance(selections.tables[0], BinaryStudies | PersonTimeStudies):
        yield from _mantel_haenszel(
            selections, measure, rules, prob=prob, heterogeneity=heterogeneity
        )
    if isinstance(selections.tables[0], BinaryStudies) and measure == "OR":
        yield _peto(selections, prob)
        yield from _glmm(selections, prob)


type Rule = tuple[Convention, Array, Array, Array]


def _estimates(selections: Selections, measure: str) -> Iterator[Rule]:
    """Conventions that make different estimates of the same studies, with y, v and presence."""
    seen: list[tuple[Array, Array, Array]] = []
    for fields in _ways(selections.tables[0], measure):
        convention = Convention(measure=measure, effects="common", **fields)
        try:
            columns = [_aligned(table, convention) for table in selections.tables]
        except BayesmetaError:
            continue
        stacked = tuple(np.stack(parts, axis=1) for parts in zip(*columns, strict=True))
        if any(all(map(np.array_equal, stacked, before)) for before in seen):
            continue
        y, v, there = stacked
        seen.append((y, v, there))
        where = selections.table
        yield convention, y[:, where], v[:, where], there[:, where] * selections.present


def _ways(data: Data, measure: str) -> Iterator[dict]:
    if isinstance(data, BinaryStudies):
        for double_zero in ("exclude", "include")[: 1 if measure == "RD" else 2]:
            for rule in ZERO_CELLS_OF[measure]:
                if rule != "none":  # without zeros it is the same as if_needed
                    yield {"zero_cells": rule, "double_zero": double_zero}
    elif isinstance(data, PersonTimeStudies):
        yield from ({"zero_cells": rule} for rule in ("if_needed", "all"))
    elif measure == "SMD" and isinstance(data, ContinuousStudies):
        yield from ({"smd": way} for way in ("exact", "RevMan"))
    elif measure == "ROM" and isinstance(data, ContinuousStudies):
        yield from ({"bias_correction": way} for way in (False, True))
    else:
        yield {}


def _aligned(data: Data, convention: Convention) -> tuple[Array, Array, Array]:
    """Estimates, variances and presence in the order of `data`, each (k,)."""
    effects = estimates_by(data, convention)
    row = {name: i for i, name in enumerate(data.study)}
    rows = [row[name] for name in effects.study]
    y, v, there = np.zeros(data.k), np.ones(data.k), np.zeros(data.k)
    y[rows], v[rows], there[rows] = effects.y, effects.se**2, 1.0
    return y, v, there


def _inverse_variance(
    selections: Selections,
    made: Convention,
    y: Array,
    v: Array,
    there: Array,
    *,
    prob: float,
    heterogeneity: bool,
) -> Iterator[Walked]:
    alone = pool_common(y, v, _at_least(there, 1))
    yield _of_pooled(made, alone, prob, there.sum(axis=0) >= 1)
    if there.shape[0] < 2:
        return
    enough = there.sum(axis=0) >= 2
    two = _at_least(there, 2)
    pooled: Mapping[Tau2, Pooled] = {tau2: pool_random(y, v, two, tau2=tau2) for tau2 in TAU2}
    centred: list[tuple[Centre, Mapping[Tau2, Pooled]]] = [("IV", pooled)]
    for q in _around_mh(selections, made, y, v, two):
        kept = pooled if heterogeneity else {}
        others: dict[Tau2, Pooled] = {tau2: one.with_q(q) for tau2, one in kept.items()}
        others["DL"] = pool_random(y, v, two, tau2="DL", q=q)
        centred.append(("MH", others))
    for q, fits in centred:
        for tau2, one in fits.items():
            for interval in one.spreads:
                for i2 in ("Q", "tau²") if heterogeneity else ("Q",):
                    convention = _changed(
                        made, effects="random", tau2=tau2, interval=interval, q=q, i2=i2
                    )
                    yield _of_pooled(convention, one, prob, enough)


def _changed(made: Convention, **fields: object) -> Convention:
    if fields.get("q") == "MH":
        fields["mh_zero_cells"] = made.zero_cells
    return replace(made, **fields)  # pyright: ignore[reportArgumentType]


def _at_least(there: Array, k: int) -> Array:
    """Presence; a table of fewer than k gets the first k studies, and its answer is discarded."""
    few = there.sum(axis=0) < k
    if not few.any():
        return there
    there = there.copy()
    there[:k, few] = 1.0
    return there


def _around_mh(
    selections: Selections, made: Convention, y: Array, v: Array, there: Array
) -> Iterator[Array]:
    """Q around Mantel–Haenszel, where it exists."""
    if isinstance(selections.tables[0], BinaryStudies) and made.double_zero == "exclude":
        estimate, _ = _mh(selections, made.measure, made.zero_cells)
        yield cochran_q(y, there / v, np.where(np.isfinite(estimate), estimate, 0.0))


def _of_pooled(
    convention: Convention, pooled: Pooled, prob: float, valid: NDArray[np.bool_]
) -> Walked:
    se, df = pooled.spreads[convention.interval]  # pyright: ignore[reportArgumentType]
    lower, upper = pooled.interval(convention.interval, prob)  # pyright: ignore[reportArgumentType]
    i2 = pooled.i2 if convention.i2 == "tau²" else pooled.i2_q
    return _walked(
        convention,
        (pooled.estimate, lower, upper, _p(pooled.estimate, se, df)),
        (pooled.q, pooled.k - 1, i2),
        valid,
    )


def _walked(
    convention: Convention,
    effect: tuple[Array, Array, Array, Array],
    heterogeneity: tuple[Array, Array, Array],
    valid: NDArray[np.bool_],
) -> Walked:
    q, df, i2 = heterogeneity
    q_p = np.where(df > 0, chdtrc(np.maximum(df, 1), q), np.nan)
    values = (*effect, q_p, np.where(df > 0, i2, np.nan))
    return Walked(
        convention=convention,
        figures={
            name: np.where(valid, value, np.nan)
            for name, value in zip(FIGURES, values, strict=True)
        },
    )


def _p(estimate: Array, se: Array, df: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(estimate) / se
    p = 2 * np.where(np.isinf(df), ndtr(-z), stdtr(np.where(np.isinf(df), 1.0, df), -z))
    return np.where(estimate == 0, 1.0, p)  # HKSJ of estimates that are all 0 has se 0


def _mh(
    selections: Selections, measure: str, rule: ZeroCells, variance: str = "Greenland–Robins"
) -> tuple[Array, Array]:
    """Mantel–Haenszel estimates on the analysis scale and their variances, each (n,)."""
    cells = [_cells(table, measure, rule) for table in selections.tables]
    columns = [
        (np.stack(parts, axis=0)[selections.table] * selections.present.T)
        for parts in zip(*(one[:4] for one in cells), strict=True)
    ]
    a, b, c, d = columns
    if measure == "RD":
        plain = None
        if rule == "variance":
            plain = np.stack([one[4] for one in cells], axis=0)[selections.table]
            plain = plain * selections.present.T
        return mantel_haenszel_rd(a, b, c, d, variance, plain=plain)  # pyright: ignore
    ratio, squared = MANTEL_HAENSZEL[measure](a, b, c, d)
    good = np.isfinite(squared) & (ratio > 0) & np.isfinite(ratio)
    return np.log(np.where(good, ratio, np.nan)), np.where(good, squared, np.nan)


def _cells(data: Data, measure: str, rule: ZeroCells) -> tuple[Array, Array, Array, Array, Array]:
    """Four columns, silent studies zero, and the risk differences as they are; each (k,)."""
    assert isinstance(data, BinaryStudies | PersonTimeStudies)
    loud = informative(data, measure)
    if isinstance(data, PersonTimeStudies):
        a, t1, c, t2 = (column * loud for column in data.numbers.values())
        return a, t1, c, t2, np.zeros(data.k)
    a, b, c, d = (column * loud for column in adjusted_cells(data, rule, measure))
    plain = data.events_treatment / data.n_treatment - data.events_control / data.n_control
    return a, b, c, d, plain


def _mantel_haenszel(
    selections: Selections,
    measure: str,
    rules: Sequence[Rule],
    *,
    prob: float,
    heterogeneity: bool,
) -> Iterator[Walked]:
    first = selections.tables[0]
    pooled_rules = ("none",)
    if isinstance(first, BinaryStudies):
        pooled_rules = ("none", "variance") if measure == "RD" else ("none", "if_needed", "all")
    variances = ("Greenland–Robins", "Sato") if measure == "RD" else ("Greenland–Robins",)
    seen: list[Array] = []
    for rule in pooled_rules:
        cells = np.stack([np.stack(_cells(t, measure, rule)[:4]) for t in selections.tables])
        if any(np.array_equal(cells, before) for before in seen):
            continue  # without a zero in any table the rules are one
        seen.append(cells)
        for variance in variances:
            estimate, squared = _mh(selections, measure, rule, variance)
            for made, y, v, there in rules if heterogeneity else rules[:1]:
                for q in ("MH", "IV") if heterogeneity else ("MH",):
                    convention = replace(
                        made, weights="MH", mh_zero_cells=rule, q=q, variance=variance
                    )
                    centre = estimate if q == "MH" else None
                    yield _of_moments(convention, estimate, squared, (y, v, there), centre, prob)


def _of_moments(
    convention: Convention,
    estimate: Array,
    squared: Array,
    table: tuple[Array, Array, Array],
    centre: Array | None,
    prob: float,
) -> Walked:
    """A walked convention of an estimate with a normal interval, and Q from `table`."""
    y, v, there = table
    exact = (squared == 0) & (convention.measure == "RR")  # every patient has the event
    valid = np.isfinite(estimate) & ((squared > 0) | exact)
    se = np.sqrt(np.where(valid, squared, 1.0))
    around = None if centre is None else np.where(valid, centre, 0.0)
    q = cochran_q(y, _at_least(there, 1) / v, around)
    df = there.sum(axis=0) - 1
    half = critical(prob, np.inf) * se
    p = _p(estimate, se, np.full_like(se, np.inf))
    return _walked(
        convention,
        (estimate, estimate - half, estimate + half, p),
        (q, df, i2_from_q(q, df)),
        valid,
    )


def _peto(selections: Selections, prob: float) -> Walked:
    parts = [peto(*_plain(table)) for table in selections.tables]
    difference, variance = (
        np.stack(column, axis=1)[:, selections.table] for column in zip(*parts, strict=True)
    )
    there = np.where((variance > 0) & selections.present, 1.0, 0.0)
    v = 1 / np.where(variance > 0, variance, 1.0)
    y = difference * v
    w = there / v
    total = np.where(w.sum(axis=0) > 0, w.sum(axis=0), np.nan)
    estimate = (w * y).sum(axis=0) / total
    convention = Convention(measure="OR", effects="common", weights="Peto", q="MH")
    return _of_moments(convention, estimate, 1 / total, (y, v, there), estimate, prob)


def _plain(data: Data) -> tuple[Array, Array, Array, Array]:
    assert isinstance(data, BinaryStudies)
    return adjusted_cells(data, "none", "OR")


def _glmm(selections: Selections, prob: float) -> Iterator[Walked]:
    """Likelihoods, fitted one table at a time: to all studies of each reading."""
    whole = np.flatnonzero(selections.present.all(axis=0))
    if len(selections.tables) > MANY:
        return
    for likelihood in ("conditional", "unconditional"):
        for effects in ("common", "random"):
            convention = Convention(
                measure="OR",
                effects=effects,
                weights=f"GLMM {likelihood}",  # pyright: ignore
            )
            values = np.full((len(FIGURES), selections.n), np.nan)
            for i in whole:
                try:
                    fit = pool(selections.tables[selections.table[i]], convention, prob=prob)
                except BayesmetaError:
                    continue
                values[:, i] = (
                    fit.estimate,
                    fit.lower,
                    fit.upper,
                    fit.p,
                    np.nan if fit.q_p is None else fit.q_p,
                    fit.i2,
                )
            yield Walked(convention=convention, figures=dict(zip(FIGURES, values, strict=True)))
