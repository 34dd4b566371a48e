"""How a run says what it is about to do."""

from collections.abc import Callable

type Progress = Callable[[str, str], None]
