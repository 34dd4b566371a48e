"""What is asked for, read into values."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from ..effects import EffectSizes
from ..errors import ModelError
from ..model import VAGUE, ByGroup, Exchangeable, Location, default_model
from ..priors import Prior, parse_prior
from ..ways import shown

_LONGEST = 700  # characters of two priors
_PARTS = ("mean", "sd")
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
    mu : Prior, Location or None
        Of one effect, or where effects depend on covariates.
    tau : Prior, ByGroup or None
    log_sd : Prior or None
    baseline : Prior, Exchangeable or None
    df : float, Prior or None
    quartiles : {7, 6}
    outliers : tuple of Prior or None
        Of the share and of the extra SD of outlying studies.
    """

    measure: str
    likelihood: str | None = None
    coding: str = "half"
    effects: str = "random"
    mu: Prior | Location | None = None
    tau: Prior | ByGroup | None = None
    baseline: Prior | Exchangeable | None = None
    log_sd: Prior | None = None
    df: float | Prior | None = None
    quartiles: int = 7
    outliers: tuple[Prior, Prior] | None = None

    @property
    def mu_prior(self) -> Prior | Location:
        """The prior of mu, the location in its place, or the default for ratios."""
        return self.mu or DEFAULTS["mu"]

    @property
    def tau_prior(self) -> Prior | ByGroup:
        """The prior of tau, that of each group's, or the default for ratios."""
        return self.tau or DEFAULTS["tau"]

    @property
    def baseline_prior(self) -> Prior | Exchangeable:
        """The prior of the baselines of counts, or the default."""
        return self.baseline or VAGUE


def baselines_of(text: str) -> Prior | Exchangeable:
    """The prior of baselines as typed: one of each by itself, or of all together.

    Raises
    ------
    ModelError
        If it is neither.

    Examples
    --------
    >>> from bayesmeta.wording import baselines_of
    >>> baselines_of("Exchangeable(Normal(0, 10), HalfNormal(1))")
    Exchangeable(mean=Normal(0, 10), sd=HalfNormal(1))
    """
    shared = _exchangeable(text)
    if shared is None:
        return parse_prior(text)
    given = [*shared.args, *(one.value for one in shared.keywords)]
    names = [str(one.arg) for one in shared.keywords]
    if len(given) != 2 or names != list(_PARTS[2 - len(names) :]):
        raise ModelError(
            f"{shown(text)}: Exchangeable takes two priors, of the mean and of the SD of all "
            "baselines, as in 'Exchangeable(Normal(0, 10), HalfNormal(1))'."
        )
    mean, sd = (parse_prior(ast.unparse(one)) for one in given)
    return Exchangeable(mean, sd)


def _exchangeable(text: str) -> ast.Call | None:
    """The call that spells exchangeable baselines, if the text does."""
    if not text.strip().casefold().startswith("exchangeable") or len(text) > _LONGEST:
        return None
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return node if isinstance(node, ast.Call) else None


def degrees_of_freedom(text: str) -> float | Prior:
    """Degrees of freedom as typed: a number, or a prior."""
    try:
        return float(text)
    except ValueError:
        return parse_prior(text)
