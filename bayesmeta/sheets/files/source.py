"""The bytes of a file that someone named: never of what has no end, or waits for a writer."""

import os
import re
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ...errors import FileError

LARGEST = 2**30  # bytes of a table that is read into memory
_PART = 2**20  # bytes read at once: room for them is taken before
_TYPED = re.compile(r"/dev/stdin|/(dev|proc/self)/fd/\d+")  # how a shell names its pipes
_KINDS = {
    stat.S_IFDIR: "Is a directory",
    stat.S_IFCHR: "Is a device, not a regular file",
    stat.S_IFBLK: "Is a device, not a regular file",
    stat.S_IFIFO: "Is a named pipe, not a regular file",
    stat.S_IFSOCK: "Is a socket, not a regular file",
}


def read_bytes(path: Path | str, *, most: int = LARGEST) -> bytes:
    """Read a file whole.

    Parameters
    ----------
    path : Path or str
        Of a regular file, whatever links lead to it; of a pipe that a shell made for a command
        (``<(cut ...)``); or ``"-"``, standard input.
    most : int
        Bytes that are read; a file that has more is refused.

    Raises
    ------
    FileError
        If it is anything else, cannot be read, or is too large.
    """
    with _said_of(path):
        found = _standard_input(most) if str(path) == "-" else _read(path, most)
    if len(found) > most:
        name = "standard input" if str(path) == "-" else path
        raise FileError(f"{name} has more than {_size(most)}, which is the most that is read.")
    return found


def check_regular(path: Path | str) -> None:
    """Refuse what is no regular file, without opening it.

    Raises
    ------
    FileError
    """
    with _said_of(path):
        _check(os.stat(path).st_mode)


@contextmanager
def _said_of(path: Path | str) -> Generator[None]:
    """Say of which file it is that it cannot be read, and why."""
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        strange = "its name holds a null byte" if "\0" in str(path) else error
        why = getattr(error, "strerror", None) or strange
        raise FileError(f"{path} cannot be read: {why}.") from None


def _standard_input(most: int) -> bytes:
    if sys.stdin is None:  # a shell's <&-
        raise OSError("it is closed")
    with suppress(OSError):  # of what is no file at all
        os.set_blocking(sys.stdin.fileno(), True)  # else a table would end where its writer pauses
    return _start(sys.stdin.buffer, most)


def _start(file: BinaryIO, most: int) -> bytes:
    """All of a file, or more than the most that is read."""
    parts: list[bytes] = []
    while len(parts) * _PART <= most:
        parts.append(file.read(_PART) or b"")  # None of /proc/kmsg, where it would have to wait
        if len(parts[-1]) < _PART:
            break
    return b"".join(parts)


def _check(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(_KINDS.get(stat.S_IFMT(mode), "Is no regular file"))


def _read(path: Path | str, most: int) -> bytes:
    piped = bool(_TYPED.fullmatch(str(path))) and stat.S_ISFIFO(os.stat(path).st_mode)
    if not piped:
        _check(os.stat(path).st_mode)  # to open a device may do something
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if piped:
            os.set_blocking(file.fileno(), True)
        else:
            _check(os.fstat(file.fileno()).st_mode)  # it may have been exchanged since
        return _start(file, most)


def _size(count: int) -> str:
    return f"{count >> 30} GiB" if count >= 2**30 else f"{count >> 20} MiB"
