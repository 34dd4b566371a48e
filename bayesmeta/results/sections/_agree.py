"""Answers of other methods that say the same, in one sentence."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...effects import MEASURES
from .. import OutcomeResult, Results
from ..display import natural
from ..tables import Kind
from ._answers import comparison
from ._section import Section

if TYPE_CHECKING:
    import pandas as pd

MANY = 3  # rows of other methods, from which on they are told together


def agreeing(outcome: OutcomeResult, run: Results) -> Section | None:
    """The comparison with the rows of other methods told in one sentence, if they are many.

    Parameters
    ----------
    outcome : OutcomeResult
    run : Results

    Returns
    -------
    Section or None
        None where there are few of them: the whole table is as short.
    """
    whole = comparison(outcome, run)
    if whole is None or outcome.main is None:
        return None
    of_others = [kind == Kind.FREQUENTIST for kind in whole.table["kind"]]
    others = whole.table.loc[of_others]
    if len(others) < MANY:
        return None
    kept = whole.table.loc[[not one for one in of_others]]
    return replace(whole, table=kept, note=_told(others, outcome))


def _told(rows: "pd.DataFrame", outcome: OutcomeResult) -> str:
    """Between what their estimates and intervals lie, and whether they judge alike."""
    measure = MEASURES[outcome.measure]
    ends = {
        name: rows[f"{name}_natural"].to_numpy(float) for name in ("estimate", "lower", "upper")
    }
    least, most = (
        natural(one, measure) for one in (ends["estimate"].min(), ends["estimate"].max())
    )
    within = least if least == most else f"{least} to {most}"
    width = (rows["upper"] - rows["lower"]).to_numpy(float)
    (narrow, short), (wide, long) = (
        (
            rows.index[at],
            f"{natural(ends['lower'][at], measure)} to {natural(ends['upper'][at], measure)}",
        )
        for at in (width.argmin(), width.argmax())
    )
    said = (
        f"{len(rows)} intervals of other methods: estimates {within}; from {short} ({narrow}) "
        f"to {long} ({wide})."
    )
    return f"{said}{_judged(ends, float(measure.natural(0.0))) if outcome.compares else ''}"


def _judged(ends: Mapping[str, NDArray[np.float64]], none: float) -> str:
    """How many intervals exclude no effect."""
    out = (ends["lower"] > none) | (ends["upper"] < none)
    count = int(out.sum())
    if count in (0, out.size):
        return f" {'All' if count else 'None'} of them exclude{'' if count else 's'} no effect."
    return f" {count} of them exclude no effect, {out.size - count} include it."
