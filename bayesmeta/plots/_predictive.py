"""Observed events against those the model would give."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ._scale import linear_ticks, tick_text
from ._style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    SKY,
    SMALL,
    TEXT,
    VERMILLION,
    blank,
    house,
    inches,
    panel,
)
from ._text import clean, p_text, width_of, wrap, write

if TYPE_CHECKING:
    from ..checks import ArmCheck, PredictiveCheck, Statistic

_WIDTH, _MARGIN, _GAP = 8.75, 0.12, 0.18  # inches
_LABEL, _STATISTIC = 1.7, 2.0  # widths
_TOP, _FOOT, _LEGEND = 0.62, 0.5, 0.3  # heights
_ROW = (0.24, 0.42)  # lowest and highest row of a study
_HISTOGRAM = (0.75, 0.75)  # its height, and that of the texts round it
_BINS = 30
_DEFINED = "not defined for these data"


def predictive(check: "PredictiveCheck") -> Figure:
    """Draw a posterior predictive check.

    Left, the events of each arm, in per cent of its patients, against their predictive interval;
    right, summaries of the whole table, observed and replicated.

    Parameters
    ----------
    check : PredictiveCheck

    Returns
    -------
    Figure

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmeta.checks import ArmCheck, PredictiveCheck, Statistic
    >>> from bayesmeta.plots import predictive
    >>> arm = ArmCheck(*map(np.array, ([2.0], [12.0], [0.0], [3.0], [7.0])))
    >>> events = Statistic("events in all", 4.0, np.array([3.0, 5.0, 6.0]), 0.67, True)
    >>> arms = {"treatment": arm, "control": arm}
    >>> figure = predictive(PredictiveCheck(("Lanzoni",), arms, (events,), 0.95))
    """
    names = [wrap(clean(name), _LABEL) for name in check.study]
    row, body = _heights(names, len(check.statistics))
    with house():
        figure = blank(_WIDTH, body)
        right = _WIDTH - _MARGIN - (_STATISTIC + 2 * _GAP if check.statistics else 0.0)
        _arms(figure, check, names, row=row, right=right)
        for i, statistic in enumerate(check.statistics):
            _statistic(figure, statistic, top=_MARGIN + i * sum(_HISTOGRAM))
    return figure


def _heights(names: list[str], statistics: int) -> tuple[float, float]:
    """Height of a study's row, and of the whole figure."""
    lines = max(name.count("\n") + 1 for name in names)
    least = max(_ROW[0], inches(TEXT, lines) + 0.06)
    beside = _MARGIN + statistics * sum(_HISTOGRAM)
    row = float(np.clip((beside - _TOP - _FOOT - _LEGEND) / len(names), least, max(least, _ROW[1])))
    return row, max(beside, _TOP + row * len(names) + _FOOT + _LEGEND)


def _arms(
    figure: Figure, check: "PredictiveCheck", names: list[str], *, row: float, right: float
) -> None:
    """Two panels with one horizontal scale; studies from top to bottom in both."""
    label = max(width_of(name) for name in names)
    counts = {arm: _counts(each) for arm, each in check.arms.items()}
    count = max(width_of(text, size=SMALL) for texts in counts.values() for text in texts)
    room = right - _MARGIN - label - _GAP
    wide = room / len(check.arms) - count - 2 * _GAP
    most = max(float(_percent(arm.upper, arm).max(initial=0.0)) for arm in check.arms.values())
    most = max(most, *(float(_percent(arm.observed, arm).max()) for arm in check.arms.values()))
    for i, name in enumerate(names):
        write(figure, _MARGIN, _TOP + row * (i + 0.5), name)
    for j, (arm, each) in enumerate(check.arms.items()):
        left = _MARGIN + label + _GAP + j * (wide + count + 2 * _GAP)
        axes = panel(figure, left, _TOP, wide, row * len(names))
        _arm(axes, each, row=row, most=most, width=wide)
        write(figure, left, _TOP - 0.18, clean(arm), weight="bold")
        for i, text in enumerate(counts[arm]):
            end = left + wide + _GAP / 2 + count
            write(figure, end, _TOP + row * (i + 0.5), text, align="right", size=SMALL, color=MUTED)
    _legend(figure, check.prob, bottom=_TOP + row * len(names) + _FOOT)


def _percent(values: NDArray[np.float64], arm: "ArmCheck") -> NDArray[np.float64]:
    return 100 * values / arm.n


def _counts(arm: "ArmCheck") -> list[str]:
    return [f"{seen:.0f}/{n:.0f}" for seen, n in zip(arm.observed, arm.n, strict=True)]


def _arm(axes: Axes, arm: "ArmCheck", *, row: float, most: float, width: float) -> None:
    y = row * (np.arange(arm.n.size) + 0.5)
    outside = (arm.observed < arm.lower) | (arm.observed > arm.upper)
    lower, middle, upper = (_percent(v, arm) for v in (arm.lower, arm.median, arm.upper))
    axes.hlines(y, lower, upper, color=SKY, linewidth=5.0, label="predicted")
    axes.plot(
        middle, y, color=BLUE, linestyle="none", marker="|", markersize=7, markeredgewidth=1.3
    )
    for where, color, marker in ((~outside, INK, "o"), (outside, VERMILLION, "D")):
        axes.plot(
            _percent(arm.observed, arm)[where],
            y[where],
            linestyle="none",
            marker=marker,
            markersize=4.5,
            color=color,
            clip_on=False,
            label="outside" if color == VERMILLION else "observed",
        )
    axes.set_ylim(row * arm.n.size, 0)
    axes.set_xlim(-0.03 * most, 1.03 * most)
    ticks = linear_ticks(0.0, most, width=width)
    axes.set_xticks(ticks, [tick_text(tick) for tick in ticks])
    axes.set_xlabel("events, % of patients")
    axes.grid(axis="x", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def _legend(figure: Figure, prob: float, *, bottom: float) -> None:
    high = float(figure.get_size_inches()[1])
    handles = [
        Line2D([], [], color=INK, linestyle="none", marker="o", markersize=4.5, label="observed"),
        Line2D(
            [],
            [],
            color=VERMILLION,
            linestyle="none",
            marker="D",
            markersize=4.5,
            label="observed, outside",
        ),
        Line2D(
            [],
            [],
            color=SKY,
            linewidth=5.0,
            marker="|",
            markersize=7,
            markeredgewidth=1.3,
            markeredgecolor=BLUE,
            label=f"{100 * prob:g}% predictive interval, median",
        ),
    ]
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(_MARGIN / _WIDTH, 1 - bottom / high),
        ncols=3,
        columnspacing=1.6,
        handletextpad=0.5,
    )


def _statistic(figure: Figure, statistic: "Statistic", *, top: float) -> None:
    left = _WIDTH - _MARGIN - _STATISTIC
    title = wrap(clean(statistic.name), _STATISTIC, size=SMALL, weight="bold")
    write(figure, left, top + 0.1, title, size=SMALL, weight="bold")
    write(figure, left, top + 0.1 + inches(SMALL), p_text(statistic.p), size=SMALL, color=MUTED)
    axes = panel(figure, left, top + 0.1 + 2 * inches(SMALL), _STATISTIC, _HISTOGRAM[0])
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
    ticks = linear_ticks(float(edges[0]), float(edges[-1]), width=_STATISTIC)
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
