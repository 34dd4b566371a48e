"""What a waiting reader sees, and the status of an answer that is not sound."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

GATES_FAILED = 1


@contextmanager
def progress() -> Generator[Callable[[str, str], None]]:
    """Show one line with outcome, step and elapsed time; nothing where nobody is looking."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("[bold]{task.fields[outcome]}"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task("starting", total=None, outcome="")
        yield lambda outcome, step: bar.update(task, outcome=outcome, description=step)
