"""Meta-regression: estimates of studies on their covariates."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from ...arguments import check_switch
from ...design import Design, Formula, design
from ...effects import EffectSizes, ZeroCells
from ...errors import DataError
from ...model import Data
from ...priors import LOG_2PI
from ...studies import check_prob, with_covariates
from ..arrays.regression import ESTIMATORS, Regression, deviance, q_root, regress
from ..arrays.tau2 import Tau2
from ..fit import IntervalName, Maximum
from ..pooling.effects import likelihood_of
from ..pooling.one import as_effects
from ..pooling.words import estimator_named, named, renamed
from .result import MetaRegression, WaldTest

type Array = NDArray[np.float64]

CHOICES: tuple[IntervalName, ...] = ("HKSJ", "HKSJ truncated", "Wald")
PER_COVARIATE = 10  # studies that a covariate should have: Cochrane Handbook 10.11.5.1
EXACT = 1e-9  # of the length of a constant: what is nearer is one


def meta_regression(
    data: Data,
    formula: str | Formula,
    *,
    tau2: Tau2 | None = "REML",
    interval: IntervalName = "HKSJ",
    scale: bool = False,
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> MetaRegression:
    """Regress the studies' estimates on their covariates by weights 1/(se² + tau²).

    Parameters
    ----------
    data : EffectSizes, or counts
        With the covariates of the formula; studies that lack one are left out, by name, here and in
        the model without covariates that R² is taken from.
    formula : str
        Names of columns joined by ``+ : * -``, in backticks where they have spaces; ``C(x)`` for
        numbers that name groups, ``bs(x, df=4)``, ``poly(x, 2)``. Numbers are centred at the mean
        of the studies used. One factor alone has a mean per level; beside others its coefficients
        are orthonormal contrasts, which `levels` and `difference` of the result turn into levels.
    tau2 : str or None
        Estimator of the variance between studies beyond the covariates, as for
        :func:`random_effects`; None for a common effect given the covariates.
    interval : {"HKSJ", "HKSJ truncated", "Wald"}
        Of coefficients and places: t with k − p degrees of freedom and the covariance times
        Σwr²/(k − p) (Knapp and Hartung), the same where that is above 1, or normal. Other programs'
        ``"knha"``, ``"adhoc"`` and ``"z"`` are taken for them, with a note.
    scale : bool
        Divide numbers by their SD.
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level of the intervals.

    Returns
    -------
    MetaRegression

    Raises
    ------
    ModelError
        If the formula cannot be read or does not fit the table.
    DataError
        If there are no more studies than coefficients.

    Notes
    -----
    A covariate that is an average over patients (age, share of women) tells how trials differ, not
    how patients do.

    References
    ----------
    Berkey CS et al. (1995). Stat Med 14:395-411. Knapp G, Hartung J (2003). Stat Med 22:2693-2710.
    van Houwelingen HC, Arends LR, Stijnen T (2002). Stat Med 21:589-624. Raudenbush SW (2009), in
    The Handbook of Research Synthesis and Meta-Analysis, 2nd ed., 295-315 (R²). Viechtbauer W et
    al. (2015). Psychol Methods 20:360-374 (estimators of tau² with covariates). Viechtbauer W
    (2007). Stat Med 26:37-52 (Q-profile).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(
    ...     list("ABCDE"), [0.1, 0.3, 0.2, 0.6, 0.5], [0.1] * 5, covariates={"dose": range(1, 6)}
    ... )
    >>> fit = bm.frequentist.meta_regression(data, "dose", interval="Wald")
    >>> fit.table()["estimate"].round(2).to_dict()
    {'intercept': 0.34, 'dose': 0.11}
    >>> round(fit.at(dose=1).estimate, 2)
    0.12
    """
    check_prob(prob)
    check_switch(scale, "scale")
    asked = {"interval": interval} if tau2 is None else {"interval": interval, "tau2": tau2}
    interval = interval_of(interval)
    estimator = None if tau2 is None else estimator_named(tau2)
    effects = as_effects(data, measure, zero_cells)
    made = design(formula, effects.covariates, effects.study, scale=scale)
    used = with_covariates(effects, made.formula.variables, made.left_out)
    _need_more(made)
    return fit_design(
        used,
        made,
        estimator,
        interval,
        prob,
        notes=renamed(asked, {"interval": interval, "tau2": estimator or ""}),
    )


def fit_design(
    used: EffectSizes,
    made: Design,
    tau2: Tau2 | None,
    interval: IntervalName,
    prob: float,
    *,
    notes: tuple[str, ...] = (),
) -> MetaRegression:
    """Fit a design to the studies that it uses."""
    y, v, x = used.y, used.se**2, made.matrix
    k, p = x.shape
    answer = answer_of(y, x, v, tau2, interval)
    plain = regress(np.zeros(1), y, x, v)
    q, df = float(plain.q[0]), float(k - p)
    typical = df / float(plain.free[0])
    between = answer.tau2
    share = between / (between + typical) if tau2 else max(0.0, 1 - df / q) if q > 0 else 0.0
    without = None
    if tau2 is not None and constant_of(x) is not None:
        without = ESTIMATORS[tau2](y, np.ones((k, 1)), v)
    return MetaRegression(
        method=f"mixed effects, {tau2}" if tau2 else "common effect given the covariates",
        measure=used.measure,
        design=made,
        data=used,
        coefficients=answer.coefficients,
        covariance=answer.covariance,
        chosen=interval,
        df=answer.df,
        prob=prob,
        estimator=tau2,
        tau2=between if tau2 else None,
        tau2_without=without,
        tau2_interval=_q_profile(y, x, v, prob) if tau2 else None,
        q=q,
        q_df=df,
        i2=100 * share,
        h2=1 + between / typical if tau2 else q / df,
        moderators=answer.moderators,
        maximum=_maximum(y, x, v, between, tau2),
        cautions=tuple(_cautions(made, answer, tau2, interval)),
        notes=notes,
        account=used.account,
    )


class Answer(NamedTuple):
    """What is estimated of one table and one design."""

    tau2: float
    coefficients: Array
    covariance: Array
    dispersion: float
    df: float
    moderators: WaldTest | None


def answer_of(y: Array, x: Array, v: Array, tau2: Tau2 | None, interval: IntervalName) -> Answer:
    """Estimate tau², the coefficients with the covariance behind an interval, and QM."""
    between = 0.0 if tau2 is None else ESTIMATORS[tau2](y, x, v)
    fit = regress(np.array([between]), y, x, v)
    df = float(x.shape[0] - x.shape[1])
    dispersion = float(fit.q[0]) / df
    times, free = {
        "Wald": (1.0, np.inf),
        "HKSJ": (dispersion, df),
        "HKSJ truncated": (max(dispersion, 1.0), df),
    }[interval]
    covariance = times * fit.covariance[0]
    coefficients = fit.coefficients[0]
    test = _moderators(x, coefficients, fit, times, free)
    return Answer(between, coefficients, covariance, dispersion, free, test)


def constant_of(x: Array) -> Array | None:
    """Coefficients (p,) whose sum of columns is one for every study, if there are any."""
    ones = np.ones(x.shape[0])
    found = np.linalg.lstsq(x, ones, rcond=None)[0]
    return found if np.linalg.norm(x @ found - ones) < EXACT * np.sqrt(ones.size) else None


def _moderators(
    x: Array, coefficients: Array, fit: Regression, times: float, df: float
) -> WaldTest | None:
    """Test all directions of the coefficients but the constant one."""
    p = x.shape[1]
    constant = constant_of(x)
    across = np.eye(p)
    if constant is not None:
        across = np.linalg.qr(constant[:, None], mode="complete")[0][:, 1:].T
    if not across.shape[0]:
        return None
    value = across @ coefficients
    spread = across @ fit.covariance[0] @ across.T
    quadratic = float(value @ np.linalg.solve(spread, value))
    m = across.shape[0]
    scaled = quadratic / (times * (1 if np.isinf(df) else m)) if times > 0 else np.inf
    return WaldTest(scaled, m, df)


def _q_profile(y: Array, x: Array, v: Array, prob: float) -> tuple[float, float]:
    df = x.shape[0] - x.shape[1]
    lower, upper = (
        q_root(y, x, v, float(chdtri(df, tail))) for tail in ((1 - prob) / 2, (1 + prob) / 2)
    )
    return lower, upper


def _maximum(y: Array, x: Array, v: Array, between: float, tau2: Tau2 | None) -> Maximum | None:
    """The top of the likelihood, with the term of x'x where it is restricted."""
    kind = "ML" if tau2 is None else likelihood_of(tau2)
    if kind is None:
        return None
    k, p = x.shape
    n, counted = k, 0.0
    if kind == "REML":
        n, counted = k - p, float(np.linalg.slogdet(x.T @ x)[1])
    twice = counted - n * LOG_2PI - deviance(np.array([between]), y, x, v, kind)[0]
    return Maximum(
        log_likelihood=float(twice / 2), parameters=p + (tau2 is not None), observations=n
    )


def interval_of(value: object) -> IntervalName:
    """The interval that was asked for, of those that there are with covariates."""
    return named("interval", value, CHOICES)  # pyright: ignore[reportReturnType]


def _need_more(made: Design) -> None:
    """Refuse as many coefficients as studies."""
    k, p = made.matrix.shape
    if k <= p:
        raise DataError(
            f"A regression with {p} coefficients needs at least {p + 1} studies that have all "
            f"covariates; there are {k}. Leave terms out of the formula, or use a Bayesian model."
        )


def _cautions(
    made: Design, answer: Answer, tau2: Tau2 | None, interval: IntervalName
) -> Iterator[str]:
    k, count = made.matrix.shape[0], len(made.formula.variables)
    if k < PER_COVARIATE * count:
        yield (
            f"There are {k} studies for {count} covariate{'s' if count > 1 else ''}, fewer than "
            "the ten for each that a regression should have: it finds little, and by chance."
        )
    if interval != "Wald" and answer.dispersion < 1e-12:
        yield "The estimates lie on the line exactly, so that HKSJ has no width: use Wald."
    elif interval == "HKSJ" and answer.dispersion < 1:
        yield (
            "The HKSJ standard errors are smaller than Wald's: the estimates agree better than "
            "their own standard errors say they should. Prefer the truncated form."
        )
    if interval != "Wald" and tau2 is None:
        yield (
            "Under a common effect HKSJ stretches the standard errors by the scatter about the "
            "line, which Wald's do not know of."
        )
