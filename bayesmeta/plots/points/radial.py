"""Standardised estimates over precision, after Galbraith."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ...arguments import check_switch
from ...effects import EffectSizes, Measure
from ...posterior import Posterior
from ...summaries import Points, radial_rows
from .._chart import Side, chart
from .._scale import Scale, linear_ticks, log_ticks, logit_ticks, tick_text
from .._style import BLUE, COLUMNS, INK, SKY, VERMILLION, Page, house, page
from .._text import clean, width_of
from .names import name_points

if TYPE_CHECKING:
    import pandas as pd

_LEAST = 0.02  # of the axes, how far a ray's label stays from their ends
_RAYS = {"log": log_ticks, "logit": logit_ticks}


def radial(
    fit: Posterior | EffectSizes,
    *,
    title: str = "",
    prob: float = 0.95,
    width: float | None = COLUMNS,
    rows: bool = False,
) -> "Figure | pd.DataFrame":
    """Draw the studies radially: estimate over standard error against precision (Galbraith).

    The effect of a study is the slope of the ray from the origin through its point, which the right
    axis reads. Studies outside the band about the pooled effect are named, where there is room:
    `prob` of all would lie inside if they had this one effect.

    Parameters
    ----------
    fit : Posterior or EffectSizes
        With one effect. The pooled line is the posterior median; of estimates it is the common
        effect.
    title : str
    prob : float
        Of the band.
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px.
    rows : bool
        Return the points that would be drawn, in place of the figure: ``x`` is 1/se, ``y`` is y/se.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If effects depend on covariates.

    References
    ----------
    Galbraith RF (1988). Stat Med 7:889-894.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> y, se = [-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1.0]
    >>> data = bm.EffectSizes.from_arrays(list("ABCD"), y, se, measure="OR")
    >>> figure = bm.plots.radial(data, width=85)
    """
    check_switch(rows, "rows")
    found = radial_rows(fit, prob=prob)
    if rows:
        return found.table()
    return _drawn(found, prob, title=clean(title), width=width)


def _drawn(found: Points, prob: float, *, title: str, width: float | None) -> Figure:
    of, measure = page(width), found.measure
    points = np.array([(row.x, row.y) for row in found.of("study")])
    ((label, pooled),) = found.lines("pooled").items()
    band = found.lines("band")
    end = float(pooled[-1, 0])
    every = np.concatenate([points[:, 1], *(one[:, 1] for one in band.values()), [0.0]])
    room = 0.05 * float(np.ptp(every))
    low, high = float(every.min()) - room, float(every.max()) + room
    rays = _rays(measure, low / end, high / end, 0.4 * of.width)
    texts = [tick_text(ray) for ray in rays]
    beside = max((width_of(text, size=of.small) for text in texts), default=0.0)
    across = linear_ticks(0.0, end, width=0.75 * of.width)
    up = linear_ticks(low, high, width=of.width)
    share = f"{100 * prob:g}% of studies"
    with house(of):
        figure, axes = chart(
            of,
            x=Side(
                name="precision, 1/se",
                scale=Scale(link="identity", lower=0.0, upper=end, ticks=tuple(across)),
            ),
            y=Side(
                name=f"estimate over standard error ({measure.analysis_called})",
                scale=Scale(link="identity", lower=low, upper=high, ticks=tuple(up)),
            ),
            title=title,
            legend=[
                Line2D([], [], color=BLUE, linewidth=1.5, label=label),
                Patch(facecolor=SKY, alpha=0.3, label=f"{share}, had they one effect"),
            ],
            caption=[
                f"Right: {measure.words} on the ray from the origin.",
                "Named: studies outside the band, farthest first, where there is room.",
                *found.said,
            ],
            beside=beside,
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
        if measure.comparative:
            axes.axhline(0.0, color=INK, linewidth=0.8, linestyle=(0, (2, 2)), label="_zero")
        off = points[:, 1] - pooled[-1, 1] / end * points[:, 0]
        out = np.abs(off) > float(band["upper"][0, 1])
        looks = {"s": of.small * 2.2, "zorder": 3, "clip_on": False}
        axes.scatter(*points[~out].T, color=INK, label="studies", **looks)
        axes.scatter(*points[out].T, color=VERMILLION, marker="D", label="outside", **looks)
        _right(axes, measure, rays, texts, end, of)
        names = [clean(row.label) for row in found.of("study")]
        order = [int(i) for i in np.argsort(-np.abs(off)) if out[i]]
        name_points(axes, of, names, points, order)
    return figure


def _rays(measure: Measure, low: float, high: float, room: float) -> Sequence[float]:
    """Round effects whose rays end at the right of the axes, on the scale people read."""
    inner = _LEAST * (high - low)
    ends = measure.natural([low + inner, high - inner]).tolist()
    return _RAYS.get(measure.link, linear_ticks)(*ends, width=room)


def _right(
    axes: Axes,
    measure: Measure,
    rays: Sequence[float],
    texts: Sequence[str],
    end: float,
    of: Page,
) -> None:
    """Read effects at the right end of the axes."""
    axes.spines["right"].set_visible(True)
    for height, text in zip(measure.analysed(list(rays)) * end, texts, strict=True):
        axes.annotate(
            text,
            (end, float(height)),
            (4.5, 0.0),
            textcoords="offset points",
            va="center",
            fontsize=of.small,
            annotation_clip=False,
        )
        axes.plot(
            [end], [float(height)], marker="_", markersize=3.0, color=INK, clip_on=False, zorder=2
        )
