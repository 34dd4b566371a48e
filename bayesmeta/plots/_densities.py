"""What the data added to the prior."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray
from scipy.special import logit

from ..arguments import check_switch
from ..effects import MEASURES, Measure, measure_named
from ..errors import DataError
from ..posterior import Posterior
from ..summaries import density_rows, scale_of
from ._fits import check_fit
from ._scale import linear_ticks, log_ticks, logit_ticks, tick_text
from ._style import BLUE, INK, MUTED, SKY, Page, blank, house, inches, page, panel
from ._text import clean, interval_text, write

if TYPE_CHECKING:
    import pandas as pd

    from ..summaries import DensityRows

_WORDS = {"mu": "Overall effect μ", "tau": "Between-study SD τ"}
_SYMBOL = {"mu": "μ", "tau": "τ"}
_PLAIN = MEASURES["GEN"]  # tau is shown as it is analysed
_UPPER = {  # by link
    "log": (log_ticks, np.log),
    "atanh": (linear_ticks, np.arctanh),
    "logit": (logit_ticks, logit),
}
_WIDE, _HIGH, _SIDE, _UNDER, _LEGEND = 3.95, 2.2, 0.25, 0.45, 0.4  # inches
_TOP = {True: 0.95, False: 0.6}  # with the ratio's axis and without


def prior_posterior(
    fit: Posterior, *, prob: float = 0.95, width: float | None = None, rows: bool = False
) -> "Figure | pd.DataFrame":
    """Draw what the data added to the priors of mu and tau.

    The prior is dashed, the posterior filled, its central interval darker, its median a line.

    Parameters
    ----------
    fit : Posterior
        Of one outcome.
    prob : float
        Probability of the intervals.
    width : float, optional
        In mm, 70 to 400; None is for a screen.
    rows : bool
        Return the densities that would be drawn, analysis scale, in place of the figure.

    Returns
    -------
    Figure or DataFrame

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = bm.plots.prior_posterior(bm.fit(model, data))
    """
    check_fit(fit, "prior_posterior")
    check_switch(rows, "rows")
    found = density_rows(fit, prob=prob)
    if rows:
        return _table(found)
    return prior_posterior_of_rows(found, measure=scale_of(fit), prob=prob, width=width)


def _table(found: "Sequence[DensityRows]") -> "pd.DataFrame":
    import pandas as pd

    columns = ("parameter", "x", "prior", "posterior")
    parts = [pd.DataFrame({name: getattr(one, name) for name in columns}) for one in found]
    return pd.concat(parts, ignore_index=True)


def prior_posterior_of_rows(
    densities: "Sequence[DensityRows]",
    *,
    measure: str | Measure,
    prob: float | None = None,
    width: float | None = None,
) -> Figure:
    """Draw prior and posterior densities that were made.

    The prior is dashed, the posterior filled, its central interval darker, its median a line.

    Parameters
    ----------
    densities : sequence of DensityRows
        One panel each; analysis scale.
    measure : str or Measure
        One of ``MEASURES``, or the measure itself where mu stands on another scale than that
        name's; an upper axis shows mu of a ratio, a rate, a proportion or a bounded difference
        as people read it.
    prob : float, optional
        Probability of the intervals, to be printed.
    width : float, optional
        In mm, 70 to 400; None is for a screen.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        If there is no density, or no such measure.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> from bayesmeta.plots import prior_posterior_of_rows
    >>> from bayesmeta.summaries import density_rows
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> rows = density_rows(bm.fit(model, data))
    >>> figure = prior_posterior_of_rows(rows, measure="OR")
    """
    scale = measure if isinstance(measure, Measure) else measure_named(measure)
    if not densities:
        raise DataError("prior_posterior needs at least one density.")
    of = page(width)
    top = _TOP[scale.link in _UPPER and any(rows.parameter == "mu" for rows in densities)]
    across = len(densities) if width is None else 1 + (not of.narrow)
    wide = _WIDE if width is None else of.width / across - 2 * _SIDE
    deep = -(-len(densities) // across)
    step = top + _HIGH + _UNDER
    signs = 2 if of.narrow else min(4, 2 * len(densities))
    with house(of):
        foot = _LEGEND + inches(of.small, 4 // signs - 1)
        figure = blank(across * (wide + 2 * _SIDE), deep * step + foot)
        for i, rows in enumerate(densities):
            down, right = divmod(i, across)
            left = _SIDE + right * (wide + 2 * _SIDE)
            axes = panel(figure, left, top + down * step, wide, _HIGH)
            _density(axes, rows, prob)
            _axes(axes, rows, scale, wide)
            _title(figure, left, down * step, rows, scale, of)
        _legend(figure, signs)
    return figure


def _legend(figure: Figure, abreast: int) -> None:
    wide, high = figure.get_size_inches()
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(),
        loc="lower left",
        bbox_to_anchor=(_SIDE / wide, 0.1 / high),
        ncols=abreast,
        columnspacing=2.0,
    )


def _density(axes: Axes, rows: "DensityRows", prob: float | None) -> None:
    prior, posterior = _finite(rows.prior), _finite(rows.posterior)
    interval = "interval" if prob is None else f"{100 * prob:g}% interval"
    middle = (rows.x >= rows.lower) & (rows.x <= rows.upper)
    axes.plot(rows.x, prior, color=INK, linewidth=1.2, linestyle=(0, (4, 2.5)), label="prior")
    axes.fill_between(rows.x, posterior, color=SKY, alpha=0.3, linewidth=0, label="posterior")
    axes.fill_between(
        rows.x,
        posterior,
        where=middle.tolist(),
        color=SKY,
        alpha=0.65,
        linewidth=0,
        label=f"its central {interval}",
    )
    axes.plot(rows.x, posterior, color=BLUE, linewidth=1.5, label="_posterior")
    height = float(np.interp(rows.median, rows.x, posterior))
    axes.vlines(rows.median, 0, height, color=BLUE, linewidth=1.5, label="its median")
    # A prior may rise without bound where the posterior does not.
    axes.set_ylim(0, 1.06 * max(posterior.max(), min(prior.max(), 3 * posterior.max())))
    axes.set_xlim(rows.x[0], rows.x[-1])


def _finite(density: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hold infinite densities at the largest finite one."""
    finite = density[np.isfinite(density)]
    return np.nan_to_num(density, nan=0.0, posinf=finite.max(initial=0.0))


def _axes(axes: Axes, rows: "DensityRows", measure: Measure, wide: float) -> None:
    low, high = float(rows.x[0]), float(rows.x[-1])
    ticks = linear_ticks(low, high, width=wide)
    axes.set_xticks(ticks, [tick_text(tick) for tick in ticks])
    if rows.parameter != "mu":
        axes.set_xlabel(
            f"{_SYMBOL.get(rows.parameter, rows.parameter)} ({measure.analysis_called})"
        )
        return
    axes.set_xlabel(f"μ ({measure.analysis_called})")
    if measure.comparative and low < 0 < high:
        axes.axvline(0.0, color=INK, linewidth=0.8, label="_no effect", zorder=1)
    if measure.link in _UPPER:
        find, analysed = _UPPER[measure.link]
        ratios = find(float(measure.natural(low)), float(measure.natural(high)), width=wide)
        upper = axes.secondary_xaxis("top")
        upper.xaxis.set_major_locator(FixedLocator(analysed(ratios).tolist()))
        upper.xaxis.set_minor_locator(NullLocator())
        upper.set_xticklabels([tick_text(ratio) for ratio in ratios])
        upper.spines["top"].set_visible(True)
        upper.tick_params(length=3.5, pad=2.5)


def _title(
    figure: Figure, left: float, top: float, rows: "DensityRows", measure: Measure, of: Page
) -> None:
    effect = rows.parameter == "mu"
    shown = measure.called if effect else _SYMBOL.get(rows.parameter, clean(rows.parameter))
    scale = measure if effect else _PLAIN
    text = f"posterior median {shown} {interval_text(rows.median, rows.lower, rows.upper, scale)}"
    said = _WORDS.get(rows.parameter, clean(rows.parameter))
    if effect and not measure.comparative:
        said = f"Overall {measure.words} (μ)"
    write(figure, left, top + 0.2, said, size=of.text, weight="bold")
    at = top + 0.2 + inches(of.small) + 0.04
    write(figure, left, at, text, size=of.small, color=MUTED)
