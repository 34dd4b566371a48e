"""How much of `run` of the real case is what it tells of people?

    uv run benchmarks/people.py [--times 3]

Each run is a process of its own with warm caches: as the specification stands, and with nothing
told of people (no baselines, absolute effects, curves over thresholds or summary of findings), in
turn. Processor seconds of the main thread, where all of it is done: sampling, in a thread of its
own, is the same in both and varies by more. Medians, and their ratio.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import thread_time

SPEC = Path(__file__).parents[1] / "models" / "msc-covid19.toml"
STATES = ("told", "not told")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--times", type=int, default=3)
    asked.add_argument("--one", choices=STATES, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.one:
        one(told=given.one == "told")
        return
    found = {state: [] for state in STATES}
    seconds("told")  # compiled programs are stored
    for _ in range(given.times):
        for state in STATES:
            found[state].append(seconds(state))
            print(f"{state}: {found[state][-1]:.2f} s of cpu", flush=True)
    middle = {state: statistics.median(values) for state, values in found.items()}
    told, without = middle["told"], middle["not told"]
    print(f"medians {told:.2f} s and {without:.2f} s: people take {told / without - 1:.1%} more")


def seconds(state: str) -> float:
    """Processor seconds of the main thread of one run."""
    words = [sys.executable, __file__, "--one", state]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def one(*, told: bool) -> None:
    from bayesmeta import analysis
    from bayesmeta.analysis import outcomes
    from bayesmeta.report import write_results
    from bayesmeta.specification import load_specification

    if not told:
        outcomes.absolute = lambda *_: (None, "")
    with tempfile.TemporaryDirectory() as folder:
        write_results(analysis.run(load_specification(SPEC)), Path(folder) / "out")
    print(thread_time())


if __name__ == "__main__":
    main()
