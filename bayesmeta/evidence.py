"""What the data say for and against no effect and no heterogeneity, and which studies say it."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportCallIssue=false

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from .effects import EffectSizes
from .engines import NUTS, Engine, default_engine, fit
from .errors import ModelError
from .model import CommonEffect, Data, Model, NormalNormal
from .posterior import Array, Marginal, Posterior, TauDensity
from .priors import (
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    LogNormal,
    Mixture,
    Normal,
    Prior,
    Uniform,
    log_density,
)
from .studies import Studies, check_prob
from .summaries import scale_of, study_effects

if TYPE_CHECKING:
    import pandas as pd

DIGITS_END = 1e-9  # of a density's peak: below, an exact posterior of mu has few digits left
NOISE = 1e-13  # likewise for tau, whose series holds more
NEGLIGIBLE = 1e-3  # of a factor: what may lie beyond, and is extrapolated there

SAVAGE_DICKEY = "Savage–Dickey: posterior over prior density at 0"
EVIDENCES = "ratio of marginal likelihoods: tau at 0 over tau free"
AT_MOST = "bf01 is at most this: it is too small to resolve"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BayesFactor:
    """How much likelier the data are if one parameter is 0.

    Attributes
    ----------
    hypothesis : str
        ``"mu = 0"`` or ``"tau = 0"``.
    prior : Prior
        Of that parameter under the alternative: the factor depends on it.
    log_bf01 : float
        Log of the marginal likelihood at 0 over that with the parameter free; NaN if undefined.
    how : str
        What was divided by what, or why there is none.
    """

    hypothesis: str
    prior: Prior
    log_bf01: float
    how: str

    @property
    def bf01(self) -> float:
        """The factor in favour of 0."""
        return float(np.exp(np.minimum(self.log_bf01, 700.0)))

    @property
    def bf10(self) -> float:
        """The factor against 0."""
        return float(np.exp(np.minimum(-self.log_bf01, 700.0)))

    @property
    def prob_null(self) -> float:
        """Posterior probability of 0 if it and the alternative were equally likely before."""
        return float(expit(self.log_bf01))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BayesFactors:
    """Bayes factors of one model.

    Attributes
    ----------
    factors : tuple of BayesFactor
        Against mu = 0 if that means no difference, and with random effects against tau = 0.
    by_scale : tuple of BayesFactor
        That of tau with its prior half as wide, as it is and twice as wide; empty where the prior
        has no scale.
    """

    factors: tuple[BayesFactor, ...]
    by_scale: tuple[BayesFactor, ...]

    def table(self) -> "pd.DataFrame":
        """Return one row per hypothesis: both factors, the probability of 0, and how."""
        rows = [_row(one, "hypothesis", one.hypothesis) | {"how": one.how} for one in self.factors]
        return _frame(rows, "hypothesis")

    @property
    def tau_by_scale(self) -> "pd.DataFrame":
        """The factor of tau with its prior half as wide, as it is, and twice as wide."""
        wide = ("half as wide", "as it is", "twice as wide")
        rows = [_row(one, "scale", said) for one, said in zip(self.by_scale, wide, strict=False)]
        return _frame(rows, "scale")


def bayes_factors(posterior: Posterior) -> BayesFactors:
    """Weigh no effect, and no heterogeneity, against the model.

    For mu the factor is the Savage–Dickey ratio: its posterior over its prior density at 0. For
    tau it is the marginal likelihood of the model without heterogeneity over that of the model.
    Both answer to the priors, not to the data alone: a prior twice as wide under the alternative
    nearly doubles the factor for 0, so that of tau comes at three widths.

    Parameters
    ----------
    posterior : Posterior
        From the exact engine, with proper priors.

    Returns
    -------
    BayesFactors
        A prior of mu that ends at 0, or leaves it out, has no factor: NaN, with the reason. If the
        density at 0 is below what the integral resolves, the factor is the most it can be.

    Raises
    ------
    ModelError
        If a prior is improper: its constant, and with it the factor, is arbitrary. If the
        posterior is known through draws alone.

    References
    ----------
    Dickey JM (1971). Ann Math Stat 42:204-223. Röver C (2020). J Stat Softw 93(6), section 2.5.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> bm.bayes_factors(bm.fit(model, data)).table()["bf01"].round(2).to_dict()
    {'mu = 0': 4.73, 'tau = 0': 1.4}
    """
    log_z = _log_evidence(posterior)
    factors = (_of_mu(posterior),) if scale_of(posterior).comparative else ()
    if "tau" not in posterior.marginals:
        return BayesFactors(factors=factors, by_scale=())
    log_z0, how = _without_spread(posterior)
    prior = posterior.model.priors["tau"]
    scaled = [prior_of_scale(prior, scale) for scale in (0.5, 1.0, 2.0)]
    return BayesFactors(
        factors=(*factors, _of_tau(prior, log_z0 - log_z, how)),
        by_scale=tuple(
            _of_tau(one, log_z0 - (log_z if one == prior else _reweighted(posterior, one)), how)
            for one in scaled
            if one is not None
        ),
    )


def _row(one: BayesFactor, key: str, name: str) -> dict[str, object]:
    return {
        key: name,
        "prior": repr(one.prior),
        "bf01": one.bf01,
        "bf10": one.bf10,
        "prob_null": one.prob_null,
    }


def _frame(rows: Sequence[dict[str, object]], key: str) -> "pd.DataFrame":
    import pandas as pd

    columns = (key, "prior", "bf01", "bf10", "prob_null")
    return pd.DataFrame(rows, columns=None if rows else columns).set_index(key)


def _log_evidence(posterior: Posterior) -> float:
    improper = [f"{n} ~ {p!r}" for n, p in posterior.model.priors.items() if not p.proper]
    if improper:
        raise ModelError(
            f"Bayes factors need proper priors, and {' and '.join(improper)} is not: its constant "
            "is arbitrary, and so would be the factor. Use a proper one, e.g. Normal(0, 2) for mu "
            "or HalfNormal(0.5) for tau."
        )
    if posterior.log_marginal_likelihood is None:
        raise ModelError(
            "Bayes factors need an exact posterior, fit(model, data, Quadrature()): draws do not "
            "tell the density at one point well enough."
        )
    return posterior.log_marginal_likelihood


def _of_mu(posterior: Posterior) -> BayesFactor:
    prior = posterior.model.priors["mu"]
    low, high = prior.support
    log_prior = float(log_density(prior, np.array(0.0))) if low < 0 < high else -np.inf
    if not np.isfinite(log_prior):
        why = "none: 0 is at the end of the prior of mu, or outside, so no alternative surrounds it"
        return BayesFactor(hypothesis="mu = 0", prior=prior, log_bf01=np.nan, how=why)
    at_zero, resolved = _density_at_zero(posterior["mu"])
    how = SAVAGE_DICKEY if resolved else f"{SAVAGE_DICKEY}; {AT_MOST}"
    log_bf01 = float(np.log(at_zero)) - log_prior
    return BayesFactor(hypothesis="mu = 0", prior=prior, log_bf01=log_bf01, how=how)


def _of_tau(prior: Prior, log_bf01: float, how: str) -> BayesFactor:
    return BayesFactor(hypothesis="tau = 0", prior=prior, log_bf01=log_bf01, how=how)


def _density_at_zero(marginal: Marginal) -> tuple[float, bool]:
    """The density at 0 or the least that can be told, and whether it was told."""
    least = DIGITS_END * float(np.max(marginal.pdf(marginal.quantile([0.1, 0.3, 0.5, 0.7, 0.9]))))
    found = float(marginal.pdf(0.0))
    return max(found, least), found > least


def _without_spread(posterior: Posterior) -> tuple[float, str]:
    """Log marginal likelihood of the same model with tau = 0, and how it was found.

    In closed form where there is one; else by Savage–Dickey at tau = 0, in the posterior itself if
    its prior has a density there, or in that under a narrow prior that has.
    """
    model, data = posterior.model, posterior.data
    common = CommonEffect(mu=model.priors["mu"])
    exact = not isinstance(default_engine(common), NUTS)
    if isinstance(data, EffectSizes) and exact:
        return _log_evidence(_refit(common, data)), EVIDENCES
    if not _has_density_at_zero(model.priors["tau"]):
        narrow = Uniform(0, 0.1 * _smallest_se(posterior))
        posterior = _refit(replace(model, tau=narrow), data)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return _by_density(posterior)


def _has_density_at_zero(prior: Prior) -> bool:
    return prior.support[0] <= 0 and bool(np.isfinite(log_density(prior, np.array(0.0))))


def _by_density(posterior: Posterior) -> tuple[float, str]:
    """Savage–Dickey at tau = 0, or at the smallest tau that is resolved: below it is less still."""
    prior, tau = posterior.model.priors["tau"], posterior["tau"]
    resolved = _density_at_zero(tau)[1]
    at = 0.0 if resolved else float(tau.quantile(DIGITS_END))
    log_ratio = float(np.log(tau.pdf(at)) - log_density(prior, np.array(at)))
    return _log_evidence(
        posterior
    ) + log_ratio, EVIDENCES if resolved else f"{EVIDENCES}; {AT_MOST}"


def _smallest_se(posterior: Posterior) -> float:
    effects = study_effects(posterior)
    return 1.0 if effects is None else float(effects.se.min())


def prior_of_scale(prior: Prior, scale: float) -> Prior | None:
    """Return the prior of `scale` times what `prior` is of; None where no family holds it.

    Examples
    --------
    >>> from bayesmeta.priors import Exponential
    >>> prior_of_scale(Exponential(4), 2)
    Exponential(2)
    """
    match prior:
        case HalfNormal() | HalfCauchy() | HalfT() | InverseGamma():
            return replace(prior, scale=scale * prior.scale)
        case Exponential() | Gamma():
            return replace(prior, rate=prior.rate / scale)
        case Uniform():
            return Uniform(scale * prior.low, scale * prior.high)
        case LogNormal():
            return LogNormal(prior.mean + float(np.log(scale)), prior.sd)
        case Mixture():
            first, second = (prior_of_scale(part, scale) for _, part in prior.parts)
            return Mixture(prior.weight, first, second) if first and second else None
        case _:
            return None


def _reweighted(posterior: Posterior, prior: Prior) -> float:
    """Log marginal likelihood under another prior of tau.

    The posterior of tau is likelihood times prior, so exchanging the prior under its integral is
    enough, as long as what counts then is resolved now; else the model is fitted again.
    """
    log_z = _log_evidence(posterior)
    share = _share_under(posterior["tau"], posterior.model.priors["tau"], prior)
    if share is not None:
        return log_z + float(np.log(share))
    return _log_evidence(_refit(replace(posterior.model, tau=prior), posterior.data))  # pyright: ignore[reportCallIssue, reportArgumentType]


def _share_under(tau: Marginal, old: Prior, new: Prior) -> float | None:
    """Posterior mean of new over old prior; None if it hangs on densities too small to tell."""
    if not isinstance(tau, TauDensity) or old.support != new.support:
        return None
    at, mass = tau.nodes()  # from the largest tau to the smallest
    density = tau.pdf(at)
    clear = density > NOISE * density.max()
    at, mass, density = at[clear], mass[clear], density[clear]
    likelihood = density * np.exp(-log_density(old, at))
    share = mass @ np.exp(log_density(new, at) - log_density(old, at))
    above = _beyond(at, likelihood, new) if np.isinf(new.support[1]) else 0.0
    least = likelihood[-1] * np.exp(log_density(new, at[-1:]))[0] * at[-1]
    below = 0.0 if clear[-1] else least
    return float(share + above) if max(above, below) <= NEGLIGIBLE * share else None


def _beyond(at: Array, likelihood: Array, prior: Prior) -> float:
    """Integral of likelihood times prior beyond the largest tau: there it falls like a power."""
    half = int(np.argmin(np.abs(at - 0.5 * at[0])))
    power = np.log(likelihood[0] / likelihood[half]) / np.log(at[0] / at[half])
    far = np.geomspace(1, 100, 500)
    density = np.exp(log_density(prior, at[0] * far)) * likelihood[0] * far**power
    return float(np.trapezoid(density, at[0] * far))


def _refit(model: Model, data: Data) -> Posterior:
    """Fit once more; a factor has no place to mark that a gate failed."""
    posterior = fit(model, data)
    if not posterior.diagnostics.passed:
        failed = "; ".join(map(str, posterior.diagnostics.failures))
        raise ModelError(f"The factor needs a fit of {model!r}, which failed: {failed}.")
    return posterior


def mean_weights(posterior: Posterior) -> "pd.DataFrame":
    """Say how much each study has to say about mu.

    For the normal models the mean of mu given tau is a weighted mean of the estimates and of the
    prior's mean; here are those weights, averaged over the posterior of tau. Elsewhere no such
    weights exist, and the posterior precision of mu that is lost when a study is left out takes
    their place: it costs one fit per study, and the losses do not add up to 1.

    Parameters
    ----------
    posterior : Posterior
        From the exact engine.

    Returns
    -------
    DataFrame
        Normal model with normal or flat prior of mu: ``weight``, which sum to 1 with the row
        ``prior of mu``, and with random effects ``own_weight``, that of a study in its own theta.
        Other models: ``precision_lost``, 1 - (variance of mu / variance without the study); it is
        below 0 where the rest agrees better without the study. NaN where nothing is left to fit.

    Raises
    ------
    ModelError
        If the posterior is known through draws alone.

    References
    ----------
    Röver C (2020). J Stat Softw 93(6), section 2.6 (weights).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> bm.mean_weights(bm.fit(model, data))["weight"].round(2).to_list()
    [0.47, 0.3, 0.21, 0.02]
    """
    if not posterior.exact:
        raise ModelError("Weights need an exact posterior, fit(model, data, Quadrature()).")
    model, data = posterior.model, posterior.data
    closed = isinstance(model, CommonEffect) or (isinstance(model, NormalNormal) and not model.df)
    if closed and isinstance(data, EffectSizes) and isinstance(model.priors["mu"], Normal | Flat):
        return _conditional_weights(posterior, data)
    return _precision_lost(posterior)


def _conditional_weights(posterior: Posterior, data: EffectSizes) -> "pd.DataFrame":
    import pandas as pd

    prior = posterior.model.priors["mu"]
    of_prior = prior.sd**-2.0 if isinstance(prior, Normal) else 0.0
    tau, mass = np.zeros(1), np.ones(1)
    spread = posterior.marginals.get("tau")
    if isinstance(spread, TauDensity):
        tau, mass = spread.nodes()
    mass = mass / mass.sum()
    precision = 1 / (data.se**2 + tau[:, None] ** 2)
    weight = precision / (precision.sum(axis=1, keepdims=True) + of_prior)
    own = 1 - data.se**2 * precision  # Röver (2020), eq. 15: the share of a study's own estimate
    at_mu = mass @ weight
    columns = {"weight": [*at_mu, 1 - at_mu.sum()]}
    if spread is not None:
        columns["own_weight"] = [*(mass @ (own + (1 - own) * weight)), np.nan]
    index = pd.Index([*data.study, "prior of mu"], name="study")
    return pd.DataFrame(columns, index=index).iloc[: None if of_prior else -1]


def _precision_lost(posterior: Posterior) -> "pd.DataFrame":
    import pandas as pd

    model, data = posterior.model, posterior.data
    variance = posterior["mu"].sd() ** 2
    rows = np.eye(data.k, dtype=bool)
    without = [_refit(model, data.keep(~row))["mu"].sd() ** 2 for row in rows if data.k > 1]
    lost = 1 - variance / np.array(without or [np.nan])
    return pd.DataFrame({"precision_lost": lost}, index=pd.Index(data.study, name="study"))


def zero_studies(
    posterior: Posterior, *, prob: float = 0.95, engine: Engine | None = None
) -> "pd.DataFrame":
    """Show what studies without events contribute: the same model with and without them.

    Parameters
    ----------
    posterior : Posterior
        Of counts.
    prob : float
        Probability of the intervals.
    engine : Engine, optional
        For the further fits; by default the exact one where it can serve and the posterior is
        exact, else ``NUTS(seed=0)``.

    Returns
    -------
    DataFrame
        Rows: all studies, without those that have no event in any arm, without those that have
        none in some arm. Columns, analysis scale: k, mean, sd, median, lower and upper of mu, the
        median of tau, the probability of an effect below none, ``shift`` of mu's mean in posterior
        SDs of the first row, whether the fit is sound, and who was left out. A row without studies
        has k = 0 and no numbers.

    Raises
    ------
    ModelError
        If the data are no counts.

    References
    ----------
    Ren Y, Lin L, Lian Q, Zou H, Chu H (2019). J Gen Intern Med 34:960-968 (double-zero studies).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> trials = bm.BinaryStudies(
    ...     study=["A", "B", "C"], events_treatment=[2, 0, 3], n_treatment=[40, 30, 35],
    ...     events_control=[5, 0, 4], n_control=[40, 30, 36])
    >>> model = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> bm.zero_studies(bm.fit(model, trials))[["k", "left_out"]].values.tolist()
    [[3, ''], [2, 'B'], [2, 'B']]
    """
    import pandas as pd

    check_prob(prob)
    data = posterior.data
    if not isinstance(data, Studies):
        raise ModelError("zero_studies needs a fit of counts: estimates do not tell the zeros.")
    engine = engine or (None if posterior.exact else NUTS(seed=0))
    fits = {(True,) * data.k: posterior}
    rows = []
    for name, kept in _without_zeros(data).items():
        key = tuple(kept.tolist())
        if kept.any() and key not in fits:
            fits[key] = fit(posterior.model, data.keep(kept), engine)
        left = ", ".join(name for name, keep in zip(data.study, kept, strict=True) if not keep)
        numbers = _mu_and_tau(fits[key], posterior, prob) if key in fits else {}
        rows.append({"studies": name, "k": int(kept.sum()), **numbers, "left_out": left})
    return pd.DataFrame(rows).set_index("studies")


def _without_zeros(data: Studies) -> dict[str, NDArray[np.bool_]]:
    """Which studies each row keeps, shape (k,)."""
    some = np.any([getattr(data, f"events{arm}") == 0 for arm in data.arms], axis=0)
    kept = {
        "all studies": np.ones(data.k, bool),
        "without studies that have no event": ~data.double_zero,
    }
    if len(data.arms) > 1:
        kept["without studies that have an arm without events"] = ~some
    return kept


def _mu_and_tau(one: Posterior, full: Posterior, prob: float) -> dict[str, float | bool]:
    mu = one["mu"]
    lower, upper = mu.interval(prob)
    spread = one["tau"].quantile(0.5) if "tau" in one.marginals else np.nan
    return {
        "mean": mu.mean(),
        "sd": mu.sd(),
        "median": mu.quantile(0.5),
        "lower": lower,
        "upper": upper,
        "tau_median": spread,
        "prob_below_null": mu.cdf(0.0) if scale_of(full).comparative else np.nan,
        "shift": (mu.mean() - full["mu"].mean()) / full["mu"].sd(),
        "sound": one.diagnostics.passed,
    }
