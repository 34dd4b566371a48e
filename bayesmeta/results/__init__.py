"""Everything a run found, frozen.

Tables and words of a run stand here, beside the values they are made of, because the terminal and
the report show both, and the report may not look up into ``analysis``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from ..checks import Checks
from ..decision import AbsoluteEffects
from ..effects import MEASURES, EffectSizes, Measure
from ..evidence import BayesFactors
from ..explanation import Explanation
from ..frequentist import FrequentistFit, narrow_prediction
from ..model import Data, Model
from ..posterior import Coherence, Posterior
from ..studies import Excluded, Published
from ..summaries import Better, scale_of
from .keys import FitKey, Place
from .labels import LABELS, label_of

if TYPE_CHECKING:
    import pandas as pd

PER_TIME = {"IRLN": " per unit of time"}  # behind the words of a measure
CONTRADICT = "figures that contradict each other"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the answer rests on.

    Attributes
    ----------
    factors : BayesFactors or None
        Of the answer.
    why_none : str
        Why there are no factors.
    weights : DataFrame or None
        Of the studies, by the normal model.
    zeros : DataFrame or None
        The answer with and without studies without events, if there are any.
    penalty : DataFrame or None
        How much wider quantiles leave each study and the answer than means and SDs made of them
        would, where arms report quantiles.
    definitions : DataFrame or None
        The answer by either definition of sample quartiles, likewise.
    """

    factors: BayesFactors | None = None
    why_none: str = ""
    weights: "pd.DataFrame | None" = None
    zeros: "pd.DataFrame | None" = None
    penalty: "pd.DataFrame | None" = None
    definitions: "pd.DataFrame | None" = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """What single studies, and small ones, do to the two-stage estimate by REML.

    Attributes
    ----------
    tau2_interval : tuple of float or None
        By Q-profile, 95%.
    influence : DataFrame or None
        Of each study.
    small_study : DataFrame or None
        Tests of small-study effects, for ten studies or more.
    """

    tau2_interval: tuple[float, float] | None = None
    influence: "pd.DataFrame | None" = None
    small_study: "pd.DataFrame | None" = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """One selection of studies, analysed every way.

    Attributes
    ----------
    name, note : str
    data : BinaryStudies or EffectSizes
    excluded : tuple of Excluded
    fits : mapping of FitKey to Posterior
        The first is the answer.
    pooled : mapping of FitKey to FrequentistFit
    refusals : tuple of str
        Why an analysis could not be made.
    said : tuple of str
        What was done to read its rows.
    robustness : Robustness
    unconverged : FitKey or None
        Of a posterior that was to check the answer and did not converge.
    """

    name: str
    note: str
    data: Data
    excluded: tuple[Excluded, ...]
    fits: Mapping[FitKey, Posterior]
    pooled: Mapping[FitKey, FrequentistFit]
    refusals: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    robustness: Robustness = field(default_factory=Robustness)
    unconverged: FitKey | None = None

    @property
    def answer(self) -> Posterior:
        """The posterior that answers the question."""
        return self.fits[self.answering]

    @property
    def answering(self) -> FitKey:
        """Which of the fits that is."""
        return next(iter(self.fits))

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a reader should know before using any of its answers."""
        said: dict[str, None] = {}
        for posterior in self.fits.values():
            said |= dict.fromkeys(posterior.cautions)
        said |= dict.fromkeys((*self.refusals, *_narrow(self.pooled)))
        said |= dict.fromkeys((*_certain(self.pooled), *_predicts(self.pooled)))
        if self.unconverged is not None:
            said[self._no_cross_check(self.unconverged)] = None
        return tuple(said)

    def _no_cross_check(self, source: FitKey) -> str:
        """Say that the second source has no say."""
        check = self.fits[source]
        sound = "The answer is sound; its" if self.answer.diagnostics.passed else "The answer's"
        return (
            f"{sound} cross-check, {LABELS[source]}, did not converge and speaks neither for nor "
            f"against it: {'; '.join(map(str, check.diagnostics.failures))}."
        )


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
    """

    label: str
    published: Published
    compare_with: str
    posterior: Posterior | None
    prob_benefit: float
    why: str
    note: str
    explanation: Explanation | None = None


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
    asked : mapping of FitKey to Model
        The models; the first is that of the answer.
    why : mapping of str to str
        Reasons for the priors.
    scenarios : tuple of ScenarioResult
        The first is the main one; empty for published figures only.
    published : tuple of PublishedResult
    absolute : AbsoluteEffects or None
    control_risk_origin : str
        Where its control risk comes from.
    checks : Checks
        Of the answer.
    evidence : Evidence
    coherence : Coherence
        Of its figures, each held against those that imply it.
    said : tuple of str
        What was guessed or done to read the table.
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
    asked: Mapping[FitKey, Model] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    scenarios: tuple[ScenarioResult, ...] = ()
    published: tuple[PublishedResult, ...] = ()
    absolute: AbsoluteEffects | None = None
    control_risk_origin: str = ""
    checks: Checks = field(default_factory=Checks)
    evidence: Evidence = Evidence()
    coherence: Coherence = field(default_factory=Coherence)
    said: tuple[str, ...] = ()
    sources: "pd.DataFrame | None" = None
    tables: Mapping[str, "pd.DataFrame"] = field(default_factory=dict)

    @property
    def compares(self) -> bool:
        """Whether it compares two arms; else there is no benefit and no line of no effect."""
        return MEASURES[self.measure].comparative

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
    def cautions(self) -> tuple[str, ...]:
        """What a reader should know before using the main answer."""
        said: dict[str, None] = {}
        main = set(self.main.cautions) if self.main is not None else set()
        for scenario in self.scenarios:
            prefix = "" if scenario is self.main else f"{scenario.name}: "
            new = [one for one in scenario.cautions if not prefix or one not in main]
            said |= dict.fromkeys(f"{prefix}{one}" for one in new)
        if self.checks.trust is not None:
            said |= dict.fromkeys(self.checks.trust.cautions)
        return tuple(said)


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

    @property
    def passed(self) -> bool:
        """Whether every numerical gate of every fit passed, cross-checks apart."""
        return not any(outcome.failures for outcome in self.outcomes)

    @property
    def compares(self) -> bool:
        """Whether any outcome compares two arms."""
        return any(outcome.compares for outcome in self.outcomes)

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


def _certain(fits: Mapping[FitKey, FrequentistFit]) -> tuple[str, ...]:
    """Say where an interval has no width because all patients have the event."""
    return tuple(
        f"{LABELS[key]}: {one}"
        for key, fit in fits.items()
        if fit.tau2 is None and fit.se == 0
        for one in fit.cautions
    )


def _predicts(fits: Mapping[FitKey, FrequentistFit]) -> tuple[str, ...]:
    """Say where a new study would be known better than the mean of all."""
    found = [LABELS[key] for key, fit in fits.items() if fit.predicts_narrowly]
    return (narrow_prediction("HK", f" of {' and '.join(found)}"),) if found else ()


def _narrow(fits: Mapping[FitKey, FrequentistFit]) -> tuple[str, ...]:
    """Say where HKSJ has a smaller standard error than Wald: the estimates happen to agree."""
    found = [
        LABELS[key]
        for key, fit in fits.items()
        if "HKSJ" in fit.spreads and fit.spreads["HKSJ"].se < fit.spreads["Wald"].se
    ]
    if not found:
        return ()
    return (
        f"The HKSJ standard error of {' and '.join(found)} is smaller than Wald's: the estimates "
        "agree better than their own standard errors say they should. Prefer the truncated form.",
    )
