"""The checklist of reporting guidelines, and what was written for it."""

from .. import Results
from ..checklist import checklist
from ._columns import label, words
from ._section import Cell, Column, Section


def listed(run: Results) -> Section:
    """Every item, who asks for it, and where its evidence is."""
    found = checklist(run)
    return Section(
        name="checklist",
        title="Checklist of reporting guidelines",
        table=found.table(),
        columns=(
            label("item"),
            words("item", "what is asked"),
            words("asked_by", "by"),
            Column("status", "status", lambda row: Cell(row["status"], link=row["place"])),
            words("evidence", "evidence"),
        ),
        lead=found.in_short,
        note="Met means that its evidence is stored in this run, or that a person wrote it; "
        "whether what is written suffices is for a reader to judge.",
    )


def written(run: Results) -> Section | None:
    """What a person wrote for the report."""
    import pandas as pd

    if not run.reporting:
        return None
    heads = [key.replace("_", " ") for key in run.reporting]
    table = pd.DataFrame({"text": list(run.reporting.values())}, index=heads)
    columns = (label("about"), words("text", "as written by the authors of the analysis"))
    return Section(name="written", title="As written", table=table, columns=columns)
