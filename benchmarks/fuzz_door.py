"""Read random files as people write them, and count how that ends.

    uv run benchmarks/fuzz_door.py [--files 20000] [--workbooks 500] [--broken 5000]

Each file is held to what its writer meant: "wrong" must be 0, and no other exception may come. The
files are those of tests/random_files.py, of which the default run reads the first 2,000.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from random_files import NUMBERS, counted, held_to, random_workbook, read, spoiled_bytes

import bayesmeta as bm


def broken(case: int) -> str:
    try:
        read(spoiled_bytes(case), numbers=NUMBERS if case % 2 else ())
    except bm.BayesmetaError:
        return "refused"
    return "read"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--workbooks", type=int, default=500)
    parser.add_argument("--broken", type=int, default=5_000)
    given = parser.parse_args()
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found, wrong = counted(range(given.files), Path(folder) / "t.csv")
    books = Counter(held_to(random_workbook(case)) for case in range(given.workbooks))
    spoiled = Counter(map(broken, range(given.broken)))
    for what, ends in (("files", found), ("workbooks", books), ("broken files", spoiled)):
        print(f"{what:14s}{', '.join(f'{end} {count}' for end, count in sorted(ends.items()))}")
    print(f"{'wrong':14s}{len(wrong) + books['wrong']} {wrong[:10]}")
    print(f"{'seconds':14s}{time.process_time() - start:.1f}")
    sys.exit(bool(wrong or books["wrong"]))


if __name__ == "__main__":
    main()
