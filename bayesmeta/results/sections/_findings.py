"""The summary of findings, over all outcomes that compare two arms."""

from .. import OutcomeResult, Results
from ._columns import words
from ._section import Section

_BESIDE = (
    " Differences follow one ratio taken to be the same at every risk; what the other ratio would "
    "give stands with each outcome."
)


def findings(run: Results) -> Section | None:
    """Every outcome without and with the treatment, and what bears on the certainty."""
    found = run.findings
    if found is None:
        return None
    table = found.table().reset_index()
    table = table.rename(columns={"Without treatment": run.arms[1], "With treatment": run.arms[0]})
    return Section(
        name="findings",
        title="Summary of findings",
        table=table,
        columns=tuple(words(str(name), str(name)) for name in table.columns),
        note=(
            f"Medians with central {100 * run.prob:g}% credible intervals; at baselines as stated "
            "with each outcome, and empty where none is stated. A published figure, alone, is one "
            "printed estimate and interval, taken as one datum. The certainty of evidence is a "
            "person's judgement: its column is left empty, and what bears on it stands behind it "
            "with its number."
            f"{_BESIDE if any(map(_has_another, run.outcomes)) else ''}"
        ),
    )


def _has_another(outcome: OutcomeResult) -> bool:
    """Whether another ratio is told beside its own."""
    return outcome.absolute is not None and outcome.absolute.beside is not None
