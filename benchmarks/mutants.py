"""Change single operators and numbers all over the package, and see whether the tests notice.

    make mutants                # sixty, drawn by a fixed seed: about as long as the deep tests
    make mutants SEED=7         # another sixty
    uv run --with cosmic-ray==8.7.0 benchmarks/mutants.py --rooms plots report --mutants 20

cosmic-ray makes the mutants; here they are drawn: one of every room, the others by length. First
the default tests run once and say which of them run which line. Then every mutant is made in a copy
of the repository and meets the files of default tests that run its line, whole and in their own
order, those of its room first. A line of JSON tells the fate of each, survivors with their change;
a table by room ends the output. Changes that make no difference stand in equivalent.json, each with
its reason: one that is drawn is named, and another is drawn in its place. The exit status is 1 if
any other is not killed.
"""

import argparse
import ast
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import current_process, get_context
from pathlib import Path
from typing import NamedTuple

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test, mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec
from quick import ROOMS, paths

ROOT = Path(__file__).parents[1]
SEED, MUTANTS, AT_ONCE = 14, 60, 2
TIMEOUT = 900  # seconds; a mutant that takes longer hangs, and does not count as killed
TESTS = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
ALONE = [*TESTS, "-x", "-o", "addopts=", "--import-mode=importlib", "-m", "not deep"]

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

# Changes that make no difference, by file and the line as it becomes, with the reason: not drawn.
EQUIVALENT = {
    (one["file"], one["became"])
    for one in json.loads((ROOT / "benchmarks" / "equivalent.json").read_text())
}


class Mutant(NamedTuple):
    """One change of one file of the package."""

    spec: MutationSpec

    @property
    def file(self) -> str:
        return str(self.spec.module_path)

    @property
    def line(self) -> int:
        return self.spec.start_pos[0]

    @property
    def room(self) -> str:
        return room_of(Path(self.file))


class Runs(NamedTuple):
    """Which files of default tests run which line of which file, and how long each takes."""

    at: dict[str, dict[int, set[str]]]
    seconds: dict[str, float]

    def tests(self, mutant: Mutant) -> list[str]:
        """Files that run the line, then those of its room that run any of its file.

        What runs while a module is loaded runs for all; what is cached, for whom it was first.
        """
        lines = self.at.get(mutant.file, {})
        any_of = set().union(*lines.values()) or {"tests/test_cli.py"}
        of_line = set().union(*(lines.get(line, ()) for line in statement(mutant))) or any_of
        room = paths(mutant.room) if mutant.room in ROOMS else []
        own = {one for one in any_of if one in room or one.startswith(tuple(f"{r}/" for r in room))}
        by_time = sorted(of_line | own, key=lambda one: self.seconds.get(one, 0.0))
        return sorted(by_time, key=lambda one: (one not in of_line, one not in own))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--rooms", nargs="*", default=[], help="all if none is named")
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--mutants", type=int, default=MUTANTS)
    asked.add_argument("-o", "--output", type=Path, help="file that the lines are added to")
    words = asked.parse_args()
    output = words.output and words.output.resolve()  # before the folder changes
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / f"copy-{i + 1}" for i in range(AT_ONCE)]
        for copy in copies:
            copy_to(copy)
        os.environ["BAYESMETA_CACHE"] = str(Path(folder) / "programs")
        chosen = drawn(copies[0], words.rooms, words.mutants, words.seed)
        runs = observed(copies[0])
        with ProcessPoolExecutor(AT_ONCE, mp_context=get_context("spawn")) as pool:
            meeting = [(one, runs.tests(one)) for one in chosen]
            told = [(one, pool.submit(tried, Path(folder), one, met)) for one, met in meeting]
            fates = [told_of(one, *future.result(), output) for one, future in told]
    raise SystemExit(summary(fates))


def copy_to(folder: Path) -> None:
    """Copy what the tests need: what git has and what is not yet added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\n")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def drawn(folder: Path, rooms: list[str], count: int, seed: int) -> list[Mutant]:
    """Draw mutants: one of every room while they last, the others in proportion to its lines."""
    os.chdir(folder)
    if unknown := {f"core/{one}" for one in OPERATORS} - set(operator_names()):
        raise SystemExit(f"cosmic-ray has no {', '.join(sorted(unknown))}")
    rng = random.Random(seed)
    lines = {path: len(path.read_text().split("\n")) for path in Path("bayesmeta").rglob("*.py")}
    files = {path: n for path, n in sorted(lines.items()) if not rooms or room_of(path) in rooms}
    by_room = defaultdict(list)
    for path in files:
        by_room[room_of(path)].append(path)
    order = rng.sample(sorted(by_room), len(by_room))
    turns = [by_room[room] for room in order] + [list(files)] * (20 * count)
    chosen: dict[tuple[str, tuple[int, int]], Mutant] = {}
    for some in turns:
        one = pick(some, lines, rng) if len(chosen) < count else None
        if one and not differs(one):
            again = random.Random(f"{seed} {one.file}")  # the others stay as they are
            others = filter(None, (pick(some, lines, again) for _ in range(50)))
            one = next(filter(differs, others), None)
        if one:
            chosen.setdefault((one.file, one.spec.start_pos), one)
    return list(chosen.values())


def pick(files: list[Path], lines: dict[Path, int], rng: random.Random) -> Mutant | None:
    made = mutants_of(rng.choices(files, [lines[one] for one in files])[0])
    return rng.choice(made) if made else None


def differs(mutant: Mutant) -> bool:
    """Say whether a mutant is not among those that are known to make no difference, and name it."""
    known = (mutant.file.removeprefix("bayesmeta/"), became(mutant.spec)) in EQUIVALENT
    if known:
        print(f"no difference: {mutant.file}, {became(mutant.spec)}", flush=True)
    return not known


def room_of(path: Path) -> str:
    return path.parts[1].removesuffix(".py")


MADE: dict[Path, list[Mutant]] = {}


def mutants_of(path: Path) -> list[Mutant]:
    """Every mutant of a file, in an order that does not change."""
    if path not in MADE:
        names = {f"core/{operator}" for operator in OPERATORS}
        with tempfile.TemporaryDirectory() as folder:
            work = WorkDB(f"{folder}/work.sqlite", WorkDB.Mode.create)
            init([path], work, {})
            specs = [item.mutations[0] for item in work.work_items]
            work.close()
        source = path.read_text().split("\n")
        kept = [one for one in specs if one.operator_name in names and not guards(one, source)]
        MADE[path] = [Mutant(one) for one in sorted(kept, key=repr)]
    return MADE[path]


def became(spec: MutationSpec) -> str:
    """The line of a mutant as it becomes."""
    operator = get_operator(spec.operator_name)(**spec.operator_args)
    code = mutate_code(Path(spec.module_path).read_text(), operator, spec.occurrence)
    return code.split("\n")[spec.start_pos[0] - 1].strip() if code else ""


def guards(spec: MutationSpec, source: list[str]) -> bool:
    """Say whether a mutant is none: it opens what is closed for safety, or moves a bare star."""
    line, column = spec.start_pos
    before, at = source[line - 1][:column], source[line - 1][column:]
    closed = before.endswith(("frozen=", "slots=", "kw_only=", "strict=", "eq="))
    return closed or at.startswith("*,") or (at == "*" and not before.strip())


def observed(folder: Path) -> Runs:
    """Run the default tests once, and see what each file of them runs and how long it takes."""
    data, times = folder / "lines", folder / "times.xml"
    command = [
        *TESTS,
        "--cov=bayesmeta",
        "--cov-context=test",
        "--cov-report=",
        f"--junitxml={times}",
    ]
    environment = {**os.environ, "COVERAGE_FILE": str(data), "COVERAGE_CORE": "ctrace"}
    run = subprocess.run([sys.executable, *command], cwd=folder, env=environment, check=False)
    if run.returncode:
        raise SystemExit("The default tests fail without a mutant.")
    report = folder / "lines.json"
    command = ["-m", "coverage", "json", f"--data-file={data}", "--show-contexts", "-q"]
    subprocess.run([sys.executable, *command, "-o", str(report)], cwd=folder, check=True)
    files = json.loads(report.read_text())["files"]
    at = {name: {int(line): named(contexts) for line, contexts in one["contexts"].items()}
          for name, one in files.items()}  # fmt: skip
    return Runs(at, seconds_of(times))


def named(contexts: list[str]) -> set[str]:
    return {one.partition("::")[0] for one in contexts} - {""}


def seconds_of(path: Path) -> dict[str, float]:
    """Seconds of each file of tests."""
    seconds = Counter()
    for one in ET.parse(path).iter("testcase"):
        module = one.get("classname", "").partition(".Test")[0]
        seconds[f"{module.replace('.', '/')}.py"] += float(one.get("time", 0))
    return seconds


def statement(mutant: Mutant) -> range:
    """Lines of the smallest statement of a function that holds the mutant; none outside of all."""
    functions = [
        one
        for one in ast.walk(ast.parse(Path(mutant.file).read_text()))
        if isinstance(one, ast.FunctionDef) and one.body[0].lineno <= mutant.line <= last_of(one)
    ]
    spans = [
        range(one.lineno, last_of(one) + 1)
        for function in functions
        for part in function.body
        for one in ast.walk(part)
        if isinstance(one, ast.stmt) and one.lineno <= mutant.line <= last_of(one)
    ]
    return min(spans, key=len, default=range(0))


def last_of(one: ast.stmt) -> int:
    return one.end_lineno or one.lineno


def tried(folder: Path, mutant: Mutant, tests: list[str]) -> tuple[str, list[str]]:
    """Make one mutant in this process's copy and run its tests until one fails."""
    copy = folder / f"copy-{current_process()._identity[0]}"
    programs = folder / f"programs-{copy.name}"  # a mutant's programs are its own
    shutil.rmtree(programs, ignore_errors=True)
    shutil.copytree(folder / "programs", programs, copy_function=os.link, dirs_exist_ok=True)
    os.environ["BAYESMETA_CACHE"] = str(programs)
    os.chdir(copy)
    command = shlex.join([sys.executable, *ALONE, *tests])
    found = mutate_and_test([mutant.spec], command, TIMEOUT)
    changed = [line for line in (found.diff or "").splitlines() if line[:1] in "+-"][2:]
    return found.output if found.output == "timeout" else str(found.test_outcome.value), changed


def told_of(mutant: Mutant, fate: str, changed: list[str], output: Path | None) -> tuple[str, str]:
    """Print and keep the fate of a mutant."""
    line = {
        "file": mutant.file,
        "line": mutant.line,
        "operator": mutant.spec.operator_name.removeprefix("core/"),
        "fate": fate,
        "change": changed,
    }
    if output:
        with output.open("a") as file:
            file.write(json.dumps(line) + "\n")
    print(json.dumps(line if fate != "killed" else {**line, "change": []}), flush=True)
    return mutant.room, fate


def summary(fates: list[tuple[str, str]]) -> int:
    """Print the table by room; 1 if a mutant was not killed."""
    rooms = defaultdict(Counter)
    for room, fate in fates:
        rooms[room][fate] += 1
    print("\n| room | mutants | killed | not |\n| --- | ---: | ---: | ---: |")
    for room, fate in sorted(rooms.items()):
        left = fate.total() - fate["killed"]
        print(f"| `{room}` | {fate.total()} | {fate['killed']} | {left or ''} |")
    every = sum(rooms.values(), Counter())
    print(f"{every['killed']} of {every.total()} killed")
    return int(every["killed"] < every.total())


if __name__ == "__main__":
    main()
