"""Run the command line, as ``bayesmeta`` or ``python -m bayesmeta``."""

import os

from .machine.stops import stoppable

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "1")  # of linear algebra; read when NumPy is loaded


def main(name: str | None = None) -> None:
    """Run the command that was typed; asked to stop, end within seconds.

    Products of matrices are small here: threads of their own would wait for one another, and keep
    the sampler from the processors. Who has set their number keeps it.

    Parameters
    ----------
    name : str, optional
        What the program calls itself; by default as it was started.
    """
    os.environ.setdefault(*ONE_THREAD)
    with stoppable():
        from .cli import main as command

        command(prog_name=name)


if __name__ == "__main__":
    main()
