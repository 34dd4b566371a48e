"""What a command says, whatever the machine has to do beside it."""

import re

AT_WORK = re.compile(r"^\d+ s: .*\n", re.MULTILINE)  # after five seconds, and every five then


def unhurried(said):
    """Drop the lines by which a command that takes long says that it is at work."""
    return AT_WORK.sub("", said.decode() if isinstance(said, bytes) else said)
