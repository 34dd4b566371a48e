"""What a reader should know about a fit before using it, whatever the engine."""

from collections.abc import Mapping, Sequence
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from ..effects import informative
from ..errors import ModelError
from ..model import (
    Arms,
    Binomial,
    CorrelatedEstimates,
    CorrelatedSpread,
    Data,
    Estimates,
    Likelihood,
    Model,
    MultivariateNormal,
    NoSpread,
    OfCounts,
    OutlierSpread,
    Overdispersed,
    Scatter,
    Spread,
)
from ..multivariate import MultivariateEffects, pairs
from ..posterior import Caution
from ..studies import Studies

FEW = 5
FEW_PAIRS = 10  # studies that report both; Riley et al. 2007, BMC Med Res Methodol 7:3
CALLED_OUTLIER = 0.5  # probability above which a study is called an outlier


def of_outliers(draws: Mapping[str, NDArray[np.float64]], study: Sequence[str]) -> tuple[str, ...]:
    """Name the studies that are called outliers."""
    if "outlier" not in draws:
        return ()
    probs = draws["outlier"].mean(axis=(0, 1))
    return tuple(
        f"Study {name} is called an outlier, with probability "
        f"{f'{prob:.3f}' if prob < 0.9995 else 'above 0.999'}."
        for name, prob in zip(study, probs, strict=True)
        if prob > CALLED_OUTLIER
    )


def cautions(model: Model, data: Data) -> tuple[str, ...]:
    """Say where the answer rests on the priors more than on the data."""
    return (
        *model.location.untold(data),
        *_of_spread(model.between, model, data),
        *_of_likelihood(model.likelihood, data),
    )


@singledispatch
def _of_spread(between: Spread, model: Model, data: Data) -> tuple[str, ...]:
    raise ModelError(f"What rests on the priors is not known with {between!r}.")


@_of_spread.register
def _(_: NoSpread, model: Model, data: Data) -> tuple[str, ...]:
    return ()


@_of_spread.register(Scatter | OutlierSpread)
def _(_: Scatter | OutlierSpread, model: Model, data: Data) -> tuple[str, ...]:
    few = _few(telling_count(model, data), data.k)
    prior = repr(model.priors["tau"])
    general = f"With fewer than {FEW} telling studies tau rests largely on its prior, {prior}."
    return (Caution(few.format(prior=prior), general),) if few else ()


@singledispatch
def _of_likelihood(of: Likelihood, data: Data) -> tuple[str, ...]:
    raise ModelError(f"What rests on the priors is not known with {of!r}.")


@_of_likelihood.register(Estimates | CorrelatedEstimates | Arms)
def _(of: Likelihood, data: Data) -> tuple[str, ...]:
    return ()


@_of_likelihood.register
def _of_zeros(of: OfCounts, data: Studies) -> tuple[str, ...]:
    return tuple(
        f"No event in any {arm[1:]} arm: how large the effect may be rests on the priors."
        if arm
        else "No event in any study: how small it may be rests on the priors."
        for arm in data.arms
        if not data.numbers[f"events{arm}"].any()
    )


@_of_likelihood.register
def _(of: Binomial, data: Studies) -> tuple[str, ...]:
    shared = (
        "Exchangeable baselines let control arms of other trials inform each comparison: it no "
        "longer rests on the randomisation within trials alone.",
    )
    return _of_zeros(of, data) + shared * of.shares


@_of_likelihood.register
def _(of: Overdispersed, data: Studies) -> tuple[str, ...]:
    return (
        *_of_zeros(of, data),
        "The beta-binomial model compares all treatment arms with all control arms, whichever "
        "trial they belong to: it does not keep the randomisation within trials.",
    )


def telling_count(model: Model, data: Data) -> int:
    """How many studies say something about their effect without the priors.

    A study in which nobody has the event, or everybody, says nothing about an odds ratio; so a
    count of the studies is the same for a model of the counts and for one of the estimates.
    """
    return _telling(model.likelihood, data, model.scale(data).name)


@singledispatch
def _telling(of: Likelihood, data: Data, measure: str) -> int:
    raise ModelError(f"What a study says by itself is not known with {of!r}.")


@_telling.register(Estimates | CorrelatedEstimates | Arms | Overdispersed)
def _(of: Likelihood, data: Data, measure: str) -> int:
    return data.k


@_telling.register
def _(of: OfCounts, data: Studies, measure: str) -> int:
    return int(informative(data, measure).sum())


def _few(n: int, k: int) -> str:
    """What to say of a spread between `n` studies that say something, of `k`; empty for enough."""
    if n >= FEW:
        return ""
    if k == 1:
        return "One study says next to nothing about tau: its posterior is its prior, {prior}."
    if n < 2:
        which = "only one says" if n else "none says"
        return (
            f"Of {k} studies {which} anything about the effect: tau rests on its prior, {{prior}}."
        )
    some = f" that say something about the effect, of {k}," if n < k else ""
    return f"With {n} studies{some} tau rests largely on its prior, {{prior}}."


@_of_spread.register
def _(_: CorrelatedSpread, model: MultivariateNormal, data: MultivariateEffects) -> tuple[str, ...]:
    there = data.reported
    said = [
        f"With {count} {'study' if count == 1 else 'studies'} tau of {name} rests largely on its "
        f"prior, {model.of('tau', name)!r}."
        for name, count in zip(data.outcome, there.sum(axis=0).tolist(), strict=True)
        if count < FEW
    ]
    both = [int((there[:, i] & there[:, j]).sum()) for i, j in zip(*pairs(data.p), strict=True)]
    few = [
        f"{pair} ({count})"
        for pair, count in zip(data.pair, both, strict=True)
        if count < FEW_PAIRS
    ]
    if few:
        said.append(
            f"Few studies report both outcomes of {'; '.join(few)}: the correlation between "
            f"studies rests largely on its prior, {model.rho!r}."
        )
    return tuple(said)
