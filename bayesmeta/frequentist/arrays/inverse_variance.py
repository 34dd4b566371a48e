"""Pooling by inverse variance, many tables at once.

Arrays have the studies first, as in ``tau2``: y, v and present are (k, n), results (n,).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from ..fit import IntervalName, critical
from .tau2 import ESTIMATORS, Tau2, centre_of, cochran_q, cross_weights, dersimonian_laird

type Array = NDArray[np.float64]
type Prediction = Literal[
    "HTS", "V", "HK", "HK-PR", "HK truncated", "HK-PR truncated", "KR", "KR-PR", "S", "NNF"
]
type Of = tuple[IntervalName, Callable[[Array, Array], Array]]  # df from k and the interval's df

PREDICTIONS: Mapping[Prediction, Of] = {
    "HTS": ("Wald", lambda k, df: k - 2),
    "V": ("Wald", lambda k, df: k - 1),
    "HK": ("HKSJ", lambda k, df: k - 1),
    "HK-PR": ("HKSJ", lambda k, df: k - 2),
    "HK truncated": ("HKSJ truncated", lambda k, df: k - 1),
    "HK-PR truncated": ("HKSJ truncated", lambda k, df: k - 2),
    "KR": ("KR", lambda k, df: df),
    "KR-PR": ("KR", lambda k, df: np.maximum(df - 1, 1.0)),
    "S": ("Wald", lambda k, df: np.full_like(k, np.inf)),
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Pooled estimates of n tables; every array is (n,).

    Attributes
    ----------
    k, estimate, tau2, q, i2, i2_q : ndarray
        I² in per cent, by tau² and by Q.
    spreads : mapping of str to a pair of ndarrays
        Standard error and degrees of freedom by interval.
    """

    k: Array
    estimate: Array
    tau2: Array
    q: Array
    i2: Array
    i2_q: Array
    spreads: Mapping[IntervalName, tuple[Array, Array]]

    def with_q(self, q: Array) -> "Pooled":
        """The same estimates with Q around another centre."""
        return replace(self, q=q, i2_q=i2_from_q(q, self.k - 1))

    def only(self, valid: NDArray[np.bool_]) -> "Pooled":
        """The same tables where they are valid, NaN elsewhere."""
        if valid.all():
            return self
        names = ("k", "estimate", "tau2", "q", "i2", "i2_q")
        return replace(
            self,
            **{name: np.where(valid, getattr(self, name), np.nan) for name in names},
            spreads={
                name: (np.where(valid, se, np.nan), df) for name, (se, df) in self.spreads.items()
            },
        )

    def interval(self, name: IntervalName, prob: float) -> tuple[Array, Array]:
        """Lower and upper ends."""
        se, df = self.spreads[name]
        half = critical_of(prob, df) * se
        return self.estimate - half, self.estimate + half

    def prediction(self, name: Prediction, prob: float) -> tuple[Array, Array]:
        """Lower and upper ends of a prediction interval; NaN for k < 3 or no degree of freedom."""
        spread, df_of = PREDICTIONS[name]
        se, df = self.spreads[spread]
        half = critical_of(prob, df_of(self.k, df)) * np.sqrt(self.tau2 + se**2)
        half = np.where(self.k >= 3, half, np.nan)
        return self.estimate - half, self.estimate + half


def critical_of(prob: float, df: Array) -> Array:
    """Two-sided critical values; NaN where there is no degree of freedom."""
    if np.isinf(df).all():
        return np.full_like(df, critical(prob, np.inf))
    values = stdtrit(np.where(df > 0, df, np.nan), (1 + prob) / 2)
    return np.where(np.isinf(df), critical(prob, np.inf), values)


def pool_common(y: Array, v: Array, present: Array) -> Pooled:
    """Weighted means under one common effect, one or more studies in each table."""
    w = present / v
    return pool_moments(centre_of(y, w), 1 / np.sqrt(w.sum(axis=0)), y, v, present, centre=None)


def pool_moments(
    estimate: Array, se: Array, y: Array, v: Array, present: Array, *, centre: Array | None
) -> Pooled:
    """Estimates of a common effect made elsewhere; Q of `y` around `centre`, or their own mean."""
    k, q = present.sum(axis=0), cochran_q(y, present / v, centre)
    i2 = i2_from_q(q, k - 1)
    spreads: Mapping[IntervalName, tuple[Array, Array]] = {"Wald": (se, np.full_like(se, np.inf))}
    return Pooled(
        k=k, estimate=estimate, tau2=np.zeros_like(q), q=q, i2=i2, i2_q=i2, spreads=spreads
    )


def pool_random(
    y: Array, v: Array, present: Array, *, tau2: Tau2, q: Array | None = None
) -> Pooled:
    """Pool under random effects, two or more studies in each table.

    Where `q` is given (Q around another centre) it is reported, and DL is computed from it.
    """
    between = (
        dersimonian_laird(v, present, q)
        if q is not None and tau2 == "DL"
        else ESTIMATORS[tau2](y, v, present)
    )
    q = cochran_q(y, present / v) if q is None else q
    w = present / (v + between)
    k, estimate = present.sum(axis=0), centre_of(y, w)
    typical = typical_variance(v, present)
    return Pooled(
        k=k,
        estimate=estimate,
        tau2=between,
        q=q,
        i2=np.minimum(100 * between / (between + typical), 100.0),
        i2_q=i2_from_q(q, k - 1),
        spreads=_spreads(y, w, k, estimate, restricted=tau2 == "REML"),
    )


def i2_from_q(q: Array, df: Array) -> Array:
    """(Q − df)/Q in per cent, at least zero; of one study Q is rounding only."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # Q may be 1e-312
        share = np.minimum(100 * (q - df) / q, 100.0)
    return np.where((q > df) & (df > 0), share, 0.0)


def typical_variance(v: Array, present: Array) -> Array:
    """Higgins and Thompson's typical sampling variance."""
    w = present / v
    return (present.sum(axis=0) - 1) * w.sum(axis=0) / cross_weights(w)


def _spreads(
    y: Array, w: Array, k: Array, estimate: Array, *, restricted: bool
) -> Mapping[IntervalName, tuple[Array, Array]]:
    wald, normal = 1 / np.sqrt(w.sum(axis=0)), np.full_like(estimate, np.inf)
    factor = np.sqrt(cochran_q(y, w, estimate) / (k - 1))
    spreads: dict[IntervalName, tuple[Array, Array]] = {
        "Wald": (wald, normal),
        "HKSJ": (factor * wald, k - 1),
        "HKSJ truncated": (np.maximum(factor, 1.0) * wald, k - 1),
    }
    if restricted:
        spreads["KR"] = _kenward_roger(w)
    return spreads


def _kenward_roger(w: Array) -> tuple[Array, Array]:
    """Standard error and degrees of freedom with the expected information of REML.

    NaN where one weight leaves no digit of the others.
    """
    w1, w2, w3 = (w.sum(axis=0), (w**2).sum(axis=0), (w**3).sum(axis=0))
    information = w2 / 2 - w3 / w1 + 0.5 * (w2 / w1) ** 2
    information = np.where(information > 1e-12 * w2, information, np.nan)
    variance = (1 + 2 * (w3 / w1 - (w2 / w1) ** 2) / information) / w1
    return np.sqrt(variance), np.maximum(2 * information / (variance * w2) ** 2, 1.0)
