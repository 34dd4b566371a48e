"""One line per analysis: what changes when the analysis does."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ..effects import Measure, measure_named
from ..errors import DataError
from ._marks import Mark
from ._sheet import Heads, Line, sheet
from ._style import house
from ._text import clean, interval_text

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
    with house():
        return sheet(
            list(_lines(table, scale)),
            Heads(numbers=(f"{scale.called} [{interval}]",)),
            measure=scale,
            better=better,
            labels=(clean(labels[0]), clean(labels[1])),
            title=clean(title),
        )


def _lines(table: "pd.DataFrame", measure: Measure) -> Iterator[Line]:
    values = {name: table[name].to_numpy(dtype=float) for name in ("estimate", "lower", "upper")}
    k = table["k"].to_numpy(dtype=float) if "k" in table.columns else np.full(len(table), np.nan)
    for i, label in enumerate(table.index):
        mark = Mark(
            kind="scenario",
            label=clean(label),
            **{name: float(column[i]) for name, column in values.items()},
        )
        yield Line(
            label=mark.label,
            note=f"k = {k[i]:g}" if np.isfinite(k[i]) else "",
            numbers=(
                interval_text(mark.estimate, mark.lower, mark.upper, measure)
                if np.isfinite(mark.estimate)
                else "no estimate",
            ),
            marks=(mark,),
        )
