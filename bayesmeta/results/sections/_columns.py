"""Columns that many sections have."""

from collections.abc import Callable, Sequence

from ...effects import Measure
from ..display import natural_interval, number, percent, simulated_interval
from ._section import LABEL, Cell, Column, Values

ENDS = ("estimate", "lower", "upper")
MIDDLE = ("median", "lower", "upper")


def column(
    key: str, head: str, text: Callable[[Values], str], *, short: str = "", right: bool = False
) -> Column:
    """Cells of text alone."""
    return Column(key, head, lambda row: Cell(text(row)), short=short, right=right)


def label(head: str) -> Column:
    """What the rows are called."""
    return words(LABEL, head)


def words(key: str, head: str) -> Column:
    """Cells as they are."""
    return column(key, head, lambda row: str(row[key]))


def figure(key: str, head: str, decimals: int = 2) -> Column:
    """Numbers, rounded for reading."""
    return column(key, head, lambda row: number(row[key], decimals))


def share(key: str, head: str, *, short: str = "", right: bool = False) -> Column:
    """Probabilities and weights in per cent."""
    return column(key, head, lambda row: percent(row[key]), short=short, right=right)


def natural(
    head: str,
    measure: Measure,
    names: Sequence[str] = ENDS,
    *,
    prefix: str = "",
    right: bool = False,
) -> Column:
    """An estimate with its interval, on the scale that people read."""
    return column(
        f"{prefix}{names[0]}",
        head,
        lambda row: natural_text(row, measure, names, prefix),
        right=right,
    )


def natural_text(
    row: Values, measure: Measure, names: Sequence[str] = ENDS, prefix: str = ""
) -> str:
    """Write ``0.76 [0.60, 0.96]`` from the columns on the natural scale."""
    estimate, lower, upper = (float(row[f"{prefix}{name}_natural"]) for name in names)
    return natural_interval((estimate, lower, upper), measure)


def drawn(head: str, prefix: str = "") -> Column:
    """A median with its interval, both simulated, to their Monte Carlo errors."""
    names = [f"{prefix}{name}" for name in MIDDLE]
    return column(
        f"{prefix}median",
        head,
        lambda row: simulated_interval(
            [row[name] for name in names], [row[f"{name}_mcse"] for name in names]
        ),
    )
