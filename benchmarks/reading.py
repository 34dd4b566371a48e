"""Processor time of reading 280,000 rows of 8 columns, over pandas' own.

    uv run benchmarks/reading.py

The least of three; `numbers` are the columns that a batch reads as floats. The aim is 0.3 s more
than `pandas.read_csv` of the same text.
"""

import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from bayesmeta.sheets import plain_numbers, read_sheet

ROWS, AIM = 280_000, 0.3
NUMBERS = {"y", "se", "n_treatment", "n_control"}


def table() -> pd.DataFrame:
    rng = np.random.default_rng(20261130)
    return pd.DataFrame(
        {
            "g": np.arange(ROWS) // 14,
            "study": [f"Study {i % 14}" for i in range(ROWS)],
            "y": rng.normal(0, 1, ROWS),
            "se": rng.uniform(0.1, 0.8, ROWS),
            "n_treatment": rng.integers(20, 400, ROWS),
            "n_control": rng.integers(20, 400, ROWS),
            "year": rng.integers(1980, 2020, ROWS),
            "dose": rng.choice(["low", "high"], ROWS),
        }
    )


def least(work: Callable[[], object]) -> float:
    found = []
    for _ in range(3):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def measured(path: Path, how: dict[str, object]) -> tuple[float, float, float, float]:
    """Seconds of pandas, of reading with columns of numbers and without, and of their marks."""
    marks = {"sep": how.get("sep", ","), "decimal": how.get("decimal", ".")}
    frame = read_sheet(path, numbers=NUMBERS).frame
    return (
        least(lambda: pd.read_csv(path, **marks)),
        least(lambda: read_sheet(path, numbers=NUMBERS)),
        least(lambda: read_sheet(path)),
        least(lambda: plain_numbers(frame, NUMBERS, texts={"g", "study", "dose"})),
    )


def main() -> None:
    frame = table()
    ways = {
        "commas": {},
        "semicolons, decimal commas": {"sep": ";", "decimal": ","},
        "tabs": {"sep": "\t"},
        "commas, texts in quotes": {"quoting": csv.QUOTE_NONNUMERIC},
        "commas, three decimals": {"float_format": "%.3f"},
        "commas, names not in ASCII": {},
    }
    print(
        f"{'processor seconds':30s}{'pandas':>8s}{'numbers':>9s}{'as text':>9s}{'plain':>8s}  aim"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        for name, how in ways.items():
            names = f"{'Müller' if 'ASCII' in name else 'Smith'} " + frame["study"]
            frame.assign(study=names).to_csv(path, index=False, **how)
            own, fast, text, plain = measured(path, how)
            met = "met" if fast + plain - own <= AIM else "missed"
            print(f"{name:30s}{own:8.3f}{fast:9.3f}{text:9.3f}{plain:8.3f}  {met}")


if __name__ == "__main__":
    main()
