"""How values look in a notebook, which asks them for HTML."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MOST = 40  # rows of a table


class Tabled:
    """What has a table shows it in a notebook, beneath its words."""

    __slots__ = ()

    def table(self) -> "pd.DataFrame":
        """Return the figures."""
        raise NotImplementedError

    @property
    def in_words(self) -> str:
        """What the table says, where the class has words for it."""
        return str(self).partition("\n")[0] if type(self).__str__ is not object.__str__ else ""

    def _repr_html_(self) -> str:
        words = [self.in_words] if self.in_words else []
        table = self.table()
        more = [f"{len(table) - MOST} more rows in table()"] if len(table) > MOST else []
        shown = table.head(MOST).to_html(float_format="{:.4g}".format, na_rep="", border=0)
        return f"{paragraphs(words)}{shown}{paragraphs(more)}"


def paragraphs(lines: Iterable[str]) -> str:
    """Each line as a paragraph, whatever letters it has."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def rows_to_html(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts, whose first column names the rows."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        f"{''.join(f'<td>{escape(one)}</td>' for one in others)}</tr>"
        for first, *others in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
