"""Faults as people make them in tables of studies, planted into sound ones.

A fault gives back what makes the table anew, for the door may refuse it, or None where a table
cannot have it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import bayesmeta as bm
from bayesmeta.studies import Table

type Planted = Callable[[], Table]


@dataclass(frozen=True)
class Fault:
    """A kind of fault: the rule for it, how it is planted, and how often into each table."""

    name: str
    rule: str
    plant: Callable[[Table, np.random.Generator], Planted | None]
    times: int = 3  # 1 where nothing is drawn


def changed(table: Table, **columns: object) -> Planted:
    return lambda: replace(table, **columns)


def frame_of(table: Table) -> pd.DataFrame:
    numbers = {name: x for name, x in table.numbers.items() if np.isfinite(x).all()}
    return pd.DataFrame({"study": table.study, **numbers})


def from_frame(table: Table, frame: pd.DataFrame) -> Planted:
    asked = {"measure": table.measure} if table.kind == "estimates" else {}
    return lambda: bm.read_studies(frame.reset_index(drop=True), **asked)


def row_twice(table: Table, rng: np.random.Generator) -> Planted | None:
    frame = frame_of(table)
    row = frame.iloc[[int(rng.integers(table.k))]].assign(study="Report of the same trial")
    return from_frame(table, pd.concat([frame, row]))


def second_active_arm(table: Table, rng: np.random.Generator) -> Planted | None:
    """A trial with two active arms, each a row with the one control."""
    frame = frame_of(table)
    names = {"mean_treatment", "events_treatment"} & set(frame)
    if "_control" not in table.arms or not names:
        return None
    least = {"n_control": 20, "events_control": 5}
    held = [table.numbers[one] >= few for one, few in least.items() if one in table.numbers]
    enough = np.all(held, axis=0)
    rows = np.flatnonzero(enough)
    if not rows.size:
        return None
    i = int(rng.choice(rows))
    row = frame.iloc[[i]].assign(study=f"{table.study[i]}, the other dose")
    name = names.pop()
    row[name] = row[name] - 1 if row[name].iloc[0] >= 1 else row[name] + 1
    return from_frame(table, pd.concat([frame, row]))


def sums(table: Table, name: str) -> pd.DataFrame | None:
    frame = frame_of(table)
    if table.kind == "counts":
        row = frame.drop(columns="study").sum().to_frame().T
    elif table.kind == "estimates":
        pooled = bm.common_effect(table)
        row = pd.DataFrame({"y": [pooled.estimate], "se": [pooled.se]})
    else:
        row = frame.drop(columns="study").mean().round(2).to_frame().T
        n = [one for one in row if one.startswith("n_")]
        row[n] = frame[n].sum().to_numpy()
    return row.assign(study=name)


def total_by_name(table: Table, rng: np.random.Generator) -> Planted | None:
    name = str(rng.choice(["Total", "Overall", "Subtotal (95% CI)", "Pooled estimate"]))
    return from_frame(table, pd.concat([frame_of(table), sums(table, name)]))


def sum_by_another_name(table: Table, rng: np.random.Generator) -> Planted | None:
    if table.kind != "counts" or table.k < 3:
        return None
    frame, row = frame_of(table), sums(table, "Both hospitals")
    parts = [frame, row] if rng.random() < 0.5 else [row, frame]
    return from_frame(table, pd.concat(parts))


def large_arms(table: Table) -> np.ndarray:
    if table.kind != "continuous outcomes":
        return np.array([], int)
    moments = np.all([table.has_moments(arm) for arm in table.arms], axis=0)
    return np.flatnonzero(moments & (np.minimum(table.n_treatment, table.n_control) >= 20))


def error_of_one_arm(table: Table, rng: np.random.Generator) -> Planted | None:
    rows = large_arms(table)
    if not rows.size:
        return None
    i, arm = int(rng.choice(rows)), str(rng.choice(table.arms))
    return changed(table, **with_errors(table, i, arm))


def with_errors(table: Table, i: int, *arms: str) -> dict[str, np.ndarray]:
    found = {}
    for arm in arms:
        sd = getattr(table, f"sd{arm}").copy()
        sd[i] /= np.sqrt(getattr(table, f"n{arm}")[i])
        found[f"sd{arm}"] = sd
    return found


def errors_of_both_arms(table: Table, rng: np.random.Generator) -> Planted | None:
    """Where the SDs are then five times smaller than the median of the others, and the least."""
    fit = []
    for i in large_arms(table):
        new = np.stack(list(with_errors(table, i, *table.arms).values())).mean(axis=0)
        others = np.delete(new, i)
        if table.k > 3 and new[i] < np.median(others) / 5 and new[i] < others.min() / 2:
            fit.append(i)
    return changed(table, **with_errors(table, int(rng.choice(fit)), *table.arms)) if fit else None


def errors_of_a_column(table: Table, rng: np.random.Generator) -> Planted | None:
    if large_arms(table).size < table.k / 2:
        return None
    arm = str(rng.choice(table.arms))
    return changed(
        table, **{f"sd{arm}": table.numbers[f"sd{arm}"] / table.numbers[f"n{arm}"] ** 0.5}
    )


def logs(table: Table) -> bm.EffectSizes | None:
    """Estimates of a ratio: as they are, or made of counts, as a paper would print them."""
    if table.kind == "counts" and table.measures[0] in ("OR", "IRR") and table.k > 2:
        made = bm.effect_sizes(table, measure=table.measures[0])
    elif table.kind == "estimates" and bm.MEASURES[table.measure].log:
        made = table
    else:
        return None
    enough = made.k > 2
    y, se = made.y.round(3), np.maximum(made.se.round(3), 0.001)
    return bm.EffectSizes.from_arrays(made.study, y, se, measure=made.measure) if enough else None


def column_of_ratios(table: Table, rng: np.random.Generator) -> Planted | None:
    made = logs(table)
    if made is None or not 1 / 2 < np.exp(np.median(made.y)) < 2:
        return None
    return changed(made, y=np.exp(made.y).round(3))


def one_ratio(table: Table, rng: np.random.Generator) -> Planted | None:
    """In a row that it moves by four SDs of what all predict of an estimate."""
    made = logs(table)
    if made is None or made.k < 5:
        return None
    all_ = bm.random_effects(made, tau2="DL", interval="Wald")
    sd = np.sqrt(made.se**2 + all_.tau2 + all_.se**2)
    fit = np.flatnonzero(np.exp(made.y) - made.y > 4 * sd)
    if not fit.size:
        return None
    y, i = made.y.copy(), int(rng.choice(fit))
    y[i] = np.exp(y[i])
    return changed(made, y=y)


def logs_as_ratios(table: Table, rng: np.random.Generator) -> Planted | None:
    """Logarithms with their interval in the columns of the ratio and its interval."""
    made = logs(table)
    if made is None:
        return None
    ends = {"estimate": made.y, "lower": made.y - 1.96 * made.se, "upper": made.y + 1.96 * made.se}
    frame = pd.DataFrame({"study": made.study, **{n: x.round(3) for n, x in ends.items()}})
    return lambda: bm.read_studies(frame, measure=made.measure)


def percent(table: Table) -> dict[str, np.ndarray] | None:
    if table.kind != "counts" or table.size != "n" or table.k < 5:
        return None
    found = {
        f"events{arm}": 100 * getattr(table, f"events{arm}") / getattr(table, f"n{arm}")
        for arm in table.arms
    }
    return found if np.median(np.concatenate(list(found.values()))) >= 5 else None


def percentages(decimals: int) -> Callable[[Table, np.random.Generator], Planted | None]:
    def plant(table: Table, rng: np.random.Generator) -> Planted | None:
        found = percent(table)
        if found is None:
            return None
        return changed(table, **{name: x.round(decimals) for name, x in found.items()})

    return plant


def percentages_of_100(table: Table, rng: np.random.Generator) -> Planted | None:
    found = percent(table)
    if found is None:
        return None
    n = {f"n{arm}": np.full(table.k, 100.0) for arm in table.arms}
    return changed(table, **{name: x.round() for name, x in found.items()}, **n)


def ten_errors_away(table: Table, rng: np.random.Generator) -> Planted | None:
    """One estimate is moved ten standard errors off the pooled one, tau counted."""
    if table.k < 6:
        return None
    made = table
    if table.kind != "estimates":
        measure = table.measures[0] if table.kind == "counts" else "SMD"
        made = bm.effect_sizes(table, measure=measure)
    rest, i = bm.random_effects(made, tau2="DL"), int(rng.integers(made.k))
    y = made.y.copy()
    y[i] = rest.estimate + rng.choice([-1, 1]) * 10 * np.sqrt(made.se[i] ** 2 + rest.tau2)
    return changed(made, y=y)


def lost_point(table: Table, rng: np.random.Generator) -> Planted | None:
    """A mean or an estimate is ten times larger, where that is ten of its standard errors."""
    if table.kind == "counts" or table.k < 4:
        return None
    name = "y" if table.kind == "estimates" else "mean_treatment"
    scale = table.se if name == "y" else table.sd_treatment / np.sqrt(table.n_treatment)
    values = table.numbers[name]
    spread = np.hypot(scale, np.std(values))
    fit = np.flatnonzero(9 * np.abs(values) > 10 * spread)
    if not fit.size:
        return None
    i = int(rng.choice(fit))
    return changed(table, **{name: np.where(np.arange(table.k) == i, 10 * values, values)})


FAULTS = (
    Fault("a row twice, under another name", "equal_rows", row_twice),
    Fault("a row named Total, Overall or the like", "sums_of_rows", total_by_name),
    Fault("the sum of the rows, named as a study", "sums_of_rows", sum_by_another_name),
    Fault("SE as SD, one arm of a study", "errors_as_sds", error_of_one_arm),
    Fault("SE as SD, both arms of a study", "errors_as_sds", errors_of_both_arms),
    Fault("SE as SD, one arm of all studies", "errors_as_sds", errors_of_a_column),
    Fault("ratios as logarithms, whole column", "ratios_as_logs", column_of_ratios, 1),
    Fault("a ratio among logarithms", "ratios_as_logs", one_ratio),
    Fault("logarithms as ratios, with intervals", "ratios_as_logs", logs_as_ratios, 1),
    Fault("percentages as events, one decimal", "percentages_as_counts", percentages(1), 1),
    Fault("percentages as events, whole", "percentages_as_counts", percentages(0), 1),
    Fault("percentages as events of 100", "percentages_as_counts", percentages_of_100, 1),
    Fault("an estimate ten standard errors off", "far_from_rest", ten_errors_away),
    Fault("a lost decimal point", "far_from_rest", lost_point),
    Fault("a control arm twice, under two names", "shared_controls", second_active_arm),
)
