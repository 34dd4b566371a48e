"""Tests of small-study effects on the counts of two arms: Harbord's and Peters's."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...arguments import is_among
from ...effects import ZeroCells, cells, effect_sizes, informative
from ...errors import DataError
from ...studies import BinaryStudies, check_prob, name_rows
from ...ways import shown
from ..door import two_arms
from .result import SmallStudyTest, tested
from .weighted_line import weighted_line

type Array = NDArray[np.float64]


def harbord(
    studies: BinaryStudies, *, measure: Literal["OR", "RR"] = "OR", prob: float = 0.95
) -> SmallStudyTest:
    """Test counts by their scores: Harbord's regression.

    Z/V of each study is regressed on 1/√V with weights V, where Z is the efficient score of the
    log ratio at no effect and V its variance. No ½ is added to any cell.

    Parameters
    ----------
    studies : BinaryStudies
        Those without an event, for the odds ratio also those without a non-event, are left out.
    measure : {"OR", "RR"}
    prob : float
        Level of the interval of the limit, whose Z/V is close to the log ratio near no effect.

    Returns
    -------
    SmallStudyTest

    Raises
    ------
    DataError
        As for Egger's test; and if a study of risk ratios has no patient without the event.

    References
    ----------
    Harbord RM, Egger M, Sterne JAC (2006). Stat Med 25:3443-3457.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> trials = bm.BinaryStudies(study=list("ABC"), events_treatment=[0, 9, 30],
    ...     n_treatment=[12, 40, 60], events_control=[4, 20, 41], n_control=[15, 38, 59])
    >>> round(bm.harbord(trials).p, 3)
    0.279
    """
    check_prob(prob)
    if not is_among(measure, _SCORES):
        raise DataError(f"measure must be 'OR' or 'RR' for Harbord's test, got {shown(measure)}.")
    kept = _informative(studies, measure, "Harbord's test")
    score, variance = _SCORES[measure](kept)
    line = weighted_line(
        "Harbord's test", kept.study, score / variance, variance**-0.5, variance, prob
    )
    return tested("Harbord", "1/√V of the score", measure, line, "")


def peters(
    studies: BinaryStudies, *, zero_cells: ZeroCells = "if_needed", prob: float = 0.95
) -> SmallStudyTest:
    """Test log odds ratios against 1/N: Peters's regression.

    The weights are 1/(1/events + 1/non-events), both arms together, without any ½.

    Parameters
    ----------
    studies : BinaryStudies
    zero_cells : {"if_needed", "none", "all"}
        For the log odds ratios, as for :func:`effect_sizes`.
    prob : float
        Level of the interval of the limit.

    Returns
    -------
    SmallStudyTest

    Raises
    ------
    DataError
        For fewer than three studies, or where all studies are of one size.

    References
    ----------
    Peters JL, Sutton AJ, Jones DR, Abrams KR, Rushton L (2006). JAMA 295:676-680.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> trials = bm.BinaryStudies(study=list("ABC"), events_treatment=[0, 9, 30],
    ...     n_treatment=[12, 40, 60], events_control=[4, 20, 41], n_control=[15, 38, 59])
    >>> round(bm.peters(trials).p, 3)
    0.229
    """
    check_prob(prob)
    kept = _informative(studies, "OR", "Peters's test")
    y = effect_sizes(kept, measure="OR", zero_cells=zero_cells).y
    a, b, c, d = cells(kept)
    weights = (a + c) * (b + d) / (a + b + c + d)
    line = weighted_line("Peters's test", kept.study, y, 1 / (a + b + c + d), weights, prob)
    return tested("Peters", "1/patients", "OR", line, "")


def _informative(studies: BinaryStudies, measure: str, what: str) -> BinaryStudies:
    two_arms(studies, DataError(f"{what} needs the counts of two arms: give it BinaryStudies."))
    kept = informative(studies, measure)
    if not kept.any():
        raise DataError(f"{what} needs events: no study says anything about the {measure}.")
    return studies.keep(kept)


def score_or(studies: BinaryStudies) -> tuple[Array, Array]:
    """Score of the log odds ratio at none and its variance, study by study."""
    a, b, c, d = cells(studies)
    n1, n2, n = a + b, c + d, a + b + c + d
    return a - n1 * (a + c) / n, n1 * n2 * (a + c) * (b + d) / (n**2 * (n - 1))


def score_rr(studies: BinaryStudies) -> tuple[Array, Array]:
    """Score of the log risk ratio at none and its variance, study by study."""
    a, b, c, d = cells(studies)
    n1, n2, n, events = a + b, c + d, a + b + c + d, a + c
    full = events == n
    if full.any():
        raise DataError(
            f"Harbord's test of risk ratios needs a patient without the event in every study; "
            f"check {name_rows(studies.study, full)}, or use measure='OR'."
        )
    return (a * n - events * n1) / (n - events), n1 * n2 * events / (n * (n - events))


_SCORES = {"OR": score_or, "RR": score_rr}
