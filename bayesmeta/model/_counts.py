"""Models of counts: events of patients or in person-time, in two arms or in one."""

from dataclasses import dataclass
from typing import ClassVar, final

from ..arguments import is_among
from ..errors import ModelError
from ..priors import Prior, Uniform
from ..studies import (
    BinaryStudies,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
)
from ..ways import shown
from ._base import OneEffect, RandomEffects
from ._priors import VAGUE, Exchangeable, check_mu, check_within_one
from .likelihood import (
    Binomial,
    Data,
    Hypergeometric,
    Incidence,
    Overdispersed,
    Poisson,
    Proportion,
)
from .location import Location, check_location
from .predictor import ByGroup

ANY_SHARE = Uniform(0, 1)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BinomialNormal(RandomEffects):
    r"""Random effects on counts: two binomial arms per study, own baseline in each.

    .. math::
        r_{i1} \sim \mathrm{Bin}(n_{i1}, p_{i1}), \quad
        r_{i0} \sim \mathrm{Bin}(n_{i0}, p_{i0}), \quad
        \theta_i \sim N(\mu, \tau^2)

    For OR the effect is split between the arms, :math:`\mathrm{logit}\,p = \beta_i \pm \theta_i/2`,
    so swapping the arms changes the sign of mu and nothing else; in 0/1 coding it is added to the
    treatment arm. For RR, :math:`p_{i1} = p_{i0} e^{\theta_i}`, and for RD,
    :math:`p_{i1} = p_{i0} + \tanh\theta_i`; there :math:`2\beta_i` is the log odds product
    :math:`\log[p_{i1} p_{i0} / ((1-p_{i1})(1-p_{i0}))]`, which is free of the effect.

    Parameters
    ----------
    measure : {"OR", "RR", "RD"}
        Scale of the effect. For RD, mu and tau stand on the scale of atanh(RD), which keeps every
        risk difference within ±1; it is not the scale of a two-stage analysis of RD.
    mu, tau : Prior
        Priors of the overall effect and of the between-study standard deviation.
    baseline : Prior or Exchangeable
        Prior of each :math:`\beta_i`: the midpoint logit, or in 0/1 coding the control arm's;
        independent between studies, so that the comparison within each trial keeps its
        randomisation. ``Exchangeable`` lets trials share it, and gives that up.
    coding : {"half", "zero_one"}
        How a log odds ratio enters the arms: ±½ of it, or all of it in the treatment arm. The
        answers differ, as much as the baseline's prior lets them: with zero_one they also change
        when the arms are swapped.
    df : float or Prior, optional
        Degrees of freedom of Student-t study effects, 1 or more, or their prior; normal where not
        given. See ``NormalNormal``.

    Raises
    ------
    ModelError
        If the measure or the coding is unknown, a prior is missing, `tau` could be negative or
        `df` is below 1.

    References
    ----------
    Jackson D, Law M, Stijnen T, Viechtbauer W, White IR (2018). Stat Med 37:1059-1085 (codings).
    Richardson TS, Robins JM, Wang L (2017). JASA 112:1121-1130 (odds product).
    """

    measure: str
    mu: Prior | Location
    tau: Prior | ByGroup
    baseline: Prior | Exchangeable = VAGUE
    coding: str = "half"
    df: float | Prior | None = None
    takes: ClassVar[type[Data]] = BinaryStudies

    def __post_init__(self) -> None:
        if not is_among(self.measure, ("OR", "RR", "RD")):
            raise ModelError(
                f"BinomialNormal has measure 'OR', 'RR' or 'RD', not {shown(self.measure)}."
            )
        if not is_among(self.coding, ("half", "zero_one")):
            raise ModelError(f"coding is 'half' or 'zero_one', not {shown(self.coding)}.")
        if self.coding != "half" and self.measure != "OR":
            raise ModelError(
                f"coding={shown(self.coding)} is for the odds ratio; {self.measure} has the "
                "odds-product baseline."
            )
        self._check_effects()
        if not isinstance(self.baseline, Exchangeable):
            check_mu(self.baseline, "baseline")

    @property
    def likelihood(self) -> Binomial:
        """Two binomial arms."""
        return Binomial(self.measure, self.baseline, self.coding)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class HypergeometricNormal(RandomEffects):
    r"""Random effects on counts, given each table's total of events: log odds ratio, no baseline.

    .. math::
        r_{i1} \mid r_{i1} + r_{i0} \sim \mathrm{Fisher\ noncentral\ hypergeometric}(e^{\theta_i}),
        \quad \theta_i \sim N(\mu, \tau^2)

    A study without events, or without non-events, says nothing here and changes nothing.

    Parameters
    ----------
    mu, tau : Prior
        Priors of the overall log odds ratio and of the between-study standard deviation.
    df : float or Prior, optional
        Degrees of freedom of Student-t study effects, 1 or more, or their prior; normal where not
        given. See ``NormalNormal``.

    Raises
    ------
    ModelError
        If a prior is missing, `tau` could be negative or `df` is below 1; at the fit, if a table
        has more than 4,096 possible counts: there the binomial likelihood serves as well.

    References
    ----------
    Stijnen T, Hamza TH, Özdemir P (2010). Stat Med 29:3046-3067.
    """

    mu: Prior | Location
    tau: Prior | ByGroup
    df: float | Prior | None = None
    measure: ClassVar[str] = "OR"
    takes: ClassVar[type[Data]] = BinaryStudies

    def __post_init__(self) -> None:
        self._check_effects()

    @property
    def likelihood(self) -> Hypergeometric:
        """One arm's events given the margins."""
        return Hypergeometric()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonNormal(RandomEffects):
    r"""Random effects on events in person-time: log rate ratio, own baseline in each study.

    .. math::
        r_{ij} \sim \mathrm{Poisson}(T_{ij} e^{\beta_i \pm \theta_i/2}), \quad
        \theta_i \sim N(\mu, \tau^2)

    Parameters
    ----------
    mu, tau : Prior
        Priors of the overall log rate ratio and of the between-study standard deviation.
    baseline : Prior
        Prior of each :math:`\beta_i`, the midpoint of the two log rates.
    df : float or Prior, optional
        Degrees of freedom of Student-t study effects, 1 or more, or their prior; normal where not
        given. See ``NormalNormal``.

    Raises
    ------
    ModelError
        If a prior is missing, `tau` could be negative or `df` is below 1.

    References
    ----------
    Stijnen T, Hamza TH, Özdemir P (2010). Stat Med 29:3046-3067.
    """

    mu: Prior | Location
    tau: Prior | ByGroup
    baseline: Prior = VAGUE
    df: float | Prior | None = None
    measure: ClassVar[str] = "IRR"
    takes: ClassVar[type[Data]] = PersonTimeStudies

    def __post_init__(self) -> None:
        self._check_effects()
        check_mu(self.baseline, "baseline")

    @property
    def likelihood(self) -> Poisson:
        """Events in person-time of two arms."""
        return Poisson(self.baseline)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionNormal(RandomEffects):
    r"""Random effects on the proportions of single-arm studies, on the logit scale.

    .. math::
        r_i \sim \mathrm{Bin}(n_i, \mathrm{expit}\,\theta_i), \quad \theta_i \sim N(\mu, \tau^2)

    Parameters
    ----------
    mu, tau : Prior
        Priors of the overall logit and of the between-study standard deviation.
    df : float or Prior, optional
        Degrees of freedom of Student-t study effects, 1 or more, or their prior; normal where not
        given. See ``NormalNormal``.

    Raises
    ------
    ModelError
        If a prior is missing, `tau` could be negative or `df` is below 1.

    References
    ----------
    Hamza TH, van Houwelingen HC, Stijnen T (2008). J Clin Epidemiol 61:41-51.
    """

    mu: Prior | Location
    tau: Prior | ByGroup
    df: float | Prior | None = None
    measure: ClassVar[str] = "PLO"
    takes: ClassVar[type[Data]] = ProportionStudies

    def __post_init__(self) -> None:
        self._check_effects()

    @property
    def likelihood(self) -> Proportion:
        """One binomial arm."""
        return Proportion()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IncidenceNormal(RandomEffects):
    r"""Random effects on the incidence rates of single-arm studies, on the log scale.

    .. math::
        r_i \sim \mathrm{Poisson}(T_i e^{\theta_i}), \quad \theta_i \sim N(\mu, \tau^2)

    Parameters
    ----------
    mu, tau : Prior
        Priors of the overall log rate (per unit of person-time) and of the between-study SD.
    df : float or Prior, optional
        Degrees of freedom of Student-t study effects, 1 or more, or their prior; normal where not
        given. See ``NormalNormal``.

    Raises
    ------
    ModelError
        If a prior is missing, `tau` could be negative or `df` is below 1.

    References
    ----------
    Stijnen T, Hamza TH, Özdemir P (2010). Stat Med 29:3046-3067.
    """

    mu: Prior | Location
    tau: Prior | ByGroup
    df: float | Prior | None = None
    measure: ClassVar[str] = "IRLN"
    takes: ClassVar[type[Data]] = IncidenceStudies

    def __post_init__(self) -> None:
        self._check_effects()

    @property
    def likelihood(self) -> Incidence:
        """Events in person-time of one arm."""
        return Incidence()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BetaBinomial(OneEffect):
    r"""A common effect on counts that are overdispersed between trials; arms are not paired.

    .. math::
        r_{ij} \sim \mathrm{BetaBin}(n_{ij}, p_j, \rho), \quad
        \mathrm{logit}\,p_1 = \beta + \mu/2, \quad \mathrm{logit}\,p_0 = \beta - \mu/2

    All treatment arms share one mean risk and all control arms another, whichever trial they
    belong to: the comparison is between pooled arms and does not keep the randomisation within
    trials. A caution beside every answer says so.

    Parameters
    ----------
    mu : Prior
        Prior of the log odds ratio.
    baseline : Prior
        Prior of :math:`\beta`, the midpoint logit of all trials.
    rho : Prior
        Prior of the correlation of two patients of one arm, within 0 and 1.

    Raises
    ------
    ModelError
        If a prior is missing or `rho` could lie outside 0 and 1.

    References
    ----------
    Kuss O (2015). Stat Med 34:1097-1116.
    """

    mu: Prior | Location
    baseline: Prior = VAGUE
    rho: Prior = ANY_SHARE
    measure: ClassVar[str] = "OR"
    takes: ClassVar[type[Data]] = BinaryStudies

    def __post_init__(self) -> None:
        check_location(self.mu)
        check_mu(self.baseline, "baseline")
        check_mu(self.rho, "rho")
        check_within_one(self.rho, "rho", "correlation")

    @property
    def likelihood(self) -> Overdispersed:
        """Beta-binomial arms, not paired."""
        return Overdispersed(self.baseline, self.rho)
