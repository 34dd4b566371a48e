"""Where each study lies in what the others predict of it."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..results.display import number
from ._style import INK, MUTED, SKY, VERMILLION, blank, house, inches, page, panel
from ._text import clean, width_of, wrap, write

if TYPE_CHECKING:
    from ..checks import LOO

_MARGIN, _GAP, _ROW = 0.12, 0.18, 0.26  # inches
_LABEL = 2.05 / 8.75  # of the width
_QUARTERED, _LONG = 1.6, 3.0  # inches, for ticks at quarters and for the name of the axis
_NONE, _SHARE = "no sound prediction", "predictive probability of a result as low or lower"
_TOP, _BELOW = 0.35, 0.9
_TAIL, _BAND = 0.025, "#eceff2"


def left_out(loo: "LOO", *, width: float | None = None) -> Figure:
    """Draw leave-one-study-out predictions.

    Each row shows the predictive probability of a result as low as the study's: for an estimate a
    point; for counts a bar, the share of the observed count itself, with the point that the table
    gives drawn at random within it. Few of many studies should lie in the outer 5%.

    Parameters
    ----------
    loo : LOO
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import bayesmeta as bm
    >>> from bayesmeta.plots import left_out
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = left_out(bm.loo(bm.fit(model, data)))
    """
    of = page(width)
    names = [wrap(clean(name), _LABEL * of.width, size=of.text) for name in loo.study]
    heights = [max(_ROW, inches(of.text, name.count("\n") + 1) + 0.08) for name in names]
    tops = _TOP + np.cumsum([0.0, *heights])
    y = (tops[1:] + tops[:-1]) / 2
    said = [number(one) if np.isfinite(one) else _NONE for one in loo.elpd]
    said = [wrap(one, 0.2 * of.width, size=of.small) for one in said]
    handles = _handles(loo)
    deep = len(handles) if of.narrow else 1
    below = _BELOW + inches(of.small, deep - 1)
    with house(of):
        figure = blank(of.width, float(tops[-1]) + below)
        left = _MARGIN + max(width_of(name, size=of.text) for name in names) + _GAP
        room = max(width_of(text, size=of.small) for text in (*said, "log density"))
        wide = of.width - left - room - 2 * _GAP - _MARGIN
        axes = panel(figure, left, _TOP, wide, float(tops[-1]) - _TOP)
        axes.set_ylim(float(tops[-1]), _TOP)
        _studies(axes, loo, y, wide)
        right, small = of.width - _MARGIN, of.small
        write(figure, right, _TOP - 0.15, "log density", align="right", size=small, color=MUTED)
        for name, text, middle in zip(names, said, y, strict=True):
            write(figure, _MARGIN, middle, name, size=of.text)
            write(figure, right, middle, text, align="right", size=small, color=MUTED)
        figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(_MARGIN / of.width, (below - _BELOW + 0.33) / figure.get_figheight()),
            ncols=-(-len(handles) // deep),
        )
    return figure


def _studies(axes: Axes, loo: "LOO", y: NDArray[np.float64], wide: float) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.axvspan(_TAIL, 1 - _TAIL, color=_BAND, zorder=0)
    axes.hlines(y, loo.pit_lower, loo.pit_upper, color=SKY, linewidth=5.0, zorder=2)
    far = np.minimum(loo.pit, 1 - loo.pit) < _TAIL
    style = {"linestyle": "none", "marker": "o", "markersize": 4.5, "zorder": 3}
    for where, color, label in ((~far, INK, "study"), (far, VERMILLION, "study, far out")):
        axes.plot(loo.pit[where], y[where], color=color, label=label, **style)
    axes.set_xticks([0, _TAIL, 0.25, 0.5, 0.75, 1 - _TAIL, 1])
    quarter = ("0.25", "0.75") if wide > _QUARTERED else ("", "")
    axes.set_xticklabels(["0", "", quarter[0], "0.5", quarter[1], "", "1"])
    axes.set_xlabel(
        "predictive probability\nof a result as low or lower" if wide < _LONG else _SHARE
    )


def _has_bars(loo: "LOO") -> bool:
    return bool((loo.pit_upper > loo.pit_lower).any())


def _point_in_words(loo: "LOO") -> str:
    return "study (LOO-PIT, at random within its share)" if _has_bars(loo) else "study"


def _handles(loo: "LOO") -> list[Line2D]:
    point = {"linestyle": "none", "marker": "o", "markersize": 4.5}
    handles = [
        Line2D([], [], color=_BAND, linewidth=7.0, label="central 95%"),
        Line2D([], [], color=INK, label=_point_in_words(loo), **point),
    ]
    if _has_bars(loo):
        share = "share of the observed count"
        handles.append(Line2D([], [], color=SKY, linewidth=5.0, label=share))
    return handles
