"""One table of counts by the program of fixed sizes: milliseconds, where its error allows it."""

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...model import Data, RandomEffects
from ...posterior import (
    Check,
    Deferred,
    Diagnostics,
    GridDensity,
    MappedDensity,
    Nodes,
    Posterior,
    SupportMap,
    TauDensity,
)
from ...priors import Normal, Prior, StudentT, log_density
from .._cautions import cautions
from ..likelihood.counts import Rule
from ..likelihood.of_arms.continuous import SPACING
from ..likelihood.points import Grid, Places
from ..likelihood.rough import kinked, rough_effects, telling, vanishing
from ..likelihood.study import at_own_nodes, left_out, log_likelihoods
from ..nodes.effects import Integrated, features
from .program import (
    DENSE,
    SPARSE,
    WIDE,
    Density,
    Size,
    Table,
    integrand,
    posterior,
)
from .propriety import moments_of_tau
from .tau_nodes import evidence, fejer, support_of_tau

if TYPE_CHECKING:
    from ..nodes.draws import Source

type Array = NDArray[np.float64]

FINER = 4  # times as many nodes of mu, where effects are narrower than these are apart
TOLERANCE = 1e-5  # of the estimated error, in posterior SDs


def integrate_fast(model: RandomEffects, data: Data) -> Posterior | None:
    """Return the posterior if the program of fixed sizes is good enough for it, else None."""
    of = model.likelihood
    if not serves(model) or of.closed or kinked(of, data).any():
        return None
    sparse = of.counted and zeros(data.numbers).any()
    sizes = (SPARSE,) if sparse else (DENSE, WIDE, SPARSE)
    for size in sizes:
        with np.errstate(all="ignore"):  # what goes wrong shows in the error
            table = _table(model, data, size)
        if table.error <= TOLERANCE:
            return _posterior(model, data, table)
    return None


def serves(model: RandomEffects) -> bool:
    """Whether the program knows the model: normal effects, a prior of mu that looks like one."""
    mu = isinstance(model.mu, Normal) or (isinstance(model.mu, StudentT) and model.mu.df >= 3)
    return mu and model.df is None


def zeros(columns: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Where nobody or everybody in an arm has the event: the baseline has far tails there."""
    names = list(columns)
    found = np.zeros(columns[names[0]].shape, dtype=bool)
    for events, size in zip(names[::2], names[1::2], strict=True):
        found |= columns[events] == 0
        found |= columns[events] == columns[size] if size.startswith("n") else False
    return found


def _table(model: RandomEffects, data: Data, size: Size) -> Table:
    """Integrate in units of about four standard errors: the program's steps are of logits."""
    (y, se), unit = rough_effects(model.likelihood, data), _unit(model, data)
    found = posterior(
        np,
        size,
        y / unit,
        se / unit,
        np.ones(data.k),
        at_own_nodes(model.likelihood, data, Rule(size.beta, size.tails), unit),
        _in_unit(model.mu, unit),
        _in_unit(model.tau, unit),
        list(model.mu.numbers.values())[-1] / unit,
        *(float(end) / unit for end in support_of_tau(model.tau)),
    )
    lengths = ("centre", "sd", "mu", "tau", "low", "scale")
    return found._replace(**{name: unit * getattr(found, name) for name in lengths})


def _unit(model: RandomEffects, data: Data) -> float:
    if model.likelihood.counted:
        return 1.0
    return 4 * float(np.median(rough_effects(model.likelihood, data)[1]))


def _in_unit(prior: Prior, unit: float) -> Density:
    return lambda x: log_density(prior, unit * x) + np.log(unit)


def _posterior(model: RandomEffects, data: Data, table: Table) -> Posterior:
    from ..nodes.draws import draw

    mass = table.mass.sum(axis=0)
    check = Check(
        "quadrature error", "shares of an SD", float(table.error), TOLERANCE, at_most=True
    )
    log_z = float(table.log_z + left_out(model.likelihood, data).sum())
    mu, tau = _marginal_of_mu(table, mass), _marginal_of_tau(model, data, table)
    found = cache(partial(_integrated, model, data, table, mu, tau))
    drawn = cache(lambda: _source(model, data, table, found(), tau))
    return Posterior(
        model=model,
        data=data,
        engine=f"Quadrature(), {table.tau.size} × {table.mu.size} nodes",
        marginals=Deferred(
            {
                "mu": mu,
                "tau": tau,
                "theta": lambda: found().effects,
                "theta_new": lambda: found().new,
            }
        ),
        diagnostics=Diagnostics((check,), later=cache(lambda: found().checks(TOLERANCE))),
        sample=lambda n, seed: draw(drawn(), n, seed),
        cautions=cautions(model, data),
        log_marginal_likelihood=evidence(model, log_z),
        nodes=lambda: Nodes.on_grid({"tau": table.tau, "mu": table.mu}, table.mass),
    )


def _integrated(
    model: RandomEffects, data: Data, table: Table, mu: MappedDensity, tau: TauDensity
) -> Integrated:
    y, se = rough_effects(model.likelihood, data)
    own = left_out(model.likelihood, data)

    def log_likelihood(theta: Array) -> Array:
        return log_likelihoods(model.likelihood, data, Places(tuple(theta)), SPACING) - own[:, None]

    v = np.linspace(table.v[0], table.v[-1], FINER * table.v.size)
    with np.errstate(all="ignore"):
        log_mu = _in_unit(model.mu, _unit(model, data))
        _, log_given, joint = integrand(np, table.tabled, log_mu, v)
    mass = np.exp(joint - joint.max())
    return Integrated(
        study=data.study,
        df=None,
        support=mu.support,
        u=v,
        mu=mu.support.value(v),
        tau=table.tau,
        mass=mass / mass.sum(),
        moments_of_tau=(float(tau.raw[1]), tau.moments),
        bounded=vanishing(model.likelihood, data),
        log_given=lambda: log_given,
        log_likelihood=log_likelihood,
        features=features(y, se, mu),
    )


def _source(
    model: RandomEffects, data: Data, table: Table, found: Integrated, tau: TauDensity
) -> "Source":
    """What it takes to draw: from the table's own nodes, on its own grid."""
    from ..nodes.draws import Source

    unit, of = _unit(model, data), table.tabled
    grid = Grid(float(unit * of.centre), float(unit * of.step), 2 * (int(of.fourier.shape[1]) - 1))
    return Source(
        model=model,
        data=data,
        tau=tau,
        tau_nodes=found.tau,
        mu_nodes=found.mu,
        mass=found.mass,
        grid=grid,
        graded=np.zeros(data.k, dtype=bool),
        far=float(np.abs(grid.points[[0, -1]]).max()),
    )


def _marginal_of_mu(table: Table, mass: Array) -> MappedDensity:
    mean = float(mass @ table.mu)
    sd = float(np.sqrt(mass @ (table.mu - mean) ** 2))
    support = SupportMap(-np.inf, np.inf, float(table.sd), (float(table.centre),))
    inner = GridDensity.of(table.v, mass / (table.v[1] - table.v[0]))
    return MappedDensity(inner, support, (mean, sd))


def _marginal_of_tau(model: RandomEffects, data: Data, table: Table) -> TauDensity:
    _, _, to_series = fejer(table.tau.size)
    mass = table.mass.sum(axis=1)
    raw = np.array([mass @ table.tau, mass @ table.tau**2])
    moments = moments_of_tau(model.tau, telling(model.likelihood, data), mu=model.mu)
    place = (float(table.low), float(table.scale), float(table.end))
    return TauDensity(*place, to_series @ table.density, raw, moments)
