"""Draws in a file, and what they mean in another one beside it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import FileError
from ...files import check_file, replacing
from ...sheets import need_pyarrow

if TYPE_CHECKING:
    import pandas as pd


def check_psa_file(path: Path) -> None:
    """Refuse a file that cannot be written, or of an ending that says nothing, before the work.

    Raises
    ------
    FileError
    """
    if path.suffix.lower() not in _WRITERS:
        raise FileError(
            f"{path}: draws are written as Parquet or CSV; end the name in .parquet or .csv."
        )
    if path.suffix.lower() == ".parquet":
        need_pyarrow(path)
    check_file(path)
    check_file(beside(path))


def beside(path: Path) -> Path:
    """Where the meaning of the draws in a file is written."""
    return path.with_suffix(".json")


def write_psa(frame: "pd.DataFrame", described: Mapping[str, Any], path: Path) -> Path:
    """Write both files; none, where one of them cannot be written."""
    with replacing(path) as draws, replacing(beside(path)) as meaning:
        _WRITERS[path.suffix.lower()](frame, draws)
        digest = hashlib.sha256(draws.read_bytes()).hexdigest()
        content = {"file": path.name, "file_sha256": digest, **described}
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        meaning.write_text(text + "\n", encoding="utf-8")
    return beside(path)


def _parquet(frame: "pd.DataFrame", path: Path) -> None:
    frame.to_parquet(path, index=False, engine="pyarrow")


def _csv(frame: "pd.DataFrame", path: Path) -> None:
    """Every digit: a number read from it is the number that was drawn."""
    frame.to_csv(path, index=False, lineterminator="\n")


_WRITERS: Mapping[str, Callable[["pd.DataFrame", Path], None]] = {
    ".csv": _csv,
    ".parquet": _parquet,
}
