"""What a fit concludes of its effect: the one rule of every table that asks if it stands."""

from enum import StrEnum
from typing import Final

from ..errors import ModelError
from ..model import check_one_effect
from ..posterior import Posterior, check_posterior
from ..studies import check_prob
from ..summaries import scale_of

RULE: Final = (
    "a conclusion stands where the interval of mu excludes no effect on the same side as before, "
    "or includes it as before"
)


class Conclusion(StrEnum):
    """Where an interval of the effect lies beside no effect."""

    BELOW = "below no effect"
    OPEN = "no effect is not excluded"
    ABOVE = "above no effect"


def concluded(lower: float, upper: float, *, none: float = 0.0) -> Conclusion:
    """Say where an interval lies; an end at no effect itself excludes it.

    Parameters
    ----------
    lower, upper : float
    none : float
        No effect, on the scale of the interval: 0 on the analysis scale, 1 of a ratio.

    Raises
    ------
    ModelError
        If the ends are no interval.

    Examples
    --------
    >>> concluded(0.60, 0.96, none=1.0)
    <Conclusion.BELOW: 'below no effect'>
    """
    if not lower <= upper:
        raise ModelError(f"lower, {lower:g}, is not at or below upper, {upper:g}.")
    if upper <= none:
        return Conclusion.BELOW
    return Conclusion.ABOVE if lower >= none else Conclusion.OPEN


def conclusion(posterior: Posterior, *, prob: float = 0.95) -> Conclusion:
    """Say where the central interval of mu lies: below no effect, above it, or on both sides.

    Parameters
    ----------
    posterior : Posterior
        Of a comparison.
    prob : float
        Mass of the interval.

    Raises
    ------
    ModelError
        If mu compares nothing.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.6, -0.5], [0.1, 0.2], measure="RR")
    >>> str(conclusion(bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), data)))
    'below no effect'
    """
    check_posterior(posterior)
    check_prob(prob)
    check_one_effect(posterior.model, "A conclusion")
    scale = scale_of(posterior)
    if not scale.comparative:
        raise ModelError(
            f"{scale.a_words.capitalize()} compares no arms: no effect is no value of it."
        )
    return concluded(*posterior.at().interval(prob))
