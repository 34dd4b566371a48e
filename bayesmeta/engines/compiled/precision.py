"""The one place that sets JAX's precision, keeps its flags, and caches what it compiled."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import jax
from jax._src.config import enable_x64

from ...machine.forks import check_not_forked, lock
from .executables import keep_in
from .folder import cache_folder

type Array = jax.Array


_TURN = lock()
_inside: list["_Settings"] = []  # one for each block that is open, in whatever thread


class _Settings(NamedTuple):
    """What other libraries change, as the user has it."""

    x64: bool
    flags: str | None

    def put_back(self) -> None:
        if enable_x64.get_global() != self.x64:
            _set("jax_enable_x64", self.x64)
        if self.flags is None:
            os.environ.pop("XLA_FLAGS", None)
        else:
            os.environ["XLA_FLAGS"] = self.flags


@contextmanager
def float64() -> Generator[None]:
    """Compute in double precision here, and leave the user's settings as they were.

    PyTensor's link to JAX flips the global precision flag, and PyMC's JAX module rewrites
    ``XLA_FLAGS``; both are put back when the last of the blocks is left that threads have open.

    Raises
    ------
    ModelError
        In a process forked off one that had used JAX, where JAX would wait for ever.
    """
    check_not_forked()
    with _TURN:
        found = _Settings(enable_x64.get_global(), os.environ.get("XLA_FLAGS"))
        _inside.append(_inside[0] if _inside else found)
        _start()
    try:
        with jax.enable_x64(True):
            yield
    finally:
        with _TURN:
            settings = _inside.pop()
            if not _inside:
                settings.put_back()


@cache
def _start() -> None:
    """Start the backend before PyMC asks for 100 CPU devices; keep compiled programs on disk."""
    jax.devices()
    if not jax.config.jax_compilation_cache_dir:
        folder = cache_folder()
        if folder is not None:
            keep_in(folder)
            _set("jax_compilation_cache_dir", str(folder))
            _set("jax_persistent_cache_min_compile_time_secs", 0.5)


def _set(name: str, value: object) -> None:
    jax.config.update(name, value)  # noqa: TID251 - this is that place
