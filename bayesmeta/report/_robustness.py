"""What single studies and small ones do to the two-stage estimate, as text."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false

from ..results import OutcomeResult
from ..results.display import number
from ._grid import Grid


def influence_grid(outcome: OutcomeResult) -> Grid | None:
    """Influence of each study on the estimate by REML."""
    table = outcome.tables.get("influence")
    if table is None:
        return None
    rows = [
        (
            str(study),
            f"{number(row['weight'], 1)}%",
            number(row["rstudent"], 2),
            number(row["cook"], 3),
            number(row["dfbetas"], 2),
            number(row["tau2_without"], 3),
            "look again" if bool(row["influential"]) else "",
        )
        for study, row in table.iterrows()
    ]
    heads = ("study", "weight", "residual", "Cook's distance", "DFBETAS", "τ² without it", "")
    return Grid(heads, rows)


def small_study_grid(outcome: OutcomeResult) -> Grid | None:
    """Tests of small-study effects."""
    table = outcome.tables.get("small-study")
    if table is None:
        return None
    rows = [
        (
            str(name),
            str(row["predictor"]),
            f"{number(row['statistic'], 2)} on {int(row['df'])} df",
            number(row["p"], 3),
        )
        for name, row in table.iterrows()
    ]
    return Grid(("test", "effects regressed on", "t", "p"), rows)
