"""Models, as data: a likelihood and the priors of its parameters."""

from dataclasses import dataclass, fields
from functools import singledispatch
from typing import final

from .effects import MEASURES, EffectSizes
from .errors import ModelError
from .priors import HalfNormal, Normal, Prior
from .studies import BinaryStudies

VAGUE = Normal(0, 10)

type Data = BinaryStudies | EffectSizes


class Model:
    """Base of all models. Subclasses are final."""

    __slots__ = ()

    @property
    def priors(self) -> dict[str, Prior]:
        """Priors by parameter, in the order of the signature."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # pyright: ignore[reportArgumentType]
        return {name: value for name, value in values.items() if isinstance(value, Prior)}


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

    Raises
    ------
    ModelError
        If a prior is missing or `tau` could be negative.
    """

    mu: Prior
    tau: Prior

    def __post_init__(self) -> None:
        _check_mu(self.mu)
        _check_tau(self.tau)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BinomialNormal(Model):
    r"""Random effects on counts: two binomial arms per study, own baseline in each.

    .. math::
        r_{i1} \sim \mathrm{Bin}(n_{i1}, p_{i1}), \quad
        r_{i0} \sim \mathrm{Bin}(n_{i0}, p_{i0}), \quad
        \theta_i \sim N(\mu, \tau^2)

    For OR the effect is split between the arms, :math:`\mathrm{logit}\,p = \beta_i \pm \theta_i/2`,
    so swapping the arms changes the sign of mu and nothing else. For RR,
    :math:`p_{i1} = p_{i0} e^{\theta_i}` and :math:`2\beta_i` is the log odds product
    :math:`\log[p_{i1} p_{i0} / ((1-p_{i1})(1-p_{i0}))]`, which is free of the effect.

    Parameters
    ----------
    measure : {"OR", "RR"}
        Scale of the effect.
    mu, tau : Prior
        Priors of the overall effect and of the between-study standard deviation.
    baseline : Prior
        Prior of each :math:`\beta_i`, the midpoint logit; independent between studies, so that
        the comparison within each trial keeps its randomisation.

    Raises
    ------
    ModelError
        If the measure is not OR or RR, a prior is missing, or `tau` could be negative.

    References
    ----------
    Jackson D, Law M, Stijnen T, Viechtbauer W, White IR (2018). Stat Med 37:1059-1085 (±½ coding).
    Richardson TS, Robins JM, Wang L (2017). JASA 112:1121-1130 (odds product).
    """

    measure: str
    mu: Prior
    tau: Prior
    baseline: Prior = VAGUE

    def __post_init__(self) -> None:
        if self.measure not in ("OR", "RR"):
            raise ModelError(f"BinomialNormal has measure 'OR' or 'RR', not {self.measure!r}.")
        _check_mu(self.mu)
        _check_tau(self.tau)
        _check_mu(self.baseline, "baseline")

    @property
    def coding(self) -> str:
        """How the effect enters the two arms, in words."""
        return _CODING[self.measure]


_CODING = {
    "OR": "logit p = β ± θ/2 (half of the effect to each arm)",
    "RR": "odds-product baseline (2β = log of the product of the two arms' odds)",
}


@singledispatch
def default_model(data: Data) -> Model:
    """Choose a random-effects model with weakly informative priors for ratios.

    ``mu ~ Normal(0, 2)``: the ratio lies between 1/50 and 50 with 95% probability.
    ``tau ~ HalfNormal(0.5)``: the middle 95% of studies' ratios spread at most 2- to 7-fold
    around their centre (Röver et al. 2021, Res Synth Methods 12:448-474).

    Parameters
    ----------
    data : EffectSizes or BinaryStudies
        Counts get ``BinomialNormal`` for the odds ratio.

    Returns
    -------
    NormalNormal or BinomialNormal
        Its repr states the priors.

    Raises
    ------
    ModelError
        If the data are in raw units: no scale of the effect can be known then, so the caller
        must choose.
    """
    raise ModelError(
        f"default_model takes EffectSizes or BinaryStudies, not {type(data).__name__}."
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


def _check_mu(prior: object, name: str = "mu") -> None:
    if not isinstance(prior, Prior):
        raise ModelError(f"{name} must be a prior such as Normal(0, 2), got {prior!r}.")


def _check_tau(prior: object) -> None:
    if not isinstance(prior, Prior):
        raise ModelError(f"tau must be a prior such as HalfNormal(0.5), got {prior!r}.")
    if prior.support[0] < 0:
        raise ModelError(
            f"tau is a standard deviation and cannot be negative; {prior!r} gives it mass below "
            "zero. Use HalfNormal, HalfCauchy, LogNormal or a Uniform from 0."
        )
