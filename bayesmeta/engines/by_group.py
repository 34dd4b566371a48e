"""Effects and spreads of their own in each group: as many posteriors as groups, side by side.

Nothing is shared between the groups, neither parameters nor data, so that the joint posterior is
the product of theirs, whatever the engine.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..model import COEFFICIENT, Data, Model, Overall, Predictor, SpreadByGroup, compose
from ..posterior import (
    Caution,
    Check,
    Deferred,
    Diagnostics,
    Draws,
    GridDensity,
    Marginal,
    Marginals,
    Posterior,
    general_of,
)
from ..priors import Prior
from ..ways import shown

type Array = NDArray[np.float64]
type Fit = Callable[[Model, Data, int], Posterior]

SHARED = {COEFFICIENT: "mu", "tau": "tau"}  # and what one group calls it
OUTSIDE = 1e-10  # probability of either tail that a sum of independent numbers passes over
FINE = 24.0  # points in the narrowest standard deviation
MOST_POINTS = 2**17
NODES = 4001  # of a spline of a density


class Part(NamedTuple):
    """One group: its name, that of its effect, its model, and its studies."""

    level: str
    name: str
    model: Model
    data: Data
    of: NDArray[np.bool_]


def of_one_group(model: Model) -> Model:
    """The model of one of the groups.

    Raises
    ------
    ModelError
        If the groups share more than their priors.
    """
    between, location = model.between, model.location
    assert isinstance(between, SpreadByGroup)
    assert isinstance(location, Predictor)
    if model.likelihood.shares or isinstance(between.df, Prior):
        what = "Exchangeable baselines" if model.likelihood.shares else "Unknown df"
        raise ModelError(
            f"{what} would tie groups together that share nothing else; with tau="
            f"{between.tau!r} give each study its own baseline, and df as a number."
        )
    return compose(model.likelihood, Overall(location.prior_of("", "level")), between.within)


def groups(model: Model, data: Data) -> tuple[Part, ...]:
    """Split data of all groups, each with the model of one.

    Raises
    ------
    ModelError
        If a group has no study.
    """
    one = of_one_group(model)
    assert isinstance(model.location, Predictor)
    design = model.location.design(data)
    found: list[Part] = []
    levels = model.between.entries(model.location, data)
    for level, name, column in zip(levels, design.names, design.matrix.T, strict=True):
        if not column.any():
            raise ModelError(f"No study is left of {name}: nothing is known of its own tau.")
        found.append(Part(level, name, one, data.keep(column > 0), column > 0))
    return tuple(found)


def fit_by_group(model: Model, data: Data, fit: Fit) -> Posterior:
    """Fit each group by itself and lay the posteriors side by side.

    `fit` takes the number of the group too: a sampler needs another seed in each, lest their draws
    move together and differences of groups look better known than they are.
    """
    each = groups(model, data)
    fits = tuple(fit(part.model, part.data, i) for i, part in enumerate(each))
    levels = tuple(part.level for part in each)
    evidence = [one.log_marginal_likelihood for one in fits]
    known = [one for one in evidence if one is not None]
    names = tuple(part.name for part in each)
    marginals: dict[str, object] = {
        COEFFICIENT: Marginals(names, tuple(one["mu"] for one in fits), COEFFICIENT),
        "tau": Marginals(levels, tuple(one["tau"] for one in fits), "group"),
    }
    for name in fits[0].marginals:
        if name not in ("mu", "tau", "theta_new"):
            marginals[name] = partial(_of_studies, name, fits, data)
    engines = dict.fromkeys(one.engine for one in fits)
    return Posterior(
        model=model,
        data=data,
        engine=f"{len(fits)} groups, each by {', '.join(engines)}",
        marginals=Deferred(marginals),  # pyright: ignore[reportArgumentType]
        diagnostics=_together(levels, [one.diagnostics for one in fits]),
        sample=partial(_draws, each, fits),
        sample_shared=None if fits[0].sample_shared is None else partial(_shared, fits),
        cautions=tuple(_named(levels, [one.cautions for one in fits])),
        log_marginal_likelihood=sum(known) if len(known) == len(evidence) else None,
        sample_stats=_statistics([one.sample_stats for one in fits]),
        convergence=dict(chain.from_iterable(map(_rows, each, fits))),
        linear=partial(_linear, names, fits),
    )


def _named(levels: Iterable[str], cautions: Iterable[Iterable[str]]) -> Iterable[str]:
    for level, own in zip(levels, cautions, strict=True):
        for one in own:
            yield Caution(f"{level}: {one}", f"{level}: {general_of(one)}")


def _together(levels: Iterable[str], each: Iterable[Diagnostics]) -> Diagnostics:
    """Checks of all groups."""

    def named(checks: Callable[[Diagnostics], tuple[Check, ...]]) -> tuple[Check, ...]:
        return tuple(
            replace(check, where=f"{level}: {check.where}" if check.where else level)
            for level, own in zip(levels, each, strict=True)
            for check in checks(own)
        )

    return Diagnostics(
        named(lambda own: own.first),
        max(own.attempts for own in each),
        lambda: named(lambda own: own.checks[len(own.first) :]),
    )


def _statistics(each: Sequence[Mapping[str, Array]]) -> Mapping[str, Array]:
    """Of a draw in all groups: whether it diverged in any, and its least acceptance rate."""
    if not all(each):
        return {}
    worst = {"diverging": np.max, "acceptance_rate": np.min}
    return {name: of(_alike([one[name] for one in each]), axis=0) for name, of in worst.items()}


def _of_studies(name: str, fits: tuple[Posterior, ...], data: Data) -> Marginals:
    """What each study has, in the order of the data."""
    found: dict[str, Marginal] = {}
    kind = ""
    for one in fits:
        own = one[name]
        assert isinstance(own, Marginals)
        found |= dict(zip(own.study, own.each, strict=True))
        kind = own.of
    order = data.study if set(found) == set(data.study) else tuple(found)
    return Marginals(order, tuple(found[study] for study in order), kind)


def _rows(part: Part, fit: Posterior) -> Iterable[tuple[str, Mapping[str, float]]]:
    called = {"mu": f"{COEFFICIENT}[{part.name}]", "tau": f"tau[{part.level}]"}
    for name, row in fit.convergence.items():
        if name != "theta_new":
            yield called.get(name, name), row


def _draws(
    each: tuple[Part, ...], fits: tuple[Posterior, ...], n: int | None, seed: int
) -> Mapping[str, Array]:
    drawn = [one.sample(n, seed_of(seed, i)) for i, one in enumerate(fits)]
    together = {name: _alike([one[name] for one in drawn]) for name in drawn[0]}
    found = {called: np.stack(together[own], axis=-1) for called, own in SHARED.items()}
    for name in [one for one in together if one not in ("mu", "tau", "theta_new")]:
        k = sum(int(part.of.sum()) for part in each)
        whole = np.empty((*together[name][0].shape[:-1], k))
        for part, values in zip(each, together[name], strict=True):
            whole[..., part.of] = values
        found[name] = whole
    return found


def _shared(fits: tuple[Posterior, ...], n: int, seed: int) -> Mapping[str, Array]:
    drawn = [one.shared_draws(n, seed=seed_of(seed, i)) for i, one in enumerate(fits)]
    return {name: np.stack([one[own] for one in drawn], axis=1) for name, own in SHARED.items()}


def seed_of(seed: int, i: int) -> int:
    """A seed for each group, so that none draws what another does."""
    return int(np.random.SeedSequence([seed, i]).generate_state(1)[0]) if i else seed


def _linear(
    names: tuple[str, ...], fits: tuple[Posterior, ...], row: Array, *, new: bool = False
) -> Marginal:
    """A weighted sum of the groups' effects; a new study belongs to one group."""
    of = np.flatnonzero(row)
    if of.size == 1 and row[of[0]] == 1:
        return fits[of[0]].at(new=new)
    if new:
        raise ModelError(
            f"A new study belongs to one group, whose tau it has; ask at one of {', '.join(names)}."
        )
    if not of.size:
        raise ModelError(f"All weights are 0; give those of {', '.join(map(shown, names))}.")
    terms = [(float(row[i]), fits[i].at()) for i in of]
    if all(fits[i].exact for i in of):
        return _sum(terms)
    drawn: list[Array] = []
    for weight, one in terms:
        assert isinstance(one, Draws)  # an engine fits all groups, or none
        drawn.append(weight * one.values)
    return Draws(np.sum(_alike(drawn), axis=0), min(_moments(one) for _, one in terms))


def _alike(drawn: Sequence[Array]) -> list[Array]:
    """As many draws of each as of the fewest, (chains, draws, ...): a second attempt takes more."""
    chains, n = (min(one.shape[axis] for one in drawn) for axis in (0, 1))
    return [one[:chains, np.linspace(0, one.shape[1] - 1, n).astype(int)] for one in drawn]


def _sum(terms: list[tuple[float, Marginal]]) -> GridDensity:
    """A weighted sum of independent numbers, by convolution on one grid."""
    from scipy.signal import fftconvolve  # as long to load as all the rest

    ends = [
        sorted(weight * np.asarray(one.quantile([OUTSIDE, 1 - OUTSIDE]))) for weight, one in terms
    ]
    middle = [np.ptp(weight * np.asarray(one.quantile([0.16, 0.84]))) / 2 for weight, one in terms]
    step = max(min(middle) / FINE, sum(high - low for low, high in ends) / MOST_POINTS)
    density, first = np.ones(1), 0.0
    for (weight, one), (low, high) in zip(terms, ends, strict=True):
        x = low + step * np.arange(int((high - low) / step) + 2)
        density = np.maximum(fftconvolve(density, _density(one, x / weight)), 0.0)
        first += low
    x = first + step * np.arange(density.size, dtype=np.float64)
    return GridDensity.of(x, density, moments=min(_moments(one) for _, one in terms))


def _density(one: Marginal, x: Array) -> Array:
    """A smooth density at many points, by a spline over nodes that are dense where it is high."""
    from scipy.interpolate import CubicSpline

    low, middle, high = np.asarray(one.quantile([0.16, 0.5, 0.84]))
    unit = (high - low) / 2
    low, high = np.arcsinh((np.array([x.min(), x.max()]) - middle) / unit)
    u = np.linspace(low, high, NODES)
    known = CubicSpline(u, one.pdf(middle + unit * np.sinh(u)))
    return np.maximum(known(np.arcsinh((x - middle) / unit)), 0.0)


def _moments(one: Marginal) -> int:
    return 2 if np.isfinite(one.sd()) else int(np.isfinite(one.mean()))
