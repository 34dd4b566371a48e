"""Pooling by a convention, many tables at once; one table is n = 1."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from ...errors import DataError, ModelError
from ...model import Data
from ..arrays.counts import mantel_haenszel
from ..arrays.inverse_variance import (
    Pooled,
    critical_of,
    pool_common,
    pool_moments,
    pool_random,
)
from ..arrays.tau2 import cochran_q
from ..door import two_arms
from ..fit import FrequentistFit, IntervalName, two_sided_p
from ..likelihood.glmm import glmm
from ..pooling.of_counts import counts_for_mantel_haenszel, counts_for_q
from .convention import Convention, Pooling
from .inputs import cells_of_tables, estimates_of, mh_rule, peto_of, way_of
from .selections import Selections

type Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a convention makes of n tables; every array is (n,), NaN where it has no answer.

    Only `df` is a number everywhere.

    Attributes
    ----------
    estimate, se, df : ndarray
        On the analysis scale; degrees of freedom of the convention's interval, inf for normal.
    tau2, q, q_df, i2 : ndarray
        Between-study variance, zero for a common effect; Cochran's Q, its degrees of freedom and
        the I² of the convention, in per cent.
    """

    estimate: Array
    se: Array
    df: Array
    tau2: Array
    q: Array
    q_df: Array
    i2: Array

    def interval(self, prob: float) -> tuple[Array, Array]:
        """Lower and upper ends."""
        half = critical_of(prob, self.df) * self.se
        return self.estimate - half, self.estimate + half

    @property
    def p(self) -> Array:
        """Two-sided p of no effect."""
        return two_sided_p(self.estimate, self.se, self.df)

    @property
    def q_p(self) -> Array:
        """P of homogeneity; NaN for one study."""
        return np.where(self.q_df > 0, chdtrc(np.maximum(self.q_df, 1.0), self.q), np.nan)


def pool_many(convention: Convention, selections: Selections) -> Answers:
    """Pool many tables by a convention, each as :func:`pool` does.

    Parameters
    ----------
    convention : Convention
    selections : Selections
        ``Selections.of(studies, present)`` for subsets of one table.

    Returns
    -------
    Answers
        NaN for a table that :func:`pool` refuses by itself.

    Raises
    ------
    DataError, ModelError
        As :func:`pool`, if the convention has no use for data of this kind, or a study no estimate.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> from bayesmeta.frequentist import Selections, pool_many
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> without_c = Selections.of(data, [[True, True], [True, True], [True, False]])
    >>> pool_many(bm.preset("metafor", measure="GEN"), without_c).estimate.round(3).tolist()
    [-0.243, -0.2]
    """
    pooled = pooled_by(convention, selections)
    lost = np.isfinite(pooled.estimate) & np.isnan(_spread(convention, pooled)[0])
    if lost.any():  # Kenward and Roger's, where one study outweighs all others
        pooled = pooled.only(~lost)
    se, df = _spread(convention, pooled)
    return Answers(
        estimate=pooled.estimate,
        se=se,
        df=df,
        tau2=pooled.tau2,
        q=pooled.q,
        q_df=pooled.k - 1,
        i2=pooled.i2_q if convention.i2 == "Q" else pooled.i2,
    )


def pooled_by(convention: Convention, selections: Selections) -> Pooled:
    """Every interval and I² of the tables that a convention pools; NaN where it pools none."""
    return _POOLED[convention.weights](convention, selections)


def hksj_applies(pooled: Pooled) -> NDArray[np.bool_]:
    """Where RevMan on the web takes the interval of Hartung, Knapp, Sidik and Jonkman."""
    return (pooled.k > 2) & (pooled.tau2 > 0)


def _spread(convention: Convention, pooled: Pooled) -> tuple[Array, Array]:
    if convention.interval != "HKSJ where it applies":
        return pooled.spreads[convention.interval]
    applies = hksj_applies(pooled)
    (se, df), (wald, normal) = pooled.spreads["HKSJ"], pooled.spreads["Wald"]
    return np.where(applies, se, wald), np.where(applies, df, normal)


def _by_inverse_variance(convention: Convention, selections: Selections) -> Pooled:
    if convention.effects == "common":
        return _common(*estimates_of(convention, selections))
    return selections.once(
        ("random", *way_of(convention), convention.tau2, convention.q),
        lambda: _random(convention, selections),
    )


def _common(y: Array, v: Array, there: Array) -> Pooled:
    return pool_common(y, v, _at_least(there, 1)).only(there.sum(axis=0) >= 1)


def _random(convention: Convention, selections: Selections) -> Pooled:
    y, v, there = estimates_of(convention, selections).rows(2)
    two, enough = _at_least(there, 2), there.sum(axis=0) >= 2
    tau2 = convention.tau2 or "REML"
    if convention.q == "IV":
        return pool_random(y, v, two, tau2=tau2).only(enough)
    counts_for_q(selections.tables[0])
    centre, _ = mh_of(convention, selections)
    q = cochran_q(y, two / v, np.where(np.isfinite(centre), centre, 0.0))
    if tau2 == "DL":
        pooled = pool_random(y, v, two, tau2=tau2, q=q)
    else:
        pooled = pooled_by(replace(convention, q="IV"), selections).with_q(q)
    return pooled.only(enough & np.isfinite(centre))


def _at_least(there: Array, k: int) -> Array:
    """Presence; a table of fewer than k gets the first k studies, and its answer is discarded."""
    few = there.sum(axis=0) < k
    if not few.any():
        return there
    there = there.copy()
    there[:k, few] = 1.0
    return there


def mh_of(convention: Convention, selections: Selections) -> tuple[Array, Array]:
    """Mantel–Haenszel estimates on the analysis scale and their variances, each (n,)."""
    return selections.once(
        ("MH", convention.measure, mh_rule(convention), convention.variance),
        lambda: _mh(convention, selections),
    )


def _mh(convention: Convention, selections: Selections) -> tuple[Array, Array]:
    columns, plain = cells_of_tables(convention, selections)
    a, b, c, d = (column[selections.table] * selections.present.T for column in columns)
    if plain is not None:
        plain = plain[selections.table] * selections.present.T
    return mantel_haenszel(convention.measure, (a, b, c, d), convention.variance, plain=plain)


def _by_mantel_haenszel(convention: Convention, selections: Selections) -> Pooled:
    counts_for_mantel_haenszel(selections.tables[0], convention.measure)
    estimate, squared = mh_of(convention, selections)
    y, v, there = estimates_of(convention, selections)
    valid = np.isfinite(estimate)
    centre = np.where(valid, estimate, 0.0) if convention.q == "MH" else None
    return pool_moments(estimate, np.sqrt(squared), y, v, there, centre=centre).only(valid)


def _by_peto(convention: Convention, selections: Selections) -> Pooled:
    return _common(*peto_of(convention, selections))


def glmm_by(convention: Convention, data: Data, prob: float) -> FrequentistFit:
    """Maximum likelihood from the counts of one table, as the convention has it."""
    no_odds = ModelError("A GLMM is of the odds ratio, on the counts: give it BinaryStudies.")
    counts = two_arms(data, no_odds)
    if convention.measure != "OR":
        raise no_odds
    likelihood = "conditional" if convention.weights == "GLMM conditional" else "unconditional"
    return glmm(counts, likelihood=likelihood, effects=convention.effects, prob=prob)


def _by_glmm(convention: Convention, selections: Selections) -> Pooled:
    """One table after the other: likelihoods are not fitted side by side."""
    found = np.full((6, selections.n), np.nan)
    for i in range(selections.n):
        try:
            fit = glmm_by(convention, selections.alone(i), prob=0.95)
        except DataError:
            continue  # no finite maximum, or too few studies
        found[:, i] = fit.k, fit.estimate, fit.tau2 or 0.0, fit.q, fit.i2, fit.se
    k, estimate, tau2, q, i2, se = found
    spreads: Mapping[IntervalName, tuple[Array, Array]] = {"Wald": (se, np.full_like(se, np.inf))}
    return Pooled(k=k, estimate=estimate, tau2=tau2, q=q, i2=i2, i2_q=i2, spreads=spreads)


_POOLED: Mapping[Pooling, Callable[[Convention, Selections], Pooled]] = {
    "IV": _by_inverse_variance,
    "MH": _by_mantel_haenszel,
    "Peto": _by_peto,
    "GLMM conditional": _by_glmm,
    "GLMM unconditional": _by_glmm,
}
