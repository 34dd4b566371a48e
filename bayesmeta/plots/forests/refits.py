"""Forests of answers to fewer studies: as they join one by one, and without each."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from ...arguments import check_switch
from ...effects import EffectSizes
from ...posterior import Posterior
from ...summaries import (
    Better,
    Refits,
    cumulative_rows,
    leave_one_out_rows,
    measure_of,
    rows_table,
)
from .._fits import ARMS
from .rows import forest_of_rows

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = ("counts", "effect")


def cumulative(
    fit: Posterior | EffectSizes,
    *,
    order: str | ArrayLike | None = None,
    better: Better | None = None,
    labels: tuple[str, str] = ARMS,
    title: str = "",
    prob: float = 0.95,
    width: float | None = None,
    rows: bool = False,
) -> "Figure | pd.DataFrame":
    """Draw the answer as studies join one by one, each line a fit of its own.

    Parameters
    ----------
    fit : Posterior or EffectSizes
        With one effect: the same model is fitted to the first study, the first two, and so on, by
        the exact engine where it can serve; of estimates it is REML's with HKSJ intervals.
    order : str, sequence of str or array-like of numbers, optional
        A covariate of the data to sort by (the year, say), the names of all studies in order, or
        one number per study; as in the table by default.
    better : {"lower", "higher"}, optional
        The direction of benefit; where it is not given, neither side is named.
    labels : tuple of str
        What treatment and control are called.
    title : str
    prob : float
        Level of the intervals.
    width : float, optional
        In mm, 70 to 400; by default as wide as a screen's 840 px.
    rows : bool
        Return the numbers that would be drawn, analysis scale, in place of the figure; ``note`` is
        how many studies there are.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If effects depend on covariates, or there is no such covariate to order by.
    DataError
        If `order` does not fit the studies.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = bm.plots.cumulative(bm.fit(model, data), order=[1999, 1990, 2003])
    """
    check_switch(rows, "rows")
    found = cumulative_rows(fit, order=order, prob=prob)
    if rows:
        return rows_table(found.rows)
    return forest_of_rows(
        found.rows,
        measure=measure_of(fit),
        better=better,
        labels=labels,
        title=title,
        prob=prob,
        counted="studies",
        width=width,
        columns=_SHOWN,
        foot=found.said,
    )


def leave_one_out(
    fit: Posterior | EffectSizes,
    *,
    better: Better | None = None,
    labels: tuple[str, str] = ARMS,
    title: str = "",
    prob: float = 0.95,
    width: float | None = None,
    rows: bool = False,
) -> "Figure | pd.DataFrame":
    """Draw the answer without each study in turn, each line a fit of its own.

    Parameters
    ----------
    fit : Posterior or EffectSizes
        With one effect: the same model is fitted to the other studies, by the exact engine where it
        can serve; of estimates it is REML's with HKSJ intervals.
    better : {"lower", "higher"}, optional
        The direction of benefit; where it is not given, neither side is named.
    labels : tuple of str
        What treatment and control are called.
    title : str
    prob : float
        Level of the intervals.
    width : float, optional
        In mm, 70 to 400; by default as wide as a screen's 840 px.
    rows : bool
        Return the numbers that would be drawn, analysis scale, in place of the figure; ``note`` is
        tau, the posterior median of a fit.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If effects depend on covariates, or there is one study alone.
    DataError
        For fewer than three estimates without a fit.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = bm.plots.leave_one_out(bm.fit(model, data), width=114)
    """
    check_switch(rows, "rows")
    found = leave_one_out_rows(fit, prob=prob)
    if rows:
        return rows_table(found.rows)
    return forest_of_rows(
        found.rows,
        measure=measure_of(fit),
        better=better,
        labels=labels,
        title=title,
        prob=prob,
        counted="τ",
        width=width,
        columns=_SHOWN,
        foot=(*_farthest(found), *found.said),
    )


def _farthest(found: Refits) -> tuple[str, ...]:
    """Which study moves the answer most."""
    *others, whole = found.rows
    moved = np.array([row.estimate - whole.estimate for row in others])
    if not np.isfinite(moved).any():
        return ()
    most = others[int(np.nanargmax(np.abs(moved)))]
    return (f"The answer moves most without {most.label}.",)
