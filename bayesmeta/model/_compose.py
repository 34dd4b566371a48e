"""From a likelihood, a location and a spread to the model that people write."""

from dataclasses import fields, replace

from ..errors import ModelError
from ..priors import Prior
from ._base import Model
from ._continuous import ContinuousCommonEffect, ContinuousNormal
from ._counts import (
    BetaBinomial,
    BinomialNormal,
    HypergeometricNormal,
    IncidenceNormal,
    PoissonNormal,
    ProportionNormal,
)
from ._estimates import CommonEffect, NormalNormal, OutlierMixture
from ._multivariate import MultivariateNormal
from .likelihood import (
    Arms,
    Binomial,
    CorrelatedEstimates,
    Estimates,
    Hypergeometric,
    Incidence,
    Likelihood,
    Overdispersed,
    Poisson,
    Proportion,
)
from .location import EachOutcome, Location, Overall
from .predictor import Predictor
from .spread import (
    CorrelatedSpread,
    NormalSpread,
    NoSpread,
    OutlierSpread,
    Spread,
    SpreadByGroup,
    StudentTSpread,
)

_SCATTERED: dict[type[Likelihood], type[Model]] = {
    Estimates: NormalNormal,
    Binomial: BinomialNormal,
    Hypergeometric: HypergeometricNormal,
    Poisson: PoissonNormal,
    Proportion: ProportionNormal,
    Incidence: IncidenceNormal,
    Arms: ContinuousNormal,
}
_SPELLED: dict[tuple[type[Likelihood], type[Spread]], type[Model]] = {
    **{(one, NormalSpread): name for one, name in _SCATTERED.items()},
    **{(one, StudentTSpread): name for one, name in _SCATTERED.items()},
    **{(one, SpreadByGroup): name for one, name in _SCATTERED.items()},
    (Estimates, NoSpread): CommonEffect,
    (Arms, NoSpread): ContinuousCommonEffect,
    (Overdispersed, NoSpread): BetaBinomial,
    (Estimates, OutlierSpread): OutlierMixture,
    (CorrelatedEstimates, CorrelatedSpread): MultivariateNormal,
}
_LOCATED: dict[type[Model], type[Location]] = {MultivariateNormal: EachOutcome}
_WORDS: dict[type[Spread], str] = {
    NoSpread: "one effect for all studies",
    NormalSpread: "normal study effects",
    StudentTSpread: "Student-t study effects",
    SpreadByGroup: "study effects with a spread for each group",
    OutlierSpread: "a share of outlying studies",
    CorrelatedSpread: "correlated outcomes",
}


def spellings(likelihood: type[Likelihood]) -> tuple[str, ...]:
    """Names of the models that a likelihood goes with, random effects first."""
    names = (name.__name__ for (one, _), name in _SPELLED.items() if one is likelihood)
    return tuple(dict.fromkeys(names))


def compose(likelihood: Likelihood, location: Location, spread: Spread) -> Model:
    """Return the model of three parts, e.g. with one of them replaced.

    Parameters
    ----------
    likelihood : Likelihood
    location : Location
    spread : Spread

    Raises
    ------
    ModelError
        If no model has these together; with those that the likelihood goes with.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> model = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> compose(model.likelihood, model.location, StudentTSpread(model.tau, 4.0)).df
    4.0
    """
    spelled = _SPELLED.get((type(likelihood), type(spread)))
    if spelled is None:
        known = [_WORDS[kind] for one, kind in _SPELLED if one is type(likelihood)]
        goes = f"; it goes with {' or '.join(known)}" if known else ""
        raise ModelError(
            f"There is no model of {_WORDS.get(type(spread), repr(spread))} with the likelihood "
            f"{type(likelihood).__name__}{goes}."
        )
    if not isinstance(location, _LOCATED.get(spelled, Overall | Predictor)):
        raise ModelError(f"{spelled.__name__} has no such location: {location!r}.")
    given = {
        field.name: getattr(part, field.name)
        for part in (likelihood, spread)
        for field in fields(part)  # pyright: ignore[reportArgumentType]
    }
    given |= location.spelled
    wanted = {field.name for field in fields(spelled)}  # pyright: ignore[reportArgumentType]
    return spelled(**{name: value for name, value in given.items() if name in wanted})


def with_tau(model: Model, tau: Prior) -> Model:
    """Return the model with another prior of the between-study SD, which it must have."""
    changed = replace(model.between, tau=tau)  # pyright: ignore
    return compose(model.likelihood, model.location, changed)  # pyright: ignore
