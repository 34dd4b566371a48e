"""A whole run on one screen: the answers, what to be careful about, and where the rest is."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .echo import echo, visible

if TYPE_CHECKING:
    from ...results import Results
    from ...results.sections import Section

ROOMY = 6  # outcomes, beside which one screen has room for more
WIDTH = 100  # characters
GAP = "  "
PUBLISHED = 17  # "0.76 [0.60, 0.96]"
NAMES = 2  # outcomes by name beside a caution


def print_overview(results: "Results", folder: Path) -> None:
    """Print one line for each answer, each caution once, and the place of the report."""
    from ...report import unwritten
    from ...results.sections import glance

    for line in _lines(glance(results), f"{100 * results.prob:g}%"):
        echo(line)
    _say_all(_answered(results))
    for caution in results.cautions:
        _say(f"Caution: {caution.text} ({_outcomes([one.title for one in caution.outcomes])})")
    for outcome in results.outcomes:
        for label, failures in outcome.failures.items():
            _say(f"Not sound: {outcome.title}, {label}: {'; '.join(failures)}")
    _say_all(_stands(results), _tables(results))
    echo(results.coherence.in_short)
    letters = unwritten(results)
    _say_all(f"Caution: {letters}" if letters else "")
    echo(f"Report: {folder / 'report.html'}")


def _say_all(*texts: str) -> None:
    """Those of some texts that say anything."""
    for text in filter(None, texts):
        _say(text)


def _say(text: str) -> None:
    echo(click.wrap_text(text, WIDTH, subsequent_indent="  "))


def _answered(results: "Results") -> str:
    """Which scenarios the answers are of, where outcomes have several; empty where none has.

    And where one screen has no room for it: the report says it above each answer.
    """
    if len(results.outcomes) > ROOMY:
        return ""
    named = [f"{one.title}, {one.answered_by}" for one in results.outcomes if one.answered_by]
    return f"Answers of one scenario among several: {'; '.join(named)}." if named else ""


def _stands(results: "Results") -> str:
    """In how many scenarios conclusions stand, and whose do not in all; empty without any."""
    tables = {
        one.title: one.what_if
        for one in results.outcomes
        if one.what_if is not None and one.what_if.judged
    }
    if not tables:
        return ""
    judged = sum(len(one.judged) for one in tables.values())
    stands = judged - sum(len(one.turned) for one in tables.values())
    parts = [
        f"{title} {one.in_short.removeprefix('stands in ')}"
        for title, one in tables.items()
        if one.turned
    ]
    most = " and ".join([*parts[:1], *([f"{len(parts) - 1} more"] if len(parts) > 1 else [])])
    return f"Conclusions stand in {stands} of {judged} scenarios{f' ({most})' if parts else ''}."


def _tables(results: "Results") -> str:
    """What became of the tables of all main scenarios, in one sentence; empty for nothing."""
    from ...studies import counted

    accounts = [one.main.account for one in results.outcomes if one.main is not None]
    said = {
        "left out": ("row", sum(len(one.left_out) for one in accounts)),
        "on the reading": ("remark", sum(len(one.said) for one in accounts)),
        "not read": ("column", len({name for one in accounts for name in one.unread})),
        "with ½ added": ("study", sum(len(one.added) for one in accounts)),
        "dropped by two stages": ("study", sum(len(one.dropped) for one in accounts)),
    }
    words = [
        f"{counted(n, noun, 'studies' if noun == 'study' else '')} {verb}"
        for verb, (noun, n) in said.items()
        if n
    ]
    return f"Data: {', '.join(words)}." if words else ""


def _outcomes(titles: "list[str]") -> str:
    if len(titles) <= NAMES:
        return ", ".join(titles)
    return f"{titles[0]} and {len(titles) - 1} more"


def _lines(section: "Section", level: str) -> Iterator[str]:
    """One line for each row: words that are too wide end in dots, and figures never do."""
    from rich.cells import cell_len

    from ...results.display import NOTHING

    heads = [column.short or column.head for column in section.columns]
    at = [column.key for column in section.columns].index("estimate")
    heads[at] = f"answer [{level}]"
    rows = [heads, *_rows(section)]
    whole = [row for row in rows if len(row) == len(heads)]
    widths = [max(cell_len(row[i]) for row in whole) for i in range(len(heads))]
    widths[at] = max(
        cell_len(row[at]) - (row[at + 1] == NOTHING) * (len(GAP) + widths[at + 1]) for row in whole
    )
    widths[-1] = min(widths[-1], PUBLISHED)
    widths[0] = min(widths[0], max(WIDTH - sum(widths[1:]) - len(GAP) * (len(widths) - 1), 20))
    right = [column.right for column in section.columns]
    for row in rows:
        if len(row) < len(heads):
            first, *words = row
            line = GAP.join([first + " " * (widths[0] - cell_len(first)), *words])
            yield line if cell_len(line) <= WIDTH else _fit(line, WIDTH, right=False)
        else:
            yield GAP.join(_cells(row, widths, right, at)).rstrip()


def _cells(row: list[str], widths: list[int], right: list[bool], at: int) -> list[str]:
    """Cells of their widths; an answer takes the place of the prediction that a row has not."""
    from ...results.display import NOTHING

    if row[at + 1] == NOTHING:
        both = widths[at] + len(GAP) + widths[at + 1]
        row = [*row[: at + 1], *row[at + 2 :]]
        widths = [*widths[:at], both, *widths[at + 2 :]]
        right = [*right[: at + 1], *right[at + 2 :]]
    return [_fit(text, width, right=to) for text, width, to in zip(row, widths, right, strict=True)]


def _rows(section: "Section") -> Iterator[list[str]]:
    """Cells as text; beneath an outcome without a table its figures, or the words for them."""
    from ...results.tables import Kind

    before = ""
    for row in section.rows:
        title, *others = row.cells
        cells = [visible(cell.text) for cell in others]
        if title.text != before and title.below:
            yield [visible(title.text)]
        before = title.text
        mark = "" if row.sound else "NOT SOUND "
        label = visible(f"{mark}  {title.below[0]}" if title.below else f"{mark}{title.text}")
        if title.below and row.kind == Kind.PUBLISHED:
            yield [label, cells[-1]]
        else:
            yield [label, *cells[:-1], "" if title.below else cells[-1]]


def _fit(text: str, width: int, *, right: bool) -> str:
    """A cell of this width."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    blank = " " * (width - cell_len(text))
    return blank + text if right else text + blank
