"""What the other tables of an outcome imply of one another."""

# pandas types a cell, a column and a table as unions of everything:
# pyright: reportArgumentType=false

import math
from collections.abc import Iterator, Mapping

import numpy as np
from scipy.special import chdtrc

from ..effects import MEASURES
from ..posterior import Pair
from ..results import OutcomeResult
from ..results.keys import numbered
from .answers import ENDS, FORTH, SAME, same

SUMMED = 1e-9  # of a sum of shares


def of_tables(outcome: OutcomeResult) -> Iterator[Pair]:
    """Every rule of the tables beside the answer."""
    yield from natural_is_mapped(outcome)
    yield from weights_sum_to_one(outcome)
    yield from factors_are_printed(outcome)
    yield from totals_are_sums(outcome)
    yield from gates_are_listed(outcome)
    yield from heterogeneity_is_of_q(outcome)
    yield from nearest_is_nearest(outcome)


def natural_is_mapped(outcome: OutcomeResult) -> Iterator[Pair]:
    """What people read is the analysis scale, mapped."""
    own = outcome.scale.link if outcome.by_covariates else MEASURES[outcome.measure].link
    for name, table in outcome.tables.items():
        if name == "published" or "estimate_natural" not in table:
            continue
        for label, row in table.iterrows():
            for end in ENDS:
                value = float(row[end])
                if math.isfinite(value):
                    natural = float(row[f"{end}_natural"])
                    where, said = f"{name}, {label}", f"the {end} as people read it"
                    implied = FORTH[own](value)
                    yield same(where, said, natural, "the analysis scale", implied, "natural scale")


def weights_sum_to_one(outcome: OutcomeResult) -> Iterator[Pair]:
    """Shares of a whole add up to it: of mu, and of the precision in a forest plot."""
    found: dict[str, float] = {}
    weights = outcome.tables.get("weights")
    if weights is not None and "weight" in weights:
        found["weights"] = float(weights["weight"].sum())
    studies = outcome.tables.get("studies")
    if studies is not None and bool(studies["weight"].notna().to_numpy().any()):
        found["forest plot"] = float(studies["weight"].sum())
    for where, total in found.items():
        yield Pair(
            rule="weights",
            where=where,
            first="the sum of the weights",
            one=total,
            second="being shares",
            other=1.0,
            tolerance=SUMMED,
            why="a sum, to rounding",
        )


def factors_are_printed(outcome: OutcomeResult) -> Iterator[Pair]:
    """The table of Bayes factors holds the factors, and its probability is theirs."""
    table, factors = outcome.tables.get("bayes-factors"), outcome.evidence.factors
    if table is None or factors is None:
        return
    for one in factors.factors:
        row = table.loc[one.hypothesis]
        bf01 = float(row["bf01"])
        where, rule = f"Bayes factors, {one.hypothesis}", "Bayes factors as printed"
        yield same(where, "the factor for it", bf01, "its value", one.bf01, rule)
        if 0 < bf01 < 1e300:
            implied = {"prob_null": bf01 / (1 + bf01), "bf10": 1 / bf01}
            for name, other in implied.items():
                yield same(where, name, float(row[name]), "the factor for it", other, rule)


def totals_are_sums(outcome: OutcomeResult) -> Iterator[Pair]:
    """Total deviance, pD, DIC and elpd are sums over the studies of their tables."""
    fitted, rows = outcome.checks.deviance, outcome.tables.get("deviance")
    sums: dict[str, tuple[float, float]] = {}
    if fitted is not None and rows is not None:
        residual, leverage = float(rows["residual"].sum()), float(rows["leverage"].sum())
        sums["total residual deviance"] = fitted.total, residual
        sums["pD"] = fitted.p_d, leverage
        sums["DIC"] = fitted.dic, residual + leverage
    loo, left_out = outcome.checks.loo, outcome.tables.get("loo")
    if loo is not None and left_out is not None and math.isfinite(loo.total):
        sums["elpd"] = loo.total, float(left_out["elpd"].sum())
    for name, (one, other) in sums.items():
        yield same("checks", f"the {name}", one, "the rows of its table", other, "totals")


def gates_are_listed(outcome: OutcomeResult) -> Iterator[Pair]:
    """The gates in the list of all checks are those of the answer's diagnostics."""
    trust, diagnostics = outcome.tables.get("trust"), outcome.tables.get("diagnostics")
    if trust is None or diagnostics is None or outcome.main is None:
        return
    gates = trust[trust["kind"] == "gate"]
    own = diagnostics.head(len(outcome.main.answer.diagnostics.checks))  # the answer comes first
    where, rule = "trust", "gates in two tables"
    yield same(where, "how many gates it lists", len(gates), "the diagnostics", len(own), rule)
    for (_, gate), (_, check) in zip(gates.iterrows(), own.iterrows(), strict=False):
        name = f"the {gate['check']}"
        yield same(
            where, name, float(gate["value"]), "the diagnostics", float(check["value"]), rule
        )
        passed = float(gate["verdict"] == "passed"), float(check["passed"])
        yield same(where, f"whether {name} passed", passed[0], "the diagnostics", passed[1], rule)


def heterogeneity_is_of_q(outcome: OutcomeResult) -> Iterator[Pair]:
    """The p of Q is its tail of chi², and I² by Q the share of Q beyond its degrees of freedom."""
    for index in range(1, 1 + len(outcome.scenarios)):
        name = numbered("heterogeneity", index)
        if name not in outcome.tables:
            continue
        for label, row in outcome.tables[name].iterrows():
            q, df = float(row["q"]), float(row["q_df"])
            if not (math.isfinite(q) and df > 0):
                continue
            where, rule = f"{name}, {label}", "Q, its p and I²"
            yield same(where, "the p of Q", float(row["q_p"]), "Q", float(chdtrc(df, q)), rule)
            share = 100 * max(0.0, 1 - df / q) if q > 0 else 0.0
            yield Pair(
                rule=rule,
                where=where,
                first="I² by Q",
                one=float(row["i2_q_percent"]),
                second="Q",
                other=share,
                tolerance=SAME * 100,
                why="arithmetic of percentages",
            )


def nearest_is_nearest(outcome: OutcomeResult) -> Iterator[Pair]:
    """The convention that is called nearest has the least distance of those shown."""
    for one in outcome.published:
        if one.explanation is None:
            continue
        misses = [candidate.miss for candidate in one.explanation.candidates]
        reproducing = [candidate.reproduces for candidate in one.explanation.candidates]
        if misses and not any(reproducing):
            yield Pair(
                rule="nearest convention",
                where=one.label,
                first="the distance of the nearest",
                one=misses[0],
                second="the least distance among those shown",
                other=min(misses),
                tolerance=SAME * max(misses),
                why="a minimum",
                at_most=True,
            )


def differing_cells(
    where: str, records: list[Mapping[str, object]], rows: list[Mapping[str, object]]
) -> Pair:
    """Numbers of a table that are not those written of it."""
    apart = abs(len(records) - len(rows)) + sum(
        _differs(record.get(str(key)), value)
        for record, row in zip(records, rows, strict=False)
        for key, value in row.items()
    )
    return Pair(
        rule="results.json",
        where=where,
        first="how many numbers of results.json differ",
        one=float(apart),
        second="the table they are of",
        other=0.0,
        tolerance=0.0,
        why="numbers are written unrounded",
    )


def _differs(written: object, value: object) -> bool:
    if not isinstance(value, int | float | np.number) or isinstance(value, bool):
        return False
    number = float(value)
    return math.isfinite(number) and written != number
