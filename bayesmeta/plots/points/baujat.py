"""Shares of heterogeneity over influence, after Baujat."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ...arguments import check_switch
from ...effects import EffectSizes
from ...posterior import Posterior
from ...summaries import Points, baujat_rows
from .._chart import Side, chart
from .._scale import Scale, linear_ticks
from .._style import BLUE, COLUMNS, house, page
from .._text import clean
from .names import name_points

if TYPE_CHECKING:
    import pandas as pd

_NAMED = {True: 6, False: 12}  # studies at most, on a narrow page and on others


def baujat(
    fit: Posterior | EffectSizes,
    *,
    title: str = "",
    width: float | None = COLUMNS,
    rows: bool = False,
) -> "Figure | pd.DataFrame":
    """Draw what each study adds to heterogeneity over how far it moves the common effect.

    Studies to the right scatter most, those on top weigh most in the answer; the studies farthest
    out are named, where there is room.

    Parameters
    ----------
    fit : Posterior or EffectSizes
        With one effect; the figure is of the common effect of its estimates.
    title : str
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px.
    rows : bool
        Return the points that would be drawn, in place of the figure: ``x`` is the study's share of
        Cochran's Q, ``y`` the squared difference that leaving it out makes to the common effect,
        over its variance without it.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    DataError
        For fewer than two studies.
    ModelError
        If effects depend on covariates.

    References
    ----------
    Baujat B, Mahé C, Pignon J-P, Hill C (2002). Stat Med 21:2641-2652.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> y, se = [-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1.0]
    >>> data = bm.EffectSizes.from_arrays(list("ABCD"), y, se, measure="OR")
    >>> figure = bm.plots.baujat(data, width=85)
    """
    check_switch(rows, "rows")
    found = baujat_rows(fit)
    if rows:
        return found.table()
    return _drawn(found, title=clean(title), width=width)


def _drawn(found: Points, *, title: str, width: float | None) -> Figure:
    of = page(width)
    points = np.array([(row.x, row.y) for row in found.of("study")])
    names = [clean(row.label) for row in found.of("study")]
    tops = np.maximum(1.08 * points.max(axis=0), 1e-12).tolist()
    x, y = (
        Scale(
            link="identity",
            lower=0.0,
            upper=top,
            ticks=tuple(linear_ticks(0.0, top, width=share * of.width)),
        )
        for top, share in zip(tops, (0.75, 1.0), strict=True)
    )
    with house(of):
        figure, axes = chart(
            of,
            x=Side(name="contribution to Cochran’s Q", scale=x),
            y=Side(name="influence on the common effect (squared standardised change)", scale=y),
            title=title,
            caption=["Named: the studies farthest out, where there is room.", *found.said],
        )
        axes.scatter(
            *points.T, s=of.small * 2.2, color=BLUE, label="studies", zorder=3, clip_on=False
        )
        far = np.argsort(-np.hypot(*(points / tops).T))[: _NAMED[of.narrow]]
        name_points(axes, of, names, points, far.tolist())
    return figure
