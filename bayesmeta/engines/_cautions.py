"""What a reader should know about a fit before using it, whatever the engine."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..effects import informative
from ..model import (
    BetaBinomial,
    BinomialNormal,
    Data,
    Exchangeable,
    Model,
    MultivariateNormal,
)
from ..multivariate import MultivariateEffects, pairs
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
    if isinstance(model, MultivariateNormal):
        return _of_outcomes(model, data)
    said = []
    tau = model.priors.get("tau")
    if tau is not None and (few := _few(telling_count(model, data), data.k)):
        said.append(few.format(prior=repr(tau)))
    if isinstance(data, Studies):
        said += [
            f"No event in any {arm[1:]} arm: how large the effect may be rests on the priors."
            if arm
            else "No event in any study: how small it may be rests on the priors."
            for arm in data.arms
            if not getattr(data, f"events{arm}").any()
        ]
    if isinstance(model, BetaBinomial):
        said.append(
            "The beta-binomial model compares all treatment arms with all control arms, whichever "
            "trial they belong to: it does not keep the randomisation within trials."
        )
    if isinstance(model, BinomialNormal) and isinstance(model.baseline, Exchangeable):
        said.append(
            "Exchangeable baselines let control arms of other trials inform each comparison: it no "
            "longer rests on the randomisation within trials alone."
        )
    return tuple(said)


def telling_count(model: Model, data: Data) -> int:
    """How many studies say something about their effect without the priors.

    A study in which nobody has the event, or everybody, says nothing about an odds ratio; so a
    count of the studies is the same for a model of the counts and for one of the estimates.
    """
    if not isinstance(data, Studies) or isinstance(model, BetaBinomial):
        return data.k
    return int(informative(data, model.scale(data).name).sum())


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


def _of_outcomes(model: MultivariateNormal, data: Data) -> tuple[str, ...]:
    assert isinstance(data, MultivariateEffects)
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
