"""Figures as SVG text."""

from io import StringIO
from pathlib import Path

from matplotlib.figure import Figure

from ._style import house

# No date, no version, no address: the text depends on the figure alone.
_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def save_svg(figure: Figure, path: Path | None = None) -> str:
    """Turn a figure into SVG: the same figure always gives the same text.

    Letters are drawn as paths, so that no reader needs the font.

    Parameters
    ----------
    figure : Figure
    path : Path, optional
        Where to write it, too; an older file stays until the new one is complete.

    Returns
    -------
    str

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B"], [-0.3, 0.1], [0.2, 0.4], measure="OR")
    >>> model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    >>> bm.plots.save_svg(bm.plots.forest(bm.fit(model, data)))[:5]
    '<?xml'
    """
    buffer = StringIO()
    with house():
        figure.savefig(buffer, format="svg", metadata=_METADATA)
    text = "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
    if path is not None:
        from ..files import replacing

        with replacing(path) as new:
            new.write_text(text, encoding="utf-8", newline="\n")
    return text
