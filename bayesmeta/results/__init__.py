"""Everything a run found, frozen.

Tables and words of a run stand here, beside the values they are made of, because the terminal and
the report show both, and the report may not look up into ``analysis``.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, final

from ..checks import Checks
from ..decision import AbsoluteEffects, EffectAlone, SummaryOfFindings, summary_of_findings
from ..effects import MEASURES, EffectSizes, Measure
from ..evidence import ReverseBayes
from ..explanation import Explanation
from ..model import Model
from ..posterior import Caution, Coherence, Posterior, general_of
from ..reading import RiskOfBias
from ..studies import Published
from ..summaries import Better, scale_of
from ..variations import Scenarios
from .keys import FitKey, Place
from .labels import label_of
from .scenario import Evidence, Robustness, ScenarioResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CONTRADICT",
    "PER_TIME",
    "Evidence",
    "OutcomeResult",
    "PublishedResult",
    "Results",
    "Robustness",
    "ScenarioResult",
    "Shared",
    "Weight",
]

PER_TIME = {"IRLN": " per unit of time"}  # behind the words of a measure
CONTRADICT = "figures that contradict each other"


class Weight(IntEnum):
    """What a caution could change, the most first."""

    DATA = 0
    FIT = 1
    PRIORS = 2
    SCENARIOS = 3


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedResult:
    """A published figure, and what it says by itself.

    Attributes
    ----------
    label : str
    published : Published
    compare_with : str
        Name of the scenario it stands beside; empty for none.
    posterior : Posterior or None
        If it was analysed alone.
    prob_benefit : float
        NaN if not.
    why, note : str
    explanation : Explanation or None
        Which conventions give it from the studies of the scenario, where that is of its measure.
    reverse : ReverseBayes or None
        Who is convinced by it; None without an interval about its estimate.
    """

    label: str
    published: Published
    compare_with: str
    posterior: Posterior | None
    prob_benefit: float
    why: str
    note: str
    explanation: Explanation | None = None
    reverse: ReverseBayes | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeResult:
    """One outcome.

    Attributes
    ----------
    name, title, event, measure, note : str
    label : str
        What the effect is called; ``""`` for the words of the measure.
    better : {"lower", "higher"} or None
        None of single arms, which compare nothing.
    unit : str
        Of means, where it is stated.
    surrogate : str
        Why it stands for what matters and is not that; empty of what matters itself.
    asked : mapping of FitKey to Model
        The models; the first is that of the answer.
    why : mapping of str to str
        Reasons for the priors.
    scenarios : tuple of ScenarioResult
        The first is the main one; empty for published figures only.
    published : tuple of PublishedResult
    absolute : AbsoluteEffects or None
    what_if : Scenarios or None
        Every decision made otherwise.
    control_risk_origin : str
        Where its control risk comes from.
    checks : Checks
        Of the answer.
    bias : RiskOfBias or None
        Judgements of its studies.
    evidence : Evidence
    coherence : Coherence
        Of its figures, each held against those that imply it.
    sources : DataFrame or None
        The table as read, provenance included.
    tables : mapping of str to DataFrame
        What is printed and written.
    """

    name: str
    title: str
    event: str
    measure: str
    better: Better | None
    note: str
    label: str = ""
    unit: str = ""
    surrogate: str = ""
    asked: Mapping[FitKey, Model] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    scenarios: tuple[ScenarioResult, ...] = ()
    published: tuple[PublishedResult, ...] = ()
    absolute: AbsoluteEffects | None = None
    what_if: Scenarios | None = None
    control_risk_origin: str = ""
    checks: Checks = field(default_factory=Checks)
    bias: RiskOfBias | None = None
    evidence: Evidence = field(default_factory=Evidence)
    coherence: Coherence = field(default_factory=Coherence)
    sources: "pd.DataFrame | None" = None
    tables: Mapping[str, "pd.DataFrame"] = field(default_factory=dict)

    @property
    def compares(self) -> bool:
        """Whether it compares two arms; else there is no benefit and no line of no effect."""
        return MEASURES[self.measure].comparative

    @property
    def told(self) -> str:
        """What the rows of its scenario table are about."""
        of = "" if self.what_if is None or not self.what_if.of else self.what_if.called
        return of or f"overall {self.effect}"

    @property
    def by_covariates(self) -> bool:
        """Whether the answer is of covariates, and no one effect that may be a benefit."""
        return self.main is not None and self.main.moderators is not None

    @property
    def effect(self) -> str:
        """The word for what a study has: an effect, or of single arms a proportion or rate."""
        return "effect" if self.compares else MEASURES[self.measure].words

    @property
    def words(self) -> str:
        """What the effect is called."""
        measure = MEASURES[self.measure]
        return self.label or measure.words + PER_TIME.get(measure.name, "")

    @property
    def main(self) -> ScenarioResult | None:
        """The main scenario."""
        return self.scenarios[0] if self.scenarios else None

    @property
    def answered_by(self) -> str:
        """Which of several scenarios the answer is of; empty where there is one."""
        count = len(self.scenarios)
        return f"scenario “{self.scenarios[0].name}”, the first of {count}" if count > 1 else ""

    @property
    def scale(self) -> Measure:
        """The measure, with the scale on which the answer stands."""
        return MEASURES[self.measure] if self.main is None else scale_of(self.main.answer)

    @property
    def counts(self) -> Model | None:
        """The model of the counts themselves."""
        return next((one for one in self.asked.values() if one.takes is not EffectSizes), None)

    @property
    def fits(self) -> Mapping[Place, Posterior]:
        """Every posterior of the outcome, the figures analysed alone included."""
        found = {
            Place(scenario.name, key): posterior
            for scenario in self.scenarios
            for key, posterior in scenario.fits.items()
        }
        alone = {
            Place(one.label): one.posterior for one in self.published if one.posterior is not None
        }
        return found | alone

    @property
    def failures(self) -> Mapping[str, tuple[str, ...]]:
        """Failed numerical gates, under what people call the fit; no cross-check without a say."""
        apart = {Place(one.name, one.unconverged) for one in self.scenarios}
        found = {
            label_of(place): tuple(map(str, posterior.diagnostics.failures))
            for place, posterior in self.fits.items()
            if not posterior.diagnostics.passed and place not in apart
        }
        zeros = self.evidence.zeros
        sound = {} if zeros is None else zeros["sound"].to_dict()
        found |= {
            str(label): ("that fit failed a gate",) for label, one in sound.items() if one is False
        }
        if self.coherence.passed:
            return found
        return found | {CONTRADICT: tuple(map(str, self.coherence.contradictions))}

    @property
    def graded(self) -> Mapping[Weight, tuple[str, ...]]:
        """Cautions by what they could change, each in one place; those of all scenarios."""
        if self.main is None:
            return {}
        trust = self.checks.trust.cautions if self.checks.trust is not None else ()
        own = set(self.main.cautions)
        found = {
            Weight.DATA: (*self.main.doubts, *self._unjudged()),
            Weight.FIT: tuple(one for one in trust if one not in own),
            Weight.PRIORS: self.main.cautions,
            Weight.SCENARIOS: tuple(self._of_scenarios(own)),
        }
        return {weight: said for weight, said in found.items() if said}

    def _unjudged(self) -> Iterator[str]:
        """What a table of risk of bias lacks, or says against its own tool."""
        if self.bias is None or self.main is None:
            return
        lacking = self.bias.unjudged(self.main.data.study)
        if lacking:
            of = f"{len(lacking)} of {self.main.data.k} studies"
            yield Caution(f"Risk of bias is not judged for {of}: {', '.join(lacking)}.")
        yield from map(Caution, self.bias.contrary)

    def _of_scenarios(self, own: Set[str]) -> Iterator[str]:
        """Cautions that further scenarios have and the main one has not."""
        known = {general_of(one) for one in own}
        for scenario in self.scenarios[1:]:
            for one in scenario.cautions:
                if general_of(one) not in known:
                    yield Caution(f"{scenario.name}: {one}")

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a reader should know before using the main answer, the weightiest first."""
        return tuple(dict.fromkeys(one for said in self.graded.values() for one in said))


@final
@dataclass(frozen=True, slots=True)
class Shared:
    """A caution and the outcomes that it concerns."""

    text: str
    outcomes: tuple[OutcomeResult, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A whole run.

    Attributes
    ----------
    title, question : str
    arms : tuple of str
    limits : tuple of str
    seed : int
    prob : float
    outcomes : tuple of OutcomeResult
    versions : mapping of str to str
        Of every program that took part.
    hashes : mapping of str to str
        SHA-256 of the specification and of each table.
    device : str
        What JAX computed on.
    specification : str
        Its text.
    reporting : mapping of str to str
        What only a person can say of the analysis, by its key.
    """

    title: str
    question: str
    arms: tuple[str, str]
    limits: tuple[str, ...]
    seed: int
    prob: float
    outcomes: tuple[OutcomeResult, ...]
    versions: Mapping[str, str]
    hashes: Mapping[str, str]
    device: str
    specification: str
    reporting: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every numerical gate of every fit passed, cross-checks apart."""
        return not any(outcome.failures for outcome in self.outcomes)

    @property
    def compares(self) -> bool:
        """Whether any outcome compares two arms."""
        return any(outcome.compares for outcome in self.outcomes)

    @property
    def by_covariates(self) -> bool:
        """Whether the answer of any outcome depends on covariates."""
        return any(outcome.by_covariates for outcome in self.outcomes)

    @property
    def cautions(self) -> tuple[Shared, ...]:
        """Every caution once, with the outcomes it concerns: the weightiest, and widest, first."""
        found: dict[str, tuple[Weight, list[tuple[str, OutcomeResult]]]] = {}
        for outcome in self.outcomes:
            for weight, said in outcome.graded.items():
                for one in dict.fromkeys(said):
                    found.setdefault(general_of(one), (weight, []))[1].append((one, outcome))
        ranked = sorted(found.items(), key=lambda item: (item[1][0], -len(item[1][1])))
        return tuple(_shared(general, said) for general, (_, said) in ranked)

    @property
    def findings(self) -> SummaryOfFindings | None:
        """The summary of findings of all outcomes that compare two arms, if any does."""
        told = {
            title: effect
            for one in self.outcomes
            if one.better is not None
            for title, effect in _told(one, self.prob)
        }
        return summary_of_findings(told) if told else None

    @property
    def unconverged(self) -> tuple[str, ...]:
        """Titles of outcomes with a cross-check that did not converge."""
        return tuple(
            one.title
            for one in self.outcomes
            if any(each.unconverged is not None for each in one.scenarios)
        )

    @property
    def coherence(self) -> Coherence:
        """Every pair of figures that was held together."""
        return sum((outcome.coherence for outcome in self.outcomes), Coherence())


def _told(
    outcome: OutcomeResult, prob: float
) -> Iterator[tuple[str, AbsoluteEffects | EffectAlone]]:
    """What an outcome says of people, and what published figures say alone, by title."""
    marks = " — NOT SOUND" if outcome.failures else ""
    marks += f" (surrogate: {outcome.surrogate})" if outcome.surrogate else ""
    if outcome.absolute is not None:
        yield f"{outcome.title}{marks}", outcome.absolute
    elif outcome.main is not None and not outcome.by_covariates:
        yield f"{outcome.title}{marks}", _alone(outcome, outcome.main.answer, prob)
    for one in outcome.published:
        if one.posterior is not None and scale_of(one.posterior).comparative:
            title = f"{outcome.title}, {one.label}{marks}"
            yield title, replace(_alone(outcome, one.posterior, prob), printed=one.published)


def _alone(outcome: OutcomeResult, posterior: Posterior, prob: float) -> EffectAlone:
    assert outcome.better is not None
    unit = outcome.unit or posterior.data.measured_in
    return EffectAlone(posterior=posterior, better=outcome.better, prob=prob, unit=unit)


def _shared(general: str, said: Sequence[tuple[str, OutcomeResult]]) -> Shared:
    """One caution: in its own words where it concerns one outcome."""
    outcomes = {outcome.name: outcome for _, outcome in said}
    text = said[0][0] if len(outcomes) == 1 else general
    return Shared(str(text), tuple(outcomes.values()))
