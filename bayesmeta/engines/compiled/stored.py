"""Traced programs kept on disk, so that a new process neither builds nor traces a model again.

What is stored is StableHLO with a checksum, no Python: loading it executes nothing. A key holds the
versions of everything that shapes the program and a hash of our own source.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

import jax
from jax import export

from .precision import cache_folder

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
    "priors.py",
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
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, body = content[:32], content[32:]
    if hashlib.sha256(body).digest() != digest:
        return None
    return export.deserialize(bytearray(body))


def store_program(path: Path | None, program: export.Exported) -> export.Exported:
    """Keep a program for the next process, if that can be done, and return it."""
    if path is None:
        return program
    body = bytes(program.serialize())
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(body).digest() + body)
        os.replace(temporary, path)
    except OSError:
        return program
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
    program = jax.jit(traced.call).lower(*leaves).compile()
    return lambda *given: program(*jax.tree.leaves(given))


def written_in() -> list[Path]:
    """Files whose functions run while a program is traced: any change makes it anew."""
    return [path for one in _ROOMS for path in sorted(_PACKAGE.glob(one))]


@cache
def _versions() -> str:
    versions = [f"{name} {metadata.version(name)}" for name in _PROGRAMS]
    sources = [hashlib.sha256(path.read_bytes()).hexdigest() for path in written_in()]
    return "/".join([*versions, *sources])
