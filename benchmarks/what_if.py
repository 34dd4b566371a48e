"""What the scenario table costs: its share of `run` of the real case, and a thousand refits.

    uv run benchmarks/what_if.py [--before CHECKOUT] [--times 3]

Each run is a process of its own with warm caches, of this checkout and of another in turn. Tables
are timed on the main thread, where all of it is done, beside all else of the process: the
second source, which samples in a thread of its own, included. The refits are of ten studies, each
of a thousand draws of their results, by `fit_many` from arrays with quantiles, once it has been
called on as many. Medians; machines differ, ratios of one run hardly.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
REFITS, K = 1000, 10


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--before", type=Path, help="another checkout to run in turn")
    asked.add_argument("--times", type=int, default=3)
    asked.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.one:
        print(json.dumps({**table(), **refits()}))
        return
    states = {"now": ROOT} | ({"before": given.before.resolve()} if given.before else {})
    found = {name: [] for name in states}
    for turn in range(given.times + 1):  # the first stores compiled programs
        for name, checkout in states.items():
            one = measured(checkout)
            if turn:
                found[name].append(one)
                print(name, {key: round(value, 2) for key, value in one.items()}, flush=True)
    middle = {
        name: {key: statistics.median(one[key] for one in runs) for key in runs[0]}
        for name, runs in found.items()
    }
    print(f"| | {' | '.join(middle)} |\n| --- |{' ---: |' * len(middle)}")
    for key in middle["now"]:
        print(f"| {key} | {' | '.join(f'{one[key]:.2f}' for one in middle.values())} |")


def measured(checkout: Path) -> dict[str, float]:
    """What a process of a checkout finds."""
    words = [sys.executable, str(Path(__file__).resolve()), "--one"]
    settings = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=settings)
    return json.loads(done.stdout)


def table() -> dict[str, float]:
    """Seconds of the scenario tables and of all else that `run` does."""
    from bayesmeta import analysis
    from bayesmeta.analysis import outcomes
    from bayesmeta.report import write_results
    from bayesmeta.specification import load_specification

    spent, made = [0.0, 0.0], outcomes.what_if

    def timed(*asked: object) -> object:
        wall, cpu = time.perf_counter(), time.thread_time()
        found = made(*asked)
        spent[0] += time.perf_counter() - wall
        spent[1] += time.thread_time() - cpu
        return found

    outcomes.what_if = timed
    wall, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        source = load_specification(ROOT / "models" / "msc-covid19.toml")
        write_results(analysis.run(source), Path(folder) / "out")
    others = (time.perf_counter() - wall - spent[0], time.process_time() - cpu - spent[1])
    return {
        "scenario tables, cpu s": spent[1],
        "all else of `run`, cpu s": others[1],
        "tables / all else, cpu": spent[1] / others[1],
        "scenario tables, wall s": spent[0],
        "all else of `run`, wall s": others[0],
        "tables / all else, wall": spent[0] / others[0],
    }


def refits() -> dict[str, float]:
    """Seconds of a thousand refits, programs compiled."""
    import numpy as np

    import bayesmeta as bm

    rng, shape = np.random.default_rng(1), (REFITS, K)
    se = np.broadcast_to(rng.uniform(0.1, 0.5, K), shape)
    n = np.broadcast_to(rng.integers(100, 400, (2, 1, K)), (2, *shape))
    events = rng.binomial(n, np.array([0.2, 0.25])[:, None, None])
    names = bm.BinaryStudies.columns()
    counts = dict(zip(names, (events[0], n[0], events[1], n[1]), strict=True))
    wide = {"mu": bm.Normal(0, 2), "tau": bm.HalfNormal(0.5)}
    normal = {"y": rng.normal(-0.3, np.hypot(se, 0.2)), "se": se}
    return {
        "1,000 normal refits, wall s": again(lambda: bm.fit_many(bm.NormalNormal(**wide), normal)),
        "1,000 dense binomial refits, wall s": again(
            lambda: bm.fit_many(bm.BinomialNormal(measure="OR", **wide), counts)
        ),
    }


def again(work: Callable[[], object]) -> float:
    work()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
