"""A fit as the rows of a forest plot."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING, final

import numpy as np

from ..effects import (
    ATANH_RD,
    EffectSizes,
    effect_sizes,
    informative,
    printed_values,
)
from ..engines import effect_likelihoods, rough_estimates
from ..errors import ModelError
from ..frequentist import FrequentistFit, critical
from ..model import (
    Arms,
    Estimates,
    Likelihood,
    OfCounts,
    check_one_effect,
    check_one_outcome,
)
from ..posterior import Array, GridDensity, Marginal, Posterior, SupportMap
from ..studies import ContinuousStudies, Published, Studies, takes_quantiles

if TYPE_CHECKING:
    import pandas as pd
from ._numbers import scale_of


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One line of a forest plot, on the analysis scale.

    Attributes
    ----------
    label : str
    kind : {"study", "shrunken", "posterior", "prediction", "frequentist", "published"}
    estimate, lower, upper : float
        NaN where a study has no estimate of its own (double zero).
    weight : float
        Share of the precision, for the size of a study's box; NaN elsewhere.
    note : str
        E.g. the counts.
    """

    label: str
    kind: str
    estimate: float
    lower: float
    upper: float
    weight: float = np.nan
    note: str = ""


def forest_rows(
    posterior: Posterior,
    *,
    frequentist: Mapping[str, FrequentistFit] | None = None,
    published: Mapping[str, Published] | None = None,
    prob: float = 0.95,
) -> Sequence[ForestRow]:
    """Lay a fit out as a forest plot: studies, shrunken effects, pooled, predicted, compared.

    A risk difference of counts is fitted as atanh(RD) and shown as RD, as the others beside it are.

    Parameters
    ----------
    posterior : Posterior
    frequentist, published : mapping, optional
        Estimates to set below, by label.
    prob : float
        Level of all intervals except the published ones, which keep their own.

    Returns
    -------
    sequence of ForestRow
    """
    check_one_effect(posterior.model, "A forest plot")
    rows = _study_rows(posterior, prob)
    rows.append(_posterior_row("overall", "posterior", posterior.at(), prob))
    if posterior.model.between.new is not None:
        new = posterior.at(new=True)
        rows.append(_posterior_row("in a new setting", "prediction", new, prob))
    if scale_of(posterior) == ATANH_RD:
        rows = [_as_difference(row) for row in rows]
    for label, fit in (frequentist or {}).items():
        lower, upper = fit.interval(prob)
        rows.append(
            ForestRow(
                label=label, kind="frequentist", estimate=fit.estimate, lower=lower, upper=upper
            )
        )
    for label, printed in (published or {}).items():
        if printed.has_interval:
            rows.append(_published_row(label, printed))
    return rows


def rows_table(rows: Sequence[ForestRow]) -> "pd.DataFrame":
    """Forest rows as a table."""
    import pandas as pd

    return pd.DataFrame([asdict(row) for row in rows]).set_index("label")


def _study_rows(posterior: Posterior, prob: float) -> list[ForestRow]:
    data, effects = posterior.data, study_effects(posterior)
    index = {name: i for i, name in enumerate(effects.study)} if effects else {}
    half = critical(prob, np.inf)
    rows: list[ForestRow] = []
    for j, name in enumerate(data.study):
        note = data.in_words(j)
        if effects is not None and name in index:
            i = index[name]
            y, se = float(effects.y[i]), float(effects.se[i])
            weight = float(se**-2 / (effects.se**-2).sum())
            rows.append(
                ForestRow(
                    label=name,
                    kind="study",
                    estimate=y,
                    lower=y - half * se,
                    upper=y + half * se,
                    weight=weight,
                    note=note,
                )
            )
        else:
            rows.append(
                ForestRow(
                    label=name,
                    kind="study",
                    estimate=np.nan,
                    lower=np.nan,
                    upper=np.nan,
                    note=note,
                )
            )
        if "theta" in posterior.marginals:
            rows.append(_posterior_row(name, "shrunken", posterior["theta"][j], prob))
    return rows


def study_effects(posterior: Posterior) -> EffectSizes | None:
    """Each study's own estimate: the data, or what two-stage analysis would make of the counts."""
    check_one_outcome(posterior.model, "A table of studies")
    return _own_estimates(posterior.model.likelihood, posterior)


@singledispatch
def _own_estimates(of: Likelihood, posterior: Posterior) -> EffectSizes | None:
    raise ModelError(f"{of!r} has no effect of one study by itself.")


@_own_estimates.register
def _(_: Estimates, posterior: Posterior) -> EffectSizes | None:
    assert isinstance(posterior.data, EffectSizes)
    return posterior.data


@_own_estimates.register
def _(of: Arms, posterior: Posterior) -> EffectSizes | None:
    """From means and SDs; where an arm reports quantiles, from the likelihood itself.

    There the estimate is its median, and the standard error makes y ± z se as wide as its central
    95%.
    """
    data = posterior.data
    assert isinstance(data, ContinuousStudies)
    y, se = rough_estimates(of, data, {})
    of_quantiles = np.any([takes_quantiles(data, arm, of.arms) for arm in data.arms], axis=0)
    if of_quantiles.any():
        middle, own = _by_quantiles(of, data, y, se)
        y, se = np.where(of_quantiles, middle, y), np.where(of_quantiles, own, se)
    return EffectSizes.from_arrays(data.study, y, se, measure=of.measure)


def _by_quantiles(of: Arms, data: ContinuousStudies, y: Array, se: Array) -> tuple[Array, Array]:
    v = np.linspace(-5, 5, 4001)
    theta = y + 3 * se * np.sinh(v)[:, None]
    density = np.exp(effect_likelihoods(of, data, theta)) * np.cosh(v)[:, None]
    ends = [
        SupportMap(-np.inf, np.inf, 3 * se[i], (y[i],)).value(
            np.asarray(GridDensity.of(v, density[:, i]).quantile([0.025, 0.5, 0.975]))
        )
        for i in range(data.k)
    ]
    low, middle, high = np.array(ends).T
    return middle, (high - low) / (2 * critical(0.95, np.inf))


@_own_estimates.register
def _(of: OfCounts, posterior: Posterior) -> EffectSizes | None:
    data, scale = posterior.data, scale_of(posterior)
    assert isinstance(data, Studies)
    if not informative(data, scale.name).any():
        return None
    found = effect_sizes(data, measure=scale.name)
    if scale != ATANH_RD:
        return found
    inside = np.clip(found.y, -0.999, 0.999)  # delta method: d atanh(r) = dr / (1 - r²)
    y, se = np.arctanh(inside), found.se / (1 - inside**2)
    return EffectSizes.from_arrays(found.study, y, se, measure="RD")


def _as_difference(row: ForestRow) -> ForestRow:
    ends = ATANH_RD.natural([row.estimate, row.lower, row.upper]).tolist()
    return replace(row, estimate=ends[0], lower=ends[1], upper=ends[2])


def _posterior_row(label: str, kind: str, marginal: Marginal, prob: float) -> ForestRow:
    lower, upper = marginal.interval(prob)
    return ForestRow(
        label=label, kind=kind, estimate=marginal.quantile(0.5), lower=lower, upper=upper
    )


def _published_row(label: str, printed: Published) -> ForestRow:
    values = printed_values(printed).tolist()
    return ForestRow(
        label=label, kind="published", estimate=values[0], lower=values[1], upper=values[2]
    )
