"""Do small studies show other effects than large ones? Tests, and what a large study would show."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...effects import ZeroCells
from ...errors import DataError
from ...model import Data
from ...studies import BinaryStudies, check_prob
from ..pooling.one import as_effects
from .counts import harbord, peters
from .result import SmallStudyTest, tested
from .weighted_line import weighted_line

if TYPE_CHECKING:
    import pandas as pd

_TIED = {
    "OR": "The standard error of a log odds ratio depends on the odds ratio, so the test finds "
    "asymmetry too often when effects are large: see Harbord's and Peters's.",
    "SMD": "The standard error of an SMD contains the SMD, so the test finds asymmetry too often "
    "when effects are large.",
}


def egger(
    data: Data,
    *,
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> SmallStudyTest:
    """Test the estimates against their standard errors: Egger's regression.

    The regression of y/se on 1/se, whose intercept is tested, is the regression of y on se with
    weights 1/se² and a dispersion estimated from the residuals, whose slope is tested.

    Parameters
    ----------
    data : EffectSizes or counts
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level of the interval of the limit.

    Returns
    -------
    SmallStudyTest

    Raises
    ------
    DataError
        For fewer than three studies, standard errors that are all equal, or estimates that lie
        on a line without residuals.

    References
    ----------
    Egger M, Davey Smith G, Schneider M, Minder C (1997). BMJ 315:629-634.
    Sterne JAC et al. (2011). BMJ 343:d4002 (at least ten studies; what the tests can tell).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(list("ABCD"), [-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1])
    >>> round(bm.egger(data).p, 3)
    0.202
    """
    check_prob(prob)
    effects = as_effects(data, measure, zero_cells)
    line = weighted_line("Egger's test", effects.study, effects.y, effects.se, effects.se**-2, prob)
    return tested("Egger", "standard error", effects.measure, line, _TIED.get(effects.measure, ""))


def small_study_tests(
    data: Data, *, measure: str | None = None, prob: float = 0.95
) -> "pd.DataFrame":
    """Run every test of small-study effects that fits the data.

    Parameters
    ----------
    data : EffectSizes or counts
    measure : str, optional
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level of the intervals of the limits.

    Returns
    -------
    DataFrame
        One row per test: Egger's; for the odds ratio of two arms of counts also Harbord's and
        Peters's, for their risk ratio Harbord's. Columns are the attributes of
        :class:`SmallStudyTest` and ``in_words``. ``attrs["left_out"]`` maps the name of a test
        that these studies do not allow to the reason.

    Raises
    ------
    DataError
        If no test can be made.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> trials = bm.BinaryStudies(study=list("ABC"), events_treatment=[0, 9, 30],
    ...     n_treatment=[12, 40, 60], events_control=[4, 20, 41], n_control=[15, 38, 59])
    >>> bm.small_study_tests(trials, measure="OR").index.tolist()
    ['Egger', 'Harbord', 'Peters']
    """
    import pandas as pd

    made: dict[str, Callable[[], SmallStudyTest]] = {
        "Egger": lambda: egger(data, measure=measure, prob=prob)
    }
    if isinstance(data, BinaryStudies):
        if measure == "OR":
            made["Harbord"] = lambda: harbord(data, measure="OR", prob=prob)
            made["Peters"] = lambda: peters(data, prob=prob)
        elif measure == "RR":
            made["Harbord"] = lambda: harbord(data, measure="RR", prob=prob)
    rows, left_out = [], {}
    for name, make in made.items():
        try:
            rows.append(make().table())
        except DataError as problem:
            left_out[name] = problem
    if not rows:
        raise left_out["Egger"]
    table = pd.concat(rows)
    table.attrs["left_out"] = {name: str(problem) for name, problem in left_out.items()}
    return table
