"""Finished chunks of a batch on disk, so that the same batch begun again goes on from them.

They lie in a folder that is named by what makes them: the table's bytes, the model, the settings
and the versions. Chunks of anything else lie elsewhere and are never looked at.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, final

from ..files import replacing, to_csv
from .parquet import is_parquet, read_parquet, write_chunk, write_parquet

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_PROGRAMS = ("bayesmeta", "numpy", "scipy", "jax", "jaxlib")


@cache
def made_with() -> Mapping[str, str]:
    """Versions of what decides a number to its last bit; of this package its source too."""
    source, package = hashlib.sha256(), Path(__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        source.update(f"{path.relative_to(package)}\n".encode() + path.read_bytes())
    versions = {name: metadata.version(name) for name in _PROGRAMS}
    return {**versions, "source": source.hexdigest()}


@final
class Kept:
    """The finished chunks of one batch.

    Attributes
    ----------
    folder : Path
    groups : list of int
        How many groups each chunk has.
    done : dict of int to int
        The chunks that are there, and how many groups of each have a problem.
    others : int
        Batches of another table, model or version that left chunks for the same file.
    """

    def __init__(
        self,
        output: Path,
        manifest: Mapping[str, object],
        groups: list[int],
        schema: "pa.Schema | None",
        *,
        raw_text: bool = False,
    ) -> None:
        text = json.dumps(manifest, indent=1, ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.output, self.groups, self._schema = output, groups, schema
        self._raw_text = raw_text
        self.folder = output.with_name(f"{output.name}.chunks") / digest[:16]
        self._suffix = ".parquet" if is_parquet(output) else ".csv"
        self._manifest = text
        self.done = dict(self._found())
        self.others = sum(one != self.folder for one in self.folder.parent.glob("*"))

    def put(self, i: int, rows: "pd.DataFrame") -> None:
        """Write a finished chunk, whole or not at all."""
        stated = self.folder / "manifest.json"
        if not stated.exists():
            with replacing(stated) as new:
                new.write_text(self._manifest, encoding="utf-8")
        with replacing(self._path(i)) as new:
            if self._schema is None:
                text = to_csv(rows, index=False, header=i == 0, raw_text=self._raw_text)
                new.write_text(text, encoding="utf-8")
            else:
                write_chunk(rows, new, self._schema)
        self.done[i] = _problems(rows)

    def assemble(self) -> None:
        """Write the table of all chunks in their order, and let go of them."""
        paths = [self._path(i) for i in range(len(self.groups))]
        with replacing(self.output) as new:
            if self._schema is None:
                with new.open("wb") as whole:
                    for path in paths:
                        with path.open("rb") as part:
                            shutil.copyfileobj(part, whole)
            else:
                write_parquet(paths, new, self._schema)
        self.drop()

    def drop(self) -> None:
        """Remove the chunks, and the folder round them where nothing else is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self.folder.parent.rmdir()

    def _path(self, i: int) -> Path:
        return self.folder / f"{i:06d}{self._suffix}"

    def _found(self) -> Iterator[tuple[int, int]]:
        """Chunks that can be read and have a row for each of their groups."""
        for i, groups in enumerate(self.groups):
            if self._path(i).exists():
                rows = self._read(i)
                if rows is not None and len(rows) == groups:
                    yield i, _problems(rows)

    def _read(self, i: int) -> "pd.DataFrame | None":
        import pandas as pd

        if self._schema is not None:
            return read_parquet(self._path(i))
        try:
            header = 0 if i == 0 else None
            return pd.read_csv(self._path(i), header=header, dtype=str, keep_default_na=False)
        except ValueError:
            return None


def _problems(rows: "pd.DataFrame") -> int:
    return int((rows.iloc[:, -1].to_numpy() != "").sum())
