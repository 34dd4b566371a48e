"""Posterior, frequentist and published answers side by side.

Not called ``compare``: a module with the name of a public function takes its place on the package
as soon as anything imports it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .arguments import check_mapping, is_among
from .effects import ATANH_RD, MEASURES, effect_sizes, printed_values
from .errors import ModelError
from .frequentist import FrequentistFit
from .model import Model, check_one_effect
from .posterior import Posterior
from .studies import Published, check_prob
from .summaries import Better, Scale, measure_of, prob_benefit, scale_of
from .ways import shown

if TYPE_CHECKING:
    import pandas as pd

type Fit = Posterior | FrequentistFit | Published
FITS = (Posterior, FrequentistFit, Published)


def compare(
    fits: Mapping[str, Fit],
    *,
    prob: float = 0.95,
    scale: Scale = "analysis",
    better: Better | None = None,
) -> "pd.DataFrame":
    """Set several answers to one question side by side.

    Parameters
    ----------
    fits : mapping of str to Posterior, FrequentistFit or Published
        By label, all of one measure.
    prob : float
        Level of the intervals; a published one keeps its own, which the table states.
    scale : {"analysis", "natural"}
        ``"natural"`` shows ratios as ratios.
    better : {"lower", "higher"}, optional
        Direction of benefit; adds its posterior probability.

    Returns
    -------
    DataFrame
        One row per answer: what the estimate is, estimate, lower, upper, prob, k, tau, and, if
        there is one published figure with an interval, ``gap``: (ours − published) / published
        SE on the analysis scale. The gap is a description, not a test: the answers share data.
        ``sound`` is False where a fit failed a numerical gate.

    Raises
    ------
    ModelError
        If the answers are about different measures, or nothing is given.
    """
    import pandas as pd

    check_prob(prob)
    if not is_among(scale, ("analysis", "natural")):
        raise ModelError(f"scale is 'analysis' or 'natural', not {shown(scale)}.")
    check_mapping(fits, "fits", "{'exact': fit(model, data)}")
    if not fits:
        raise ModelError("compare needs at least one fit.")
    odd = next((one for one in fits.values() if not isinstance(one, FITS)), None)
    if odd is not None:
        raise ModelError(f"compare takes fits and Published figures, got {shown(odd)}.")
    measures = {measure_of(fit) for fit in fits.values()} - {""}
    if len(measures) > 1:
        raise ModelError(f"compare needs one measure, got {', '.join(sorted(measures))}.")
    table = pd.DataFrame.from_dict(
        {label: _row(fit, prob, better) for label, fit in fits.items()}, orient="index"
    ).rename_axis("analysis")
    reference = [fit for fit in fits.values() if isinstance(fit, Published) and fit.has_interval]
    if len(reference) == 1:
        printed = effect_sizes(reference[0])
        table["gap"] = (table["estimate"] - printed.y[0]) / printed.se[0]
        table.loc[[isinstance(fit, Published) for fit in fits.values()], "gap"] = np.nan
    if better is None:
        table = table.drop(columns="prob_benefit")
    if scale == "natural" and measures:
        columns = ["estimate", "lower", "upper"]
        table[columns] = MEASURES[measures.pop()].natural(table[columns].to_numpy())
    return table


def _row(fit: Fit, prob: float, better: Better | None) -> dict[str, object]:
    if isinstance(fit, Posterior):
        return _posterior_row(fit, prob, better)
    if isinstance(fit, FrequentistFit):
        lower, upper = fit.interval(prob)
        tau = np.nan if fit.tau2 is None else float(np.sqrt(fit.tau2))
        return _entry(f"{fit.method}, {fit.chosen}", fit.estimate, lower, upper, prob, fit.k, tau)
    if not fit.has_interval:
        return _entry(f"published: {fit}", np.nan, np.nan, np.nan, fit.prob, fit.k, np.nan)
    estimate, lower, upper = map(float, printed_values(fit))
    return _entry("published, as printed", estimate, lower, upper, fit.prob, fit.k, np.nan)


def _posterior_row(fit: Posterior, prob: float, better: Better | None) -> dict[str, object]:
    check_one_effect(fit.model, "compare")
    mu, scale = fit.at(), scale_of(fit)
    values = np.array([mu.quantile(0.5), *mu.interval(prob)])
    tau = fit["tau"].quantile(0.5) if "tau" in fit.marginals else np.nan
    if scale == ATANH_RD:  # beside the others, which analyse the difference as it is
        values, tau = scale.natural(values), np.nan
    how = "exact" if fit.exact else "NUTS"
    median, lower, upper = map(float, values)
    what = f"posterior median, {_named(fit.model)}, {how}"
    row = _entry(what, median, lower, upper, prob, fit.data.k, tau)
    benefit = np.nan if better is None else prob_benefit(mu, better)
    return {**row, "prob_benefit": benefit, "sound": fit.diagnostics.passed}


def _named(model: Model) -> str:
    """The name of a model, with its coding where there is a choice."""
    return ", ".join(filter(None, (model.name, model.likelihood.coded)))


def _entry(
    what: str, estimate: float, lower: float, upper: float, prob: float, k: int | None, tau: float
) -> dict[str, object]:
    return {
        "what": what,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "prob": prob,
        "k": k,
        "tau": tau,
        "prob_benefit": np.nan,
        "sound": True,
    }
