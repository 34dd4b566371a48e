"""How often do 95% intervals hold the effect when arms report a median and quartiles?

    uv run benchmarks/medians.py [--seed 20240622] [--fits 200] [--checkpoint FILE] [-o FILE]

Trials whose arms report median and quartiles, as they are or rounded to whole numbers, analysed
after conversion to means and SDs and by the probability of the quantiles. The package's tables are
made coarser here, and held to its own on a trial of every cell. With a checkpoint a stopped run
goes on where it stopped.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
from scipy.special import ndtri
from stored import in_lines, made_with

import bayesmeta as bm
from bayesmeta.engines.exact import common
from bayesmeta.engines.likelihood.of_arms import arms as _arms
from bayesmeta.engines.likelihood.of_arms import continuous
from bayesmeta.engines.likelihood.of_arms.quantile_chain import Nodes
from bayesmeta.studies._quantiles import draw_quantiles

SIZES = (15, 40, 120)
ROUNDINGS = {"none": 4, "integers": 0}  # decimals that are printed
SD, MEAN, EFFECT = 5.0, 50.0, 2.0  # of normal arms; mean difference
SD_LOGS, RATIO = 0.8, 0.3  # of log-normal arms, which have the same SD in controls; log ratio
MEAN_LOGS = float(np.log(SD / np.sqrt(np.expm1(SD_LOGS**2))) - SD_LOGS**2 / 2)
TAU, STUDIES = 1.5, 3
PROB = 0.95
VERSIONS = ("bayesmeta", "numpy", "scipy")
METHODS = {"formulas": ("Luo, Wan", 20), "QE": ("QE", 3)}  # tables, for each that is fitted
OF_NORMAL = bm.ContinuousCommonEffect(measure="MD", mu=bm.Normal(0, 100))
OF_LOG_NORMAL = bm.ContinuousCommonEffect(measure="RGM", arms="lognormal", mu=bm.Normal(0, 5))
WRONG = {"MD": OF_NORMAL, "ROM": bm.ContinuousCommonEffect(measure="ROM", mu=bm.Normal(0, 5))}
PRIORS = {"mu": bm.Normal(0, 20), "tau": bm.HalfNormal(2.5)}
POOLED = bm.ContinuousNormal(measure="MD", **PRIORS)
TWO_STAGE = bm.NormalNormal(**PRIORS)
COARSER = {
    _arms: {"POINTS": 21, "NODES": Nodes(5, 7, 3, 9.0), "FARTHEST": 5.0, "SDS": (-2.0, 5.0)},
    continuous: {"WIDEST": 0.2, "SPACING": 0.25},
    common: {"STEPS": (0.2, 0.2), "SPACING": 0.25, "FARTHEST": 100.0},
}

type Array = np.ndarray


class Cell(NamedTuple):
    data: str
    n: int
    rounding: str
    k: int = 1

    @property
    def key(self) -> str:
        return f"{self.data}, n = {self.n}, rounding {self.rounding}, k = {self.k}"

    @property
    def share(self) -> float:
        """Of the fits: the models of other cells cost more."""
        if self.k > 1:
            return 0.3
        return 1.0 if self.data == "normal" else 0.6

    @property
    def measures(self) -> tuple[str, ...]:
        return ("MD",) if self.data == "normal" else ("RGM", "ROM", "MD")


def cells() -> list[Cell]:
    single = [Cell(*one) for one in product(("normal", "log-normal"), SIZES, ROUNDINGS)]
    return single + [Cell("normal", n, "none", STUDIES) for n in SIZES[:2]]


def truth(cell: Cell, measure: str) -> float:
    if cell.data == "normal":
        return EFFECT
    mean = np.exp(MEAN_LOGS + SD_LOGS**2 / 2)
    return RATIO if measure != "MD" else float(mean * np.expm1(RATIO))


def simulated(cell: Cell, trials: int, seed: int) -> bm.ContinuousStudies:
    """Draw quartiles of `trials` tables of k studies, one below the other."""
    key = [seed, len(cell.data), cell.n, ROUNDINGS[cell.rounding], cell.k]
    rng, rows = np.random.default_rng(key), trials * cell.k
    theta = rng.normal(EFFECT, TAU if cell.k > 1 else 0.0, rows)
    z = [draw_quantiles(0.0, 1.0, cell.n, (0.25, 0.5, 0.75), rng=rng, size=rows) for _ in range(2)]
    if cell.data == "normal":
        drawn = [MEAN + theta[:, None] + SD * z[0], MEAN + SD * z[1]]
    else:
        drawn = [
            np.exp(MEAN_LOGS + shift + SD_LOGS * z) for shift, z in zip((RATIO, 0), z, strict=True)
        ]
    decimals = ROUNDINGS[cell.rounding]
    columns = {
        f"{name}_{arm}": column
        for arm, values in zip(("treatment", "control"), np.round(drawn, decimals), strict=True)
        for name, column in zip(("q1", "median", "q3"), values.T, strict=True)
    }
    half = np.full((rows, 5), 0.5 * 10.0**-decimals)
    return bm.ContinuousStudies(
        study=[str(i) for i in range(rows)],
        n_treatment=np.full(rows, cell.n),
        n_control=np.full(rows, cell.n),
        rounding_treatment=half,
        rounding_control=half,
        **columns,
    )


def usable(studies: bm.ContinuousStudies) -> Array:
    """Where quartiles do not coincide and are above zero."""
    apart = [getattr(studies, f"q3{arm}") > getattr(studies, f"q1{arm}") for arm in studies.arms]
    positive = [getattr(studies, f"q1{arm}") > 0 for arm in studies.arms]
    return np.all(apart + positive, axis=0)


def converted(cell: Cell, studies: bm.ContinuousStudies, fits: int) -> dict:
    """Ends of the intervals, (2, tables), by method and measure."""
    found = {}
    for method, (said, times) in METHODS.items():
        made = bm.convert_quantiles(first(studies, times * fits * cell.k), method=method)
        for measure in cell.measures:
            sizes = bm.effect_sizes(made, measure=measure)
            found[f"plug-in, {said}", measure] = (
                pooled_estimates(sizes) if cell.k > 1 else wald(sizes)
            )
    return found


def first(studies: bm.ContinuousStudies, rows: int) -> bm.ContinuousStudies:
    return studies.keep(np.arange(studies.k) < rows)


def wald(sizes: bm.EffectSizes) -> Array:
    half = ndtri((1 + PROB) / 2) * sizes.se
    return np.array([sizes.y - half, sizes.y + half])


def pooled_estimates(sizes: bm.EffectSizes) -> Array:
    columns = {name: getattr(sizes, name).reshape(-1, STUDIES) for name in ("y", "se")}
    fits = bm.fit_many(TWO_STAGE, columns, prob=PROB)
    assert (fits["problem"] == "").all()
    return fits[["mu_lower", "mu_upper"]].to_numpy().T


def models(cell: Cell) -> dict[tuple[str, str], bm.ContinuousCommonEffect | bm.ContinuousNormal]:
    if cell.k > 1:
        return {("quantiles", "MD"): POOLED}
    if cell.data == "normal":
        return {("quantiles", "MD"): OF_NORMAL}
    wrong = WRONG if cell.rounding == "none" else {}
    return {
        ("quantiles", "RGM"): OF_LOG_NORMAL,
        **{("quantiles, normal arms", measure): model for measure, model in wrong.items()},
    }


@contextmanager
def coarser() -> Iterator[None]:
    """Tables of the package made quickly; what it keeps is forgotten before and after."""
    forget()
    with ExitStack() as stack:
        for module, numbers in COARSER.items():
            stack.enter_context(mock.patch.multiple(module, **numbers))
        yield
    forget()


def forget() -> None:
    _arms._of_quantiles.cache_clear()
    continuous._table.cache_clear()


def fitted(cell: Cell, studies: bm.ContinuousStudies) -> dict[tuple[str, str], Array]:
    rows = np.arange(studies.k).reshape(-1, cell.k)
    found = {key: np.empty((2, len(rows))) for key in models(cell)}
    for i, row in enumerate(rows):
        one = studies.keep(np.isin(np.arange(studies.k), row))
        for key, model in models(cell).items():
            posterior = bm.fit(model, one)
            assert cell.k == 1 or posterior.diagnostics.passed, posterior.diagnostics
            found[key][:, i] = posterior["mu"].interval(PROB)
    return found


def compare_with_package(
    cell: Cell, studies: bm.ContinuousStudies, found: dict[tuple[str, str], Array]
) -> float | None:
    """Largest difference of an end from the package as it is, in widths, on the first table."""
    if cell.k > 1:
        return None
    exact = fitted(cell, first(studies, cell.k))
    apart = [
        np.abs(exact[key][:, 0] - ends[:, 0]).max() / np.ptp(ends[:, 0])
        for key, ends in found.items()
    ]
    assert max(apart) < 5e-3, apart
    return float(f"{max(apart):.1g}")


def row_of(method: str, measure: str, ends: Array, at: float, fits: int) -> dict:
    """Coverage with its Monte Carlo standard error, sides missed, middles and widths."""
    lower, upper = ends
    n, width = lower.size, upper - lower
    covered = (lower <= at) & (upper >= at)
    coverage = float(covered.mean())
    return {
        "method": method,
        "measure": measure,
        "tables": n,
        "coverage": round(coverage, 4),
        "coverage_se": round((max(coverage * (1 - coverage), 0.5 / n) / n) ** 0.5, 4),
        "coverage_on_fitted": round(float(covered[:fits].mean()), 4),
        "all_below_truth": round(float((upper < at).mean()), 4),
        "all_above_truth": round(float((lower > at).mean()), 4),
        "truth": round(at, 3),
        "mean_middle": round(float((lower + upper).mean() / 2), 3),
        "mean_width": round(float(width.mean()), 4),
        "mean_width_se": round(float(width.std() / n**0.5), 4),
    }


def tried(cell: Cell, fits: int, seed: int) -> dict:
    start = time.process_time()
    fits = int(fits * cell.share)
    studies = simulated(cell, max(times for _, times in METHODS.values()) * fits, seed)
    whole = usable(studies).reshape(-1, cell.k).all(axis=1)
    kept = studies.keep(np.repeat(whole, cell.k))
    few = first(kept, fits * cell.k)
    with coarser():
        posteriors = fitted(cell, few)
    apart = compare_with_package(cell, few, posteriors)
    rows = {**converted(cell, kept, fits), **posteriors}
    told = cell._asdict()
    return {
        "key": cell.key,
        "cell": {
            **told,
            "fitted": fits,
            "not_usable": int((~whole).sum()),
            "largest_difference_from_package": apart,
        },
        "rows": [
            {**told, **row_of(*key, ends, truth(cell, key[1]), fits)} for key, ends in rows.items()
        ],
        "seconds": round(time.process_time() - start, 1),
    }


def run(fits: int, seed: int, checkpoint: Path | None) -> list[dict]:
    found = {}
    if checkpoint and checkpoint.exists():
        lines = checkpoint.read_text().splitlines()
        found = {one["key"]: one for one in map(json.loads, lines)}
    for cell in cells():
        if cell.key not in found:
            found[cell.key] = done = tried(cell, fits, seed)
            if checkpoint:
                with checkpoint.open("a") as file:
                    file.write(json.dumps(done) + "\n")
            print(f"{cell.key:52s}{done['seconds']:8.1f} s  {done['cell']}", flush=True)
    return [found[cell.key] for cell in cells()]


def table_of(rows: list[dict]) -> str:
    """Markdown: coverage in per cent with its standard error, and mean width, of each method."""
    said = list(dict.fromkeys(row["method"] for row in rows))
    lines = [
        "| data | k | n | rounding | measure | " + " | ".join(said) + " |",
        "| --- | ---: | ---: | --- | --- |" + " ---: |" * len(said),
    ]
    for cell, measure in ((one, measure) for one in cells() for measure in one.measures):
        here = {
            row["method"]: row
            for row in rows
            if all(row[name] == value for name, value in cell._asdict().items())
            and row["measure"] == measure
        }
        shown = [_shown(here.get(method)) for method in said]
        head = f"{cell.data} | {cell.k} | {cell.n} | {cell.rounding} | {measure}"
        lines.append(f"| {head} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _shown(row: dict | None) -> str:
    if row is None:
        return ""
    return f"{100 * row['coverage']:.1f} ({100 * row['coverage_se']:.1f}), {row['mean_width']:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20240622)
    parser.add_argument("--fits", type=int, default=200)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    found = run(given.fits, given.seed, given.checkpoint)
    rows = [row for one in found for row in one["rows"]]
    wrong = [repr(model) for model in WRONG.values()]
    result = {
        "command": f"uv run benchmarks/medians.py --seed {given.seed} --fits {given.fits} "
        "-o benchmarks/results/medians.json",
        "seed": given.seed,
        **made_with(VERSIONS),
        "truth": {
            "normal": {"sd": SD, "mean_control": MEAN, "md": EFFECT, "tau": TAU},
            "log-normal": {"sd_logs": SD_LOGS, "mean_logs_control": MEAN_LOGS, "log_ratio": RATIO},
        },
        "models": [*map(repr, (OF_NORMAL, OF_LOG_NORMAL, POOLED, TWO_STAGE)), *wrong],
        "coarser": {
            f"{module.__name__}.{name}": repr(value)
            for module, numbers in COARSER.items()
            for name, value in numbers.items()
        },
        "processor_minutes": round(sum(one["seconds"] for one in found) / 60, 1),
        "cells": [one["cell"] for one in found],
        "rows": rows,
    }
    if given.output:
        given.output.write_text(in_lines(result))
    print(f"\n{table_of(rows)}")


if __name__ == "__main__":
    main()
