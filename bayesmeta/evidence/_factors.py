"""How likely no effect, and no heterogeneity, are beside the model: Bayes factors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from scipy.special import expit

from ..engines import log_evidence_without
from ..errors import ModelError
from ..model import COEFFICIENT, Location, Overall, Predictor, SpreadByGroup, with_tau
from ..notebooks import Tabled
from ..posterior import Array, Marginal, Posterior, TauDensity, check_posterior
from ..priors import Prior, log_density, rescaled
from ..summaries import scale_of
from ..ways import way
from ._refit import refit

if TYPE_CHECKING:
    import pandas as pd

type Without = Callable[[str], float]  # a parameter to the log marginal likelihood with it at 0

NOISE = 1e-13  # of the peak of tau's density: below, its series holds no digits
RESOLVED = 1e-5  # of a density's peak: above, it has enough digits to be compared
APART = 1e-3  # in logs, of two ways to a factor
NEGLIGIBLE = 1e-3  # of a factor: what may lie beyond, and is extrapolated there

HOW = "ratio of marginal likelihoods: {0} at 0 over {0} free"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BayesFactor:
    """How much likelier the data are if one parameter is 0.

    Attributes
    ----------
    hypothesis : str
        ``"mu = 0"`` or ``"tau = 0"``; where effects depend on covariates ``"latitude = 0"``.
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
        """The factor in favour of 0; 0 or infinite where a float holds it no more."""
        with np.errstate(over="ignore"):
            return float(np.exp(self.log_bf01))

    @property
    def bf10(self) -> float:
        """The factor against 0."""
        with np.errstate(over="ignore"):
            return float(np.exp(-self.log_bf01))

    @property
    def prob_null(self) -> float:
        """Posterior probability of 0 if it and the alternative were equally likely before."""
        return float(expit(self.log_bf01))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BayesFactors(Tabled):
    """Bayes factors of one model.

    Attributes
    ----------
    factors : tuple of BayesFactor
        Against mu = 0 if that means no difference, and with random effects against tau = 0. Where
        effects depend on covariates against each coefficient: intercepts and means of groups if
        0 means no difference, slopes always.
    by_scale : tuple of BayesFactor
        That of tau with its prior half as wide, as it is and twice as wide; empty where the prior
        has no scale.
    """

    factors: tuple[BayesFactor, ...]
    by_scale: tuple[BayesFactor, ...]

    def table(self) -> "pd.DataFrame":
        """Return one row per hypothesis: both factors, the probability of 0, and how.

        ``log_bf01`` is there for factors that a float cannot hold.
        """
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

    Each factor is the marginal likelihood of the same model with mu, or a coefficient, or tau, at 0
    over that of the model; for mu and coefficients this is the Savage–Dickey ratio, its posterior
    over its prior density at 0, and keeps its digits where that density has none left. All answer
    to the priors, not to the data alone: a prior twice as wide under the alternative nearly doubles
    the factor for 0, so that of tau comes at three widths.

    Parameters
    ----------
    posterior : Posterior
        From the exact engine, with proper priors.

    Returns
    -------
    BayesFactors
        A prior of mu that ends at 0, or leaves it out, has no factor: NaN, with the reason.

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
    check_posterior(posterior)
    log_z = log_evidence(posterior)
    if "tau" not in posterior.marginals:
        return BayesFactors(factors=factors_of(posterior), by_scale=())
    log_z0 = log_evidence_without("tau", posterior.model, posterior.data)
    prior = posterior.model.priors["tau"]
    scaled = [rescaled(prior, scale) for scale in (0.5, 1.0, 2.0)]
    return BayesFactors(
        factors=factors_of(posterior, {"tau": log_z0}),
        by_scale=tuple(
            _of_tau(one, log_z0 - (log_z if one == prior else _reweighted(posterior, one)))
            for one in scaled
            if one is not None
        ),
    )


def factors_of(
    posterior: Posterior, known: Mapping[str, float] = MappingProxyType({})
) -> tuple[BayesFactor, ...]:
    """Every factor of a fit; `known` has log marginal likelihoods at 0 that are its own too."""
    log_z = log_evidence(posterior)

    def without(name: str) -> float:
        own = known.get(name)
        return log_evidence_without(name, posterior.model, posterior.data) if own is None else own

    factors = _of_places(posterior.model.location, posterior, log_z, without)
    if "tau" not in posterior.marginals:
        return factors
    prior, log_bf01 = posterior.model.priors["tau"], without("tau") - log_z
    at_zero = float(log_density(prior, np.array(0.0))) if prior.support[0] <= 0 else -np.inf
    if np.isfinite(at_zero):
        _hold_to_density(posterior["tau"], log_bf01 + at_zero, "tau")
    return (*factors, _of_tau(prior, log_bf01))


def _row(one: BayesFactor, key: str, name: str) -> dict[str, object]:
    return {
        key: name,
        "prior": repr(one.prior),
        "log_bf01": one.log_bf01,
        "bf01": one.bf01,
        "bf10": one.bf10,
        "prob_null": one.prob_null,
    }


def _frame(rows: Sequence[dict[str, object]], key: str) -> "pd.DataFrame":
    import pandas as pd

    columns = (key, "prior", "log_bf01", "bf01", "bf10", "prob_null")
    return pd.DataFrame(rows, columns=None if rows else columns).set_index(key)


def log_evidence(posterior: Posterior) -> float:
    """Log marginal likelihood, or why no factor can be had."""
    if isinstance(posterior.model.between, SpreadByGroup):
        raise ModelError(
            "Groups with a tau each share nothing, and their Bayes factors are those of each: fit "
            "the studies of one group by themselves."
        )
    improper = [f"{n} ~ {p!r}" for n, p in posterior.model.priors.items() if not p.proper]
    if improper:
        raise ModelError(
            f"Bayes factors need proper priors, and {' and '.join(improper)} is not: its constant "
            "is arbitrary, and so would be the factor. Use a proper one, e.g. Normal(0, 2) for mu "
            "or HalfNormal(0.5) for tau."
        )
    if posterior.log_marginal_likelihood is None:
        raise ModelError(
            f"Bayes factors need an exact posterior: {way('exact')}. Draws do not tell the density "
            "at one point well enough."
        )
    return posterior.log_marginal_likelihood


@singledispatch
def _of_places(
    location: Location, posterior: Posterior, log_z: float, without: Without
) -> tuple[BayesFactor, ...]:
    """Against each parameter that says where effects are expected, if 0 means no difference."""
    raise ModelError(f"Bayes factors are not known with {location!r}.")


@_of_places.register
def _(
    location: Overall, posterior: Posterior, log_z: float, without: Without
) -> tuple[BayesFactor, ...]:
    if not scale_of(posterior).comparative:
        return ()
    mu = _Effect("mu", "mu", location.mu, posterior.at())
    return (_of_effect(mu, posterior, log_z, without),)


@_of_places.register
def _(
    location: Predictor, posterior: Posterior, log_z: float, without: Without
) -> tuple[BayesFactor, ...]:
    made, compares = location.design(posterior.data), scale_of(posterior).comparative
    columns = zip(made.names, made.kinds, location.coefficients(made), strict=True)
    effects = [
        _Effect(name, f"{COEFFICIENT}[{name}]", prior, posterior.contrast({name: 1.0}))
        for name, kind, prior in columns
        if compares or kind == "slope"
    ]
    return tuple(_of_effect(one, posterior, log_z, without) for one in effects)


class _Effect(NamedTuple):
    """What a hypothesis calls a parameter, its own name, its prior and its posterior."""

    name: str
    parameter: str
    prior: Prior
    marginal: Marginal


def _of_effect(
    effect: _Effect, posterior: Posterior, log_z: float, without: Without
) -> BayesFactor:
    name, parameter, prior, marginal = effect
    hypothesis, (low, high) = f"{name} = 0", prior.support
    log_prior = float(log_density(prior, np.array(0.0))) if low < 0 < high else -np.inf
    if not np.isfinite(log_prior):
        why = (
            f"none: 0 is at the end of the prior of {name}, or outside, so no alternative "
            "surrounds it"
        )
        return BayesFactor(hypothesis=hypothesis, prior=prior, log_bf01=np.nan, how=why)
    log_bf01 = without(parameter) - log_z
    _hold_to_density(marginal, log_bf01 + log_prior, name)
    how = HOW.format(name)
    return BayesFactor(hypothesis=hypothesis, prior=prior, log_bf01=log_bf01, how=how)


def _hold_to_density(marginal: Marginal, log_density_at_0: float, name: str) -> None:
    """Refuse a factor that contradicts the posterior density at 0, where that has its digits."""
    peak = float(np.max(marginal.pdf(marginal.quantile([0.1, 0.3, 0.5, 0.7, 0.9]))))
    found = float(marginal.pdf(0.0))
    if found > RESOLVED * peak and abs(np.log(found) - log_density_at_0) > APART:
        apart = np.exp(abs(np.log(found) - log_density_at_0))
        raise ModelError(
            f"The Bayes factor of {name} = 0 by marginal likelihoods and by the posterior density "
            f"at 0 differ by a factor of {apart:.4g}: neither can be trusted. Use a prior without "
            "steps."
        )


def _of_tau(prior: Prior, log_bf01: float) -> BayesFactor:
    how = HOW.format("tau")
    return BayesFactor(hypothesis="tau = 0", prior=prior, log_bf01=log_bf01, how=how)


def _reweighted(posterior: Posterior, prior: Prior) -> float:
    """Log marginal likelihood under another prior of tau.

    The posterior of tau is likelihood times prior, so exchanging the prior under its integral is
    enough, as long as what counts then is resolved now; else the model is fitted again.
    """
    log_z = log_evidence(posterior)
    share = _share_under(posterior["tau"], posterior.model.priors["tau"], prior)
    if share is not None:
        return log_z + float(np.log(share))
    return log_evidence(refit(with_tau(posterior.model, prior), posterior.data))


def _share_under(tau: Marginal, old: Prior, new: Prior) -> float | None:
    """Posterior mean of new over old prior; None if it hangs on densities too small to tell."""
    if not isinstance(tau, TauDensity) or old.support != new.support:
        return None
    at, mass = tau.nodes()  # from the largest tau to the smallest
    density = tau.pdf(at)
    if not np.isfinite(density).all():  # at a pole
        return None
    clear = density > NOISE * density.max()
    at, mass, density = at[clear], mass[clear], density[clear]
    likelihood = density * np.exp(-log_density(old, at))
    share = mass @ np.exp(log_density(new, at) - log_density(old, at))
    above = _beyond(at, likelihood, new) if np.isinf(new.support[1]) else 0.0
    least = likelihood[-1] * np.exp(log_density(new, at[-1:]))[0] * at[-1]
    below = 0.0 if clear[-1] else least
    return float(share + above) if max(above, below) <= NEGLIGIBLE * share else None


def _beyond(at: Array, likelihood: Array, prior: Prior) -> float:
    """Integral of likelihood times prior beyond the largest tau: there it falls like a power.

    Infinite where too few nodes are clear to tell the power.
    """
    half = int(np.argmin(np.abs(at - 0.5 * at[0])))
    if half == 0 or not min(likelihood[0], likelihood[half]) > 0:
        return np.inf
    power = np.log(likelihood[0] / likelihood[half]) / np.log(at[0] / at[half])
    far = np.geomspace(1, 100, 500)
    density = np.exp(log_density(prior, at[0] * far)) * likelihood[0] * far**power
    return float(np.trapezoid(density, at[0] * far))
