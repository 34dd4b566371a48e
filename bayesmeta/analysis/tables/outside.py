"""Tables that lie outside the folder of their specification: no refusal quotes them.

A specification may come from anywhere, and name any file: what its reader is told must not be a way
to have lines of other files read out.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ...errors import DataError
from ...specification import Outcome
from ...ways import cut


@contextmanager
def quoted_nowhere(outcome: Outcome, folder: Path) -> Generator[None]:
    """Say of an outcome's table outside `folder` that it has problems, and nothing of it."""
    if outcome.data is None:
        yield
        return
    with unquoted(outcome.data, folder):
        yield


@contextmanager
def unquoted(data: Path, folder: Path) -> Generator[None]:
    """Say of a table outside `folder` that it has problems, and nothing that stands in it."""
    try:
        yield
    except DataError as error:
        if not lies_outside(data, folder):
            raise
        count = max(len(error.problems), 1)
        raise DataError(
            f"{cut(str(data))} cannot be used ({count} problem{'s' if count > 1 else ''}), "
            "and lies outside the folder of the specification, so that nothing of it is quoted: "
            "bayesmeta fit says of such a file what is wrong, or move it beside the specification."
        ) from None


def lies_outside(data: Path, folder: Path) -> bool:
    """Whether a table, whatever links lead to it, lies elsewhere than in a folder or below it."""
    real, home = (Path(os.path.realpath(one)) for one in (folder / data, folder))
    return not real.is_relative_to(home)
