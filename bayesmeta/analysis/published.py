"""Published figures: what each says by itself, and what gives it."""

from collections.abc import Sequence

import numpy as np

from .. import engines
from ..effects import effect_sizes
from ..errors import BayesmetaError
from ..evidence import ReverseBayes, reverse_bayes
from ..explanation import Explanation, explain
from ..model import CommonEffect, Data, Model
from ..posterior import Posterior
from ..priors import Normal
from ..results import PublishedResult, ScenarioResult
from ..specification import Outcome, PublishedFigure
from ..studies import Published
from ..summaries import prob_benefit, scale_of

INFORMATION = (
    "unit-information prior: as vague as one of the {} patients "
    "(Kass & Wasserman 1995, JASA 90:928)"
)


def published_result(
    outcome: Outcome, figure: PublishedFigure, first: str, scenarios: Sequence[ScenarioResult]
) -> PublishedResult:
    """A published figure, analysed alone where that is asked for, and explained."""
    printed = figure.published
    posterior = None
    why = figure.why
    if figure.alone:
        posterior = engines.fit(*_alone(figure))
        why = why if figure.prior is not None else why or INFORMATION.format(figure.n)
    beside = figure.compare_with or (
        first if printed.has_interval and figure.measure == outcome.measure else ""
    )
    return PublishedResult(
        label=figure.label,
        published=printed,
        compare_with="" if beside == "none" else beside,
        posterior=posterior,
        prob_benefit=_benefit(outcome, posterior),
        why=why,
        note=figure.note,
        explanation=_explanation(outcome, printed, beside, scenarios),
        reverse=_reverse(printed),
    )


def check_alone(figure: PublishedFigure) -> None:
    """Refuse a figure that is to be analysed alone and cannot be, without fitting it."""
    if figure.alone:
        engines.check_fit(*_alone(figure))


def _alone(figure: PublishedFigure) -> tuple[Model, Data]:
    """The model and the one datum that a figure is by itself."""
    data, prior = effect_sizes(figure.published), figure.prior
    if prior is None:
        assert figure.n is not None
        prior = unit_information(float(data.se[0]), figure.n)
    return CommonEffect(mu=prior), data


def _reverse(printed: Published) -> ReverseBayes | None:
    """Who is convinced by a printed figure, where its interval is about its estimate."""
    try:
        return reverse_bayes(printed) if printed.has_interval and printed.measure else None
    except BayesmetaError:
        return None


def _benefit(outcome: Outcome, posterior: Posterior | None) -> float:
    """The probability of benefit; NaN where there is none, as of single arms."""
    if posterior is None or outcome.better is None or not scale_of(posterior).comparative:
        return np.nan
    return prob_benefit(posterior.at(), outcome.better)


def unit_information(se: float, n: int) -> Normal:
    """Return the prior that is as vague as one of `n` patients behind a standard error.

    Its SD, se √n, is rounded to four significant digits: the prior that is printed is the one
    that is used.

    References
    ----------
    Kass RE, Wasserman L (1995). J Am Stat Assoc 90:928-934.

    Examples
    --------
    >>> from bayesmeta.analysis import unit_information
    >>> unit_information(8.13, 88)
    Normal(0, 76.27)
    """
    return Normal(0, float(f"{se * np.sqrt(n):.4g}"))


def _explanation(
    outcome: Outcome, printed: Published, beside: str, scenarios: Sequence[ScenarioResult]
) -> Explanation | None:
    """What gives the printed figure from the scenario it stands beside, if anything can."""
    data = next((one.data for one in scenarios if one.name == beside), None)
    if data is None or not printed.has_interval or printed.measure != outcome.measure:
        return None
    try:
        return explain(data, printed)  # pyright: ignore[reportArgumentType]
    except BayesmetaError:
        return None  # the comparison stands without it
