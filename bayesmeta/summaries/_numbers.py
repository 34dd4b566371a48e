"""Every parameter of a posterior in numbers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..arguments import check_mapping, check_switch, is_among, number
from ..effects import MEASURES, EffectSizes, Measure
from ..errors import ModelError
from ..frequentist import FrequentistFit
from ..model import (
    COEFFICIENT,
    Binomial,
    Model,
)
from ..posterior import Kind, Marginal, Marginals, Posterior, check_posterior
from ..studies import Published, check_prob
from ..ways import shown

if TYPE_CHECKING:
    import pandas as pd


type Scale = Literal["analysis", "natural"]
type Better = Literal["lower", "higher"]


def summary(
    posterior: Posterior,
    *,
    prob: float = 0.95,
    scale: Scale = "analysis",
    interval: Kind = "central",
    mode: bool = False,
    predictive: Mapping[str, float] | None = None,
) -> "pd.DataFrame":
    """Summarise every parameter.

    Parameters
    ----------
    posterior : Posterior
    prob : float
        Probability of the intervals.
    scale : {"analysis", "natural"}
        ``"natural"`` shows ratios as ratios: quantiles are transformed; mean, sd and mode, of which
        those of the effects have no such transform, are left out. tau and the baselines stay on
        the analysis scale, which ``attrs["scale"]`` names.
    interval : {"central", "shortest"}
        Equal tails, or the shortest on the analysis scale (R bayesmeta's default).
    mode : bool
        Whether to give the place of the highest density too.
    predictive : mapping of str to float, optional
        Posterior predictive p-values by parameter, ``posterior_predictive(...).by_parameter``; adds
        the column ``predictive_p``: near 0 or 1 the model hardly makes such data, of tau near 0.

    Returns
    -------
    DataFrame
        One row per parameter: mean, sd, mode if asked for, median, lower, upper, the probability
        below no effect, and for draws R-hat, ESS and Monte Carlo standard errors. A moment that
        does not exist is NaN; on the natural scale nothing is, and a probability of what has no
        null is NA. ``attrs["model"]`` states the model with its priors and coding.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)
    >>> table = bm.summary(fit, interval="shortest", mode=True)
    >>> table.loc["tau", ["mode", "lower", "upper"]].round(2).tolist()
    [0.05, 0.0, 0.72]
    """
    import pandas as pd

    check_posterior(posterior)
    check_prob(prob)
    check_switch(mode, "mode")
    check_mapping(predictive, "predictive", "{'mu': 0.4}")
    if not is_among(interval, ("central", "shortest")):
        raise ModelError(f"interval is 'central' or 'shortest', not {shown(interval)}.")
    natural = _natural(scale)
    measure = scale_of(posterior)
    if natural and measure.name not in MEASURES:
        raise ModelError("Outcomes of several measures have no common scale; use 'analysis'.")
    transformed = natural and measure.link != "identity"
    left = [f"{COEFFICIENT}[{one}]" for one in posterior.model.no_values(posterior.data)]
    rows = {}
    for name, marginal in parameters(posterior).items():
        effect = name.split("[")[0] in posterior.model.effects
        lower, upper = marginal.interval(prob, kind=interval)
        values = np.array([marginal.quantile(0.5), lower, upper])
        if effect and natural and name not in left:
            values = measure.natural(values)
        rows[name] = {
            **({} if transformed else _of_scale(marginal, mode=mode)),
            **dict(zip(("median", "lower", "upper"), map(float, values), strict=True)),
            "prob_below_null": marginal.cdf(0.0) if effect and measure.comparative else np.nan,
            **posterior.convergence.get(name, {}),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")
    if natural:
        table = _as_read(table, measure)
    if predictive is not None:
        known = {name: number(p, "predictive") for name, p in predictive.items()}
        column = pd.Series(known, dtype=float).reindex(table.index)
        table["predictive_p"] = column.astype("Float64" if natural else float)
    table.attrs["model"] = describe(posterior.model)
    return table


def _as_read(table: "pd.DataFrame", measure: Measure) -> "pd.DataFrame":
    """Write what does not exist as missing, not as NaN, and name the scales."""
    moments = [name for name in ("mean", "sd") if name in table]
    gaps = [name for name in moments if table[name].isna().to_numpy().any()]
    table = table.astype(dict.fromkeys(gaps, "Float64"))
    if measure.comparative:
        share = table["prob_below_null"].astype("Float64")
        table = table.assign(prob_below_null=share)
    else:
        table = table.drop(columns="prob_below_null")
    table.attrs["scale"] = {"effects": measure.called, "others": measure.analysis_called}
    return table


def _of_scale(marginal: Marginal, *, mode: bool) -> dict[str, float]:
    """What has no transform to another scale."""
    moments = {"mean": marginal.mean(), "sd": marginal.sd()}
    return {**moments, "mode": marginal.mode()} if mode else moments


def parameters(posterior: Posterior) -> Mapping[str, Marginal]:
    """Every scalar of a posterior by name; vectors as ``theta[study]``."""
    found: dict[str, Marginal] = {}
    for name, marginal in posterior.marginals.items():
        if isinstance(marginal, Marginals):
            found |= {
                f"{name}[{study}]": each
                for study, each in zip(marginal.study, marginal.each, strict=True)
            }
        else:
            found[name] = marginal
    return found


def measure_of(fit: Posterior | FrequentistFit | Published | EffectSizes) -> str:
    """Name of the measure a fit is about."""
    return scale_of(fit).name if isinstance(fit, Posterior) else fit.measure


def scale_of(posterior: Posterior) -> Measure:
    """Return the measure of a posterior, with the scale on which mu stands."""
    return posterior.model.scale(posterior.data)


def prob_benefit(marginal: Marginal, better: Better) -> float:
    """Probability that the effect lies on the better side of none."""
    if not is_among(better, ("lower", "higher")):
        raise ModelError(f"better is 'lower' or 'higher', not {shown(better)}.")
    below = marginal.cdf(0.0)
    return below if better == "lower" else 1 - below


def _natural(scale: str) -> bool:
    if not is_among(scale, ("analysis", "natural")):
        raise ModelError(f"scale is 'analysis' or 'natural', not {shown(scale)}.")
    return scale == "natural"


def describe(model: Model) -> str:
    """State a model, its priors and its coding in one line."""
    name, of = model.name, model.likelihood
    measure = f"measure={of.measure!r}, " if isinstance(of, Binomial) else ""
    priors = ", ".join(f"{key}={prior!r}" for key, prior in model.priors.items())
    words = f"; {model.in_words}" if model.in_words else ""
    return f"{name}({measure}{priors}){words}"


def percent(probability: float) -> str:
    """Write a finite probability in per cent, never rounded to certainty."""
    if probability > 0.999:
        return "> 99.9%"
    if probability < 0.001:
        return "< 0.1%"
    return f"{100 * probability:.1f}%"
