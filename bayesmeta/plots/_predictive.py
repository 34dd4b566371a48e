"""Observed events against those the model would give."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..results.display import number
from ._scale import linear_ticks, tick_text
from ._style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    SKY,
    SMALL,
    VERMILLION,
    Page,
    blank,
    house,
    inches,
    page,
    panel,
)
from ._text import clean, p_text, width_of, wrap, write

if TYPE_CHECKING:
    from ..checks import ArmCheck, PredictiveCheck, Statistic

_MARGIN, _GAP = 0.12, 0.18  # inches
_LABEL = 2.05 / 8.75  # widest column of names, of the width
_TOP, _UNDER, _LEGEND = 0.45, 0.5, 0.35  # heights above the studies, of the axis, of the legend
_ROW = 0.26  # lowest row of a study
_ABREAST = 5  # histograms
_HISTOGRAM, _AROUND = 0.85, 0.8  # its height, and that of the texts round it
_BINS = 30
_MEDIAN: Mapping[str, Any] = {
    "linestyle": "none",
    "marker": "|",
    "markersize": 7.0,
    "markeredgewidth": 1.3,
}
_OBSERVED: Mapping[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 4.5,
    "color": INK,
    "label": "observed",
}
_OUTSIDE: Mapping[str, Any] = {
    "linestyle": "none",
    "marker": "D",
    "markersize": 4.5,
    "color": VERMILLION,
    "label": "observed, outside its interval",
}
_DEFINED = "not defined for these data"


def predictive(
    check: "PredictiveCheck",
    *,
    labels: tuple[str, str] = ("treatment", "control"),
    width: float | None = None,
) -> Figure:
    """Draw a posterior predictive check.

    Above, the events of each arm, in per cent of its patients, or the estimates, against their
    predictive interval; below, summaries of the whole table, observed and replicated.

    Parameters
    ----------
    check : PredictiveCheck
    labels : tuple of str
        What treatment and control are called.
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px. On one column of a journal the arms
        stand one above the other.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmeta.checks import ArmCheck, PredictiveCheck, Statistic
    >>> from bayesmeta.plots import predictive
    >>> ends = map(np.array, ([2.0], [0.0], [3.0], [7.0]))
    >>> arm = ArmCheck(*ends, size=np.array([12.0]), unit="events, % of patients")
    >>> events = Statistic("events in all", 4.0, np.array([3.0, 5.0, 6.0]), 0.67, True)
    >>> arms = {"treatment": arm, "control": arm}
    >>> figure = predictive(PredictiveCheck(("Lanzoni",), arms, (events,), 0.95))
    """
    of = page(width)
    names = [wrap(clean(name), _LABEL * of.width, size=of.text) for name in check.study]
    heights = [max(_ROW, inches(of.text, name.count("\n") + 1) + 0.08) for name in names]
    tops = _TOP + np.cumsum([0.0, *heights])
    arms = len(check.arms) if of.narrow else 1  # one above the other
    block = float(tops[-1]) + _UNDER
    handles = _handles(check)
    lines = len(handles) if of.narrow else 1
    below = arms * block + _LEGEND + inches(of.small, lines - 1)
    abreast = 2 if of.narrow else _ABREAST
    deep = -(-len(check.statistics) // abreast) * (_HISTOGRAM + _AROUND)
    with house(of):
        figure = blank(of.width, below + deep)
        wide, high = figure.get_size_inches()
        called: dict[str, str] = dict(zip(("treatment", "control"), labels, strict=True))
        _arms(figure, check, called, names, tops, of)
        figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(_MARGIN / wide, 1 - (arms * block + 0.02) / high),
            ncols=-(-len(handles) // lines),
            columnspacing=2.0,
        )
        step = (of.width - 2 * _MARGIN + _GAP) / abreast
        for i, statistic in enumerate(check.statistics):
            down, right = divmod(i, abreast)
            top = below + down * (_HISTOGRAM + _AROUND)
            _statistic(figure, statistic, (_MARGIN + right * step, top, step - _GAP), of)
    return figure


def _arms(
    figure: Figure,
    check: "PredictiveCheck",
    labels: Mapping[str, str],
    names: Sequence[str],
    tops: NDArray[np.float64],
    of: Page,
) -> None:
    """One panel per arm, with one horizontal scale; studies from top to bottom in each."""
    y = (tops[1:] + tops[:-1]) / 2
    counts = {arm: _counts(each) for arm, each in check.arms.items()}
    count = max(width_of(text, size=of.small) for texts in counts.values() for text in texts)
    first = _MARGIN + max(width_of(name, size=of.text) for name in names) + _GAP
    step = (of.width - _MARGIN + _GAP - first) / (1 if of.narrow else len(check.arms))
    wide = step - count - 2 * _GAP
    low, high = _range(check)
    for j, (arm, each) in enumerate(check.arms.items()):
        above = j * (float(tops[-1]) + _UNDER) if of.narrow else 0.0
        for name, middle in zip(names, above + y, strict=True):
            if of.narrow or j == 0:
                write(figure, _MARGIN, middle, name, size=of.text)
        left = first + (0.0 if of.narrow else j * step)
        axes = panel(figure, left, above + _TOP, wide, tops[-1] - _TOP)
        axes.set_ylim(tops[-1], _TOP)
        _arm(axes, each, y)
        _axis(axes, low, high, each.unit, width=wide)
        title = clean(labels.get(arm, arm))
        write(figure, left, above + _TOP - 0.18, title, size=of.text, weight="bold")
        for middle, text in zip(above + y, counts[arm], strict=True):
            at = left + wide + _GAP + count
            write(figure, at, middle, text, align="right", size=of.small, color=MUTED)


def _outside(arm: "ArmCheck") -> NDArray[np.bool_]:
    return (arm.observed < arm.lower) | (arm.observed > arm.upper)


def _shown(values: NDArray[np.float64], arm: "ArmCheck") -> NDArray[np.float64]:
    return values if arm.size is None else 100 * values / arm.size


def _counts(arm: "ArmCheck") -> list[str]:
    if arm.size is None:
        return [number(seen) for seen in arm.observed]
    return [f"{seen:.0f}/{size:.10g}" for seen, size in zip(arm.observed, arm.size, strict=True)]


def _range(check: "PredictiveCheck") -> tuple[float, float]:
    """Ends of the horizontal scale: from zero for events."""
    arms = check.arms.values()
    high = max(float(_shown(np.maximum(arm.upper, arm.observed), arm).max()) for arm in arms)
    if any(arm.size is not None for arm in arms):
        return 0.0, high or 1.0
    return min(float(np.minimum(arm.lower, arm.observed).min()) for arm in arms), high


def _arm(axes: Axes, arm: "ArmCheck", y: NDArray[np.float64]) -> None:
    lower, middle, upper = (_shown(v, arm) for v in (arm.lower, arm.median, arm.upper))
    axes.hlines(y, lower, upper, color=SKY, linewidth=5.0, label="predicted", zorder=2)
    axes.plot(middle, y, color=BLUE, **_MEDIAN, label="median", zorder=3)
    outside = _outside(arm)
    for where, style in ((~outside, _OBSERVED), (outside, _OUTSIDE)):
        axes.plot(_shown(arm.observed, arm)[where], y[where], **style, clip_on=False, zorder=4)


def _axis(axes: Axes, low: float, high: float, unit: str, *, width: float) -> None:
    room = 0.03 * (high - low)
    axes.set_xlim(low - room, high + room)
    ticks = linear_ticks(low, high, width=width)
    axes.set_xticks(ticks, [tick_text(tick) for tick in ticks])
    axes.set_xlabel(unit)
    axes.grid(axis="x", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def _handles(check: "PredictiveCheck") -> list[Line2D]:
    band = Line2D(
        [],
        [],
        color=SKY,
        linewidth=5.0,
        solid_capstyle="butt",
        marker="|",
        markersize=7,
        markeredgewidth=1.3,
        markeredgecolor=BLUE,
        label=f"{100 * check.prob:g}% predictive interval and median",
    )
    shown = [_OBSERVED]
    if any(_outside(arm).any() for arm in check.arms.values()):
        shown.append(_OUTSIDE)
    return [band, *(Line2D([], [], **style) for style in shown)]


def _statistic(
    figure: Figure, statistic: "Statistic", place: tuple[float, float, float], of: Page
) -> None:
    left, top, wide = place
    title = wrap(clean(statistic.label), wide, size=of.small, weight="bold")
    lines = title.count("\n") + 1
    at = top + 0.1 + inches(of.small, lines - 1) / 2
    write(figure, left, at, title, size=of.small, weight="bold")
    below = top + 0.1 + inches(of.small, lines)
    write(figure, left, below, p_text(statistic.p), size=of.small, color=MUTED)
    axes = panel(figure, left, below + 0.13, wide, _HISTOGRAM - inches(of.small, lines - 1))
    _histogram(axes, statistic, width=wide)


def _histogram(axes: Axes, statistic: "Statistic", *, width: float) -> None:
    known = statistic.replicated[np.isfinite(statistic.replicated)]
    if not known.size:
        axes.set_xticks([])
        axes.text(0.5, 0.5, _DEFINED, ha="center", va="center", size=SMALL, color=MUTED)
        return
    edges = bin_edges(known, statistic.observed, discrete=statistic.discrete)
    heights, _ = np.histogram(np.clip(known, edges[0], edges[-1]), edges)
    axes.stairs(heights, edges, fill=True, color=SKY, label="replicated")
    if np.isfinite(statistic.observed):
        axes.axvline(statistic.observed, color=INK, linewidth=1.5, label="observed")
    whole = statistic.discrete
    ticks = linear_ticks(float(edges[0]), float(edges[-1]), width=width, whole=whole)
    axes.set_xticks(ticks, [tick_text(tick) for tick in ticks])
    axes.set_ylim(0, 1.08 * heights.max())


def bin_edges(
    replicated: NDArray[np.float64], observed: float, *, discrete: bool
) -> NDArray[np.float64]:
    """Edges of a histogram that holds nearly all replicates and the observed value.

    Parameters
    ----------
    replicated : ndarray, shape (draws,)
    observed : float
    discrete : bool
        Bins are then centred on whole numbers, each of the same whole width.

    Returns
    -------
    ndarray, shape (bins + 1,)
    """
    low, high = np.quantile(replicated, [0.002, 0.998])
    if np.isfinite(observed):
        low, high = min(low, observed), max(high, observed)
    if discrete:
        low, high = np.floor(low), np.ceil(high)
        step = max(1.0, np.ceil((high - low + 1) / _BINS))
        return np.arange(low - 0.5, high + step, step)
    room = max(0.02 * (high - low), 1e-9)
    return np.linspace(low - room, high + room, _BINS + 1)
