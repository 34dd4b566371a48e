"""Files that take their place when they are whole."""

import os
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from ..errors import FileError
from ..ways import cut
from ._claim import claimed


def check_file(path: Path, *, other_than: Path | None = None) -> None:
    """Refuse a file that cannot be written, or is the one that is read, before the work for it."""
    _check_name(path)
    if other_than and path.exists() and other_than.exists() and path.samefile(other_than):
        raise FileError(f"{path} is the table itself; name another file to write.")
    if path.is_dir():
        raise FileError(f"{path} is a folder; name a file to write.")
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is no ordinary file, and nothing can take its place.")
    check_folder(path.parent)


def check_folder(target: Path) -> None:
    """Refuse a folder that cannot be made or written to, before the work; nothing is made."""
    _check_name(target)
    nearest = next(folder for folder in (target, *target.parents) if os.path.lexists(folder))
    if not os.path.isdir(nearest):
        raise FileError(f"{nearest} is a file; name a folder to write to.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise FileError(f"{nearest} cannot be written to: Permission denied.")


def _check_name(path: Path) -> None:
    """Refuse what the system can never call a file, or does not let this user look for."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        why = getattr(error, "strerror", None) or "its name holds a null byte"
        raise FileError(f"{cut(str(path))} cannot be written to: {why}.") from None


@contextmanager
def replacing(path: Path | str) -> Generator[Path]:
    """Give a place to write a file that takes that of `path` once it is whole.

    Raises
    ------
    FileError
        If it cannot be written, or another command writes it; an older file is left as it was.
    """
    path = Path(path)
    check_file(path)
    with claimed(path) as stage, in_one_sentence(path):
        new = stage / path.name
        yield new
        if path.exists():
            shutil.copymode(path, new)
        os.replace(new, os.path.realpath(path))


@contextmanager
def in_one_sentence(target: Path) -> Generator[None]:
    """Say what the system refused, of work that leaves everything as it was.

    Raises
    ------
    FileError
    """
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        raise FileError(
            f"Writing to {target} failed: {error.strerror or error}. Nothing was left half-written."
        ) from None


def check_room(target: Path, paths: Iterable[Path]) -> None:
    """Refuse what stands in the way of files: folders of their names, or files for folders."""
    for path in paths:
        if (target / path).is_dir():
            raise FileError(
                f"{target / path} is a folder where a file is to be written; move it away."
            )
        for parent in [target / one for one in path.parents][:-1]:
            if os.path.lexists(parent) and not parent.is_dir():
                raise FileError(f"{parent} is a file where a folder is to be made; move it away.")
            if parent.is_dir() and not os.access(parent, os.W_OK | os.X_OK):
                raise FileError(f"{parent} cannot be written to: Permission denied.")
