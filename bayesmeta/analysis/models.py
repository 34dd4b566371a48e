"""The models that an outcome asks for."""

from collections.abc import Mapping

from ..errors import SpecError
from ..model import Model
from ..specification import Outcome
from ..wording import two_stage

ARMS_LABEL = "arms (SDs estimated)"
COUNTS_LABELS = {
    "binomial": "counts (binomial–normal)",
    "hypergeometric": "counts (hypergeometric–normal)",
    "poisson": "counts (Poisson–normal)",
    "normal": ARMS_LABEL,
    "lognormal": ARMS_LABEL,
}
NUTS_LABEL = "the same by NUTS"
TWO_STAGE_LABEL = "two-stage (normal–normal)"
COMMON_LABEL = ", one common effect"
FREQUENTIST = (
    "Mantel–Haenszel",
    "Mantel–Haenszel, ½ added",
    "inverse variance",
    "DerSimonian–Laird",
    "REML",
)


def models_of(outcome: Outcome) -> Mapping[str, Model]:
    """The models of an outcome by label; the first is the answer."""
    if outcome.data is None:
        return {}
    common = COMMON_LABEL if outcome.effects == "common" else ""
    found = {TWO_STAGE_LABEL + common: two_stage(outcome.words)}
    of_arms = outcome.of_arms()
    if of_arms is None:
        return found
    return {COUNTS_LABELS[of_arms.name] + common: of_arms.model(outcome.words), **found}


def check_labels(outcome: Outcome) -> None:
    """A published figure with the label of one of our fits would take its place in the tables."""
    ours = (*COUNTS_LABELS.values(), ARMS_LABEL, NUTS_LABEL, TWO_STAGE_LABEL, *FREQUENTIST)
    for figure in outcome.published:
        if any(figure.label == label or figure.label.startswith(f"{label}, ") for label in ours):
            raise SpecError(
                f"{outcome.name}: published label {figure.label!r} is the name of one of our own "
                "fits; name the paper, e.g. 'Smith 2024'."
            )
