"""Models, as data: a likelihood and the priors of its parameters."""

import math
from dataclasses import dataclass, fields
from functools import singledispatch
from typing import ClassVar, final

from .effects import ATANH_RD, MEASURES, EffectSizes, Measure
from .errors import ModelError
from .priors import Flat, HalfNormal, Jeffreys, Normal, Prior, Uniform
from .studies import (
    BinaryStudies,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
    Studies,
)

VAGUE = Normal(0, 10)
ANY_SHARE = Uniform(0, 1)

type Data = Studies | EffectSizes


class Model:
    """Base of all models. Subclasses are final.

    Attributes
    ----------
    takes : type
        The kind of data it is for.
    """

    __slots__ = ()
    takes: ClassVar[type[Studies | EffectSizes]] = EffectSizes

    def check_data(self, data: object) -> None:
        """Refuse data of another kind, and say what would do.

        Raises
        ------
        ModelError
        """
        if isinstance(data, self.takes):
            return
        said = f"{type(self).__name__} needs {{}}, not {type(data).__name__}; "
        if self.takes is EffectSizes:
            raise ModelError(
                said.format("EffectSizes") + "make them with effect_sizes(studies, measure=...)."
            )
        raise ModelError(
            said.format(f"counts ({self.takes.__name__})") + "for estimates use NormalNormal."
        )

    def scale(self, data: Data) -> Measure:
        """Return the measure, with the scale on which mu stands."""
        if isinstance(data, EffectSizes):
            return MEASURES[data.measure]
        measure: str = getattr(self, "measure", "GEN")
        return ATANH_RD if measure == "RD" else MEASURES[measure]

    @property
    def in_words(self) -> str:
        """What the priors alone do not say: coding of the arms, distribution of the effects."""
        said = [self._coding_in_words()]
        df: float | Prior | None = getattr(self, "df", None)
        if df is not None:
            known = "unknown" if isinstance(df, Prior) else f"{df:g}"
            said.append(f"study effects Student-t with {known} degrees of freedom")
        return "; ".join(one for one in said if one)

    def _coding_in_words(self) -> str:
        return ""

    @property
    def priors(self) -> dict[str, Prior]:
        """Priors by parameter, in the order of the signature."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # pyright: ignore[reportArgumentType]
        found: dict[str, Prior] = {}
        for name, value in values.items():
            if isinstance(value, Prior):
                found[name] = value
            elif isinstance(value, Exchangeable):
                found |= {f"{name}_mean": value.mean, f"{name}_sd": value.sd}
        return found


@final
@dataclass(frozen=True, slots=True)
class Exchangeable:
    """Baselines drawn from one normal distribution with its own priors.

    What one trial's control arm says then reaches the others: more information, but the comparison
    no longer rests on randomisation alone.

    Parameters
    ----------
    mean, sd : Prior
        Of the baselines' distribution; `sd` has no mass below zero.

    Raises
    ------
    ModelError
        If a prior is missing or `sd` could be negative.

    Examples
    --------
    >>> Exchangeable(Normal(0, 10), HalfNormal(1))
    Exchangeable(mean=Normal(0, 10), sd=HalfNormal(1))
    """

    mean: Prior
    sd: Prior

    def __post_init__(self) -> None:
        _check_mu(self.mean, "the mean of the baselines")
        _check_tau(self.sd, "the sd of the baselines")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CommonEffect(Model):
    r"""One effect for all studies, estimates with known standard errors.

    .. math:: y_i \sim N(\mu, \mathrm{se}_i^2)

    Parameters
    ----------
    mu : Prior
        Prior of the overall effect.

    Raises
    ------
    ModelError
        If `mu` is not a prior.
    """

    mu: Prior

    def __post_init__(self) -> None:
        _check_mu(self.mu)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NormalNormal(Model):
    r"""Random effects for estimates with known standard errors.

    .. math::
        y_i \sim N(\theta_i, \mathrm{se}_i^2), \quad \theta_i \sim N(\mu, \tau^2)

    Parameters
    ----------
    mu : Prior
        Prior of the overall effect.
    tau : Prior
        Prior of the between-study standard deviation; no mass below zero.
    df : float or Prior, optional
        Degrees of freedom of Student-t study effects with location mu and scale tau, 1 or more;
        a positive prior such as ``Gamma(2, 0.1)`` where they are unknown, which takes NUTS; normal
        where not given.

    Raises
    ------
    ModelError
        If a prior is missing, `tau` could be negative, or `df` is below 1 or a prior that is not
        positive and proper.

    References
    ----------
    Juárez MA, Steel MFJ (2010). J Bus Econ Stat 28:52-66 (a prior of the degrees of freedom).
    """

    mu: Prior
    tau: Prior
    df: float | Prior | None = None

    def __post_init__(self) -> None:
        _check_random_effects(self)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BinomialNormal(Model):
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
    mu: Prior
    tau: Prior
    baseline: Prior | Exchangeable = VAGUE
    coding: str = "half"
    df: float | Prior | None = None
    takes: ClassVar[type[Studies | EffectSizes]] = BinaryStudies

    def __post_init__(self) -> None:
        if self.measure not in ("OR", "RR", "RD"):
            raise ModelError(
                f"BinomialNormal has measure 'OR', 'RR' or 'RD', not {self.measure!r}."
            )
        if self.coding not in ("half", "zero_one"):
            raise ModelError(f"coding is 'half' or 'zero_one', not {self.coding!r}.")
        if self.coding != "half" and self.measure != "OR":
            raise ModelError(
                f"coding={self.coding!r} is for the odds ratio; {self.measure} has the "
                "odds-product baseline."
            )
        _check_random_effects(self)
        if not isinstance(self.baseline, Exchangeable):
            _check_mu(self.baseline, "baseline")

    @property
    def link(self) -> str:
        """How effect and baseline make the two risks, as one key."""
        return f"OR {self.coding}" if self.measure == "OR" else self.measure

    def _coding_in_words(self) -> str:
        shared = "; baselines exchangeable between trials"
        return _CODING[self.link] + (shared if isinstance(self.baseline, Exchangeable) else "")


_PRODUCT = "odds-product baseline (2β = log of the product of the two arms' odds)"
_CODING = {
    "OR half": "±½ coding: logit p = β ± θ/2 (half of the effect to each arm)",
    "OR zero_one": "0/1 coding: logit p = β in control, β + θ in treatment",
    "RR": _PRODUCT,
    "RD": f"θ = atanh(RD); {_PRODUCT}",
    "IRR": "±½ coding: log rate = β ± θ/2 (half of the effect to each arm)",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class HypergeometricNormal(Model):
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

    mu: Prior
    tau: Prior
    df: float | Prior | None = None
    measure: ClassVar[str] = "OR"
    takes: ClassVar[type[Studies | EffectSizes]] = BinaryStudies

    def __post_init__(self) -> None:
        _check_random_effects(self)

    def _coding_in_words(self) -> str:
        return "conditional on each study's total of events; no baseline"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonNormal(Model):
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

    mu: Prior
    tau: Prior
    baseline: Prior = VAGUE
    df: float | Prior | None = None
    measure: ClassVar[str] = "IRR"
    link: ClassVar[str] = "IRR"
    takes: ClassVar[type[Studies | EffectSizes]] = PersonTimeStudies

    def __post_init__(self) -> None:
        _check_random_effects(self)
        _check_mu(self.baseline, "baseline")

    def _coding_in_words(self) -> str:
        return _CODING[self.link]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionNormal(Model):
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

    mu: Prior
    tau: Prior
    df: float | Prior | None = None
    measure: ClassVar[str] = "PLO"
    takes: ClassVar[type[Studies | EffectSizes]] = ProportionStudies

    def __post_init__(self) -> None:
        _check_random_effects(self)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IncidenceNormal(Model):
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

    mu: Prior
    tau: Prior
    df: float | Prior | None = None
    measure: ClassVar[str] = "IRLN"
    takes: ClassVar[type[Studies | EffectSizes]] = IncidenceStudies

    def __post_init__(self) -> None:
        _check_random_effects(self)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BetaBinomial(Model):
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

    mu: Prior
    baseline: Prior = VAGUE
    rho: Prior = ANY_SHARE
    measure: ClassVar[str] = "OR"
    takes: ClassVar[type[Studies | EffectSizes]] = BinaryStudies

    def __post_init__(self) -> None:
        _check_mu(self.mu)
        _check_mu(self.baseline, "baseline")
        _check_mu(self.rho, "rho")
        _check_within_one(self.rho, "rho", "correlation")

    def _coding_in_words(self) -> str:
        return "one baseline for all trials, arms overdispersed and not paired by trial"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OutlierMixture(Model):
    r"""Random effects of which a share is spread wider: outlying studies, found and weighed less.

    .. math::
        y_i \sim N(\theta_i, \mathrm{se}_i^2), \quad
        \theta_i \sim (1 - \pi) N(\mu, \tau^2) + \pi N(\mu, \tau^2 + \kappa^2)

    The posterior has each study's probability of being one of the wide component, ``outlier``;
    `outliers` makes a table of it.

    Parameters
    ----------
    mu : Prior
        Prior of the overall effect.
    tau : Prior
        Prior of the between-study standard deviation of the studies that are no outliers; no mass
        below zero.
    share : Prior
        Prior of :math:`\pi`, the share of outliers, within 0 and 1, e.g. ``Beta(1, 9)``.
    spread : Prior
        Prior of :math:`\kappa`, the standard deviation that outliers have beside tau, analysis
        scale; no mass below zero.

    Raises
    ------
    ModelError
        If a prior is missing, `tau` or `spread` could be negative, or `share` could lie outside 0
        and 1.

    References
    ----------
    Beath KJ (2014). Res Synth Methods 5:285-293.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> model = bm.OutlierMixture(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5),
    ...                           share=bm.Beta(1, 9), spread=bm.HalfNormal(1))
    >>> model.in_words
    'study effects of which a share, the outliers, have the wider SD √(tau² + spread²)'
    """

    mu: Prior
    tau: Prior
    share: Prior
    spread: Prior

    def __post_init__(self) -> None:
        _check_mu(self.mu)
        _check_tau(self.tau)
        _check_mu(self.share, "share", example="Beta(1, 9)")
        _check_within_one(self.share, "share", "share of studies")
        _check_tau(self.spread, "spread")

    def _coding_in_words(self) -> str:
        return "study effects of which a share, the outliers, have the wider SD √(tau² + spread²)"


type RandomEffects = (
    NormalNormal
    | BinomialNormal
    | HypergeometricNormal
    | PoissonNormal
    | ProportionNormal
    | IncidenceNormal
)


def target(model: Model, data: Data) -> str:
    """What is predicted of a study, and given what."""
    if not isinstance(data, Studies):
        return "y given its standard error"
    if isinstance(model, HypergeometricNormal):
        return "treatment events given the margins"
    if len(data.arms) == 1:
        return f"events given {data.size}"
    return "treatment events given control events"


@singledispatch
def default_model(data: Data) -> Model:
    """Choose a random-effects model with weakly informative priors for ratios.

    ``mu ~ Normal(0, 2)``: the ratio lies between 1/50 and 50 with 95% probability.
    ``tau ~ HalfNormal(0.5)``: the middle 95% of studies' ratios spread at most 2- to 7-fold
    around their centre (Röver et al. 2021, Res Synth Methods 12:448-474).

    Parameters
    ----------
    data : EffectSizes, BinaryStudies or PersonTimeStudies
        Binary counts get ``BinomialNormal`` for the odds ratio, events in person-time
        ``PoissonNormal`` for the rate ratio.

    Returns
    -------
    NormalNormal, BinomialNormal or PoissonNormal
        Its repr states the priors.

    Raises
    ------
    ModelError
        If the data are in raw units, or of single arms: no scale of the effect can be known
        then, so the caller must choose.
    """
    if isinstance(data, ProportionStudies | IncidenceStudies):
        raise ModelError(
            "No default prior exists for a proportion or a rate: state what range it may have, "
            "e.g. ProportionNormal(mu=Normal(-2, 2), tau=HalfNormal(1))."
        )
    raise ModelError(
        f"default_model takes EffectSizes or a table of counts, not {type(data).__name__}."
    )


@default_model.register
def _effects(data: EffectSizes) -> Model:
    if not MEASURES[data.measure].log:
        raise ModelError(
            f"No default prior exists for {data.measure}: its size depends on the units. "
            "State what would be a large effect and a large spread in these units, e.g. "
            "NormalNormal(mu=Normal(0, 20), tau=HalfNormal(5))."
        )
    return NormalNormal(mu=Normal(0, 2), tau=HalfNormal(0.5))


@default_model.register
def _counts(data: BinaryStudies) -> Model:
    return BinomialNormal(measure="OR", mu=Normal(0, 2), tau=HalfNormal(0.5))


@default_model.register
def _person_time(data: PersonTimeStudies) -> Model:
    return PoissonNormal(mu=Normal(0, 2), tau=HalfNormal(0.5))


def _check_random_effects(model: RandomEffects) -> None:
    _check_mu(model.mu)
    _check_tau(model.tau)
    _check_df(model)


def _check_df(model: RandomEffects) -> None:
    df = model.df
    if df is None:
        return
    if isinstance(df, Prior):
        _check_df_prior(df)
        return
    if isinstance(df, bool) or not isinstance(df, int | float) or not 1 <= df < math.inf:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ModelError(
            f"df must be a number of degrees of freedom, 1 or more, or a prior such as "
            f"Gamma(2, 0.1), got {df!r}; leave it out for normal study effects."
        )
    object.__setattr__(model, "df", float(df))


def _check_df_prior(df: Prior) -> None:
    if not df.proper or df.support[0] < 0:
        raise ModelError(
            f"df, degrees of freedom, needs a proper prior on the positive numbers, not {df!r}; "
            "use Gamma(2, 0.1), Exponential(0.1) or a Uniform from 1."
        )


def _check_within_one(prior: Prior, name: str, what: str) -> None:
    low, high = prior.support
    if low < 0 or high > 1:
        raise ModelError(
            f"{name} is a {what} between 0 and 1; {prior!r} gives it mass outside. "
            "Use Uniform(0, 1) or a Beta prior."
        )


def _check_mu(prior: object, name: str = "mu", *, example: str = "Normal(0, 2)") -> None:
    if not isinstance(prior, Prior):
        raise ModelError(f"{name} must be a prior such as {example}, got {prior!r}.")
    if isinstance(prior, Jeffreys):
        raise ModelError(f"{prior!r} is a prior of tau; for {name} use {example}, say.")
    if name == "baseline" and not prior.proper:
        raise ModelError(f"baseline needs a proper prior such as {VAGUE!r}, not {prior!r}.")


def _check_tau(prior: object, name: str = "tau") -> None:
    if not isinstance(prior, Prior):
        raise ModelError(f"{name} must be a prior such as HalfNormal(0.5), got {prior!r}.")
    if prior.support[0] < 0 and not isinstance(prior, Flat):
        raise ModelError(
            f"{name} is a standard deviation and cannot be negative; {prior!r} gives it mass below "
            "zero. Use HalfNormal, HalfCauchy, LogNormal or a Uniform from 0."
        )
