"""One line per analysis: what changes when the analysis does."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ...effects import Measure, measure_named
from ...errors import DataError
from .._style import house, page
from .._text import clean, interval_text
from .columns import Column, Line
from .marks import Mark
from .sheet import Around, sheet

if TYPE_CHECKING:
    import pandas as pd


def scenarios_of_table(
    table: "pd.DataFrame",
    *,
    measure: str,
    better: str | None = None,
    labels: tuple[str, str] = ("treatment", "control"),
    title: str = "",
    prob: float | None = None,
    width: float | None = None,
) -> Figure:
    """Draw one estimate with its interval per analysis.

    Parameters
    ----------
    table : DataFrame
        One row per analysis, its label in the index; columns ``estimate``, ``lower``, ``upper``
        on the analysis scale, NaN for an analysis without an answer; ``k``, if there, is shown.
    measure : str
        One of ``MEASURES``.
    better : {"lower", "higher"}, optional
        The direction of benefit; where it is not given, neither side is named.
    labels : tuple of str
        What treatment and control are called.
    title : str
    prob : float, optional
        Level of the intervals, to be printed above them.
    width : float, optional
        In mm; by default as wide as a screen's 840 px.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        If the table is empty or lacks a column.
    ModelError
        If `better` is not a direction.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmeta.plots import scenarios_of_table
    >>> row = {"estimate": -0.3, "lower": -0.6, "upper": 0.0, "k": 9}
    >>> table = pd.DataFrame([row], index=["all trials"])
    >>> figure = scenarios_of_table(table, measure="RR", better="lower")
    """
    scale = measure_named(measure)
    missing = {"estimate", "lower", "upper"}.difference(table.columns)
    if missing or not len(table):
        raise DataError(
            "scenarios needs at least one row and the columns estimate, lower, upper; "
            f"missing: {', '.join(sorted(missing)) or 'every row'}."
        )
    interval = "interval" if prob is None else f"{100 * prob:g}% interval"
    of = page(width)
    effect = Column(name="effect", head=f"{scale.called} [{interval}]")
    with house(of):
        return sheet(
            list(_lines(table, scale)),
            (Column(name="k", head="", left=True), effect),
            Around(
                measure=scale,
                better=better,
                labels=(clean(labels[0]), clean(labels[1])),
                title=clean(title),
            ),
            page=of,
        )


def _lines(table: "pd.DataFrame", measure: Measure) -> Iterator[Line]:
    values = table[["estimate", "lower", "upper"]].to_numpy(dtype=float).tolist()
    k = table["k"].to_numpy(dtype=float) if "k" in table.columns else np.full(len(table), np.nan)
    for i, label in enumerate(table.index):
        at, low, high = values[i]
        mark = Mark(kind="scenario", label=clean(label), estimate=at, lower=low, upper=high)
        yield Line(
            label=mark.label,
            texts=(
                f"k = {k[i]:g}" if np.isfinite(k[i]) else "",
                interval_text(mark.estimate, mark.lower, mark.upper, measure)
                if np.isfinite(mark.estimate)
                else "no estimate",
            ),
            marks=(mark,),
        )
