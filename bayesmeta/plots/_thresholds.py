"""How likely a benefit of at least so much is, over how much that is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from ..decision import AbsoluteEffect, AbsoluteEffects
from ..errors import DataError, ModelError
from ..ways import shown
from ._scale import linear_ticks, tick_text
from ._style import BLUE, FAINT, GREEN, INK, MUTED, SMALL, VERMILLION, blank, house, inches, panel
from ._text import clean, width_of, wrap, write

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 174.0  # mm: two columns of a journal
_NARROW, _LEAST = 150.0, 70.0  # mm: below the first, panels stand one above the other
_INCH = 25.4
_LEFT, _RIGHT, _HEAD, _HIGH, _FOOT = 0.55, 0.2, 0.3, 1.9, 0.74  # inches round and of a panel
_LINES: tuple[dict[str, Any], ...] = (  # told apart without colours too
    {"color": BLUE, "linestyle": "-"},
    {"color": VERMILLION, "linestyle": (0, (5, 2))},
    {"color": GREEN, "linestyle": (0, (5, 1.5, 1, 1.5))},
    {"color": INK, "linestyle": (0, (1, 1.5))},
)
_MARKS: Mapping[str, dict[str, Any]] = {
    "no difference": {"color": INK, "linewidth": 0.8, "linestyle": "-"},
    "threshold": {"color": MUTED, "linewidth": 1.0, "linestyle": (0, (2, 2))},
}


def thresholds(effects: AbsoluteEffects, *, width: float = WIDTH) -> Figure:
    """Draw the probability of a benefit of at least so much, over how much that is.

    At zero it is the probability of any benefit; left of it, of no larger harm than that. The
    average effect and the effect in a new setting have a panel each, every stated baseline a line.
    What is drawn are numbers of ``effects.curve()``.

    Parameters
    ----------
    effects : AbsoluteEffects
        Of :func:`bayesmeta.absolute_effects`.
    width : float
        In mm, 70 or more: 85 for one column of a journal, 174 for two. Letters keep their size;
        below 150 the panels stand one above the other.

    Returns
    -------
    Figure

    Raises
    ------
    ModelError
        If these are no absolute effects, or the width is too small.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> fit = bm.fit(bm.default_model(data), data)
    >>> people = bm.absolute_effects(fit, baseline=0.2, better="lower", threshold=10)
    >>> figure = bm.plots.thresholds(people, width=85)
    """
    if not isinstance(effects, AbsoluteEffects):
        raise ModelError(
            f"thresholds takes what bm.absolute_effects found, not {type(effects).__name__}."
        )
    return thresholds_of_table(effects.curve(), effects, width=width)


def thresholds_of_table(
    table: "pd.DataFrame", effects: AbsoluteEffects, *, width: float = WIDTH
) -> Figure:
    """Draw a curve over thresholds that was made.

    Parameters
    ----------
    table : DataFrame
        Of ``effects.curve()``: thresholds in its index, a column for each row of `effects`.
    effects : AbsoluteEffects
    width : float
        In mm.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        If the table lacks a row of `effects`.
    ModelError
        If the width is too small.
    """
    if not width >= _LEAST:
        raise ModelError(f"width is in mm, {_LEAST:g} or more, not {shown(width)}.")
    missing = [row.quantity for row in effects.stated if row.quantity not in table.columns]
    if missing or len(table) < 2:
        raise DataError(
            "thresholds needs two thresholds or more, and a column for each row of the effects; "
            f"missing: {', '.join(missing) or 'thresholds'}."
        )
    with house():
        return _drawn(table, effects, width / _INCH, abreast=width >= _NARROW)


def _drawn(
    table: "pd.DataFrame", effects: AbsoluteEffects, wide: float, *, abreast: bool
) -> Figure:
    panels: dict[str, list[AbsoluteEffect]] = {}
    for row in effects.stated:
        panels.setdefault(row.effect, []).append(row)
    across = len(panels) if abreast else 1
    down = -(-len(panels) // across)
    each = wide / across
    tall = _HEAD + _HIGH + _FOOT
    handles = list(_handles(next(iter(panels.values())), effects))
    rows = _in_rows(handles, wide - 2 * _RIGHT)
    figure = blank(wide, down * tall + inches(SMALL, len(rows)) * 1.15 + 0.1)
    for i, (effect, lines) in enumerate(panels.items()):
        left, top = (i % across) * each, (i // across) * tall
        write(figure, left + _LEFT, top + 0.16, effect[0].upper() + effect[1:], weight="bold")
        axes = panel(figure, left + _LEFT, top + _HEAD, each - _LEFT - _RIGHT, _HIGH)
        _curves(axes, table, lines, effects)
        _axes(axes, table, effects, each - _LEFT - _RIGHT)
    _legend(figure, rows, top=down * tall)
    return figure


def _curves(
    axes: Axes, table: "pd.DataFrame", lines: Sequence[AbsoluteEffect], effects: AbsoluteEffects
) -> None:
    x = table.index.to_numpy(dtype=float)
    axes.axvline(0.0, **_MARKS["no difference"], zorder=1, label="no difference")
    if effects.threshold is not None:
        axes.axvline(effects.threshold, **_MARKS["threshold"], zorder=1, label="threshold")
    for i, row in enumerate(lines):
        axes.plot(
            x,
            table[row.quantity].to_numpy(dtype=float),
            linewidth=1.6,
            label=row.quantity,
            zorder=3,
            **_LINES[i % len(_LINES)],
        )


def _axes(axes: Axes, table: "pd.DataFrame", effects: AbsoluteEffects, wide: float) -> None:
    low, high = float(table.index[0]), float(table.index[-1])
    axes.set_xlim(low, high)
    axes.set_ylim(-0.01, 1.01)
    ticks = linear_ticks(low, high, width=wide)
    axes.set_xticks(ticks, [tick_text(tick) for tick in ticks])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    unit = clean(_unit(effects))
    said = wrap(f"a benefit of at least so much, {unit}".rstrip(", "), wide + _RIGHT, size=SMALL)
    axes.set_xlabel(f"{said}\n(below 0: a harm of at most so much)")
    axes.set_ylabel("probability")


def _unit(effects: AbsoluteEffects) -> str:
    if effects.rows[0].baseline.kind == "mean":
        return effects.unit
    people = effects.rows[0].baseline.kind == "risk"
    return f"per {effects.per:,g}" + ("" if people else " of person-time")


def _handles(lines: Sequence[AbsoluteEffect], effects: AbsoluteEffects) -> Iterator[Line2D]:
    named: Mapping[str, dict[str, Any]] = {
        clean(row.of_baseline): _LINES[i % len(_LINES)] for i, row in enumerate(lines)
    }
    for name, style in named.items():
        if name:
            yield Line2D([], [], linewidth=1.6, label=name, **style)
    yield Line2D([], [], label="no difference", **_MARKS["no difference"])
    if effects.threshold is not None:
        label = f"threshold {tick_text(effects.threshold)}"
        yield Line2D([], [], label=label, **_MARKS["threshold"])


def _in_rows(handles: Sequence[Line2D], wide: float) -> list[list[Line2D]]:
    """As many handles in a row as there is room for."""
    rows: list[list[Line2D]] = [[]]
    used = 0.0
    for one in handles:
        needed = width_of(str(one.get_label()), size=SMALL) + 0.55
        if rows[-1] and used + needed > wide:
            rows.append([])
            used = 0.0
        rows[-1].append(one)
        used += needed
    return rows


def _legend(figure: Figure, rows: Sequence[Sequence[Line2D]], *, top: float) -> None:
    wide, high = figure.get_size_inches()
    for i, row in enumerate(rows):
        at = top + i * inches(SMALL) * 1.15
        figure.legend(
            handles=list(row),
            loc="upper left",
            bbox_to_anchor=(_RIGHT / wide, 1 - at / high),
            ncols=len(row),
            columnspacing=1.2,
            handletextpad=0.5,
        )
