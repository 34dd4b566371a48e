"""Tables that are shown as they are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .. import OutcomeResult, Results
from ._columns import label, words
from ._section import LABEL, Cell, Column, Section, Values

if TYPE_CHECKING:
    import pandas as pd

ADDRESS = ("https://", "http://")


def plain(name: str, title: str, table: "pd.DataFrame", *, index: str = "") -> Section:
    """Every cell of a table as it is, behind its labels if these have a head."""
    own = [_as_it_is(str(key)) for key in table.columns]
    first = [_as_it_is(LABEL, index)] if index else []
    return Section(name=name, title=title, table=table, columns=(*first, *own))


def _as_it_is(key: str, head: str = "") -> Column:
    def cell(row: Values) -> Cell:
        text = str(row[key])
        return Cell(text, link=text if text.startswith(ADDRESS) else "")

    return Column(key, head or key, cell)


def account(outcome: OutcomeResult, _run: Results) -> Section | None:
    """What became of the rows of the table."""
    table = outcome.tables.get("account")
    if table is None:
        return None
    return plain("account", "What became of the table's rows and columns", table, index="what")


def excluded(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Rows left out of the main scenario."""
    table = outcome.tables.get("excluded")
    if table is None or outcome.main is None:
        return None
    title = f"Rows left out of “{outcome.main.name}”, with the reason"
    return plain("excluded", title, table, index="study")


def provenance(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Studies whose figures were derived, and how."""
    table = outcome.tables.get("provenance")
    if table is None:
        return None
    title = "How figures were derived that were not printed"
    return plain("provenance", title, table, index="study")


def sources(outcome: OutcomeResult, _run: Results) -> Section | None:
    """The table as read, every column, so that each number keeps its source."""
    if outcome.sources is None:
        return None
    return plain("sources", "The data as read, with their sources", outcome.sources.fillna(""))


def versions(run: Results) -> Section:
    """Every program that took part."""
    return _pairs("versions", "Versions", ("program", "version"), run.versions)


def hashes(run: Results) -> Section:
    """Every file that was read."""
    return _pairs("hashes", "Files", ("file", "SHA-256"), run.hashes)


def _pairs(name: str, title: str, heads: tuple[str, str], pairs: Mapping[str, str]) -> Section:
    import pandas as pd

    key, value = heads
    table = pd.DataFrame({value: list(pairs.values())}, index=list(pairs))
    return Section(name=name, title=title, table=table, columns=(label(key), words(value, value)))
