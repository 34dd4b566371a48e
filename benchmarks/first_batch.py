"""Processor time of a batch before its answers: reading its table, and the first call of a process.

    uv run benchmarks/first_batch.py --before WORKTREE [--groups 20000]

This checkout and another one in turn, a process for each number, compiled programs in the cache;
the least of three.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from batch import simulate

ROOT = Path(__file__).parents[1]
START = "import time, sys; start = time.process_time();"
END = "; print(time.process_time() - start)"
READ = "; table = sys.argv[1]; start = time.process_time(); "
TEXT = "from bayesmeta.files import read_table"
FIRST = """
import numpy as np, bayesmeta as bm
rng = np.random.default_rng(0)
model = bm.{model}
names = model.takes.columns()
arrays = {{name: rng.integers(20, 40, (60, 9)) * 1.0 for name in names}}
arrays |= {{name: arrays[name] + 100 for name in names if name[0] == "n"}}
{more}
assert (bm.fit_many(model, arrays)["problem"] == "").all()
"""
ALONE = "import jax, pandas; bm.fit_many; start = time.process_time()"
PRIORS = "mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)"
ESTIMATES = f"NormalNormal({PRIORS})"
COUNTS = f"BinomialNormal(measure='OR', {PRIORS})"
BATCH = """
from bayesmeta.cli import main
words = ["batch", sys.argv[1], "--by", "g", "--measure", "OR", "-o", sys.argv[2]]
main(words, standalone_mode=False)
"""
JOBS = {
    "pandas.read_csv of the table": "import pandas" + READ + "pandas.read_csv(table)",
    "read_table, every cell as text": TEXT + READ + "read_table(table)",
    "read_table, as a batch reads it": TEXT + "; import inspect; plain = {'numbers': {'y', 'se'}} "
    "if 'numbers' in inspect.signature(read_table).parameters else {}"
    + READ
    + "read_table(table, **plain)",
    "process with a first fit_many, estimates": FIRST.format(model=ESTIMATES, more=""),
    "process with a first fit_many, counts": FIRST.format(model=COUNTS, more=""),
    "the first fit_many itself, estimates": FIRST.format(model=ESTIMATES, more=ALONE),
    "the first fit_many itself, counts": FIRST.format(model=COUNTS, more=ALONE),
    "bayesmeta batch, from start to file": BATCH,
}


def seconds(words: str, where: Path, cache: Path, *given: str) -> float:
    env = {**os.environ, "PYTHONPATH": str(where), "BAYESMETA_CACHE": str(cache)}
    script = f"{START}\n{words}{END if words.count(chr(10)) < 2 else END[2:]}"
    done = subprocess.run(
        [sys.executable, "-c", script, *given],
        env=env, capture_output=True, text=True, check=True, cwd=where,
    )  # fmt: skip
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True, help="A worktree of the other state.")
    parser.add_argument("--groups", type=int, default=20_000, help="Of 14 studies.")
    given = parser.parse_args()
    arrays = simulate(given.groups, 14)
    names = {"g": np.repeat(np.arange(given.groups), 14), "study": [*range(14)] * given.groups}
    with tempfile.TemporaryDirectory() as name:
        table, rows = Path(name) / "table.csv", Path(name) / "rows.csv"
        frame = pd.DataFrame({**names, **{one: each.ravel() for one, each in arrays.items()}})
        frame.assign(study="Study " + frame["study"].astype(str)).to_csv(table, index=False)
        print(f"{'processor seconds':44s}{'before':>8s}{'after':>8s}{'ratio':>8s}")
        for job, words in JOBS.items():
            least = {}
            for which, where in (("before", given.before.resolve()), ("after", ROOT)):
                cache = Path(name) / which
                found = [seconds(words, where, cache, str(table), str(rows)) for _ in range(4)]
                least[which] = min(found[1:])  # the first fills the cache
            before, after = least["before"], least["after"]
            print(f"{job:44s}{before:8.2f}{after:8.2f}{after / before:8.2f}")


if __name__ == "__main__":
    main()
