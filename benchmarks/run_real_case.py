"""Time the real case as a user meets it: cold caches, warm caches, help, peak memory.

    uv run benchmarks/run_real_case.py

Each command is a fresh process. Ratios against a loop of ten million additions in the same run make
machines comparable.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BAYESMETA = [sys.executable, "-m", "bayesmeta"]


def yardstick() -> float:
    start, total = time.perf_counter(), 0
    for i in range(10_000_000):
        total += i
    return time.perf_counter() - start


def timed(words: list[str], cache: str) -> float:
    start = time.perf_counter()
    environment = {**os.environ, "BAYESMETA_CACHE": cache}
    subprocess.run(words, check=True, cwd=ROOT, env=environment, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    unit = yardstick()
    with tempfile.TemporaryDirectory() as folder:
        run = [*BAYESMETA, "run", "models/msc-covid19.toml", "-o", f"{folder}/out"]
        rows = {
            "run, cold caches": timed(run, f"{folder}/cache"),
            "run, warm caches": timed(run, f"{folder}/cache"),
            "--help": timed([*BAYESMETA, "--help"], f"{folder}/cache"),
        }
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{'':20s}{'seconds':>10s}{'ratio':>10s}")
    for name, seconds in rows.items():
        print(f"{name:20s}{seconds:10.2f}{seconds / unit:10.1f}")
    print(f"peak memory {peak:.0f} MiB; yardstick {unit:.2f} s")


if __name__ == "__main__":
    main()
