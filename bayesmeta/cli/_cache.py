"""The folder of compiled programs: what is in it, and an end of that."""

import click

from .shown.echo import echo


@click.command()
@click.option("--clear", is_flag=True, help="Delete the programs; no other file is touched.")
def cache(*, clear: bool) -> None:
    """Show where compiled programs are kept for the next command, and whether they are used.

    The folder is bayesmeta/xla in BAYESMETA_CACHE, XDG_CACHE_HOME or ~/.cache.
    """
    from ..engines import clear_programs, kept_programs
    from ..studies import counted

    if clear:
        echo(f"Deleted: {counted(clear_programs(), 'file')}")
        return
    kept = kept_programs()
    sizes = kept.sizes()
    echo(f"Folder: {kept.path or 'none'}")
    why_not = "; ".join(filter(None, (kept.why_not, kept.remedy)))
    echo(f"Used: {f'no, {why_not}' if why_not else 'yes'}")
    echo(f"Programs: {counted(len(sizes), 'file')}, {sum(sizes) / 1e6:.1f} MB")
