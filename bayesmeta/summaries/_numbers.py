"""Every parameter of a posterior in numbers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..effects import (
    MEASURES,
    Measure,
)
from ..errors import ModelError
from ..frequentist import FrequentistFit
from ..model import (
    Binomial,
    Model,
)
from ..posterior import Marginal, Marginals, Posterior
from ..studies import Published, check_prob

if TYPE_CHECKING:
    import pandas as pd


type Scale = Literal["analysis", "natural"]
type Better = Literal["lower", "higher"]


def summary(
    posterior: Posterior, *, prob: float = 0.95, scale: Scale = "analysis"
) -> "pd.DataFrame":
    """Summarise every parameter.

    Parameters
    ----------
    posterior : Posterior
    prob : float
        Probability of the central intervals.
    scale : {"analysis", "natural"}
        ``"natural"`` shows ratios as ratios: quantiles are transformed, and mean and sd of the
        effects (which have no such transform) are left out. tau and the baselines stay on the
        analysis scale.

    Returns
    -------
    DataFrame
        One row per parameter: mean, sd, median, lower, upper, the probability below no effect,
        and for draws R-hat, ESS and Monte Carlo standard errors. A moment that does not exist
        is NaN. ``attrs["model"]`` states the model with its priors and coding.
    """
    import pandas as pd

    check_prob(prob)
    natural = _natural(scale)
    measure = scale_of(posterior)
    if natural and measure.name not in MEASURES:
        raise ModelError("Outcomes of several measures have no common scale; use 'analysis'.")
    rows = {}
    for name, marginal in parameters(posterior).items():
        effect = name.split("[")[0] in posterior.model.effects
        lower, upper = marginal.interval(prob)
        values = np.array([marginal.quantile(0.5), lower, upper])
        if effect and natural:
            values = measure.natural(values)
        mean, sd = (
            (np.nan, np.nan)
            if effect and natural and measure.link != "identity"
            else (marginal.mean(), marginal.sd())
        )
        rows[name] = {
            "mean": mean,
            "sd": sd,
            **dict(zip(("median", "lower", "upper"), map(float, values), strict=True)),
            "prob_below_null": marginal.cdf(0.0) if effect and measure.comparative else np.nan,
            **posterior.convergence.get(name, {}),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")
    table.attrs["model"] = describe(posterior.model)
    return table


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


def measure_of(fit: Posterior | FrequentistFit | Published) -> str:
    """Name of the measure a fit is about."""
    return scale_of(fit).name if isinstance(fit, Posterior) else fit.measure


def scale_of(posterior: Posterior) -> Measure:
    """Return the measure of a posterior, with the scale on which mu stands."""
    return posterior.model.scale(posterior.data)


def prob_benefit(marginal: Marginal, better: Better) -> float:
    """Probability that the effect lies on the better side of none."""
    if better not in ("lower", "higher"):
        raise ModelError(f"better is 'lower' or 'higher', not {better!r}.")
    below = marginal.cdf(0.0)
    return below if better == "lower" else 1 - below


def _natural(scale: str) -> bool:
    if scale not in ("analysis", "natural"):
        raise ModelError(f"scale is 'analysis' or 'natural', not {scale!r}.")
    return scale == "natural"


def describe(model: Model) -> str:
    """State a model, its priors and its coding in one line."""
    name, of = model.name, model.likelihood
    measure = f"measure={of.measure!r}, " if isinstance(of, Binomial) else ""
    priors = ", ".join(f"{key}={prior!r}" for key, prior in model.priors.items())
    words = f"; {model.in_words}" if model.in_words else ""
    return f"{name}({measure}{priors}){words}"
