"""Hidden folders for what is not finished, each beside the place that it is for.

A lock holds such a folder as long as its process lives: nobody else then writes to the same place,
and what a killed process left is told from work that goes on, and swept by the next one.
"""

import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import MappingProxyType

from ..errors import FileError
from ..machine.stops import cleaned_by

PREFIX = ".bayesmeta-"
_OURS = re.compile(re.escape(PREFIX) + "[0-9a-f]{16}")  # nobody calls a folder of theirs so
_TRIES, _PAUSE = 25, 0.02  # a sweeper holds what it sweeps for a moment
_HERE: ContextVar[Mapping[Path, Path]] = ContextVar("claimed", default=MappingProxyType({}))


@contextmanager
def claimed(target: Path | str) -> Generator[Path]:
    """Give an empty hidden folder for what will stand at `target`, where nobody else writes then.

    Within the block the same caller may claim the same place again, and gets the same folder.
    Folders on the way are made; those that are still empty afterwards, and the hidden one, go.

    Parameters
    ----------
    target : Path or str
        A file, or a folder, that there is or will be.

    Raises
    ------
    FileError
        If another command writes there, or nothing can be written; what was there is left.
    """
    place = Path(os.path.realpath(target))
    held = _HERE.get()
    if place in held:
        yield held[place]
        return
    with _folder_for(place) as folder, _locked(folder / _name(place), target) as stage:
        for where in {folder, place}:
            sweep(where)
        token = _HERE.set({**held, place: stage})
        try:
            yield stage
        finally:
            _HERE.reset(token)


def sweep(folder: Path) -> None:
    """Remove the hidden folders in `folder` that no process holds any more."""
    if sys.platform == "win32" or not folder.is_dir():
        return
    for stage in list(stages(folder)):
        with suppress(OSError):
            handle = _open(stage)
            try:
                _lock(handle)
                shutil.rmtree(stage, ignore_errors=True)
            finally:
                os.close(handle)


def stages(folder: Path) -> Iterator[Path]:
    """The hidden folders in `folder` that commands made, whoever ran them."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _OURS.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield Path(entry)


def _name(place: Path) -> str:
    """One name for one place, short enough for every file system."""
    return PREFIX + hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16]


@contextmanager
def _folder_for(place: Path) -> Generator[Path]:
    """The folder of a place or, where nothing can be moved out of it, the place itself."""
    folder = place if place.is_dir() and _enclosed(place) else place.parent
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder} cannot be written to: {error.strerror or error}.") from None
    try:
        yield folder
    finally:
        with suppress(OSError):  # of one that is not empty
            for one in made:
                one.rmdir()


def _enclosed(place: Path) -> bool:
    """Whether a folder is a mount point, stands in one that cannot be written to, or lends a group.

    A file keeps the group that it was made with when it moves.
    """
    cannot = os.path.ismount(place) or not os.access(place.parent, os.W_OK | os.X_OK)
    return cannot or _lent(place) != _lent(place.parent)


def _lent(folder: Path) -> int | None:
    """The group that a folder lends to what is made in it."""
    found = folder.stat()
    return found.st_gid if found.st_mode & stat.S_ISGID else None


@contextmanager
def _locked(stage: Path, target: Path | str) -> Generator[Path]:
    """Hold a hidden folder, empty; it is gone afterwards."""
    try:
        handle, stage = _hold(stage)
    except BlockingIOError:
        raise FileError(
            f"Another command is writing {target}; wait until it ends, or name another place."
        ) from None
    except OSError as error:
        raise FileError(
            f"{stage.parent} cannot be written to: {error.strerror or error}."
        ) from None
    try:
        _empty(stage)
        with cleaned_by(partial(shutil.rmtree, stage, ignore_errors=True)):
            yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def _hold(stage: Path) -> tuple[int | None, Path]:
    """Make and lock a folder; where the file system knows no locks, one that is nobody else's."""
    if sys.platform == "win32":
        return None, _own(stage)
    for _ in range(_TRIES):
        with suppress(FileExistsError):
            stage.mkdir(mode=0o700)
        try:
            handle = _open(stage)
        except FileNotFoundError:  # swept since
            continue
        try:
            _lock(handle)
            if os.path.samestat(os.fstat(handle), os.lstat(stage)):
                return handle, stage
        except (BlockingIOError, FileNotFoundError):
            time.sleep(_PAUSE)
        except OSError:
            os.close(handle)
            with suppress(OSError):
                stage.rmdir()
            return None, _own(stage)
        os.close(handle)
    raise BlockingIOError


def _lock(handle: int) -> None:
    """Lock an open folder, or raise BlockingIOError at once if another process did."""
    import fcntl  # not on every system

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _open(stage: Path) -> int:
    """Open a folder of ours: not through a link, and not another user's, which may be a trap."""
    handle = os.open(stage, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if os.fstat(handle).st_uid != os.geteuid():
        os.close(handle)
        raise PermissionError(f"{stage} belongs to another user")
    return handle


def _own(stage: Path) -> Path:
    own = stage.with_name(PREFIX + secrets.token_hex(8))
    own.mkdir(mode=0o700)
    return own


def _empty(stage: Path) -> None:
    """Remove what a killed process left."""
    for one in stage.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one, ignore_errors=True)
        else:
            one.unlink()
