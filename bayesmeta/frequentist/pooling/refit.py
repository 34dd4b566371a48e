"""One pooled answer by name of the estimator, for analyses that pool again and again."""

from ...effects import EffectSizes
from ...errors import DataError
from ..arrays.tau2 import Tau2
from ..fit import FrequentistFit, IntervalName
from .effects import common_effect, random_effects


def refit(
    effects: EffectSizes, tau2: Tau2 | None, *, interval: IntervalName = "Wald", prob: float = 0.95
) -> FrequentistFit:
    """Pool `effects`; tau2 None, or a single study, is a common effect with Wald's interval."""
    if tau2 is None or effects.k == 1:
        return common_effect(effects, prob=prob)
    return random_effects(effects, tau2=tau2, interval=interval, prob=prob)


def need_studies(effects: EffectSizes, least: int, what: str, remedy: str = "") -> None:
    """Refuse an analysis of too few studies."""
    if effects.k < least:
        raise DataError(
            f"{what} needs at least {least} studies; there {'is' if effects.k == 1 else 'are'} "
            f"{effects.k} ({', '.join(effects.study)}).{remedy}"
        )
