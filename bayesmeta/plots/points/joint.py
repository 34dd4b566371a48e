"""mu and tau together."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ...arguments import check_switch
from ...effects import MEASURES
from ...posterior import Posterior
from ...summaries import JointRows, PointRow, Points, joint_rows, scale_of
from .._chart import Side, chart
from .._fits import check_fit
from .._scale import Scale, linear_ticks, scale_for
from .._style import COLUMNS, INK, house, page
from .._text import clean

if TYPE_CHECKING:
    import pandas as pd

_SHADES = ("#08519c", "#4292c6", "#9ecae1")  # of the inner, the middle and the outer region


def joint(
    fit: Posterior,
    *,
    title: str = "",
    width: float | None = COLUMNS,
    rows: bool = False,
) -> "Figure | pd.DataFrame":
    """Draw the joint posterior of the mean effect and tau: regions that hold 50, 80 and 95% of it.

    Each region is the smallest that holds so much, on the analysis scale.

    Parameters
    ----------
    fit : Posterior
        Exact, with one effect that differs between studies. For each of 49 values of tau the model
        is fitted again.
    title : str
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px.
    rows : bool
        Return the points of the contours that would be drawn, in place of the figure: ``x`` is mu,
        analysis scale, ``y`` is tau; a label for each piece of each contour. The row ``median`` has
        the posterior median of each.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If there is no tau, several effects, or the posterior is known through draws alone.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> y, se = [-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1.0]
    >>> data = bm.EffectSizes.from_arrays(list("ABCD"), y, se, measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = bm.plots.joint(bm.fit(model, data), width=85)
    """
    check_fit(fit, "joint")
    check_switch(rows, "rows")
    found = _contours(joint_rows(fit), fit)
    if rows:
        return found.table()
    return _drawn(found, title=clean(title), width=width)


def _contours(found: JointRows, fit: Posterior) -> Points:
    """Pieces of contours as lines; those that end at tau = 0 are closed along it."""
    measure = scale_of(fit)
    natural = np.tanh if measure.link == "atanh" else np.asarray
    # one row more, empty, on either side of the grid closes every contour
    density = np.pad(found.density, 1)
    tau = np.concatenate([found.tau[:1], found.tau, found.tau[-1:]])
    mu = np.concatenate([found.mu[:1], found.mu, found.mu[-1:]])
    rows: list[PointRow] = []
    for level, prob in zip(found.levels, found.probs, strict=True):
        (pieces,) = Figure().add_subplot().contour(mu, tau, density, levels=[level]).allsegs
        for n, piece in enumerate(pieces, 1):
            label = f"{100 * prob:g}%" + f", piece {n}" * (len(pieces) > 1)
            x = natural(np.asarray(piece)[:, 0])
            rows += [
                PointRow(kind="contour", label=label, x=float(a), y=float(b))
                for a, b in zip(x, np.asarray(piece)[:, 1], strict=True)
            ]
    middle = float(natural(fit.at().quantile(0.5)))
    tau_middle = float(fit["tau"].quantile(0.5))
    rows.append(PointRow(kind="median", label="medians", x=middle, y=tau_middle))
    return Points(rows=tuple(rows), measure=measure)


def _drawn(found: Points, *, title: str, width: float | None) -> Figure:
    of, measure = page(width), found.measure
    plain = MEASURES["RD"] if measure.link == "atanh" else measure
    contours = found.lines("contour")
    every = np.concatenate(list(contours.values()))
    ends = np.tile([every[:, 0].min(), every[:, 0].max()], (len(every), 1))
    x = scale_for(plain, every[:, 0], ends, width=0.8 * of.width, size=of.small)
    top = 1.06 * float(every[:, 1].max())
    y = Scale(
        link="identity",
        lower=0.0,
        upper=top,
        ticks=tuple(linear_ticks(0.0, top, width=of.width)),
    )
    log = " (log scale)" if plain.log else ""
    shades: dict[str, str] = dict(zip(("50%", "80%", "95%"), _SHADES, strict=True))
    (middle,) = found.of("median")
    with house(of):
        figure, axes = chart(
            of,
            x=Side(name=f"mean effect μ: {plain.words}{log}", scale=x),
            y=Side(name=f"between-study SD τ ({measure.analysis_called})", scale=y),
            title=title,
            legend=[Patch(facecolor=shade, label=name) for name, shade in shades.items()],
            caption=["Smallest regions with so much of the posterior; cross: the medians."],
        )
        for label, points in reversed(contours.items()):
            places = [x.at(v) for v in points[:, 0]]
            axes.fill(
                places,
                points[:, 1],
                color=shades[label.split(",")[0]],
                linewidth=0.0,
                label=label,
            )
        if plain.comparative and x.holds(0.0):
            axes.axvline(x.at(0.0), color=INK, linewidth=0.8, linestyle=(0, (2, 2)), label="_null")
        axes.plot(
            [x.at(middle.x)],
            [middle.y],
            marker="+",
            markersize=of.small,
            markeredgewidth=1.4,
            color="white",
            label="medians",
        )
    return figure
