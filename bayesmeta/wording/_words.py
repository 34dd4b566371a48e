"""What is asked for, read into values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from ..effects import EffectSizes
from ..model import VAGUE, default_model
from ..priors import Prior, parse_prior

_ANY_RATIO = EffectSizes.from_arrays(["any"], [0.0], [1.0], measure="RATIO")
DEFAULTS: Mapping[str, Prior] = default_model(_ANY_RATIO).priors


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a model is asked to be; what is not said has its default.

    Attributes
    ----------
    measure : str
    likelihood : str or None
        Of counts, or of patients within an arm; by default the one that the measure suggests.
    coding : {"half", "zero_one"}
    effects : {"random", "common"}
    mu, tau, baseline, log_sd : Prior or None
    df : float, Prior or None
    quartiles : {7, 6}
    outliers : tuple of Prior or None
        Of the share and of the extra SD of outlying studies.
    """

    measure: str
    likelihood: str | None = None
    coding: str = "half"
    effects: str = "random"
    mu: Prior | None = None
    tau: Prior | None = None
    baseline: Prior | None = None
    log_sd: Prior | None = None
    df: float | Prior | None = None
    quartiles: int = 7
    outliers: tuple[Prior, Prior] | None = None

    @property
    def mu_prior(self) -> Prior:
        """The prior of mu, or the default for ratios."""
        return self.mu or DEFAULTS["mu"]

    @property
    def tau_prior(self) -> Prior:
        """The prior of tau, or the default for ratios."""
        return self.tau or DEFAULTS["tau"]

    @property
    def baseline_prior(self) -> Prior:
        """The prior of the baselines of counts, or the default."""
        return self.baseline or VAGUE


def degrees_of_freedom(text: str) -> float | Prior:
    """Degrees of freedom as typed: a number, or a prior."""
    try:
        return float(text)
    except ValueError:
        return parse_prior(text)
