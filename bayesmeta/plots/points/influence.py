"""What each study does to the pooled estimate, side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...arguments import check_switch
from ...effects import EffectSizes
from ...posterior import Posterior
from ...summaries import influence_table
from .._scale import linear_ticks, tick_text
from .._style import COLUMNS, FAINT, INK, MUTED, VERMILLION, Page, blank, house, inches, page, panel
from .._text import clean, width_of, wrap, write

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

_HEADS = {"rstudent": "residual", "dffits": "DFFITS", "cook": "Cook’s D", "hat": "weight"}
_MARGIN, _GAP, _LABEL, _AIR = 0.12, 0.14, 0.25, 0.05  # inches; the third of the page's width

_BETWEEN = 0.05  # inches, between the letters of two ticks
_TRIED = 2.0  # inches, for whose ticks it is tried whether there is room


def influence(
    fit: Posterior | EffectSizes,
    *,
    title: str = "",
    width: float | None = COLUMNS,
    rows: bool = False,
) -> "Figure | pd.DataFrame":
    """Draw how each study pulls the pooled estimate: residual, DFFITS, Cook's distance, weight.

    Of REML and Wald's standard errors, by ``bm.influence``, whose conventions the dashed limits
    are (of residuals ±1.96): reasons for a second look, not tests.

    Parameters
    ----------
    fit : Posterior or EffectSizes
        With one effect; the figure is of its estimates.
    title : str
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px.
    rows : bool
        Return the numbers that would be drawn, in place of the figure: a row per study, and one for
        each limit, ``kind`` saying which.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    DataError
        For fewer than three studies.
    ModelError
        If effects depend on covariates.

    References
    ----------
    Viechtbauer W, Cheung MWL (2010). Res Synth Methods 1:112-125.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> y, se = [-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1.0]
    >>> data = bm.EffectSizes.from_arrays(list("ABCD"), y, se, measure="OR")
    >>> figure = bm.plots.influence(data, width=85)
    """
    check_switch(rows, "rows")
    found, apart = influence_table(fit)
    if rows:
        return found
    return _drawn(found, apart, title=clean(title), of=page(width))


def _drawn(found: "pd.DataFrame", apart: Sequence[str], *, title: str, of: Page) -> Figure:
    is_study = found["kind"].to_numpy() == "study"
    studies = [str(one) for one in found.index[is_study]]
    marked = found["influential"].to_numpy(dtype=bool)[is_study]
    names = [wrap(clean(one), _LABEL * of.width, size=of.text) for one in studies]
    heights = [inches(of.text, name.count("\n") + 1) + _AIR for name in names]
    whole = 0.95 * (of.width - 2 * _MARGIN)
    head = wrap(title, whole, size=of.title, weight="bold")
    titled = inches(of.title, head.count("\n") + 1) + 0.08 if head else 0.0
    top = _MARGIN + titled + inches(of.small) + 0.08
    tops = top + np.cumsum([0.0, *heights])
    middles = (tops[1:] + tops[:-1]) / 2
    said = [_said(studies, marked), *map(clean, apart)]
    foot = "\n".join(wrap(one, whole, size=of.small) for one in said)
    under = inches(of.small, foot.count("\n") + 1)
    left = _MARGIN + max(width_of(name, size=of.text) for name in names) + _GAP
    wide = (of.width - left - _MARGIN) / len(_HEADS) - _GAP
    end = float(tops[-1]) + 0.12 + inches(of.small)
    with house(of):
        figure = blank(of.width, end + under + _MARGIN)
        if head:
            at = _MARGIN + inches(of.title, head.count("\n") + 1) / 2
            write(figure, _MARGIN, at, head, size=of.title, weight="bold")
        for name, middle in zip(names, middles, strict=True):
            write(figure, _MARGIN, float(middle), name, size=of.text)
        for i, (column, called) in enumerate(_HEADS.items()):
            at = left + i * (wide + _GAP)
            axes = panel(figure, at, top, wide, float(tops[-1]) - top)
            axes.set_ylim(float(tops[-1]), top)
            values = found[column].to_numpy(dtype=float)
            ends = values[~is_study & np.isfinite(values)].tolist()
            _panel(axes, values[is_study], ends, marked, middles, wide, of)
            text = top - 0.08 - inches(of.small) / 2
            write(figure, at + wide / 2, text, called, align="center", size=of.small, color=MUTED)
        write(figure, _MARGIN, end + under / 2, foot, size=of.small, color=MUTED)
    return figure


def _panel(
    axes: Axes,
    values: Array,
    limits: Sequence[float],
    marked: NDArray[np.bool_],
    middles: Array,
    wide: float,
    of: Page,
) -> None:
    every = np.array([0.0, *values, *limits])
    room = 0.06 * float(np.ptp(every))
    low, high = float(every.min()) - room, float(every.max()) + room
    axes.set_xlim(low, high)
    axes.axvline(0.0, color=FAINT, linewidth=0.8, zorder=1, label="_zero")
    for limit in limits:
        axes.axvline(
            limit, color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1, label="limit"
        )
    for which, color, marker, label in (
        (~marked, INK, "o", "studies"),
        (marked, VERMILLION, "D", "influential"),
    ):
        axes.hlines(middles[which], 0.0, values[which], color=color, linewidth=0.8, zorder=2)
        axes.scatter(
            values[which],
            middles[which],
            s=of.small * 1.6,
            color=color,
            marker=marker,
            label=label,
            zorder=3,
            clip_on=False,
        )
    tried = [0.0, *limits[:1], *sorted(linear_ticks(low, high, width=_TRIED), key=abs)]
    texts = _apart([*tried, _outermost(low, high)], wide / (high - low), of)
    axes.set_xticks(list(texts), list(texts.values()))
    axes.tick_params(length=3.0, pad=2.5)


def _outermost(low: float, high: float) -> float:
    """The farthest tick of one digit: where no other keeps apart from zero."""
    far = high if high >= -low else low
    unit = 10 ** np.floor(np.log10(abs(far)))
    return float(np.copysign(np.floor(abs(far) / unit) * unit, far))


def _apart(tried: Sequence[float], inch: float, of: Page) -> dict[float, str]:
    """Those ticks whose labels keep apart from those before, with their labels."""
    kept: dict[float, str] = {}
    half = {tick: width_of(_text(tick), size=of.small) / 2 for tick in tried}
    for tick in tried:
        if all(abs(tick - one) * inch >= half[tick] + half[one] + _BETWEEN for one in kept):
            kept[tick] = _text(tick)
    return kept


def _text(tick: float) -> str:
    return tick_text(float(f"{tick:.2f}" if abs(tick) >= 0.1 else f"{tick:.2g}"))


def _said(studies: Sequence[str], marked: NDArray[np.bool_]) -> str:
    names = "; ".join(clean(one) for one, here in zip(studies, marked, strict=True) if here)
    return (
        "REML, without each study in turn; residual: externally standardised. "
        f"Diamonds, beyond a convention: {names or 'none'}."
    )
