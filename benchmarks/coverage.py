"""How often do 95% intervals of mu hold the truth, and how wide are they?

    uv run benchmarks/coverage.py [--seed 20240622] [--tables 10000] [--checkpoint FILE] [-o FILE]

Two-arm counts with a fixed mean log odds ratio and a fixed tau, analysed in two stages (posterior
and confidence intervals) and as counts (posterior). The classical intervals are computed for all
tables at once here, and held to `bayesmeta.random_effects` on some tables of every cell. With a
checkpoint a stopped run goes on where it stopped.
"""

import argparse
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit
from stored import in_lines, made_with

import bayesmeta as bm

SIZES, SPREADS = (3, 5, 10, 20), (0.0, 0.2, 0.5)
RISKS = {"common": 0.3, "rare": 0.03}  # of control arms, in the middle
MEAN, BASELINE_SD, ARMS = -0.3, 0.3, (50, 200)
PROB = 0.95
CHECKED = 40  # tables per cell on which the package's own functions are called
AT_ONCE = 250  # tables in the search for tau²
PRIORS = {"mu": bm.Normal(0, 2), "tau": bm.HalfNormal(0.5)}
TWO_STAGE = bm.NormalNormal(**PRIORS)
COUNTS = bm.BinomialNormal(measure="OR", **PRIORS)
VERSIONS = ("bayesmeta", "numpy", "scipy", "jax")
MANY = "Quadrature(), many at once"
NAMES = {"Wald": "Wald", "HKSJ": "HKSJ", "HKSJ truncated": "truncated HKSJ"}

type Array = np.ndarray
type Ends = tuple[Array, Array]


class Cell(NamedTuple):
    k: int
    tau: float
    risk: str

    @property
    def key(self) -> str:
        return f"k = {self.k}, tau = {self.tau}, {self.risk}"

    def of_counts(self, tables: int) -> int:
        """How many tables the count model is fitted to: long ones and zeros cost more."""
        return tables // SHARE[self.risk][self.k]


SHARE = {"common": {3: 1, 5: 1, 10: 4, 20: 4}, "rare": {3: 5, 5: 10, 10: 10, 20: 20}}


def cells() -> list[Cell]:
    return [Cell(*one) for one in product(SIZES, SPREADS, RISKS)]


def simulated(cell: Cell, tables: int, seed: int) -> dict[str, Array]:
    """Draw counts, (tables, k); the baseline is the control arm's, the effect the other's."""
    key = [seed, cell.k, round(10 * cell.tau), round(100 * RISKS[cell.risk])]
    rng = np.random.default_rng(key)
    shape = (tables, cell.k)
    size = rng.integers(*ARMS, size=(2, *shape), endpoint=True)
    control = rng.normal(logit(RISKS[cell.risk]), BASELINE_SD, shape)
    theta = rng.normal(MEAN, cell.tau, shape)
    events = rng.binomial(size, expit(np.array([control + theta, control])))
    columns = (events[0], size[0], events[1], size[1])
    return {n: c.astype(float) for n, c in zip(bm.BinaryStudies.columns(), columns, strict=True)}


def log_odds_ratios(counts: Mapping[str, Array]) -> Ends:
    """Estimates and variances: ½ to all cells of a study with a zero, NaN where two arms are."""
    a, n1, c, n0 = counts.values()
    cells = np.array([a, n1 - a, c, n0 - c])
    silent = (a + c == 0) | (a + c == n1 + n0)
    cells = cells + 0.5 * (cells == 0).any(axis=0)
    cells[:, silent] = np.nan
    one, two, three, four = cells
    return np.log(one * four / (two * three)), (1 / cells).sum(axis=0)


def weighted(y: Array, v: Array, tau2: Array) -> tuple[Array, Array]:
    """Weights, zero where there is no study, and the weighted mean; studies on the last axis."""
    w = np.nan_to_num(1 / (v + tau2[..., None]))
    return w, (w * np.nan_to_num(y)).sum(axis=-1) / w.sum(axis=-1)


def around(y: Array, centre: Array) -> Array:
    return np.nan_to_num(y - centre[..., None]) ** 2


def dersimonian_laird(y: Array, v: Array) -> Array:
    w, centre = weighted(y, v, np.zeros(len(y)))
    q, total = (w * around(y, centre)).sum(axis=1), w.sum(axis=1)
    df = np.isfinite(y).sum(axis=1) - 1
    return np.maximum(0.0, (q - df) / (total - (w**2).sum(axis=1) / total))


def reml(y: Array, v: Array) -> Array:
    """Least restricted deviance on a grid of tau², then the root of the score beside it."""
    spread = np.nanmax(y, axis=1) - np.nanmin(y, axis=1)
    largest = 4 * (spread**2 + np.nanmax(v, axis=1))
    grid = np.geomspace(1e-10 * np.nanmin(v, axis=1), largest, 300, axis=1)
    grid = np.concatenate((np.zeros((len(y), 1)), grid), axis=1)
    best = deviance(y[:, None], v[:, None], grid).argmin(axis=1)
    rows, last = np.arange(len(y)), grid.shape[1] - 1
    rising = score(y, v, grid[rows, best]) > 0
    first = np.where(rising, best, np.maximum(best - 1, 0))
    low, high = grid[rows, first], grid[rows, np.minimum(first + 1, last)]
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = score(y, v, middle) > 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.where((best == 0) & ~rising, 0.0, 0.5 * (low + high))


def deviance(y: Array, v: Array, tau2: Array) -> Array:
    w, centre = weighted(y, v, tau2)
    logs = np.log(np.where(w > 0, w, 1.0)).sum(axis=-1)
    return -logs + np.log(w.sum(axis=-1)) + (w * around(y, centre)).sum(axis=-1)


def score(y: Array, v: Array, tau2: Array) -> Array:
    w, centre = weighted(y, v, tau2)
    total, square = w.sum(axis=-1), (w**2).sum(axis=-1)
    return square / total - total + (w**2 * around(y, centre)).sum(axis=-1)


def confidence(y: Array, v: Array, tau2: Array) -> dict[str, Ends]:
    """The three intervals of the package, by its names."""
    w, centre = weighted(y, v, tau2)
    df = np.isfinite(y).sum(axis=1) - 1
    wald = w.sum(axis=1) ** -0.5
    factor = np.sqrt((w * around(y, centre)).sum(axis=1) / df)
    normal, student = ndtri((1 + PROB) / 2), stdtrit(df, (1 + PROB) / 2)
    reach = {
        "Wald": normal * wald,
        "HKSJ": student * factor * wald,
        "HKSJ truncated": student * np.maximum(factor, 1) * wald,
    }
    return {name: (centre - half, centre + half) for name, half in reach.items()}


def classical(y: Array, v: Array) -> dict[str, Ends]:
    """Confidence intervals by method; NaN where fewer than two studies say something."""
    usable = np.flatnonzero(np.isfinite(y).sum(axis=1) >= 2)
    parts = np.array_split(usable, max(1, len(usable) // AT_ONCE))
    restricted = np.concatenate([reml(y[part], v[part]) for part in parts])
    moments = dersimonian_laird(y[usable], v[usable])
    found = {}
    for tau2, name in ((restricted, "REML"), (moments, "DL")):
        for kind, ends in confidence(y[usable], v[usable], tau2).items():
            whole = np.full((2, len(y)), np.nan)
            whole[:, usable] = ends
            found[f"{NAMES[kind]}, {name}"] = whole[0], whole[1]
    return found


def compare_with_package(counts: Mapping[str, Array], found: Mapping[str, Ends]) -> float:
    """Largest difference from `bayesmeta.random_effects` on the first tables."""
    apart = 0.0
    for i in range(CHECKED):
        row = {name: values[i] for name, values in counts.items()}
        studies = bm.BinaryStudies(study=[str(j) for j in range(len(row["n_control"]))], **row)
        if (~studies.double_zero).sum() < 2:
            assert np.isnan(found["Wald, REML"][0][i])
            continue
        data = bm.effect_sizes(studies, measure="OR")
        for tau2, (kind, said) in product(("REML", "DL"), NAMES.items()):
            ends = bm.random_effects(data, tau2=tau2).interval(PROB, name=kind)
            ours = [end[i] for end in found[f"{said}, {tau2}"]]
            apart = max(apart, float(np.abs(np.subtract(ends, ours)).max()))
    assert apart < 1e-6, apart
    return apart


def posteriors(
    cell: Cell, counts: Mapping[str, Array], y: Array, v: Array
) -> tuple[dict[str, Ends], dict[str, float]]:
    """Credible intervals by model, and what went wrong or had to be fitted alone."""
    some = np.flatnonzero(np.isfinite(y).any(axis=1))
    few = {n: values[: cell.of_counts(len(y))] for n, values in counts.items()}
    with ThreadPoolExecutor(1) as executor:
        settings = {"executor": executor, "prob": PROB}
        normal = bm.fit_many(TWO_STAGE, {"y": y[some], "se": v[some] ** 0.5}, **settings)
        exact = bm.fit_many(COUNTS, few, **settings)
    ends = np.full((2, len(y)), np.nan)
    ends[:, some] = normal[["mu_lower", "mu_upper"]].to_numpy().T
    found = {
        "posterior, normal–normal": (ends[0], ends[1]),
        "posterior, counts": tuple(exact[["mu_lower", "mu_upper"]].to_numpy().T),
    }
    problems = int((normal["problem"] != "").sum() + (exact["problem"] != "").sum())
    return found, {"problems": problems, "alone": int((exact["engine"] != MANY).sum())}


def row_of(method: str, ends: Ends) -> dict:
    """Coverage with its Monte Carlo standard error, sides missed, middles and widths."""
    lower, upper = ends
    given = np.isfinite(lower)
    lower, upper = lower[given], upper[given]
    n = lower.size
    coverage = float(((lower <= MEAN) & (upper >= MEAN)).mean())
    width = upper - lower
    return {
        "method": method,
        "tables": int(given.size),
        "without_interval": int(given.size - n),
        "coverage": round(coverage, 4),
        "coverage_se": round((max(coverage * (1 - coverage), 0.5 / n) / n) ** 0.5, 4),
        "all_below_truth": round(float((upper < MEAN).mean()), 4),
        "all_above_truth": round(float((lower > MEAN).mean()), 4),
        "mean_middle": round(float((lower + upper).mean() / 2), 3),
        "mean_width": round(float(width.mean()), 3),
        "mean_width_se": round(float(width.std() / n**0.5), 3),
        "median_width": round(float(np.median(width)), 3),
    }


def tried(cell: Cell, tables: int, seed: int) -> dict:
    start = time.process_time()
    counts = simulated(cell, tables, seed)
    y, v = log_odds_ratios(counts)
    informative = np.isfinite(y).sum(axis=1)
    confidence = classical(y, v)
    apart = compare_with_package(counts, confidence)
    credible, words = posteriors(cell, counts, y, v)
    methods = {**credible, **confidence}
    return {
        "key": cell.key,
        "cell": {
            **cell._asdict(),
            "studies_left_mean": round(float(informative.mean()), 2),
            "mean_estimate_of_studies": round(float(np.nanmean(y)), 3),
            "tables_of_one_study": int((informative == 1).sum()),
            "tables_of_none": int((informative == 0).sum()),
            "treatment_arms_without_event": round(
                float((counts["events_treatment"] == 0).mean()), 3
            ),
            "largest_difference_from_package": float(f"{apart:.1g}"),
            **words,
        },
        "rows": [{**cell._asdict(), **row_of(name, ends)} for name, ends in methods.items()],
        "seconds": round(time.process_time() - start, 1),
    }


def run(tables: int, seed: int, checkpoint: Path | None) -> list[dict]:
    found = {}
    if checkpoint and checkpoint.exists():
        lines = checkpoint.read_text().splitlines()
        found = {one["key"]: one for one in map(json.loads, lines)}
    for cell in cells():
        if cell.key not in found:
            found[cell.key] = done = tried(cell, tables, seed)
            if checkpoint:
                with checkpoint.open("a") as file:
                    file.write(json.dumps(done) + "\n")
            print(f"{cell.key:32s}{done['seconds']:8.1f} s  {done['cell']}", flush=True)
    return [found[cell.key] for cell in cells()]


METHODS = {
    "posterior, counts": "counts",
    "posterior, normal–normal": "two-stage",
    "Wald, REML": "Wald REML",
    "Wald, DL": "Wald DL",
    "HKSJ, REML": "HKSJ",
    "truncated HKSJ, REML": "truncated HKSJ",
}


def tables_of(rows: list[dict], risk: str) -> str:
    """Markdown: coverage in per cent with its standard error, and mean width, of each method."""
    lines = [
        "| k | tau | " + " | ".join(METHODS.values()) + " |",
        "| ---: | ---: |" + " ---: |" * len(METHODS),
    ]
    for k, tau in product(SIZES, SPREADS):
        here = {r["method"]: r for r in rows if (r["k"], r["tau"], r["risk"]) == (k, tau, risk)}
        said = [
            f"{100 * here[m]['coverage']:.1f} ({100 * here[m]['coverage_se']:.1f}), "
            f"{here[m]['mean_width']:.2f}"
            for m in METHODS
        ]
        lines.append(f"| {k} | {tau} | " + " | ".join(said) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20240622)
    parser.add_argument("--tables", type=int, default=10_000)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    found = run(given.tables, given.seed, given.checkpoint)
    rows = [row for one in found for row in one["rows"]]
    result = {
        "command": f"uv run benchmarks/coverage.py --seed {given.seed} --tables {given.tables} "
        "-o benchmarks/results/coverage.json",
        "seed": given.seed,
        **made_with(VERSIONS),
        "truth": {"mu": MEAN, "control_risk": RISKS, "baseline_sd": BASELINE_SD, "arms": ARMS},
        "models": [repr(TWO_STAGE), repr(COUNTS)],
        "processor_minutes": round(sum(one["seconds"] for one in found) / 60, 1),
        "cells": [one["cell"] for one in found],
        "rows": rows,
    }
    if given.output:
        given.output.write_text(in_lines(result))
    for risk in RISKS:
        print(f"\n{risk}\n\n{tables_of(rows, risk)}")


if __name__ == "__main__":
    main()
