"""Chains of a sampler, and their ranks.

In the house style on figures of Matplotlib's own: ArviZ draws through pyplot, whose state is the
user's, and takes five seconds to import. The tests hold the ranks to ArviZ.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..arguments import check_switch
from ..posterior import Posterior
from ..summaries import drawn_rows
from ._fits import check_fit
from ._scale import linear_ticks, tick_text
from ._style import (
    BLUE,
    COLUMNS,
    GREEN,
    INK,
    MUTED,
    SKY,
    VERMILLION,
    Page,
    blank,
    house,
    inches,
    page,
    panel,
)
from ._text import clean, width_of, wrap, write

if TYPE_CHECKING:
    import pandas as pd

_MARGIN, _GAP, _HIGH = 0.12, 0.3, 0.75  # inches; the height of a panel
_CHAINS = (BLUE, GREEN, SKY, INK)  # in turn
_MOST = 250  # draws of a chain in a panel
_SYMBOLS = {"mu": "μ", "tau": "τ"}
_DIVERGED: Mapping[str, Any] = {
    "linestyle": "none",
    "marker": "D",
    "markersize": 3.0,
    "color": VERMILLION,
}


def draws(
    fit: Posterior, *, title: str = "", width: float | None = COLUMNS, rows: bool = False
) -> "Figure | pd.DataFrame":
    """Draw the chains of a sampler and the ranks of their draws, for what all studies share.

    Chains that agree lie over each other on the left, and have ranks near 1 throughout on the
    right: a chain that is elsewhere has too many low or high ones, one that is wider too many of
    both.

    Parameters
    ----------
    fit : Posterior
        Sampled, by :class:`bayesmeta.NUTS` say. Of long chains some 250 draws are drawn, evenly
        spaced, as the caption says; ranks are of all.
    title : str
    width : float, optional
        In mm, 70 to 400; None is as wide as a screen's 840 px.
    rows : bool
        Return the numbers in place of the figure: ``parameter``, ``chain``, ``kind`` (``draw``,
        ``divergent``, ``rank``), ``x``, ``y``; draws are on the analysis scale, ranks relative to
        what they would be if all chains drew alike.

    Returns
    -------
    Figure or DataFrame

    Raises
    ------
    ModelError
        If the posterior is exact: it has no chains.

    References
    ----------
    Vehtari A, Gelman A, Simpson D, Carpenter B, Bürkner P-C (2021). Bayesian Anal 16:667-718.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> y, se = [-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1.0]
    >>> data = bm.EffectSizes.from_arrays(list("ABCD"), y, se, measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> drawn = bm.fit(model, data, bm.NUTS(seed=1, draws=500, tune=500))
    >>> figure = bm.plots.draws(drawn, width=85)
    """
    check_fit(fit, "draws")
    check_switch(rows, "rows")
    found = drawn_rows(fit)
    if rows:
        return found
    return _drawn(found, title=clean(title), of=page(width))


def _drawn(found: "pd.DataFrame", *, title: str, of: Page) -> Figure:
    names = dict.fromkeys(map(str, found["parameter"]))
    each = {name: found.query("parameter == @name") for name in names}
    whole = of.width - 2 * _MARGIN
    head = wrap(title, 0.95 * whole, size=of.title, weight="bold")
    top = _MARGIN + (inches(of.title, head.count("\n") + 1) + 0.08 if head else 0.0)
    length = int(found["x"].to_numpy(dtype=float).max())
    step = -(-length // _MOST)
    foot = wrap(_said(found, step), 0.95 * whole, size=of.small)
    heads = {name: wrap(_called(name), 0.9 * whole, size=of.text) for name in each}
    above = {name: inches(of.text, text.count("\n") + 1) + 0.05 for name, text in heads.items()}
    under = 0.1 + inches(of.small)
    room = max(_widest(one, of) for one in each.values()) + 0.1
    wide = (whole - _GAP - 2 * room) / 2
    deep = sum(above.values()) + len(each) * (_HIGH + under)
    last = inches(of.small) + 0.06
    lines = inches(of.small, foot.count("\n") + 1)
    with house(of):
        figure = blank(of.width, top + deep + last + lines + _MARGIN)
        if head:
            at = _MARGIN + inches(of.title, head.count("\n") + 1) / 2
            write(figure, _MARGIN, at, head, size=of.title, weight="bold")
        here = top
        for name, one in each.items():
            write(figure, _MARGIN, here + above[name] / 2, heads[name], size=of.text)
            here += above[name]
            _chains(figure, one, (_MARGIN + room, here, wide), length, step)
            _ranks(figure, one, (of.width - _MARGIN - wide, here, wide))
            here += _HIGH + under
        for middle, said in (
            (_MARGIN + room + wide / 2, "draw"),
            (of.width - _MARGIN - wide / 2, "rank among all chains"),
        ):
            at = here + inches(of.small) / 2
            write(figure, middle, at, said, align="center", size=of.small)
        write(figure, _MARGIN, here + last + lines / 2, foot, size=of.small, color=MUTED)
    return figure


def _called(name: str) -> str:
    first, bracket, rest = name.partition("[")
    return clean(f"{_SYMBOLS.get(first, first)}{bracket}{rest}".replace("_", " "))


def _said(found: "pd.DataFrame", step: int) -> str:
    kept = {1: "every draw", 2: "every second draw", 3: "every third draw"}
    first = found["parameter"] == found["parameter"].iloc[0]
    n = np.count_nonzero(first & (found["kind"] == "divergent"))
    diverged = f" Divergent transitions, all of them drawn: {n}." if n else ""
    drawn = kept.get(step, f"one draw in {step}")
    return (
        f"Left: {drawn} of each chain, analysis scale. Right: how many of a chain’s draws have "
        f"such a rank, over how many would if all chains drew alike (the dashed line).{diverged}"
    )


def _by_chain(one: "pd.DataFrame", kind: str) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Number of each chain, and its points, (n, 2)."""
    kinds, chains = one["kind"].to_numpy(), one["chain"].to_numpy(dtype=int)
    points = one[["x", "y"]].to_numpy(dtype=float)
    for chain in np.unique(chains):
        yield int(chain), points[(kinds == kind) & (chains == chain)]


def _limits(one: "pd.DataFrame") -> tuple[float, float]:
    y = np.concatenate([points[:, 1] for _, points in _by_chain(one, "draw")])
    room = max(0.04 * float(np.ptp(y)), 1e-9)
    return float(y.min()) - room, float(y.max()) + room


def _ticks(low: float, high: float) -> Sequence[float]:
    return linear_ticks(low, high, width=1.4)


def _widest(one: "pd.DataFrame", of: Page) -> float:
    return max(width_of(tick_text(tick), size=of.small) for tick in _ticks(*_limits(one)))


def _chains(
    figure: Figure, one: "pd.DataFrame", place: tuple[float, float, float], length: int, step: int
) -> None:
    left, top, wide = place
    axes = panel(figure, left, top, wide, _HIGH)
    for chain, drawn in _by_chain(one, "draw"):
        axes.plot(
            *drawn[::step].T, color=_color(chain), linewidth=0.5, alpha=0.8, label=f"chain {chain}"
        )
    bad = np.concatenate([points for _, points in _by_chain(one, "divergent")])
    axes.plot(*bad.T, label="divergent", **_DIVERGED)
    low, high = _limits(one)
    axes.set_xlim(1, max(length, 2))
    axes.set_ylim(low, high)
    ends = [1, length]
    axes.set_xticks(ends, [tick_text(end) for end in ends])
    ticks = _ticks(low, high)
    axes.set_yticks(ticks, [tick_text(tick) for tick in ticks])
    axes.spines["left"].set_visible(True)
    axes.tick_params(length=3.0, pad=2.5)


def _ranks(figure: Figure, one: "pd.DataFrame", place: tuple[float, float, float]) -> None:
    left, top, wide = place
    axes = panel(figure, left, top, wide, _HIGH)
    axes.add_line(Line2D([0, 1], [1, 1], color=MUTED, linewidth=0.8, linestyle=(0, (3, 2))))
    highest = 2.0
    for chain, ranks in _by_chain(one, "rank"):
        y = ranks[:, 1]
        edges = np.linspace(0, 1, len(y) + 1)
        axes.stairs(
            y, edges, baseline=None, color=_color(chain), linewidth=0.9, label=f"chain {chain}"
        )
        highest = max(highest, float(y.max()))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.05 * highest)
    axes.set_xticks([0, 1], ["lowest", "highest"])
    for label, align in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
        label.set_horizontalalignment(align)
    ticks = linear_ticks(0.0, 1.05 * highest, width=1.4, whole=True)
    axes.set_yticks(ticks, [tick_text(tick) for tick in ticks])
    axes.spines["left"].set_visible(True)
    axes.tick_params(length=3.0, pad=2.5)


def _color(chain: int) -> str:
    return _CHAINS[(chain - 1) % len(_CHAINS)]
