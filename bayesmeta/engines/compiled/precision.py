"""The one place that sets JAX's precision, keeps its flags, and caches what it compiled."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import jax

type Array = jax.Array


@contextmanager
def float64() -> Generator[None]:
    """Compute in double precision here, and leave the user's settings as they were.

    PyTensor's link to JAX flips the global precision flag, and PyMC's JAX module rewrites
    ``XLA_FLAGS``; both are put back.
    """
    before = jax.config.jax_enable_x64
    flags = os.environ.get("XLA_FLAGS")
    _start()
    try:
        with jax.enable_x64(True):
            yield
    finally:
        if jax.config.jax_enable_x64 != before:
            jax.config.update("jax_enable_x64", before)  # noqa: TID251 - this is that place
        if flags is None:
            os.environ.pop("XLA_FLAGS", None)
        else:
            os.environ["XLA_FLAGS"] = flags


@cache
def _start() -> None:
    """Start the backend before PyMC asks for 100 CPU devices; keep compiled programs on disk."""
    jax.devices()
    if not jax.config.jax_compilation_cache_dir:
        folder = cache_folder()
        if folder is not None:
            _set("jax_compilation_cache_dir", str(folder))
            _set("jax_persistent_cache_min_compile_time_secs", 0.5)


def _set(name: str, value: object) -> None:
    jax.config.update(name, value)  # noqa: TID251 - this is that place


def cache_folder() -> Path | None:
    """The user's cache folder for compiled programs; None where it cannot be written."""
    base = os.environ.get("BAYESMETA_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(base).expanduser() / "bayesmeta" / "xla"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
