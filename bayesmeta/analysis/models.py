"""The models that an outcome asks for."""

from collections.abc import Iterator, Mapping

from ..effects import EffectSizes
from ..errors import SpecError
from ..model import Data, Model
from ..results.keys import FitKey
from ..results.labels import is_ours
from ..specification import Outcome
from ..ways import shown
from ..wording import two_stage

_OF_ARMS = {
    ("binomial", "random"): FitKey.BINOMIAL,
    ("hypergeometric", "random"): FitKey.HYPERGEOMETRIC,
    ("poisson", "random"): FitKey.POISSON,
    ("normal", "random"): FitKey.ARMS,
    ("lognormal", "random"): FitKey.ARMS,
    ("normal", "common"): FitKey.ARMS_COMMON,
    ("lognormal", "common"): FitKey.ARMS_COMMON,
}
_OF_ESTIMATES = {"random": FitKey.TWO_STAGE, "common": FitKey.TWO_STAGE_COMMON}


def models_of(outcome: Outcome) -> Mapping[FitKey, Model]:
    """The models of an outcome; the first is the answer."""
    if outcome.data is None:
        return {}
    found = {_OF_ESTIMATES[outcome.effects]: two_stage(outcome.words)}
    of_arms = outcome.of_arms()
    if of_arms is None:
        return found
    return {_OF_ARMS[of_arms.name, outcome.effects]: of_arms.model(outcome.words), **found}


def fits_of(
    models: Mapping[FitKey, Model], studies: Data, effects: EffectSizes | None
) -> Iterator[tuple[FitKey, Model, Data]]:
    """Each model with what it is fitted to: the studies, or the estimates made of them if any."""
    for key, model in models.items():
        on = effects if model.takes is EffectSizes else studies
        if on is not None:
            yield key, model, on


def check_labels(outcome: Outcome) -> None:
    """A published figure with the label of one of our fits would take its place in the tables."""
    for figure in outcome.published:
        if is_ours(figure.label):
            raise SpecError(
                f"{outcome.name}: published label {shown(figure.label)} is the name of one of "
                "our own "
                "fits; name the paper, e.g. 'Smith 2024'."
            )
