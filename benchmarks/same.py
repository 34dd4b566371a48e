"""Run specifications again under other circumstances, and hold every file to the first.

    uv run benchmarks/same.py [models/bcg.toml ...] [--other PATH_TO_ANOTHER_BAYESMETA ...]

Circumstances: again; another time zone, locale and hash seed; an empty program cache; one core; and
the command of another environment, e.g. of another Python. A row of the table says how many files
differ, the largest relative difference of a number in results.json, and whether the draws of NUTS
are the same to the bit.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import xarray as xr

HERE = (sys.executable, "-c", "from bayesmeta.cli import main; main(prog_name='bayesmeta')")
ELSEWHERE = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "7"}


def run(command: tuple[str, ...], spec: Path, out: Path, **how: object) -> None:
    subprocess.run([*command, "run", spec, "-o", out, "--quiet"], check=True, **how)


def one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def files(folder: Path) -> Mapping[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def differences(one: object, other: object) -> Iterator[float]:
    """Of numbers at equal places, relative to the larger or to 1; infinite for anything else."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name in one.keys() - {"versions"}:
            yield from differences(one[name], other[name])
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for a, b in zip(one, other, strict=True):
            yield from differences(a, b)
    elif isinstance(one, float) and isinstance(other, float) and one != other:
        yield abs(one - other) / max(abs(one), abs(other), 1.0)
    elif one != other:
        yield np.inf


def same_draws(one: Path, other: Path) -> str:
    """Whether all parameters that were sampled are the same to the bit."""
    paths = [path.relative_to(one) for path in sorted(one.rglob("posterior-nuts.nc"))]
    for path in paths:
        with (
            xr.open_datatree(one / path, engine="h5netcdf") as a,
            xr.open_datatree(other / path, engine="h5netcdf") as b,
        ):
            if not a["posterior"].dataset.identical(b["posterior"].dataset):
                return "differ"
    return "the same" if paths else "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", type=Path, default=[Path("models/bcg.toml")])
    parser.add_argument("--other", nargs="*", default=[])
    given = parser.parse_args()
    print("| specification | circumstances | files that differ | largest difference | draws |")
    print("| --- | --- | ---: | ---: | --- |")
    for spec in given.specs:
        with tempfile.TemporaryDirectory() as home:
            first = Path(home) / "first"
            run(HERE, spec, first)
            cold = {**os.environ, "BAYESMETA_CACHE": str(Path(home) / "cache")}
            ways = {
                "again": (HERE, {}),
                "time zone, locale, hash seed": (HERE, {"env": {**os.environ, **ELSEWHERE}}),
                "no program cache": (HERE, {"env": cold}),
                "one core": (HERE, {"preexec_fn": one_core}),
                **{other: ((other,), {}) for other in given.other},
            }
            for name, (command, how) in ways.items():
                out = Path(home) / "other"
                run(command, spec, out, **how)
                a, b = files(first), files(out)
                unlike = [path for path in {*a, *b} if a.get(path) != b.get(path)]
                numbers = [json.loads(each["results.json"]) for each in (a, b)]
                most = max(differences(*numbers), default=0.0)
                row = (spec.stem, name, len(unlike), f"{most:.1g}", same_draws(first, out))
                print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
