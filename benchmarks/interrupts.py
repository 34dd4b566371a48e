"""Stop every command at random moments: how long until it ends, what it says, and what it leaves.

    uv run benchmarks/interrupts.py [--times 20] [--seed 1] [--json FILE] [--only COMMAND ...]

Each command runs in a process of its own, half the time without compiled programs. SIGINT or
SIGTERM is sent at a moment drawn between the start of Python and the end of the command, as it
took when left alone. A process that was done before the signal does not count.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BCG = "examples/bcg/bcg.csv"
FIT = ["fit", BCG, "--measure", "RR"]
COMMANDS = {
    "help": ["--help"],
    "check": ["check", "models/bcg.toml"],
    "model": ["model", "models/bcg.toml"],
    "init": ["init", BCG, "-o", "{out}/bcg.toml"],
    "explain": ["explain", BCG, "--published", "RR 0.49 [0.34, 0.70]", "--k", "13", "--subsets"],
    "fit": [*FIT, "-o", "{out}/fit.csv"],
    "psa": ["psa", "models/bcg.toml", "-o", "{out}/psa.csv", "--draws", "100000"],
    "fit -": ["fit", "-", "--measure", "RR"],
    "fit --checks": [*FIT, "--checks", "--counts"],
    "fit --nuts": [*FIT, "--nuts", "--counts", "-o", "{out}/fit.nc"],
    "batch": ["batch", BCG, "--by", "allocation", "--measure", "RR", "--counts"],
    "batch -o": ["batch", BCG, "--by", "study", "--measure", "OR", "-o", "{out}/rows.csv"],
    "run": ["run", "models/bcg.toml", "-o", "{out}/run"],
}
START = 0.15  # seconds that Python and the package need until signals are heard
PATIENCE = 60.0  # seconds until a command that does not end is killed
SENTENCE = "bayesmeta: stopped; no file was left half-written."


def started(words: list[str], out: Path, cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "BAYESMETA_CACHE": str(cache), "TMPDIR": str(out.parent)}
    return subprocess.Popen(
        [sys.executable, "-m", "bayesmeta", *(word.format(out=out) for word in words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )


def alone(words: list[str], cache: Path) -> float:
    """Seconds that a command takes when nobody stops it; of one that waits, two."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        start = time.perf_counter()
        with started(words, out, cache) as process:
            try:
                process.wait(timeout=2.0 if "-" in words else None)
            except subprocess.TimeoutExpired:
                process.kill()
        return time.perf_counter() - start


def stopped(words: list[str], cache: Path, after: float, number: signal.Signals) -> dict | None:
    """What became of a command that was asked to end; None if it was done before."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        with started(words, out, cache) as process:
            time.sleep(after)
            if process.poll() is not None:
                return None
            process.send_signal(number)
            start = time.perf_counter()
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
            seconds = time.perf_counter() - start
            said = process.stderr.read() if process.stderr else ""
        litter = [str(one.relative_to(folder)) for one in Path(folder).rglob("*bayesmeta-*")]
        whole = process.returncode in (0, -number)  # it was done, and Python about to end
        status = {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
        return {
            "after": round(after, 3),
            "seconds": round(seconds, 3),
            "status": process.returncode,
            "traceback": "Traceback" in said or "Exception ignored" in said,
            "sentence": whole or (process.returncode == status and SENTENCE in said),
            "litter": litter,
            "said": said[-2000:] if "Traceback" in said else "",
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="*", choices=COMMANDS, default=list(COMMANDS))
    given = parser.parse_args()
    rng, found = random.Random(given.seed), {}
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm"
        for name in given.only:
            words = COMMANDS[name]
            alone(words, warm)
            lasts = alone(words, warm)
            rows = []
            for i in range(given.times):
                cache = warm if i % 2 else Path(folder) / f"cold-{name}-{i}"
                after = rng.uniform(START, max(2 * START, lasts * (1.0 if i % 2 else 1.5)))
                number = rng.choice([signal.SIGINT, signal.SIGTERM])
                rows.append(stopped(words, cache, after, number))
            told = [row for row in rows if row is not None]
            found[name] = {
                "stopped": len(told),
                "longest": max((row["seconds"] for row in told), default=0.0),
                "tracebacks": sum(row["traceback"] for row in told),
                "without the sentence": sum(not row["sentence"] for row in told),
                "litter": sum(bool(row["litter"]) for row in told),
            }
            print(f"{name:14} {lasts:5.1f} s alone; {found[name]}", flush=True)
            for row in told:
                if row["traceback"] or not row["sentence"] or row["seconds"] > 2:
                    print("   ", row, flush=True)
    if given.json:
        content = {"seed": given.seed, "times": given.times, "commands": found}
        given.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
