"""Which planted faults does each rule of plausibility find, and how often does it doubt in vain?

    uv run benchmarks/plausibility.py

Published meta-analyses (``tests/reference/tables.json`` and the examples) are taken for sound. Into
each that can have it a fault of each kind is planted with a seed. Thresholds were chosen on one
half of the data sets; the other half was looked at afterwards. Writes
``benchmarks/results/plausibility.json`` and the tables of ``docs/plausibility.md``.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from planted_faults import FAULTS, Planted, logs
from stored import in_lines, made_with

import bayesmeta as bm
from bayesmeta.checks import conflict
from bayesmeta.studies import Table

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "tests" / "reference" / "tables.json"
COUNTS = ROOT / "tests" / "reference" / "counts.json"
RESULT = ROOT / "benchmarks" / "results" / "plausibility.json"
PAGE = ROOT / "docs" / "plausibility.md"
SEED = 20261130
MARK = "<!-- below: made by benchmarks/plausibility.py -->"
EXAMPLES = (
    *("hba1c/hba1c", "door/hazard-ratios", "door/medians"),
    *(f"msc-covid19/{one}" for one in ("mortality", "adverse_events", "clinical_improvement")),
)
ABOUT = ("source", "citation", "measure", "study")
KINDS = {  # by the columns that a table has
    "time_treatment": bm.PersonTimeStudies,
    "events_treatment": bm.BinaryStudies,
    "mean_treatment": bm.ContinuousStudies,
    "events": bm.ProportionStudies,
}
ADDED = {"curtis1998"}  # to the first half, as a hard case, and so was
LATER = {*ADDED, "gibson2002"}  # which was looked at before it should have been
DOOR = "at the door"
PRIORS = {"mu": bm.Normal(0, 1), "tau": bm.HalfNormal(0.5)}


@dataclass(frozen=True)
class Sound:
    """A published table, where it is from, and whether thresholds were chosen on it."""

    name: str
    table: Table
    source: str
    tuned: bool


def sound_tables() -> tuple[list[Sound], list[dict]]:
    """The tables, and those that the door refuses, with its words."""
    found, refused = [], []
    entries = json.loads(TABLES.read_text("utf-8"))["cases"]
    sources = sorted({one["source"].split(".")[-1] for one in entries.values()} - ADDED)
    tuned = {*sources[::2], *LATER}
    more = json.loads(COUNTS.read_text("utf-8"))["cases"]
    for name in ("crins2014", "nissen2007", "peto1980"):
        k = len(more[name]["n_control"])
        entries[name] = {**more[name], "study": [f"study {i + 1}" for i in range(k)], "measure": ""}
    for name, one in entries.items():
        source = one["source"].split(".")[-1]
        try:
            found.append(Sound(name, table_of(one), one["source"], source in tuned))
        except bm.DataError as error:
            refused.append({"table": name, "words": str(error)})
    for i, path in enumerate(EXAMPLES):
        table = bm.read_studies(ROOT / "examples" / f"{path}.csv")
        found.append(Sound(path, table, f"examples/{path}.csv", i % 2 == 0))
    return found, refused


def table_of(entry: Mapping[str, list]) -> Table:
    columns = {name: np.asarray(entry[name], float) for name in entry if name not in ABOUT}
    kind = next((kind for column, kind in KINDS.items() if column in columns), None)
    if kind is not None:
        return kind(study=entry["study"], **columns)
    frame = pd.DataFrame({"study": entry["study"], **columns})
    return bm.EffectSizes.from_frame(frame, measure=entry["measure"] or "GEN")


def caught(planted: Planted, rule: str) -> str:
    """What finds a fault: its rule, or the door; "" where neither does."""
    try:
        doubts = bm.plausibility(planted())
    except bm.DataError:
        return DOOR
    return rule if rule in {one.rule for one in doubts} else ""


def planted(tables: list[Sound]) -> Iterator[dict]:
    """Of each fault and table, how many were planted and found, and of these refused."""
    for number, fault in enumerate(FAULTS):
        for place, sound in enumerate(tables):
            drawn = (np.random.default_rng([SEED, number, place, i]) for i in range(fault.times))
            made = [fault.plant(sound.table, rng) for rng in drawn]
            by = [caught(one, fault.rule) for one in made if one is not None]
            if by:
                about = {"fault": fault.name, "table": sound.name, "tuned": sound.tuned}
                yield {**about, **counted(by)}


def counted(by: list[str]) -> dict[str, int]:
    return {"planted": len(by), "found": sum(map(bool, by)), "refused": by.count(DOOR)}


def conflicts(tables: list[Sound]) -> Iterator[dict]:
    """Priors far from the data are planted; those of everyday use must not be doubted."""
    for sound in tables:
        made = logs(sound.table)
        if made is None:
            continue
        fit = bm.random_effects(made, tau2="DL", interval="Wald")
        wrong = {
            "prior of mu far off": {"mu": bm.Normal(fit.estimate + 1 + 4 * fit.se, 0.2)},
            "prior of tau too small": {"tau": bm.HalfNormal(0.01)} if fit.q_p < 1e-3 else None,
            "sound": {},
        }
        for name, priors in wrong.items():
            if priors is not None:
                model = bm.NormalNormal(**{**PRIORS, **priors})
                found = conflict(bm.fit(model, made))
                assert found is not None
                about = {"fault": name, "table": sound.name, "tuned": sound.tuned}
                yield {**about, **counted(["" if not found.cautions else "conflict"])}


def doubted(tables: list[Sound]) -> Iterator[dict]:
    for sound in tables:
        for one in bm.plausibility(sound.table):
            about = {"table": sound.name, "tuned": sound.tuned}
            yield {**about, "rule": one.rule, "studies": list(one.studies)[:3], "text": one.text}


def doubted_logs(tables: list[Sound]) -> Iterator[dict]:
    """Whether sound logarithms are taken for ratios, as they are and with the arms exchanged."""
    for sound in tables:
        made = logs(sound.table)
        if made is not None:
            for sign in (1, -1):
                rules = [one.rule for one in bm.plausibility(replace(made, y=sign * made.y))]
                by = "ratios_as_logs" if "ratios_as_logs" in rules else ""
                about = {"table": sound.name, "tuned": sound.tuned, "sign": sign}
                yield {**about, **counted([by])}


def share(rows: list[dict], *, tuned: bool | None = None) -> str:
    some = [row for row in rows if tuned is None or row["tuned"] is tuned]
    return f"{total(some, 'found')}/{total(some, 'planted')}" if some else "–"


def total(rows: list[dict], what: str) -> int:
    return sum(row[what] for row in rows)


def row_of(name: str, rows: list[dict]) -> str:
    n, found = total(rows, "planted"), total(rows, "found")
    return (
        f"| {name} | {n} | {share(rows, tuned=True)} | {share(rows, tuned=False)} | "
        f"{100 * found / n:.0f}% | {total(rows, 'refused')} |"
    )


def page(result: dict) -> str:
    by_fault: dict[str, list[dict]] = {}
    for row in (*result["planted"], *result["conflicts"]):
        by_fault.setdefault(row["fault"], []).append(row)
    sound = by_fault.pop("sound")
    tables = result["tables"]
    logs_ = result["logs"]
    with_doubt = {row["table"] for row in result["false"]}
    halves = [{one["table"] for one in tables if one["tuned"] is tuned} for tuned in (True, False)]
    lines = [
        "| fault | planted | found, first half | found, second half | found | of these, refused |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *[row_of(name, rows) for name, rows in by_fault.items()],
        "",
        f"Sound tables that draw any doubt: {len(with_doubt)} of {len(tables)} "
        f"({100 * len(with_doubt) / len(tables):.0f}%); of the first half "
        f"{len(with_doubt & halves[0])} of {len(halves[0])}, of the second "
        f"{len(with_doubt & halves[1])} of {len(halves[1])}.",
        "",
        "| rule | sound tables doubted |",
        "| --- | ---: |",
    ]
    for rule in bm.doubts.RULES:
        some = {row["table"] for row in result["false"] if row["rule"] == rule}
        lines.append(f"| `{rule}` | {len(some)} |")
    lines += [
        f"| `ratios_as_logs`, on their logarithms and those of reciprocals | {share(logs_)} |",
        f"| conflict of prior and data, Normal(0, 1) and HalfNormal(0.5) | {share(sound)} |",
        "",
        "| table | what is said |",
        "| --- | --- |",
        *[f"| {one['table']} | {one['text']} |" for one in result["false"]],
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    tables, refused = sound_tables()
    result = {
        **made_with(("bayesmeta", "numpy", "scipy", "pandas")),
        "seed": SEED,
        "tables": [
            {"table": one.name, "source": one.source, "k": one.table.k, "tuned": one.tuned}
            for one in tables
        ],
        "refused": refused,
        "planted": list(planted(tables)),
        "conflicts": list(conflicts(tables)),
        "false": list(doubted(tables)),
        "logs": list(doubted_logs(tables)),
    }
    RESULT.write_text(in_lines(result), "utf-8")
    made = page(result)
    print(made)
    head = PAGE.read_text("utf-8").split(MARK)[0] if PAGE.exists() else ""
    PAGE.write_text(f"{head}{MARK}\n\n{made}", "utf-8")


if __name__ == "__main__":
    main()
