"""How every figure looks: its artists one by one, for tests/test_plots.py to hold figures to.

    uv run python tests/reference/looks.py    # after a look at the figures that changed

Numbers have four digits; what matplotlib draws of its own accord (spines, tick marks) stays out.
"""

import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.text import Text

STORED = Path(__file__).with_suffix(".json")


def look(figure: Figure) -> list[str]:
    """One line for each artist that the package has drawn, in the order of drawing."""
    lines = [told("figure", size=figure.get_size_inches())]
    lines += [told("text", **of_text(one)) for one in figure.texts]
    for legend in figure.legends:
        parts = (*legend.get_lines(), *legend.get_patches(), *legend.get_texts())
        lines += [line for one in parts for line in lines_of(one)]
    for axes in figure.axes:
        lines.append(told("axes", **of_axes(axes)))
        lines += [line for one in axes.get_children() for line in lines_of(one)]
    return lines


def lines_of(artist: object) -> list[str]:
    match artist:
        case Line2D():
            return [told("line", **of_line(artist))]
        case Text() if artist.get_text():
            return [told("text", **of_text(artist))]
        case Patch() if not isinstance(artist, Spine):
            return [told("patch", **of_patch(artist))]
        case Collection():
            return [told("collection", **of_collection(artist))]
    return []


def of_axes(axes: Axes) -> dict:
    return {
        "at": axes.get_position().bounds,
        "x": axes.get_xlim(),
        "y": axes.get_ylim(),
        "ticks": axes.get_xticks(),
        "names": [one.get_text() for one in (*axes.get_xticklabels(), *axes.get_yticklabels())],
        "size": [one.get_size() for one in axes.get_xticklabels()[:1]],
        "said": [axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")],
    }


def of_line(one: Line2D) -> dict:
    x, y = np.asarray(one.get_xdata(), float), np.asarray(one.get_ydata(), float)
    return {
        "label": one.get_label(),
        "x": ends(x),
        "y": ends(y),
        "style": [one.get_linestyle(), str(one.get_marker())],
        "width": [one.get_linewidth(), one.get_markersize(), one.get_markeredgewidth()],
        "color": [to_hex(one.get_color()), to_hex(one.get_markerfacecolor())],
        "layer": [one.get_alpha(), one.get_zorder(), one.get_clip_on()],
    }


def of_text(one: Text) -> dict:
    return {
        "text": one.get_text(),
        "at": getattr(one, "xy", one.get_position()),
        "size": one.get_size(),
        "weight": one.get_weight(),
        "color": to_hex(one.get_color()),
        "place": [one.get_ha(), one.get_va(), one.get_rotation()],
    }


def of_patch(one: Patch) -> dict:
    corners = one.get_transform().transform_path(one.get_path()).vertices
    return {
        "label": one.get_label(),
        "corners": [*corners.min(axis=0), *corners.max(axis=0)],
        "color": [to_hex(one.get_facecolor(), keep_alpha=True), to_hex(one.get_edgecolor())],
        "width": one.get_linewidth(),
        "layer": one.get_zorder(),
    }


def of_collection(one: Collection) -> dict:
    places = [path.vertices.mean(axis=0) for path in one.get_paths()[:3]]
    return {
        "label": one.get_label(),
        "places": np.ravel(places),
        "color": [to_hex(color, keep_alpha=True) for color in one.get_facecolor()[:3]],
        "width": np.ravel(one.get_linewidth())[:3],
        "layer": one.get_zorder(),
    }


def ends(values: np.ndarray) -> list[float]:
    """A few of many numbers, and their sum: a curve of 400 points in five."""
    if values.size <= 4:
        return list(values)
    return [values[0], values[values.size // 3], values[-1], values.max(), np.nansum(values)]


def told(kind: str, **found: object) -> str:
    return json.dumps([kind, {name: rounded(one) for name, one in found.items()}])


def rounded(value: object) -> object:
    if isinstance(value, str | bool | None):
        return value
    if isinstance(value, int | float | np.number):
        return float(f"{float(value):.4g}")
    return [rounded(one) for one in value]


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from test_plots import LOOKS

    lines = {name: look(make()) for name, make in LOOKS.items()}
    STORED.write_text(json.dumps(lines, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
