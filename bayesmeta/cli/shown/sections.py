"""Sections as the terminal shows them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from .echo import echo, visible, visible_table

if TYPE_CHECKING:
    from rich.table import Table

    from ...results.sections import Section

STYLES: Mapping[str, str] = {"posterior": "bold", "frequentist": "", "published": "italic"}


def short(section: "Section", title: str) -> "Table":
    """Show the cells under their short heads, with the answers that are not sound marked."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title=escape(visible(title)),
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for column in section.columns:
        head = column.short or column.head
        table.add_column(head, justify="right" if column.right else "left")
    for row in section.rows:
        first, *others = (escape(visible(cell.text)) for cell in row.cells)
        mark = "" if row.sound else " [red]NOT SOUND[/]"
        table.add_row(first + mark, *others, style=STYLES[row.kind] if row.kind else "")
    return table


def print_people(section: "Section") -> None:
    """Show what happens with and without a treatment; numbers needed beneath, for their width."""
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    needed = [column for column in section.columns if column.key == "nnt"]
    others = tuple(column for column in section.columns if column.key != "nnt")
    with console.capture() as shown:
        console.print()
        console.print(short(replace(section, columns=others), section.title))
        for column in needed:
            console.print(f"{column.head.capitalize()}:")
            for name, nnt in section.table["nnt"].items():
                console.print(f"  {escape(visible(name))}: {escape(visible(nnt))}")
        console.print(escape(visible(section.note)))
    echo(shown.get(), nl=False, styled=True)


def unrounded(section: "Section") -> str:
    """Show every column of the table with four digits, beneath its title."""
    table = visible_table(section.table).to_string(float_format=lambda value: f"{value:.4g}")
    return f"\n{section.title}\n{table}"
