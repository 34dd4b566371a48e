"""The collector of cycles, left aside where it would cost a Ctrl-C."""

import gc
from collections.abc import Generator
from contextlib import contextmanager

from .forks import lock

_TURN = lock()
_open: list[bool] = []  # whether it was on, once for each block that is open


@contextmanager
def uncollected() -> Generator[None]:
    """Collect no cycles within the block, in whatever thread.

    JAX has the collector call a function of its own, and a Ctrl-C that comes up in there is lost:
    Python can raise nothing through the collector. While a model is traced this is half the time.
    """
    with _TURN:
        _open.append(_open[0] if _open else gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _TURN:
            was_on = _open.pop()
            if was_on and not _open:
                gc.enable()
