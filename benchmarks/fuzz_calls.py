"""Read random specifications and make random calls, and count how they end.

    uv run benchmarks/fuzz_calls.py [--cases 20000]

Each case is named by its number: every third a specification of which some lines hold odd values,
the others calls of public names of which one or two arguments, or a cell, are odd. Each must end in
an answer or in one of our errors, in one line of bounded length. The cases are those of
tests/random_calls.py, of which the default run makes the first 1,000. Writes
``benchmarks/results/fuzz_calls.json``.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from random_calls import CALLS, LONGEST, ODD, VALUES, ends
from stored import in_lines, made_with

RESULT = Path(__file__).parent / "results" / "fuzz_calls.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    start = time.process_time()
    found, wrong = ends(range(given.cases))
    result = {
        **made_with(["bayesmeta", "numpy", "scipy", "pandas"]),
        "cases": given.cases,
        "kinds": {"calls": len(CALLS), "odd arguments": len(ODD), "values of TOML": len(VALUES)},
        "longest refusal allowed": LONGEST,
        "ends": dict(sorted(found.items())),
        "wrong": [{"case": case, "end": end} for case, end in wrong.items()],
    }
    RESULT.write_text(in_lines(result), encoding="utf-8")
    print(f"{result['ends']}, {time.process_time() - start:.0f} seconds")
    for case, end in wrong.items():
        print(f"{case}: {end}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
