"""What figures of fits are given."""

from ..errors import ModelError
from ..posterior import Posterior

ARMS = ("treatment", "control")
_OF_ROWS = ("forest", "prior_posterior")


def check_fit(fit: object, name: str) -> None:
    """Refuse what is no posterior.

    Raises
    ------
    ModelError
        Naming the function that takes rows, where there is one.
    """
    if not isinstance(fit, Posterior):
        others = "; for rows that were made before use {name}_of_rows" if name in _OF_ROWS else ""
        raise ModelError(
            f"{name} takes a fit, of bm.fit(model, data), not {type(fit).__name__}"
            f"{others.format(name=name)}."
        )
