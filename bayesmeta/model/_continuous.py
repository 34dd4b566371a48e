"""Models of continuous outcomes per arm: means and SDs, or quantiles."""

from dataclasses import dataclass
from typing import ClassVar, final

from ..arguments import is_among
from ..errors import ModelError
from ..priors import Prior
from ..studies import ContinuousStudies
from ..ways import shown
from ._base import OneEffect, RandomEffects
from ._priors import check_mu
from .likelihood import ARM_LINKS, Arms, Data
from .location import Location, check_location
from .predictor import ByGroup

MEASURES = ("MD", "SMD", "ROM", "RGM")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousNormal(RandomEffects):
    r"""Random effects on arms: patients normal or log-normal, means and SDs of the arms unknown.

    Standard deviations are estimated with the rest instead of being plugged in. An arm that
    reports quantiles enters by the probability that a sample of its size has these, as rounded as
    they are printed.

    .. math::
        x_{ij} \sim N(\mu_{ij}, \sigma_{ij}^2), \quad
        \mu_{i1}, \mu_{i0} \text{ from } \beta_i \pm \theta_i/2, \quad
        \theta_i \sim N(\mu, \tau^2)

    Parameters
    ----------
    measure : {"MD", "SMD", "ROM", "RGM"}
        Mean difference; difference in units of the SD that both arms share; log ratio of the arms'
        means; log ratio of their geometric means (of medians, in log-normal arms).
    mu, tau : Prior
        Priors of the overall effect and of the between-study standard deviation, on the analysis
        scale: for MD in the unit of the outcome.
    arms : {"normal", "lognormal"}
        Distribution of patients within an arm. Log-normal goes with ROM and RGM; arms that report
        mean and SD then enter by the mean and SD of logs that these imply.
    log_sd : Prior, optional
        Prior of the log of each arm's SD (of the one SD of a study, for SMD), in the unit of the
        outcome; flat where not given, which no change of unit alters.
    baseline : Prior, optional
        Prior of each :math:`\beta_i`, the middle of the two arms: of their means; for ROM and RGM
        of the logs. Where not given it is flat on the middle itself; for ROM of normal arms flat
        on :math:`\exp\beta_i`, the geometric mean of the two means.
    quartiles : {7, 6}
        Definition of sample quantiles (Hyndman & Fan), for arms that report them.
    correlation : Prior, optional
        Prior of each study's correlation of baseline and final values, between -1 and 1: for
        changes from baseline whose SD is not printed. The data say nothing about it.
    df : float or Prior, optional
        Degrees of freedom of Student-t study effects, 1 or more, or their prior; normal where not
        given. See ``NormalNormal``.

    Raises
    ------
    ModelError
        If a measure does not go with the distribution of the arms, a prior is missing, `tau` could
        be negative or `df` is below 1.

    References
    ----------
    Higgins JPT, White IR, Anzures-Cabrera J (2008). Stat Med 27:6072-6092 (means and SDs of logs).
    Hyndman RJ, Fan Y (1996). Am Stat 50:361-365 (sample quantiles).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> model = bm.ContinuousNormal(measure="SMD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.5))
    >>> model.in_words
    'one σ for both arms, μ₁ = β + θσ/2, μ₀ = β − θσ/2; SDs estimated, flat on their logs'
    """

    measure: str
    mu: Prior | Location
    tau: Prior | ByGroup
    arms: str = "normal"
    log_sd: Prior | None = None
    baseline: Prior | None = None
    quartiles: int = 7
    correlation: Prior | None = None
    df: float | Prior | None = None
    takes: ClassVar[type[Data]] = ContinuousStudies

    def __post_init__(self) -> None:
        check_arms(self)
        self._check_effects()

    @property
    def likelihood(self) -> Arms:
        """Arms with unknown means and SDs."""
        return arms_of(self)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousCommonEffect(OneEffect):
    r"""One effect for all studies on arms: as ``ContinuousNormal``, without heterogeneity.

    For a single study, or where the effect must be the same in all.

    Parameters
    ----------
    measure : {"MD", "SMD", "ROM", "RGM"}
    mu : Prior
        Prior of the effect.
    arms, log_sd, baseline, quartiles, correlation
        As of ``ContinuousNormal``.

    Raises
    ------
    ModelError
        If a measure does not go with the distribution of the arms or a prior is missing.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> bm.ContinuousCommonEffect(measure="MD", mu=bm.Normal(0, 20)).priors
    {'mu': Normal(0, 20)}
    """

    measure: str
    mu: Prior | Location
    arms: str = "normal"
    log_sd: Prior | None = None
    baseline: Prior | None = None
    quartiles: int = 7
    correlation: Prior | None = None
    takes: ClassVar[type[Data]] = ContinuousStudies

    def __post_init__(self) -> None:
        check_arms(self)
        check_location(self.mu)

    @property
    def likelihood(self) -> Arms:
        """Arms with unknown means and SDs."""
        return arms_of(self)

    @property
    def in_words(self) -> str:
        """What the priors alone do not say."""
        return f"one effect for all studies; {self.likelihood.in_words}"


type OfArms = ContinuousNormal | ContinuousCommonEffect


def arms_of(model: OfArms) -> Arms:
    """The likelihood of a model of arms."""
    settings = (model.log_sd, model.baseline, model.quartiles, model.correlation)
    return Arms(model.measure, model.arms, *settings)


def check_arms(model: OfArms) -> None:
    """Refuse what does not go together in a model of arms."""
    if not is_among(model.measure, MEASURES):
        raise ModelError(
            f"{model.name} has measure 'MD', 'SMD', 'ROM' or 'RGM', not {shown(model.measure)}."
        )
    if not is_among(model.arms, ("normal", "lognormal")):
        raise ModelError(f"arms is 'normal' or 'lognormal', not {shown(model.arms)}.")
    if (model.measure, model.arms) not in ARM_LINKS:
        right = "'ROM' or 'RGM'" if model.arms == "lognormal" else "'MD', 'SMD' or 'ROM'"
        raise ModelError(
            f"arms={shown(model.arms)} goes with measure {right}, not {shown(model.measure)}."
        )
    if not is_among(model.quartiles, (6, 7)):
        raise ModelError(f"quartiles is 7 or 6, not {shown(model.quartiles)}.")
    _check_nuisance(model)
    if model.correlation is not None:
        _check_correlation(model)


def _check_nuisance(model: OfArms) -> None:
    for name in ("log_sd", "baseline"):
        prior = getattr(model, name)
        if prior is None:
            continue
        check_mu(prior, name, example="Normal(2, 1)")
        if not prior.proper:
            raise ModelError(f"{name} is flat where it is not given; leave it out.")


def _check_correlation(model: OfArms) -> None:
    check_mu(model.correlation, "correlation", example="Uniform(0.2, 0.9)")
    assert model.correlation is not None
    low, high = model.correlation.support
    if low < -1 or high > 1:
        raise ModelError(
            f"correlation lies between -1 and 1; {shown(model.correlation)} gives it mass "
            "outside. Use "
            "Uniform(0.2, 0.9) or a Beta prior."
        )
    if not is_among(model.measure, ("MD", "SMD")):
        raise ModelError("correlation is for changes from baseline, with measure 'MD' or 'SMD'.")
