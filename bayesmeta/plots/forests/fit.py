"""Forest plots of fits: their rows are made here, and drawn as the report draws them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from ...arguments import check_switch
from ...comparison import Fit, compare
from ...effects import Measure
from ...errors import ModelError
from ...frequentist import FrequentistFit
from ...model import check_one_effect
from ...posterior import Posterior
from ...reading import RiskOfBias
from ...reading import risk_of_bias as risk_of_bias_of
from ...studies import Published
from ...summaries import (
    Better,
    coefficient_rows,
    forest_rows,
    group_rows,
    groups_of,
    heterogeneity_rows,
    measure_of,
    rows_table,
    scale_of,
)
from ...ways import shown
from .._fits import ARMS, check_fit
from .rows import forest_of_rows
from .scenarios import scenarios_of_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ...summaries import ForestRow

    type Drawn = Figure | pd.DataFrame


def forest(
    fit: Posterior,
    *,
    overall: Posterior | None = None,
    frequentist: Mapping[str, FrequentistFit] | None = None,
    published: Mapping[str, Published] | None = None,
    better: Better | None = None,
    labels: tuple[str, str] = ARMS,
    title: str = "",
    prob: float = 0.95,
    width: float | None = None,
    columns: Sequence[str] | None = None,
    studies: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    densities: bool = False,
    risk_of_bias: "RiskOfBias | pd.DataFrame | Path | str | None" = None,
    rows: bool = False,
) -> "Drawn":
    """Draw a forest plot of a fit, with other answers below it.

    Each study has a box sized by its weight, and beneath it the effect the model gives it; then
    come the posterior, the prediction, and what others make of the same studies. Of a model with
    a mean for each group (``mu=bm.ByGroup(...)``) each group has its block, and below them stand
    their differences.

    Parameters
    ----------
    fit : Posterior
        Of one outcome, with one effect or one for each group of studies.
    overall : Posterior, optional
        For groups: a fit of the same studies with one effect, to stand below them.
    frequentist, published : mapping, optional
        Estimates to set below, by label.
    better : {"lower", "higher"}, optional
        The direction of benefit; where it is not given, neither side is named.
    labels : tuple of str
        What treatment and control are called.
    title : str
    prob : float
        Level of all intervals except the published ones, which keep their own.
    width : float, optional
        In mm, 70 to 400: 85, 114 or 174 for a journal. By default as wide as a screen's 840 px.
    columns : sequence of {"counts", "weight", "effect", "model"}, optional
        Texts beside the axis; by default as many as leave room for it: first the column of the
        model goes, then the counts, then the weights.
    studies : sequence of str, optional
        Those to draw; the answers are of all, and the figure says how many it shows.
    kinds : sequence of str, optional
        Kinds of rows to draw, of those in ``rows=True``; all by default.
    densities : bool
        Whether posteriors have their densities drawn.
    risk_of_bias : Path, str, DataFrame or RiskOfBias, optional
        A table of judgements by RoB 2 (columns ``Study``, ``D1`` to ``D5``, ``Overall``) or
        ROBINS-I (to ``D7``), drawn as lights; studies without a row have none.
    rows : bool
        Return the numbers that would be drawn, analysis scale, in place of the figure.

    Returns
    -------
    Figure or DataFrame
        As high as it needs to be.

    Raises
    ------
    ModelError
        If the fit has several outcomes, or `better` is not a direction; if there is no such study,
        column or kind, or too little room.
    DataError
        If a judgement is unknown, or of no study of the fit.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = bm.plots.forest(bm.fit(model, data), better="lower", width=85)
    >>> figure.savefig("forest.png")  # doctest: +SKIP
    """
    check_fit(fit, "forest")
    check_switch(densities, "densities")
    check_switch(rows, "rows")
    made = [*_rows_of(fit, overall, frequentist, published, prob=prob, densities=densities)]
    made += heterogeneity_rows(fit, prob=prob)
    drawn = _chosen(made, fit.data.study, studies, kinds)
    judged = None if risk_of_bias is None else _judged(risk_of_bias, fit)
    if rows:
        return rows_table(drawn)
    some = () if studies is None else (f"{len(studies)} of {fit.data.k} studies are shown.",)
    return forest_of_rows(
        drawn,
        measure=measure_of(fit),
        better=better,
        labels=labels,
        title=title,
        prob=prob,
        width=width,
        columns=columns,
        foot=(*some, *(() if judged is None else (*judged.said, *judged.contrary))),
        bias=judged,
    )


def _judged(given: "RiskOfBias | pd.DataFrame | Path | str", fit: Posterior) -> RiskOfBias:
    found = given if isinstance(given, RiskOfBias) else risk_of_bias_of(given)
    left_out = [one.study for one in fit.data.excluded]
    found.check_known([*fit.data.study, *left_out], "this fit")
    return found.of(fit.data.study)


def _rows_of(
    fit: Posterior,
    overall: Posterior | None,
    frequentist: Mapping[str, FrequentistFit] | None,
    published: Mapping[str, Published] | None,
    *,
    prob: float,
    densities: bool,
) -> "Sequence[ForestRow]":
    if not groups_of(fit):
        check_one_effect(fit.model, "forest")
        if overall is not None:
            raise ModelError("overall stands below groups; this fit has one effect, and shows it.")
        return forest_rows(
            fit, frequentist=frequentist, published=published, prob=prob, densities=densities
        )
    if frequentist or published:
        raise ModelError(
            "frequentist and published estimates stand below one overall effect, not below groups; "
            "give a fit with one effect, or overall=fit of all studies."
        )
    return group_rows(fit, overall=overall, prob=prob, densities=densities)


def _chosen(
    rows: "Sequence[ForestRow]",
    known: Sequence[str],
    studies: Sequence[str] | None,
    kinds: Sequence[str] | None,
) -> "list[ForestRow]":
    strange = [one for one in studies or () if one not in known]
    if strange:
        raise ModelError(f"There is no study {', '.join(map(shown, strange))} in this fit.")
    has = {row.kind for row in rows}
    odd = [one for one in kinds or () if one not in has]
    if odd:
        raise ModelError(
            f"kinds are of {', '.join(sorted(has))}, not {', '.join(map(shown, odd))}."
        )
    return [
        row
        for row in rows
        if (kinds is None or row.kind in kinds)
        and (studies is None or row.kind not in ("study", "shrunken") or row.label in studies)
    ]


def coefficients(
    fit: Posterior,
    *,
    title: str = "",
    prob: float = 0.95,
    width: float | None = None,
    rows: bool = False,
) -> "Drawn":
    """Draw the coefficients of a fit with covariates.

    Slopes and differences are per unit of their covariate. Where effects are ratios, coefficients
    are shown as ratios; of proportions, rates and bounded differences they stay on the analysis
    scale.

    Parameters
    ----------
    fit : Posterior
        Of a model with ``mu=bm.Linear(...)`` or ``mu=bm.ByGroup(...)``.
    title : str
    prob : float
        Level of the intervals.
    width : float, optional
        In mm, 70 to 400; by default as wide as a screen's 840 px.
    rows : bool
        Return the numbers that would be drawn, analysis scale, in place of the figure.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If the fit has no coefficients.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(
    ...     list("ABCD"), [-0.3, 0.1, 0.2, 0.4], [0.2, 0.4, 0.3, 0.2], measure="OR",
    ...     covariates={"dose": [1.0, 2.0, 4.0, 8.0]},
    ... )
    >>> mu = bm.Linear("dose", intercept=bm.Normal(0, 2), slopes=bm.Normal(0, 1))
    >>> fit = bm.fit(bm.NormalNormal(mu=mu, tau=bm.HalfNormal(0.5)), data)
    >>> figure = bm.plots.coefficients(fit, width=114)
    """
    check_fit(fit, "coefficients")
    check_switch(rows, "rows")
    found = coefficient_rows(fit, prob=prob)
    if rows:
        return rows_table(found)
    scale = scale_of(fit)
    if not (scale.comparative and scale.link in ("identity", "log")):
        scale = Measure(name=scale.analysis_called, words=f"coefficient, {scale.analysis_called}")
    return forest_of_rows(
        found,
        measure=scale,
        title=title,
        prob=prob,
        width=width,
        counted="P(above 0)" if scale.link == "identity" else "P(above 1)",
        columns=("counts", "effect"),
    )


def scenarios(
    fits: Mapping[str, Fit],
    *,
    better: Better | None = None,
    labels: tuple[str, str] = ARMS,
    title: str = "",
    prob: float = 0.95,
    width: float | None = None,
    rows: bool = False,
) -> "Drawn":
    """Draw several answers to one question, one line each.

    Parameters
    ----------
    fits : mapping of str to Posterior, FrequentistFit or Published
        By label, all of one measure.
    better : {"lower", "higher"}, optional
        The direction of benefit; where it is not given, neither side is named.
    labels : tuple of str
        What treatment and control are called.
    title : str
    prob : float
        Level of all intervals except the published ones, which keep their own.
    width : float, optional
        In mm, 70 to 400; by default as wide as a screen's 840 px.
    rows : bool
        Return the numbers that would be drawn, those of ``compare``, in place of the figure.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If the answers are about different measures, or nothing is given.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> fits = {"Bayesian": bm.fit(model, data), "REML": bm.random_effects(data)}
    >>> figure = bm.plots.scenarios(fits, better="lower")
    """
    check_switch(rows, "rows")
    table = compare(fits, prob=prob)
    if rows:
        return table
    named = [name for name in map(measure_of, fits.values()) if name]
    return scenarios_of_table(
        table,
        measure=named[0] if named else "GEN",
        better=better,
        labels=labels,
        title=title,
        prob=prob if set(table["prob"]) == {prob} else None,
        width=width,
    )
