"""One table of counts by the program of fixed sizes: milliseconds, where its error allows it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple, final

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
from .grid_size import fast_size
from .placement import Placement, measured
from .program import (
    DENSE,
    FINEST,
    SPARSE,
    WIDE,
    Density,
    Rough,
    Size,
    Table,
    integrand,
    posterior,
    reach_of_grid,
)
from .propriety import moments_of_tau
from .tau_nodes import evidence, fejer, scale_of_log, support_of_tau

if TYPE_CHECKING:
    from ..nodes.draws import Source

type Array = NDArray[np.float64]

DENSER = 4  # times as many nodes of mu, where effects are narrower than these are apart
TOLERANCE = 1e-5  # of the estimated error, in posterior SDs
MISSED, UNSEEN = 4, 1e-10  # last frequencies of mu's densities, and what they carry at most
LOOKS = 6  # at most, for where nodes belong
PLACED = 1e-4  # of the error, below which a finer rule is told where to look
COARSE, FINER = 0.5, 3.0  # times as fine a grid: for a look, and where nothing else was enough
LAST = SPARSE._replace(theta=121, width=13.0)
MANY = 20  # studies, from which a look comes before a finer rule: estimates mislead together
FINE, GRIDS = (
    0.2,
    (192, 2**15),
)  # steps of a grid in the least standard error, and how many there are


def integrate_fast(model: RandomEffects, data: Data) -> Posterior | None:
    """Return the posterior if the program of fixed sizes is good enough for it, else None."""
    table = fast_table(model, data)
    return None if table is None else _posterior(model, data, table)


def fast_table(model: RandomEffects, data: Data) -> Table | None:
    """As `integrate_fast`, the posterior at its nodes."""
    of = model.likelihood
    if not serves(model) or of.closed or kinked(of, data).any():
        return None
    sparse = of.counted and zeros(data.numbers).any()
    sizes = (SPARSE,) if sparse else (DENSE, WIDE, SPARSE)
    with np.errstate(all="ignore"):  # what goes wrong shows in the error
        every = _tables(model, data, sizes)
        return next((one for one in every if one.error <= TOLERANCE), None)


def _tables(model: RandomEffects, data: Data, sizes: Sequence[Size]) -> Iterator[Table]:
    """Integrate at one size after the other; then look where nodes belong, and how many."""
    at = Integrator.of(model, data)
    few = at.y.size <= MANY
    table = at(sizes[0] if few else DENSE)
    yield table
    for size in sizes[1:] if few else ():
        if at.resolves(table, size):
            table = at(size)
            yield table
    yield from _looks(at, table, sizes)


def _looks(at: "Integrator", table: Table, sizes: Sequence[Size]) -> Iterator[Table]:
    """Look where nodes belong, at little cost, and integrate there."""
    for _ in range(LOOKS):
        place = at.measured(table, sizes[0].cut)
        if place is None:
            return
        table = at(DENSE, place, COARSE)
        if DENSE in sizes:
            yield table
        if table.placed <= PLACED:
            break
    rest = [(size, 1.0) for size in sizes if size is not DENSE]
    for size, finer in (*rest, (LAST, FINER)):
        place = at.measured(table, size.cut)
        if place is None:
            return
        table = at(size, place, finer)
        yield table


def serves(model: RandomEffects) -> bool:
    """Whether the program knows the model: normal effects, a prior of mu that looks like one.

    Its nodes of tau lie where the data are, and do not see a prior at every power of ten.
    """
    mu = isinstance(model.overall, Normal) or (
        isinstance(model.overall, StudentT) and model.overall.df >= 3
    )
    return mu and model.df is None and not scale_of_log(model.tau_prior)


def zeros(columns: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Where nobody or everybody in an arm has the event: the baseline has far tails there."""
    names = list(columns)
    found = np.zeros(columns[names[0]].shape, dtype=bool)
    for events, size in zip(names[::2], names[1::2], strict=True):
        found |= columns[events] == 0
        found |= columns[events] == columns[size] if size.startswith("n") else False
    return found


@final
@dataclass(frozen=True, slots=True, eq=False)
class Integrator:
    """One table in units of about four standard errors: the program's steps are of logits.

    Studies that say the same are tabulated once; `many` is how many say so.
    """

    model: RandomEffects
    data: Data
    unit: float
    y: Array
    se: Array
    many: Array
    low: float
    high: float

    @classmethod
    def of(cls, model: RandomEffects, data: Data) -> "Integrator":
        """Look at a table in the program's unit."""
        first, _, many = distinct(model, data)
        unit, kept = _unit(model, data), data.keep(first) if many.max() > 1 else data
        y, se = rough_effects(model.likelihood, kept)
        low, high = (float(end) / unit for end in support_of_tau(model.tau_prior))
        return cls(model, kept, unit, y / unit, se / unit, many, low, high)

    def __call__(self, size: Size, place: Placement | None = None, finer: float = 1) -> Table:
        """Integrate, by default where the estimates say; else with as many nodes as it takes."""
        model, unit = self.model, self.unit
        if place is not None:
            least = 2 * reach_of_grid(np, place.rough, self.se, self.many) / self.se.min()
            grid = fast_size(float(np.clip(finer * least / FINE, *GRIDS)))
            tau, mu = max(size.tau, place.tau_nodes), max(size.mu, place.mu_nodes)
            size = size._replace(tau=tau, mu=mu, grid=grid)
        found = posterior(
            np,
            size,
            self.y,
            self.se,
            self.many,
            at_own_nodes(model.likelihood, self.data, Rule(size.beta, size.tails), unit),
            _in_unit(model.overall, unit),
            _in_unit(model.tau_prior, unit),
            list(model.overall.numbers.values())[-1] / unit,
            self.low,
            self.high,
            None if place is None else place.rough,
        )
        lengths = ("centre", "sd", "mu", "tau", "low", "scale")
        return found._replace(**{name: unit * getattr(found, name) for name in lengths})

    def resolves(self, table: Table, size: Size) -> bool:
        """Whether the grid of a size is fine enough, as far as the last one reached."""
        reach = table.tabled.step * (table.tabled.fourier.shape[1] - 1)
        return bool(2 * reach / size.grid <= FINEST * self.se.min())

    def measured(self, table: Table, cut: float) -> Placement | None:
        """Where nodes belong by what was found, in the program's unit, if it was."""
        found = measured(table, cut, self.unit * (self.high - self.low))
        if found is None:
            return None
        return found._replace(rough=Rough(*(part / self.unit for part in found.rough)))


class Distinct(NamedTuple):
    """Studies that say the same.

    Which are the first with their numbers and which of these each is like, both (k,), and how many
    are like each of these.
    """

    first: NDArray[np.bool_]
    like: NDArray[np.intp]
    many: Array


def distinct(model: RandomEffects, data: Data) -> Distinct:
    """Find studies of the same counts; where numbers may be missing each is one of its own."""
    if not model.likelihood.counted:
        return Distinct(np.ones(data.k, dtype=bool), np.arange(data.k), np.ones(data.k))
    columns = np.array([*data.numbers.values()])
    _, at, like, many = np.unique(
        columns, axis=1, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(at)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    first = np.zeros(data.k, dtype=bool)
    first[at] = True
    return Distinct(first, rank[like.ravel()], many[order].astype(np.float64))


def _unit(model: RandomEffects, data: Data) -> float:
    if model.likelihood.counted:
        return 1.0
    return 4 * float(np.median(rough_effects(model.likelihood, data)[1]))


def _in_unit(prior: Prior, unit: float) -> Density:
    return lambda x: log_density(prior, unit * x) + np.log(unit)


def _posterior(model: RandomEffects, data: Data, table: Table) -> Posterior:
    from ..nodes.draws import draw, draw_shared

    check = Check(
        "quadrature error", "shares of an SD", float(table.error), TOLERANCE, at_most=True
    )
    log_z = float(table.log_z + left_out(model.likelihood, data).sum())
    mu, tau = marginals_of(model, data, table)
    found = cache(partial(integrated, model, data, table, mu, tau))
    ahead = cache(partial(for_new, model, data, table, mu, tau, found))
    drawn = cache(lambda: _source(model, data, table, found(), tau))
    return Posterior(
        model=model,
        data=data,
        engine=name_of(table),
        marginals=Deferred(
            {
                "mu": mu,
                "tau": tau,
                "theta": lambda: found().effects,
                "theta_new": lambda: ahead().new,
            }
        ),
        diagnostics=Diagnostics(
            (check,),
            new=cache(lambda: ahead().check_of_new(TOLERANCE)),
            later=cache(lambda: (found().check_of_effects(TOLERANCE),)),
        ),
        sample=lambda n, seed: draw(drawn(), n, seed),
        sample_shared=lambda n, seed: draw_shared(drawn(), n, seed),
        cautions=cautions(model, data),
        log_marginal_likelihood=evidence(model, log_z),
        nodes=lambda: Nodes.on_grid({"tau": table.tau, "mu": table.mu}, table.mass),
    )


def name_of(table: Table) -> str:
    """Name the engine, and how many nodes it took."""
    return f"Quadrature(), {table.tau.size} × {table.mu.size} nodes"


def marginals_of(
    model: RandomEffects, data: Data, table: Table
) -> tuple[MappedDensity, TauDensity]:
    """Marginal posteriors of mu and tau."""
    return _marginal_of_mu(table, table.mass.sum(axis=0)), _marginal_of_tau(model, data, table)


def integrated(
    model: RandomEffects, data: Data, table: Table, mu: MappedDensity, tau: TauDensity
) -> Integrated:
    """What it takes to get at the effects: at more nodes of mu, which see those that are narrow."""
    v = np.linspace(table.v[0], table.v[-1], DENSER * table.v.size)
    with np.errstate(all="ignore"):
        log_mu = _in_unit(model.overall, _unit(model, data))
        _, log_given, joint = integrand(np, table.tabled, log_mu, v)
    mass = np.exp(joint - joint.max())
    like = distinct(model, data).like
    return _at_nodes(model, data, table, mu, tau)(
        u=v, mu=mu.support.value(v), mass=mass / mass.sum(), log_given=lambda: log_given[:, like]
    )


def for_new(
    model: RandomEffects,
    data: Data,
    table: Table,
    mu: MappedDensity,
    tau: TauDensity,
    found: Callable[[], Integrated],
) -> Integrated:
    """What it takes to get at a new effect: more nodes of mu without a look at the studies.

    Its density between the nodes is their Fourier series, where that has ended before their own
    frequency; else as for the studies' effects.
    """
    spectra = np.fft.rfft(table.mass, axis=1)
    count = table.v.size
    if count % 2 or np.abs(spectra[:, -MISSED:]).max() > UNSEEN:
        return found()
    mass = np.fft.irfft(spectra, DENSER * count, axis=1).clip(0.0)
    v = table.v[0] + (table.v[1] - table.v[0]) / DENSER * np.arange(DENSER * count)
    return _at_nodes(model, data, table, mu, tau)(
        u=v, mu=mu.support.value(v), mass=mass / mass.sum(), log_given=_not_looked_at
    )


def _not_looked_at() -> Array:
    raise AssertionError("the effects of studies take a look at their likelihoods")


def _at_nodes(
    model: RandomEffects, data: Data, table: Table, mu: MappedDensity, tau: TauDensity
) -> "partial[Integrated]":
    y, se = rough_effects(model.likelihood, data)
    own = left_out(model.likelihood, data)

    def log_likelihood(theta: Array) -> Array:
        return log_likelihoods(model.likelihood, data, Places(tuple(theta)), SPACING) - own[:, None]

    return partial(
        Integrated,
        study=data.study,
        df=None,
        support=mu.support,
        tau=table.tau,
        moments_of_tau=(float(tau.raw[1]), tau.moments),
        bounded=vanishing(model.likelihood, data),
        log_likelihood=log_likelihood,
        features=features(y, se, mu),
    )


def _source(
    model: RandomEffects, data: Data, table: Table, found: Integrated, tau: TauDensity
) -> "Source":
    """What it takes to draw: from the table's own nodes, on its own grid."""
    from ..nodes.draws import Ground, Source

    unit, of = _unit(model, data), table.tabled
    grid = Grid(float(unit * of.centre), float(unit * of.step), 2 * (int(of.fourier.shape[1]) - 1))
    smooth, far = np.zeros(data.k, dtype=bool), float(np.abs(grid.points[[0, -1]]).max())
    return Source(
        ground=Ground(model=model, data=data, tau=tau, grid=grid, graded=smooth, far=far),
        tau_nodes=found.tau,
        mu_nodes=found.mu,
        mass=found.mass,
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
    moments = moments_of_tau(model.tau_prior, telling(model.likelihood, data), mu=model.overall)
    place = (float(table.low), float(table.scale), float(table.end))
    return TauDensity(*place, to_series @ table.density, raw, moments)
