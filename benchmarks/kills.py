"""Kill commands at random moments and between any two moves, and see what stands there.

    uv run benchmarks/kills.py [--kills 200] [--seed 19] [--of run fit batch moves] [--store]

A child is killed where it stands (SIGKILL). Its output then is the old one, the new one, or one
that ``bayesmeta check`` finds not to be whole; a file of somebody else is as it was. The same
command, run again and left alone, gives the new output, and nothing else is left of the first.
"""

import argparse
import itertools
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from stored import in_lines, made_with

from bayesmeta.cli import main as command
from bayesmeta.files import Piece, _publish, verify, write_run

RESULT = Path(__file__).parent / "results" / "kills.json"
TABLE = "study,events_treatment,n_treatment,events_control,n_control\n"
SPEC = """\
title = "{title}"
{outcomes}"""
OUTCOME = """
[[outcome]]
name = "{name}"
title = "Death"
better = "lower"
kind = "counts"
measure = "OR"
data = "trials.csv"
"""
MOVES = ("replace", "rename", "link", "unlink", "rmdir", "mkdir")
MINE = b"mine"

type Work = Callable[[], object]
type Contents = Mapping[str, bytes]


class Case:
    """A command that writes, in a folder of its own."""

    def __init__(self, folder: Path, *, mine: bool) -> None:
        """Have a file of somebody else beside what is written, or not."""
        self.folder, self.mine, self.out = folder, mine, folder / "out"
        folder.mkdir()
        rows = [f"T{i},{3 + i},{40 + i},{5 + 2 * i},{41 + i}\n" for i in range(4)]
        (folder / "trials.csv").write_text(TABLE + "".join(rows))

    def old(self) -> None:
        """Write what an earlier command wrote."""
        raise NotImplementedError

    def new(self) -> None:
        """Write over it."""
        raise NotImplementedError

    def found(self) -> Contents:
        """What stands there, hidden files included."""
        paths = (path for path in self.folder.rglob("*") if not path.is_dir())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def visible(self) -> Contents:
        return {name: each for name, each in self.found().items() if not name.startswith(".")}

    def detected(self) -> bool:
        return False


class Folder(Case):
    """Of a run: its first output has two outcomes, its second one of them."""

    def __init__(self, folder: Path, *, mine: bool) -> None:
        super().__init__(folder, mine=mine)
        for title, names in (("old", "ab"), ("new", "b")):
            text = "".join(OUTCOME.format(name=name) for name in names)
            (folder / f"{title}.toml").write_text(SPEC.format(title=title, outcomes=text))

    def old(self) -> None:
        called("run", self.folder / "old.toml", "-o", self.out, "--quiet")
        if self.mine:
            (self.out / "b" / "mine.txt").write_bytes(MINE)

    def new(self) -> None:
        called("run", self.folder / "new.toml", "-o", self.out, "--quiet")

    def detected(self) -> bool:
        return bool(verify(self.out).problems)


class Pieces(Folder):
    """Of a run, without its work: files of three bytes."""

    def old(self) -> None:
        made = [Piece(f"{place}/{i}", b"old", "") for place in "ab" for i in range(2)]
        write_run(self.out, [Piece("report.html", b"old", ""), *made])
        if self.mine:
            (self.out / "b" / "mine.txt").write_bytes(MINE)

    def new(self) -> None:
        made = [Piece(f"{place}/{i}", b"new", "") for place in "bc" for i in range(2)]
        write_run(self.out, [Piece("report.html", b"new", ""), *made])


class File(Case):
    """One table that fit writes."""

    def old(self) -> None:
        self._write("Normal(0, 1)")

    def new(self) -> None:
        self._write("Normal(0, 2)")

    def _write(self, prior: str) -> None:
        words = ("--measure", "OR", "--mu", prior, "--tau", "HalfNormal(0.5)")
        called("fit", self.folder / "trials.csv", *words, "-o", self.folder / "x.csv")


class Rows(Case):
    """The rows of a batch; chunks that are kept for the next time are no litter before it."""

    def __init__(self, folder: Path, *, mine: bool) -> None:
        super().__init__(folder, mine=mine)
        rows = [f"{g},T{i},{3 + i},40,{g % 7 + i},41\n" for g in range(60) for i in range(3)]
        (folder / "groups.csv").write_text(f"g,{TABLE}{''.join(rows)}")

    def old(self) -> None:
        self._write("Normal(0, 1)")

    def new(self) -> None:
        self._write("Normal(0, 2)")

    def visible(self) -> Contents:
        found = super().visible().items()
        return {name: each for name, each in found if not name.startswith("x.csv.chunks/")}

    def _write(self, prior: str) -> None:
        words = ("--measure", "OR", "--mu", prior, "--tau", "HalfNormal(0.5)")
        table = self.folder / "groups.csv"
        called("batch", table, "--by", "g", *words, "-o", self.folder / "x.csv")


CASES: Mapping[str, type[Case]] = {"moves": Pieces, "run": Folder, "fit": File, "batch": Rows}


def called(*words: object) -> None:
    """Call the command as it is typed; its words go nowhere."""
    command(list(map(str, words)), standalone_mode=False)


def child(work: Work, at: int = 0, count: Path | None = None) -> int:
    """Work in another process, killed at its so many-th move; its process number."""
    number = os.fork()
    if number:
        return number
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    moves = dying_at(at)
    try:
        work()
        if count is not None:
            count.write_text(str(next(moves) - 1))
    except BaseException:  # noqa: BLE001 - a child must not go on as its parent
        os._exit(1)
    os._exit(0)


def dying_at(at: int) -> Iterator[int]:
    """Count every move of this process, and die before the so many-th."""
    moves = itertools.count(1)

    def counted(move):
        def moved(*given, **named):
            if next(moves) == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return move(*given, **named)

        return moved

    for name in MOVES:
        setattr(os, name, counted(getattr(os, name)))
    _publish.exchange = counted(_publish.exchange)
    return moves


def ended(number: int, after: float | None = None) -> bool:
    """Whether a child ended by itself, left alone or killed after so many seconds."""
    if after is not None:
        time.sleep(after)
        os.kill(number, signal.SIGKILL)
    _, status = os.waitpid(number, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("The command failed.")
    return os.WIFEXITED(status)


def copied(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)


class Kills:
    """Kills of one command, and how they ended."""

    def __init__(self, case: Case, home: Path) -> None:
        """Write both outputs once, and count the moves of the second."""
        self.case, self.saved = case, home / "saved"
        assert ended(child(case.old))
        self.old = case.visible()
        copied(case.folder, self.saved)
        counted, start = home / "moves", time.monotonic()
        assert ended(child(case.new, count=counted))
        self.seconds, self.moves = time.monotonic() - start, int(counted.read_text())
        self.new, self.whole = case.visible(), case.found()
        self.ends: Counter[str] = Counter()

    def kill(self, *, at: int = 0, after: float | None = None) -> None:
        """Kill the second command once, look, and let it run again."""
        copied(self.saved, self.case.folder)
        done = ended(child(self.case.new, at=at), after)
        self.ends[self._state(done=done)] += 1
        assert ended(child(self.case.new))
        again = self.case.found()
        self.ends["litter after the next"] += again.keys() != self.whole.keys()
        self.ends["not mended by the next"] += self.case.visible() != self.new

    def _state(self, *, done: bool) -> str:
        found = self.case.visible()
        mine = self.old.keys() & {"out/b/mine.txt"}
        if any(found.get(name) != MINE for name in mine):
            return "LOST"
        if done and found != self.new:
            return "NOT WRITTEN"
        for state, wanted in (("old", self.old), ("new", self.new)):
            if found == wanted:
                return state
        return "detected" if self.case.detected() else "MIXED"


def every_move(home: Path, what: str) -> dict[str, Counter[str]]:
    """Kill a command before each of its moves in turn."""
    found = {}
    for mine in (False, True):
        place = home / f"{what}-{mine}"
        place.mkdir()
        kills = Kills(CASES[what](place / "work", mine=mine), place)
        for at in range(1, kills.moves + 1):
            kills.kill(at=at)
        found["with a file of mine" if mine else "alone"] = kills.ends
    return found


def at_random(home: Path, what: str, kills: int, seed: int) -> Counter[str]:
    """Kill a command at random moments and before random moves, by turns."""
    chance, ends = random.Random(seed), Counter()
    for mine in (False, True):
        place = home / f"{what}-{mine}-{seed}"
        place.mkdir()
        here = Kills(CASES[what](place / "work", mine=mine), place)
        for i in range(kills // 2):
            if i % 2:
                here.kill(at=chance.randint(1, here.moves))
            else:
                here.kill(after=chance.uniform(0, 1.05 * here.seconds))
        ends += here.ends
        ends["moves"] = max(ends["moves"], here.moves)
    return ends


def warm() -> None:
    """Import what the commands import, so that no child does; nothing is computed."""
    from bayesmeta import analysis, batch, plots, report  # noqa: F401
    from bayesmeta.plots import forest  # noqa: F401


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=19)
    parser.add_argument("--of", nargs="+", choices=CASES, default=["moves", "run", "fit", "batch"])
    parser.add_argument("--store", action="store_true")
    given = parser.parse_args()
    warm()
    rows = []
    with tempfile.TemporaryDirectory() as home:
        for what, ends in killed(given.of, Path(home), given.kills, given.seed):
            rows.append({"of": what, **ends})
            print(json.dumps(rows[-1]), flush=True)
    if given.store:
        made = {**made_with(("bayesmeta",)), "kills": given.kills, "seed": given.seed}
        RESULT.write_text(in_lines({**made, "ends": rows}))


def killed(of: list[str], home: Path, kills: int, seed: int) -> Iterator[tuple[str, Counter[str]]]:
    """Kill each command in turn."""
    for what in of:
        if what == "moves":
            for how, ends in every_move(home, what).items():
                yield f"{what}, {how}", ends
        else:
            yield what, at_random(home, what, kills, seed)


if __name__ == "__main__":
    sys.exit(main())
