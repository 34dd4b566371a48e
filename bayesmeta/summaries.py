"""From posteriors to numbers and rows; what tables and figures are made of."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportCallIssue=false

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import singledispatch
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from .effects import (
    ATANH_RD,
    MEASURES,
    EffectSizes,
    Measure,
    effect_sizes,
    informative,
    printed_values,
)
from .engines import effect_likelihoods, rough_estimates
from .errors import ModelError
from .frequentist import FrequentistFit, critical
from .model import (
    Arms,
    Binomial,
    Estimates,
    Likelihood,
    Model,
    OfCounts,
    check_one_outcome,
)
from .posterior import Array, GridDensity, Marginal, Marginals, Posterior, SupportMap
from .priors import LKJ, HalfT, Mixture, Prior, log_density
from .studies import ContinuousStudies, Published, Studies, check_prob, takes_quantiles

if TYPE_CHECKING:
    import pandas as pd

type Scale = Literal["analysis", "natural"]
type Better = Literal["lower", "higher"]
type Law = Any  # a frozen distribution of scipy.stats, or what has its cdf and ppf


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


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DensityRows:
    """Prior and posterior density of one parameter on a common grid, analysis scale.

    Attributes
    ----------
    parameter : str
    x, prior, posterior : ndarray, shape (n,)
        An improper prior has no density to compare with: NaN.
    lower, median, upper : float
        Of the posterior.
    """

    parameter: str
    x: Array
    prior: Array
    posterior: Array
    lower: float
    median: float
    upper: float


def density_rows(
    posterior: Posterior, *, prob: float = 0.95, points: int = 401
) -> Sequence[DensityRows]:
    """Prior and posterior densities of mu and tau.

    The grid spans nearly all of the posterior and three of its widths around; the prior is shown
    where the posterior is, so that a reader sees what the data added.
    """
    check_one_outcome(posterior.model, "density_rows")
    rows = []
    known = parameters(posterior)
    for name in [one for one in ("mu", "tau") if one in known]:
        marginal, prior = known[name], posterior.model.priors[name]
        lower, upper = marginal.interval(prob)
        low, high = (float(marginal.quantile(q)) for q in (0.001, 0.999))
        wide = np.array([low - 0.35 * (high - low), high + 0.35 * (high - low)])
        start, end = prior.support
        x = np.linspace(*np.clip(wide, max(start, 0.0) if name == "tau" else start, end), points)
        rows.append(
            DensityRows(
                parameter=name,
                x=x,
                prior=np.exp(log_density(prior, x)) if prior.proper else np.full(points, np.nan),
                posterior=np.asarray(marginal.pdf(x)),
                lower=lower,
                median=float(marginal.quantile(0.5)),
                upper=upper,
            )
        )
    return tuple(rows)


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
        note = _arms(posterior, j)
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
    check_one_outcome(posterior.model, "A forest plot")
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


def _arms(posterior: Posterior, j: int) -> str:
    data = posterior.data
    if isinstance(data, ContinuousStudies):
        return " v ".join(data.in_words(j, arm) for arm in data.arms)
    if not isinstance(data, Studies):
        return ""
    row = {name: values[j] for name, values in data.numbers.items()}
    return " v ".join(
        f"{row[f'events{arm}']:.0f}/{row[f'{data.size}{arm}']:.10g}" for arm in data.arms
    )


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


def _natural(scale: str) -> bool:
    if scale not in ("analysis", "natural"):
        raise ModelError(f"scale is 'analysis' or 'natural', not {scale!r}.")
    return scale == "natural"


def prior_interval(prior: Prior, prob: float = 0.95) -> tuple[float, float]:
    """Central interval of a prior, on its own scale; NaN for an improper one, which has none.

    Raises
    ------
    ModelError
        For a prior of more than one number.
    """
    check_prob(prob)
    if not prior.proper:
        return np.nan, np.nan
    low, high = (prior_quantile(prior, q) for q in ((1 - prob) / 2, (1 + prob) / 2))
    return low, high


def prior_cdf(prior: Prior, x: float) -> float:
    """Probability that a proper prior gives to values at or below `x`."""
    parts = prior.parts if isinstance(prior, Mixture) else ((1.0, prior),)
    return sum(weight * float(_law(part).cdf(x)) for weight, part in parts)


def prior_quantile(prior: Prior, q: float) -> float:
    """Quantile of a proper prior of one number."""
    if not isinstance(prior, Mixture):
        return float(_law(prior).ppf(q))
    from scipy.optimize import brentq

    laws = [(weight, _law(part)) for weight, part in prior.parts]
    low, high = sorted(float(law.ppf(q)) for _, law in laws)

    def excess(x: float) -> float:
        return sum(weight * float(law.cdf(x)) for weight, law in laws) - q

    if excess(low) >= 0 or excess(high) <= 0:  # the two agree, to rounding
        return low if excess(low) >= 0 else high
    return float(brentq(excess, low, high, xtol=1e-14 * (high - low)))  # pyright: ignore[reportArgumentType]


def _law(prior: Prior) -> "Law":
    """The distribution of a proper prior that is no mixture."""
    from scipy import stats

    numbers = tuple(prior.numbers.values())
    if isinstance(prior, LKJ):
        raise ModelError(
            f"{prior!r} is a prior of whole correlation matrices and has no interval of its own; "
            f"with two outcomes (1 + rho)/2 is Beta({prior.eta:g}, {prior.eta:g})."
        )
    if isinstance(prior, HalfT):
        t = stats.t(prior.df, 0, prior.scale)
        return SimpleNamespace(
            cdf=lambda x: max(2 * t.cdf(x) - 1, 0.0), ppf=lambda q: t.ppf((1 + q) / 2)
        )
    frozen = {
        "Normal": lambda mean, sd: stats.norm(mean, sd),
        "StudentT": lambda df, mean, scale: stats.t(df, mean, scale),
        "HalfNormal": lambda scale: stats.halfnorm(0, scale),
        "HalfCauchy": lambda scale: stats.halfcauchy(0, scale),
        "LogNormal": lambda mean, sd: stats.lognorm(sd, 0, np.exp(mean)),
        "Exponential": lambda rate: stats.expon(0, 1 / rate),
        "Gamma": lambda shape, rate: stats.gamma(shape, 0, 1 / rate),
        "InverseGamma": lambda shape, scale: stats.invgamma(shape, 0, scale),
        "Uniform": lambda low, high: stats.uniform(low, high - low),
        "Beta": lambda a, b: stats.beta(a, b),
    }[type(prior).__name__]
    return frozen(*numbers)


def describe(model: Model) -> str:
    """State a model, its priors and its coding in one line."""
    name, of = model.name, model.likelihood
    measure = f"measure={of.measure!r}, " if isinstance(of, Binomial) else ""
    priors = ", ".join(f"{key}={prior!r}" for key, prior in model.priors.items())
    words = f"; {model.in_words}" if model.in_words else ""
    return f"{name}({measure}{priors}){words}"
