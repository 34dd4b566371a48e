"""What the model makes of each study, along tau."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ...arguments import check_switch
from ...effects import MEASURES
from ...posterior import Posterior
from ...summaries import Points, shrinkage_rows
from .._chart import Side, chart
from .._fits import check_fit
from .._scale import Scale, linear_ticks, scale_for
from .._style import BLUE, COLUMNS, INK, MUTED, SKY, Page, house, page
from .._text import clean, width_of, wrap
from .names import name_ends

if TYPE_CHECKING:
    import pandas as pd

_WIDEST = 0.27  # of the page, of a name
_MANY = 100  # studies, beyond which lines are thin


def shrinkage(
    fit: Posterior,
    *,
    title: str = "",
    prob: float = 0.95,
    width: float | None = COLUMNS,
    rows: bool = False,
) -> "Figure | pd.DataFrame":
    """Draw the effect that the model gives each study if tau were known, over tau.

    Where tau is small all studies have nearly one effect, where it is large each keeps its own
    estimate; beneath stands which tau the data leave plausible.

    Parameters
    ----------
    fit : Posterior
        Exact, with one effect that differs between studies. For each of 41 values of tau the model
        is fitted again.
    title : str
    prob : float
        Of the interval of tau.
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px.
    rows : bool
        Return the points that would be drawn, in place of the figure: ``x`` is tau, ``y`` the mean
        of a study's effect or of the mean effect given tau (analysis scale), or the density of tau;
        rows ``tau`` have its median and interval in ``x``.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If there is no tau, several effects, or the posterior is known through draws alone.

    References
    ----------
    Rubin DB (1981). J Educ Stat 6:377-401.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> y, se = [-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1.0]
    >>> data = bm.EffectSizes.from_arrays(list("ABCD"), y, se, measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = bm.plots.shrinkage(bm.fit(model, data), width=85)
    """
    check_fit(fit, "shrinkage")
    check_switch(rows, "rows")
    found = shrinkage_rows(fit, prob=prob)
    if rows:
        return found.table()
    return _drawn(found, prob, title=clean(title), width=width)


def _drawn(found: Points, prob: float, *, title: str, width: float | None) -> Figure:
    of, measure = page(width), found.measure
    plain = MEASURES["RD"] if measure.link == "atanh" else measure
    studies, (mean,) = found.lines("study"), found.lines("mean").values()
    ends = np.array([one[-1, 1] for one in studies.values()])
    every = np.concatenate([mean[:, 1], *(one[:, 1] for one in studies.values())])
    reach = np.tile([every.min(), every.max()], (len(every), 1))
    y = scale_for(plain, every, reach, width=0.6 * of.width, size=of.small)
    first, top = mean[[0, -1], 0].tolist()
    ticks = tuple(linear_ticks(0.0, top, width=0.8 * of.width))
    x = Scale(link="identity", lower=min(0.0, first), upper=top, ticks=ticks)
    names = [wrap(clean(one), _WIDEST * of.width, size=of.small) for one in studies]
    log = " (log scale)" if plain.log else ""
    with house(of):
        figure, axes = chart(
            of,
            x=Side(name=f"between-study SD τ ({measure.analysis_called})", scale=x),
            y=Side(name=f"{plain.words} given τ{log}", scale=y),
            title=title,
            legend=[
                Line2D([], [], color=MUTED, linewidth=0.9, label="study"),
                Line2D([], [], color=BLUE, linewidth=2.0, label="mean effect"),
                Patch(facecolor=SKY, alpha=0.65, label=f"{100 * prob:g}% interval of τ"),
            ],
            caption=[
                "Above: posterior means given τ. Below: posterior density of τ, its median a line.",
                "Named: studies farthest from the mean, where there is room.",
            ],
            beside=max(width_of(name, size=of.small) for name in names),
            strip=True,
        )
        thin = 0.9 if len(studies) <= _MANY else 0.4
        for label, points in studies.items():
            places = [y.at(v) for v in points[:, 1]]
            axes.plot(points[:, 0], places, color=MUTED, linewidth=thin, label=label)
        places = [y.at(v) for v in mean[:, 1]]
        axes.plot(mean[:, 0], places, color=BLUE, linewidth=2.0, label="mean effect")
        if plain.comparative and y.holds(0.0):
            axes.axhline(y.at(0.0), color=INK, linewidth=0.8, linestyle=(0, (2, 2)), label="_null")
        order = np.argsort(-np.abs(ends - mean[-1, 1]))
        name_ends(axes, of, names, [y.at(v) for v in ends], order.tolist())
        _strip(figure.axes[1], found, of)
    return figure


def _strip(axes: Axes, found: Points, of: Page) -> None:
    """The posterior of tau, beneath."""
    (density,) = found.lines("density").values()
    tau = {row.label: row.x for row in found.of("tau")}
    axes.fill_between(*density.T, color=SKY, alpha=0.3, linewidth=0.0, label="density of tau")
    inside = _between(density, tau["lower"], tau["upper"])
    axes.fill_between(*inside.T, color=SKY, alpha=0.65, linewidth=0.0, label="interval of tau")
    height = float(np.interp(tau["median"], *density.T))
    axes.vlines(tau["median"], 0.0, height, color=BLUE, linewidth=1.2, label="median of tau")
    axes.set_ylim(0.0, 1.06 * float(density[:, 1].max()))


def _between(curve: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """The part of a curve between two places."""
    x = np.clip(curve[:, 0], low, high)
    return np.stack([x, np.interp(x, *curve.T)], axis=1)
