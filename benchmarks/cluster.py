"""Time a batch on this machine, on one and on two local Dask workers, and begun again.

    uv run benchmarks/cluster.py [--groups 200000] [--tables 20000]

One table of estimates and one of counts, Parquet in and out. Every run is a process of its own, as
a user starts it, with compiled programs in the cache; a worker has one core. "Start" is two workers
and their first batch, of one group. All files that come out must have the same bytes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from batch import simulate, simulate_counts
from distributed import Client, LocalCluster


def table_of(arrays: dict, path: Path) -> None:
    groups, k = next(iter(arrays.values())).shape
    columns = {name: each.ravel() for name, each in arrays.items()}
    pd.DataFrame({"g": np.repeat(np.arange(groups), k), **columns}).to_parquet(path, index=False)


def run(table: Path, output: Path, *more: str) -> float:
    before = time.perf_counter()
    words = ["batch", str(table), "--by", "g", "--measure", "OR", "-o", str(output), *more]
    done = subprocess.run([sys.executable, "-m", "bayesmeta", *words], capture_output=True)
    assert done.returncode in (0, 1), done.stderr.decode()
    return time.perf_counter() - before


def busy() -> float:
    """Processor seconds of the commands that were run."""
    commands = resource.getrusage(resource.RUSAGE_CHILDREN)
    return commands.ru_utime + commands.ru_stime


def on_workers(count: int, one: Path, table: Path, output: Path, *more: str) -> dict[str, float]:
    """Wall seconds of start and table, processor seconds of the busiest worker and the command."""
    before = time.perf_counter()
    with LocalCluster(
        n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster, Client(cluster.scheduler_address) as client:  # fmt: skip
        for core, worker in enumerate(client.scheduler_info()["workers"]):
            client.run(os.sched_setaffinity, 0, {core % os.cpu_count()}, workers=[worker])
        there = (*more, "--dask", cluster.scheduler_address)
        run(one, output.with_name("one.parquet"), *there)
        start, worked, driven = (
            time.perf_counter() - before,
            client.run(time.process_time),
            busy(),
        )
        wall = run(table, output, *there)
        after = client.run(time.process_time)
        most = max(after[name] - worked[name] for name in after)
        return {"wall": wall, "start": start, "worker": most, "here": busy() - driven}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=200_000, help="Of estimates.")
    parser.add_argument("--tables", type=int, default=20_000, help="Of counts.")
    parser.add_argument("--k", type=int, default=14)
    given = parser.parse_args()
    counts = simulate_counts(given.tables, given.k, n=(100, 400), logit=-1.0)
    cases = {
        "estimates": (simulate(given.groups, given.k), ()),
        "counts": (counts, ("--counts",)),
    }
    heads = ("groups", "on", "wall s", "busiest worker cpu s", "command cpu s", "start s")
    print("".join(f"{head:>{len(head) + 4}s}" for head in ("         ", *heads)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case, (arrays, more) in cases.items():
            table, one = folder / f"{case}.parquet", folder / f"{case}-one.parquet"
            table_of(arrays, table)
            table_of({name: each[:1] for name, each in arrays.items()}, one)
            outputs = [folder / f"{case}-{how}.parquet" for how in ("here", 1, 2)]
            run(table, outputs[0], *more)  # what is compiled is in the cache
            driven = busy()
            wall = run(table, outputs[0], *more)
            found = {
                "threads": {"wall": wall, "worker": 0.0, "here": busy() - driven, "start": 0.0}
            }
            for count, output in zip((1, 2), outputs[1:], strict=True):
                found[f"{count} worker"] = on_workers(count, one, table, output, *more)
            assert len({path.read_bytes() for path in outputs}) == 1
            groups = len(next(iter(arrays.values())))
            for on, each in found.items():
                print(f"{case:>13s}{groups:10d}{on:>12s}{each['wall']:10.1f}{each['worker']:24.1f}"
                      f"{each['here']:17.1f}{each['start']:11.1f}", flush=True)  # fmt: skip
    print("all files have the same bytes")


if __name__ == "__main__":
    main()
