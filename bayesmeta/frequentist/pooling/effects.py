"""One pooled estimate from one table."""

from dataclasses import replace
from typing import Literal

from ...effects import EffectSizes, ZeroCells
from ...errors import DataError, ModelError
from ...model import Data
from ...studies import check_prob
from ...ways import shown, way
from ..arrays.counts import VARIANCES, Variance, variance_named
from ..arrays.inverse_variance import PREDICTIONS, Prediction, pool_common, pool_random
from ..arrays.tau2 import Likelihood, Tau2
from ..fit import FrequentistFit, IntervalName
from .of_counts import Centre, common_mantel_haenszel, common_peto, q_around_mh
from .one import among, as_effects, fit_of, one_table
from .words import estimator_named, interval_named, named, renamed

COMMON = "common effect, inverse variance"

type Weights = Literal["IV", "MH", "Peto"]


def common_effect(
    data: Data,
    *,
    weights: Weights = "IV",
    measure: str | None = None,
    zero_cells: ZeroCells | None = None,
    variance: Variance = "Greenland–Robins",
    prob: float = 0.95,
) -> FrequentistFit:
    """Pool under one common effect.

    Parameters
    ----------
    data : EffectSizes, BinaryStudies or PersonTimeStudies
        Mantel–Haenszel and Peto need the counts.
    weights : {"IV", "MH", "Peto"}
        Inverse variance, Mantel–Haenszel, or Peto's one-step odds ratio; a name in full will do.
    measure : {"OR", "RR", "RD"}
        For counts of two arms; person-time has the IRR, and Peto, without being asked, the OR.
    zero_cells : {"none", "if_needed", "all", "events", "treatment_arm", "variance"}, optional
        As for :func:`effect_sizes`. By default ``"if_needed"`` for inverse variance and ``"none"``
        for Mantel–Haenszel, which needs no correction (RevMan and some papers add ½ all the same:
        ``"if_needed"``). Peto takes none. Studies that say nothing about a ratio (no event in
        either arm) are left out of all three; the RD keeps them.
    variance : {"Greenland–Robins", "Sato"}
        Of the Mantel–Haenszel RD: RevMan and meta use the first, metafor the second. A hyphen does
        for the dash.
    prob : float
        Level of the interval.

    Returns
    -------
    FrequentistFit
        For Mantel–Haenszel Q is taken around the Mantel–Haenszel estimate with inverse-variance
        weights, as RevMan and metafor do; for Peto around Peto's estimate.

    Raises
    ------
    DataError
        If no finite estimate exists.
    ModelError
        If the data do not fit the method.

    References
    ----------
    Greenland S, Robins JM (1985). Biometrics 41:55-68 (variance of the log RR, and of the RD).
    Robins J, Breslow N, Greenland S (1986). Biometrics 42:311-323 (variance of the log OR).
    Sato T (1989). Biometrics 45:1323-1324 (variance of the RD).
    Rothman KJ, Greenland S, Lash TL (2008). Modern Epidemiology, 3rd ed., ch. 15 (IRR).
    Yusuf S, Peto R, et al. (1985). Prog Cardiovasc Dis 27:335-371 (Peto's odds ratio).
    """
    check_prob(prob)
    word = named("weights", weights, ("IV", "MH", "Peto"))
    notes = renamed({"weights": weights}, {"weights": word})
    variance = variance_named(variance)
    among("variance", variance, VARIANCES)
    if word == "IV":
        rule = "if_needed" if zero_cells is None else zero_cells
        effects = as_effects(data, measure, rule)
        pooled = pool_common(*one_table(effects))
        fit = fit_of(pooled, effects, COMMON, maximised="ML", prob=prob)
    elif word == "Peto":
        fit = common_peto(data, measure, zero_cells, prob)
    else:
        fit = common_mantel_haenszel(
            data, measure, "none" if zero_cells is None else zero_cells, variance, prob
        )
    return replace(fit, notes=notes)


def random_effects(
    data: Data,
    *,
    tau2: Tau2 = "REML",
    interval: IntervalName = "HKSJ",
    prediction: Prediction = "HK",
    q: Centre = "IV",
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> FrequentistFit:
    """Pool under random effects by inverse variance.

    Parameters
    ----------
    data : EffectSizes, or counts
    tau2 : {"REML", "DL", "PM", "ML", "HS", "HE", "SJ", "EB"}
        Estimator of the between-study variance, at least zero: restricted maximum likelihood (the
        highest peak), DerSimonian–Laird, Paule–Mandel, maximum likelihood, Hunter–Schmidt, Hedges,
        Sidik–Jonkman (started at the variance of the estimates), empirical Bayes (equal to
        Paule–Mandel). A name in full does for its letters, with a note.
    interval : {"HKSJ", "HKSJ truncated", "Wald", "KR"}
        What metafor calls ``test``: its ``"knha"``, ``"adhoc"`` and ``"z"`` are taken for the
        first three, with a note. Which one ``lower`` and ``upper`` give; ``spreads`` holds all.
        The truncated form never lets the variance fall below Wald's. KR (Kenward–Roger) needs
        REML; where its degrees of freedom would be below 1 they are 1, with a caution.
    prediction : str
        Prediction interval for the true effect in a new study: mu ± t √(tau² + SE²), of
        ``"HK"`` (HKSJ standard error, k − 1 degrees of freedom), ``"HK-PR"`` (the same, k − 2),
        ``"HTS"`` (Wald, k − 2: Higgins, Thompson & Spiegelhalter), ``"V"`` (Wald, k − 1),
        ``"KR"``, ``"KR-PR"`` (Kenward–Roger, its df and one less), ``"S"`` (Wald, normal),
        ``"HK truncated"``, ``"HK-PR truncated"``; or ``"NNF"``, from the confidence distribution
        of tau² (Nagashima, Noma & Furukawa). None is given for fewer than three studies, or where
        Kenward–Roger has no degrees of freedom; ``cautions`` then says so.
    q : {"IV", "MH"}
        Where Cochran's Q is centred; ``"MH"`` (counts of two arms) also gives RevMan 5's DL.
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level of the intervals.

    Returns
    -------
    FrequentistFit
        ``i2`` is tau² / (tau² + typical sampling variance), which for DL equals (Q − df)/Q;
        ``i2_q`` is (Q − df)/Q.

    Raises
    ------
    DataError
        For fewer than two studies.

    References
    ----------
    DerSimonian R, Laird N (1986). Control Clin Trials 7:177-188. Paule RC, Mandel J (1982). J Res
    Natl Bur Stand 87:377-385. Hedges LV (1983). Psychol Bull 93:388-395. Sidik K, Jonkman JN
    (2005). J R Stat Soc C 54:367-384. Viechtbauer W (2005). J Educ Behav Stat 30:261-293 (HS, ML,
    REML). Hartung J, Knapp G (2001). Stat Med 20:3875-3889; Sidik K, Jonkman JN (2002). Stat Med
    21:3153. Röver C, Knapp G, Friede T (2015). BMC Med Res Methodol 15:99 (truncated).
    Partlett C, Riley RD (2017). Stat Med 36:301-317 (KR, prediction). Veroniki AA et al. (2019).
    Res Synth Methods 10:23-43. Higgins JPT, Thompson SG (2002). Stat Med 21:1539-1558 (I²).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> round(bm.random_effects(data).estimate, 3)
    -0.243
    """
    check_prob(prob)
    asked = {"tau2": tau2, "interval": interval}
    tau2, interval = estimator_named(tau2), interval_named(interval)
    notes = renamed(asked, {"tau2": tau2, "interval": interval})
    among("prediction", prediction, (*PREDICTIONS, "NNF"))
    among("q", q, ("IV", "MH"))
    check_kenward_roger(tau2, interval, prediction)
    effects = as_effects(data, measure, zero_cells)
    need_two(effects)
    y, v, present = one_table(effects)
    around = None if q == "IV" else q_around_mh(data, effects, zero_cells)
    pooled = pool_random(y, v, present, tau2=tau2, q=around)
    words = random_words(tau2, q)
    top = likelihood_of(tau2)
    fit = fit_of(pooled, effects, words, interval, prediction, tau2=True, maximised=top, prob=prob)
    return replace(fit, notes=notes)


def check_kenward_roger(tau2: Tau2, interval: str, prediction: str) -> None:
    """Refuse intervals of Kenward and Roger around another estimator than theirs."""
    if tau2 != "REML" and ("KR" in (interval, prediction) or prediction == "KR-PR"):
        raise ModelError(f"Kenward–Roger intervals need tau2='REML', not {shown(tau2)}.")


def need_two(effects: EffectSizes) -> None:
    """Refuse random effects of a single study."""
    if effects.k < 2:
        raise DataError(
            f"Random effects need at least two studies to estimate tau² from; there is "
            f"{effects.k} ({', '.join(effects.study)}). Use {way('common')}, or a Bayesian "
            "model with a prior on tau."
        )


def likelihood_of(tau2: Tau2) -> Likelihood | None:
    """The likelihood that an estimator of tau² maximises, if any."""
    return tau2 if tau2 == "REML" or tau2 == "ML" else None


def random_words(tau2: Tau2, q: Centre) -> str:
    """Name of a method of random effects."""
    return f"random effects, {tau2}" + ("" if q == "IV" else ", Q around Mantel–Haenszel")
