"""Forest plots."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..effects import Measure, measure_named
from ..errors import DataError
from ._marks import Mark
from ._sheet import Heads, Line, sheet
from ._style import BLUE, INK, house
from ._text import clean, interval_text

if TYPE_CHECKING:
    from ..summaries import ForestRow

_GROUPS = {
    "study": "Studies",
    "shrunken": "Studies",
    "posterior": "Posterior",
    "prediction": "Posterior",
    "frequentist": "Frequentist",
    "published": "Published",
}
_COUNTED = {"logit": "events / n", "log": "events / time"}  # of a single arm
_MODEL = ("shrunken", "posterior", "prediction")


def forest_of_rows(
    rows: "Sequence[ForestRow]",
    *,
    measure: str,
    better: str | None = None,
    labels: tuple[str, str] = ("treatment", "control"),
    title: str = "",
    prob: float | None = None,
    counted: str = "",
) -> Figure:
    """Draw a forest plot of rows.

    Each study has a box sized by its weight, and beneath it the effect the model gives it; then
    come the posterior, the prediction, and what others make of the same studies.

    Parameters
    ----------
    rows : sequence of ForestRow, length n
        On the analysis scale; a ``"shrunken"`` row follows its study and carries its label.
    measure : str
        One of ``MEASURES``. Ratios and rates are shown as such, on an axis spaced by their
        logarithms; proportions as proportions.
    better : {"lower", "higher"}, optional
        The direction of benefit; where it is not given, neither side is named.
    labels : tuple of str
        What treatment and control are called.
    title : str
    prob : float, optional
        Level of the intervals, to be printed above them.
    counted : str
        What the counts of a single arm are; above those of two arms stand their names.

    Returns
    -------
    Figure
        840 px wide, as high as it needs to be.

    Raises
    ------
    DataError
        If there is no row, or no such measure.
    ModelError
        If `better` is not a direction.

    Examples
    --------
    >>> from bayesmeta.plots import forest_of_rows
    >>> from bayesmeta.summaries import ForestRow
    >>> row = ForestRow(label="overall", kind="posterior", estimate=-0.3, lower=-0.6, upper=0.0)
    >>> figure = forest_of_rows([row], measure="RR", better="lower")
    """
    scale = measure_named(measure)
    if not rows:
        raise DataError("A forest plot needs at least one row.")
    names = (clean(labels[0]), clean(labels[1]))
    counted = counted or _COUNTED.get(scale.link, "")
    note = f"{names[0]} v {names[1]}" if scale.comparative else clean(counted)
    model = any(row.kind == "shrunken" for row in rows)
    guide = next((row.estimate for row in rows if row.kind == "posterior"), None)
    with house():
        return sheet(
            list(_lines(rows, scale, model=model)),
            _heads(scale, note if any(row.note for row in rows) else "", prob, model=model),
            measure=scale,
            better=better,
            labels=names,
            title=clean(title),
            legend=_legend(scale) if model else (),
            guide=guide,
        )


def _lines(rows: "Sequence[ForestRow]", measure: Measure, *, model: bool) -> Iterator[Line]:
    largest = np.nanmax([row.weight for row in rows] + [0.0])
    group = ""
    for together in _paired(rows):
        if _GROUPS[together[0].kind] != group:
            group = _GROUPS[together[0].kind]
            yield Line(label=group, heading=True)
        marks = tuple(_mark(row, largest) for row in together)
        yield Line(
            label=clean(together[0].label),
            note=clean(together[0].note),
            numbers=_numbers(marks, measure, model=model),
            marks=marks,
        )


def _paired(rows: "Sequence[ForestRow]") -> "Iterator[tuple[ForestRow, ...]]":
    """Rows that share a line: a study and, right after it, its shrunken effect."""
    waiting: tuple[ForestRow, ...] = ()
    for row in rows:
        if row.kind == "shrunken" and [each.label for each in waiting] == [row.label]:
            yield (*waiting, row)
            waiting = ()
            continue
        if waiting:
            yield waiting
        waiting = (row,)
    if waiting:
        yield waiting


def _mark(row: "ForestRow", largest: float) -> Mark:
    return Mark(
        kind=row.kind,
        label=clean(row.label),
        estimate=row.estimate,
        lower=row.lower,
        upper=row.upper,
        share=row.weight / largest if largest > 0 else 1.0,
    )


def _numbers(marks: Sequence[Mark], measure: Measure, *, model: bool) -> tuple[str, ...]:
    """Texts by column: what the data say; and, where there is such a column, the model."""
    columns = ["", ""] if model else [""]
    for mark in marks:
        columns[model and mark.kind in _MODEL] = (
            interval_text(mark.estimate, mark.lower, mark.upper, measure)
            if np.isfinite(mark.estimate)
            else "no estimate of its own"
        )
    return tuple(columns)


def _heads(measure: Measure, note: str, prob: float | None, *, model: bool) -> Heads:
    interval = "interval" if prob is None else f"{100 * prob:g}% interval"
    shown = f"{measure.called} [{interval}]"
    return Heads(note=note, numbers=(shown, f"under the model,\n{shown}") if model else (shown,))


def _legend(measure: Measure) -> tuple[Line2D, ...]:
    effect = "effect" if measure.comparative else measure.words
    return (
        Line2D(
            [],
            [],
            color=INK,
            linewidth=1.1,
            marker="s",
            markersize=6.0,
            label="study’s own estimate, box by weight",
        ),
        Line2D(
            [],
            [],
            color=BLUE,
            linewidth=0.9,
            marker="o",
            markersize=3.4,
            label=f"study’s {effect} under the model (shrunken)",
        ),
    )
