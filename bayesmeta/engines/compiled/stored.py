"""Traced programs kept on disk, so that a new process neither builds nor traces a model again.

What is stored is StableHLO with a checksum, no Python: loading it executes nothing. A key holds the
versions of everything that shapes the program and a hash of our own source.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import jax
from jax import export

from ...machine.threads import interruptible
from .folder import cache_folder
from .whole import read_whole, write_whole

if TYPE_CHECKING:
    from jax.stages import Compiled

TRACING = Lock()  # building a model is not for two threads at once
_PACKAGE = Path(__file__).parents[2]
_PROGRAMS = ("jax", "jaxlib", "pymc", "pytensor", "blackjax", "numpy")
_ROOMS = (
    "engines/compiled/priors.py",
    "engines/compiled/quantiles.py",
    "engines/exact/*.py",
    "engines/graph/*.py",
    "engines/likelihood/*.py",
    "engines/likelihood/of_arms/*quanti*.py",
    "engines/likelihood/of_arms/arms.py",
    "engines/many/*.py",
    "engines/padding.py",
    "engines/sampling/*.py",
    "model/*.py",
    "multivariate/*.py",
    "priors/*.py",
    "studies/__init__.py",
    "effects/_sizes.py",
)


def stored_program(name: str, platform: str) -> Path | None:
    """Where the program of this name is or will be kept; None without a cache folder."""
    folder = cache_folder()
    if folder is None:
        return None
    key = hashlib.sha256(f"{name}/{platform}/{_versions()}".encode()).hexdigest()
    return folder / f"{key[:40]}.program"


def load_program(path: Path | None) -> export.Exported | None:
    """Read a stored program; None if there is none, or it is not whole."""
    body = None if path is None else read_whole(path)
    try:
        return None if body is None else export.deserialize(bytearray(body))
    except Exception:  # noqa: BLE001 - bytes that are no program may raise whatever they like
        return None


def store_program(path: Path | None, program: export.Exported) -> export.Exported:
    """Keep a program for the next process, if that can be done, and return it."""
    if path is not None:
        write_whole(path, bytes(program.serialize()))
    return program


def compiled_once(
    name: str, function: Callable[..., jax.Array], inputs: Sequence[object]
) -> Callable[..., jax.Array]:
    """Compile a function for inputs of this form, from the traced program if that is stored.

    `name` stands for everything that shapes the program besides our own source.
    """
    leaves, form = jax.tree.flatten(tuple(inputs))
    path = stored_program(name, jax.default_backend())
    flat = jax.jit(lambda *given: function(*jax.tree.unflatten(form, given)))
    traced = load_program(path) or store_program(path, export.export(flat)(*leaves))
    program = compiled(traced, leaves)
    return lambda *given: program(*jax.tree.leaves(given))


def compiled(program: export.Exported, inputs: Sequence[object]) -> "Compiled":
    """Compile a traced program for inputs of its form; it takes seconds where XLA has to."""
    lowered = jax.jit(program.call).lower(*inputs)

    def work() -> "Compiled":
        with jax.enable_x64(True):  # the setting belongs to the thread
            return lowered.compile()

    return interruptible(work)


def written_in() -> list[Path]:
    """Files whose functions run while a program is traced: any change makes it anew."""
    return [path for one in _ROOMS for path in sorted(_PACKAGE.glob(one))]


@cache
def _versions() -> str:
    versions = [f"{name} {metadata.version(name)}" for name in _PROGRAMS]
    sources = [hashlib.sha256(path.read_bytes()).hexdigest() for path in written_in()]
    return "/".join([*versions, *sources])
