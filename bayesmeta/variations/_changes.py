"""What could have been decided otherwise: for each decision the model or the data that change."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial, singledispatch
from typing import NamedTuple

import numpy as np

from ..effects import ATANH_RD
from ..errors import BayesmetaError, ModelError
from ..model import (
    Arms,
    Binomial,
    ByGroup,
    CorrelatedEstimates,
    Data,
    Estimates,
    Exchangeable,
    Hypergeometric,
    Incidence,
    Likelihood,
    Linear,
    Location,
    Model,
    NormalSpread,
    NoSpread,
    Overall,
    Overdispersed,
    Poisson,
    Predictor,
    Proportion,
    Scatter,
    SpreadByGroup,
    StudentTSpread,
    compose,
    with_tau,
)
from ..posterior import Posterior
from ..priors import Normal, Prior, from_library, published_priors, rescaled
from ..reading import estimates_of
from ..studies import Account
from ..summaries import scale_of

FACTORS = {"half as wide": 0.5, "twice as wide": 2.0}  # what tighter and wider are
DF = 4.0  # of Student-t effects: as heavy tails as still have a variance with room to spare
NARROW, VAGUE = Normal(0, 2.5), Normal(0, 10)  # of baselines: mostly 1 to 99 %, and anything
OPPOSITE = {"OR": "RR", "RR": "OR"}


class Kind(StrEnum):
    """What is changed."""

    BASE = "base case"
    TAU = "prior of tau"
    MU = "prior of mu"
    INTERCEPT = "prior of the intercept"
    SLOPES = "prior of slopes"
    GROUPS = "prior of the groups"
    LIKELIHOOD = "likelihood"
    CODING = "coding"
    BASELINE = "prior of the baselines"
    EFFECTS = "distribution of the effects"
    MEASURE = "measure"
    ROWS = "rows"
    WITHOUT = "trial left out"


class Change(NamedTuple):
    """One decision made otherwise: what is fitted then."""

    kind: Kind
    name: str
    note: str
    model: Model
    data: Data


class Fitted(NamedTuple):
    """A scenario that has been fitted."""

    kind: Kind
    name: str
    note: str
    posterior: Posterior


class NotMade(NamedTuple):
    """One that the data or the engines do not carry, and why."""

    kind: Kind
    name: str
    why: str


type Found = Iterator[Change | NotMade]


def asked_for(change: Change | Fitted) -> tuple[Model, Data]:
    """The model and data of a change."""
    if isinstance(change, Fitted):
        return change.posterior.model, change.posterior.data
    return change.model, change.data


def changes(base: Posterior, priors: Mapping[str, Prior]) -> Found:
    """Every decision that can be made otherwise, in the order of the table.

    Parameters
    ----------
    base : Posterior
    priors : mapping of str to Prior
        Further priors of tau, by what they are called.

    Raises
    ------
    ModelError
        If the model is of several outcomes.
    """
    model, data = base.model, base.data
    yield from _priors_of_tau(base, priors)
    yield from _priors_of_effects(model.location, base)
    yield from _of_likelihood(model.likelihood, model, data)
    yield from _effects(model, data)
    yield from _without(model, data)


def _priors_of_tau(base: Posterior, priors: Mapping[str, Prior]) -> Found:
    model, data = base.model, base.data
    between = model.between
    if isinstance(between, SpreadByGroup):
        yield from _taus_of_groups(between, model, data)
        return
    tau = getattr(between, "tau", None)
    if not isinstance(tau, Prior):
        return
    asked = [(one, name) for name, one in priors.items()]
    for other, note in [*_wider(tau), *_published("tau", base), *asked]:
        name = f"tau ~ {other.rounded}"
        if other != tau:
            yield Change(Kind.TAU, name, note, with_tau(model, other), data)
    if not _wider(tau):
        yield NotMade(Kind.TAU, "tau tighter and wider", f"{tau!r} has no scale")


def _taus_of_groups(between: SpreadByGroup, model: Model, data: Data) -> Found:
    """The tau of each group with another prior, and one for all."""
    own = between.tau
    for other, note in _wider(own.prior):
        changed = replace(between, tau=replace(own, prior=other))
        name = f"tau of each ~ {other.rounded}"
        yield Change(Kind.TAU, name, note, compose(model.likelihood, model.location, changed), data)
    one = compose(model.likelihood, model.location, NormalSpread(own.prior))
    yield Change(Kind.TAU, "one tau for all groups", "", one, data)


@singledispatch
def _priors_of_effects(location: Location, base: Posterior) -> Found:
    raise ModelError(f"No scenarios are known of the location {type(location).__name__}.")


@_priors_of_effects.register
def _(location: ByGroup, base: Posterior) -> Found:
    return _moved(
        Kind.GROUPS, "each group", location.prior, base, lambda one: replace(location, prior=one)
    )


@_priors_of_effects.register
def _(location: Linear, base: Posterior) -> Found:
    slopes = location.slopes

    def with_slope(name: str, one: Prior) -> Linear:
        assert isinstance(slopes, Mapping)
        return _linear(location, slopes={**slopes, name: one})

    if isinstance(slopes, Prior):
        yield from _moved(
            Kind.SLOPES, "slopes", slopes, base, lambda one: _linear(location, slopes=one)
        )
    elif slopes is not None:
        for name, prior in slopes.items():
            yield from _moved(Kind.SLOPES, name, prior, base, partial(with_slope, name))
    yield from _moved(
        Kind.INTERCEPT,
        "intercept",
        location.intercept,
        base,
        lambda one: _linear(location, intercept=one),
    )


def _linear(location: Linear, **changed: object) -> Linear:
    asked = {name: getattr(location, name) for name in ("intercept", "slopes", "centre", "scale")}
    return Linear(location.formula, **asked | changed)  # pyright: ignore[reportArgumentType]


def _moved(
    kind: Kind, name: str, prior: Prior, base: Posterior, make: Callable[[Prior], Location]
) -> Found:
    """The model with this prior of coefficients tighter and wider."""
    model = base.model
    for other, note in _wider(prior):
        changed = compose(model.likelihood, make(other), model.between)
        yield Change(kind, f"{name} ~ {other.rounded}", note, changed, base.data)
    if not _wider(prior):
        yield NotMade(kind, f"{name} tighter and wider", f"{prior!r} has no scale")


@_priors_of_effects.register
def _(location: Overall, base: Posterior) -> Found:
    model, data = base.model, base.data
    mu = model.overall
    for other, note in [*_wider(mu), *_published("mu", base)]:
        if other == mu:
            continue
        changed = compose(model.likelihood, Overall(other), model.between)
        yield Change(Kind.MU, f"mu ~ {other.rounded}", note, changed, data)
    if not _wider(mu):
        yield NotMade(Kind.MU, "mu tighter and wider", f"{mu!r} has no scale")


def _published(parameter: str, base: Posterior) -> list[tuple[Prior, str]]:
    """Published priors of this measure that were made for no outcome or field in particular."""
    scale = scale_of(base)
    if scale == ATANH_RD:  # they are of the difference itself
        return []
    every = [one for one in published_priors().values() if one.measure == scale.name]
    general = [one for one in every if not (one.outcome or one.comparison or one.area)]
    return [
        (from_library(one.key), f"{one.key}: {one.citation} {one.table}")
        for one in general
        if one.parameter == parameter
    ]


def _wider(prior: Prior) -> list[tuple[Prior, str]]:
    """The prior tighter and wider, with what was done; nothing where it has no scale."""
    every = [(rescaled(prior, factor), said) for said, factor in FACTORS.items()]
    return [(one, said) for one, said in every if one is not None]


@singledispatch
def _of_likelihood(of: Likelihood, model: Model, data: Data) -> Found:
    raise ModelError(f"No scenarios are known of the likelihood {type(of).__name__}.")


@_of_likelihood.register
def _(of: Estimates | CorrelatedEstimates, model: Model, data: Data) -> Found:
    return iter(())


@_of_likelihood.register
def _(of: Arms | Proportion | Incidence, model: Model, data: Data) -> Found:
    yield _two_stage(model, data)


@_of_likelihood.register
def _(of: Overdispersed, model: Model, data: Data) -> Found:
    yield NotMade(Kind.LIKELIHOOD, "two stages", "the beta-binomial has one effect and pools arms")


@_of_likelihood.register
def _(of: Poisson, model: Model, data: Data) -> Found:
    yield _two_stage(model, data)
    yield from _baselines(of, of.baseline, model, data)


@_of_likelihood.register
def _(of: Hypergeometric, model: Model, data: Data) -> Found:
    yield _two_stage(model, data)
    yield _other_likelihood(Binomial("OR", VAGUE), "binomial", model, data)
    yield _measure(Binomial("RR", VAGUE), model, data)


@_of_likelihood.register
def _(of: Binomial, model: Model, data: Data) -> Found:
    yield _two_stage(model, data)
    if of.measure == "RD":
        why = "priors of a risk difference are none of a log ratio"
        yield NotMade(Kind.LIKELIHOOD, "hypergeometric", "it is of the odds ratio; " + why)
        yield NotMade(Kind.MEASURE, "OR and RR, carried to RD", why)
    else:
        yield _other_likelihood(Hypergeometric(), "hypergeometric", model, data)
    if of.measure == "OR":
        other = "zero_one" if of.coding == "half" else "half"
        changed = compose(replace(of, coding=other), model.location, model.between)
        yield Change(Kind.CODING, f"coding {other}", changed.likelihood.in_words, changed, data)
    yield from _baselines(of, of.baseline, model, data)
    if of.measure in OPPOSITE:
        yield _measure(replace(of, measure=OPPOSITE[of.measure], coding="half"), model, data)


def _two_stage(model: Model, data: Data) -> Change | NotMade:
    """The normal likelihood of estimates with their standard errors."""
    try:
        estimates = estimates_of(data, model.likelihood.measure)
    except BayesmetaError as error:
        return NotMade(Kind.LIKELIHOOD, "two stages", str(error).rstrip("."))
    changed = compose(Estimates(), model.location, model.between)
    note = "; ".join(["normal estimates with known standard errors", *_done(estimates.account)])
    return Change(Kind.LIKELIHOOD, "two stages", note, changed, estimates)


def _done(account: Account) -> Iterator[str]:
    """What two stages do to the studies."""
    for how in dict.fromkeys(account.added.values()):
        yield f"{how} of {', '.join(k for k, v in account.added.items() if v == how)}"
    if account.dropped:
        yield f"without {', '.join(one.study for one in account.dropped)}"


def _other_likelihood(of: Likelihood, name: str, model: Model, data: Data) -> Change:
    changed = compose(of, model.location, model.between)
    note = "the total of each table is given" if name == "hypergeometric" else "two arms"
    return Change(Kind.LIKELIHOOD, f"{name}, OR", note, changed, data)


def _baselines(
    of: Binomial | Poisson, baseline: Prior | Exchangeable, model: Model, data: Data
) -> Found:
    """Baselines from a narrower prior, or from the vague one."""
    wide = isinstance(baseline, Normal) and baseline.sd > NARROW.sd
    other = NARROW if wide or isinstance(baseline, Exchangeable) else VAGUE
    changed = compose(replace(of, baseline=other), model.location, model.between)
    note = "of each trial's own" if other == NARROW else "vague, of each trial's own"
    yield Change(Kind.BASELINE, f"baselines ~ {other!r}", note, changed, data)


def _measure(of: Binomial, model: Model, data: Data) -> Change:
    changed = compose(of, model.location, model.between)
    mine = model.likelihood.measure
    return Change(Kind.MEASURE, f"{of.measure} constant, told as {mine}", "", changed, data)


def _effects(model: Model, data: Data) -> Found:
    between = model.between
    if isinstance(between, SpreadByGroup):
        why = "each group has a tau of its own"
        yield NotMade(Kind.EFFECTS, "Student-t effects and one common effect", why)
    if not isinstance(between, Scatter):
        return
    if between.df is None:
        other, name = StudentTSpread(between.tau, DF), f"Student-t effects, df {DF:g}"
    else:
        other, name = NormalSpread(between.tau), "normal effects"
    changed = compose(model.likelihood, model.location, other)
    yield Change(Kind.EFFECTS, name, "", changed, data)
    yield _common(model, data)


def _common(model: Model, data: Data) -> Change | NotMade:
    """One effect for all; where the likelihood has no such model, of estimates."""
    name = "common effect"
    try:
        changed = compose(model.likelihood, model.location, NoSpread())
    except ModelError:
        found = _two_stage(model, data)
        if isinstance(found, NotMade):
            return NotMade(Kind.EFFECTS, name, found.why)
        changed = compose(Estimates(), model.location, NoSpread())
        note = "one effect for all, of estimates: this likelihood has no such model"
        return Change(Kind.EFFECTS, f"{name}, two stages", note, changed, found.data)
    return Change(Kind.EFFECTS, name, "one effect for all", changed, data)


def _without(model: Model, data: Data) -> Found:
    """Each trial left out in turn."""
    if data.k < 2:
        yield NotMade(Kind.WITHOUT, "each trial left out", "there is one alone")
        return
    kept, alone = model.kept(data), _alone(model, data)
    for i, study in enumerate(data.study):
        if alone[i]:
            why = "no other study tells of one of the coefficients"
            yield NotMade(Kind.WITHOUT, f"without {study}", why)
            continue
        rest = data.keep(np.arange(data.k) != i)
        yield Change(Kind.WITHOUT, f"without {study}", "", kept, rest)


def _alone(model: Model, data: Data) -> Sequence[bool]:
    """Of each study, whether without it fewer coefficients can be told apart."""
    if not isinstance(model.location, Predictor):
        return [False] * data.k
    x = model.location.design(data).matrix
    rank = np.linalg.matrix_rank(x)
    return [bool(np.linalg.matrix_rank(np.delete(x, i, axis=0)) < rank) for i in range(data.k)]
