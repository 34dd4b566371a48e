"""What a reader should know about a fit before using it, whatever the engine."""

from ..model import Data, Model
from ..studies import BinaryStudies

FEW = 5


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
    if isinstance(data, BinaryStudies):
        said += [
            f"No event in any {arm} arm: how large the effect may be rests on the priors."
            for arm in ("treatment", "control")
            if not getattr(data, f"events_{arm}").any()
        ]
    return tuple(said)
