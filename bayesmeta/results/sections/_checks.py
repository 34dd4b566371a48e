"""Whether to believe the answer: what its model implies and predicts, and every gate."""

import math

from ...posterior import beside
from .. import OutcomeResult, Results
from ..display import fit_in_words, number, percent, simulated, spoken
from ..labels import label_of
from ._columns import column, drawn, figure, label, words
from ._section import LABEL, Section, Values

IMPLIED = (
    "What the priors imply for studies of these designs: the overall effect and the interval of τ "
    "in closed form, the rest by simulation, with the digits that its Monte Carlo error leaves."
)
BASELINES = (
    " A baseline of each trial's own is vague by design: it lets the comparison rest on the "
    "randomisation within trials."
)
PREDICTED = (
    "By simulation, with the digits that its Monte Carlo error leaves. Statistics that need an "
    "estimate of each study add ½ to every count, in all tables alike, where they say so; "
    "two-stage analyses elsewhere on this page add it only where a cell is zero."
)
SCALED = (
    "Each prior, and what each study says, are raised to the powers 0.8 and 1.25 and the posterior "
    "is integrated anew; distances (cumulative Jensen–Shannon, 0 to 1) are per doubling of the "
    "power, and 0.05 counts."
)
LEFT_OUT = (
    "LOO-PIT: the predictive probability of a result as low or lower, at random within the "
    "observed count's own share; near 0 or 1 the other studies did not foresee it. A residual "
    "deviance far above its data points is a bad fit; leverage is how much a study fits itself."
)


def implied(outcome: OutcomeResult, _run: Results) -> Section | None:
    """What the priors say before the data."""
    table = outcome.tables.get("prior-predictive")
    if table is None:
        return None
    columns = (
        label("before the data"),
        drawn("median [interval]"),
        column(
            "extreme",
            "share of extremes",
            lambda row: _drawn_share(row["extreme"], row["extreme_mcse"]),
        ),
        words("rule", "extremes"),
    )
    title = "What the priors imply"
    note = spoken(IMPLIED, outcome) + BASELINES * outcome.compares
    table = table.rename(index=lambda name: spoken(name, outcome))
    return Section(name="prior-predictive", title=title, table=table, columns=columns, note=note)


def scaling(outcome: OutcomeResult, _run: Results) -> Section | None:
    """What the answer leans on."""
    table, found = outcome.tables.get("power-scaling"), outcome.checks.scaling
    if table is None or found is None:
        return None
    columns = [
        label("parameter"),
        figure("prior_mu", "weight of the prior of μ"),
        figure("prior_tau", "weight of the prior of τ"),
        figure("likelihood", "weight of the data"),
        words("diagnosis", "what decides"),
    ]
    return Section(
        name="power-scaling",
        title="What moves the answer: priors or data",
        table=table,
        columns=tuple(columns if found.tau is not None else columns[:2] + columns[3:]),
        note=f"{found.sentence} {SCALED}",
    )


def _drawn_share(share: float, error: float) -> str:
    """A share of draws: whole per cents where their number does not tell more."""
    if not math.isfinite(share) or error < 1e-3 or not 0.01 < share < 0.99:
        return percent(share)
    return f"{100 * share:.0f}%"


def predictive(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Statistics of the data against what the model predicts of them."""
    table = outcome.tables.get("predictive")
    if table is None:
        return None
    columns = (
        column("statistic", "statistic", lambda row: _about(row[LABEL], row["how"])),
        figure("observed", "observed"),
        drawn("predicted", "predicted_"),
        column("p", "p", lambda row: simulated(row["p"], row["p_mcse"])),
    )
    title = "Would this model make data like these?"
    return Section(name="predictive", title=title, table=table, columns=columns, note=PREDICTED)


def _about(what: str, more: str) -> str:
    return f"{what} ({more})" if more else what


def left_out(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Each study as predicted from the others, and how well it is fitted."""
    table = outcome.tables.get("loo")
    if table is None:
        return None
    columns = [
        label("study"),
        figure("elpd", "log predictive density"),
        figure("pit", "LOO-PIT", 3),
        column("how", "how", _how),
    ]
    fitted = outcome.tables.get("deviance")
    if fitted is not None:
        table = table.join(fitted[["residual", "points", "leverage"]])
        columns += [
            column("residual", "residual deviance of points", _residual),
            figure("leverage", "leverage"),
        ]
    return Section(
        name="loo",
        title="Each study predicted from the others",
        table=table,
        columns=tuple(columns),
        note=f"{fit_in_words(outcome.checks)}. {LEFT_OUT}",
    )


def _how(row: Values) -> str:
    told = f", Pareto k {number(row['pareto_k'])}" if math.isfinite(row["pareto_k"]) else ""
    return f"{row['how']}{told}"


def _residual(row: Values) -> str:
    return f"{number(row['residual'])} of {row['points']:.0f}"


def trust(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Every check of the answer in one list."""
    found = outcome.checks.trust
    if found is None:
        return None
    columns = (
        words("kind", "kind"),
        column(
            "check", "check", lambda r: f"{r['check']}{': ' + r['where'] if r['where'] else ''}"
        ),
        words("figure", "value"),
        words("limit", "limit"),
        words("verdict", "verdict"),
    )
    return Section(
        name="trust",
        title="Every check of the answer",
        table=found.table().assign(figure=[one.figure for one in found.verdicts]),
        columns=columns,
        note="A gate that fails makes the answer unfit for use; a caution stands beside it.",
    )


def diagnostics(outcome: OutcomeResult, _run: Results) -> Section | None:
    """Numerical gates of every fit, and which were fitted twice."""
    table = outcome.tables.get("diagnostics")
    if table is None:
        return None
    columns = (
        label("fit"),
        words("engine", "engine"),
        column("check", "check", lambda row: _about(row["check"], row["where"])),
        column("value", "value", lambda row: beside(row["value"], row["limit"])),
        column("limit", "limit", lambda row: f"{row['limit']:g}"),
        column("passed", "verdict", lambda row: "passed" if row["passed"] else "FAILED"),
    )
    again = [label_of(at) for at, fit in outcome.fits.items() if fit.diagnostics.attempts > 1]
    note = f"Fitted twice, the second time with a stricter setting: {'; '.join(again)}."
    return Section(
        name="diagnostics",
        title="Numerical gates",
        table=table,
        columns=columns,
        note=note if again else "",
    )
