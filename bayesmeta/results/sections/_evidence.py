"""What the answer rests on: Bayes factors, weights, studies without events, quantiles."""

from collections.abc import Set

from ...effects import MEASURES
from .. import OutcomeResult, Results
from ..display import NOTHING, factor, number, spoken
from ._answers import level
from ._columns import MIDDLE, column, figure, label, natural, share, words
from ._section import Column, Section, Values

FACTORS = (
    "How much likelier the data are if there is no effect (μ = 0), or no heterogeneity (τ = 0), "
    "than under the model; the probability of 0 takes both to be equally likely before."
)
OF_ONE_EFFECT = {"mu = 0", "tau = 0"}
FACTORS_OF_COVARIATES = (
    "How much likelier the data are if one coefficient is 0, or there is no heterogeneity (τ = 0), "
    "than under the model; the probability of 0 takes both to be equally likely before."
)
FACTORS_OF_ONE_ARM = (
    "How much likelier the data are if there is no heterogeneity (τ = 0) than under the model; the "
    "probability of 0 takes both to be equally likely before."
)
BY_SCALE = (
    "The factor of τ answers to its prior as much as to the data: here it is with that prior half "
    "and twice as wide. Where the three disagree about the verdict, the data have none."
)
CURVE = (
    "The factor for 0 (BF01) as the scale of one prior goes from a tenth to ten times the one in "
    "use, the other as it is, each point a fit of its own. Where a line crosses 1, the verdict is "
    "the prior's."
)
MOVED = (
    "On the analysis scale. The distance (Jensen–Shannon) is 0 where the data changed nothing, 1 "
    "where nothing is left of the prior; an improper prior has neither an interval nor a distance."
)
REVERSE = (
    "With the prior of μ exchanged for one about no effect (a sceptic's), or one that begins at no "
    "effect (an advocate's), and widened until the interval of μ just touches no effect."
)
WEIGHTS = (
    "Weights of the two-stage normal model, averaged over the posterior of τ: what each estimate "
    "has to say about μ, and about the effect of its own study."
)
ZEROS = (
    "What studies without events contribute: the same model without them. The shift of the mean of "
    "μ is in posterior SDs of the first row."
)


SHOWN = {"× 1/10": 0.1, "× 1/3": 1 / 3, "in use": 1.0, "× 3": 3.0, "× 10": 10.0}


def _of_factors(first: str) -> tuple[Column, ...]:
    return (
        label(first),
        words("prior", "prior"),
        column("bf01", "for 0 (BF01)", lambda row: factor(row["bf01"])),
        column("bf10", "against 0 (BF10)", lambda row: factor(row["bf10"])),
        share("prob_null", "probability of 0"),
    )


def factors(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Bayes factors of no effect and of no heterogeneity."""
    table = outcome.tables.get("bayes-factors")
    if table is None:
        return None
    found = outcome.evidence.curve
    columns = (*_of_factors("hypothesis"), words("how", "how"))
    return Section(
        name="bayes-factors",
        title="Bayes factors",
        table=table,
        columns=columns,
        lead=_lead_of_factors(outcome, set(table.index)),
        note="" if found is None or found.points else " ".join(found.not_made),
    )


def _lead_of_factors(outcome: OutcomeResult, hypotheses: Set[object]) -> str:
    if not hypotheses <= OF_ONE_EFFECT:
        return FACTORS_OF_COVARIATES
    return FACTORS if outcome.compares else FACTORS_OF_ONE_ARM


def by_scale(outcome: OutcomeResult, _run: Results) -> Section | None:
    """The factor of tau by the width of its prior."""
    table = outcome.tables.get("tau-by-scale")
    if table is None:
        return None
    title = "The factor of tau by the scale of its prior"
    columns = _of_factors("prior of τ")
    return Section(name="tau-by-scale", title=title, table=table, columns=columns, lead=BY_SCALE)


def curve(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Both factors by the scale of either prior."""
    table = outcome.tables.get("bayes-factor-curve")
    if table is None:
        return None
    found = outcome.evidence.curve
    shown = table[table["times"].isin([*SHOWN.values()])].reset_index()
    rows = shown.pivot(index=["scaled", "hypothesis"], columns="times", values="bf01")
    rows = rows.rename(columns={times: said for said, times in SHOWN.items()}).reset_index()
    columns = [
        label("hypothesis"),
        column("scaled", "scaled is the prior of", lambda row: row["scaled"]),
        *(_of_scale(said) for said in SHOWN if said in rows),
    ]
    return Section(
        name="bayes-factor-curve",
        title="Bayes factors by the scale of the priors",
        table=rows.set_index("hypothesis"),
        columns=tuple(columns),
        lead=CURVE,
        note="" if found is None else " ".join(found.not_made),
    )


def _of_scale(said: str) -> Column:
    return column(said, said, lambda row: factor(row[said]), right=True)


def reverse(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Who is convinced by the answer."""
    table = outcome.tables.get("reverse-bayes")
    if table is None:
        return None
    columns = (label("parameter"), words("says", "who is convinced"))
    return Section(
        name="reverse-bayes", title="Who is convinced", table=table, columns=columns, lead=REVERSE
    )


def weights(outcome: OutcomeResult, _run: Results) -> Section | None:
    """What each study weighs."""
    table = outcome.tables.get("weights")
    if table is None:
        return None
    columns = (
        label("study"),
        share("weight", "weight in μ"),
        share("own_weight", "own weight in its θ"),
    )
    lead = spoken(WEIGHTS, outcome)
    return Section(name="weights", title="Weights", table=table, columns=columns, lead=lead)


def zeros(outcome: OutcomeResult, _run: Results) -> Section | None:
    """The answer with and without studies without events."""
    table = outcome.tables.get("zero-studies")
    if table is None:
        return None
    columns = (
        label("studies"),
        words("k", "k"),
        natural(f"{outcome.scale.called}, median", outcome.scale, MIDDLE),
        figure("tau_median", "τ"),
        *((share("prob_below_null", "P(below no effect)"),) if outcome.compares else ()),
        figure("shift", "shift of μ, SDs"),
        words("left_out", "left out"),
    )
    title = "Studies without events"
    return Section(name="zero-studies", title=title, table=table, columns=columns, lead=ZEROS)


def penalty(outcome: OutcomeResult, run: Results) -> Section | None:
    """How much wider quantiles leave the effects than means and SDs made of them."""
    table = outcome.tables.get("width-penalty")
    if table is None:
        return None
    note = (
        f"Widths of the {level(run)} intervals: from the quantiles as they are, rounded as "
        "printed; and with means and SDs made of them by formulas, as if these had been observed. "
        "A ratio above 1 is what the formulas leave out."
    )
    shown = [_as_told(str(key)) for key in table.columns]
    return Section(
        name="width-penalty",
        title="What reporting quantiles costs",
        table=table,
        columns=(label("study"), *shown),
        note=note,
    )


def _as_told(key: str) -> Column:
    def text(row: Values) -> str:
        cell = row[key]
        if isinstance(cell, float):
            return number(cell)
        return NOTHING if cell is None else str(cell)

    return column(key, key.replace("_", " "), text)


def definitions(outcome: OutcomeResult, _run: Results) -> Section | None:
    """The answer by either definition of sample quartiles."""
    table = outcome.tables.get("quartile-definitions")
    if table is None:
        return None
    return Section(
        name="quartile-definitions",
        title="Definitions of quartiles",
        table=table,
        columns=(
            label("quartiles"),
            natural(f"{outcome.measure}, median", MEASURES[outcome.measure]),
        ),
        note="Papers hardly ever say which definition of sample quartiles their software took.",
    )


def moved(outcome: OutcomeResult, run: Results) -> Section | None:
    """Prior beside posterior, and how far the data moved it."""
    table = outcome.tables.get("prior-posterior")
    if table is None:
        return None
    return Section(
        name="prior-posterior",
        title="Prior and posterior",
        table=table,
        columns=(
            label("parameter"),
            words("prior", "prior"),
            column("prior_lower", f"its {level(run)}", lambda row: _between(row, "prior_")),
            column("lower", f"posterior {level(run)}", lambda row: _between(row, "")),
            figure("width_ratio", "width over the prior's"),
            figure("distance", "distance from the prior"),
        ),
        note=MOVED,
    )


def _between(row: Values, prefix: str) -> str:
    low, high = (number(row[f"{prefix}{end}"]) for end in ("lower", "upper"))
    return f"{low} to {high}"


def parameters(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Every parameter of the answer; columns without a number are left out."""
    table = outcome.tables.get("parameters")
    if table is None:
        return None
    scale = outcome.scale
    about = "" if scale.link == "identity" else f" ({scale.analysis_called})"
    shown = map(str, table.dropna(axis=1, how="all").columns)
    return Section(
        name="parameters",
        title=f"Every parameter of the answer, analysis scale{about}",
        table=table,
        columns=(label("parameter"), *(figure(key, key, _DECIMALS.get(key, 3)) for key in shown)),
    )


_DECIMALS = {"rhat": 4, "ess_bulk": 0, "ess_tail": 0, "mcse_mean": 4, "mcse_sd": 4}
