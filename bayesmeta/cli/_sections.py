"""Sections as the terminal shows them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from ..results.sections import Section

STYLES: Mapping[str, str] = {"posterior": "bold", "frequentist": "", "published": "italic"}


def short(section: "Section", title: str) -> "Table":
    """Show the cells under their short heads, with the answers that are not sound marked."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title=escape(title), title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    for column in section.columns:
        head = column.short or column.head
        table.add_column(head, justify="right" if column.right else "left")
    for row in section.rows:
        first, *others = (escape(cell.text) for cell in row.cells)
        mark = "" if row.sound else " [red]NOT SOUND[/]"
        table.add_row(first + mark, *others, style=STYLES[row.kind] if row.kind else "")
    return table


def unrounded(section: "Section") -> str:
    """Show every column of the table with four digits, beneath its title."""
    table = section.table.to_string(float_format=lambda value: f"{value:.4g}")
    return f"\n{section.title}\n{table}"
