"""What one fit answers: a sentence, a table people read, and the published figure beside it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from ..comparison import compare
from ..effects import Measure
from ..engines import telling_count
from ..posterior import Marginal, Marginals, Posterior
from ..studies import Published
from ..summaries import Better, describe, prob_benefit, scale_of
from .display import answer_in_words, number, printed

MANY = 30  # studies, above which they are summarised
OF_SPREAD = ("tau", "spread")  # on the analysis scale; what else is shared has no scale
SHARED = {"mu": "overall effect", "theta_new": "in a new setting"}


@final
@dataclass(frozen=True, slots=True)
class Line:
    """One quantity on the scale people read.

    Attributes
    ----------
    key : str
        Its name in Python, e.g. ``"theta[Shu]"``.
    label : str
    median, lower, upper : float
    prob : float or None
        Of benefit where its direction is stated, else that the effect is below none; None of what
        is no effect that compares.
    """

    key: str
    label: str
    median: float
    lower: float
    upper: float
    prob: float | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one fit says, in the order of reading.

    Attributes
    ----------
    posterior : Posterior
    measure : Measure
    prob : float
        Of the intervals.
    better : {"lower", "higher"} or None
    lines : tuple of Line
        What all studies share.
    studies : tuple of Line
        Their effects.
    published : Published or None
    """

    posterior: Posterior
    measure: Measure
    prob: float
    better: Better | None
    lines: tuple[Line, ...]
    studies: tuple[Line, ...]
    published: Published | None = None

    @property
    def sentence(self) -> str:
        """The answer in a sentence or two."""
        overall = self.lines[0]
        ends = [(one.lower, one.upper) for one in self.lines if one.key == "theta_new"]
        return answer_in_words(
            self.measure,
            self.measure.words + (f" ({self.unit})" if self.unit else ""),
            (overall.median, overall.lower, overall.upper),
            ends[0] if ends else None,
            prob=self.prob,
            benefit=overall.prob if self.better else None,
        )

    @property
    def unit(self) -> str:
        """Of measurement of the effect; ``""`` where it has none, or none is stated."""
        return self.posterior.data.measured_in if self.measure.name == "MD" else ""

    @property
    def called(self) -> str:
        """What the effect is called at the head of a table."""
        return self.measure.words if self.measure.name == "GEN" else self.measure.called

    @property
    def prob_head(self) -> str:
        """What the probability of each line is of; empty of single arms."""
        if not self.measure.comparative:
            return ""
        return "P(benefit)" if self.better else f"P(< {self.measure.natural(0.0):g})"

    @property
    def gap(self) -> float | None:
        """(Ours - published) / published SE on the analysis scale; None without an interval."""
        if self.published is None or not self.published.has_interval:
            return None
        table = compare({"ours": self.posterior, "published": self.published}, prob=self.prob)
        return float(table["gap"].iloc[0])

    @property
    def beside(self) -> str:
        """The published figure beside ours, in a sentence; empty for none."""
        if self.published is None:
            return ""
        if self.gap is None:
            return f"Published: {printed(self.published)}."
        side = "above" if self.gap > 0 else "below"
        return (
            f"Published: {printed(self.published)}. Ours is {number(abs(self.gap))} of its "
            f"standard errors {side} it."
        )

    @property
    def studies_in_short(self) -> str:
        """Where the studies lie, for those that are too many to list."""
        medians = [one.median for one in self.studies]
        each = f"Effects of the {len(medians)} studies: medians from"
        return f"{each} {min(medians):.4g} to {max(medians):.4g}."

    def to_dict(self) -> Mapping[str, object]:
        """Return it as what JSON can hold; what is infinite or missing is null."""
        posterior = self.posterior
        return {
            "measure": self.measure.name,
            "words": self.measure.words,
            "unit": self.unit,
            "sentence": self.sentence,
            "model": describe(posterior.model),
            "published_priors": posterior.model.cited,
            "engine": posterior.engine,
            "prob": self.prob,
            "better": self.better,
            "probability": self.prob_head,
            "k": posterior.data.k,
            "k_telling": telling_count(posterior.model, posterior.data),
            "account": posterior.account.to_dict(),
            "answer": [_as_dict(one, self.measure) for one in self.lines],
            "studies": [_as_dict(one, self.measure) for one in self.studies],
            "published": None if self.published is None else printed(self.published),
            "gap": self.gap,
            "log_marginal_likelihood": posterior.log_marginal_likelihood,
        }


def answer_of(
    posterior: Posterior,
    *,
    prob: float = 0.95,
    better: Better | None = None,
    published: Published | None = None,
) -> Answer:
    """Say what a fit answers, on the scale people read.

    Parameters
    ----------
    posterior : Posterior
        Of one outcome.
    prob : float
        Of the intervals.
    better : {"lower", "higher"}, optional
        The direction of benefit.
    published : Published, optional
        Of the same measure.
    """
    measure = scale_of(posterior)
    every = tuple(_lines(posterior, measure, prob, better))
    of_studies = tuple(one for one in every if one.key.startswith("theta["))
    shared = [one for one in every if one not in of_studies]
    first = [one for one in shared if one.key in SHARED]
    return Answer(
        posterior=posterior,
        measure=measure,
        prob=prob,
        better=better if measure.comparative else None,
        lines=(*first, *(one for one in shared if one.key not in SHARED)),
        studies=of_studies,
        published=published,
    )


def _lines(
    posterior: Posterior, measure: Measure, prob: float, better: Better | None
) -> Iterator[Line]:
    effects = posterior.model.effects
    for name, found in posterior.marginals.items():
        if name in effects:
            for key, label, one in _each(name, found):
                yield _effect(key, label, one, measure, prob, better)
        elif isinstance(found, Marginal):
            label = f"{name} (of the {_analysed(measure)})" if name in OF_SPREAD else name
            low, high = found.interval(prob)
            yield Line(name, label, found.quantile(0.5), low, high, None)


def _analysed(measure: Measure) -> str:
    """What a value on the analysis scale is called, in words where there is no name."""
    return measure.words if measure.name == "GEN" else measure.analysis_called


def _each(name: str, found: Marginal | Marginals) -> Sequence[tuple[str, str, Marginal]]:
    if isinstance(found, Marginals):
        pairs = zip(found.study, found.each, strict=True)
        return [(f"{name}[{study}]", study, one) for study, one in pairs]
    return [(name, SHARED.get(name, name), found)]


def _effect(
    key: str, label: str, one: Marginal, measure: Measure, prob: float, better: Better | None
) -> Line:
    middle, low, high = measure.natural([one.quantile(0.5), *one.interval(prob)]).tolist()
    share = prob_benefit(one, better or "lower") if measure.comparative else None
    return Line(key, label, middle, low, high, share)


def _as_dict(one: Line, measure: Measure) -> Mapping[str, object]:
    of_effect = one.key in SHARED or one.key.startswith("theta[")
    scale = measure.called if of_effect else ""
    if one.key in OF_SPREAD:
        scale = measure.analysis_called
    values = {"median": one.median, "lower": one.lower, "upper": one.upper, "probability": one.prob}
    finite = {key: v if v is not None and math.isfinite(v) else None for key, v in values.items()}
    return {"name": one.key, "label": one.label, "scale": scale, **finite}
