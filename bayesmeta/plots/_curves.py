"""Bayes factors over the scale of a prior."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from ..errors import ModelError
from ._style import BLUE, FAINT, INK, MUTED, VERMILLION, Page, blank, house, inches, page, panel
from ._text import clean, wrap, write

if TYPE_CHECKING:
    from ..evidence import BayesFactorCurve, ScaledFactor

_WIDE, _HIGH = 2.75, 2.1  # inches, of a panel
_LEFT, _RIGHT, _TOP, _UNDER, _LEGEND = 0.6, 0.2, 0.62, 0.45, 0.4
_FARTHEST = 1e3  # factors beyond are said, not drawn: the words for factors end at 100
_DRAWN = 60.0  # in logs: a line goes no farther
_NEAREST = 15.0  # the axis goes at least so far to either side of 1
_VERDICTS = (1 / 10, 1 / 3, 1.0, 3.0, 10.0)
_LINES: Mapping[str, dict[str, Any]] = {  # told apart without colours too
    "mu = 0": {"color": BLUE, "linestyle": "-", "marker": "o"},
    "tau = 0": {"color": VERMILLION, "linestyle": (0, (5, 2)), "marker": "s"},
}
_SYMBOLS = {"mu": "μ", "tau": "τ"}


def bayes_factors(curve: "BayesFactorCurve", *, width: float | None = None) -> Figure:
    """Draw the Bayes factors of no effect and of no heterogeneity over the scale of each prior.

    A panel for each prior that is scaled, the prior in use marked; lines at 1/10, 1/3, 1, 3 and 10.
    Above 1 the data speak for 0, below against it. Points beyond 1,000 or 1/1,000 are said beneath
    the head of the panel.

    Parameters
    ----------
    curve : BayesFactorCurve
        Of :func:`bayesmeta.bayes_factor_curve`.
    width : float, optional
        In mm, 70 to 400; None is for a screen.

    Returns
    -------
    Figure

    Raises
    ------
    ModelError
        If no prior has a scale.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> figure = bm.plots.bayes_factors(bm.bayes_factor_curve(bm.fit(model, data)))
    """
    panels: dict[str, list[ScaledFactor]] = {}
    for one in curve.points:
        panels.setdefault(one.scaled, []).append(one)
    if not panels:
        raise ModelError(f"There is no curve to draw. {' '.join(curve.not_made)}")
    of = page(width)
    across = len(panels) if width is None else min(len(panels), 1 + (not of.narrow))
    step = _LEFT + _WIDE + _RIGHT if width is None else of.width / across
    wide = step - _LEFT - _RIGHT
    deep = -(-len(panels) // across)
    low, high = _reach(curve.points)
    with house(of):
        heads = [_head(points, wide, of) for points in panels.values()]
        top = max(_TOP, 0.1 + inches(of.small, 1 + max(map(len, heads))))
        figure = blank(across * step, deep * (top + _HIGH + _UNDER) + _LEGEND)
        for i, (scaled, points) in enumerate(panels.items()):
            down, right = divmod(i, across)
            above, left = down * (top + _HIGH + _UNDER), right * step + _LEFT
            axes = panel(figure, left, above + top, wide, _HIGH)
            for name, values in _lines(points).items():
                times, factors = np.array(values).T
                axes.plot(times, factors, label=_called(name), markersize=3.5, **_LINES[name])
            _axes(axes, low, high)
            title = f"Prior of {_SYMBOLS[scaled]}"
            write(figure, left, above + 0.16, title, size=of.text, weight="bold")
            for n, line in enumerate(heads[i]):
                at = above + 0.16 + inches(of.small, n + 1) + 0.02
                write(figure, left, at, line, size=of.small, color=MUTED)
        whole, tall = figure.get_size_inches()
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(),
            loc="lower left",
            bbox_to_anchor=(_RIGHT / whole, 0.1 / tall),
            ncols=3,
            columnspacing=2.0,
        )
    return figure


def _lines(points: "Sequence[ScaledFactor]") -> Mapping[str, list[tuple[float, float]]]:
    """Scale and factor of every point that is there, by hypothesis; far off the axis is enough."""
    found: dict[str, list[tuple[float, float]]] = {}
    for one in points:
        log = one.factor.log_bf01
        if np.isfinite(log):
            held = float(np.exp(np.clip(log, -_DRAWN, _DRAWN)))
            found.setdefault(one.factor.hypothesis, []).append((one.times, held))
    return found


def _reach(points: "Sequence[ScaledFactor]") -> tuple[float, float]:
    """Ends of the axis of factors."""
    logs = np.array([one.factor.log_bf01 for one in points if np.isfinite(one.factor.log_bf01)])
    far = np.log(_FARTHEST)
    nearest = np.log(_NEAREST)
    low, high = logs.min(initial=-nearest), logs.max(initial=nearest)
    return float(np.exp(max(1.1 * low, -far))), float(np.exp(min(1.1 * high, far)))


def _axes(axes: Axes, low: float, high: float) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.09, 11.1)
    axes.set_ylim(low, high)
    for verdict in _VERDICTS:
        color, wide = (INK, 0.8) if verdict == 1 else (FAINT, 0.6)
        axes.axhline(verdict, color=color, linewidth=wide, zorder=1, label="_verdict")
    axes.axvline(1.0, color=MUTED, linewidth=1.0, linestyle=(0, (2, 2)), label="prior in use")
    ticks = [one for one in (1e-3, 1e-2, *_VERDICTS, 1e2, 1e3) if low <= one <= high]
    for axis, places in ((axes.xaxis, list(_VERDICTS)), (axes.yaxis, ticks)):
        axis.set_major_locator(FixedLocator(places))
        axis.set_minor_locator(NullLocator())
    axes.set_xticklabels([_fraction(one) for one in _VERDICTS])
    axes.set_yticklabels([_fraction(one) for one in ticks])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("scale of the prior, times that in use")
    axes.set_ylabel("Bayes factor for 0 (BF01)")


def _fraction(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"1/{1 / value:,.0f}"


def _called(hypothesis: str) -> str:
    name, rest = hypothesis.split(maxsplit=1)
    return f"{_SYMBOLS[name]} {rest}"


def _head(points: "Sequence[ScaledFactor]", wide: float, of: Page) -> Sequence[str]:
    """Lines beneath the name of the prior."""
    used = next((one.prior for one in points if one.times == 1), None)
    said = [f"in use: {used!r}" if used is not None else ""]
    said += [_beyond(name, values) for name, values in _lines(points).items()]
    return wrap(clean("; ".join(filter(None, said))), wide, size=of.small).splitlines()


def _beyond(hypothesis: str, values: Sequence[tuple[float, float]]) -> str:
    """Say which points the axis does not hold."""
    factors = np.array([factor for _, factor in values])
    out = (factors < 1 / _FARTHEST) | (factors > _FARTHEST)
    if not out.any():
        return ""
    below = factors[out].max() < 1
    end = _fraction(1 / _FARTHEST if below else _FARTHEST)
    much = "throughout" if out.all() else f"at {out.sum()} of {out.size} scales"
    return f"{_called(hypothesis)} {'below' if below else 'above'} {end} {much}"
