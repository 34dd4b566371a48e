"""Run the command line, as ``bayesmeta`` or ``python -m bayesmeta``."""

from .machine.stops import stoppable


def main(name: str | None = None) -> None:
    """Run the command that was typed; asked to stop, end within seconds.

    Parameters
    ----------
    name : str, optional
        What the program calls itself; by default as it was started.
    """
    with stoppable():
        from .cli import main as command

        command(prog_name=name)


if __name__ == "__main__":
    main()
