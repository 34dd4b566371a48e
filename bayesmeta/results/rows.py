"""What became of the rows of a scenario, as tables."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .scenario import ScenarioResult

if TYPE_CHECKING:
    import pandas as pd


def rows_tables(main: ScenarioResult) -> Mapping[str, "pd.DataFrame"]:
    """What became of the rows of a scenario."""
    return {
        "account": main.account.table().set_index("what"),
        "excluded": excluded_table(main),
        "provenance": provenance_table(main),
    }


def provenance_table(scenario: ScenarioResult) -> "pd.DataFrame":
    """Studies whose figures were derived rather than printed, and how."""
    import pandas as pd

    said: dict[str, dict[str, None]] = {}
    for data in [scenario.data, *(fit.data for fit in scenario.fits.values())]:
        for study, how in zip(data.study, data.provenance, strict=True):
            if how:
                said.setdefault(study, {})[how] = None
    rows = {study: "; ".join(words) for study, words in said.items()}
    return pd.DataFrame({"how": rows.values()}, index=pd.Index(rows, name="study"))


def excluded_table(scenario: ScenarioResult) -> "pd.DataFrame":
    """Rows left out of a scenario, with the reason."""
    import pandas as pd

    return pd.DataFrame(
        [
            {"study": row.study, "row": row.variant, "reason": row.reason}
            for row in scenario.data.excluded
        ],
        columns=["study", "row", "reason"],
    ).set_index("study")
