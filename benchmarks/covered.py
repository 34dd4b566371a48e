"""Which lines of each room do the default tests run, and which do default and deep tests run?

    uv run benchmarks/covered.py            # measures, prints the table, keeps it
    uv run benchmarks/covered.py --first    # and makes it the table that later ones are held to

Lines are statements as coverage.py counts them, of `bayesmeta/` alone; what runs in a process that
a test starts is not counted. A room is a folder or a file of the package. The shares are kept in
results/covered.json; tests/test_loop.py holds them to their bounds.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from stored import in_lines, made_with

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "covered.json"
SUITES = {"default": (), "deep": ("-m", "deep")}
VERSIONS = ("bayesmeta", "coverage", "pytest", "pytest-cov")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--first", action="store_true", help="hold later tables to this one")
    words = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = table(*(traced(name, Path(folder)) for name in SUITES))
    first = rows if words.first else json.loads(RESULT.read_text())["first"]
    result = {
        "command": "uv run benchmarks/covered.py",
        **made_with(VERSIONS),
        "first": first,
        "rooms": rows,
    }
    RESULT.write_text(in_lines(result))
    print("| room | lines | default | both | default / both |\n| --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        default, both = row["default"], row["both"]
        share = f"{default / both:.3f}" if both else ""  # __main__ runs in processes of its own
        print(f"| {row['room']} | {row['lines']} | {default} | {both} | {share} |")


def traced(suite: str, folder: Path) -> dict:
    """Run one of the two suites; per file the statements that ran and those that did not."""
    environment = {**os.environ, "COVERAGE_FILE": str(folder / suite), "COVERAGE_CORE": "sysmon"}
    run = [sys.executable, "-m", "pytest", "-q", "--cov=bayesmeta", "--cov-report="]
    run += ["--ignore=tests/test_loop.py"]  # it holds the table that is made here
    subprocess.run([*run, *SUITES[suite]], cwd=ROOT, env=environment, check=True)
    return report(folder / suite)


def report(data: Path) -> dict:
    """Read what coverage.py stored: by another process, for coverage.py has a namesake here."""
    command = [sys.executable, "-m", "coverage", "json", f"--data-file={data}", "-q", "-o", "-"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return json.loads(said)["files"]


def table(default: dict, deep: dict) -> list[dict]:
    """Statements of every room, and how many of them ran."""
    counts: dict[str, Counter] = {}
    for path in sorted({*default, *deep}):
        ran = [set(one.get(path, {}).get("executed_lines", ())) for one in (default, deep)]
        missing = default[path]["missing_lines"]
        room = counts.setdefault(room_of(path), Counter())
        room["lines"] += len(ran[0]) + len(missing)
        room["default"] += len(ran[0])
        room["both"] += len(ran[0] | ran[1])
    return [{"room": room, **counts[room]} for room in sorted(counts)]


def room_of(path: str) -> str:
    return Path(path).parts[1].removesuffix(".py")


if __name__ == "__main__":
    main()
