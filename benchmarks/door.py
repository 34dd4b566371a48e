"""From six raw tables to a report, one command and one edit each: the transcripts of docs/door.md.

    uv run benchmarks/door.py            # runs everything and writes the page's second half anew

Commands run in an empty folder with the tables of examples/door beside it; what they print is
what stands in the page, under its marker. tests/test_reading.py runs the quick ones again.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "door.md"
MARK = "<!-- made by benchmarks/door.py -->"

# Title, words for the table, its file, options of init, and the one edit.
CASES = (
    ("A RevMan export", "revman-web.csv", "", ("Revman web", "Death from any cause")),
    ("An Excel sheet, titled", "deaths.xlsx", "--sheet Deaths", ("Deaths", "Death at 28 days")),
    ("A table for metafor", "metafor.csv", "--columns study=author", ("Metafor", "Tuberculosis")),
    (
        "One row per arm",
        "arms.csv",
        "--control placebo --combine-arms",
        ('better = "lower"', 'better = "higher"'),
    ),
    ("Medians and quartiles in cells", "medians.csv", "", ("Medians", "Days in hospital")),
    (
        "Hazard ratios with intervals, semicolons and decimal commas",
        "hazard-ratios.csv",
        "",
        ("Hazard ratios", "Repeat procedure"),
    ),
)  # fmt: skip


def main() -> None:
    head = PAGE.read_text("utf-8").split(MARK)[0]
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(ROOT / "examples", Path(folder) / "examples")
        parts = [transcript(Path(folder), *case) for case in CASES]
    PAGE.write_text(f"{head}{MARK}\n\n" + "\n".join(parts), "utf-8")


def transcript(folder: Path, title: str, table: str, options: str, edit: tuple[str, str]) -> str:
    """Run the three commands of one table; their text."""
    spec = f"{Path(table).stem}.toml"
    words = f"examples/door/{table} {options}".strip()
    lines = [f"### {title}", "", "```console"]
    lines += said(folder, f"bayesmeta init {words} -o {spec}")
    lines += said(folder, f"bayesmeta check {spec}")
    path, (old, new) = folder / spec, edit
    text = path.read_text("utf-8")
    assert old in text, (old, text)
    edited = [
        one.replace(old, new) if one.startswith(("title", old)) else one
        for one in text.splitlines()
    ]
    path.write_text("\n".join([*edited, ""]), "utf-8")
    lines += [f"$ sed -i '/^title\\|^better/s/{old}/{new}/' {spec}    # the one edit"]
    lines += said(folder, f"bayesmeta run {spec} -o {path.stem}")
    return "\n".join([*lines, "```", ""])


def said(folder: Path, command: str) -> list[str]:
    """Run a command of this package; the line that was typed, and what it printed."""
    words = [sys.executable, "-m", *command.split()]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    printed = re.sub(r"[ \t]+$", "", done.stdout, flags=re.MULTILINE).strip("\n")
    return [f"$ {command}", *printed.splitlines()]


if __name__ == "__main__":
    main()
