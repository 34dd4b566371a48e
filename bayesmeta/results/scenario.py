"""One selection of studies, analysed every way, and what the answer rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from ..evidence import BayesFactorCurve, BayesFactors, ReverseBayes, TippingPoints
from ..frequentist import FrequentistFit, narrow_prediction
from ..model import Data
from ..moderators import Moderators
from ..posterior import Posterior
from ..studies import Account
from .keys import FitKey
from .labels import LABELS

if TYPE_CHECKING:
    import pandas as pd


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the answer rests on.

    Attributes
    ----------
    factors : BayesFactors or None
        Of the answer.
    curve : BayesFactorCurve or None
        Of the answer, by the scale of each prior.
    why_none : str
        Why there are no factors.
    reverse : ReverseBayes or None
        Who is convinced by the answer; None of single arms, and of draws.
    tipping : TippingPoints or None
        What turns the conclusion of the answer; None of single arms, and of draws.
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
    curve: BayesFactorCurve | None = None
    why_none: str = ""
    reverse: ReverseBayes | None = None
    tipping: TippingPoints | None = None
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
    account : Account
        What became of the rows of the table, analyses in two stages included.
    doubts : tuple of str
        What its table says that is hardly so; of the main scenario alone, for parts of a table are
        doubted more often.
    fits : mapping of FitKey to Posterior
        The first is the answer.
    pooled : mapping of FitKey to FrequentistFit
    refusals : tuple of str
        Why an analysis could not be made.
    robustness : Robustness
    unconverged : FitKey or None
        Of a posterior that was to check the answer and did not converge.
    moderators : Moderators or None
        What the answer says of covariates; None where it has one effect.
    """

    name: str
    note: str
    data: Data
    account: Account
    doubts: tuple[str, ...] = ()
    fits: Mapping[FitKey, Posterior]
    pooled: Mapping[FitKey, FrequentistFit]
    refusals: tuple[str, ...] = ()
    robustness: Robustness = field(default_factory=Robustness)
    unconverged: FitKey | None = None
    moderators: Moderators | None = None

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
        if self.moderators is not None:
            said |= dict.fromkeys(self.moderators.cautions)
        said |= dict.fromkeys((*self.refusals, *_certain(self.pooled)))
        if self.unconverged is not None:
            said[self._no_cross_check(self.unconverged)] = None
        return tuple(said)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the frequentist lines should know; the answer does not hang on it."""
        return (*_narrow(self.pooled), *_predicts(self.pooled))

    def _no_cross_check(self, source: FitKey) -> str:
        """Say that the second source has no say."""
        check = self.fits[source]
        sound = "The answer is sound; its" if self.answer.diagnostics.passed else "The answer's"
        return (
            f"{sound} cross-check, {LABELS[source]}, did not converge and speaks neither for nor "
            f"against it: {'; '.join(map(str, check.diagnostics.failures))}."
        )


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
