"""Numbers and sentences as people read them; for the terminal and the report alike."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from .. import summaries
from ..checks import Checks
from ..effects import MEASURES, Measure
from ..model import FamilyName, Model
from ..studies import Published
from . import OutcomeResult, Results
from .moderated import moderated_sentence

NOTHING = "–"


@final
@dataclass(frozen=True, slots=True)
class Figure:
    """What the first sentence says of one published figure, as text.

    Attributes
    ----------
    label, measure, estimate, lower, upper : str
    benefit : str
        Empty of single arms.
    """

    label: str
    measure: str
    estimate: str
    lower: str
    upper: str
    benefit: str

    def __str__(self) -> str:
        said = f"{self.label} {self.measure} {self.estimate} [{self.lower}, {self.upper}]"
        return f"{said} (probability of benefit {self.benefit})" if self.benefit else said


def number(value: float, decimals: int = 2) -> str:
    """Round for reading, with a true minus; one decimal more below 0.095."""
    if value is None or not math.isfinite(value):
        return NOTHING
    size = abs(value)
    if size >= 1e5 or 0 < size < 5e-4:
        return f"{value:.2g}".replace("-", "−")
    return _signed(f"{value:.{decimals + (0 < size < 0.095)}f}")


def _signed(text: str) -> str:
    """With a true minus, and none before a zero."""
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


def interval(estimate: float, lower: float, upper: float, decimals: int = 2) -> str:
    """Write ``0.76 [0.60, 0.96]``; all three with fewer decimals where one is 100 or more."""
    if not math.isfinite(estimate):
        return NOTHING
    middle, low, high = three(estimate, lower, upper, decimals)
    return f"{middle} [{low}, {high}]"


def three(estimate: float, lower: float, upper: float, decimals: int = 2) -> tuple[str, str, str]:
    """Write an estimate and both ends of its interval with the decimals they share."""
    values = (estimate, lower, upper)
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    places = max(decimals - 1, 0) if largest >= 100 else decimals
    middle, low, high = (number(value, places) for value in values)
    return middle, low, high


def natural(value: float, measure: Measure) -> str:
    """Write a value on the scale people read, with the digits its measure is read with."""
    if measure.comparative or not (math.isfinite(value) and value > 0):
        return number(value)
    return _OF_ONE_ARM[measure.link](value)


def natural_three(values: tuple[float, float, float], measure: Measure) -> tuple[str, str, str]:
    """Write an estimate and both ends of its interval on the scale people read."""
    if measure.comparative:
        return three(*values)
    middle, low, high = (natural(value, measure) for value in values)
    return middle, low, high


def natural_interval(values: tuple[float, float, float], measure: Measure) -> str:
    """Write ``0.76 [0.60, 0.96]``, or of proportions ``0.885 [0.807, 0.944]``."""
    if measure.comparative or not math.isfinite(values[0]):
        return interval(*values)
    middle, low, high = natural_three(values, measure)
    return f"{middle} [{low}, {high}]"


def _proportion(value: float) -> str:
    """Three decimals; two digits of a small one, and none rounded to certainty."""
    left = 1 - value
    if value < 1e-6 or left <= 0:
        return f"{value:.2g}"
    if left < 1e-6:
        return "> 0.999999"
    least = value if left >= 5e-4 else left
    return f"{value:.{max(3, 1 - math.floor(math.log10(least)))}f}"


def _rate(value: float) -> str:
    """Three digits, whatever the unit of time."""
    if not 1e-4 <= value < 1e5:
        return f"{value:.2e}".replace("-", "−")
    return f"{value:.{max(2 - math.floor(math.log10(value)), 0)}f}"


_OF_ONE_ARM: Mapping[str, Callable[[float], str]] = {"logit": _proportion, "log": _rate}


def spoken(text: str, outcome: OutcomeResult) -> str:
    """Speak of a proportion or a rate where an outcome has no effect."""
    return text.replace("effect", outcome.effect)


def printed(figure: Published) -> str:
    """Write a published figure as it was printed; of single arms with its measure in words."""
    measure = MEASURES[figure.measure or "GEN"]
    if measure.comparative or not figure.has_interval:
        return str(figure)
    return f"{measure.words} {figure.estimate} [{figure.lower}, {figure.upper}]"


def simulated(value: float, error: float, decimals: int = 2) -> str:
    """Write a simulated number with no more digits than its Monte Carlo error leaves it."""
    size = abs(value)
    if not (math.isfinite(value) and math.isfinite(error) and error > 0 and 5e-4 <= size < 1e5):
        return number(value, decimals)
    places = -math.floor(math.log10(error))
    return _signed(f"{round(value, places):.{max(min(places, decimals + (size < 0.095)), 0)}f}")


def simulated_interval(values: Sequence[float], errors: Sequence[float], decimals: int = 2) -> str:
    """Write ``8.1 [2.4, 18]``: estimate, lower and upper end, each to its Monte Carlo error."""
    middle, low, high = map(simulated, values, errors, [decimals] * 3)
    return f"{middle} [{low}, {high}]"


def percent(probability: float) -> str:
    """Write a probability in per cent, never rounded to certainty."""
    if probability is None or not math.isfinite(probability):
        return NOTHING
    return summaries.percent(probability)


def answer_in_words(
    measure: Measure,
    words: str,
    overall: tuple[float, float, float],
    new: tuple[float, float] | None,
    *,
    prob: float,
    benefit: float | None,
) -> str:
    """Write an answer as a sentence that says what it rests on.

    Parameters
    ----------
    measure : Measure
    words : str
        What the effect is called.
    overall : tuple of float
        Median and both ends, on the scale people read.
    new : tuple of float or None
        Both ends of the prediction, if there is one.
    prob : float
    benefit : float or None
        Its probability, where its direction is stated.
    """
    middle, lower, upper = (natural(value, measure) for value in overall)
    against = _against_none(measure, overall[1:], benefit)
    said = (
        f"Given this model and these priors, the {words} lies between {lower} and {upper} with "
        f"{100 * prob:g}% probability (median {middle}){against}."
    )
    if new is None:
        return said
    low, high = (natural(value, measure) for value in new)
    return f"{said} In a new setting like these it lies between {low} and {high}."


def _against_none(measure: Measure, ends: Sequence[float], benefit: float | None) -> str:
    """What a comparison says of no effect and of benefit."""
    if not measure.comparative:
        return ""
    crosses = "includes" if ends[0] < float(measure.natural(0.0)) < ends[1] else "excludes"
    said = f", an interval that {crosses} no effect"
    if benefit is None:
        return said
    return f"{said}; the probability of benefit is {percent(benefit)}"


def headline(outcome: OutcomeResult, *, prob: float) -> str:
    """The answer in a sentence that says what it rests on."""
    main = outcome.main
    if main is None:
        return _headline_published(outcome, prob)
    if main.moderators is not None:
        return moderated_sentence(main.moderators, prob=prob)
    measure, answer = outcome.scale, main.answer
    mu = answer.at()
    overall = measure.natural([mu.quantile(0.5), *mu.interval(prob)]).tolist()
    new = None
    if answer.model.between.new is not None:
        new = measure.natural(answer.at(new=True).interval(prob)).tolist()
    benefit = outcome.tables["comparison"].iloc[0]["prob_benefit"] if outcome.compares else None
    return answer_in_words(measure, outcome.words, overall, new, prob=prob, benefit=benefit)


def published_figures(outcome: OutcomeResult, *, prob: float) -> Sequence[Figure]:
    """What each published figure says by itself, where it was analysed."""
    found = []
    for one in outcome.published:
        if one.posterior is None:
            continue
        mu, measure = one.posterior.at(), MEASURES[one.published.measure or "GEN"]
        middle, low, high = map(float, measure.natural([mu.quantile(0.5), *mu.interval(prob)]))
        texts = natural_three((middle, low, high), measure)
        benefit = "" if math.isnan(one.prob_benefit) else percent(one.prob_benefit)
        found.append(Figure(one.label, measure.called, *texts, benefit))
    return found


def shift_sentence(outcome: OutcomeResult) -> str:
    """How far mu moves without the studies that have no event."""
    zeros = outcome.evidence.zeros
    if zeros is None:
        return ""
    full, without = zeros.iloc[0], zeros.iloc[1]
    if not without["left_out"] or without["k"] == 0:
        return ""
    many = full["k"] - without["k"] > 1
    where = " in either arm" if outcome.compares else ""
    return (
        f"{without['left_out']} {'have' if many else 'has'} no event{where}. Without "
        f"{'them' if many else 'it'} the mean of mu ({outcome.scale.analysis_called}) moves by "
        f"{number(without['mean'] - full['mean'], 3)}, from {number(full['mean'], 3)} to "
        f"{number(without['mean'], 3)}, and its SD from {number(full['sd'], 3)} to "
        f"{number(without['sd'], 3)}."
    )


def factor(value: float) -> str:
    """Write a Bayes factor with three digits, whatever its size, or its bound."""
    if math.isnan(value):
        return NOTHING
    if not 1e-300 < value < 1e300:
        return "< 1e-300" if value < 1 else "> 1e+300"
    return f"{value:.2e}" if not 1e-3 <= value < 1e4 else f"{value:.3g}"


def fit_in_words(checks: Checks) -> str:
    """Totals of the predictions and of the fit."""
    said = []
    loo, fitted = checks.loo, checks.deviance
    if loo is not None and math.isfinite(loo.total):
        said.append(
            f"Predicted: {loo.target}. Log predictive density of all studies (elpd) "
            f"{number(loo.total)}, SE {number(loo.se)}; effective number of shared parameters "
            f"{number(loo.p_loo)}"
        )
    if fitted is not None:
        said.append(
            f"Total residual deviance {number(fitted.total)} for {fitted.points.sum():.0f} data "
            f"points, pD {number(fitted.p_d)}, DIC {number(fitted.dic)}"
        )
        if max(fitted.mcse) > 0:
            errors = ", ".join(number(error) for error in fitted.mcse)
            said[-1] += f" (from draws, with Monte Carlo standard errors of {errors})"
    return ". ".join(said)


def likelihoods_in_words(results: Results) -> str:
    """How counts and arms are modelled in a run; empty where all its data are estimates."""
    models = [one.counts for one in results.outcomes]
    return "; ".join(dict.fromkeys(_likelihood(one) for one in models if one is not None))


def _likelihood(model: Model) -> str:
    if model.likelihood.family == "arms" and model.between.new is None:
        return "a continuous outcome of studies with one effect likewise"
    return _LIKELIHOODS[model.likelihood.family]


_LIKELIHOODS: Mapping[FamilyName, str] = {
    "binomial": "counts by two binomial arms per study",
    "hypergeometric": "counts, given each study's total of events, by the hypergeometric "
    "distribution",
    "poisson": "counts by two Poisson arms per study",
    "proportion": "events of single arms by one binomial distribution per study",
    "incidence": "events of single arms in person-time by one Poisson distribution per study",
    "arms": "continuous outcomes by both arms' means and SDs, or quantiles as rounded, the SDs "
    "estimated with the rest",
}


def _headline_published(outcome: OutcomeResult, prob: float) -> str:
    """What each figure says by itself; the printed one stands in the table of published figures."""
    figures = published_figures(outcome, prob=prob)
    if not figures:
        return "No figure to analyse was found."
    return (
        "Published figures, each analysed alone (posterior median with its "
        f"{100 * prob:g}% interval): {'; '.join(map(str, figures))}."
    )
