"""Files that are read whole or not at all: their bytes behind a checksum."""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

DIGEST = hashlib.sha256().digest_size


def read_whole(path: Path) -> bytes | None:
    """Read what `write_whole` wrote; None if there is nothing, or anything but that."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None  # reading a FIFO would wait for ever
        content = path.read_bytes()
    except OSError:
        return None
    body = content[DIGEST:]
    return body if hashlib.sha256(body).digest() == content[:DIGEST] else None


def write_whole(path: Path, body: bytes) -> None:
    """Write a file with its checksum in one step, if that can be done."""
    with suppress(OSError):
        handle, new = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).digest() + body)
            os.replace(new, path)
        except BaseException:
            os.unlink(new)
            raise
