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
from ..posterior import Array, GridDensity, Marginal, Marginals, Posterior, SupportMap
from ..studies import ContinuousStudies, Published, Studies, Table, takes_quantiles

if TYPE_CHECKING:
    import pandas as pd
from ._numbers import scale_of

_MANY = 400  # quantiles of tau that stand for its posterior: weights to 1e-4
_FAR, _POINTS = 0.0015, 81  # how far densities are drawn, and at how many places


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One line of a forest plot, on the analysis scale.

    Attributes
    ----------
    label : str
    kind : {"study", "shrunken", "posterior", "prediction", "frequentist", "published", "group", \
            "difference", "coefficient", "heterogeneity", "joined", "without"}
    estimate, lower, upper : float
        NaN where a study has no estimate of its own (double zero).
    weight : float
        Of a study's own estimate in the mean, the studies' adding up to 1; NaN elsewhere.
    note : str
        E.g. the counts; of the overall effect their totals.
    group : str
        Of the studies it is about, where they are in groups.
    x, density : tuple of float
        Posterior density over the analysis scale, where it was asked for.
    """

    label: str
    kind: str
    estimate: float
    lower: float
    upper: float
    weight: float = np.nan
    note: str = ""
    group: str = ""
    x: tuple[float, ...] = ()
    density: tuple[float, ...] = ()


def forest_rows(
    posterior: Posterior,
    *,
    frequentist: Mapping[str, FrequentistFit] | None = None,
    published: Mapping[str, Published] | None = None,
    prob: float = 0.95,
    densities: bool = False,
) -> Sequence[ForestRow]:
    """Lay a fit out as a forest plot: studies, shrunken effects, pooled, predicted, compared.

    A risk difference of counts is fitted as atanh(RD) and shown as RD, as the others beside it are.
    Weights are those of the studies' own estimates in the mean given tau, averaged over the
    posterior of tau; a model of counts has none itself.

    Parameters
    ----------
    posterior : Posterior
    frequentist, published : mapping, optional
        Estimates to set below, by label.
    prob : float
        Level of all intervals except the published ones, which keep their own.
    densities : bool
        Whether posterior rows carry their densities.

    Returns
    -------
    sequence of ForestRow
    """
    check_one_effect(posterior.model, "A forest plot")
    rows = study_rows(posterior, prob, densities=densities)
    overall = posterior_row("overall", "posterior", posterior.at(), prob, densities=densities)
    rows.append(replace(overall, note=_totals(posterior.data)))
    if posterior.model.between.new is not None:
        new, label = posterior.at(new=True), prediction_label(prob)
        rows.append(posterior_row(label, "prediction", new, prob, densities=densities))
    rows = as_shown(rows, posterior)
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

    table = pd.DataFrame([asdict(row) for row in rows]).set_index("label")
    empty = [n for n in ("group", "x", "density") if not any(getattr(row, n) for row in rows)]
    return table.drop(columns=empty)


def prediction_label(prob: float) -> str:
    """Call the interval by its name."""
    return f"{100 * prob:g}% prediction interval"


def heterogeneity_rows(posterior: Posterior, *, prob: float = 0.95) -> Sequence[ForestRow]:
    """How much effects differ between studies: tau, tau², and I² where one effect is expected.

    I² is tau² over its sum with the typical variance within studies, in per cent: of the studies'
    own estimates, by posterior quantiles of tau. Of groups with a tau each these alone.

    References
    ----------
    Higgins JPT, Thompson SG (2002). Stat Med 21:1539-1558, equations 9 and 12.
    """
    tau = posterior.marginals.get("tau")
    if isinstance(tau, Marginals):
        ends = {f"tau[{name}]": one for name, one in zip(tau.study, tau.each, strict=True)}
        if posterior.data.p > 1:
            return ()
        return [
            _heterogeneity(name, one.quantile(0.5), *one.interval(prob))
            for name, one in ends.items()
        ]
    if tau is None:
        return ()
    found = np.array([tau.quantile(0.5), *tau.interval(prob)])
    rows = {"tau": found, "tau2": found**2}
    effects = study_effects(posterior)
    if (
        effects is not None
        and effects.k > 1
        and not posterior.model.location.entries(posterior.data)
    ):
        w = effects.se**-2.0
        typical = (effects.k - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum())
        rows["I2"] = 100 * found**2 / (found**2 + typical)
    return [_heterogeneity(name, *one.tolist()) for name, one in rows.items()]


def _heterogeneity(name: str, at: float, low: float, high: float) -> ForestRow:
    return ForestRow(label=name, kind="heterogeneity", estimate=at, lower=low, upper=high)


def as_shown(rows: Sequence[ForestRow], posterior: Posterior) -> list[ForestRow]:
    """Rows of a posterior on the analysis scale of its measure."""
    if scale_of(posterior) == ATANH_RD:
        return [_as_difference(row) for row in rows]
    return list(rows)


def _totals(data: Table) -> str:
    """Events and sizes of the arms, or how many took part; ``""`` where studies do not say."""
    if not data.discrete:
        n = data.account.participants
        return "" if n is None else f"N = {n:,.0f}"
    sums = [
        [data.numbers[f"{one}{arm}"].sum() for one in ("events", data.size)] for arm in data.arms
    ]
    return " v ".join(f"{events:.0f}/{size:.10g}" for events, size in sums)


def _weights(posterior: Posterior, effects: EffectSizes) -> Array:
    """Shares of the estimates in the mean given tau, averaged over the posterior of tau.

    Of groups with a tau each as if all studies had one mean.
    """
    between, model = np.zeros((1, 1)), posterior.model
    tau = posterior.marginals.get("tau")
    if tau is not None:
        many = np.asarray(tau.quantile(((np.arange(_MANY) + 0.5) / _MANY).tolist()))
        own = model.between.scales(model.location, posterior.data, {"tau": many.T})
        rows = [posterior.data.study.index(name) for name in effects.study]
        between = own[:, rows] if own.shape[1] > 1 else own
    precision = 1 / (effects.se**2 + between**2)
    return (precision / precision.sum(axis=1, keepdims=True)).mean(axis=0)


def study_rows(posterior: Posterior, prob: float, *, densities: bool = False) -> list[ForestRow]:
    """Each study's own estimate, and beneath it the effect that the model gives it."""
    data, effects = posterior.data, study_effects(posterior)
    index = {name: i for i, name in enumerate(effects.study)} if effects else {}
    weights = _weights(posterior, effects) if effects else np.zeros(0)
    half = critical(prob, np.inf)
    rows: list[ForestRow] = []
    for j, name in enumerate(data.study):
        note = data.in_words(j)
        if effects is not None and name in index:
            i = index[name]
            y, se = float(effects.y[i]), float(effects.se[i])
            rows.append(
                ForestRow(
                    label=name,
                    kind="study",
                    estimate=y,
                    lower=y - half * se,
                    upper=y + half * se,
                    weight=float(weights[i]),
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
            theta = posterior["theta"][j]
            rows.append(posterior_row(name, "shrunken", theta, prob, densities=densities))
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
    x = np.array(row.x)
    return replace(
        row,
        estimate=ends[0],
        lower=ends[1],
        upper=ends[2],
        x=tuple(np.tanh(x).tolist()),
        density=tuple((np.array(row.density) * np.cosh(x) ** 2).tolist()),
    )


def posterior_row(
    label: str, kind: str, marginal: Marginal, prob: float, *, densities: bool = False
) -> ForestRow:
    """Median, interval and, where asked for, density of a marginal."""
    lower, upper = marginal.interval(prob)
    x = np.zeros(0)
    if densities:
        x = np.linspace(marginal.quantile(_FAR), marginal.quantile(1 - _FAR), _POINTS)
    return ForestRow(
        label=label,
        kind=kind,
        estimate=marginal.quantile(0.5),
        lower=lower,
        upper=upper,
        x=tuple(x.tolist()),
        density=tuple(marginal.pdf(x).tolist()) if densities else (),
    )


def _published_row(label: str, printed: Published) -> ForestRow:
    values = printed_values(printed).tolist()
    return ForestRow(
        label=label, kind="published", estimate=values[0], lower=values[1], upper=values[2]
    )
