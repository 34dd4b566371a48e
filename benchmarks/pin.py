"""Pin the versions of a fresh resolution in pyproject.toml, names and versions alone."""

import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
BLOCK = re.compile(r"constraint-dependencies = \[.*?\n\]\n", re.DOTALL)


def main() -> None:
    text = BLOCK.sub("", PROJECT.read_text())
    PROJECT.write_text(text)
    found = subprocess.run(
        ["uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--universal",
         "--python-version", "3.12", "--group", "dev", "pyproject.toml"],
        cwd=PROJECT.parent, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    pins = [line.split(";")[0].strip() for line in found.splitlines() if "==" in line]
    lines = "".join(f'  "{pin}",\n' for pin in sorted(set(pins)))
    block = f"constraint-dependencies = [\n{lines}]\n"
    PROJECT.write_text(text.replace("[tool.uv]\n", f"[tool.uv]\n{block}", 1))
    print(f"{len(set(pins))} versions pinned")


if __name__ == "__main__":
    main()
