"""Change single operators and numbers of the pure rooms, and see whether a test notices.

    make mutants                                        # all rooms, about half an hour
    uv run --with cosmic-ray==8.7.0 benchmarks/mutants.py effects evidence/_weights
    ... benchmarks/mutants.py --python PYTHON -o FILE   # tests run by another Python

cosmic-ray makes the mutants; here they are sampled with a fixed seed, at most one at a place, and
each is run against the tests of its own room, in a copy of the repository: nothing is edited in
place. A line of JSON tells the fate of each, survivors with their change; a table by room ends the
output. The exit status is 0: whether a survivor matters is for a reader to say, and what was said
of those of the last full run stands in docs/calibration.md.
"""

import argparse
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.plugins import operator_names
from cosmic_ray.testing import run_tests
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome, WorkItem

ROOT = Path(__file__).parents[1]
SEED = 20
TIMEOUT = 150  # seconds; a mutant that takes longer counts as killed

# Those that make another number of a number; a bitwise operator between floats is caught by Python.
SWAPS = {
    "Add": ("Sub", "Mul"), "Sub": ("Add",), "Mul": ("Div", "Add"), "Div": ("Mul",),
    "Pow": ("Mul",), "FloorDiv": ("Mul",), "BitAnd": ("BitOr",),
}  # fmt: skip
COMPARED = {
    "Lt": ("LtE", "Gt"), "LtE": ("Lt", "GtE"), "Gt": ("GtE", "Lt"), "GtE": ("Gt", "LtE"),
    "Eq": ("NotEq",), "NotEq": ("Eq",),
}  # fmt: skip
OPERATORS = (
    *(f"ReplaceBinaryOperator_{old}_{new}" for old, olds in SWAPS.items() for new in olds),
    *(f"ReplaceComparisonOperator_{old}_{new}" for old, olds in COMPARED.items() for new in olds),
    *("ReplaceUnaryOperator_Delete_USub", "ReplaceUnaryOperator_Delete_Invert"),
    *("ReplaceUnaryOperator_Delete_Not", "ReplaceAndWithOr", "ReplaceOrWithAnd", "NumberReplacer"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceBreakWithContinue"),
)


class Room(NamedTuple):
    """How many mutants of a module, and the tests each is run against."""

    mutants: int
    tests: str


NUMBERS = "tests/test_priors.py -k 'not pymc and not any_text and not person'"
BRUTE = "brute and (small or sparse or even) or codings or gives_the"
ENGINES = "tests/engines/test_tables.py tests/engines/test_likelihoods.py"
GRIDS = f"{ENGINES} tests/engines/test_counts.py -k 'test_tables or {BRUTE}'"
ROOMS = {
    "effects/_counts": Room(12, "tests/test_effects.py"),
    "priors": Room(10, NUMBERS),
    "frequentist": Room(10, "tests/test_frequentist.py"),
    "summaries": Room(10, "tests/test_summaries.py tests/test_priors.py -k 'not pymc'"),
    "decision": Room(5, "tests/test_decision.py"),
    "comparison": Room(4, "tests/test_comparison.py"),
    "simulate": Room(8, "tests/test_simulate.py tests/test_priors.py -k 'simulate or draw'"),
    "evidence/_factors": Room(10, "tests/test_evidence.py"),
    "evidence/_weights": Room(6, "tests/test_evidence.py"),
    "evidence/_zeros": Room(4, "tests/test_evidence.py"),
    "posterior/__init__": Room(4, "tests/test_posterior.py"),
    "posterior/marginals": Room(10, "tests/test_posterior.py"),
    "posterior/grids": Room(6, f"tests/test_posterior.py {GRIDS[:-1]} or test_posterior'"),
    "engines/_tables": Room(10, GRIDS),
    "engines/_likelihoods": Room(10, GRIDS),
    "engines/_corners": Room(8, GRIDS),
    "engines/_grid_draws": Room(
        6, "tests/engines/test_grid_draws.py tests/engines/test_counts.py -k draws"
    ),
    "engines/_inversion": Room(6, "tests/engines/test_grid_draws.py"),
    "engines/_counts_likelihoods": Room(10, f"{ENGINES} -k test_tables"),
    "engines/_propriety": Room(6, "tests/engines/test_quadrature.py -k 'moment or needs_as_many'"),
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("rooms", nargs="*", choices=[*ROOMS, []], help="all if none is named")
    asked.add_argument("--python", default=sys.executable, help="what runs the tests")
    asked.add_argument("-o", "--output", type=Path, help="file that the lines are added to")
    words = asked.parse_args()
    output = words.output and words.output.resolve()  # before the folder changes
    fates = {}
    with tempfile.TemporaryDirectory() as folder:
        copy_to(Path(folder))
        os.chdir(folder)
        for name in words.rooms or ROOMS:
            fates[name] = trial(name, words.python, output)
    print("\n| room | mutants | killed | survived |\n| --- | --- | --- | --- |")
    for name, fate in fates.items():
        print(f"| `{name}` | {fate.total()} | {fate['killed']} | {fate['survived']} |")


def copy_to(folder: Path) -> None:
    """Copy what the tests need: what git has and what is not yet added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "bayesmeta", "tests",
         "examples", "models", "pyproject.toml", "README.md"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\n")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def trial(name: str, python: str, output: Path | None) -> Counter:
    """Run the mutants of one room, after its tests as they are."""
    room = ROOMS[name]
    command = f"{shlex.quote(python)} -m pytest -x -q -p no:cacheprovider {room.tests}"
    fate, said = run_tests(command, 2 * TIMEOUT)
    if fate != TestOutcome.SURVIVED:
        raise SystemExit(f"{name}: its tests fail without a mutant\n{said[-2000:]}")
    fates = Counter()
    for item in sampled(name, room.mutants):
        spec = item.mutations[0]
        found = mutate_and_test(item.mutations, command, TIMEOUT)
        fate = str(found.test_outcome.value)
        fates[fate] += 1
        changed = [line for line in (found.diff or "").splitlines() if line[:1] in "+-"][2:]
        line = {
            "room": name,
            "line": spec.start_pos[0],
            "operator": spec.operator_name.removeprefix("core/"),
            "fate": fate,
            "change": changed,
        }
        if output:
            with output.open("a") as file:
                file.write(json.dumps(line) + "\n")
        print(json.dumps(line if fate != "killed" else {**line, "change": []}), flush=True)
    return fates


def sampled(name: str, mutants: int) -> list[WorkItem]:
    """Choose mutants of one module, at most one at a place."""
    path, names = Path("bayesmeta") / f"{name}.py", {f"core/{operator}" for operator in OPERATORS}
    if unknown := names - set(operator_names()):
        raise SystemExit(f"cosmic-ray has no {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:
        work = WorkDB(f"{folder}/work.sqlite", WorkDB.Mode.create)
        init([path], work, {})
        made = [item for item in work.work_items if item.mutations[0].operator_name in names]
        work.close()
    source = path.read_text().split("\n")
    items = sorted((item for item in made if not guards(item, source)), key=places)
    random.Random(f"{SEED} {name}").shuffle(items)
    at = {item.mutations[0].start_pos: item for item in reversed(items)}
    chosen = [item for item in items if at[item.mutations[0].start_pos] is item]
    return chosen[:mutants]


def places(item: WorkItem) -> str:
    return repr(item.mutations)


def guards(item: WorkItem, source: list[str]) -> bool:
    """Say whether a mutant only opens what is closed for safety: a frozen class, a strict zip."""
    line, column = item.mutations[0].start_pos
    before = source[line - 1][:column]
    return before.endswith(("frozen=", "slots=", "kw_only=", "strict=", "eq="))


if __name__ == "__main__":
    main()
