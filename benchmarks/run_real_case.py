"""Time the real case as a user meets it: cold caches, warm caches, one table, help; memory too.

    uv run benchmarks/run_real_case.py [--before CHECKOUT] [--times 3]

Each command is a fresh process. With another checkout, both are run in turn with warm caches, and
the ratios of their medians are printed: machines differ, ratios of one run hardly.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
CASE = "models/msc-covid19.toml"
COUNTS = "examples/bcg/bcg.csv"


class Cost(NamedTuple):
    """Seconds on the clock and of all processors, and the largest process in MiB."""

    wall: float
    cpu: float
    peak: float


def measured(words: list[str], checkout: Path, cache: str) -> Cost:
    """Run a command of a checkout in a process of its own."""
    environment = {**os.environ, "BAYESMETA_CACHE": cache, "PYTHONPATH": str(checkout)}
    start = time.perf_counter()
    running = subprocess.Popen(
        [sys.executable, "-m", "bayesmeta", *words],
        cwd=checkout,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _, status, used = os.wait4(running.pid, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(words)} failed in {checkout}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout to run in turn")
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    states = {"now": ROOT} | ({"before": asked.before.resolve()} if asked.before else {})
    with tempfile.TemporaryDirectory() as folder:
        run = ["run", CASE, "-o", f"{folder}/out"]
        jobs = {
            "the real case": run,
            "fit, estimates": ["fit", COUNTS, "--measure", "RR"],
            "fit, counts": ["fit", COUNTS, "--measure", "RR", "--counts"],
            "--help": ["--help"],
        }
        caches = {name: f"{folder}/cache-{name}" for name in states}
        rows = {
            ("the real case, cold", name): [measured(run, states[name], caches[name])]
            for name in states
        }
        for job, words in jobs.items():
            for _ in range(asked.times):
                for name, checkout in states.items():
                    found = measured(words, checkout, caches[name])
                    rows.setdefault((job, name), []).append(found)
    table = {key: median(costs) for key, costs in rows.items()}
    print(
        "| | | wall, s | processor, s | largest process, MiB |\n| --- | --- | ---: | ---: | ---: |"
    )
    for (job, name), cost in table.items():
        print(f"| {job} | {name} | {cost.wall:.2f} | {cost.cpu:.2f} | {cost.peak:.0f} |")
        if name == "before":
            now = table[job, "now"]
            print(f"| | ratio | {cost.wall / now.wall:.2f} | {cost.cpu / now.cpu:.2f} | |")
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"\n{children.ru_utime + children.ru_stime:.0f} processor seconds in all.")


if __name__ == "__main__":
    main()
