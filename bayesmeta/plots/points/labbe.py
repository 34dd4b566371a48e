"""Risks of two arms, after L'Abbé."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ...arguments import check_switch
from ...posterior import Posterior
from ...studies import BinaryStudies
from ...summaries import Points, labbe_rows
from .._chart import Side, areas, chart
from .._fits import ARMS
from .._scale import Scale, linear_ticks
from .._style import BLUE, COLUMNS, INK, MUTED, SKY, house, page
from .._text import clean, interval_text

if TYPE_CHECKING:
    import pandas as pd

_AREA, _MANY = 160.0, 60  # of the largest circle, square points, of up to so many trials


def labbe(
    fit: Posterior | BinaryStudies,
    *,
    measure: str | None = None,
    labels: tuple[str, str] = ARMS,
    title: str = "",
    prob: float = 0.95,
    width: float | None = COLUMNS,
    rows: bool = False,
) -> "Figure | pd.DataFrame":
    """Draw the risk of the treatment arm over that of the control arm, a circle for each trial.

    The line is where trials with the pooled effect would lie, its band that of the interval;
    whether circles follow it better than that of another measure says which one is constant.

    Parameters
    ----------
    fit : Posterior or BinaryStudies
        Of events in two arms, with one effect. The line is the posterior median of a fit; of a
        table REML's of `measure`.
    measure : {"OR", "RR", "RD"}, optional
        Of the line, for a table; OR by default.
    labels : tuple of str
        What treatment and control are called.
    title : str
    prob : float
        Level of the band.
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px.
    rows : bool
        Return the points that would be drawn, in place of the figure: ``x`` and ``y`` are risks of
        control and treatment, ``size`` of a trial is its number of patients; ``effect`` rows have
        the effect and its interval, analysis scale, in ``x``.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If there are no risks of two arms, or effects depend on covariates.

    References
    ----------
    L'Abbé KA, Detsky AS, O'Rourke K (1987). Ann Intern Med 107:224-233.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> trials = bm.BinaryStudies(study=list("ABC"), events_treatment=[1, 9, 30],
    ...     n_treatment=[12, 40, 60], events_control=[4, 20, 41], n_control=[15, 38, 59])
    >>> figure = bm.plots.labbe(trials, measure="RR", width=85)
    """
    check_switch(rows, "rows")
    found = labbe_rows(fit, measure=measure, prob=prob)
    if rows:
        return found.table()
    names = (clean(labels[0]), clean(labels[1]))
    return _drawn(found, prob, names, title=clean(title), width=width)


def _drawn(
    found: Points, prob: float, labels: tuple[str, str], *, title: str, width: float | None
) -> Figure:
    of, measure = page(width), found.measure
    ((label, pooled),) = found.lines("pooled").items()
    band, null = found.lines("band"), found.lines("null")["no effect"]
    estimate, lower, upper = (row.x for row in found.of("effect"))
    top = float(null[-1, 0])
    ticks = tuple(linear_ticks(0.0, top, width=0.9 * of.width))
    risk = Scale(link="identity", lower=0.0, upper=top, ticks=ticks)
    interval = f"{100 * prob:g}% interval"
    largest = _AREA * min(1.0, _MANY / len(found.of("study")))
    with house(of):
        figure, axes = chart(
            of,
            x=Side(name=f"risk, {labels[1]}", scale=risk),
            y=Side(name=f"risk, {labels[0]}", scale=risk),
            title=title,
            legend=[
                Line2D([], [], color=BLUE, linewidth=1.5, label=f"constant {measure.words}"),
                Patch(facecolor=SKY, alpha=0.3, label=f"its {interval}"),
                Line2D([], [], color=INK, linewidth=0.8, linestyle=(0, (2, 2)), label="no effect"),
            ],
            caption=[
                f"Line: {label}, {measure.name} {interval_text(estimate, lower, upper, measure)}.",
                "Circles: trials, areas by patients.",
            ],
            square=True,
        )
        axes.fill_between(
            band["lower"][:, 0],
            band["lower"][:, 1],
            band["upper"][:, 1],
            color=SKY,
            alpha=0.3,
            linewidth=0.0,
            label="band",
        )
        axes.plot(*pooled.T, color=BLUE, linewidth=1.5, label=label)
        axes.plot(*null.T, color=INK, linewidth=0.8, linestyle=(0, (2, 2)), label="no effect")
        trials = found.of("study")
        axes.scatter(
            *np.array([(row.x, row.y) for row in trials]).T,
            s=areas([row.size for row in trials], largest=largest),
            facecolor="none",
            edgecolor=MUTED,
            linewidth=0.9,
            label="trials",
            zorder=3,
            clip_on=False,
        )
    return figure
