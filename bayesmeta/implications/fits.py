"""What the marginals of one fit imply of one another."""

from collections.abc import Iterator, Mapping
from functools import singledispatch

import numpy as np

from ..errors import ModelError
from ..model import CorrelatedSpread, NormalSpread, OutlierSpread, Spread, StudentTSpread
from ..posterior import Deferred, Marginal, Marginals, Pair, Posterior
from ..priors import Prior
from ..summaries import scale_of
from .marginals import (
    LINE,
    Reading,
    density_is_slope,
    moments_from_distribution,
    of_any,
    of_effect,
    reading,
)

AGREE = 4.0  # Monte Carlo standard errors that two engines may be apart
ENGINES = 1e-5  # of an SD: what the exact engines promise of each answer
TOTAL = 1e-4  # of a variance: three SDs that are each good to ENGINES, and what tails hold
SAMPLED = 6.0  # Monte Carlo standard errors of a figure of draws


def of_fit(posterior: Posterior, prob: float) -> Iterator[Pair]:
    """Every rule of one fit; what is not computed yet is left alone."""
    computed = _computed(posterior)
    for name, one in computed.items():
        for full, marginal in _scalars({name: one}).items():
            read = reading(full, marginal, prob, _draws(posterior))
            yield from _of_parameter(posterior, name, read)
    yield from evidence_is_a_number(posterior)
    yield from nodes_carry_the_mean(posterior)
    yield from new_effect_and_mean(posterior, computed)


def _of_parameter(posterior: Posterior, name: str, read: Reading) -> Iterator[Pair]:
    yield from of_any(read)
    if name in posterior.model.effects and scale_of(posterior).comparative:
        prior = posterior.model.priors.get(name)
        yield from of_effect(read, LINE if prior is None else prior.support)
    if name == "tau":
        yield from _of_tau(read)
    if name in ("mu", "tau", "theta_new") and not read.draws:
        yield from moments_from_distribution(read)


def _of_tau(read: Reading) -> Iterator[Pair]:
    yield tau_is_not_negative(read.name, read.marginal)
    if not read.draws:
        yield from density_is_slope(read, read.quantiles[1:4], (0.0, np.inf))


def tau_is_not_negative(name: str, tau: Marginal) -> Pair:
    """A standard deviation is not negative."""
    return Pair(
        rule="no negative SD",
        where=name,
        first="the probability below zero",
        one=float(tau.cdf(-1e-300)),
        second="being a standard deviation",
        other=0.0,
        tolerance=0.0,
        why="it has no mass there",
    )


def evidence_is_a_number(posterior: Posterior) -> Iterator[Pair]:
    """A marginal likelihood that is given is a number."""
    log_z = posterior.log_marginal_likelihood
    if log_z is not None:
        yield Pair(
            rule="evidence is a number",
            where="log marginal likelihood",
            first="whether it is finite",
            one=float(np.isfinite(log_z)),
            second="there being a posterior",
            other=1.0,
            tolerance=0.0,
            why="yes or no",
        )


def nodes_carry_the_mean(posterior: Posterior) -> Iterator[Pair]:
    """The nodes at which an engine summed hold probability one, and the mean of mu."""
    if posterior.nodes is None or posterior.linear is not None:
        return
    nodes, mu = posterior.nodes(), posterior.at()
    mass = nodes.mass
    yield Pair(
        rule="nodes and marginals",
        where="nodes",
        first="their total probability",
        one=float(mass.sum()),
        second="being all there is",
        other=1.0,
        tolerance=ENGINES,
        why="what the exact engines promise",
    )
    if np.isfinite(mu.sd()):
        yield Pair(
            rule="nodes and marginals",
            where="mu",
            first="the mean",
            one=mu.mean(),
            second="the nodes it was summed at",
            other=float(mass @ nodes.values[posterior.model.location.name]),
            tolerance=ENGINES * mu.sd(),
            why="1e-5 of an SD, what the exact engines promise",
        )


def new_effect_and_mean(
    posterior: Posterior, computed: Mapping[str, Marginal | Marginals]
) -> Iterator[Pair]:
    """The effect in a new study has the mean of mu, and by total variance Var(mu) + E[tau²].

    For symmetric effects; of Student-t ones the second part is tau² df / (df - 2).
    """
    if "theta_new" not in computed or "tau" not in computed:
        return
    names = posterior.model.labels("theta_new", posterior.data).get("outcome", ("",))
    trio = [_scalars({one: computed[one]}) for one in ("mu", "tau", "theta_new")]
    for mu, tau, new, outcome in zip(*(one.values() for one in trio), names, strict=False):
        said = f"[{outcome}]" if outcome else ""
        yield from _equal_means(posterior, f"theta_new{said}", mu, new, said)
        factor = _variance_factor(posterior.model.between)
        if np.isfinite(factor):
            yield from _total_variance(posterior, f"theta_new{said}", (mu, tau, new), factor, said)


def _equal_means(
    posterior: Posterior, where: str, mu: Marginal, new: Marginal, said: str
) -> Iterator[Pair]:
    if not np.isfinite([mu.mean(), new.mean(), new.sd()]).all():
        return
    error = _mcse(posterior, "mcse_mean", f"mu{said}", f"theta_new{said}")
    yield Pair(
        rule="mean of a new effect",
        where=where,
        first="its mean",
        one=new.mean(),
        second="the mean of mu",
        other=mu.mean(),
        tolerance=SAMPLED * error if error else ENGINES * new.sd(),
        why="six Monte Carlo standard errors" if error else "1e-5 of an SD, as each is promised",
    )


def _total_variance(
    posterior: Posterior,
    where: str,
    trio: tuple[Marginal, Marginal, Marginal],
    factor: float,
    said: str,
) -> Iterator[Pair]:
    mu, tau, new = trio
    if not np.isfinite([mu.sd(), tau.sd(), new.sd()]).all():
        return
    total = mu.sd() ** 2 + factor * (tau.mean() ** 2 + tau.sd() ** 2)
    sd = float(np.sqrt(total))
    names = [f"{one}{said}" for one in ("mu", "tau", "theta_new")]
    error = _mcse(posterior, "mcse_sd", *names) + _mcse(posterior, "mcse_mean", names[1])
    yield Pair(
        rule="variance of a new effect",
        where=where,
        first="its SD",
        one=new.sd(),
        second="the law of total variance",
        other=sd,
        tolerance=SAMPLED * error if error else TOTAL * sd,
        why="six Monte Carlo standard errors" if error else "1e-4 of an SD, of three good to 1e-5",
    )


def engines_agree(exact: Posterior, drawn: Posterior) -> Iterator[Pair]:
    """Means of a converged sample are those of the integral, within its Monte Carlo error."""
    if not drawn.diagnostics.passed:
        return
    for name in ("mu", "tau"):
        if name not in drawn.convergence or not np.isfinite(exact[name].mean()):
            continue
        yield Pair(
            rule="two engines",
            where=name,
            first="its mean by NUTS",
            one=drawn[name].mean(),
            second="the exact one",
            other=exact[name].mean(),
            tolerance=AGREE * drawn.convergence[name]["mcse_mean"],
            why="four Monte Carlo standard errors",
        )


@singledispatch
def _variance_factor(between: Spread) -> float:
    """Variance of a study effect over tau²; NaN where it is not known or not so simple."""
    raise ModelError(f"The variance of study effects is not known with {between!r}.")


@_variance_factor.register
def _(between: NormalSpread | CorrelatedSpread) -> float:
    return 1.0


@_variance_factor.register
def _(between: StudentTSpread) -> float:
    df = between.df
    return np.nan if isinstance(df, Prior) or df <= 2 else df / (df - 2)


@_variance_factor.register
def _(between: OutlierSpread) -> float:
    return np.nan


def _mcse(posterior: Posterior, kind: str, *names: str) -> float:
    return sum(posterior.convergence.get(name, {}).get(kind, 0.0) for name in names)


def _computed(posterior: Posterior) -> Mapping[str, Marginal | Marginals]:
    every = posterior.marginals
    return every.computed() if isinstance(every, Deferred) else every


def _draws(posterior: Posterior) -> int:
    return 0 if posterior.exact else next(iter(posterior.sample_stats.values())).size


def _scalars(marginals: Mapping[str, Marginal | Marginals]) -> dict[str, Marginal]:
    found: dict[str, Marginal] = {}
    for name, one in marginals.items():
        if isinstance(one, Marginals):
            found |= {f"{name}[{of}]": each for of, each in zip(one.study, one.each, strict=True)}
        else:
            found[name] = one
    return found
