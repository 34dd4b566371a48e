"""Pooling of one table by a convention: n = 1 of many, with its words and its refusals."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...effects import EffectSizes
from ...errors import ModelError
from ...model import Data
from ...studies import check_prob
from ...ways import shown
from ..fit import FrequentistFit
from ..pooling.effects import (
    COMMON,
    check_kenward_roger,
    likelihood_of,
    need_two,
    random_words,
)
from ..pooling.of_counts import (
    counts_for_mantel_haenszel,
    counts_for_peto,
    counts_for_q,
    fit_of_mantel_haenszel,
    fit_of_peto,
    refuse_infinity,
    refuse_silence,
    shown_of,
)
from ..pooling.one import fit_of
from .convention import Convention, Pooling
from .inputs import estimates_by, mh_rule
from .many import glmm_by, hksj_applies, mh_of, pooled_by
from .selections import Selections


def pool(data: Data, convention: Convention, *, prob: float = 0.95) -> FrequentistFit:
    """Pool by a convention.

    Parameters
    ----------
    data : BinaryStudies, PersonTimeStudies, ContinuousStudies or EffectSizes
    convention : Convention
        Made by :func:`preset`, or by hand.
    prob : float
        Level of the interval.

    Returns
    -------
    FrequentistFit
        ``i2`` is the I² of the convention.

    Raises
    ------
    DataError, ModelError
        As :func:`common_effect`, :func:`random_effects`, :func:`glmm` and :func:`effect_sizes`.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> round(bm.pool(data, bm.preset("metafor", measure="GEN")).estimate, 3)
    -0.243
    """
    if not isinstance(convention, Convention):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ModelError(f"convention is a Convention, preset(...) say; got {shown(convention)}.")
    fit = _POOLS[convention.weights](data, convention, prob)
    i2 = fit.i2_q if convention.i2 == "Q" else fit.i2
    return replace(fit, i2=i2)


def _by_inverse_variance(data: Data, convention: Convention, prob: float) -> FrequentistFit:
    effects = estimates_by(data, convention)
    check_prob(prob)
    if convention.effects == "random":
        return _random(data, effects, convention, prob)
    pooled = pooled_by(convention, Selections.of(effects))
    return fit_of(pooled, effects, COMMON, maximised="ML", prob=prob)


def _random(
    data: Data, effects: EffectSizes, convention: Convention, prob: float
) -> FrequentistFit:
    tau2, prediction = convention.tau2 or "REML", convention.prediction or "HK"
    applies = convention.interval == "HKSJ where it applies"
    chosen = "HKSJ" if convention.interval == "HKSJ where it applies" else convention.interval
    check_kenward_roger(tau2, chosen, prediction)
    need_two(effects)
    made = effects if convention.q == "IV" else counts_for_q(data)
    pooled = pooled_by(convention, Selections.of(made))
    refuse_infinity(pooled.q, convention.measure)
    words = random_words(tau2, convention.q)
    top = likelihood_of(tau2)
    wanted = prediction if convention.prediction else None  # without one, nothing to caution of
    fit = fit_of(pooled, effects, words, chosen, wanted, tau2=True, maximised=top, prob=prob)
    if applies and not hksj_applies(pooled)[0]:
        fit = replace(fit, chosen="Wald")
    return fit


def _by_mantel_haenszel(data: Data, convention: Convention, prob: float) -> FrequentistFit:
    check_prob(prob)
    counts, measure = counts_for_mantel_haenszel(data, convention.measure)
    refuse_silence(counts, measure)
    selections = Selections.of(counts)
    refuse_infinity(mh_of(convention, selections)[0], measure)
    pooled = pooled_by(convention, selections)
    rule, variance = mh_rule(convention), convention.variance
    shown = shown_of(counts, measure, rule)
    return fit_of_mantel_haenszel(pooled, counts, shown, rule, variance, prob)


def _by_peto(data: Data, convention: Convention, prob: float) -> FrequentistFit:
    check_prob(prob)
    counts = counts_for_peto(data, convention.measure)
    refuse_silence(counts, "OR")
    return fit_of_peto(pooled_by(convention, Selections.of(counts)), counts, prob)


def _by_glmm(data: Data, convention: Convention, prob: float) -> FrequentistFit:
    return glmm_by(convention, data, prob)


_POOLS: Mapping[Pooling, Callable[[Data, Convention, float], FrequentistFit]] = {
    "IV": _by_inverse_variance,
    "MH": _by_mantel_haenszel,
    "Peto": _by_peto,
    "GLMM conditional": _by_glmm,
    "GLMM unconditional": _by_glmm,
}
