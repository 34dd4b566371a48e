"""Exact posteriors of coefficients on counts, on arms, and with Student-t effects.

Given tau and where its effect is expected, a study's likelihood is a smooth function of one number,
``x @ coefficients``, which is tabulated on a uniform grid as without covariates. The integral over
the coefficients is then one over few dimensions, whatever the number of studies: a lattice at each
tau that places itself where the posterior is.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ...errors import ModelError
from ...model import COEFFICIENT, Data, Model
from ...posterior import Check, Deferred, Diagnostics, Marginals, Nodes, Posterior
from ...priors import Prior, log_density_of_tau
from ...studies import name_rows
from ...ways import way
from .._cautions import cautions
from ..exact.null import log_evidence_without_effect, log_evidence_without_spread
from ..exact.propriety import moments_of_coefficients
from ..exact.reach import FARTHEST_TAU, Reach
from ..exact.tau_nodes import evidence, support_of_tau
from ..likelihood.rough import kinked, telling
from ..nodes.combinations import Combinations, Rule
from ..nodes.even import even
from .lattice import ball, shell
from .linear import Problem
from .passes import STEPS, TOLERANCE, Pass, df_of, rough
from .untold import Beside

if TYPE_CHECKING:
    from ..nodes.draws import Ground

type Array = NDArray[np.float64]
type OfOneEffect = Callable[[Model, Data], Posterior]
MOST_COEFFICIENTS = 4  # a lattice of more has a million points
FAINT = 40.0  # log density below the highest, beyond which nothing is expected
MOST_NODES = 500  # of coefficients at one tau, that are handed out
WIDENINGS = 12  # of grid and tau, at most


class NotReachedError(ModelError):
    """Integration would not be as good as it says; draws are.

    Attributes
    ----------
    why : str
        What stands in its way.
    """

    def __init__(self, why: str, instead: str = "") -> None:
        super().__init__(f"The exact engine {why}; use {way('nuts')}{instead}.")
        self.why = why


def too_many(priors: Sequence[Prior]) -> str:
    """Say why there are too many coefficients to integrate over; empty if there are not."""
    if len(priors) <= MOST_COEFFICIENTS:
        return ""
    return (
        f"The exact engine integrates over {MOST_COEFFICIENTS} coefficients of counts or arms at "
        f"most, and there are {len(priors)}; use {way('nuts')}."
    )


def integrate_regression(model: Model, data: Data, of_one_effect: OfOneEffect) -> Posterior:
    """Return the posterior, refined until two passes agree.

    What no study says anything of is left out of it and put beside it; a model of one overall
    effect goes to `of_one_effect`.

    Raises
    ------
    NotReachedError
        If they do not, or a study's likelihood has a corner, which no uniform grid resolves.
    """
    problem = Problem.of(model, data)
    told = problem.told
    if problem.one_effect is not None:
        return Beside(problem, told, of_one_effect(problem.plain, data)).posterior()
    if told.all() or not told.any():
        return _posterior(*_integrated(problem))
    return Beside(problem, told, _posterior(*_integrated(problem.only(told)))).posterior()


def log_evidence_at_zero(parameter: str, model: Model, data: Data) -> float:
    """As ``linear.log_evidence_at_zero``, of counts, arms and Student-t effects.

    Raises
    ------
    NotReachedError
        As of ``integrate_regression``.
    """
    problem = Problem.of(model, data)
    if problem.one_effect is not None:
        return _of_one_effect(parameter, problem)
    problem = problem.without(parameter)
    return _integrated(problem.only(problem.told))[0].log_z


def _of_one_effect(parameter: str, problem: Problem) -> float:
    """As without covariates; a coefficient that nothing is said of may as well be at zero."""
    plain = problem.plain
    if parameter == "tau":
        return log_evidence_without_spread(plain, problem.data)
    told = problem.only(problem.told).names
    if parameter == f"{COEFFICIENT}[{told[0]}]":
        return log_evidence_without_effect(plain, problem.data)
    return _integrated(problem.only(problem.told))[0].log_z


def _integrated(problem: Problem) -> tuple[Pass, float]:
    """The first pass that agrees with the one before, and how far they are apart."""
    model, data = problem.model, problem.data
    corner = kinked(model.likelihood, data)
    if corner.any():
        raise NotReachedError(
            "does not integrate over covariates where all or none of an arm have the event, as in "
            f"{name_rows(data.study, corner)}, and the effect is a risk ratio or difference",
            ", or the odds ratio",
        )
    reach, expected = _first_reach(problem), partial(rough, problem)
    coarse = Pass.at(0, problem, reach, expected)
    for _ in range(WIDENINGS):
        wider = coarse.wider()
        if wider == coarse.reach and coarse.held:
            break
        coarse = Pass.at(0, problem, wider, coarse.expected)
    for number in range(1, len(STEPS)):
        fine = Pass.at(number, problem, coarse.reach, coarse.expected)
        error = fine.distance(coarse)
        coarse = fine
        if error <= TOLERANCE:
            return fine, error
    raise NotReachedError("does not reach its tolerance of coefficients on these data")


def _first_reach(problem: Problem) -> Reach:
    """Where a rough normal posterior ends, with room."""
    if not problem.spread:
        t = np.zeros(1)
    else:
        low, high = support_of_tau(problem.tau)
        unit = max(float(np.ptp(problem.y)), float(problem.se.max()))
        t = low + min(high - low, FARTHEST_TAU * unit) * np.geomspace(1e-4, 1, 120)
    given = problem.given(t)
    log_p = logsumexp(given.log_weight, axis=1)
    if t.size > 1:
        log_p = log_p + log_density_of_tau(problem.tau, t, problem.se) + np.log(t)
    alive = log_p > log_p.max() - FAINT
    room = np.sqrt(2 * (FAINT + log_p[alive] - log_p.max()))[:, None, None]
    x = problem.design
    mean = given.mean[alive] @ x.T  # (t, g, k)
    sd = np.sqrt(np.einsum("tgab,ka,kb->tgk", given.covariance[alive], x, x))
    far = min(1.3 * float(t[alive].max()), support_of_tau(problem.tau)[1]) if t.size > 1 else 0.0
    return Reach(float((mean - room * sd).min()), float((mean + room * sd).max()), far)


def _posterior(found: Pass, error: float) -> Posterior:
    """Collect the marginals of a pass; all but tau's are computed when asked for."""
    problem, model, grid = found.problem, found.problem.model, found.smearing.grid
    k = telling(model.likelihood, problem.data)
    every = Combinations(
        rules=tuple(map(Rule, found.placed.first, found.placed.second, found.mass, found.tau_at)),
        log_post=found.log_posteriors(),
        said=found.said,
        lattice=partial(ball, step=STEPS[found.number]),
        df=df_of(model),
        tau=found.tau,
        moments=moments_of_coefficients(model, problem.priors, k, problem.design),
    )
    names = problem.names
    rows = np.eye(len(names))
    marginals: dict[str, object] = {
        "coefficient": lambda: Marginals(names, tuple(every.of(row) for row in rows), "coefficient")
    }
    if found.tau is not None:
        marginals["tau"] = found.tau
        marginals["theta"] = lambda: every.effects(problem.data.study, problem.design, found.own)
    check = Check("quadrature error", "shares of an SD", error, TOLERANCE, at_most=True)
    return Posterior(
        model=model,
        data=problem.data,
        engine=f"Quadrature(), {found.tau_at.size} nodes × {grid.size} grid points",
        marginals=Deferred(marginals),  # pyright: ignore[reportArgumentType]
        diagnostics=Diagnostics((check,)),
        sample=partial(_draws, every, partial(_ground, found)),
        sample_shared=every.draw,
        nodes=_nodes(found, every),
        linear=every.of,
        cautions=cautions(model, problem.data),
        log_marginal_likelihood=evidence(model, found.log_z),
    )


def _nodes(found: Pass, every: Combinations) -> Callable[[], Nodes] | None:
    """Coefficients and tau as nodes; None where there would be too many, or no tau."""
    points = ball(len(found.problem.names), STEPS[0])
    if found.tau is None or len(points) > MOST_NODES:
        return None
    return partial(every.nodes, points, shell(points))


def _ground(found: Pass) -> "tuple[Ground, Array] | None":
    """What it takes to draw the studies' effects, and the design; None where they have none."""
    from ..nodes.draws import Ground

    if found.tau is None:
        return None
    problem, grid = found.problem, found.smearing.grid
    ground = Ground(
        model=problem.model,  # pyright: ignore[reportArgumentType]
        data=problem.data,
        tau=found.tau,
        grid=grid,
        graded=np.zeros(problem.data.k, dtype=bool),
        far=float(np.abs(grid.points[[0, -1]]).max()),
    )
    return ground, problem.design


def _draws(
    every: Combinations,
    ground: Callable[[], "tuple[Ground, Array] | None"],
    n: int | None,
    seed: int,
) -> Mapping[str, Array]:
    """Joint draws with one chain in front; study effects by inversion of their law given these."""
    from ..nodes.draws import place_effects

    found, on = every.draw(n or 4000, seed), ground()
    if on is not None:
        studies, design = on
        u = even(n or 4000, 2 * len(design), seed + 1)
        expected = found["coefficient"] @ design.T
        found = {**found, **place_effects(studies, expected, found["tau"], u)}
    return {name: values[None] for name, values in found.items()}
