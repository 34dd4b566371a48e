"""A pooled estimate, its intervals, and their critical values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

from ..studies import check_prob

type Array = NDArray[np.float64]
type IntervalName = Literal["Wald", "HKSJ", "HKSJ truncated", "KR"]

INTERVALS: Mapping[IntervalName, str] = {
    "Wald": "Wald",
    "HKSJ": "Hartung–Knapp–Sidik–Jonkman",
    "HKSJ truncated": "Hartung–Knapp–Sidik–Jonkman, never below Wald's variance",
    "KR": "Kenward–Roger",
}


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
        By name of the interval: ``"Wald"``, ``"HKSJ"``, ``"HKSJ truncated"``, ``"KR"``.
    prob : float
        Level of ``lower`` and ``upper``.
    tau2 : float or None
        Between-study variance; None for a common effect.
    q, q_df : float
        Cochran's Q and its degrees of freedom.
    i2 : float
        In per cent: (Q − df)/Q for a common effect; tau²/(tau² + typical sampling variance) under
        random effects.
    i2_q : float
        (Q − df)/Q in per cent, whatever the model.
    prediction : tuple of float or None
        Interval for the true effect in a new study; None for a common effect and for k < 3.
    predicted : str
        The convention of ``prediction``.
    excluded : tuple of str
        Studies that say nothing about the measure.
    cautions : tuple of str
        What a reader of the interval should know.
    """

    method: str
    measure: str
    k: int
    estimate: float
    chosen: IntervalName = "Wald"
    spreads: Mapping[IntervalName, Spread]
    prob: float
    tau2: float | None = None
    q: float
    q_df: float
    i2: float
    i2_q: float
    prediction: tuple[float, float] | None = None
    predicted: str = ""
    excluded: tuple[str, ...] = field(default=())
    cautions: tuple[str, ...] = ()

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
        return float(two_sided_p(np.array(self.estimate), np.array(se), np.array(df)))

    @property
    def q_p(self) -> float | None:
        """P of homogeneity; None for one study."""
        return float(chdtrc(self.q_df, self.q)) if self.q_df > 0 else None

    @property
    def predicts_narrowly(self) -> bool:
        """Whether the HK prediction interval is narrower than the truncated HKSJ interval.

        A new study cannot be known better than the mean of all.
        """
        plain = self.predicted in ("HK", "HK-PR") and "HKSJ truncated" in self.spreads
        if self.prediction is None or not plain:
            return False
        lower, upper = self.interval(name="HKSJ truncated")
        return self.prediction[1] - self.prediction[0] < (upper - lower) * (1 - 1e-9)

    def interval(
        self, prob: float | None = None, *, name: IntervalName | None = None
    ) -> tuple[float, float]:
        """Return a confidence interval.

        Parameters
        ----------
        prob : float, optional
            Its level; the fit's own by default.
        name : {"Wald", "HKSJ", "HKSJ truncated", "KR"}, optional
            The chosen one by default.
        """
        se, df = self.spreads[name or self.chosen]
        half = critical(self.prob if prob is None else prob, df) * se
        return self.estimate - half, self.estimate + half


def two_sided_p(estimate: Array, se: Array, df: Array) -> Array:
    """P of no effect; 1 for an estimate of exactly none, whose HKSJ may have no width."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(estimate) / se
    normal = np.isinf(df)
    p = 2 * np.where(normal, ndtr(-z), stdtr(np.where(normal, 1.0, df), -z))
    return np.where(estimate == 0, 1.0, p)


def critical(prob: float, df: float) -> float:
    """Two-sided critical value of t with `df` degrees of freedom; normal for inf."""
    check_prob(prob)
    tail = (1 + prob) / 2
    return float(ndtri(tail) if np.isinf(df) else stdtrit(df, tail))
