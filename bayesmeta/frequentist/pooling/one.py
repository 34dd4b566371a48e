"""One table in, one fit out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from ...arguments import as_text, is_among
from ...effects import EffectSizes, ZeroCells, effect_sizes
from ...errors import DataError, ModelError
from ...model import Data
from ...multivariate import MultivariateEffects
from ...priors import LOG_2PI
from ...ways import shown
from ..arrays.confidence_distribution import nnf_interval
from ..arrays.inverse_variance import Pooled, Prediction
from ..arrays.tau2 import Likelihood, deviance
from ..fit import FrequentistFit, IntervalName, Maximum, Spread

type Array = NDArray[np.float64]


def among(name: str, value: object, choices: Iterable[str]) -> None:
    """Refuse a setting that is not one of `choices`, and name the nearest."""
    names = tuple(choices)
    if not is_among(value, names):
        near = get_close_matches(as_text(value).casefold(), [one.casefold() for one in names], n=1)
        meant = [f"; did you mean {shown(one)}?" for one in names if one.casefold() in near]
        ending = meant[0] if meant else "."
        raise ModelError(f"{name} is one of {', '.join(names)}, not {shown(value)}{ending}")


@singledispatch
def as_effects(data: Data, measure: str | None, zero_cells: ZeroCells) -> EffectSizes:
    """Estimates of one outcome, made of counts or arms where they are given."""
    return effect_sizes(data, measure=measure, zero_cells=zero_cells)  # pyright: ignore[reportArgumentType]


@as_effects.register
def _given(data: EffectSizes, measure: str | None, zero_cells: ZeroCells) -> EffectSizes:
    if not is_among(measure, (None, data.measure)):
        raise ModelError(
            f"The estimates are {data.measure}; measure={shown(measure)} cannot change that."
        )
    return data


@as_effects.register
def _several(data: MultivariateEffects, measure: str | None, zero_cells: ZeroCells) -> EffectSizes:
    raise ModelError(
        "This analysis takes one outcome, data.effects(outcome) say; for several at once use "
        "multivariate_random_effects."
    )


def one_table(effects: EffectSizes) -> tuple[Array, Array, Array]:
    """Estimates, variances and presence of one table, each (k, 1)."""
    return effects.y[:, None], effects.se[:, None] ** 2, np.ones((effects.k, 1))


def fit_of(
    pooled: Pooled,
    effects: EffectSizes,
    method: str,
    chosen: IntervalName = "Wald",
    prediction: Prediction | None = None,
    *,
    tau2: bool = False,
    maximised: Likelihood | None = None,
    prob: float,
) -> FrequentistFit:
    """The fit of one table, with what a reader of it should know.

    `maximised` is the likelihood at whose top the estimates are, if they are at any.
    """
    spreads: dict[IntervalName, Spread] = {
        name: Spread(float(se[0]), float(df[0]))
        for name, (se, df) in pooled.spreads.items()
        if np.isfinite(se[0])
    }
    if chosen not in spreads:
        raise DataError(
            f"{chosen} gives no interval here: one study outweighs all others beyond double "
            f"precision. Take one of {', '.join(spreads)}."
        )
    ends = None if prediction is None else _prediction(pooled, effects, prediction, prob)
    cautions = [*_cautions(spreads, chosen, prediction)]
    if prediction is not None and ends is None:
        cautions.append(
            "There is no prediction interval: it needs at least three studies."
            if effects.k < 3
            else f"There is no {prediction} prediction interval: one study outweighs all others."
        )
    fit = FrequentistFit(
        method=method,
        measure=effects.measure,
        k=effects.k,
        estimate=float(pooled.estimate[0]),
        chosen=chosen,
        spreads=spreads,
        prob=prob,
        tau2=float(pooled.tau2[0]) if tau2 else None,
        q=float(pooled.q[0]),
        q_df=effects.k - 1.0,
        i2=float(pooled.i2[0]),
        i2_q=float(pooled.i2_q[0]),
        prediction=ends,
        predicted=prediction or "",
        excluded=_left_out(effects),
        cautions=tuple(cautions),
        maximum=None if maximised is None else _maximum(pooled, effects, maximised, tau2=tau2),
        data=effects,
        account=effects.account,
    )
    if fit.predicts_narrowly:
        fit = replace(fit, cautions=(*cautions, narrow_prediction(fit.predicted)))
    return fit


def _maximum(pooled: Pooled, effects: EffectSizes, kind: Likelihood, *, tau2: bool) -> Maximum:
    """The log likelihood of one table with its constants; restricted, with that of the design."""
    n = effects.k - 1 if kind == "REML" else effects.k
    counted = np.log(effects.k) if kind == "REML" else 0.0
    twice = counted - n * LOG_2PI - deviance(pooled.tau2, *one_table(effects), kind)[0]
    return Maximum(log_likelihood=float(twice / 2), parameters=1 + tau2, observations=n)


def _cautions(
    spreads: Mapping[IntervalName, Spread], chosen: IntervalName, prediction: Prediction | None
) -> Iterator[str]:
    se, wald = spreads[chosen].se, spreads["Wald"].se
    if se < 1e-6 * wald:
        yield "The estimates agree exactly, so that the HKSJ interval has no width: use Wald."
    elif chosen == "HKSJ" and se < wald:
        yield (
            "The HKSJ standard error is smaller than Wald's: the estimates agree better than their "
            "own standard errors say they should. Prefer the truncated form."
        )
    df = spreads["KR"].df if "KR" in spreads else np.inf
    if ((chosen == "KR" or prediction == "KR") and df == 1.0) or (
        prediction == "KR-PR" and df <= 2
    ):
        yield (
            "The degrees of freedom of Kenward and Roger fall below 1 here and were set to 1: the "
            "interval is all but useless."
        )


def narrow_prediction(name: str, of: str = "") -> str:
    """Say that a prediction interval is narrower than a confidence interval."""
    return (
        f"The {name} prediction interval{of} is narrower than the truncated HKSJ confidence "
        "interval: it takes the HKSJ standard error, which is smaller than Wald's here. Prefer "
        f"'{name} truncated'."
    )


def _left_out(effects: EffectSizes) -> tuple[str, ...]:
    return tuple(row.study for row in effects.excluded if row.variant == "double zero")


def _prediction(
    pooled: Pooled, effects: EffectSizes, name: Prediction, prob: float
) -> tuple[float, float] | None:
    if effects.k < 3:
        return None
    if name == "NNF":
        return nnf_interval(effects.y, effects.se**2, prob)
    lower, upper = pooled.prediction(name, prob)
    return None if np.isnan(lower[0]) else (float(lower[0]), float(upper[0]))
