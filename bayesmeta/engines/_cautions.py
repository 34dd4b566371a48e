"""What a reader should know about a fit before using it, whatever the engine."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..model import BetaBinomial, BinomialNormal, Data, Exchangeable, Model
from ..studies import Studies

FEW = 5
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
