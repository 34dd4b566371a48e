"""How the files of a run come into its folder: in one step, or one by one and back again."""

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from ..errors import FileError
from ..machine.stops import unbroken
from ._claim import stages
from ._exchange import exchange
from ._manifest import MANIFEST, Listed, contained, listed, write_manifest


def publish(stage: Path, folder: Path, new: Mapping[str, Listed]) -> None:
    """Put ``stage/files`` where `folder` is, and what was there of an earlier run away.

    A folder with nothing but files of a run trades places with the new one. Where it has others,
    or cannot be moved as a whole, files move one by one.

    Raises
    ------
    OSError
        If they cannot; the folder is then as it was.
    FileError
        If it could not be left as it was.
    """
    place = Path(os.path.realpath(folder))
    write_manifest(stage / "files" / MANIFEST, new, complete=True)
    whole = _only_ours(place, stage) and not _stands_in(place)
    with unbroken():
        if not (whole and _at_once(stage / "files", place)):
            _one_by_one(stage, place, new)


def _only_ours(place: Path, stage: Path) -> bool:
    """Whether a folder, if it is there, has only files of a run, and the owner of the new one.

    A hidden folder in it is that of a command that writes a file into it now.
    """
    if not place.exists():
        return True
    if any(stages(place)) or any(
        path not in {*listed(place), MANIFEST} for path in contained(place)
    ):
        return False
    return _owner(place) == _owner(stage) and not _marked(place)


def _owner(folder: Path) -> tuple[int, int, int]:
    found = folder.stat()
    return found.st_uid, found.st_gid, found.st_dev


def _marked(folder: Path) -> bool:
    """Whether a folder has attributes of its user, such as an access list, that a new one lacks."""
    try:
        names = os.listxattr(folder)
    except (AttributeError, OSError):  # not on every system
        return False
    return any(not name.startswith("security.") for name in names)


def _stands_in(place: Path) -> bool:
    """Whether this process works in a folder, which it would no longer see once it is moved."""
    try:
        return Path.cwd().is_relative_to(place)
    except OSError:
        return False


def _at_once(files: Path, place: Path) -> bool:
    """Let the new folder take its place in one step; False if the system cannot."""
    if not place.exists():
        with suppress(OSError):
            files.rename(place)
            return True
        return False
    shutil.copymode(place, files)
    known = {*listed(place), MANIFEST}
    try:
        exchange(files, place)
    except OSError:
        return False
    for hidden in list(stages(files)):  # another command began to write there a moment ago
        os.replace(hidden, place / hidden.name)
    for path in list(contained(files)):
        if path not in known and not os.path.lexists(place / path):  # written a moment ago
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(files / path, place / path)
    return True


def _one_by_one(stage: Path, place: Path, new: Mapping[str, Listed]) -> None:
    """Move files, with a manifest of both runs in between; put all back if one of them cannot."""
    old = listed(place)
    both = write_manifest(stage / "both.json", {**old, **new}, complete=False)
    files, kept = stage / "files", stage / "kept"
    touched = sorted({*old, *new, MANIFEST})
    for path in touched:
        _keep(place / path, kept / path)
    there = place.exists()
    try:
        place.mkdir(exist_ok=True)
        os.replace(both, place / MANIFEST)
        for path in new:
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(files / path, place / path)
        _remove(place, old.keys() - new.keys())
        os.replace(files / MANIFEST, place / MANIFEST)
    except BaseException as error:
        _put_back(kept, place, [path for path in touched if path != MANIFEST], error)
        if not there:
            with suppress(OSError):
                place.rmdir()
        raise


def _keep(path: Path, aside: Path) -> None:
    """Hold on to a file under another name; where a file cannot have two, to a copy of it."""
    if not os.path.lexists(path):
        return
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, aside, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(path, aside, follow_symlinks=False)


def _put_back(kept: Path, place: Path, paths: Iterable[str], error: BaseException) -> None:
    """Make a folder what it was, its manifest last."""
    try:
        for path in (*paths, MANIFEST):
            if os.path.lexists(kept / path):
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                os.replace(kept / path, place / path)
            else:
                _remove(place, [path])
    except OSError:
        why = getattr(error, "strerror", None) or error
        raise FileError(
            f"Moving files into {place} failed: {why}. It may hold files of two runs; run again "
            "into it."
        ) from None


def _remove(folder: Path, paths: Iterable[str]) -> None:
    """Remove files of an earlier run, and the folders that this leaves empty."""
    for path in sorted(paths):
        if os.path.lexists(folder / path) and not (folder / path).is_dir():
            (folder / path).unlink()
        for parent in [folder / one for one in PurePosixPath(path).parents][:-1]:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
