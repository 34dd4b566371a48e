"""Studies and posterior over a covariate."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ..arguments import check_switch
from ..effects import MEASURES, Measure
from ..posterior import Posterior
from ..summaries import BubbleRows, bubble_rows, scale_of
from ._chart import Side, areas, chart
from ._fits import check_fit
from ._scale import Scale, linear_ticks, scale_for
from ._style import BLUE, COLUMNS, INK, MUTED, SKY, house, page
from ._text import clean

if TYPE_CHECKING:
    import pandas as pd


def bubble(
    fit: Posterior,
    by: str | None = None,
    *,
    title: str = "",
    prob: float = 0.95,
    width: float | None = COLUMNS,
    rows: bool = False,
) -> "Figure | pd.DataFrame":
    """Draw the studies over a covariate, with the effect that the model expects there.

    Circles have areas in proportion to the studies' precision, 1/se². The line is the posterior
    median of the mean effect, the darker band its interval, the lighter one that of the effect in a
    new study. Other covariates of the model are held at their means, as the caption says.

    Parameters
    ----------
    fit : Posterior
        Of a model whose effects depend on a number: ``mu=bm.Linear("latitude", ...)``.
    by : str, optional
        The covariate; where the model has one number alone it need not be said.
    title : str
    prob : float
        Level of the intervals.
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px.
    rows : bool
        Return the numbers that would be drawn, analysis scale, in place of the figure: a row per
        study and per place of the line, ``kind`` saying which.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If the model has no such numeric covariate.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(
    ...     list("ABCD"), [-0.3, 0.1, 0.2, 0.4], [0.2, 0.4, 0.3, 0.2], measure="OR",
    ...     covariates={"dose": [1.0, 2.0, 4.0, 8.0]},
    ... )
    >>> mu = bm.Linear("dose", intercept=bm.Normal(0, 2), slopes=bm.Normal(0, 1))
    >>> fit = bm.fit(bm.NormalNormal(mu=mu, tau=bm.HalfNormal(0.5)), data)
    >>> figure = bm.plots.bubble(fit, width=85)
    """
    check_fit(fit, "bubble")
    check_switch(rows, "rows")
    found = bubble_rows(fit, by, prob=prob)
    if rows:
        return found.table()
    return _drawn(found, fit, scale_of(fit), title=clean(title), width=width)


def _drawn(
    found: BubbleRows, fit: Posterior, measure: Measure, *, title: str, width: float | None
) -> Figure:
    of = page(width)
    # on the scale people read; that of a bounded difference is linear there
    plain = MEASURES["RD"] if measure.link == "atanh" else measure
    read = np.tanh if measure.link == "atanh" else np.asarray
    bands = np.stack([found.new_lower, found.lower, found.estimate, found.upper, found.new_upper])
    bands, own = read(bands), read(found.y)
    ends = np.stack([bands[0], bands[-1]], axis=1)
    y = scale_for(plain, np.append(own, bands[2]), ends, width=0.55 * of.width, size=of.small)
    first, last = found.at[[0, -1]].tolist()
    ticks = linear_ticks(first, last, width=0.8 * of.width)
    x = Scale(link="identity", lower=first, upper=last, ticks=tuple(ticks))
    log = " (log scale)" if plain.log else ""
    with house(of):
        figure, axes = chart(
            of,
            x=Side(name=clean(found.covariate), scale=x),
            y=Side(name=f"{plain.words}{log}", scale=y),
            title=title,
            caption=[clean(line) for line in _caption(found, fit)],
        )
        low, lower, middle, upper, high = (np.array([y.at(v) for v in row]) for row in bands)
        axes.fill_between(
            found.at, low, high, color=SKY, alpha=0.25, linewidth=0, label="new study"
        )
        axes.fill_between(found.at, lower, upper, color=SKY, alpha=0.6, linewidth=0, label="mean")
        axes.plot(found.at, middle, color=BLUE, linewidth=1.5, label="median")
        if plain.comparative and y.holds(0.0):
            axes.axhline(
                y.at(0.0), color=INK, linewidth=0.8, linestyle=(0, (3, 2)), label="no effect"
            )
        axes.scatter(
            found.x,
            [y.at(v) for v in own],
            s=areas((found.se**-2.0).tolist()),
            facecolor="none",
            edgecolor=MUTED,
            linewidth=1.0,
            label="studies",
            zorder=3,
            clip_on=False,
        )
    return figure


def _caption(found: BubbleRows, fit: Posterior) -> list[str]:
    prob = f"{100 * found.prob:g}%"
    new = f", light its {prob} prediction interval" if fit.model.between.new is not None else ""
    said = [f"Line: posterior median; dark band: {prob} interval of the mean{new}."]
    said.append("Circles: studies, areas by precision (1/se²).")
    values = np.asarray(fit.data.covariates[found.covariate], dtype=np.float64)
    if np.ptp(values) == 0:
        said.append(
            f"All studies have {found.covariate} {values[0]:.6g}: beside it the line rests on the "
            "prior of its slope."
        )
    if found.others:
        held = "; ".join(f"{name} {at}" for name, at in found.others.items())
        said.append(f"Held at: {held}.")
    missing = [one for one in fit.data.study if one not in found.study]
    if missing:
        said.append(f"Without an estimate of their own: {', '.join(missing)}.")
    left_out = [one.study for one in fit.data.account.left_out]
    if left_out:
        said.append(f"Left out: {', '.join(left_out)}.")
    return said
