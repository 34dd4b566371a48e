"""Whether this process was forked off one that had used JAX, whose threads a fork leaves behind.

Importing this has every later fork looked at; a fork before goes unnoticed.
"""

import os
import sys
from collections.abc import Callable
from threading import Lock

from ..errors import ModelError

_inherited = False


class ForkedError(ModelError):
    """JAX would hang in this process: it was forked off one in which JAX had run."""


def check_not_forked() -> None:
    """Refuse to enter JAX where that would wait for ever.

    Raises
    ------
    ForkedError
        With the way to start processes that can.
    """
    if _inherited:
        raise ForkedError(
            "This process was forked off one that had used JAX, where JAX waits for ever: start "
            'processes with mp_context=multiprocessing.get_context("spawn"), e.g. '
            'ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")).'
        )


def lock() -> Lock:
    """Return a lock that is open in a process forked while another thread holds it."""
    made = Lock()
    _at_fork(made._at_fork_reinit)  # pyright: ignore[reportAttributeAccessIssue]
    return made


def _look() -> None:
    global _inherited
    bridge = sys.modules.get("jax._src.xla_bridge")
    _inherited = _inherited or bool(getattr(bridge, "_backends", None))


def _at_fork(in_child: Callable[[], None]) -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=in_child)


_at_fork(_look)
