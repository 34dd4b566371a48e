"""Figures into files that journals take."""

from collections.abc import Callable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from ..arguments import number
from ..errors import ModelError
from ..ways import shown
from ._style import INCH, house
from ._svg import save_svg

_MOST = 100e6  # pixels: four bytes each, and as much again while they are packed
_LONGEST = 2**16 - 1  # pixels, of a side


def save(figure: Figure, path: str | Path, *, dpi: float = 600) -> None:
    """Write a figure as SVG, PDF or PNG, by the ending of its name.

    Letters are paths in SVG, and in PDF letters of a font that is embedded as TrueType. The same
    figure always gives the same file.

    Parameters
    ----------
    figure : Figure
        One of this room, in its own size: make it at the journal's width.
    path : str or Path
        Ending in .svg, .pdf or .png; an older file stays until the new one is complete.
    dpi : float
        Pixels per inch of a PNG.

    Raises
    ------
    ModelError
        If the ending is another, or a PNG would have more than 100 million pixels.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> figure = bm.plots.funnel(data, width=85)
    >>> bm.plots.save(figure, "funnel.pdf")  # doctest: +SKIP
    """
    to = Path(path)
    write = _WRITERS.get(to.suffix.lower())
    if write is None:
        raise ModelError(
            f"A figure is saved by the ending of its name, {', '.join(_WRITERS)}, and "
            f"{shown(to.name)} has none of them."
        )
    write(figure, to, number(dpi, "dpi"))


def _svg(figure: Figure, to: Path, _: float) -> None:
    save_svg(figure, to)


def _pdf(figure: Figure, to: Path, _: float) -> None:
    _written(figure, to, "pdf", figure.dpi, {"CreationDate": None, "Creator": None})


def _png(figure: Figure, to: Path, dpi: float) -> None:
    _check_pixels(figure, dpi)
    _written(figure, to, "png", dpi, {"Software": None})


_WRITERS: Mapping[str, Callable[[Figure, Path, float], None]] = {
    ".svg": _svg,
    ".pdf": _pdf,
    ".png": _png,
}


def _written(figure: Figure, to: Path, form: str, dpi: float, metadata: Mapping[str, None]) -> None:
    from ..files import replacing

    with replacing(to) as new, house():
        figure.savefig(new, format=form, dpi=dpi, metadata=dict(metadata))


def _check_pixels(figure: Figure, dpi: float) -> None:
    """Refuse what would not fit into memory, or into what draws it."""
    wide, high = map(float, figure.get_size_inches())
    most = min(_LONGEST / max(wide, high), (_MOST / (wide * high)) ** 0.5)
    if not 0 < dpi <= most:
        raise ModelError(
            f"A PNG of {wide * INCH:.0f} × {high * INCH:.0f} mm takes 1 to {int(most)} dpi here, "
            f"not {dpi:g}: give dpi={int(min(most, 300))}, draw fewer studies, or save it as "
            "PDF or SVG, which are sharp at any size."
        )
