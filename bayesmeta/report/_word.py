"""The report as a Word document: answers, cautions, findings, forests, tables and methods."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .. import plots
from ..errors import FileError
from ._forest import Forest
from ._view import View

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell as WordCell

WIDTH, HIGH, DPI = 160.0, 225.0, 300  # mm that figures have room for; of figures
A4 = (210, 297)  # mm
MANY, SMALL, TEXT = 6, 7.5, 9.0  # columns from which on letters are small; points
TABLES = (  # of an outcome, beside its answer
    *("coefficients", "groups", "differences", "places", "risk-of-bias", "absolute"),
    *("comparison", "published"),
)


def check_docx() -> None:
    """Refuse to write Word documents where python-docx is not installed, before the work.

    Raises
    ------
    FileError
    """
    try:
        import docx  # noqa: F401
    except ImportError:
        raise FileError(
            "--docx needs python-docx, which is not installed: pip install 'bayesmeta[docx]'."
        ) from None


def document(view: View) -> bytes:
    """Return the report as a Word document (.docx).

    Parameters
    ----------
    view : mapping
        Of ``view_of``, as it is or read back from JSON.
    """
    import docx
    from docx.shared import Mm, Pt

    made = docx.Document()
    made.styles["Normal"].font.name = "Calibri"  # pyright: ignore[reportAttributeAccessIssue]
    made.styles["Normal"].font.size = Pt(10.5)  # pyright: ignore[reportAttributeAccessIssue]
    page = made.sections[0]
    page.page_width, page.page_height = map(Mm, A4)
    page.left_margin = page.right_margin = Mm((A4[0] - WIDTH) / 2)
    made.core_properties.title = _plain(view["results"]["title"])
    made.core_properties.author = made.core_properties.comments = ""
    _front(made, view)
    _findings(made, view["findings"])
    for outcome in view["outcomes"]:
        _outcome(made, outcome, view)
    _methods(made, view)
    content = BytesIO()
    made.save(content)
    return content.getvalue()


def _front(made: "Document", view: View) -> None:
    """Title, verdict, answers, cautions and limits."""
    run = view["results"]
    made.add_heading(_plain(run["title"]), 0)
    if run["question"]:
        _say(made, run["question"])
    _say(made, _verdict(view))
    _say(made, run["coherence"])
    made.add_heading("Answers", 1)
    for section in view["front"]:
        _table(made, section, heading=2)
    _say(made, view["glance"]["note"])
    if run["cautions"]:
        made.add_heading("Cautions", 1)
    for one in run["cautions"]:
        titles = ", ".join(each["title"] for each in one["outcomes"])
        _say(made, f"{one['text']} ({titles})", "List Bullet")
    if run["limits"]:
        made.add_heading("What this analysis cannot say", 1)
    for limit in run["limits"]:
        _say(made, limit, "List Bullet")


def _verdict(view: View) -> str:
    run = view["results"]
    if not run["passed"]:
        failed = [
            f"{one['result']['title']}, {label}: {'; '.join(gates)}"
            for one in view["outcomes"]
            for label, gates in one["result"]["failures"].items()
        ]
        return f"A numerical gate failed: the marked answers must not be used. {'. '.join(failed)}."
    if not run["unconverged"]:
        return "Every numerical gate passed."
    titles = ", ".join(run["unconverged"])
    return (
        "Every answer passed its numerical gates. The cross-check by sampling of "
        f"{titles} did not converge: it speaks neither for nor against the answer."
    )


def _findings(made: "Document", section: View | None) -> None:
    """The summary of findings, on a page across; those after it are upright again."""
    if section is None:
        return
    _turned(made)
    _table(made, section, heading=1)
    _turned(made)


def _turned(made: "Document") -> None:
    """Begin a page whose sides are those of the page before, exchanged."""
    last = made.sections[-1]
    high, wide = last.page_width, last.page_height
    page = made.add_section()
    page.page_width, page.page_height = wide, high
    upright = (wide or 0) < (high or 0)
    page.orientation = 0 if upright else 1  # pyright: ignore[reportAttributeAccessIssue]


def _outcome(made: "Document", outcome: View, view: View) -> None:
    said, sections = outcome["result"], outcome["sections"]
    made.add_heading(_plain(said["title"]), 1)
    of = f"Of {said['answered_by']}: " if said["answered_by"] else ""
    _say(made, f"{of}{outcome['headline']}")
    for text in (said["surrogate"], said["note"], " ".join(said["lines"] or ())):
        if text:
            _say(made, text)
    if outcome["forest"] is not None:
        _picture(made, outcome, view["level"])
    elif said["lines"] is not None:
        _say(made, "The figure of this outcome stands in report.html.")
    for name in TABLES:
        shown = sections.get(name)
        if name == "comparison" and outcome["agreeing"]:
            shown = outcome["agreeing"]
        if shown is not None:
            _table(made, shown, heading=2)


def _picture(made: "Document", outcome: View, level: str) -> None:
    """The forest, with what it says for those who do not see it."""
    from docx.shared import Mm

    figure = Forest.from_dict(outcome["forest"]).draw(WIDTH)
    wide, high = map(float, figure.get_size_inches())
    place = made.add_paragraph().add_run()
    with TemporaryDirectory() as folder:
        drawn = Path(folder) / "forest.png"
        plots.save(figure, drawn, dpi=DPI)
        place.add_picture(str(drawn), width=Mm(min(WIDTH, HIGH * wide / high)))
    said = f"Forest plot of {outcome['result']['title']}. {outcome['headline']}{outcome['judged']}"
    for one in place.element.xpath(".//wp:docPr"):
        one.set("descr", _plain(said))
    caption = f"Forest plot. Intervals are {level}; a published one keeps its own level."
    _say(made, f"{caption}{outcome['corrected']}", "Caption")


def _methods(made: "Document", view: View) -> None:
    made.add_heading("Methods", 1)
    _say(made, view["methods"]["text"])
    if view["written"]:
        _table(made, view["written"], heading=2)
    made.add_heading("References", 2)
    for number, one in enumerate(view["methods"]["references"], start=1):
        _say(made, f"{number}. {one}")


def _table(made: "Document", section: View, *, heading: int) -> None:
    """A table with its title above and its note below; its heads stand on every page."""
    from docx.oxml import OxmlElement

    made.add_heading(_plain(section["title"]), heading)
    if section["lead"]:
        _say(made, section["lead"])
    columns, rows = section["columns"], section["rows"]
    size = SMALL if len(columns) > MANY else TEXT
    table = made.add_table(rows=1 + len(rows), cols=len(columns), style="Table Grid")
    for cell, column in zip(table.rows[0].cells, columns, strict=True):
        _fill(cell, [column["head"]], column, size, bold=True)
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for line, row in zip(table.rows[1:], rows, strict=True):
        for i, (cell, shown) in enumerate(zip(line.cells, row["cells"], strict=True)):
            mark = "" if i or row["sound"] else " — NOT SOUND"
            first = " ".join(filter(None, (f"{shown['text']}{mark}", shown["aside"])))
            _fill(cell, [first, *shown["below"]], columns[i], size)
    if section["note"]:
        _say(made, section["note"])


def _fill(
    cell: "WordCell", lines: Sequence[str], column: View, size: float, *, bold: bool = False
) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    place = cell.paragraphs[0]
    if column["right"]:
        place.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    written = place.add_run("\n".join(map(_plain, lines)))
    written.font.size, written.bold = Pt(size), bold


def _say(made: "Document", text: str, style: str | None = None) -> None:
    made.add_paragraph(_plain(text), style=style)


def _plain(text: str) -> str:
    """A text without what XML cannot hold."""
    return "".join(one if one.isprintable() else " " for one in text)
