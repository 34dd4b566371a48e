"""Risk of bias, judged study by study."""

from .. import OutcomeResult, Results
from ..bias import overall_in_words
from ._columns import label, words
from ._section import Section


def bias(outcome: OutcomeResult, _run: Results) -> Section | None:
    """The judgements of each study, in words."""
    table = outcome.tables.get("risk-of-bias")
    if table is None or outcome.bias is None or outcome.main is None:
        return None
    found = outcome.bias
    lacking = found.unjudged(outcome.main.data.study)
    more = f", {len(lacking)} not judged" if lacking else ""
    said = (f"Not judged: {', '.join(lacking)}.",) if lacking else ()
    return Section(
        name="risk-of-bias",
        title=f"Risk of bias ({found.tool.name}), overall {overall_in_words(found)}{more}",
        table=table,
        columns=(label("study"), *(words(str(name), str(name)) for name in table.columns)),
        note=" ".join((*said, *found.said, *found.contrary)),
    )
