"""Forest plots of rows."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...arguments import is_among
from ...effects import Measure, measure_named
from ...errors import DataError, ModelError
from ...reading import RiskOfBias
from ...ways import shown
from .._style import BLUE, INK, Page, house, page
from .._text import clean, interval_text
from .columns import Column, Line, columns_of
from .lights import heads_of, legend_of, lights_of
from .marks import Mark
from .sheet import Around, sheet

if TYPE_CHECKING:
    from ...summaries import ForestRow

_GROUPS = {
    "study": "Studies",
    "shrunken": "Studies",
    "group": "Studies",
    "coefficient": "Coefficients",
    "joined": "As studies join",
    "without": "Without",
    "posterior": "Posterior",
    "prediction": "Posterior",
    "difference": "Differences",
    "frequentist": "Frequentist",
    "published": "Published",
}
_COUNTED = {"logit": "events / n", "log": "events / time"}  # of a single arm
_MODEL = ("shrunken", "posterior", "prediction", "group", "difference")
COLUMNS = ("counts", "weight", "effect", "model")
_TRIED = (COLUMNS, COLUMNS[:3], COLUMNS[1:3], COLUMNS[2:3])  # until there is room


def forest_of_rows(
    rows: "Sequence[ForestRow]",
    *,
    measure: str | Measure,
    better: str | None = None,
    labels: tuple[str, str] = ("treatment", "control"),
    title: str = "",
    prob: float | None = None,
    counted: str = "",
    width: float | None = None,
    columns: Sequence[str] | None = None,
    foot: Sequence[str] = (),
    bias: RiskOfBias | None = None,
) -> Figure:
    """Draw a forest plot of rows.

    Each study has a box sized by its weight, and beneath it the effect the model gives it; then
    come the posterior, the prediction, and what others make of the same studies. Rows with a group
    stand under its name; those of heterogeneity are a line at the foot.

    Parameters
    ----------
    rows : sequence of ForestRow, length n
        On the analysis scale; a ``"shrunken"`` row follows its study and carries its label.
    measure : str or Measure
        One of ``MEASURES``, or a measure itself. Ratios and rates are shown as such, on an axis
        spaced by their logarithms; proportions as proportions.
    better : {"lower", "higher"}, optional
        The direction of benefit; where it is not given, neither side is named.
    labels : tuple of str
        What treatment and control are called.
    title : str
    prob : float, optional
        Level of the intervals, to be printed above them.
    counted : str
        What stands above the rows' notes; by default the names of the arms.
    width : float, optional
        In mm, 70 to 400: 85, 114 or 174 for a journal. By default as wide as a screen's 840 px.
    columns : sequence of {"counts", "weight", "effect", "model"}, optional
        Texts beside the axis; by default as many as leave room for it: first the column of the
        model goes, then the counts, then the weights.
    foot : sequence of str
        Further lines beneath the axis.
    bias : RiskOfBias, optional
        Judgements of the studies, drawn as lights; the overall one alone where there is no room
        for each domain.

    Returns
    -------
    Figure
        As high as it needs to be.

    Raises
    ------
    DataError
        If there is no row, or no such measure.
    ModelError
        If `better` is not a direction, or there is no such column or width, or too little room.

    Examples
    --------
    >>> from bayesmeta.plots import forest_of_rows
    >>> from bayesmeta.summaries import ForestRow
    >>> row = ForestRow(label="overall", kind="posterior", estimate=-0.3, lower=-0.6, upper=0.0)
    >>> figure = forest_of_rows([row], measure="RR", better="lower")
    """
    scale = measure if isinstance(measure, Measure) else measure_named(measure)
    drawn = [row for row in rows if row.kind != "heterogeneity"]
    if not drawn:
        raise DataError("A forest plot needs at least one row.")
    names = (clean(labels[0]), clean(labels[1]))
    arms = f"{names[0]} v {names[1]}" if scale.comparative else _COUNTED.get(scale.link, "")
    note = clean(counted) or arms
    of = page(width)
    every = _columns(drawn, scale, note=note, prob=prob)
    lines, chosen = _roomy(drawn, scale, every, of, _asked(columns), bias)
    every_light = bias is not None and chosen[-1].lights == heads_of(bias, whole=True)
    judged = () if bias is None else legend_of(bias, whole=every_light)
    guide = next((row.estimate for row in drawn if row.kind == "posterior"), None)
    with house(of):
        return sheet(
            lines,
            chosen,
            Around(
                measure=scale,
                better=better,
                labels=names,
                title=clean(title),
                legend=_legend(scale) if any(row.kind == "shrunken" for row in drawn) else (),
                guide=guide,
                foot=(*_foot(rows, drawn, scale, prob), *judged, *map(clean, foot)),
            ),
            page=of,
        )


def _asked(columns: Sequence[str] | None) -> Sequence[Sequence[str]]:
    """The columns asked for, or what is tried."""
    for one in columns or ():
        if not is_among(one, COLUMNS):
            raise ModelError(f"columns are of {', '.join(COLUMNS)}, not {shown(one)}.")
    return _TRIED if columns is None else [columns]


def _columns(
    rows: "Sequence[ForestRow]", measure: Measure, *, note: str, prob: float | None
) -> list[Column]:
    """Those that have anything to say."""
    interval = "interval" if prob is None else f"{100 * prob:g}% interval"
    effect = f"{measure.called} [{interval}]"
    head = note if any(row.note for row in rows if row.kind != "posterior") else ""
    every = (
        (any(row.note for row in rows), Column(name="counts", head=head, left=True)),
        (any(np.isfinite(row.weight) for row in rows), Column(name="weight", head="weight")),
        (True, Column(name="effect", head=effect)),
        (
            any(row.kind == "shrunken" for row in rows),
            Column(name="model", head=f"under the model,\n{effect}", color=BLUE),
        ),
    )
    return [one for there, one in every if there]


def _roomy(
    rows: "Sequence[ForestRow]",
    measure: Measure,
    every: Sequence[Column],
    of: Page,
    tried: Sequence[Sequence[str]],
    bias: RiskOfBias | None,
) -> tuple[list[Line], list[Column]]:
    """The first choice of columns that leaves room for the axis, or the last."""
    choices = [(names, True) for names in tried]
    if bias is not None:
        choices.append((tried[-1], False))
    for names, whole in choices:
        chosen = [one for one in every if one.name in names]
        texts = [one.name for one in chosen]
        if bias is not None:
            chosen.append(Column(name="bias", head="", lights=heads_of(bias, whole=whole)))
        lines = list(_lines(rows, measure, texts, bias, whole=whole))
        if (names, whole) == choices[-1] or columns_of(lines, chosen, of)[1].roomy(of):
            return lines, chosen
    raise AssertionError("something is tried")


def _lines(
    rows: "Sequence[ForestRow]",
    measure: Measure,
    columns: Sequence[str],
    bias: RiskOfBias | None,
    *,
    whole: bool,
) -> Iterator[Line]:
    largest = np.nanmax([row.weight for row in rows] + [0.0])
    heading = ""
    for together in _paired(rows):
        first = together[0]
        block = first.group or _GROUPS[first.kind]
        if block != heading:
            heading = block
            yield Line(label=clean(block), heading=True)
        apart = first.kind == "difference"  # whose note says how likely it is above 0
        cells = {
            "counts": "" if apart else clean(first.note),
            "weight": _percent(first.weight),
            **_numbers(together, measure, model="model" in columns),
        }
        yield Line(
            label=clean(f"{first.label}, {first.note}" if apart else first.label),
            texts=tuple(cells.get(name, "") for name in columns),
            marks=tuple(_mark(row, largest) for row in together if _is_on_axis(row, measure)),
            lights=lights_of(bias, first.label, whole=whole) if first.kind == "study" else (),
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


def _is_on_axis(row: "ForestRow", measure: Measure) -> bool:
    """A difference of proportions' logits is no proportion: its numbers are said alone."""
    return row.kind != "difference" or measure.link != "logit"


def _mark(row: "ForestRow", largest: float) -> Mark:
    return Mark(
        kind=row.kind,
        label=clean(row.label),
        estimate=row.estimate,
        lower=row.lower,
        upper=row.upper,
        share=row.weight / largest if largest > 0 else 1.0,
        x=row.x,
        density=row.density,
    )


def _percent(weight: float) -> str:
    return f"{100 * weight:.1f}%" if np.isfinite(weight) else ""


def _numbers(rows: "Sequence[ForestRow]", measure: Measure, *, model: bool) -> dict[str, str]:
    """Texts by column: what the data say; and, where there is such a column, the model.

    Without that column, the answers of the model stand beside the data's; those of single studies
    are drawn alone.
    """
    texts: dict[str, str] = {}
    for row in rows:
        place = "model" if model and row.kind in _MODEL else "effect"
        if place in texts:
            continue
        texts[place] = _shown(row, measure) if np.isfinite(row.estimate) else "not estimable"
    return texts


def _shown(row: "ForestRow", measure: Measure) -> str:
    if not _is_on_axis(row, measure):
        return f"{row.estimate:.2f} [{row.lower:.2f}, {row.upper:.2f}] (logit)".replace("-", "−")
    if row.kind == "coefficient" and measure.log:  # a slope per unit may be close to 1
        from ...results.moderated import digits_of_ratio

        ends = measure.natural([row.estimate, row.lower, row.upper])
        return "{} [{}, {}]".format(*map(digits_of_ratio, ends.tolist()))
    return interval_text(row.estimate, row.lower, row.upper, measure)


def _foot(
    rows: "Sequence[ForestRow]",
    drawn: "Sequence[ForestRow]",
    measure: Measure,
    prob: float | None,
) -> tuple[str, ...]:
    """Heterogeneity in a line, and what differences are."""
    found = [
        f"{row.label.replace('tau2', 'τ²').replace('tau', 'τ', 1)} {row.estimate:.2f} "
        f"[{row.lower:.2f}, {row.upper:.2f}]"
        if row.label != "I2"
        else f"I² {row.estimate:.0f}% [{row.lower:.0f}%, {row.upper:.0f}%]"
        for row in rows
        if row.kind == "heterogeneity"
    ]
    interval = "" if prob is None else f"; posterior medians and {100 * prob:g}% intervals"
    lines = (
        [f"Heterogeneity ({measure.analysis_called}): {', '.join(found)}{interval}"]
        if found
        else []
    )
    if measure.log and any(row.kind == "difference" for row in drawn):
        lines.append(f"Differences are on the log scale, shown as ratios of the {measure.words}s.")
    return tuple(lines)


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
