"""A meta-regression as it was fitted, and what it says of places and levels."""

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc

from ...design import Design
from ...effects import MEASURES, EffectSizes
from ...notebooks import ToldAndTabled
from ...studies import Account
from ..arrays.tau2 import Tau2
from ..fit import SAID, WIDTH, IntervalName, Maximum, critical, two_sided_p

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]


class WaldTest(NamedTuple):
    """A joint test: chi² on ``df`` where ``df_residual`` is infinite, else F on both."""

    statistic: float
    df: int
    df_residual: float

    @property
    def p(self) -> float:
        """P of no effect of any."""
        if np.isinf(self.df_residual):
            return float(chdtrc(self.df, self.statistic))
        return float(fdtrc(self.df, self.df_residual, self.statistic))

    def __str__(self) -> str:
        if np.isinf(self.df_residual):
            return f"chi² {self.statistic:.4g} on {self.df} df, p {self.p:.4g}"
        return f"F {self.statistic:.4g} on {self.df} and {self.df_residual:g} df, p {self.p:.4g}"


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Prediction:
    """The expected effect at a place, or a difference of two, on the analysis scale.

    Attributes
    ----------
    estimate, se : float
    lower, upper : float
        Confidence interval.
    prediction : tuple of float or None
        Interval for the true effect of a new study there; None under a common effect, and of a
        difference.
    statistic, df, p : float
        Of no effect: z where ``df`` is infinite, else t.
    prob : float
        Level of the intervals.
    tau2 : float or None
        Variance between studies that ``prediction`` adds.
    """

    estimate: float
    se: float
    df: float
    prob: float
    tau2: float | None = None

    def __repr__(self) -> str:
        new = (
            "; in a new study {:.4g} to {:.4g}".format(*self.prediction) if self.prediction else ""
        )
        return f"{self.estimate:.4g} [{self.lower:.4g}, {self.upper:.4g}], p {self.p:.4g}{new}"

    @property
    def lower(self) -> float:
        """Lower end of the confidence interval."""
        return self.estimate - critical(self.prob, self.df) * self.se

    @property
    def upper(self) -> float:
        """Upper end of the confidence interval."""
        return self.estimate + critical(self.prob, self.df) * self.se

    @property
    def prediction(self) -> tuple[float, float] | None:
        """Interval for the true effect of a new study: √(se² + tau²) with the same t."""
        if self.tau2 is None:
            return None
        half = critical(self.prob, self.df) * np.sqrt(self.se**2 + self.tau2)
        return float(self.estimate - half), float(self.estimate + half)

    @property
    def statistic(self) -> float:
        """Estimate over standard error; 0 of exactly none."""
        with np.errstate(divide="ignore"):
            return float(np.divide(self.estimate, self.se)) if self.estimate else 0.0

    @property
    def p(self) -> float:
        """Two-sided p of no effect."""
        return float(two_sided_p(*(np.array(one) for one in (self.estimate, self.se, self.df))))


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class MetaRegression(ToldAndTabled):
    """Effects of studies as a sum of covariates, on the analysis scale.

    Attributes
    ----------
    method, measure : str
    design : Design
        Columns, their centres, and which studies lack a covariate.
    data : EffectSizes
        The studies used.
    coefficients : ndarray, shape (p,)
        In the order of ``design.names``: numbers per unit of their column (per SD where scaled),
        at the centres that ``design.centres`` holds.
    covariance : ndarray, shape (p, p)
        Of the coefficients, behind the chosen interval.
    chosen : str
        ``"Wald"``, ``"HKSJ"`` or ``"HKSJ truncated"``.
    df : float
        Of t: k − p, or infinite for Wald's.
    prob : float
        Level of all intervals.
    estimator : str or None
        Of tau²; None for a common effect given the covariates.
    tau2, tau2_without : float or None
        Variance between studies beyond the covariates, and without any, by the same estimator on
        the same studies; None for a common effect.
    tau2_interval : tuple of float or None
        Q-profile.
    q, q_df : float
        QE: whether the studies differ by more than chance beyond the covariates.
    i2, h2 : float
        In per cent: tau²/(tau² + typical variance), or (Q − df)/Q for a common effect; and
        1/(1 − I²), or Q/df.
    moderators : WaldTest or None
        QM: whether any coefficient but the constant matters; of means per level, whether they
        differ. None where there is nothing but a constant.
    maximum : Maximum or None
        As of a `FrequentistFit`; for REML with the term of x'x, so that units do not matter.
    cautions, notes : tuple of str
    account : Account or None
    """

    method: str
    measure: str
    design: Design
    data: EffectSizes
    coefficients: Array
    covariance: Array
    chosen: IntervalName
    df: float
    prob: float
    estimator: Tau2 | None
    tau2: float | None
    tau2_without: float | None
    tau2_interval: tuple[float, float] | None
    q: float
    q_df: float
    i2: float
    h2: float
    moderators: WaldTest | None
    maximum: Maximum | None
    cautions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    account: Account | None = None

    def __repr__(self) -> str:
        return _in_short(self)

    @property
    def k(self) -> int:
        """Studies used."""
        return self.data.k

    @property
    def names(self) -> tuple[str, ...]:
        """Of the coefficients."""
        return self.design.names

    @property
    def left_out(self) -> Mapping[str, tuple[str, ...]]:
        """Studies that lack covariates, and which."""
        return self.design.left_out

    @property
    def se(self) -> Array:
        """Standard errors of the coefficients, (p,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def tau(self) -> float | None:
        """Between-study standard deviation; None for a common effect."""
        return None if self.tau2 is None else self.tau2**0.5

    @property
    def q_p(self) -> float:
        """P of no more than chance beyond the covariates."""
        return float(chdtrc(self.q_df, self.q))

    @property
    def r2(self) -> float | None:
        """Share of tau² that the covariates explain, in per cent; None where there is none.

        Zero where they explain less than nothing. It is imprecise with few studies.
        """
        if self.tau2 is None or not self.tau2_without:
            return None
        return 100 * max(0.0, 1 - self.tau2 / self.tau2_without)

    def at(self, /, **where: object) -> Prediction:
        """Return the expected effect at a place, with its interval and that of a new study.

        Parameters
        ----------
        **where
            A number or a level for every covariate of the formula.

        Raises
        ------
        ModelError
            If a covariate is not given or not of the formula, or has no such level.
        """
        return self._along(self.design.row(**where), self.tau2)

    def difference(self, one: Mapping[str, object], other: Mapping[str, object]) -> Prediction:
        """Return the expected effect at `one` place less that at the `other`.

        Covariates that neither names stay at their mean, as in ``design.mean``.

        Raises
        ------
        ModelError
            As for `at`.
        """
        return self._along(self.design.near(**one) - self.design.near(**other), None)

    def levels(self, variable: str) -> "pd.DataFrame":
        """Return the expected effect at each level of a factor, at the mean of other covariates.

        Raises
        ------
        ModelError
            If there is no such factor.
        """
        import pandas as pd

        known = self.design.levels.get(variable, ("",))
        rows = [self._along(self.design.level(variable, one), self.tau2) for one in known]
        return pd.DataFrame(map(_row, rows), index=pd.Index(known, name=variable))

    def table(self) -> "pd.DataFrame":
        """Return a row per coefficient: estimate, se, lower, upper, statistic, df, p."""
        import pandas as pd

        rows = [self._along(one, None) for one in np.eye(len(self.names))]
        return pd.DataFrame(map(_row, rows), index=pd.Index(self.names, name="coefficient"))

    def fitted(self) -> "pd.DataFrame":
        """Return a row per study: its estimate, what the covariates expect of it, the residual.

        Returns
        -------
        DataFrame
            ``estimate``, ``se``, ``fitted``, ``fitted_se``, ``lower``, ``upper`` of the fitted
            value, ``residual``, and ``z``, the residual over its standard error with tau² taken as
            known.
        """
        import pandas as pd

        x, v = self.design.matrix, self.data.se**2 + (self.tau2 or 0.0)
        fitted = x @ self.coefficients
        se = np.sqrt(np.einsum("ij,jk,ik->i", x, self.covariance, x))
        half = critical(self.prob, self.df) * se
        known = np.linalg.inv((x.T / v) @ x)
        left = v - np.einsum("ij,jk,ik->i", x, known, x)
        residual = self.data.y - fitted
        with np.errstate(divide="ignore", invalid="ignore"):  # one study alone at a level
            z = np.where(left > 1e-12 * v, residual / np.sqrt(np.maximum(left, 0)), np.nan)
        return pd.DataFrame(
            {
                "estimate": self.data.y,
                "se": self.data.se,
                "fitted": fitted,
                "fitted_se": se,
                "lower": fitted - half,
                "upper": fitted + half,
                "residual": residual,
                "z": z,
            },
            index=pd.Index(self.data.study, name="study"),
        )

    def _along(self, row: Array, tau2: float | None) -> Prediction:
        variance = float(row @ self.covariance @ row)
        return Prediction(
            estimate=float(row @ self.coefficients),
            se=float(np.sqrt(max(variance, 0.0))),
            df=self.df,
            prob=self.prob,
            tau2=tau2,
        )


def _row(one: Prediction) -> dict[str, float]:
    row = {name: getattr(one, name) for name in ("estimate", "se", "lower", "upper")}
    if one.prediction is not None:
        row["new_lower"], row["new_upper"] = one.prediction
    return {**row, **{name: getattr(one, name) for name in ("statistic", "df", "p")}}


def _in_short(fit: MetaRegression) -> str:
    """Write what was fitted, the coefficients, what is left over, and doubts."""
    link = MEASURES[fit.measure].link
    scale = "as measured" if link == "identity" else f"{link} scale"
    lines = [f"{fit.method}, {fit.chosen}: {fit.measure} on {fit.design.formula.text}, k = {fit.k}"]
    lines += [] if fit.account is None else fit.account.lines
    middle = ", ".join(f"{name} {centre:.4g}" for name, centre in fit.design.centres.items())
    lines.append(f"Coefficients ({scale}" + (f"; centred at {middle})" if middle else ")"))
    lines += [
        _line(name, row) for name, row in zip(fit.names, fit.table().itertuples(), strict=True)
    ]
    lines += [f"Moderators: {fit.moderators}"] if fit.moderators else []
    spread = "" if fit.tau2 is None else f"; tau² {fit.tau2:.4g}"
    spread += "" if fit.tau2_interval is None else " [{:.4g}, {:.4g}]".format(*fit.tau2_interval)
    spread += "" if fit.r2 is None else f", R² {fit.r2:.3g}%"
    lines.append(f"QE {fit.q:.4g} on {fit.q_df:g} df, p {fit.q_p:.4g}{spread}; I² {fit.i2:.3g}%")
    said = [*(f"Note: {one}" for one in fit.notes), *(f"Caution: {one}" for one in fit.cautions)]
    lines += said[:SAID]
    lines += [f"{len(said) - SAID} more in notes and cautions"] if len(said) > SAID else []
    return "\n".join(map(cut_line, lines))


def cut_line(line: str) -> str:
    """A line of bounded length; one that fits keeps its indent."""
    return shorten(line, WIDTH, placeholder=" …") if len(line) > WIDTH else line


def _line(name: str, row: object) -> str:
    numbers = (getattr(row, one) for one in ("estimate", "lower", "upper", "p"))
    return "  {}: {:.4g} [{:.4g}, {:.4g}], p {:.4g}".format(name, *numbers)
