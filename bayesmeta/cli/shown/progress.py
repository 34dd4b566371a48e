"""What a waiting reader sees, and the status of an answer that is not sound."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from threading import TIMEOUT_MAX, Event, Thread
from time import monotonic
from typing import Self

from .echo import echo, visible

GATES_FAILED = 1
EVERY = 5.0  # seconds between lines where there is no terminal
LEAST = 0.5  # seconds between looks whether a line is due
_speakers: list["_Lines"] = []  # the last one speaks


@contextmanager
def progress(*, quiet: bool = False) -> Generator[Callable[[str, str], None]]:
    """Show one line with outcome, step and elapsed time; off a terminal one now and then."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[outcome]}", style="bold", markup=False),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    if quiet:
        yield lambda outcome, step: None
        return
    if not console.is_terminal:
        with _Lines() as lines:
            yield lines
        return
    with _Lines(mute=True), Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None, outcome="")
        yield lambda outcome, step: bar.update(
            task, outcome=_one_line(outcome), description=_one_line(step)
        )


def telling[**P, T](name: str, command: Callable[P, T]) -> Callable[P, T]:
    """Have a command say now and then that it is at work, and where it waits for a table."""

    @wraps(command)
    def told(*args: P.args, **given: P.kwargs) -> T:
        typed = str(given.get("table")) == "-" and bool(sys.stdin) and sys.stdin.isatty()
        if typed:
            echo("The table is read from standard input: end it with Ctrl-D.", err=True)
        with _Lines(mute=typed) as lines:
            lines(name, "at work")
            return command(*args, **given)

    return told


class _Lines:
    """A line for a step a while after the last line: quick work says nothing.

    A thread says that a step still lasts.
    """

    def __init__(self, *, mute: bool = False) -> None:
        self._start = self._last = monotonic()
        self._mute = mute
        self._step = ""
        self._over = Event()

    def __enter__(self) -> Self:
        _speakers.append(self)
        Thread(target=self._remind, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        _speakers.remove(self)

    def __call__(self, outcome: str, step: str) -> None:
        self._step = f"{_one_line(outcome)}: {_one_line(step)}"
        self._say()

    def _remind(self) -> None:
        while not self._over.wait(min(max(EVERY, LEAST), TIMEOUT_MAX)):
            self._say()

    def _say(self) -> None:
        now = monotonic()
        if now - self._last >= EVERY and not self._mute and _speakers[-1:] == [self]:
            self._last = now
            echo(f"{now - self._start:.0f} s: {self._step}", err=True)


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))
