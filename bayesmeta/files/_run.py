"""The folder of a run: which files are its own, and how a later run takes their place.

``manifest.json`` lists every file of the run. What it does not list is somebody else's: it is
neither overwritten, unless that is asked for, nor removed. A folder that holds nothing else trades
places with the new one in one step. Elsewhere, while files move, a manifest that lists those of
both runs stands there and says that it is not complete, so that whatever a stopped run leaves is
known to the next one as a run's own.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import final

from ..errors import FileError
from ..ways import way
from ._claim import claimed
from ._manifest import MANIFEST, PROGRAM, Listed, listed, verify
from ._publish import publish
from ._staged import check_folder, check_room, in_one_sentence


@final
@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a run.

    Attributes
    ----------
    path : str
        Its place in the folder, names joined by ``/``.
    content : bytes
    holds : str
        What it holds, in a phrase.
    """

    path: str
    content: bytes
    holds: str


def check_unclaimed(folder: Path, paths: Iterable[str], *, force: bool, remedy: str = "") -> None:
    """Refuse a folder that cannot be written to, or has files of these names that no run wrote.

    Parameters
    ----------
    folder : Path
    paths : iterable of str
        Files of a run, relative to it. A folder of the name of one of theirs is a run's own where
        the manifest lists any file of it.
    force : bool
        Whether such files may be overwritten.
    remedy : str
        What to do about them; by default to name another folder, or to overwrite.

    Raises
    ------
    FileError
        With their names.
    """
    check_folder(folder)
    paths = list(paths)
    foreign = [] if force else list(dict.fromkeys(_foreign(folder, paths)))
    if foreign:
        more = f" and {len(foreign) - 5} more" if len(foreign) > 5 else ""
        remedy = remedy or f"name another folder, or overwrite with {way('force')}"
        raise FileError(
            f"{folder} has {', '.join(foreign[:5])}{more}, which no {MANIFEST} there lists as "
            f"written by a run; {remedy}."
        )
    check_room(folder, map(Path, paths))


def write_run(
    folder: Path | str, pieces: Iterable[Piece], *, force: bool = False, remedy: str = ""
) -> None:
    """Write the files of a run, and a manifest of them; nothing of an earlier run is left.

    Parameters
    ----------
    folder : Path or str
    pieces : iterable of Piece
        Made one by one, and written before the next is asked for.
    force : bool
        Whether files of their names that no run wrote may be overwritten.

    Raises
    ------
    FileError
        If anything cannot be written, would take the place of a file that no run wrote, or another
        command writes there; what the folder held is then left as it was.
    """
    folder = Path(folder)
    with claimed(folder) as stage, in_one_sentence(folder):
        files = stage / "files"
        files.mkdir()
        new = {piece.path: _put(files, piece) for piece in pieces}
        check_unclaimed(folder, [*new, MANIFEST], force=force, remedy=remedy)
        publish(stage, folder, new)


def stored(folder: Path, *, but: Iterable[str], lost: Iterable[str] = ()) -> Mapping[str, Piece]:
    """Read the files of a run's folder, by path, each as the run wrote it.

    Parameters
    ----------
    folder : Path
    but : iterable of str
        Files that may be gone or changed, and are not read.
    lost : iterable of str
        Files that may be gone.

    Raises
    ------
    FileError
        If there is no run of this version, or a file is not as the run wrote it.
    """
    found = verify(folder)
    if found.version != version(PROGRAM):
        raise FileError(
            f"{folder} was written by {PROGRAM} {found.version}, and this is {version(PROGRAM)}; "
            "run its specification again."
        )
    but = set(but)
    spared = (*(f"{name} " for name in but), *(f"{name} is not there" for name in lost))
    problems = [one for one in found.problems if not one.startswith(spared)]
    if problems:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        raise FileError(
            f"{folder} is not as the run wrote it: {problems[0].rstrip('.')}{more}; run its "
            "specification again, or put aside what was changed."
        )
    return {
        path: Piece(path, (folder / path).read_bytes(), one.holds)
        for path, one in listed(folder).items()
        if path not in but and (folder / path).exists()
    }


def _put(place: Path, piece: Piece) -> Listed:
    path = place / piece.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(piece.content)
    digest = hashlib.sha256(piece.content).hexdigest()
    return Listed(piece.path, piece.holds, digest, len(piece.content))


def _foreign(folder: Path, paths: Iterable[str]) -> Iterator[str]:
    """Names that are taken by what the manifest does not list: of folders, and of files."""
    there = listed(folder)
    known = {*there, MANIFEST} if there else {*there}
    ours = {PurePosixPath(path).parts[0] for path in known}
    for path in paths:
        top = PurePosixPath(path).parts[0]
        if top not in ours and os.path.lexists(folder / top):
            yield top
        elif path not in known and os.path.lexists(folder / path):
            yield path
