"""What the data added to the prior."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from ..effects import Measure, measure_named
from ..errors import DataError
from ._scale import linear_ticks, log_ticks, tick_text
from ._style import BLUE, INK, MUTED, SKY, SMALL, blank, house, inches, panel
from ._text import clean, difference_show, interval_text, show_for, write

if TYPE_CHECKING:
    from ..summaries import DensityRows

_WORDS = {"mu": "Overall effect μ", "tau": "Between-study SD τ"}
_SYMBOL = {"mu": "μ", "tau": "τ"}
_WIDE, _HIGH, _SIDE, _TOP, _FOOT = 3.95, 2.2, 0.25, 1.0, 0.85  # inches


def prior_posterior(densities: "Sequence[DensityRows]", *, measure: str) -> Figure:
    """Draw prior and posterior of each parameter.

    The prior is dashed, the posterior filled, its central interval darker, its median a line.

    Parameters
    ----------
    densities : sequence of DensityRows
        One panel each; analysis scale.
    measure : str
        One of ``MEASURES``; for mu of a ratio an upper axis shows the ratio.

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
    >>> from bayesmeta.plots import prior_posterior
    >>> from bayesmeta.summaries import density_rows
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = prior_posterior(density_rows(bm.fit(model, data)), measure="OR")
    """
    scale = measure_named(measure)
    if not densities:
        raise DataError("prior_posterior needs at least one density.")
    with house():
        figure = blank(len(densities) * (_WIDE + 2 * _SIDE), _TOP + _HIGH + _FOOT)
        axes = [
            panel(figure, _SIDE + i * (_WIDE + 2 * _SIDE), _TOP, _WIDE, _HIGH)
            for i in range(len(densities))
        ]
        for each, rows in zip(axes, densities, strict=True):
            _density(each, rows)
            _axes(each, rows, scale)
            _title(figure, each, rows, scale)
        figure.legend(
            *axes[0].get_legend_handles_labels(),
            loc="lower left",
            bbox_to_anchor=(_SIDE / figure.get_size_inches()[0], 0.1 / (_TOP + _HIGH + _FOOT)),
            ncols=2 if len(densities) == 1 else 4,
            columnspacing=2.0,
        )
    return figure


def _density(axes: Axes, rows: "DensityRows") -> None:
    prior, posterior = _finite(rows.prior), _finite(rows.posterior)
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
        label="its central interval",
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


def _axes(axes: Axes, rows: "DensityRows", measure: Measure) -> None:
    low, high = float(rows.x[0]), float(rows.x[-1])
    ticks = linear_ticks(low, high, width=_WIDE)
    axes.set_xticks(ticks, [tick_text(tick) for tick in ticks])
    if rows.parameter != "mu":
        axes.set_xlabel(f"{_SYMBOL.get(rows.parameter, rows.parameter)} ({measure.analysis_label})")
        return
    axes.set_xlabel(f"μ ({measure.analysis_label})")
    if low < 0 < high:
        axes.axvline(0.0, color=INK, linewidth=0.8, label="_no effect", zorder=1)
    if measure.log:
        ratios = log_ticks(float(np.exp(low)), float(np.exp(high)), width=_WIDE)
        upper = axes.secondary_xaxis("top")
        upper.xaxis.set_major_locator(FixedLocator(np.log(ratios).tolist()))
        upper.xaxis.set_minor_locator(NullLocator())
        upper.set_xticklabels([tick_text(ratio) for ratio in ratios])
        upper.spines["top"].set_visible(True)
        upper.tick_params(length=3.5, pad=2.5)


def _title(figure: Figure, axes: Axes, rows: "DensityRows", measure: Measure) -> None:
    box = axes.get_position()
    left = box.x0 * float(figure.get_size_inches()[0])
    halves = [(rows.upper - rows.lower) / 2]
    ratio = rows.parameter == "mu"
    show = show_for(measure, halves) if ratio else difference_show(halves)
    shown = measure.name if ratio else _SYMBOL.get(rows.parameter, clean(rows.parameter))
    text = f"{shown} {interval_text(rows.median, rows.lower, rows.upper, show)}"
    write(figure, left, 0.2, _WORDS.get(rows.parameter, clean(rows.parameter)), weight="bold")
    write(figure, left, 0.2 + inches(SMALL) + 0.04, text, size=SMALL, color=MUTED)
