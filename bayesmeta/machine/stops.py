"""An end that is asked for, by Ctrl-C or SIGTERM: within seconds, whatever the process is at.

Python hears of a signal between two of its own steps, and a compiler of XLA takes many seconds for
one. So a thread listens beside it: where the main thread has not come to its end after `GRACE`
seconds, that thread cleans up and ends the process.
"""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from time import sleep
from types import FrameType
from typing import Never

GRACE = 0.8  # seconds to unwind, and to finish what must not be broken off
STOPPED = "bayesmeta: stopped; no file was left half-written.\n"
BROKEN = "bayesmeta: stopped while files moved into place; run again into the same place.\n"
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}
_CURSOR = "\r\x1b[2K\x1b[?25h"  # a line of progress is wiped, and the cursor shown again
_asked: list[int] = []
_left: list[Callable[[], object]] = []
_ending, _moving = threading.Lock(), threading.Lock()


class Stopped(BaseException):
    """The process was asked to end; no library takes this for its own affair."""


@contextmanager
def cleaned_by(clean: Callable[[], object]) -> Generator[None]:
    """Have something cleaned up if the process is made to end within the block.

    Parameters
    ----------
    clean : callable
        Called from another thread, without arguments; leaving the block cleans nothing.
    """
    _left.append(clean)
    try:
        yield
    finally:
        _left.remove(clean)


@contextmanager
def unbroken() -> Generator[None]:
    """Do in the block what a clean-up from another thread must not come in between of."""
    with _moving:
        yield


def at_the_end(clean: Callable[[], object]) -> None:
    """Have something cleaned up when this process ends, however that comes."""
    _left.append(clean)
    atexit.register(clean)


@contextmanager
def stoppable() -> Generator[None]:
    """End this process within seconds if asked to, with one sentence and its status.

    For the command line alone, which owns its process and its signals.
    """
    hear, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(hear,), daemon=True).start()
    try:
        for one in STATUS:
            if signal.getsignal(one) is not signal.SIG_IGN:  # as in the background of a script
                signal.signal(one, _stop)
        yield
    except BaseException:
        if _asked:
            _end()
        raise


def _stop(number: int, _frame: FrameType | None) -> None:
    """Unwind; what comes to grief on the way is of no interest to anyone."""
    if not _asked:
        _asked.append(number)
        sys.unraisablehook = lambda _: None
        raise Stopped


def _listen(hear: int) -> None:
    while (number := os.read(hear, 1)[0]) not in STATUS:
        pass
    sleep(GRACE)
    _asked.append(number)
    _end()


def _end() -> Never:
    """Clean up, say so and end, without waiting for any thread."""
    _ending.acquire()  # once
    said = STOPPED
    if _moving.acquire(timeout=GRACE):
        for clean in _left:
            with suppress(OSError):
                clean()
    else:  # the next command mends and sweeps
        said = BROKEN
    with suppress(OSError):
        if sys.stderr is not None:  # else 2 may be the number of a file that is written
            os.write(2, f"{_CURSOR * os.isatty(2)}{said}".encode())
    os._exit(STATUS[signal.Signals(_asked[0])])
