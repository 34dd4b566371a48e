"""What became of a table, beside every answer that was made of it."""

from typing import TYPE_CHECKING

from .echo import echo

if TYPE_CHECKING:
    from ...studies import Account


def say_account(account: "Account", *, verbose: bool = False) -> None:
    """Print one line or two, or all of it."""
    if not verbose:
        echo(account)
        return
    for what, detail, studies in account.entries():
        echo(f"{what.capitalize()}: {detail}{f' - {studies}' if studies else ''}.")
