"""What XLA made of a program, kept with a checksum where JAX looks for it.

JAX's own files have none where they are compressed by Zstandard (Python 3.14), a weak one by zlib,
are written in place, and are not written again once damaged. Ours are, and their names hold what
the processor can do: a home folder may serve several machines.
"""

import hashlib
import platform
from functools import cache
from pathlib import Path

from jax._src import compilation_cache
from jax._src.compilation_cache_interface import CacheInterface

from .whole import read_whole, write_whole


class Executables(CacheInterface):
    """JAX's compilation cache, by files of ours in a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder

    def get(self, key: str) -> bytes | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return what was kept under a key; None if there is nothing, or it is not whole."""
        return read_whole(self._file(key))

    def put(self, key: str, value: bytes) -> None:
        """Keep a value; in place of one that could not be read."""
        write_whole(self._file(key), value)

    def _file(self, key: str) -> Path:
        digest = hashlib.sha256(f"{key}/{_processor()}".encode()).hexdigest()
        return self._path / f"{digest[:40]}.xla"


def keep_in(folder: Path) -> None:
    """Have JAX look for compiled programs in a folder, and keep them there."""
    compilation_cache._cache = Executables(folder)
    compilation_cache._cache_initialized = True


@cache
def _processor() -> str:
    """What the processor can do, in words that differ where its instructions do."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    told = [one for one in lines if one.startswith(("flags", "Features", "model name"))]
    return " ".join((platform.machine(), platform.processor(), *sorted(set(told))))
