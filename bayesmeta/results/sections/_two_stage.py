"""What the two-stage estimates rest on: heterogeneity, single studies, small studies."""

import math

from ...effects import MEASURES
from .. import OutcomeResult, Results
from ..display import NOTHING, natural, number
from ..keys import numbered
from ._columns import column, figure, label, words
from ._section import Section, Values

INFLUENCE = (
    "Residual: externally standardised. Cook's distance and DFBETAS: how far the estimate moves "
    "when the study is left out, in variances and in standard errors. “Look again” marks "
    "conventional limits; it is not a test (Viechtbauer & Cheung 2010)."
)
SMALL = (
    "Regressions of the effects on how small their studies are; a small p says that small studies "
    "show other effects than large ones, for whatever reason. They have little power below ten "
    "studies and are left out there."
)


def heterogeneity(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Heterogeneity in the main scenario."""
    return heterogeneity_of(outcome, 1)


def heterogeneity_of(outcome: OutcomeResult, index: int) -> Section | None:
    """Q, I², tau² and the prediction interval of every frequentist fit of a scenario."""
    name = numbered("heterogeneity", index)
    table = outcome.tables.get(name)
    if table is None:
        return None
    measure = MEASURES[outcome.measure]

    def prediction(row: Values) -> str:
        if not math.isfinite(row["prediction_lower"]):
            return NOTHING
        lower, upper = (
            natural(float(measure.natural(row[f"prediction_{end}"])), measure)
            for end in ("lower", "upper")
        )
        return f"{lower} to {upper}"

    columns = (
        label("fit"),
        column("k", "k", lambda row: f"{int(row['k'])}"),
        column("q", "Q", _q),
        column("i2_percent", "I²", lambda row: f"{number(row['i2_percent'], 1)}%"),
        column("tau2", "τ² [95% by Q-profile]", _between),
        column("prediction", "prediction interval (HK)", prediction),
    )
    note = " ".join(outcome.scenarios[index - 1].notes)
    return Section(name=name, title="Heterogeneity", table=table, columns=columns, note=note)


def _q(row: Values) -> str:
    return f"{number(row['q'])} on {int(row['q_df'])} df, p {number(row['q_p'])}"


def _between(row: Values) -> str:
    """Tau², with its interval where there is one."""
    tau2, lower, upper = (number(row[f"tau2{end}"], 3) for end in ("", "_lower", "_upper"))
    return f"{tau2} [{lower}, {upper}]" if math.isfinite(row["tau2_lower"]) else tau2


def influence(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Influence of each study on the estimate by REML."""
    table = outcome.tables.get("influence")
    if table is None:
        return None
    columns = (
        label("study"),
        column("weight", "weight", lambda row: f"{number(row['weight'], 1)}%"),
        figure("rstudent", "residual"),
        figure("cook", "Cook's distance", 3),
        figure("dfbetas", "DFBETAS"),
        figure("tau2_without", "τ² without it", 3),
        column("influential", "to look at", lambda row: "look again" if row["influential"] else ""),
    )
    title = "Influence of single studies on the two-stage estimate (REML)"
    return Section(name="influence", title=title, table=table, columns=columns, note=INFLUENCE)


def small_study(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Tests of small-study effects."""
    table = outcome.tables.get("small-study")
    if table is None:
        return None
    columns = (
        label("test"),
        words("predictor", "effects regressed on"),
        column("statistic", "t", lambda row: f"{number(row['statistic'])} on {int(row['df'])} df"),
        figure("p", "p", 3),
    )
    title = "Small-study effects"
    return Section(name="small-study", title=title, table=table, columns=columns, note=SMALL)
