"""What a run wrote into its folder: the list, and whether the folder still is what it says."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, final

from ..errors import FileError
from ..sheets import read_bytes
from ._claim import stages

MANIFEST = "manifest.json"
PROGRAM = "bayesmeta"


@final
@dataclass(frozen=True, slots=True)
class Listed:
    """What a manifest says of a file."""

    path: str
    holds: str
    sha256: str
    bytes: int


@final
@dataclass(frozen=True, slots=True)
class Verdict:
    """A run's folder held against its manifest.

    Attributes
    ----------
    version : str
        Of the program that wrote it.
    files : int
        How many the manifest lists.
    problems : tuple of str
        What is not as it says, a sentence each.
    others : tuple of str
        Files that are not the run's, and were not looked at.
    """

    version: str
    files: int
    problems: tuple[str, ...]
    others: tuple[str, ...]


def write_manifest(path: Path, files: Mapping[str, Listed], *, complete: bool) -> Path:
    """Write a manifest of these files; not complete where those of two runs may stand."""
    content = {
        "program": PROGRAM,
        "version": version(PROGRAM),
        "complete": complete,
        "files": [asdict(files[name]) for name in sorted(files)],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def listed(folder: Path) -> Mapping[str, Listed]:
    """The files of the run that a folder holds, by path; none if no manifest of ours is there."""
    return _files(folder, _content(folder))


def verify(folder: Path | str) -> Verdict:
    """Hold every file of a run's folder against the hash and the size in its manifest.

    Parameters
    ----------
    folder : Path or str
        That a run wrote to.

    Returns
    -------
    Verdict

    Raises
    ------
    FileError
        If it has no manifest of a run.
    """
    folder = Path(folder)
    content = _content(folder)
    if content is None:
        raise FileError(
            f"{folder} has no {MANIFEST} that a run wrote; name the folder of a run, or a "
            "specification (TOML)."
        )
    files = _files(folder, content)
    found = list(_problems(folder, files, complete=content.get("complete") is True))
    others = tuple(path for path in contained(folder) if path not in {*files, MANIFEST})
    return Verdict(str(content.get("version", "?")), len(files), tuple(found), others)


def contained(folder: Path) -> Iterator[str]:
    """Every file and link in a folder, and every folder that is empty, by path."""
    aside = {stage.name for stage in stages(folder)}
    for root, names, files in os.walk(folder):
        here = Path(root).relative_to(folder)
        names[:] = [name for name in sorted(names) if here.parts or name not in aside]
        linked = [name for name in names if (folder / here / name).is_symlink()]
        yield from ((here / name).as_posix() for name in [*sorted(files), *linked])
        if here.parts and not names and not files:
            yield here.as_posix()


def _content(folder: Path) -> Mapping[str, Any] | None:
    """A manifest of ours, whatever it says."""
    try:
        content = json.loads(read_bytes(folder / MANIFEST))
    except (FileError, ValueError, RecursionError):
        return None
    ours = isinstance(content, dict) and content.get("program") == PROGRAM
    return content if ours else None


def _files(folder: Path, content: Mapping[str, Any] | None) -> Mapping[str, Listed]:
    try:
        files = [Listed(**one) for one in (content or {})["files"]]
        return {one.path: one for one in files if _inside(folder, one.path)}
    except (ValueError, TypeError, LookupError, AttributeError):
        return {}


def _inside(folder: Path, path: str) -> bool:
    """Whether a path leads nowhere else: a manifest is a file that anybody can have written."""
    place = (folder / path).parent.resolve()
    return ".." not in PurePosixPath(path).parts and place.is_relative_to(folder.resolve())


def _problems(folder: Path, files: Mapping[str, Listed], *, complete: bool) -> Iterator[str]:
    if not complete:
        yield (
            "A run was stopped while its files moved into place: those of two runs may stand side "
            "by side."
        )
    if not files:
        yield f"{MANIFEST} lists no file that can be looked for."
    for path, said in files.items():
        why = _differs(folder / path, said)
        if why:
            yield f"{path} {why}."


def _differs(path: Path, said: Listed) -> str:
    try:
        if not path.is_file():
            return "is not there"
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return "" if digest == said.sha256 else f"is not what the run wrote ({MANIFEST} has its hash)"
