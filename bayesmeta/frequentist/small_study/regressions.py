"""Do small studies show other effects than large ones? Tests, and what a large study would show."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ...effects import ZeroCells
from ...errors import DataError
from ...model import Data
from ...studies import BinaryStudies, check_prob
from ..pooling.one import as_effects
from ..pooling.words import named, renamed
from .counts import harbord, peters
from .mixed_line import OF_LINE, Tau2OfLine, mixed_line
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


def regression_test(
    data: Data,
    *,
    tau2: Tau2OfLine | None = "REML",
    interval: Literal["Wald", "HKSJ", "HKSJ truncated"] = "Wald",
    measure: str | None = None,
    zero_cells: ZeroCells = "if_needed",
    prob: float = 0.95,
) -> SmallStudyTest:
    """Test the estimates against their standard errors under random effects.

    The regression of y on se with weights 1/(se² + tau²), where tau² is what the line leaves over:
    by default the test that metafor's ``regtest`` makes. Egger's own lets the scatter about the
    line multiply every variance instead of adding to it.

    Parameters
    ----------
    data : EffectSizes or counts
    tau2 : {"REML", "ML", "DL", "PM", "EB", "HE", "SJ"} or None
        Estimator of tau² about the line; None for none.
    interval : {"Wald", "HKSJ", "HKSJ truncated"}
        Whose standard errors and test: normal, or t with k − 2 degrees of freedom (metafor's
        ``test="knha"``), or the same never below Wald's. HKSJ without tau² is Egger's test.
    measure, zero_cells
        For counts, as for :func:`effect_sizes`.
    prob : float
        Level of the interval of the limit.

    Returns
    -------
    SmallStudyTest
        Its ``df`` is inf, and the statistic z, with Wald's standard errors.

    Raises
    ------
    DataError
        For fewer than three studies, or standard errors that are all equal; for HKSJ also where
        the estimates lie on a line without residuals.

    References
    ----------
    Sterne JAC, Egger M (2005). In: Rothstein HR et al. (eds), Publication Bias in Meta-Analysis,
    ch. 6. Moreno SG et al. (2009). BMC Med Res Methodol 9:2. Knapp G, Hartung J (2003). Stat Med
    22:2693-2710.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(list("ABCD"), [-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1])
    >>> round(bm.regression_test(data).p, 3)
    0.142
    """
    check_prob(prob)
    chosen = None if tau2 is None else named("tau2", tau2, OF_LINE)
    of_line = named("interval", interval, ("Wald", "HKSJ", "HKSJ truncated"))
    effects = as_effects(data, measure, zero_cells)
    name = f"regression, {chosen or 'common effect'}" + f", {of_line}" * (of_line != "Wald")
    line = mixed_line(
        "The regression test",
        effects.study,
        effects.y,
        effects.se,
        effects.se**2,
        tau2=chosen,  # pyright: ignore[reportArgumentType]
        interval=of_line,  # pyright: ignore[reportArgumentType]
        prob=prob,
    )
    found = tested(name, "standard error", effects.measure, line, _TIED.get(effects.measure, ""))
    asked = {"interval": interval} | ({} if tau2 is None else {"tau2": tau2})
    return replace(found, notes=renamed(asked, {"interval": of_line, "tau2": chosen or ""}))


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
