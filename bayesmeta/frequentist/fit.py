"""A pooled estimate, its intervals, and their critical values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import shorten
from typing import TYPE_CHECKING, Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

from ..effects import MEASURES, EffectSizes
from ..errors import ModelError
from ..notebooks import Told
from ..studies import Account, check_prob
from ..ways import way

if TYPE_CHECKING:
    import pandas as pd

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
class Maximum:
    """The top of a likelihood, and what information criteria count there.

    Attributes
    ----------
    log_likelihood : float
    parameters : int
    observations : int or None
        Studies, less one under restricted maximum likelihood; None of counts, where a study, an
        arm or a patient may be one.
    """

    log_likelihood: float
    parameters: int
    observations: int | None

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * self.parameters - 2 * self.log_likelihood

    @property
    def aicc(self) -> float | None:
        """The same corrected for few observations, which are taken for two more than parameters.

        They are where there are fewer: else the correction has no sign or no size.
        """
        if self.observations is None:
            return None
        n = max(self.observations, self.parameters + 2)
        return 2 * self.parameters * n / (n - self.parameters - 1) - 2 * self.log_likelihood

    @property
    def bic(self) -> float | None:
        """Schwarz's criterion."""
        if self.observations is None:
            return None
        return float(np.log(self.observations)) * self.parameters - 2 * self.log_likelihood


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FrequentistFit(Told):
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
    notes : tuple of str
        Settings that were asked for in another program's words, and what they are called here.
    maximum : Maximum or None
        Of the likelihood, restricted for REML, where the estimate is at the top of one: ML, REML,
        a common effect by inverse variance, likelihoods of counts. None for estimators of tau² by
        moments, Mantel–Haenszel and Peto: a likelihood at another place than its top makes no AIC.
    data : EffectSizes or None
        Estimates of the single studies; None of likelihoods of counts, which make none.
    account : Account or None
        What became of the rows of the table that was pooled.

    References
    ----------
    Higgins JPT, Thompson SG (2002). Stat Med 21:1539-1558 (H², I²). Harville DA (1974). Biometrika
    61:383-385 (the restricted likelihood, with the term of the design that holds no parameter).
    Hurvich CM, Tsai CL (1989). Biometrika 76:297-307 (AICc).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> fit = bm.random_effects(data, interval="Wald")
    >>> round(fit.statistic, 2), round(fit.p, 2), round(fit.log_likelihood, 2)
    (-1.43, 0.15, -0.39)
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
    notes: tuple[str, ...] = ()
    maximum: Maximum | None = None
    data: EffectSizes | None = field(default=None, compare=False)
    account: Account | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return _in_short(self)

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
    def statistic(self) -> float:
        """Estimate over standard error: z where ``df`` is infinite, else t; 0 of exactly none."""
        if self.estimate == 0:
            return 0.0
        return (
            float(np.copysign(np.inf, self.estimate)) if self.se == 0 else self.estimate / self.se
        )

    @property
    def df(self) -> float:
        """Degrees of freedom of the chosen interval; inf where it is normal."""
        return self.spreads[self.chosen].df

    @property
    def p(self) -> float:
        """Two-sided p of no effect, by the chosen interval."""
        se, df = self.spreads[self.chosen]
        return float(two_sided_p(np.array(self.estimate), np.array(se), np.array(df)))

    @property
    def tau(self) -> float | None:
        """Between-study standard deviation; None for a common effect."""
        return None if self.tau2 is None else self.tau2**0.5

    @property
    def h2(self) -> float | None:
        """H²: 1/(1 − I²) under random effects; Q/df, which may be below 1, for a common effect.

        None for a common effect of one study.
        """
        if self.tau2 is not None:
            return 100 / (100 - self.i2) if self.i2 < 100 else np.inf
        return self.q / self.q_df if self.q_df > 0 else None

    @property
    def log_likelihood(self) -> float | None:
        """Log likelihood at its top, restricted for REML; None where there is no ``maximum``."""
        return self.maximum.log_likelihood if self.maximum else None

    @property
    def aic(self) -> float | None:
        """Akaike's criterion; None where there is no ``maximum``."""
        return self.maximum.aic if self.maximum else None

    @property
    def aicc(self) -> float | None:
        """AIC corrected for few studies; None where there is no ``maximum``, and of counts."""
        return self.maximum.aicc if self.maximum else None

    @property
    def bic(self) -> float | None:
        """Schwarz's criterion; None where there is no ``maximum``, and of counts."""
        return self.maximum.bic if self.maximum else None

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

    def studies(self, prob: float | None = None) -> "pd.DataFrame":
        """Return each study's own estimate, and what the others make of it.

        Parameters
        ----------
        prob : float, optional
            Level of the intervals; the fit's own by default.

        Returns
        -------
        DataFrame
            One row per study, analysis scale: ``estimate``, ``se``, ``lower``, ``upper``, its own
            with Wald's interval; ``blup``, ``blup_se``, ``blup_lower``, ``blup_upper``, the best
            linear unbiased prediction of its effect: λ y + (1 − λ) mu with λ = tau²/(tau² + se²),
            of variance λ se² + (1 − λ)² var mu, which takes tau² as known. Of mu the chosen
            interval's standard error and degrees of freedom stand in it. Under a common effect
            every prediction is the pooled estimate.

        Raises
        ------
        ModelError
            If the fit is of a likelihood of counts, which makes no estimates of single studies.

        References
        ----------
        Robinson GK (1991). Stat Sci 6:15-32. Raudenbush SW, Bryk AS (1985). J Educ Stat 10:75-98.

        Examples
        --------
        >>> import bayesmeta as bm
        >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
        >>> bm.random_effects(data).studies()["blup"].round(2).tolist()
        [-0.28, -0.2, -0.25]
        """
        import pandas as pd

        if self.data is None:
            raise ModelError(
                f"{self.method} makes no estimates of single studies: take "
                f"{way('estimates', self.measure)}."
            )
        level = self.prob if prob is None else prob
        y, se = self.data.y, self.data.se
        own = _kept(self.tau2 or 0.0, se)
        blup = own * y + (1 - own) * self.estimate
        blup_se = np.sqrt(own * se**2 + ((1 - own) * self.se) ** 2)
        return pd.DataFrame(
            {
                **_around("", y, se, critical(level, np.inf)),
                **_around("blup", blup, blup_se, critical(level, self.df)),
            },
            index=pd.Index(self.data.study, name="study"),
        )


def _kept(tau2: float, se: Array) -> Array:
    """Share of its own estimate in the prediction of each study's effect, (k,)."""
    return tau2 / (tau2 + se**2)


def _around(name: str, middle: Array, se: Array, times: float) -> Mapping[str, Array]:
    """Columns of estimates with their intervals."""
    start = f"{name}_" if name else ""
    return {
        name or "estimate": middle,
        f"{start}se": se,
        f"{start}lower": middle - times * se,
        f"{start}upper": middle + times * se,
    }


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


WIDTH = 160  # characters of a line
SAID = 3  # notes and cautions that are shown


def _in_short(fit: FrequentistFit) -> str:
    """Write what was pooled and how, the estimate with its test, the spread, and doubts."""
    test = f"; {_test(fit)}" if MEASURES[fit.measure].comparative else ""
    lines = [f"{fit.method}, {fit.chosen}: {_interval(fit)}{test}", _spread(fit)]
    if fit.prediction is not None:
        low, high = MEASURES[fit.measure].natural(fit.prediction)
        lines.append(f"In a new study {low:.4g} to {high:.4g} ({fit.predicted})")
    said = [*(f"Note: {one}" for one in fit.notes), *(f"Caution: {one}" for one in fit.cautions)]
    lines += said[:SAID]
    lines += [f"{len(said) - SAID} more in notes and cautions"] if len(said) > SAID else []
    first, *others = [shorten(line, WIDTH, placeholder=" …") for line in lines]
    return "\n".join([first, *(() if fit.account is None else fit.account.lines), *others])


def _interval(fit: FrequentistFit) -> str:
    measure = MEASURES[fit.measure]
    middle, low, high = measure.natural([fit.estimate, fit.lower, fit.upper])
    return f"{measure.called} {middle:.4g} [{low:.4g}, {high:.4g}], k = {fit.k}"


def _test(fit: FrequentistFit) -> str:
    name = "z" if np.isinf(fit.df) else f"t on {fit.df:.4g} df"
    return f"{name} {fit.statistic:.4g}, p {fit.p:.4g}"


def _spread(fit: FrequentistFit) -> str:
    said = [f"Q {fit.q:.4g} on {fit.q_df:.4g} df"]
    said[0] += "" if fit.q_p is None else f", p {fit.q_p:.4g}"
    if fit.tau2 is not None:
        said.append(f"tau² {fit.tau2:.4g}")
    said.append(f"I² {fit.i2:.4g}%")
    if fit.maximum is not None:
        said.append(f"log likelihood {fit.maximum.log_likelihood:.4g}, AIC {fit.maximum.aic:.4g}")
    return "; ".join(said)
