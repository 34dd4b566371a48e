"""Estimates over their standard errors."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ...arguments import check_switch
from ...effects import EffectSizes
from ...posterior import Posterior
from ...summaries import Points, funnel_rows
from .._chart import Side, chart
from .._scale import Scale, linear_ticks, scale_for
from .._style import BLUE, COLUMNS, INK, VERMILLION, house, page
from .._text import clean

if TYPE_CHECKING:
    import pandas as pd

_SHADES = ("#b9c0c7", "#d3d8dc", "#e9ecee")  # by level, from the null outwards
_BETWEEN = ("p 0.05 to 0.10", "p 0.01 to 0.05", "p below 0.01")
_LOOKS = {
    "pooled": {"color": BLUE, "linewidth": 1.5, "linestyle": "-"},
    "egger": {"color": VERMILLION, "linewidth": 1.3, "linestyle": (0, (5, 2))},
    "null": {"color": INK, "linewidth": 0.8, "linestyle": (0, (2, 2))},
}


def funnel(
    fit: Posterior | EffectSizes,
    *,
    title: str = "",
    width: float | None = COLUMNS,
    rows: bool = False,
) -> "Figure | pd.DataFrame":
    """Draw the studies' estimates over their standard errors, the most precise on top.

    Shades are contours of significance about no effect: small studies that are missing where they
    would not have been significant point to publication bias, missing elsewhere to other causes.
    The dashed line is Egger's regression, where it can be made; its test is in the caption, which
    says where it has little power.

    Parameters
    ----------
    fit : Posterior or EffectSizes
        Of a comparison with one effect; of counts the estimates are those of a two-stage analysis.
        The pooled line is the posterior median; of estimates it is that of REML.
    title : str
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px.
    rows : bool
        Return the points that would be drawn, in place of the figure: ``x`` is an estimate,
        analysis scale, ``y`` a standard error.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If effects compare nothing, or depend on covariates.

    References
    ----------
    Peters JL, Sutton AJ, Jones DR, Abrams KR, Rushton L (2008). J Clin Epidemiol 61:991-996.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> y, se = [-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1.0]
    >>> data = bm.EffectSizes.from_arrays(list("ABCD"), y, se, measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = bm.plots.funnel(bm.fit(model, data), width=85)
    """
    check_switch(rows, "rows")
    found = funnel_rows(fit)
    if rows:
        return found.table()
    return _drawn(found, title=clean(title), width=width)


def _drawn(found: Points, *, title: str, width: float | None) -> Figure:
    of, measure = page(width), found.measure
    studies = np.array([(row.x, row.y) for row in found.of("study")])
    contours = list(found.lines("contour").values())
    top = float(contours[0][0, 1])
    at = studies[:, 0]
    ends = np.stack([np.minimum(at, contours[1][0, 0]), np.maximum(at, contours[1][2, 0])], axis=1)
    x = scale_for(measure, at, ends, width=0.8 * of.width, size=of.small)
    ticks = linear_ticks(0.0, top, width=of.width)
    log = " (log scale)" if measure.log else ""
    lines = {kind: found.lines(kind) for kind in _LOOKS}
    with house(of):
        figure, axes = chart(
            of,
            x=Side(name=f"{measure.words}{log}", scale=x),
            y=Side(
                name=f"standard error ({measure.analysis_called})",
                scale=Scale(link="identity", lower=top, upper=0.0, ticks=tuple(ticks)),
            ),
            title=title,
            legend=_legend(lines),
            caption=[clean(line) for line in _caption(found)],
        )
        _shade(axes, contours, x, top)
        for kind, of_kind in lines.items():
            for label, points in of_kind.items():
                places = [x.beyond(v) for v in points[:, 0]]
                axes.plot(places, points[:, 1], label=label, zorder=2, **_LOOKS[kind])
        axes.scatter(
            [x.at(v) for v in at],
            studies[:, 1],
            s=of.small * (2.6 if len(at) < 100 else 1.3),
            color=INK,
            edgecolor="white",
            linewidth=0.4,
            label="studies",
            zorder=3,
            clip_on=False,
        )
    return figure


def _shade(axes: Axes, contours: "list[np.ndarray]", x: Scale, top: float) -> None:
    """Shade beyond each contour, from the innermost outwards, each over the one before."""
    low, high = x.ends
    for points, shade in zip(contours, _SHADES, strict=True):
        left, apex, right = (x.beyond(v) for v in points[:, 0])
        for side, end in ((left, min(low, left)), (right, max(high, right))):
            axes.fill(
                [apex, side, end, end],
                [0.0, top, top, 0.0],
                color=shade,
                linewidth=0.0,
                zorder=0,
            )


def _legend(lines: "dict[str, dict[str, np.ndarray]]") -> list[Artist]:
    signs: list[Artist] = [
        Patch(facecolor=shade, label=words) for shade, words in zip(_SHADES, _BETWEEN, strict=True)
    ]
    words = {"egger": "Egger’s regression"}
    return signs + [
        Line2D([], [], label=words.get(kind, label), **_LOOKS[kind])
        for kind, of_kind in lines.items()
        for label in of_kind
    ]


def _caption(found: Points) -> list[str]:
    return ["Shades: two-sided p of a study against no effect.", *found.said]
