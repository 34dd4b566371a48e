"""Time many meta-analyses at once against one `fit` after another, estimates and counts.

    uv run benchmarks/batch.py [--groups 1000000] [--tables 2000] [--k 14]
    uv run benchmarks/batch.py --regressions

Processor time per fit, from arrays and from a table in long form; the first call, which compiles or
reads a compiled program, is timed by itself.
"""

import argparse
import resource
import time

import numpy as np

import bayesmeta as bm

MODEL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
COUNTS = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))


def simulate(groups: int, k: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    se = rng.uniform(0.1, 0.6, (groups, k))
    theta = rng.normal(-0.3, 0.25, (groups, k))
    return {"y": theta + se * rng.standard_normal((groups, k)), "se": se}


def simulate_counts(tables: int, k: int, *, n: tuple[int, int], logit: float) -> dict:
    """Two binomial arms; `n` bounds their sizes, `logit` is the mean baseline."""
    rng = np.random.default_rng(1)
    size = rng.integers(*n, size=(2, tables, k))
    base = rng.normal(logit, 0.5, (tables, k))
    theta = rng.normal(-0.35, 0.25, (tables, k))
    events = rng.binomial(size, 1 / (1 + np.exp(-np.array([base + theta, base]))))
    names = bm.BinaryStudies.columns()
    columns = (events[0], size[0], events[1], size[1])
    return {name: each.astype(float) for name, each in zip(names, columns, strict=True)}


def regressions(groups: int = 10_000, k: int = 20) -> None:
    """Time regressions on a number from arrays, the second call of each."""
    location = bm.Linear("x", intercept=bm.Normal(0, 2), slopes=bm.Normal(0, 0.3))
    model = bm.NormalNormal(mu=location, tau=MODEL.tau)
    arrays = simulate(groups, k)
    arrays["x"] = np.random.default_rng(2).normal(40, 10, (groups, k))
    for label, quantiles in (("moments", False), ("with 9 quantiles", True)):
        bm.fit_many(model, arrays, quantiles=quantiles)
        wall, cpu = timed(lambda q=quantiles: bm.fit_many(model, arrays, quantiles=q))
        print(
            f"{groups} regressions of {k} studies, {label}: {wall:.2f} s, {cpu:.2f} s of processor"
        )


def timed(work) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def single(arrays: dict[str, np.ndarray], repeats: int = 300) -> tuple[float, float]:
    study = [str(i) for i in range(arrays["y"].shape[1])]
    rows = zip(arrays["y"][:repeats], arrays["se"], strict=False)
    data = [bm.EffectSizes.from_arrays(study, y, se) for y, se in rows]
    bm.fit(MODEL, data[0])
    return timed(lambda: [bm.fit(MODEL, one) for one in data])


def single_counts(arrays: dict[str, np.ndarray], repeats: int) -> tuple[float, float]:
    study = [str(i) for i in range(arrays["n_control"].shape[1])]
    rows = [{name: each[i] for name, each in arrays.items()} for i in range(repeats)]
    data = [bm.BinaryStudies(study=study, **row) for row in rows]
    bm.fit(COUNTS, data[0])
    return timed(lambda: [bm.fit(COUNTS, one) for one in data])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=100_000)
    parser.add_argument("--tables", type=int, default=2_000, help="Of counts.")
    parser.add_argument("--k", type=int, default=14)
    parser.add_argument("--table", action="store_true", help="Also from a table in long form.")
    parser.add_argument("--regressions", action="store_true", help="Those alone.")
    given = parser.parse_args()
    if given.regressions:
        regressions()
        return
    arrays = simulate(given.groups, given.k)
    few = {name: values[:300] for name, values in arrays.items()}
    rows = {"one fit after another": (*single(few), 300)}
    for label, quantiles in (("moments", False), ("with 8 quantiles", True)):
        first = timed(lambda q=quantiles: bm.fit_many(MODEL, few, quantiles=q))
        rows[f"{label}, first call with 300"] = (*first, 300)
        run = timed(lambda q=quantiles: bm.fit_many(MODEL, arrays, quantiles=q))
        rows[f"{label}, arrays"] = (*run, given.groups)
    if given.table:
        import pandas as pd

        group = np.repeat(np.arange(given.groups), given.k)
        table = pd.DataFrame({"group": group, **{n: v.ravel() for n, v in arrays.items()}})
        run = timed(lambda: bm.fit_many(MODEL, table, by="group", quantiles=False))
        rows["moments, table"] = (*run, given.groups)
    for words, n, logit, tables in (
        ("dense counts", (100, 400), -1.0, given.tables),
        ("sparse counts", (20, 80), -3.0, max(given.tables // 20, 20)),
    ):
        counts = simulate_counts(tables, given.k, n=n, logit=logit)
        repeats = min(tables, 30)
        rows[f"{words}, one fit after another"] = (*single_counts(counts, repeats), repeats)
        few = {name: each[:20] for name, each in counts.items()}
        for label, quantiles in (("moments", False), ("with 8 quantiles", True)):
            work = timed(lambda q=quantiles, t=few: bm.fit_many(COUNTS, t, quantiles=q))
            rows[f"{words}, {label}, first call with 20"] = (*work, 20)
            work = timed(lambda q=quantiles, t=counts: bm.fit_many(COUNTS, t, quantiles=q))
            rows[f"{words}, {label}"] = (*work, tables)
    alone = rows["one fit after another"][1] / 300
    print(f"{'':48s}{'fits':>9s}{'wall s':>9s}{'cpu s':>9s}{'cpu us/fit':>12s}{'ratio':>8s}")
    for name, (wall, cpu, fits) in rows.items():
        each = cpu / fits
        print(f"{name:48s}{fits:9d}{wall:9.2f}{cpu:9.2f}{1e6 * each:12.1f}{alone / each:8.1f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
