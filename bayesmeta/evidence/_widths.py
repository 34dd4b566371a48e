"""How much wider an answer is when means and SDs are estimated instead of plugged in."""

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from ..effects import EffectSizes, convert_quantiles, effect_sizes
from ..engines import effect_likelihoods, fit, rough_estimates
from ..errors import DataError, ModelError
from ..model import Arms, Estimates, Model, check_one_effect, compose, spellings
from ..posterior import GridDensity, Posterior, check_posterior
from ..studies import QUANTILES, ContinuousStudies, check_prob, takes_quantiles

if TYPE_CHECKING:
    import pandas as pd

type Widths = tuple[float, float, str]  # of the model, plugged in, and why there is none

FORMS = {
    ("q1", "median", "q3"): "median, quartiles",
    ("min", "median", "max"): "median, range",
    QUANTILES: "five-number summary",
}
POINTS, REACH, FAR, ENDLESS = 1501, 1e4, 1e3, 0.01  # of the grid; in standard errors; a share


def width_penalty(posterior: Posterior, *, prob: float = 0.95) -> "pd.DataFrame":
    """Say how much wider intervals are when means and SDs are estimated, not plugged in.

    Plugged in: medians, quartiles and ranges are converted to means and SDs
    (:func:`convert_quantiles`), estimates and standard errors made of them
    (:func:`effect_sizes`) and taken for exact.

    Parameters
    ----------
    posterior : Posterior
        Of a model of arms.
    prob : float
        Mass of the intervals.

    Returns
    -------
    DataFrame
        One row per study and a last row ``pooled``. ``treatment`` and ``control``: what the arm
        enters by. ``width``: of the central interval of the effect, for a study of its likelihood
        alone, scaled to the mass 1; ``pooled`` of mu. ``width_plug_in``: for a study that of
        y ± z se, ``pooled`` that of mu in a ``NormalNormal`` or ``CommonEffect`` with the same
        priors. ``ratio``: the first over the second. ``reason``: why a number is missing.

    Raises
    ------
    ModelError
        If the posterior is of another model.

    Notes
    -----
    The ratio of a study tends to 1 for means and SDs, as arms grow, and to 1.078 for medians and
    quartiles of normal arms: three quartiles hold 86% of the information in a sample about its
    mean. Rounding widens it. The ratio says nothing of bias.

    References
    ----------
    McGrath S, Katzenschlager S, Zimmer AJ, et al. (2023). Stat Methods Med Res 32:373-388.
    David HA, Nagaraja HN (2003). Order Statistics. 3rd ed. Wiley, section 10.4 (information).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> stays = bm.ContinuousStudies(
    ...     study=["A"], n_treatment=[41], q1_treatment=[4], median_treatment=[6],
    ...     q3_treatment=[9], n_control=[40], mean_control=[8.1], sd_control=[3.9])
    >>> model = bm.ContinuousCommonEffect(measure="MD", mu=bm.Normal(0, 100))
    >>> table = bm.width_penalty(bm.fit(model, stays))
    >>> table.loc["A", ["treatment", "control"]].to_list(), table["ratio"].round(2).to_list()
    (['median, quartiles', 'mean, SD'], [1.1, 1.1])
    """
    import pandas as pd

    check_posterior(posterior)
    check_prob(prob)
    model, data, of = posterior.model, posterior.data, posterior.model.likelihood
    if not isinstance(of, Arms) or not isinstance(data, ContinuousStudies):
        raise ModelError(
            f"width_penalty needs a fit of {' or '.join(spellings(Arms))}, not of "
            f"{model.name}, which has no arms with means."
        )
    check_one_effect(posterior.model, "width_penalty")
    low, high = posterior.at().interval(prob)
    plugged = [_plugged_in(of, data, i) for i in range(data.k)]
    rows = [
        _of_study(width, sizes, prob)
        for width, sizes in zip(_own_widths(of, data, prob), plugged, strict=True)
    ]
    rows.append((high - low, *_pooled(model, data, plugged, prob)))
    table = pd.DataFrame(
        rows,
        columns=["width", "width_plug_in", "reason"],
        index=pd.Index([*data.study, "pooled"], name="study"),
    )
    for j, arm in enumerate(data.arms):
        table.insert(j, arm[1:], [*_forms(of, data, arm), ""])
    table.insert(4, "ratio", table["width"] / table["width_plug_in"])
    return table


def _forms(of: Arms, data: ContinuousStudies, arm: str) -> list[str]:
    """What each arm enters the model by."""
    known = np.isfinite(data.quantiles(arm))
    sets = [tuple(np.array(QUANTILES)[row].tolist()) for row in known]
    by_quantiles = takes_quantiles(data, arm, of.arms)
    return [
        FORMS.get(names, ", ".join(names)) if by else "mean, SD"
        for names, by in zip(sets, by_quantiles, strict=True)
    ]


def _own_widths(of: Arms, data: ContinuousStudies, prob: float) -> list[float]:
    """Widths of the central intervals of the studies' likelihoods; NaN where one has no end."""
    y, se = rough_estimates(of, data, {})
    last = np.arcsinh(REACH)
    v = np.linspace(-last, last, POINTS)
    out = np.sinh(v)
    log_mass = effect_likelihoods(of, data, y + se * out[:, None]) + np.log(np.cosh(v))[:, None]
    mass = np.exp(log_mass - log_mass.max(axis=0))
    mass = mass / mass.sum(axis=0)
    endless = mass[np.abs(out) > FAR].sum(axis=0) > ENDLESS
    tails = np.array([(1 - prob) / 2, (1 + prob) / 2])
    grids = [GridDensity.of(v, each / (v[1] - v[0])) for each in mass.T]
    ends = [np.sinh([grid.quantile(tail) for tail in tails]) for grid in grids]
    return np.where(endless, np.nan, se * np.diff(ends)[:, 0]).tolist()


def _plugged_in(of: Arms, data: ContinuousStudies, i: int) -> EffectSizes | str:
    """Estimate of one study from converted means and SDs, or why there is none."""
    try:
        one = convert_quantiles(data.keep(np.arange(data.k) == i))
        return effect_sizes(one, measure=of.measure)
    except DataError as problem:
        return str(problem).replace(" (row 1)", "")  # of the table of this study alone


def _of_study(width: float, sizes: EffectSizes | str, prob: float) -> Widths:
    if isinstance(sizes, str):
        return width, np.nan, sizes
    endless = "The likelihood of the effect has no end." if np.isnan(width) else ""
    return width, float(2 * ndtri((1 + prob) / 2) * sizes.se[0]), endless


def _pooled(
    model: Model, data: ContinuousStudies, plugged: list[EffectSizes | str], prob: float
) -> tuple[float, str]:
    """Width of mu given the estimates plugged in, or why there is none."""
    sizes = [one for one in plugged if not isinstance(one, str)]
    if len(sizes) < data.k:
        return np.nan, f"{data.k - len(sizes)} of {data.k} studies have no plug-in estimate."
    y, se = (np.concatenate([getattr(one, name) for one in sizes]) for name in ("y", "se"))
    estimates = EffectSizes.from_arrays(data.study, y, se, measure=model.likelihood.measure)
    found = fit(compose(Estimates(), model.location, model.between), estimates)
    if not found.diagnostics.passed:
        failed = "; ".join(map(str, found.diagnostics.failures))
        return np.nan, f"The fit of the plug-in estimates failed: {failed}."
    low, high = found.at().interval(prob)
    return high - low, ""
