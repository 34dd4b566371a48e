"""The first part of a model: what a study's data say of its effect, as data.

A likelihood knows one effect per study and nothing of how effects lie to one another. What studies
have beside their effects, baselines and standard deviations, is its own, with their priors.
"""

# what one part takes as a field another has fixed for its class:
# pyright: reportIncompatibleVariableOverride=false

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, final

from ..effects import EffectSizes
from ..errors import ModelError
from ..multivariate import MultivariateEffects
from ..priors import Prior
from ..studies import (
    BinaryStudies,
    ContinuousStudies,
    IncidenceStudies,
    PersonTimeStudies,
    ProportionStudies,
    Studies,
)
from ..ways import shown
from ._figures import check_figures
from ._priors import Exchangeable

type FamilyName = Literal[
    "estimates",
    "binomial",
    "hypergeometric",
    "poisson",
    "proportion",
    "incidence",
    "beta-binomial",
    "arms",
]
type Data = Studies | EffectSizes | ContinuousStudies | MultivariateEffects

ARM_LINKS = {
    ("MD", "normal"): "μ₁ = β + θ/2, μ₀ = β − θ/2",
    ("SMD", "normal"): "one σ for both arms, μ₁ = β + θσ/2, μ₀ = β − θσ/2",
    ("ROM", "normal"): "log μ₁ = β + θ/2, log μ₀ = β − θ/2",
    ("ROM", "lognormal"): "log-normal arms, log of their means β ± θ/2",
    ("RGM", "lognormal"): "log-normal arms, means of their logs β ± θ/2",
}
_PRODUCT = "odds-product baseline (2β = log of the product of the two arms' odds)"
_CODING = {
    "OR half": "±½ coding: logit p = β ± θ/2 (half of the effect to each arm)",
    "OR zero_one": "0/1 coding: logit p = β in control, β + θ in treatment",
    "RR": _PRODUCT,
    "RD": f"θ = atanh(RD); {_PRODUCT}",
    "IRR": "±½ coding: log rate = β ± θ/2 (half of the effect to each arm)",
}


class Paired(NamedTuple):
    """How a baseline that each table of two arms has to itself enters, and its prior."""

    link: str
    prior: Prior


class Likelihood:
    """Base of all likelihoods. Subclasses are final, frozen values.

    Attributes
    ----------
    takes : type
        The kind of data it is for.
    family : str
        What the data of a study follow, as a key.
    measure : str
        Name of the scale of the effect, where the likelihood decides it; else ``"GEN"``.
    in_words : str
        What the priors alone do not say.
    target : str
        What is predicted of a study, and given what.
    shares, closed, counted : bool
    paired : Paired or None
    """

    __slots__ = ()
    takes: ClassVar[type[Data]]
    family: ClassVar[FamilyName]
    target: ClassVar[str]
    measure: str

    @property
    def shares(self) -> bool:
        """Whether studies share more than what their effects do."""
        return False

    @property
    def coded(self) -> str:
        """How an effect enters two arms, in brief, where there is a choice."""
        return ""

    @property
    def own(self) -> tuple[str, ...]:
        """Parameters that each study has to itself, beside its effect."""
        return () if self.paired is None else ("baseline",)

    @property
    def counted(self) -> bool:
        """Whether it is of counts: effects are logs or logits, of one size in every table."""
        return False

    @property
    def closed(self) -> bool:
        """Whether it is normal in the effect: with normal effects everything is, given tau."""
        return False

    @property
    def paired(self) -> Paired | None:
        """What two arms of counts have beside their effect, if each table has it to itself."""
        return None

    @property
    def in_words(self) -> str:
        """What the priors alone do not say."""
        return ""

    def columns(self) -> Mapping[str, tuple[int, ...]]:
        """What engines read by name, with the lengths of the axes before the studies."""
        return dict.fromkeys(self.takes.columns(), ())

    def check_data(self, data: Data) -> None:
        """Refuse data of the right kind on which the likelihood is not defined.

        Raises
        ------
        ModelError
        """


@final
@dataclass(frozen=True, slots=True)
class Estimates(Likelihood):
    """Estimates with known standard errors: y is normal about the study's effect."""

    takes: ClassVar[type[Data]] = EffectSizes
    family: ClassVar[FamilyName] = "estimates"
    target: ClassVar[str] = "y given its standard error"
    measure: ClassVar[str] = "GEN"

    @property
    def closed(self) -> bool:
        """Always."""
        return True


@final
@dataclass(frozen=True, slots=True)
class CorrelatedEstimates(Likelihood):
    """Estimates in blocks with a covariance each: several outcomes of one study.

    Parameters
    ----------
    within : Prior, optional
        Of one correlation within studies, where the data do not bring them.
    outcomes : tuple of str, optional
        Their names, where the model gives them.
    """

    within: Prior | None = None
    outcomes: tuple[str, ...] | None = None
    family: ClassVar[FamilyName] = "estimates"
    target: ClassVar[str] = "y given its standard error"
    measure: ClassVar[str] = "GEN"
    takes: ClassVar[type[Data]] = MultivariateEffects

    @property
    def shares(self) -> bool:
        """Always: outcomes are correlated."""
        return True

    @property
    def in_words(self) -> str:
        """What the priors alone do not say."""
        within = "known" if self.within is None else "one unknown number"
        return f"outcomes correlated between studies; correlations within studies {within}"

    def columns(self) -> Mapping[str, tuple[int, ...]]:
        """What engines read by name, with the lengths of the axes before the studies."""
        p = len(self.outcomes or ())
        return {"y": (p,), "se": (p,), "reported": (p,), "correlation": (p, p)}

    def check_data(self, data: Data) -> None:
        """Refuse correlations within studies that nobody gives, or both sides do."""
        assert isinstance(data, MultivariateEffects)
        if self.within is None and data.correlation is None:
            raise ModelError(
                "The correlations within studies are unknown: give the data correlation=..., or "
                "the model a prior such as within=Uniform(0, 0.9)."
            )
        if self.within is None:
            return
        if data.correlation is not None:
            raise ModelError(
                "The data bring their correlations within studies: leave within out, or the data's "
                "correlation."
            )
        least = -1 / (data.p - 1)
        if self.within.support[0] < least:
            raise ModelError(
                f"A correlation common to {data.p} outcomes is at least {least:.3g}; "
                f"within={shown(self.within)} gives mass below. Use Uniform(0, 0.9), say."
            )


class OfCounts(Likelihood):
    """Base of the likelihoods of counts.

    Attributes
    ----------
    link : str
        How effect and nuisance make risks or rates, as one key.
    """

    __slots__ = ()
    target: ClassVar[str] = "treatment events given control events"
    link: str

    @property
    def counted(self) -> bool:
        """Always."""
        return True

    @property
    def in_words(self) -> str:
        """How effect and baseline make the two risks or rates."""
        return _CODING.get(self.link, "")


@final
@dataclass(frozen=True, slots=True)
class Binomial(OfCounts):
    """Two binomial arms per study.

    Parameters
    ----------
    measure : {"OR", "RR", "RD"}
    baseline : Prior or Exchangeable
        Of each study's own baseline, or of all together.
    coding : {"half", "zero_one"}
        How a log odds ratio enters the arms.
    """

    measure: str
    baseline: Prior | Exchangeable
    coding: str = "half"
    family: ClassVar[FamilyName] = "binomial"
    takes: ClassVar[type[Data]] = BinaryStudies

    @property
    def link(self) -> str:
        """How effect and baseline make the two risks, as one key."""
        return f"OR {self.coding}" if self.measure == "OR" else self.measure

    @property
    def coded(self) -> str:
        """How a log odds ratio enters the arms, in brief."""
        return {"OR half": "±½ coding", "OR zero_one": "0/1 coding"}.get(self.link, "")

    @property
    def shares(self) -> bool:
        """Whether baselines are drawn from one distribution."""
        return isinstance(self.baseline, Exchangeable)

    @property
    def paired(self) -> Paired | None:
        """The baseline of a study; None where studies share it."""
        prior = self.baseline
        return Paired(self.link, prior) if isinstance(prior, Prior) else None

    @property
    def in_words(self) -> str:
        """How effect and baseline make the two risks."""
        return _CODING[self.link] + "; baselines exchangeable between trials" * self.shares


@final
@dataclass(frozen=True, slots=True)
class Hypergeometric(OfCounts):
    """The treatment arm's events given each table's margins: no baseline."""

    measure: ClassVar[str] = "OR"
    link: ClassVar[str] = "hypergeometric"
    family: ClassVar[FamilyName] = "hypergeometric"
    takes: ClassVar[type[Data]] = BinaryStudies
    target: ClassVar[str] = "treatment events given the margins"

    @property
    def in_words(self) -> str:
        """What is conditioned on."""
        return "conditional on each study's total of events; no baseline"


@final
@dataclass(frozen=True, slots=True)
class Poisson(OfCounts):
    """Events in person-time of two arms, with the prior of each study's own baseline."""

    baseline: Prior
    measure: ClassVar[str] = "IRR"
    link: ClassVar[str] = "IRR"
    family: ClassVar[FamilyName] = "poisson"
    takes: ClassVar[type[Data]] = PersonTimeStudies

    @property
    def paired(self) -> Paired:
        """The baseline of a study."""
        return Paired(self.link, self.baseline)


@final
@dataclass(frozen=True, slots=True)
class Proportion(OfCounts):
    """Events of one binomial arm per study, on the logit scale."""

    measure: ClassVar[str] = "PLO"
    link: ClassVar[str] = "PLO"
    family: ClassVar[FamilyName] = "proportion"
    takes: ClassVar[type[Data]] = ProportionStudies
    target: ClassVar[str] = "events given n"


@final
@dataclass(frozen=True, slots=True)
class Incidence(OfCounts):
    """Events in person-time of one arm per study, on the log scale."""

    measure: ClassVar[str] = "IRLN"
    link: ClassVar[str] = "IRLN"
    family: ClassVar[FamilyName] = "incidence"
    takes: ClassVar[type[Data]] = IncidenceStudies
    target: ClassVar[str] = "events given time"


@final
@dataclass(frozen=True, slots=True)
class Overdispersed(OfCounts):
    """Beta-binomial arms that are not paired by trial: priors of the baseline and of rho."""

    baseline: Prior
    rho: Prior
    measure: ClassVar[str] = "OR"
    link: ClassVar[str] = "OR half"
    family: ClassVar[FamilyName] = "beta-binomial"
    takes: ClassVar[type[Data]] = BinaryStudies

    @property
    def shares(self) -> bool:
        """Always: baseline and overdispersion."""
        return True

    @property
    def in_words(self) -> str:
        """What all trials share."""
        return "one baseline for all trials, arms overdispersed and not paired by trial"


@final
@dataclass(frozen=True, slots=True)
class Arms(Likelihood):
    """Arms of a continuous outcome: means and SDs, or quantiles, as they are reported."""

    measure: str
    arms: str = "normal"
    log_sd: Prior | None = None
    baseline: Prior | None = None
    quartiles: int = 7
    correlation: Prior | None = None
    family: ClassVar[FamilyName] = "arms"
    takes: ClassVar[type[Data]] = ContinuousStudies
    target: ClassVar[str] = "the estimate, as its likelihood spreads about it"

    @property
    def own(self) -> tuple[str, ...]:
        """Parameters that each study has to itself, beside its effect."""
        return ("log_sd", "baseline", "correlation")

    @property
    def pair(self) -> tuple[str, str]:
        """Measure and distribution of the arms, as one key."""
        return self.measure, self.arms

    @property
    def in_words(self) -> str:
        """How the arms are modelled."""
        sds = "SDs estimated" + (", flat on their logs" if self.log_sd is None else "")
        return f"{ARM_LINKS[self.pair]}; {sds}"

    def check_data(self, data: Data) -> None:
        """Refuse figures on which the measure is not defined."""
        assert isinstance(data, ContinuousStudies)
        check_figures(self.measure, data, correlation=self.correlation)
