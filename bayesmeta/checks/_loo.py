"""Prediction of each study from the others: leave-one-study-out cross-validation."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ..engines import NUTS, Engine, default_engine, fit, groups, seed_of, study_densities
from ..errors import ModelError
from ..model import DESIGN, NormalSpread, NoSpread, SpreadByGroup
from ..posterior import Marginal, NormalMixture, Posterior, TruncatedMixture, shared
from ._held_out import LOO

if TYPE_CHECKING:
    from ..engines.likelihood.terms import Terms

type Array = NDArray[np.float64]

LARGEST_K = 0.7  # Pareto k, above which weights are not to be used (Vehtari et al. 2024)
FINITE_K = 0.5  # Pareto k, above which their variance is infinite
LARGEST_ERROR = 0.1  # of a log density that is a mean over draws
FARTHEST = -30.0  # log density of an estimate that a mixture without its evidence can be asked for
ALONE = "no other study of its group"
FAILED = "refit failed its gates"
FAINT = 1e-18  # of the largest posterior mass of a node
BEYOND = 1e-6  # mass of a study's weights that may lie at the ends of the nodes
GROWTH = 1e3  # of a node's mass when a study is left out: the nodes know it to about 1e-9


def loo(posterior: Posterior, *, seed: int = 0, engine: Engine | None = None) -> LOO:
    """Predict each study from the others.

    The unit is the study, with its effect and its baseline integrated out: y, or the events of the
    treatment arm given those of the control arm (for the beta-binomial model too), given the
    margins in a hypergeometric likelihood. Exact posteriors are reweighted without Monte Carlo
    error, or fitted again where that would not be sound; draws are weighted by Pareto-smoothed
    importance sampling, and fitted again where Pareto k exceeds 0.7. Where effects depend on
    covariates the columns of the design stay those of all studies, with their centres and levels.

    Parameters
    ----------
    posterior : Posterior
    seed : int
        Of the randomised PIT values of counts.
    engine : Engine, optional
        For fits without a study; by default the exact one where it can serve, else
        ``NUTS(seed=0)``.

    Returns
    -------
    LOO

    Raises
    ------
    ModelError
        If there is one study only, or the model cannot be fitted to the others alone.

    References
    ----------
    Vehtari A, Gelman A, Gabry J (2017). Stat Comput 27:1413-1432.
    Vehtari A, Simpson D, Gelman A, Yao Y, Gabry J (2024). JMLR 25(72):1-58 (Pareto k).
    Czado C, Gneiting T, Held L (2009). Biometrics 65:1254-1261 (randomised PIT).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> found = bm.loo(bm.fit(model, data))
    >>> found.how, round(found.total, 2)
    (('exact', 'exact', 'exact'), -1.66)
    """
    data = posterior.data
    if data.k < 2:
        raise ModelError("loo predicts a study from the others: it needs two studies or more.")
    if isinstance(posterior.model.between, SpreadByGroup):
        return _by_group(posterior, seed, engine)
    if _closed(posterior):
        found = _by_formula(posterior, engine)
    elif posterior.nodes is not None:
        found = _by_nodes(posterior, engine)
    else:
        found = _by_weights(posterior, engine)
    width = np.random.default_rng(seed).uniform(size=data.k)
    lower = found.pit_lower
    upper = np.minimum(
        lower + (np.exp(found.elpd) if posterior.model.likelihood.counted else 0.0), 1.0
    )
    return replace(found, pit_upper=upper, pit=lower + width * (upper - lower))


def _by_group(posterior: Posterior, seed: int, engine: Engine | None) -> LOO:
    """Predict each study from the others of its group, which alone say anything of it."""
    model, data = posterior.model, posterior.data
    how = engine or (None if posterior.exact else NUTS(seed=0))
    names = ("elpd", "fitted", "pit_lower", "pit_upper", "pit", "pareto_k")
    columns = {name: np.full(data.k, np.nan) for name in names}
    words, sound = [ALONE] * data.k, posterior.diagnostics.passed
    for i, part in enumerate(groups(model, data)):
        if part.data.k < 2:
            continue
        found = loo(fit(part.model, part.data, how), seed=seed_of(seed, i), engine=engine)
        sound = sound and found.sound
        for name, column in columns.items():
            column[part.of] = getattr(found, name)
        for at, word in zip(np.flatnonzero(part.of), found.how, strict=True):
            words[at] = word
    return LOO(
        study=data.study,
        how=tuple(words),
        target=model.likelihood.target,
        data=data,
        sound=sound,
        **columns,
    )


def _closed(posterior: Posterior) -> bool:
    """Whether predictions are mixtures of normals."""
    model = posterior.model
    normal = isinstance(model.between, NoSpread | NormalSpread)
    return posterior.exact and model.likelihood.closed and normal and posterior.nodes is None


def _by_formula(posterior: Posterior, engine: Engine | None) -> LOO:
    """Predict y from fits without each study: theta_new and its sampling error."""
    data = posterior.data
    y = data.numbers["y"]
    elpd, lower, fitted = np.empty((3, data.k))
    how = ["exact"] * data.k
    for i in range(data.k):
        fitted[i] = _log(_predicted(posterior, posterior, i).pdf(y[i]))
        elpd[i], lower[i], word = _refitted(posterior, i, engine)
        how[i] = "exact" if word == "refit" and engine is None else word
    return _collect(posterior, elpd, fitted, lower, how)


def _ahead(posterior: Posterior, rest: Posterior, i: int) -> tuple[float, float]:
    """Log density and distribution function of an estimate by a fit without its study.

    The gain of log marginal likelihood sees effects so far out that no node of tau reaches them;
    without it, as under improper priors, such a density is not to be had: NaN.
    """
    ahead, y = _predicted(posterior, rest, i), float(posterior.data.numbers["y"][i])
    gain = _gain(posterior, rest)
    if gain is None:
        gain = _log(ahead.pdf(y))
        gain = gain if gain > FARTHEST else np.nan
    return gain, ahead.cdf(y)


def _gain(posterior: Posterior, rest: Posterior) -> float | None:
    """What the study adds to the log marginal likelihood of the others, if both are known."""
    with_all, without = posterior.log_marginal_likelihood, rest.log_marginal_likelihood
    return None if with_all is None or without is None else with_all - without


def _log(density: float) -> float:
    """Log of a density; NaN where nothing of it is left."""
    return float(np.log(density)) if density > 0 else np.nan


def _predicted(posterior: Posterior, by: Posterior, i: int) -> Marginal:
    """The law of an estimate of a new study like study `i`, by a fit that may not have seen it."""
    se, design = posterior.data.numbers["se"][i], posterior.model.location.columns(posterior.data)
    effect = by.linear(design[DESIGN][:, i], new=True) if by.linear else by.at(new=True)
    if isinstance(effect, NormalMixture):
        return replace(effect, sds=np.hypot(effect.sds, se))
    assert isinstance(effect, TruncatedMixture)
    return replace(effect, noise=np.hypot(effect.noise, se))


def _by_nodes(posterior: Posterior, engine: Engine | None) -> LOO:
    """Reweight the nodes of an exact posterior; fit again where they do not reach far enough."""
    draws, log_mass, ends = _nodes_of(posterior)
    terms = study_densities(posterior.model, posterior.data, draws)
    log_weight = log_mass[:, None] + terms.given - terms.every
    log_weight -= _log_mean(np.zeros(1), log_weight)
    sound = _reached(log_weight, log_mass, ends)
    return _weighed(posterior, engine, terms, log_mass, log_weight, sound, "exact")


def _nodes_of(posterior: Posterior) -> tuple[Mapping[str, Array], Array, NDArray[np.bool_]]:
    """Nodes of an exact posterior, (n,), logs of their masses, and which lie at the ends."""
    assert posterior.nodes is not None
    nodes = posterior.nodes()
    seen = nodes.mass > FAINT * nodes.mass.max()
    at = {name: values[seen] for name, values in nodes.values.items()}
    at_tau, farthest = at["tau"], nodes.values["tau"].max()
    if nodes.edge is None:
        at_mu, (low, high) = at["mu"], posterior.model.overall.support
        room = 0.02 * (at_mu.max() - at_mu.min())
        ends = (at_mu < at_mu.min() + room) & (at_mu.min() - low > room)
        ends |= (at_mu > at_mu.max() - room) & (high - at_mu.max() > room)
    else:
        ends = nodes.edge[seen]
    last = posterior.model.priors["tau"].support[1]
    ends |= (at_tau > 0.9 * farthest) & (farthest < 0.99 * last)
    each = nodes.mass[seen]
    return at, np.log(each / each.sum()), ends


def _reached(log_weight: Array, log_mass: Array, ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the nodes hold all of each study's weights, and none grew out of a mass too small."""
    beyond = np.exp(log_weight[ends]).sum(axis=0)
    growth = np.where(log_weight > np.log(BEYOND), log_weight - log_mass[:, None], 0.0).max(axis=0)
    return (beyond < BEYOND) & (growth < np.log(GROWTH))


def _by_weights(posterior: Posterior, engine: Engine | None) -> LOO:
    """Weigh draws by Pareto-smoothed importance sampling."""
    from arviz_stats.base import array_stats  # pyright: ignore[reportPrivateImportUsage]

    draws = shared(posterior.sample(None, 0))
    terms = study_densities(posterior.model, posterior.data, draws)
    n = len(terms.every)
    rows = [row for name, row in posterior.convergence.items() if name.split("[")[0] in draws]
    efficiency = min(1.0, min((row["ess_bulk"] for row in rows), default=n) / n)
    log_weight, pareto_k = map(
        np.asarray,
        array_stats.psislw((terms.every - terms.given).T, r_eff=efficiency),  # pyright: ignore[reportArgumentType]
    )
    log_weight = log_weight.T - _log_mean(np.zeros(1), log_weight.T)
    flat = np.full(n, -np.log(n))
    # exact fits are worth more than weights whose variance is infinite
    sound = pareto_k <= (FINITE_K if posterior.exact else LARGEST_K)
    found = _weighed(posterior, engine, terms, flat, log_weight, sound, "weights")
    return replace(found, pareto_k=pareto_k)


def _weighed(
    posterior: Posterior,
    engine: Engine | None,
    terms: "Terms",
    log_mass: Array,
    log_weight: Array,
    sound: NDArray[np.bool_],
    word: str,
) -> LOO:
    """Expectations under each study's weights, or of a fit without it where they are not sound."""
    result = terms.every - terms.given
    elpd = _log_mean(log_weight, result)
    lower = np.exp(_log_mean(log_weight, terms.below - terms.given))
    fitted = _log_mean(log_mass[:, None], result)
    how = [word] * posterior.data.k
    for i in np.flatnonzero(~sound):
        elpd[i], lower[i], how[i] = _refitted(posterior, int(i), engine)
    return _collect(posterior, elpd, fitted, lower, how)


def _log_mean(log_weight: Array, values: Array) -> Array:
    """Logs of weighted sums of exponentials over the first axis."""
    return np.asarray(logsumexp(log_weight + values, axis=0))


def _refitted(posterior: Posterior, i: int, engine: Engine | None) -> tuple[float, float, str]:
    rest = _without(posterior, i, engine)
    if not rest.diagnostics.passed_first:
        return np.nan, np.nan, FAILED
    if _closed(rest):
        elpd, lower = _ahead(posterior, rest, i)
        return elpd, lower, "too far out" if np.isnan(elpd) else "refit"
    if rest.nodes is not None:
        draws, log_mass, _ = _nodes_of(rest)
    else:
        draws = shared(rest.sample(None, 0))
        n = len(next(iter(draws.values())))
        log_mass = np.full(n, -np.log(n))
    one = posterior.data.keep(np.arange(posterior.data.k) == i)
    terms = study_densities(rest.model, one, draws)
    every, given, below = (float(_log_mean(log_mass[:, None], one)[0]) for one in terms)
    gain = _gain(posterior, rest)
    if gain is not None:  # sees what the tails of the others miss
        every = gain
    elif rest.nodes is None and _thin(rest, terms.every[:, 0]):
        return np.nan, np.nan, "refit has too few draws there"
    return every - given, float(np.exp(below - given)), "refit"


def _thin(rest: Posterior, log_density: Array) -> bool:
    """Whether too few draws carry the mean of a density: by its Pareto k and its standard error."""
    from arviz_stats.base import array_stats  # pyright: ignore[reportPrivateImportUsage]

    weight = np.exp(log_density - log_density.max())
    ess = min(row["ess_bulk"] for row in rest.convergence.values())
    error = float(weight.std() / weight.mean()) / np.sqrt(ess)
    pareto_k = float(array_stats.psislw(-log_density)[1])
    return bool(error > LARGEST_ERROR or not pareto_k <= LARGEST_K)


def _without(posterior: Posterior, i: int, engine: Engine | None) -> Posterior:
    model = posterior.model.kept(posterior.data)
    rest = posterior.data.keep(np.arange(posterior.data.k) != i)
    return fit(model, rest, engine or default_engine(model))


def _collect(posterior: Posterior, elpd: Array, fitted: Array, lower: Array, how: list[str]) -> LOO:
    lower = np.clip(lower, 0.0, 1.0)
    none = np.full(posterior.data.k, np.nan)
    return LOO(
        study=posterior.data.study,
        elpd=elpd,
        fitted=fitted,
        pit_lower=lower,
        pit_upper=lower,
        pit=lower,
        pareto_k=none,
        how=tuple(how),
        target=posterior.model.likelihood.target,
        data=posterior.data,
        sound=posterior.diagnostics.passed,
    )
