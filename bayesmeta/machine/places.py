"""Folders for what lasts no longer than this process, also where there is no home and no /tmp."""

import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

from ..errors import FileError
from .stops import at_the_end, cleaned_by

IN_MEMORY = "/dev/shm"  # a file system in memory, where containers have no other


@contextmanager
def temporary_folder() -> Generator[Path]:
    """Give a folder that is gone afterwards.

    Raises
    ------
    FileError
        If no folder for temporary files can be written to.
    """
    folder = _made()
    clean = partial(shutil.rmtree, folder, ignore_errors=True)
    try:
        with cleaned_by(clean):
            yield folder
    finally:
        clean()


@cache
def settle() -> None:
    """Have Matplotlib and PyTensor keep their files where they can, before either is imported.

    Where their own places cannot be written to, and nothing else is set, they get a folder that is
    gone when this process ends.

    Raises
    ------
    FileError
        If no folder for temporary files can be written to either.
    """
    home = os.path.expanduser("~")
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    if "compiledir" not in flags and _lacks("pytensor", os.path.join(home, ".pytensor")):
        ours = f"base_compiledir={_ours()}"
        os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, (flags, ours)))
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    kept = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    if not os.environ.get("MPLCONFIGDIR") and _lacks("matplotlib", config, kept):
        os.environ["MPLCONFIGDIR"] = str(_ours())
    if not os.path.isabs(home):  # a user that the system does not know: they ask for it
        os.environ["HOME"] = str(_ours())


def _lacks(library: str, *folders: str) -> bool:
    """Whether a library that is yet to be imported cannot write to its folders."""
    return library not in sys.modules and not all(map(_writable, folders))


@cache
def _ours() -> Path:
    """A folder that goes with this process, not with one forked off it."""
    folder, here = _made(), os.getpid()
    at_the_end(lambda: os.getpid() == here and shutil.rmtree(folder, ignore_errors=True))
    return folder


def _made() -> Path:
    check_temporary()
    return Path(tempfile.mkdtemp(prefix="bayesmeta-"))


def check_temporary() -> None:
    """See to it that temporary files have a place, for libraries ask Python for one too.

    Raises
    ------
    FileError
        If there is none.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        if not os.access(IN_MEMORY, os.W_OK | os.X_OK):
            raise FileError(
                "No folder for temporary files can be written to: set TMPDIR to one that can."
            ) from None
        os.environ["TMPDIR"] = IN_MEMORY


def _writable(folder: str) -> bool:
    """Whether a folder can be written to, or made where it is not there yet."""
    path = Path(folder)
    if not path.is_absolute():
        return False
    nearest = next(one for one in (path, *path.parents) if os.path.lexists(one))
    return os.path.isdir(nearest) and os.access(nearest, os.R_OK | os.W_OK | os.X_OK)
