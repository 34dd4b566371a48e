"""How long do joint draws of the real case take after its fits, and how much memory?

    uv run benchmarks/psa.py [--draws 100000]

The fits, and baselines from the control arms, are made before. The draws hold what they need of
other fits: odds ratios where a risk ratio lifts a risk above 1. The most memory is that of the
whole process.
"""

import argparse
import resource
import sys
from pathlib import Path
from time import perf_counter, process_time

import bayesmeta as bm
from bayesmeta.analysis.psa import outcomes_of
from bayesmeta.specification import load_specification

SPEC = Path(__file__).parents[1] / "models" / "msc-covid19.toml"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--draws", type=int, default=100_000)
    n = asked.parse_args().draws
    carried, _ = outcomes_of(load_specification(SPEC))
    before = most()
    print(f"{len(carried)} outcomes; {before:.0f} MB before the draws")
    for time in ("first", "again"):
        start, worked = perf_counter(), process_time()
        found = bm.psa(carried, draws=n, seed=1, correlation=0.3)
        took, worked = perf_counter() - start, process_time() - worked
        columns = found.frame.shape[1]
        print(f"{time}: {n:,} draws of {columns} columns in {took:.2f} s, {worked:.2f} s of cpu")
    print(f"{most():.0f} MB at most")


def most() -> float:
    """Megabytes that this process held at most."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main()
