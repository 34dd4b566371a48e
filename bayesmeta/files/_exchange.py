"""Two folders that trade places in one step, where the system can do that."""

import ctypes
import errno
import os
import sys
from pathlib import Path

_HERE = -100  # AT_FDCWD: paths are relative to the current folder
_SWAP = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS


def exchange(one: Path, other: Path) -> None:
    """Let two folders trade places, so that nobody ever sees one of them half.

    References
    ----------
    renameat2(2) of the Linux manual pages; renamex_np(2) of macOS.

    Raises
    ------
    OSError
        If the system or the file system cannot do that, or does not want to; nothing has moved.
    """
    first, second = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(first, second, _SWAP)
        else:
            failed = library.renameat2(_HERE, first, _HERE, second, _SWAP)
    except (AttributeError, TypeError):  # TypeError: CDLL(None) on Windows
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
