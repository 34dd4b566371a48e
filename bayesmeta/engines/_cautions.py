"""What a reader should know about a fit before using it, whatever the engine."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

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
    if tau is not None and data.k == 1:
        said.append(
            f"One study says next to nothing about tau: its posterior is its prior, {tau!r}."
        )
    elif tau is not None and data.k < FEW:
        said.append(f"With {data.k} studies tau rests largely on its prior, {tau!r}.")
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
