"""The frequentist estimates a reader expects beside a posterior."""

# SciPy types its results as unions with a second return value:
# pyright: reportArgumentType=false

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

from ..effects import (
    EffectSizes,
    ZeroCells,
    adjusted_cells,
    effect_sizes,
    informative,
    measure_named,
)
from ..errors import DataError, ModelError
from ..model import Data
from ..multivariate import MultivariateEffects
from ..studies import BinaryStudies, check_prob

type Array = NDArray[np.float64]
type Tau2 = Literal["DL", "REML"]
type IntervalName = Literal["Wald", "HKSJ", "HKSJ truncated"]


class Spread(NamedTuple):
    """Standard error of an estimate and the degrees of freedom of its t; inf means normal."""

    se: float
    df: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FrequentistFit:
    """A pooled estimate on the analysis scale.

    Attributes
    ----------
    method : str
        In words.
    measure : str
    k : int
        Studies pooled.
    estimate : float
    chosen : str
        Which of `spreads` gives ``lower``, ``upper``, ``se`` and ``p``.
    spreads : mapping of str to Spread
        By name of the interval: ``"Wald"``, ``"HKSJ"``, ``"HKSJ truncated"``.
    prob : float
        Level of ``lower`` and ``upper``.
    tau2 : float or None
        Between-study variance; None for a common effect.
    q, q_df : float
        Cochran's Q and its degrees of freedom.
    i2 : float
        In per cent.
    prediction : tuple of float or None
        Interval for the effect in a new study; None for a common effect and for k < 3.
    excluded : tuple of str
        Studies that say nothing about the measure.
    """

    method: str
    measure: str
    k: int
    estimate: float
    chosen: IntervalName = "Wald"
    spreads: Mapping[str, Spread]
    prob: float = 0.95
    tau2: float | None = None
    q: float
    q_df: float
    i2: float
    prediction: tuple[float, float] | None = None
    excluded: tuple[str, ...] = field(default=())

    @property
    def se(self) -> float:
        """Standard error behind the chosen interval."""
        return self.spreads[self.chosen].se

    @property
    def lower(self) -> float:
        """Lower end of the chosen interval."""
        return self.interval()[0]

    @property
    def upper(self) -> float:
        """Upper end of the chosen interval."""
        return self.interval()[1]

    @property
    def p(self) -> float:
        """Two-sided p of no effect, by the chosen interval."""
        se, df = self.spreads[self.chosen]
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.divide(abs(self.estimate), se)  # HKSJ of equal estimates has se 0
        return float(2 * (ndtr(-z) if np.isinf(df) else stdtr(df, -z)))

    @property
    def q_p(self) -> float:
        """P of homogeneity; NaN for one study."""
        return float(chdtrc(self.q_df, self.q)) if self.q_df > 0 else np.nan

    def interval(
        self, prob: float | None = None, *, name: IntervalName | None = None
    ) -> tuple[float, float]:
        """Return a confidence interval.

        Parameters
        ----------
        prob : float, optional
            Its level; the fit's own by default.
        name : {"Wald", "HKSJ", "HKSJ truncated"}, optional
            The chosen one by default.
        """
        se, df = self.spreads[name or self.chosen]
        half = critical(self.prob if prob is None else prob, df) * se
        return self.estimate - half, self.estimate + half


def common_effect(
    data: Data,
    *,
    weights: Literal["IV", "MH"] = "IV",
    measure: str | None = None,
    zero_cells: ZeroCells | None = None,
    prob: float = 0.95,
) -> FrequentistFit:
    """Pool under one common effect.

    Parameters
    ----------
    data : EffectSizes or BinaryStudies
        Mantel–Haenszel needs the counts.
    weights : {"IV", "MH"}
        Inverse variance, or Mantel–Haenszel.
    measure : {"OR", "RR"}
        For counts.
    zero_cells : {"none", "if_needed", "all"}, optional
        By default ``"if_needed"`` for inverse variance and ``"none"`` for Mantel–Haenszel, which
        needs no correction (RevMan and some papers add ½ all the same: ``"if_needed"``).
        Studies without an event in either arm are left out of both.
    prob : float
        Level of the interval.

    Returns
    -------
    FrequentistFit
        For Mantel–Haenszel Q is taken around the Mantel–Haenszel estimate with inverse-variance
        weights, as RevMan does.

    Raises
    ------
    DataError
        If no finite estimate exists.

    References
    ----------
    Greenland S, Robins JM (1985). Biometrics 41:55-68 (variance of the log RR).
    Robins J, Breslow N, Greenland S (1986). Biometrics 42:311-323 (variance of the log OR).
    """
    check_prob(prob)
    if weights == "IV":
        return _inverse_variance(_as_effects(data, measure, zero_cells or "if_needed"), prob)
    if weights != "MH":
        raise ModelError(f"weights is 'IV' or 'MH', not {weights!r}.")
    if not isinstance(data, BinaryStudies):
        raise ModelError("Mantel–Haenszel pooling needs the counts: give it BinaryStudies.")
    if measure not in MANTEL_HAENSZEL:
        raise DataError(f"measure must be 'OR' or 'RR' for Mantel–Haenszel, got {measure!r}.")
    return _mantel_haenszel(data, measure, zero_cells or "none", prob)


def random_effects(
    data: Data,
    *,
    tau2: Tau2 = "REML",
    interval: IntervalName = "HKSJ",
    prediction: Literal["HK"] = "HK",
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> FrequentistFit:
    """Pool under random effects by inverse variance.

    Parameters
    ----------
    data : EffectSizes or BinaryStudies
    tau2 : {"REML", "DL"}
        Estimator of the between-study variance; both are bounded at zero.
    interval : {"HKSJ", "HKSJ truncated", "Wald"}
        Which one ``lower`` and ``upper`` give; ``spreads`` holds all three. The truncated form
        never lets the variance fall below Wald's.
    prediction : {"HK"}
        Prediction interval: HKSJ standard error, t with k − 1 degrees of freedom.
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level of the intervals.

    Returns
    -------
    FrequentistFit
        I² is tau² / (tau² + typical sampling variance), which for DL equals (Q − df)/Q.

    Raises
    ------
    DataError
        For fewer than two studies.

    References
    ----------
    DerSimonian R, Laird N (1986). Control Clin Trials 7:177-188.
    Hartung J, Knapp G (2001). Stat Med 20:3875-3889; Sidik K, Jonkman JN (2002). Stat Med 21:3153.
    Higgins JPT, Thompson SG (2002). Stat Med 21:1539-1558 (I², typical variance).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> round(bm.random_effects(data).estimate, 3)
    -0.243
    """
    check_prob(prob)
    if tau2 not in _TAU2:
        raise ModelError(f"tau2 is one of {', '.join(_TAU2)}, not {tau2!r}.")
    if interval not in _INTERVALS:
        raise ModelError(f"interval is one of {', '.join(_INTERVALS)}, not {interval!r}.")
    if prediction != "HK":
        raise ModelError(f"prediction is 'HK', not {prediction!r}.")
    effects = _as_effects(data, measure, zero_cells)
    if effects.k < 2:
        raise DataError(
            f"Random effects need at least two studies to estimate tau² from; there is "
            f"{effects.k} ({', '.join(effects.study)}). Use common_effect, or a Bayesian model "
            "with a prior on tau."
        )
    y, v = effects.y, effects.se**2
    between = _TAU2[tau2](y, v)
    w = 1 / (v + between)
    estimate = float(w @ y / w.sum())
    spreads = _spreads(y, w, estimate)
    q, q_df = _cochran(y, v)
    return FrequentistFit(
        method=f"random effects, {tau2}",
        measure=effects.measure,
        k=effects.k,
        estimate=estimate,
        chosen=interval,
        spreads=spreads,
        prob=prob,
        tau2=between,
        q=q,
        q_df=q_df,
        i2=min(100 * between / (between + _typical_variance(v)), 100.0),
        prediction=_prediction(effects.k, estimate, between, spreads["HKSJ"].se, prob),
        excluded=tuple(row.study for row in effects.excluded if row.variant == "double zero"),
    )


def critical(prob: float, df: float) -> float:
    """Two-sided critical value of t with `df` degrees of freedom; normal for inf."""
    check_prob(prob)
    tail = (1 + prob) / 2
    return float(ndtri(tail) if np.isinf(df) else stdtrit(df, tail))


_INTERVALS = ("Wald", "HKSJ", "HKSJ truncated")


def _as_effects(data: Data, measure: str | None, zero_cells: ZeroCells) -> EffectSizes:
    if isinstance(data, MultivariateEffects):
        raise ModelError(
            "common_effect and random_effects pool one outcome, data.effects(outcome) say; for "
            "several at once use multivariate_random_effects."
        )
    if isinstance(data, EffectSizes):
        if measure not in (None, data.measure):
            raise ModelError(
                f"The estimates are {data.measure}; measure={measure!r} cannot change that."
            )
        return data
    return effect_sizes(data, measure=measure, zero_cells=zero_cells)


def _inverse_variance(effects: EffectSizes, prob: float) -> FrequentistFit:
    w = effects.se**-2.0
    q, q_df = _cochran(effects.y, effects.se**2)
    return FrequentistFit(
        method="common effect, inverse variance",
        measure=effects.measure,
        k=effects.k,
        estimate=float(w @ effects.y / w.sum()),
        spreads={"Wald": Spread(float(w.sum() ** -0.5), np.inf)},
        prob=prob,
        q=q,
        q_df=q_df,
        i2=_i2_from_q(q, q_df),
        excluded=tuple(row.study for row in effects.excluded if row.variant == "double zero"),
    )


def _mantel_haenszel(
    studies: BinaryStudies, measure: str, zero_cells: ZeroCells, prob: float
) -> FrequentistFit:
    kept = informative(studies, measure)
    if not kept.any():
        raise DataError(f"No study has an event: there is no {measure} to pool.")
    cells = tuple(cell[kept] for cell in adjusted_cells(studies, zero_cells))
    ratio, variance = map(float, MANTEL_HAENSZEL[measure](*cells))
    if not (np.isfinite(variance) and 0 < ratio < np.inf):
        raise DataError(
            f"The Mantel–Haenszel {measure} is zero or infinite: one whole side of the tables is "
            "empty. Use zero_cells='if_needed', or BinomialNormal with a proper prior."
        )
    estimate = float(np.log(ratio))
    effects = effect_sizes(studies, measure=measure, zero_cells="if_needed")
    q = float(((effects.y - estimate) ** 2 / effects.se**2).sum())
    return FrequentistFit(
        method="common effect, Mantel–Haenszel"
        + (
            ""
            if zero_cells == "none"
            else ", ½ added " + ("where needed" if zero_cells == "if_needed" else "to all cells")
        ),
        measure=measure_named(measure).name,
        k=int(kept.sum()),
        estimate=estimate,
        spreads={"Wald": Spread(float(np.sqrt(variance)), np.inf)},
        prob=prob,
        q=q,
        q_df=effects.k - 1,
        i2=_i2_from_q(q, effects.k - 1),
        excluded=tuple(name for name, keep in zip(studies.study, kept, strict=True) if not keep),
    )


def _mantel_haenszel_rr(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array]:
    n1, n2 = a + b, c + d
    n = n1 + n2
    r, s = (a * n2 / n).sum(axis=-1), (c * n1 / n).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return r / s, ((n1 * n2 * (a + c) - a * c * n) / n**2).sum(axis=-1) / (r * s)


def _mantel_haenszel_or(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array]:
    n = a + b + c + d
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    big_r, big_s = r.sum(axis=-1), s.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (
            (p * r).sum(axis=-1) / (2 * big_r**2)
            + (p * s + q * r).sum(axis=-1) / (2 * big_r * big_s)
            + (q * s).sum(axis=-1) / (2 * big_s**2)
        )
        return big_r / big_s, variance


# Pooled ratio and the variance of its log from the cells of tables, each (..., k).
MANTEL_HAENSZEL: Mapping[str, Callable[[Array, Array, Array, Array], tuple[Array, Array]]] = {
    "OR": _mantel_haenszel_or,
    "RR": _mantel_haenszel_rr,
}


def _cochran(y: Array, v: Array) -> tuple[float, float]:
    w = 1 / v
    centre = w @ y / w.sum()
    return float(w @ (y - centre) ** 2), float(y.size - 1)


def _i2_from_q(q: float, df: float) -> float:
    return min(100 * (q - df) / q, 100.0) if q > df > 0 else 0.0  # one study: Q is rounding only


def _typical_variance(v: Array) -> float:
    w = 1 / v
    return float((v.size - 1) * w.sum() / _cross(w))


def _cross(w: Array) -> float:
    """(Σw)² - Σw² as the sum of its products: the difference is 0 beside a giant weight."""
    return float(2 * w[1:] @ np.cumsum(w)[:-1])


def _spreads(y: Array, w: Array, estimate: float) -> Mapping[str, Spread]:
    wald, df = float(w.sum() ** -0.5), float(y.size - 1)
    factor = float(np.sqrt(w @ (y - estimate) ** 2 / df))
    return {
        "Wald": Spread(wald, np.inf),
        "HKSJ": Spread(factor * wald, df),
        "HKSJ truncated": Spread(max(factor, 1.0) * wald, df),
    }


def _prediction(
    k: int, estimate: float, tau2: float, se: float, prob: float
) -> tuple[float, float] | None:
    if k < 3:
        return None
    half = critical(prob, k - 1) * np.sqrt(tau2 + se**2)
    return float(estimate - half), float(estimate + half)


def _dersimonian_laird(y: Array, v: Array) -> float:
    q, df = _cochran(y, v)
    w = 1 / v
    return max(0.0, float((q - df) * w.sum() / _cross(w)))


def _reml(y: Array, v: Array) -> float:
    """Maximise the restricted likelihood over tau² >= 0: every root of the score, and zero."""
    from scipy.optimize import brentq

    def score(tau2: Array) -> Array:
        w = 1 / (v + tau2[:, None])
        total, square = w.sum(axis=1), (w**2).sum(axis=1)
        centre = (w @ y) / total
        return square / total - total + (w**2 * (y - centre[:, None]) ** 2).sum(axis=1)

    def deviance(tau2: float) -> float:
        w = 1 / (v + tau2)
        centre = w @ y / w.sum()
        return float(-np.log(w).sum() + np.log(w.sum()) + w @ (y - centre) ** 2)

    largest = float(np.ptp(y) ** 2 + v.max())
    grid = np.concatenate(([0.0], np.geomspace(1e-10 * v.min(), 4 * largest, 400)))
    sign = score(grid)
    falls = np.flatnonzero((sign[:-1] > 0) & (sign[1:] <= 0))
    roots = [
        float(
            brentq(
                lambda t: float(score(np.array([t]))[0]),
                grid[i],
                grid[i + 1],
                xtol=1e-300,
                rtol=1e-14,
            )
        )
        for i in falls
    ]
    return min([0.0, *roots], key=deviance)


_TAU2: Mapping[str, Callable[[Array, Array], float]] = {"REML": _reml, "DL": _dersimonian_laird}
