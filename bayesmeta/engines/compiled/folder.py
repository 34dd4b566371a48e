"""The folder of compiled programs: where it is, whether it may be used, and what we put into it.

A compiled program is executed as it stands: whoever can write one runs code as the user who reads
it. So the folder is made for its owner alone, and what lies in one that others can change is
neither read nor written. Without a folder programs are kept in memory.
"""

import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, final

from ...errors import FileError

MINE, OTHERS = 0o700, stat.S_IWGRP | stat.S_IWOTH
OURS = re.compile(r"[0-9a-f]{40}\.(program|xla)|\.new-\w+|\w.*-[0-9a-f]{64}-(cache|atime)")
ELSEWHERE = "name another folder in BAYESMETA_CACHE"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is known of the folder of compiled programs.

    Attributes
    ----------
    path : Path or None
        Where it is or would be, symbolic links followed; None if there is no place for it.
    why_not : str
        Why it is not used; empty if it is.
    remedy : str
        What would help; empty if nothing is wrong with it.
    """

    path: Path | None
    why_not: str = ""
    remedy: str = ""

    def entries(self) -> Iterator[Path]:
        """Files in it that this package made."""
        with suppress(OSError):
            for one in list(os.scandir(self.path or os.devnull)):
                if OURS.fullmatch(one.name) and one.is_file(follow_symlinks=False):
                    yield Path(one.path)

    def sizes(self) -> list[int]:
        """Bytes of each of them; one that another process takes away meanwhile does not count."""
        found = []
        for one in self.entries():
            with suppress(FileNotFoundError):
                found.append(one.stat().st_size)
        return found


def cache_folder() -> Path | None:
    """Make the user's folder for compiled programs; None where it cannot be used.

    One that others could change is left unused, with a sentence, once in a process.
    """
    kept = kept_programs(make=True)
    if kept.remedy:
        _say(f"Compiled programs are kept in memory, for {kept.why_not}: {kept.remedy}.")
    return None if kept.why_not else kept.path


def kept_programs(*, make: bool = False) -> Kept:
    """Say where the folder is, and whether it is used.

    Parameters
    ----------
    make : bool
        Whether to make it where it is not there yet.
    """
    path = None
    try:
        path = _place()
        if path is None:
            return Kept(path=None, why_not="there is no home folder")
        if found := _danger(path):
            return Kept(path=path, why_not=found.what, remedy=found.remedy)
        if make:
            _make(path)
        nearest = next(one for one in (path, *path.parents) if one.exists())
    except OSError as error:
        return Kept(path=path, why_not=f"it cannot be made: {error.strerror}")
    if not nearest.is_dir():
        return Kept(path=path, why_not=f"{nearest} is a file")
    if not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        return Kept(path=path, why_not=f"{nearest} cannot be written to")
    return Kept(path=path)


def clear_programs() -> int:
    """Delete what this package made in the folder, used or not, and nothing else; say how many.

    Raises
    ------
    FileError
        If a file cannot be deleted.
    """
    count = 0
    for one in kept_programs().entries():
        try:
            one.unlink()
        except FileNotFoundError:  # one that was being written has another name by now
            continue
        except OSError as error:
            raise FileError(f"{one} cannot be deleted: {error.strerror}.") from None
        count += 1
    return count


def _place() -> Path | None:
    base = os.environ.get("BAYESMETA_CACHE") or os.environ.get("XDG_CACHE_HOME")
    if not base:
        home = os.path.expanduser("~")  # as it is where there is none
        if not os.path.isdir(home):
            return None
        base = os.path.join(home, ".cache")
    return Path(os.path.realpath(os.path.join(os.path.expanduser(base), "bayesmeta", "xla")))


def _make(path: Path) -> None:
    """Make a folder and those on the way for their owner alone, whatever the umask."""
    for one in [*reversed(path.parents), path]:
        if not one.exists():
            os.mkdir(one, MINE)
            os.chmod(one, MINE)


class _Danger(NamedTuple):
    """Who could put a program into the folder, and what would help."""

    what: str
    remedy: str


def _danger(path: Path) -> _Danger | None:
    """What would let others put a program here; nothing where the system has no such owners."""
    if not hasattr(os, "geteuid"):
        return None
    folders = [one for one in (path, *path.parents) if one.exists()]
    found = (_of_ours(one) if one in (path, path.parent) else _above(one) for one in folders)
    return next((one for one in found if one), None)


def _of_ours(folder: Path) -> _Danger | None:
    status = folder.stat()
    if status.st_uid != os.geteuid():
        return _belongs(folder)
    if status.st_mode & OTHERS:
        return _Danger(
            f"others can write to {folder}",
            f"chmod 700 {folder} and clear it with bayesmeta cache --clear, or {ELSEWHERE}",
        )
    return None


def _above(folder: Path) -> _Danger | None:
    """A folder that holds ours: who may write there could put another in its place."""
    status = folder.stat()
    if status.st_uid not in (os.geteuid(), 0):
        return _belongs(folder)
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        return _Danger(f"all can write to {folder}", f"chmod o-w {folder}, or {ELSEWHERE}")
    return None


def _belongs(folder: Path) -> _Danger:
    return _Danger(f"{folder} belongs to another user", ELSEWHERE)


@cache
def _say(sentence: str) -> None:
    logging.getLogger("bayesmeta").warning(sentence)
